/* cuda_ownership_test.cpp - who makes what in a fused recurrent step: every unit of every row has one owner,
** no owner is beyond the last, and the lanes of a warp share the numbers of a product out among them.
*/
#include "cuda/ownership.cuh"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t passed, failed;

static void check(bool holds, const char *what, int batch, int hidden, int R, int U) {
  passed += holds;
  failed += !holds;
  if (!holds && failed < 20)
    printf("%s: batch %d, hidden %d, R %d, U %d\n", what, batch, hidden, R, U);
}

/* How often each (row, unit) is owned, over the whole grid. */
static void owners(int batch, int hidden, int R, int U) {
  gruI_owner_grid g = gruI_owner_grid_of(batch, hidden, R, U);
  uint8_t *times = (uint8_t *)calloc((size_t)batch * (size_t)hidden, 1);
  bool inside = true, first = true;
  for (unsigned y = 0; y < g.y; y++)
    for (unsigned x = 0; x < g.x; x++)
      for (unsigned thread = 0; thread < g.warps * GRUI_OWNER_LANES; thread++) {
        gruI_owner o = gruI_owner_of(x, y, g.warps, thread, batch, hidden, R, U);
        first = first && o.b >= o.first_row && o.b < o.first_row + R && o.j >= o.first_unit &&
                o.j < o.first_unit + U;
        if (!o.mine) continue;
        bool fits = o.b >= 0 && o.b < batch && o.j >= 0 && o.j < hidden;
        inside = inside && fits;
        if (fits) times[(size_t)o.b * (size_t)hidden + (size_t)o.j]++;
      }
  bool once = true;
  for (size_t i = 0; i < (size_t)batch * (size_t)hidden; i++) once = once && times[i] == 1;
  check(inside, "an owner beyond the last", batch, hidden, R, U);
  check(first, "a place outside its warp's tile", batch, hidden, R, U);
  check(once, "a unit without its one owner", batch, hidden, R, U);
  check(g.warps >= 1 && g.warps <= GRUI_OWNER_WARPS, "warps of a block", batch, hidden, R, U);
  free(times);
}

/* Every number of k by one lane, in rising order. */
static void shares(int k, int V) {
  static uint8_t times[5000];
  bool rising = true, once = true;
  memset(times, 0, sizeof times);
  for (int lane = 0; lane < GRUI_OWNER_LANES; lane++)
    for (int at = gruI_owner_first(lane, V), last = -1; at < k; at += gruI_owner_step(V)) {
      rising = rising && at > last;
      last = at;
      for (int i = 0; i < V && at + i < k; i++) times[at + i]++;
    }
  for (int i = 0; i < k; i++) once = once && times[i] == 1;
  check(rising, "numbers out of order", k, 0, V, 0);
  check(once, "a number without its one lane", k, 0, V, 0);
}

int main(void) {
  static const int Rs[] = {1, 2, 4, 8}, Us[] = {2, 4};
  static const int hiddens[] = {1, 2, 3, 5, 31, 64, 65, 127, 256, 257};
  for (int R : Rs)
    for (int U : Us) {
      for (int batch = 1; batch <= 70; batch++)
        for (int hidden : hiddens) owners(batch, hidden, R, U);
      owners(1000, 33, R, U);
      owners(3, 1500, R, U);
    }
  for (int V = 1; V <= 4; V *= 2)
    for (int k = 0; k < 700; k++) shares(k, V);
  shares(4999, 4);
  printf("%lld passed, %lld failed\n", (long long)passed, (long long)failed);
  return failed != 0;
}

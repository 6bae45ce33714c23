/* arena_test.c - the slabs of a device: a source that counts and fails when told to, and a model that
** knows every block that is given out.  The blocks are addresses without memory, so that touching one
** ends the test.
*/
#include "cuda/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

#define MB ((size_t)1 << 20)

/* ---- host memory that runs out: the linker puts these before the C library's ----------------- */

static int64_t mallocs_left = -1; /* -1: no end */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);

static int may_have(void) {
  if (mallocs_left > 0)
    mallocs_left--;
  else if (mallocs_left == 0)
    return 0;
  return 1;
}
void *__wrap_malloc(size_t bytes) { return may_have() ? __real_malloc(bytes) : NULL; }
void *__wrap_calloc(size_t n, size_t bytes) { return may_have() ? __real_calloc(n, bytes) : NULL; }

/* ---- a source of slabs ------------------------------------------------------------------------- */

enum { MOST_SLABS = 4096 };

typedef struct range {
  uintptr_t at;
  size_t bytes;
} range;

static range slabs[MOST_SLABS];
static int nslabs;
static size_t taken, room, largest; /* bytes in slabs, the most there may be, the most in one */
static uintptr_t fresh;             /* addresses are used once */
static int64_t allocs, frees;

static void *source_alloc(void *context, size_t bytes) {
  CHECK(context == &room && bytes > 0 && bytes % GRUI_ARENA_GRAIN == 0);
  allocs++;
  if (bytes > largest || bytes > room || taken > room - bytes || nslabs == MOST_SLABS) return NULL;
  range slab = {fresh, bytes};
  slabs[nslabs++] = slab;
  taken += bytes;
  fresh += bytes; /* slabs lie side by side: blocks of two must not become one */
  return (void *)slab.at;
}

static void source_free(void *context, void *block, size_t bytes) {
  CHECK(context == &room);
  frees++;
  for (int i = 0; i < nslabs; i++)
    if (slabs[i].at == (uintptr_t)block) {
      CHECK(slabs[i].bytes == bytes);
      taken -= slabs[i].bytes;
      slabs[i] = slabs[--nslabs];
      return;
    }
  CHECK(!"a slab of the source");
}

static gruI_arena *new_arena(size_t bytes) {
  gruI_arena_source source = {&room, source_alloc, source_free};
  nslabs = 0;
  taken = 0;
  room = bytes;
  largest = SIZE_MAX;
  fresh = (uintptr_t)1 << 40;
  allocs = frees = 0;
  return gruI_arena_create(source);
}

static void end(gruI_arena *arena) {
  gruI_arena_destroy(arena);
  CHECK(nslabs == 0 && taken == 0);
}

/* ---- a model -------------------------------------------------------------------------------------- */

enum { MOST_BLOCKS = 3000 };
static range blocks[MOST_BLOCKS];
static int nblocks;

static size_t grains(size_t bytes) {
  return (bytes + GRUI_ARENA_GRAIN - 1) / GRUI_ARENA_GRAIN * GRUI_ARENA_GRAIN;
}

/* In one slab, on a grain, and apart from all others? */
static int is_sound(uintptr_t at, size_t bytes) {
  int inside = 0;
  for (int i = 0; i < nslabs; i++)
    inside += at >= slabs[i].at && at + bytes <= slabs[i].at + slabs[i].bytes;
  for (int i = 0; i < nblocks; i++)
    if (at < blocks[i].at + grains(blocks[i].bytes) && blocks[i].at < at + bytes) return 0;
  return inside == 1 && at % GRUI_ARENA_GRAIN == 0;
}

static int take(gruI_arena *arena, size_t bytes) {
  size_t used = gruI_arena_used(arena);
  void *block = gruI_arena_alloc(arena, bytes);
  if (!block) {
    CHECK(gruI_arena_used(arena) == used);
    return 0;
  }
  CHECK(is_sound((uintptr_t)block, grains(bytes)));
  CHECK(gruI_arena_used(arena) == used + grains(bytes));
  blocks[nblocks++] = (range){(uintptr_t)block, bytes};
  return 1;
}

static void give(gruI_arena *arena, int i) {
  size_t used = gruI_arena_used(arena), reserved = gruI_arena_reserved(arena);
  int64_t calls = allocs + frees;
  gruI_arena_free(arena, (void *)blocks[i].at, blocks[i].bytes);
  CHECK(gruI_arena_used(arena) == used - grains(blocks[i].bytes));
  CHECK(gruI_arena_reserved(arena) == reserved && allocs + frees == calls);
  blocks[i] = blocks[--nblocks];
}

static uint64_t state;
static size_t draw(size_t n) { /* 0 .. n - 1 */
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (size_t)(state >> 33) % n;
}

static size_t draw_bytes(void) {
  switch (draw(10)) {
    case 0: return 1 + draw(40 * MB);
    case 1:
    case 2: return 1 + draw(3 * MB);
    case 3: return (size_t)GRUI_ARENA_GRAIN << draw(14);
    default: return 1 + draw(64 * 1024);
  }
}

/* ---- tests ------------------------------------------------------------------------------------------ */

static void fuzz(uint64_t seed, size_t bytes, int steps) {
  gruI_arena *arena = new_arena(bytes);
  int refused = 0;
  state = seed;
  nblocks = 0;
  for (int step = 0; step < steps; step++) {
    int growing = step / 5000 % 2 == 0; /* it fills up, and empties */
    if (step % 97 == 0) mallocs_left = (int64_t)draw(3);
    if (nblocks < MOST_BLOCKS && (nblocks == 0 || draw(100) < (growing ? 60 : 40)))
      refused += !take(arena, draw_bytes());
    else
      give(arena, (int)draw((size_t)nblocks));
    mallocs_left = -1;
    if (draw(500) == 0) gruI_arena_trim(arena);
    CHECK(gruI_arena_reserved(arena) == taken && gruI_arena_used(arena) <= taken);
  }
  CHECK(bytes > 10000 * MB || refused > 0);
  while (nblocks > 0) give(arena, (int)draw((size_t)nblocks));
  CHECK(gruI_arena_used(arena) == 0);
  gruI_arena_trim(arena); /* all has been joined: every slab is one free block */
  CHECK(taken == 0 && gruI_arena_reserved(arena) == 0);
  end(arena);
}

/* Small ones share a slab, large ones have one of their own; all fits again once it is free. */
static void slabs_and_pieces(void) {
  gruI_arena *arena = new_arena(SIZE_MAX / 2);
  void *all[GRUI_ARENA_SLAB / 65536];
  enum { N = sizeof all / sizeof *all };
  for (int i = 0; i < N; i++) all[i] = gruI_arena_alloc(arena, 65536);
  CHECK(allocs == 1 && gruI_arena_reserved(arena) == GRUI_ARENA_SLAB);
  for (int i = 0; i < N; i += 2) gruI_arena_free(arena, all[i], 65536);
  CHECK(gruI_arena_used(arena) == GRUI_ARENA_SLAB / 2);
  for (int i = 0; i < N; i += 2) CHECK((all[i] = gruI_arena_alloc(arena, 65536)) != NULL);
  CHECK(allocs == 1);
  for (int i = 1; i < N; i += 2) gruI_arena_free(arena, all[i], 65536); /* joined on both sides */
  for (int i = 0; i < N; i += 2) gruI_arena_free(arena, all[i], 65536);
  void *whole = gruI_arena_alloc(arena, GRUI_ARENA_SLAB);
  CHECK(whole != NULL && allocs == 1);
  void *large = gruI_arena_alloc(arena, GRUI_ARENA_SLAB + 1);
  CHECK(large != NULL && allocs == 2);
  CHECK(taken == GRUI_ARENA_SLAB + GRUI_ARENA_SLAB + 2 * MB); /* rounded to two megabytes */
  gruI_arena_trim(arena);
  CHECK(frees == 0);
  gruI_arena_free(arena, whole, GRUI_ARENA_SLAB);
  gruI_arena_trim(arena);
  CHECK(frees == 1 && gruI_arena_reserved(arena) == taken);
  gruI_arena_free(arena, large, GRUI_ARENA_SLAB + 1);
  CHECK(gruI_arena_alloc(arena, SIZE_MAX) == NULL);
  CHECK(gruI_arena_alloc(arena, SIZE_MAX - 4096) == NULL);
  end(arena);
}

/* Of several holes of one class, the one that fits best. */
static void best_fit(void) {
  gruI_arena *arena = new_arena(SIZE_MAX / 2);
  static const size_t sizes[] = {4500, 4600, 4300, 4100, 4400}; /* in grains */
  void *holes[5], *walls[5];
  for (int i = 0; i < 5; i++) {
    holes[i] = gruI_arena_alloc(arena, sizes[i] * GRUI_ARENA_GRAIN);
    walls[i] = gruI_arena_alloc(arena, 1);
  }
  for (int i = 4; i >= 0; i--) gruI_arena_free(arena, holes[i], sizes[i] * GRUI_ARENA_GRAIN);
  CHECK(gruI_arena_alloc(arena, (size_t)4350 * GRUI_ARENA_GRAIN) == holes[4]);
  CHECK(gruI_arena_alloc(arena, (size_t)4100 * GRUI_ARENA_GRAIN) == holes[3]);
  for (int i = 0; i < 5; i++) gruI_arena_free(arena, walls[i], 1);
  end(arena);
}

/* A source without a slab: free slabs go back to it first, then it is asked for no more than needed. */
static void exhausted(void) {
  gruI_arena *arena = new_arena(2 * (size_t)GRUI_ARENA_SLAB);
  void *a = gruI_arena_alloc(arena, GRUI_ARENA_SLAB), *b = gruI_arena_alloc(arena, 1000);
  CHECK(a != NULL && b != NULL && taken == room);
  CHECK(gruI_arena_alloc(arena, GRUI_ARENA_SLAB) == NULL);
  gruI_arena_free(arena, a, GRUI_ARENA_SLAB);
  CHECK((a = gruI_arena_alloc(arena, GRUI_ARENA_SLAB + MB)) == NULL); /* b holds the other */
  gruI_arena_free(arena, b, 1000);
  CHECK((a = gruI_arena_alloc(arena, GRUI_ARENA_SLAB + MB)) != NULL && nslabs == 1);
  gruI_arena_free(arena, a, GRUI_ARENA_SLAB + MB);
  end(arena);

  arena = new_arena(3 * MB); /* less than a slab */
  CHECK((a = gruI_arena_alloc(arena, 1000)) != NULL && taken == 1024);
  CHECK((b = gruI_arena_alloc(arena, 2 * MB + 1)) == NULL); /* 4 MB, rounded */
  CHECK((b = gruI_arena_alloc(arena, 2 * MB)) != NULL && taken == 2 * MB + 1024);
  end(arena);

  arena = new_arena(SIZE_MAX / 2);
  largest = 0;
  CHECK(gruI_arena_alloc(arena, 1) == NULL && gruI_arena_reserved(arena) == 0);
  largest = SIZE_MAX;
  CHECK(gruI_arena_alloc(arena, 1) != NULL);
  end(arena);
}

/* Without host memory nothing is given out, and nothing is lost. */
static void no_host_memory(void) {
  for (int left = 0; left < 2; left++) {
    mallocs_left = left;
    CHECK(new_arena(1) == NULL);
  }
  mallocs_left = -1;
  gruI_arena *arena = new_arena(SIZE_MAX / 2);
  for (int left = 0; left < 3; left++) { /* of the slab, its block, the block that is split off */
    mallocs_left = left;
    CHECK(gruI_arena_alloc(arena, 1000) == NULL && gruI_arena_used(arena) == 0);
    CHECK(gruI_arena_reserved(arena) == taken);
  }
  enum { N = 1000 };
  void *all[N];
  mallocs_left = -1;
  for (int i = 0; i < N; i++) {
    all[i] = gruI_arena_alloc(arena, 512);
    if (i == 200) mallocs_left = 200; /* not for more buckets ... */
    if (i == 300) mallocs_left = -1;
  }
  mallocs_left = 0; /* ... and giving back wants none */
  for (int i = 0; i < N; i++) gruI_arena_free(arena, all[i], 512);
  gruI_arena_trim(arena);
  mallocs_left = -1;
  CHECK(gruI_arena_used(arena) == 0 && taken == 0);
  end(arena);
  gruI_arena_destroy(NULL);
}

int main(void) {
  slabs_and_pieces();
  best_fit();
  exhausted();
  no_host_memory();
  for (uint64_t seed = 1; seed <= 6; seed++)
    fuzz(seed, seed % 2 ? SIZE_MAX / 2 : (size_t)seed * 60 * MB, 30000);
  return report();
}

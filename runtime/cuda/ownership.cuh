/* ownership.cuh - which lane has which unit of a recurrent step, and which share of a product.
**
** A warp makes R rows of the batch times U units.  Blocks along x take the units, warps along y the rows.
** Of the R U sums of a warp every lane gets one; where there are fewer than lanes, those with the same
** one are neighbours, and the first of them goes on with it.  Integers alone, so that a test on the CPU
** can see that every unit has one owner, and every number of a product one lane. */
#ifndef GRUI_CUDA_OWNERSHIP_CUH
#define GRUI_CUDA_OWNERSHIP_CUH

#include "cuda/layout.cuh"

enum { GRUI_OWNER_LANES = 32, GRUI_OWNER_WARPS = 8 };

/* The grid: blocks along x and y, warps of a block. */
typedef struct gruI_owner_grid {
  unsigned x, y, warps;
} gruI_owner_grid;

GRUI_CUDA_FN gruI_owner_grid gruI_owner_grid_of(int64_t batch, int64_t hidden, int R, int U) {
  unsigned groups = (unsigned)((batch + R - 1) / R);
  unsigned most = GRUI_OWNER_WARPS, warps = groups < most ? groups : most;
  gruI_owner_grid g = {(unsigned)((hidden + U - 1) / U), (groups + warps - 1) / warps, warps};
  return g;
}

/* Of N sums of a warp, a power of two up to 32: which one a lane has, and is it to write it? */
GRUI_CUDA_FN int gruI_owner_element(int lane, int N) { return lane / (GRUI_OWNER_LANES / N); }
GRUI_CUDA_FN bool gruI_owner_writes(int lane, int N) { return lane % (GRUI_OWNER_LANES / N) == 0; }

/* Of k numbers in chunks of 32 V a lane takes V neighbours of each: the first, and from one to the next. */
GRUI_CUDA_FN int gruI_owner_first(int lane, int V) { return lane * V; }
GRUI_CUDA_FN int gruI_owner_step(int V) { return GRUI_OWNER_LANES * V; }

/* Of a warp: its first row and unit; of a lane: row, unit, and are they there, and its own? */
typedef struct gruI_owner {
  int first_row, first_unit, b, j;
  bool mine;
} gruI_owner;

GRUI_CUDA_FN gruI_owner gruI_owner_of(unsigned x, unsigned y, unsigned warps, unsigned thread,
                                      int batch, int hidden, int R, int U) {
  int lane = (int)(thread % GRUI_OWNER_LANES), e = gruI_owner_element(lane, R * U);
  gruI_owner o;
  o.first_row = (int)(y * warps + thread / GRUI_OWNER_LANES) * R;
  o.first_unit = (int)x * U;
  o.b = o.first_row + e / U;
  o.j = o.first_unit + e % U;
  o.mine = gruI_owner_writes(lane, R * U) && o.b < batch && o.j < hidden;
  return o;
}

#endif

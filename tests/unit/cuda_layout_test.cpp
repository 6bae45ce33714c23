/* cuda_layout_test.cpp - from the number of an element to its places, as the kernels of runtime/cuda find
** them: divisions against the processor's, and places against a walk over the dims.
*/
#include "cuda/layout.cuh"

#include <stdio.h>

static int64_t passed, failed;

static void check(bool holds, const char *what, long long a, long long b) {
  passed += holds;
  failed += !holds;
  if (!holds && failed < 20) printf("%s: %lld, %lld\n", what, a, b);
}

static uint64_t state = 1;

static uint64_t draw(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state >> 16;
}

/* ---- divisions ---------------------------------------------------------------------------- */

static const uint32_t MOST = 0x7fffffffu;

static void divide(uint32_t n, uint32_t d, gruI_divider by) {
  if (n <= MOST) check(gruI_divide(n, by) == n / d, "division", n, d);
}

/* Where a quotient changes, and at the ends. */
static void divide_around(uint32_t d) {
  gruI_divider by = gruI_divider_of(d);
  for (uint32_t n = 0; n < 5; n++) {
    divide(n, d, by);
    divide(MOST - n, d, by);
    divide(d - 2 + n, d, by);
  }
  uint32_t last = MOST / d * d;
  divide(last - 1, d, by);
  divide(last, d, by);
  for (int i = 0; i < 40; i++) {
    uint32_t n = (uint32_t)(draw() & MOST) >> draw() % 31, multiple = n / d * d;
    divide(n, d, by);
    divide(multiple, d, by);
    divide(multiple - 1, d, by);
  }
}

static void divisions(void) {
  for (uint32_t d = 1; d <= 20000; d++) divide_around(d);
  for (int log = 1; log < 31; log++) /* around powers of two, where the shift changes */
    for (int off = -3; off <= 3; off++)
      if ((1 << log) + off > 0) divide_around((uint32_t)((1 << log) + off));
  for (uint32_t off = 0; off < 100; off++) divide_around(MOST - off);
  for (int i = 0; i < 20000; i++) {
    uint32_t d = (uint32_t)(draw() & MOST) >> draw() % 31;
    if (d > 0) divide_around(d);
  }
  for (uint32_t d = 1; d < 200; d++) { /* without gaps */
    gruI_divider by = gruI_divider_of(d);
    for (uint32_t n = 0; n < 5000; n++) divide(n, d, by);
  }
}

/* ---- places ---------------------------------------------------------------------------------- */

enum { OPERANDS = 3 };

static gruI_layout<OPERANDS> layout_of(int ndim, const int64_t *shape,
                                       const int64_t (*stride)[GRU_MAX_DIMS]) {
  gruI_layout<OPERANDS> layout = {};
  gruI_layout_shape(&layout, ndim, shape);
  for (int k = 0; k < OPERANDS; k++) gruI_layout_strides(&layout, k, stride[k]);
  return layout;
}

/* Every element, counted up dim by dim. */
static void walk(int ndim, const int64_t *shape, const int64_t (*stride)[GRU_MAX_DIMS], bool wide) {
  gruI_layout<OPERANDS> layout = layout_of(ndim, shape, stride);
  int64_t index[GRU_MAX_DIMS] = {}, count = 1;
  for (int d = 0; d < ndim; d++) count *= shape[d];
  check(layout.count == count && layout.narrow, "count", layout.count, count);
  if (wide) layout.narrow = 0; /* the other way to divide */
  for (int64_t i = 0; i < count; i++) {
    int64_t at[OPERANDS];
    gruI_layout_at(layout, i, at);
    for (int k = 0; k < OPERANDS; k++) {
      int64_t want = 0;
      for (int d = 0; d < ndim; d++) want += index[d] * stride[k][d];
      check(at[k] == want, "place", at[k], want);
    }
    for (int d = ndim - 1; d >= 0 && ++index[d] == shape[d]; d--) index[d] = 0;
  }
}

static void walks(void) {
  for (int round = 0; round < 400; round++) {
    int ndim = (int)(draw() % (GRU_MAX_DIMS + 1));
    int64_t shape[GRU_MAX_DIMS], stride[OPERANDS][GRU_MAX_DIMS];
    for (int d = 0; d < ndim; d++) {
      shape[d] = (int64_t)(1 + draw() % (ndim > 5 ? 4 : 7));
      if (draw() % 60 == 0) shape[d] = 0;
      for (int k = 0; k < OPERANDS; k++) /* broadcast, reversed, and far apart, too */
        stride[k][d] = draw() % 3 == 0 ? 0 : (int64_t)(draw() % 20000000000) - 10000000000;
    }
    walk(ndim, shape, stride, round % 2);
  }
}

/* Shapes that no memory holds: what an element's place is, worked out from its coordinates. */
static void large(void) {
  for (int round = 0; round < 20000; round++) {
    int ndim = (int)(1 + draw() % GRU_MAX_DIMS);
    int64_t shape[GRU_MAX_DIMS], stride[OPERANDS][GRU_MAX_DIMS],
        room = (int64_t)1 << (20 + draw() % 40);
    for (int d = 0; d < ndim; d++) {
      int64_t most = room < MOST ? room : MOST;
      shape[d] = (int64_t)(1 + draw() % (uint64_t)most) >> draw() % 12;
      if (shape[d] == 0) shape[d] = 1;
      room /= shape[d];
      for (int k = 0; k < OPERANDS; k++) stride[k][d] = (int64_t)(draw() % 1000);
    }
    gruI_layout<OPERANDS> layout = layout_of(ndim, shape, stride);
    check(layout.narrow == (layout.count <= MOST), "narrow", layout.narrow, layout.count);
    for (int n = 0; n < 8; n++) {
      int64_t at[OPERANDS], want[OPERANDS] = {}, i = 0;
      for (int d = 0; d < ndim; d++) {
        int64_t x = n == 0 ? shape[d] - 1 : (int64_t)(draw() % (uint64_t)shape[d]);
        i = i * shape[d] + x;
        for (int k = 0; k < OPERANDS; k++) want[k] += x * stride[k][d];
      }
      gruI_layout_at(layout, i, at);
      for (int k = 0; k < OPERANDS; k++) check(at[k] == want[k], "place", at[k], want[k]);
    }
  }
}

int main(void) {
  divisions();
  walks();
  large();
  printf("%lld passed, %lld failed\n", (long long)passed, (long long)failed);
  return failed != 0;
}

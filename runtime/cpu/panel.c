/* panel.c - packed products, compiled once per instruction set, with contraction to fused
** multiply-adds. */
#include "cpu/panel.h"

#include <string.h>

/* A vector register, and the tile of c that the registers hold: ROWS x VECTORS accumulators, a row
** of b, and a broadcast element of a.  TERMS are added in one turn of the loop, for PREFETCHES lines
** fetched: a small tile has little to do for each of its instructions. */
#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64, ROWS = 8, TERMS = 2, PREFETCHES = 2 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32, ROWS = 4, TERMS = 4, PREFETCHES = 2 };
#else
enum { VECTOR_BYTES = 16, ROWS = 4, TERMS = 1, PREFETCHES = 1 };
#endif
enum {
  VECTORS = 3,
  LINE = 64,
  C_LINES =
      (VECTORS * VECTOR_BYTES + LINE - 1) / LINE + 1 /* that a row of the tile may touch in c */
};

/* How op(a) lies. */
enum { IN_ROWS, IN_COLUMNS, IN_STRIPS };

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* What a product asks memory for while it computes: what the call names, and then, panel by panel, the next
** panel. */
enum { NEXT, AFTER_NEXT, PANEL, REGIONS };
typedef struct fetch {
  const char *at[REGIONS];
  int64_t bytes[REGIONS];
} fetch;

enum { FETCHED = PREFETCHES * LINE }; /* bytes, in a turn */

/* Where a tile of `turns` turns asks, and how many bytes further each turn does; where nothing is wanted, at
** `idle` again and again. */
static inline const char *fetch_next(fetch *f, int64_t turns, const char *idle, int64_t *step) {
  int which = 0;
  while (which < REGIONS && f->bytes[which] <= 0) which++;
  *step = which < REGIONS ? FETCHED : 0;
  if (which == REGIONS) return idle;
  const char *at = f->at[which];
  f->at[which] += turns * FETCHED;
  f->bytes[which] -= turns * FETCHED;
  return at;
}

/* The sums of a tile, s00 .. s72, each a variable of its own: those of an array would go through memory
** between two loops.  What follows is for the body of `tile` in panel.inc.h. */
_Static_assert(ROWS <= 8 && VECTORS == 3, "a tile's sums have names");
#define EACH_ROW(what) what(0) what(1) what(2) what(3) what(4) what(5) what(6) what(7)
#define SUMS(r) VECTOR s##r##0 = {0}, s##r##1 = {0}, s##r##2 = {0};

/* Term n from here: a row of b, and an element for each row of op(a). */
#define TERM(n) \
  { \
    const T *x = a + (n)*col, *y = b + (n)*ldb; \
    VECTOR y0 = *(const VECTOR *)y, y1 = y0, y2 = y0; \
    if (vectors > 1) y1 = *(const VECTOR *)(y + LANES); \
    if (vectors > 2) y2 = *(const VECTOR *)(y + 2 * LANES); \
    EACH_ROW(ADD) \
  }
#define ADD(r) \
  if (rows > r) { \
    s##r##0 += y0 * x[r * row]; \
    if (vectors > 1) s##r##1 += y1 * x[r * row]; \
    if (vectors > 2) s##r##2 += y2 * x[r * row]; \
  }

/* TERMS terms, `count` times; each `turn` fetches ahead and does `more`. */
#define TURNS(count, more) \
  for (int64_t turn = 0; turn < (count); turn++) { \
    for (int line = 0; line < PREFETCHES; line++) __builtin_prefetch(ahead + line * LINE, 0, 2); \
    more; \
    TERM(0) \
    if (TERMS > 1) TERM(1) \
    if (TERMS > 2) TERM(2) \
    if (TERMS > 3) TERM(3) \
    a += TERMS * col, b += TERMS * ldb, ahead += step; \
  }

/* Row r of the sums to c: all of its vectors, or as many columns as there are. */
#define PUT(r) \
  if (rows > r) { \
    PUT_VECTOR(r, 0) \
    PUT_VECTOR(r, 1) \
    PUT_VECTOR(r, 2) \
  }
#define PUT_VECTOR(r, v) \
  if (vectors > v) { \
    VECTOR *out = (VECTOR *)(c + r * ldc + v * LANES); \
    if (accumulate) s##r##v += *out; \
    if (bias != NULL) s##r##v += *(const VECTOR *)(bias + v * LANES); \
    *out = s##r##v; \
  }
#define PUT_SOME(r) \
  if (rows > r) { \
    VECTOR last[VECTORS] = {s##r##0, s##r##1, s##r##2}; \
    PANEL_NAME(write, T)((const T *)last, c + r * ldc, cols, accumulate, bias); \
  }

#define PANEL_NAME_(name, T) name##_##T
#define PANEL_NAME(name, T) PANEL_NAME_(name, T)

#define T float
#include "cpu/panel.inc.h"
#undef T

#define T double
#include "cpu/panel.inc.h"
#undef T

static int64_t lanes(gru_dtype dtype) { return VECTOR_BYTES / (int64_t)gru_dtype_size(dtype); }

/* Columns with the padding of the last panel. */
static int64_t padded(gru_dtype dtype, int64_t n) {
  return gruI_cpu_blocks(n, lanes(dtype)) * lanes(dtype);
}

static size_t bytes(gru_dtype dtype, int64_t k, int64_t n) {
  return (size_t)(k * padded(dtype, n)) * gru_dtype_size(dtype);
}

static int64_t count(gru_dtype dtype, int64_t n) {
  return gruI_cpu_blocks(n, VECTORS * lanes(dtype));
}

static void pack(const gruI_panels *to, const void *b, int64_t row, int64_t col, int64_t first,
                 int64_t last) {
  if (to->dtype == GRU_FLOAT32)
    pack_float(to, b, row, col, first, last);
  else
    pack_double(to, b, row, col, first, last);
}

static void pack_rows(const gruI_panels *to, int64_t first, int64_t rows, const void *b,
                      int64_t row) {
  if (to->dtype == GRU_FLOAT32)
    pack_rows_float(to, first, rows, b, row);
  else
    pack_rows_double(to, first, rows, b, row);
}

static void pack_strips(gru_dtype dtype, void *strips, int64_t k, int64_t first, int64_t rows,
                        const void *a, int64_t row, int64_t cols) {
  if (dtype == GRU_FLOAT32)
    pack_strips_float(strips, k, first, rows, a, row, cols);
  else
    pack_strips_double(strips, k, first, rows, a, row, cols);
}

static void multiply(const gruI_panel_call *call) {
  if (call->b->dtype == GRU_FLOAT32)
    multiply_float(call);
  else
    multiply_double(call);
}

const gruI_panel_kernels GRUI_ISA_NAME(gruI_panel_kernels) = {bytes,    count,     lanes,      pack,
                                                              multiply, pack_rows, pack_strips};

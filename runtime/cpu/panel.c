/* panel.c - packed products, compiled once per instruction set, with contraction to fused
** multiply-adds. */
#include "cpu/panel.h"

#include <string.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

/* A vector register, and the tile of c that the registers hold: ROWS x VECTORS accumulators, a row
** of b, and a broadcast element of a. */
#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64, ROWS = 8 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32, ROWS = 4 };
#else
enum { VECTOR_BYTES = 16, ROWS = 4 };
#endif
enum { VECTORS = 3 };

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* to[r * to_stride + c] = from[c * stride + r] for r < rows, c < cols. */
static void transpose_double(const double *from, int64_t stride, int64_t rows, int64_t cols,
                             double *to, int64_t to_stride) {
  gruI_cpu_transpose(sizeof *to, from, stride, rows, cols, to, to_stride);
}

#ifdef __AVX2__
/* Eight by eight: pairs, then fours, then halves change places. */
static inline void square(const float *from, int64_t stride, float *to, int64_t to_stride) {
  __m256 x[8], y[8];
  for (int i = 0; i < 8; i++) x[i] = _mm256_loadu_ps(from + i * stride);
  for (int i = 0; i < 8; i += 2) {
    y[i] = _mm256_unpacklo_ps(x[i], x[i + 1]);
    y[i + 1] = _mm256_unpackhi_ps(x[i], x[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    x[i] = _mm256_shuffle_ps(y[i], y[i + 2], 0x44);
    x[i + 1] = _mm256_shuffle_ps(y[i], y[i + 2], 0xee);
    x[i + 2] = _mm256_shuffle_ps(y[i + 1], y[i + 3], 0x44);
    x[i + 3] = _mm256_shuffle_ps(y[i + 1], y[i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    _mm256_storeu_ps(to + i * to_stride, _mm256_permute2f128_ps(x[i], x[i + 4], 0x20));
    _mm256_storeu_ps(to + (i + 4) * to_stride, _mm256_permute2f128_ps(x[i], x[i + 4], 0x31));
  }
}

static void transpose_float(const float *from, int64_t stride, int64_t rows, int64_t cols,
                            float *to, int64_t to_stride) {
  int64_t whole_rows = rows & ~(int64_t)7, whole_cols = cols & ~(int64_t)7;
  for (int64_t r = 0; r < whole_rows; r += 8)
    for (int64_t c = 0; c < whole_cols; c += 8)
      square(from + c * stride + r, stride, to + r * to_stride + c, to_stride);
  gruI_cpu_transpose(sizeof *to, from + whole_cols * stride, stride, whole_rows, cols - whole_cols,
                     to + whole_cols, to_stride);
  gruI_cpu_transpose(sizeof *to, from + whole_rows, stride, rows - whole_rows, cols,
                     to + whole_rows * to_stride, to_stride);
}
#else
static void transpose_float(const float *from, int64_t stride, int64_t rows, int64_t cols,
                            float *to, int64_t to_stride) {
  gruI_cpu_transpose(sizeof *to, from, stride, rows, cols, to, to_stride);
}
#endif

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

static void multiply(const gruI_panel_call *call) {
  if (call->b->dtype == GRU_FLOAT32)
    multiply_float(call);
  else
    multiply_double(call);
}

const gruI_panel_kernels GRUI_ISA_NAME(gruI_panel_kernels) = {bytes, count,    lanes,
                                                              pack,  multiply, pack_rows};

/* transpose.c - turning a matrix of elements of any size, compiled once per instruction set. */
#include "cpu/cpu.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

typedef uint8_t unit_1;
typedef uint32_t __attribute__((may_alias)) unit_4;
typedef uint64_t __attribute__((may_alias)) unit_8;

/* Element by element: what is left over from whole squares, and other machines. */
#define TRANSPOSE(suffix, unit) \
  static void transpose_##suffix(const unit *from, int64_t stride, int64_t rows, int64_t cols, \
                                 unit *to, int64_t to_stride) { \
    for (int64_t c = 0; c < cols; c++) \
      for (int64_t r = 0; r < rows; r++) to[r * to_stride + c] = from[c * stride + r]; \
  }
TRANSPOSE(1, unit_1)
TRANSPOSE(4, unit_4)
TRANSPOSE(8, unit_8)

/* Squares of one vector's length: eight or four floats, two doubles. */
#define SQUARE static inline __attribute__((always_inline))
#ifdef __AVX2__
enum { SQUARE_4 = 8, SQUARE_8 = 2 };

/* Pairs, then fours, then halves change places. */
SQUARE void square_4(const unit_4 *from, int64_t stride, unit_4 *to, int64_t to_stride) {
  const float *x_from = (const float *)(const void *)from;
  float *x_to = (float *)(void *)to;
  __m256 x[8], y[8];
  for (int i = 0; i < 8; i++) x[i] = _mm256_loadu_ps(x_from + i * stride);
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
    _mm256_storeu_ps(x_to + i * to_stride, _mm256_permute2f128_ps(x[i], x[i + 4], 0x20));
    _mm256_storeu_ps(x_to + (i + 4) * to_stride, _mm256_permute2f128_ps(x[i], x[i + 4], 0x31));
  }
}
#elif defined(__SSE2__)
enum { SQUARE_4 = 4, SQUARE_8 = 2 };

SQUARE void square_4(const unit_4 *from, int64_t stride, unit_4 *to, int64_t to_stride) {
  __m128 a = _mm_loadu_ps((const float *)(const void *)from);
  __m128 b = _mm_loadu_ps((const float *)(const void *)(from + stride));
  __m128 c = _mm_loadu_ps((const float *)(const void *)(from + 2 * stride));
  __m128 d = _mm_loadu_ps((const float *)(const void *)(from + 3 * stride));
  _MM_TRANSPOSE4_PS(a, b, c, d);
  _mm_storeu_ps((float *)(void *)to, a);
  _mm_storeu_ps((float *)(void *)(to + to_stride), b);
  _mm_storeu_ps((float *)(void *)(to + 2 * to_stride), c);
  _mm_storeu_ps((float *)(void *)(to + 3 * to_stride), d);
}
#endif

#ifdef __SSE2__
SQUARE void square_8(const unit_8 *from, int64_t stride, unit_8 *to, int64_t to_stride) {
  __m128d a = _mm_loadu_pd((const double *)(const void *)from);
  __m128d b = _mm_loadu_pd((const double *)(const void *)(from + stride));
  _mm_storeu_pd((double *)(void *)to, _mm_unpacklo_pd(a, b));
  _mm_storeu_pd((double *)(void *)(to + to_stride), _mm_unpackhi_pd(a, b));
}

/* Row by row of squares of the side that lies further apart: its lines are then touched one after the
** other, in few places at a time. */
#define TRANSPOSE_SQUARES(suffix, unit, edge) \
  static void transpose_squares_##suffix(const unit *from, int64_t stride, int64_t rows, \
                                         int64_t cols, unit *to, int64_t to_stride) { \
    int64_t whole_rows = rows - rows % (edge), whole_cols = cols - cols % (edge); \
    if (stride > to_stride) { \
      for (int64_t c = 0; c < whole_cols; c += (edge)) \
        for (int64_t r = 0; r < whole_rows; r += (edge)) \
          square_##suffix(from + c * stride + r, stride, to + r * to_stride + c, to_stride); \
    } else { \
      for (int64_t r = 0; r < whole_rows; r += (edge)) \
        for (int64_t c = 0; c < whole_cols; c += (edge)) \
          square_##suffix(from + c * stride + r, stride, to + r * to_stride + c, to_stride); \
    } \
    transpose_##suffix(from + whole_rows, stride, rows - whole_rows, whole_cols, \
                       to + whole_rows * to_stride, to_stride); \
    transpose_##suffix(from + whole_cols * stride, stride, rows, cols - whole_cols, \
                       to + whole_cols, to_stride); \
  }
TRANSPOSE_SQUARES(4, unit_4, SQUARE_4)
TRANSPOSE_SQUARES(8, unit_8, SQUARE_8)
#else
#define transpose_squares_4 transpose_4
#define transpose_squares_8 transpose_8
#endif

void GRUI_ISA_NAME(gruI_transpose)(size_t size, const void *from, int64_t stride, int64_t rows,
                                   int64_t cols, void *to, int64_t to_stride) {
  if (size == 4)
    transpose_squares_4(from, stride, rows, cols, to, to_stride);
  else if (size == 8)
    transpose_squares_8(from, stride, rows, cols, to, to_stride);
  else
    transpose_1(from, stride, rows, cols, to, to_stride);
}

/* pack.c - moving strided elements into and out of contiguous buffers. */
#include "cpu/map.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Writes the position of element `first` to at[] and returns the offset of its place. */
int64_t gruI_cpu_locate(int ndim, const int64_t *shape, const int64_t *stride, int64_t first,
                        int64_t *at) {
  int64_t offset = 0;
  for (int d = ndim - 1; d > 0; d--) {
    at[d] = first % shape[d];
    first /= shape[d];
    offset += at[d] * stride[d];
  }
  at[0] = first;
  return offset + first * stride[0];
}

/* Moves at[] to the start of the next row, and returns by how much the place moves. `last` is
** the number of dims outside a row. Past the last row at[0] is shape[0]. */
static inline int64_t next_row(int last, const int64_t *shape, const int64_t *stride, int64_t *at) {
  int64_t moved = -at[last] * stride[last];
  int d = last;
  at[last] = 0;
  while (d > 0) {
    d--;
    moved += stride[d];
    if (++at[d] < shape[d] || d == 0) break;
    moved -= shape[d] * stride[d];
    at[d] = 0;
  }
  return moved;
}

/* ---- packing ----------------------------------------------------------------------- */

typedef uint8_t unit_1;
typedef uint32_t __attribute__((may_alias)) unit_4;
typedef uint64_t __attribute__((may_alias)) unit_8;

#define PACK_NAME_(name, suffix) name##_##suffix
#define PACK_NAME(name, suffix) PACK_NAME_(name, suffix)

#define UNIT unit_1
#define SUFFIX 1
#include "cpu/pack.inc.h"
#define UNIT unit_4
#define SUFFIX 4
#include "cpu/pack.inc.h"
#define UNIT unit_8
#define SUFFIX 8
#include "cpu/pack.inc.h"

void gruI_cpu_pack(size_t size, int ndim, const int64_t *shape, const int64_t *stride,
                   const void *from, int64_t first, int64_t n, void *to) {
  if (n <= 0) return;
  if (size == 4)
    pack_4(ndim, shape, stride, from, first, n, to);
  else if (size == 8)
    pack_8(ndim, shape, stride, from, first, n, to);
  else
    pack_1(ndim, shape, stride, from, first, n, to);
}

void gruI_cpu_unpack(size_t size, int ndim, const int64_t *shape, const int64_t *stride, void *to,
                     int64_t first, int64_t n, const void *from) {
  if (n <= 0) return;
  if (size == 4)
    unpack_4(ndim, shape, stride, to, first, n, from);
  else if (size == 8)
    unpack_8(ndim, shape, stride, to, first, n, from);
  else
    unpack_1(ndim, shape, stride, to, first, n, from);
}

/* ---- transposing ------------------------------------------------------------------- */

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

/* Squares of one vector's length, of four floats or two doubles. */
#ifdef __SSE2__
static void square_4(const unit_4 *from, int64_t stride, unit_4 *to, int64_t to_stride) {
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

static void square_8(const unit_8 *from, int64_t stride, unit_8 *to, int64_t to_stride) {
  __m128d a = _mm_loadu_pd((const double *)(const void *)from);
  __m128d b = _mm_loadu_pd((const double *)(const void *)(from + stride));
  _mm_storeu_pd((double *)(void *)to, _mm_unpacklo_pd(a, b));
  _mm_storeu_pd((double *)(void *)(to + to_stride), _mm_unpackhi_pd(a, b));
}

#define TRANSPOSE_SQUARES(suffix, unit, edge) \
  static void transpose_squares_##suffix(const unit *from, int64_t stride, int64_t rows, \
                                         int64_t cols, unit *to, int64_t to_stride) { \
    int64_t c = 0, whole = rows - rows % (edge); \
    for (; c + (edge) <= cols; c += (edge)) { \
      for (int64_t r = 0; r < whole; r += (edge)) \
        square_##suffix(from + c * stride + r, stride, to + r * to_stride + c, to_stride); \
      transpose_##suffix(from + c * stride + whole, stride, rows - whole, edge, \
                         to + whole * to_stride + c, to_stride); \
    } \
    transpose_##suffix(from + c * stride, stride, rows, cols - c, to + c, to_stride); \
  }
TRANSPOSE_SQUARES(4, unit_4, 4)
TRANSPOSE_SQUARES(8, unit_8, 2)
#else
#define transpose_squares_4 transpose_4
#define transpose_squares_8 transpose_8
#endif

void gruI_cpu_transpose(size_t size, const void *from, int64_t stride, int64_t rows, int64_t cols,
                        void *to, int64_t to_stride) {
  if (size == 4)
    transpose_squares_4(from, stride, rows, cols, to, to_stride);
  else if (size == 8)
    transpose_squares_8(from, stride, rows, cols, to, to_stride);
  else
    transpose_1(from, stride, rows, cols, to, to_stride);
}

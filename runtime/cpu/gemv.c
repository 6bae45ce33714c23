/* gemv.c - products of a matrix with a few vectors, compiled once per instruction set, with
** contraction to fused multiply-adds.
*/
#include "cpu/gemv.h"

#include <string.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif
enum {
  MOST = GRUI_GEMV_VECTORS,
  AT_ONCE = 8 /* sums, of the 16 registers that AVX2 has */
};

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* A loop over sums, `count` a constant: unrolled early, so that the compiler keeps them in registers. */
#define EACH(i, count) _Pragma("GCC unroll 8") for (int i = 0; i < (count); i++)

/* ---- the sum of a vector's elements, halves first ---------------------------------------- */

#ifdef __AVX2__
ALWAYS_INLINE float total_float_8(__m256 x) {
  __m128 y = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  y = _mm_add_ps(y, _mm_movehl_ps(y, y));
  return _mm_cvtss_f32(_mm_add_ss(y, _mm_movehdup_ps(y)));
}

ALWAYS_INLINE double total_double_4(__m256d x) {
  __m128d y = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
  return _mm_cvtsd_f64(_mm_add_sd(y, _mm_unpackhi_pd(y, y)));
}
#endif

#if defined(__AVX512F__)
typedef __m512 sums_float;
typedef __m512d sums_double;
ALWAYS_INLINE float total_float(__m512 x) {
  return total_float_8(_mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1)));
}

ALWAYS_INLINE double total_double(__m512d x) {
  return total_double_4(_mm256_add_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd(x, 1)));
}
#elif defined(__AVX2__)
typedef __m256 sums_float;
typedef __m256d sums_double;
#define total_float total_float_8
#define total_double total_double_4
#else
typedef float sums_float __attribute__((vector_size(VECTOR_BYTES)));
typedef double sums_double __attribute__((vector_size(VECTOR_BYTES)));
ALWAYS_INLINE float total_float(sums_float x) { return (x[0] + x[2]) + (x[1] + x[3]); }
ALWAYS_INLINE double total_double(sums_double x) { return x[0] + x[1]; }
#endif

/* ---- the same of eight vectors at once, in a third of the instructions ----------------------- */

#if defined(__AVX512F__)
/* Halves of a and b, quarters of (a, b) and (c, d): lower ones added to upper ones. */
#define HALVES(a, b) \
  _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE))
#define QUARTERS(ab, cd) \
  _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD))
ALWAYS_INLINE void totals_float(const __m512 *x, float *total) {
  __m512 abcd = QUARTERS(HALVES(x[0], x[1]), HALVES(x[2], x[3]));
  __m512 efgh = QUARTERS(HALVES(x[4], x[5]), HALVES(x[6], x[7]));
  __m512 pairs = _mm512_add_ps(_mm512_unpacklo_ps(abcd, efgh), _mm512_unpackhi_ps(abcd, efgh));
  __m512 sums = _mm512_add_ps(pairs, _mm512_permute_ps(pairs, 0xEE)); /* a e . . b f . . */
  __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 0, 0, 0, 0, 0, 0, 0, 0);
  _mm256_storeu_ps(total, _mm512_castps512_ps256(_mm512_permutexvar_ps(order, sums)));
}
#elif defined(__AVX2__)
#define HALVES(a, e) \
  _mm256_add_ps(_mm256_permute2f128_ps(a, e, 0x20), _mm256_permute2f128_ps(a, e, 0x31))
#define PAIRS(ae, bf) _mm256_add_ps(_mm256_unpacklo_ps(ae, bf), _mm256_unpackhi_ps(ae, bf))
ALWAYS_INLINE void totals_float(const __m256 *x, float *total) {
  __m256 abef = PAIRS(HALVES(x[0], x[4]), HALVES(x[1], x[5]));
  __m256 cdgh = PAIRS(HALVES(x[2], x[6]), HALVES(x[3], x[7]));
  _mm256_storeu_ps(total, _mm256_add_ps(_mm256_shuffle_ps(abef, cdgh, 0x44),
                                        _mm256_shuffle_ps(abef, cdgh, 0xEE)));
}
#else
ALWAYS_INLINE void totals_float(const sums_float *x, float *total) {
  for (int i = 0; i < 8; i++) total[i] = total_float(x[i]);
}
#endif
ALWAYS_INLINE void totals_double(const sums_double *x, double *total) {
  for (int i = 0; i < 8; i++) total[i] = total_double(x[i]);
}

/* ---- the first elements of a vector, and zeros ----------------------------------------------- */

#if defined(__AVX512F__)
ALWAYS_INLINE __m512 first_float(const float *from, int64_t count) {
  return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
}

ALWAYS_INLINE __m512d first_double(const double *from, int64_t count) {
  return _mm512_maskz_loadu_pd((__mmask8)((1u << count) - 1), from);
}
#elif defined(__AVX2__)
ALWAYS_INLINE __m256 first_float(const float *from, int64_t count) {
  static const int32_t mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_maskload_ps(from, _mm256_loadu_si256((const __m256i *)(mask + 8 - count)));
}

ALWAYS_INLINE __m256d first_double(const double *from, int64_t count) {
  static const int64_t mask[8] = {-1, -1, -1, -1};
  return _mm256_maskload_pd(from, _mm256_loadu_si256((const __m256i *)(mask + 4 - count)));
}
#else
ALWAYS_INLINE sums_float first_float(const float *from, int64_t count) {
  sums_float x = {0};
  for (int64_t i = 0; i < count; i++) x[i] = from[i];
  return x;
}

ALWAYS_INLINE sums_double first_double(const double *from, int64_t count) {
  sums_double x = {0};
  if (count > 0) x[0] = from[0];
  return x;
}
#endif

#define GEMV_NAME_(name, T) name##_##T
#define GEMV_NAME(name, T) GEMV_NAME_(name, T)

#define T float
#include "cpu/gemv.inc.h"
#undef T

#define T double
#include "cpu/gemv.inc.h"
#undef T

void GRUI_ISA_NAME(gruI_gemv)(const gruI_gemv *call) {
  if (call->dtype == GRU_FLOAT32)
    gemv_float(call);
  else
    gemv_double(call);
}

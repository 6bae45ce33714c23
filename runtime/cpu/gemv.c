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
enum { MOST = GRUI_GEMV_VECTORS };

#define ALWAYS_INLINE static inline __attribute__((always_inline))
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
ALWAYS_INLINE float total_float(__m512 x) {
  return total_float_8(_mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1)));
}

ALWAYS_INLINE double total_double(__m512d x) {
  return total_double_4(_mm256_add_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd(x, 1)));
}
#elif defined(__AVX2__)
#define total_float total_float_8
#define total_double total_double_4
#else
typedef float sums_float __attribute__((vector_size(VECTOR_BYTES)));
typedef double sums_double __attribute__((vector_size(VECTOR_BYTES)));
ALWAYS_INLINE float total_float(sums_float x) { return (x[0] + x[2]) + (x[1] + x[3]); }
ALWAYS_INLINE double total_double(sums_double x) { return x[0] + x[1]; }
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

/* math_base.h - the ground of core/math.h: qualifiers, bit casts, classification, signs,
** rounding, square root, maximum and minimum, and the error-free sums and products that
** the other parts build on.  Include core/math.h, not this file.
**
** Everything here is exact, but for the square root, which is correctly rounded, and rsqrt.
*/
#ifndef GRU_CORE_MATH_BASE_H
#define GRU_CORE_MATH_BASE_H

#include <stdint.h>
#include <string.h>

#ifdef __CUDACC__
#define GM_FN __host__ __device__ __forceinline__
#else
#define GM_FN static inline __attribute__((always_inline))
#endif

/* A fused multiply-add is one instruction here, and not a call. */
#if defined(__CUDA_ARCH__) || defined(__FMA__)
#define GM_HAS_FMA 1
#else
#define GM_HAS_FMA 0
#endif

#define GM_INF_F32 (__builtin_inff())
#define GM_INF_F64 (__builtin_inf())
#define GM_NAN_F32 (__builtin_nanf(""))
#define GM_NAN_F64 (__builtin_nan(""))

/* One of two values that both exist already; compiles to a blend. */
#define gm_select(c, a, b) ((c) ? (a) : (b))

/* ---- bit casts ----------------------------------------------------------------- */

GM_FN uint32_t gmi_bits_f32(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

GM_FN uint64_t gmi_bits_f64(double x) {
  uint64_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

GM_FN float gmi_from_bits_f32(uint32_t u) {
  float x;
  memcpy(&x, &u, sizeof x);
  return x;
}

GM_FN double gmi_from_bits_f64(uint64_t u) {
  double x;
  memcpy(&x, &u, sizeof x);
  return x;
}

/* ---- signs and classification -------------------------------------------------- */

GM_FN float gm_abs_f32(float x) { return gmi_from_bits_f32(gmi_bits_f32(x) & 0x7fffffffu); }

GM_FN double gm_abs_f64(double x) {
  return gmi_from_bits_f64(gmi_bits_f64(x) & 0x7fffffffffffffffu);
}

/* -|x| */
GM_FN float gmi_minus_abs_f32(float x) { return gmi_from_bits_f32(gmi_bits_f32(x) | 0x80000000u); }

GM_FN double gmi_minus_abs_f64(double x) {
  return gmi_from_bits_f64(gmi_bits_f64(x) | 0x8000000000000000u);
}

/* The magnitude of x with the sign bit of s, zeros and NaN included. */
GM_FN float gm_copysign_f32(float x, float s) {
  return gmi_from_bits_f32((gmi_bits_f32(x) & 0x7fffffffu) | (gmi_bits_f32(s) & 0x80000000u));
}

GM_FN double gm_copysign_f64(double x, double s) {
  return gmi_from_bits_f64((gmi_bits_f64(x) & 0x7fffffffffffffffu) |
                           (gmi_bits_f64(s) & 0x8000000000000000u));
}

/* -1, 0 or 1; 0 for NaN, as PyTorch has it. */
GM_FN float gm_sign_f32(float x) {
  float below = x < 0.0f ? -1.0f : 0.0f;
  return x > 0.0f ? 1.0f : below;
}

GM_FN double gm_sign_f64(double x) {
  double below = x < 0.0 ? -1.0 : 0.0;
  return x > 0.0 ? 1.0 : below;
}

GM_FN int gm_isnan_f32(float x) { return x != x; }
GM_FN int gm_isnan_f64(double x) { return x != x; }
GM_FN int gm_isinf_f32(float x) { return gm_abs_f32(x) == GM_INF_F32; }
GM_FN int gm_isinf_f64(double x) { return gm_abs_f64(x) == GM_INF_F64; }
GM_FN int gm_isfinite_f32(float x) { return gm_abs_f32(x) < GM_INF_F32; }
GM_FN int gm_isfinite_f64(double x) { return gm_abs_f64(x) < GM_INF_F64; }

/* ---- arithmetic ---------------------------------------------------------------- */

/* a*b + c: rounded once where the machine has the instruction, twice elsewhere.  Only
** code that is right in both cases may use it. */
GM_FN float gm_fma_f32(float a, float b, float c) {
#if defined(__CUDA_ARCH__)
  return __fmaf_rn(a, b, c);
#elif GM_HAS_FMA
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

GM_FN double gm_fma_f64(double a, double b, double c) {
#if defined(__CUDA_ARCH__)
  return __fma_rn(a, b, c);
#elif GM_HAS_FMA
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}

GM_FN float gm_sqrt_f32(float x) {
#if defined(__CUDA_ARCH__)
  return __fsqrt_rn(x);
#else
  return __builtin_sqrtf(x);
#endif
}

GM_FN double gm_sqrt_f64(double x) {
#if defined(__CUDA_ARCH__)
  return __dsqrt_rn(x);
#else
  return __builtin_sqrt(x);
#endif
}

/* 1/sqrt(x), two correct roundings: 1.49 ulp.  rsqrt(+-0) is +-Inf. */
GM_FN float gm_rsqrt_f32(float x) { return 1.0f / gm_sqrt_f32(x); }
GM_FN double gm_rsqrt_f64(double x) { return 1.0 / gm_sqrt_f64(x); }

/* The larger, the smaller; NaN if either is NaN. */
GM_FN float gm_max_f32(float a, float b) {
  float m = a > b ? a : b;
  return a != a ? a : m;
}

GM_FN double gm_max_f64(double a, double b) {
  double m = a > b ? a : b;
  return a != a ? a : m;
}

GM_FN float gm_min_f32(float a, float b) {
  float m = a < b ? a : b;
  return a != a ? a : m;
}

GM_FN double gm_min_f64(double a, double b) {
  double m = a < b ? a : b;
  return a != a ? a : m;
}

/* ---- rounding to integers ------------------------------------------------------ */

/* Adding one of these rounds to an integer, kept in the low bits of the sum. */
#define GM_ROUND_F32 12582912.0f        /* 1.5 * 2^23 */
#define GM_ROUND_F64 6755399441055744.0 /* 1.5 * 2^52 */

/* Below 2^23 (2^52) the sum |x| + 2^23 has no bits left for a fraction, so adding and
** subtracting it rounds |x| to the nearest integer, ties to even; above, and for NaN,
** x is its own rounding.  The sign comes back by copysign, so -0.3 gives -0. */
GM_FN float gmi_rint_abs_f32(float a) { return (a + 8388608.0f) - 8388608.0f; }
GM_FN double gmi_rint_abs_f64(double a) { return (a + 4503599627370496.0) - 4503599627370496.0; }

/* To the nearest integer, ties to even. */
GM_FN float gm_round_f32(float x) {
  float a = gm_abs_f32(x);
  float r = gm_copysign_f32(gmi_rint_abs_f32(a), x);
  return a < 8388608.0f ? r : x;
}

GM_FN double gm_round_f64(double x) {
  double a = gm_abs_f64(x);
  double r = gm_copysign_f64(gmi_rint_abs_f64(a), x);
  return a < 4503599627370496.0 ? r : x;
}

/* Towards zero. */
GM_FN float gm_trunc_f32(float x) {
  float a = gm_abs_f32(x);
  float n = gmi_rint_abs_f32(a);
  float r = n - (n > a ? 1.0f : 0.0f);
  return a < 8388608.0f ? gm_copysign_f32(r, x) : x;
}

GM_FN double gm_trunc_f64(double x) {
  double a = gm_abs_f64(x);
  double n = gmi_rint_abs_f64(a);
  double r = n - (n > a ? 1.0 : 0.0);
  return a < 4503599627370496.0 ? gm_copysign_f64(r, x) : x;
}

/* Down, up.  The rounding of x is at most one off; the correction leaves a zero's sign
** to copysign (ceil(-0.3) is -0). */
GM_FN float gm_floor_f32(float x) {
  float n = gm_round_f32(x);
  float r = n - (n > x ? 1.0f : 0.0f);
  return gm_copysign_f32(r, x);
}

GM_FN double gm_floor_f64(double x) {
  double n = gm_round_f64(x);
  double r = n - (n > x ? 1.0 : 0.0);
  return gm_copysign_f64(r, x);
}

GM_FN float gm_ceil_f32(float x) {
  float n = gm_round_f32(x);
  float r = n + (n < x ? 1.0f : 0.0f);
  return gm_copysign_f32(r, x);
}

GM_FN double gm_ceil_f64(double x) {
  double n = gm_round_f64(x);
  double r = n + (n < x ? 1.0 : 0.0);
  return gm_copysign_f64(r, x);
}

/* ---- error-free transformations ------------------------------------------------ */

/* The rounding error of s = a + b, exactly, for any a and b. */
GM_FN double gmi_sum_error(double a, double b, double s) {
  double t = s - a;
  return (a - (s - t)) + (b - t);
}

GM_FN float gmi_sum_error_f32(float a, float b, float s) {
  float t = s - a;
  return (a - (s - t)) + (b - t);
}

/* The rounding error of p = a * b, exactly unless it underflows.  Without a fused
** multiply-add, a is rounded and b cut to 26 bits, by masks (contraction cannot spoil
** them, and b may be as large as can be): with 26 and 27 bits left for the rests, every
** partial product is exact. */
GM_FN double gmi_product_error(double a, double b, double p) {
#if GM_HAS_FMA
  return gm_fma_f64(a, b, -p);
#else
  const uint64_t upper = 0xfffffffff8000000u;
  double ah = gmi_from_bits_f64((gmi_bits_f64(a) + 0x4000000u) & upper), al = a - ah;
  double bh = gmi_from_bits_f64(gmi_bits_f64(b) & upper), bl = b - bh;
  return al * bl - (((p - ah * bh) - al * bh) - ah * bl);
#endif
}

#endif

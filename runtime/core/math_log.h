/* math_log.h - log, log2, log1p and softplus.  Include core/math.h, not this file.
**
** x = 2^n (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), so that no cancellation is left
** between n ln2 and log(1 + f):
**   float   log(1+f) = f - f^2/2 + f^3 P(f)
**   double  log(1+f) = f - (f^2/2 - s (f^2/2 + z S(z))),  s = f/(2+f), z = s^2,
** from log((1+s)/(1-s)) = 2s + s z S(z).  n is taken out of the exponent field by
** subtracting the bits of sqrt(1/2) first; for double it becomes a floating-point number
** by setting it under the exponent of 2^52, since AVX2 cannot convert 64-bit integers.
*/
#ifndef GRU_CORE_MATH_LOG_H
#define GRU_CORE_MATH_LOG_H

#include "core/math_exp.h"

/* n and f of a positive normal x. */
GM_FN float gmi_log_split_f32(float x, float *n) {
  uint32_t i = gmi_bits_f32(x) - 0x3f3504f3u;
  *n = (float)((int32_t)i >> 23);
  return gmi_from_bits_f32((i & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
}

GM_FN double gmi_log_split_f64(double x, double *n) {
  uint64_t u = gmi_bits_f64(x);
  uint64_t k = (u + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu)) >> 52;
  *n = gmi_from_bits_f64(k | 0x4330000000000000u) - (4503599627370496.0 + 1023.0);
  return gmi_from_bits_f64(u - (k << 52) + 0x3ff0000000000000u) - 1.0;
}

/* n and f of any positive x. */
GM_FN float gmi_log_split_all_f32(float x, float *n) {
  int tiny = x < 0x1p-126f;
  float scale = tiny ? 0x1p23f : 1.0f, lift = tiny ? 23.0f : 0.0f;
  float f = gmi_log_split_f32(x * scale, n);
  *n -= lift;
  return f;
}

GM_FN double gmi_log_split_all_f64(double x, double *n) {
  int tiny = x < 0x1p-1022;
  double scale = tiny ? 0x1p52 : 1.0, lift = tiny ? 52.0 : 0.0;
  double f = gmi_log_split_f64(x * scale, n);
  *n -= lift;
  return f;
}

/* log(1+f) - f */
GM_FN float gmi_log1p_tail_f32(float f) {
  float z = f * f;
  float p = gm_fma_f32(0x1.14573ap-4f, z, 0x1.e70714p-4f);
  p = gm_fma_f32(p, z, 0x1.2335b0p-3f);
  p = gm_fma_f32(p, z, 0x1.99a4cap-3f);
  p = gm_fma_f32(p, z, 0x1.555548p-2f);
  float o = gm_fma_f32(-0x1.de660cp-4f, z, -0x1.fc1d46p-4f);
  o = gm_fma_f32(o, z, -0x1.555c5cp-3f);
  o = gm_fma_f32(o, z, -0x1.000006p-2f);
  p = gm_fma_f32(o, f, p);
  return gm_fma_f32(z * f, p, -0.5f * z);
}

/* s (f^2/2 + z S(z)), which is log(1+f) - f + f^2/2 */
GM_FN double gmi_log1p_tail_f64(double f) {
  double s = f / (2.0 + f), z = s * s, zz = z * z;
  double p = gm_fma_f64(0x1.2f0d873328fadp-3, zz, 0x1.74664623d8157p-3);
  p = gm_fma_f64(p, zz, 0x1.24924942175a0p-2);
  p = gm_fma_f64(p, zz, 0x1.5555555555593p-1);
  double o = gm_fma_f64(0x1.39a0f5cda83dbp-3, zz, 0x1.c71c51e827c4fp-3);
  o = gm_fma_f64(o, zz, 0x1.999999997fb38p-2);
  p = gm_fma_f64(o, z, p);
  return s * gm_fma_f64(0.5 * f, f, z * p);
}

/* The values at 0, below 0, at Inf and at NaN. */
GM_FN float gmi_log_edges_f32(float y, float x) {
  y = x < GM_INF_F32 ? y : x;
  y = x == 0.0f ? -GM_INF_F32 : y;
  return x < 0.0f ? GM_NAN_F32 : y;
}

GM_FN double gmi_log_edges_f64(double y, double x) {
  y = x < GM_INF_F64 ? y : x;
  y = x == 0.0 ? -GM_INF_F64 : y;
  return x < 0.0 ? GM_NAN_F64 : y;
}

/* Natural logarithm.  Error: float 0.87 ulp (1.4084), double 0.83 ulp (0.7065). */
GM_FN float gm_log_f32(float x) {
  float n, f = gmi_log_split_all_f32(x, &n);
  float y = gm_fma_f32(n, GM_LN2_LO_F32, gmi_log1p_tail_f32(f));
  y = gm_fma_f32(n, GM_LN2_HI_F32, f + y);
  return gmi_log_edges_f32(y, x);
}

GM_FN double gm_log_f64(double x) {
  double n, f = gmi_log_split_all_f64(x, &n);
  double y = gm_fma_f64(n, GM_LN2_LO_F64, gmi_log1p_tail_f64(f));
  y = f - gm_fma_f64(0.5 * f, f, -y);
  y = gm_fma_f64(n, GM_LN2_HI_F64, y);
  return gmi_log_edges_f64(y, x);
}

/* log2(x) = n + log(1+f)/ln2, with f/ln2 taken as an exact product of f cut short and a
** short 1/ln2, plus the rest.  Exact for powers of two.
** Error: float 1.21 ulp (1.4053), double 1.15 ulp (1.4108). */
GM_FN float gm_log2_f32(float x) {
  float n, f = gmi_log_split_all_f32(x, &n);
  float tail = gmi_log1p_tail_f32(f);
  float fh = gmi_from_bits_f32(gmi_bits_f32(f) & 0xfffff000u), fl = (f - fh) + tail;
  float y = gm_fma_f32(fh, 0x1.47652cp-12f, fl * GM_LOG2E_F32);
  y = gm_fma_f32(fh, 0x1.714p+0f, y);
  return gmi_log_edges_f32(y + n, x);
}

GM_FN double gm_log2_f64(double x) {
  double n, f = gmi_log_split_all_f64(x, &n);
  double tail = gmi_log1p_tail_f64(f) - 0.5 * f * f;
  double fh = gmi_from_bits_f64(gmi_bits_f64(f) & 0xffffffff00000000u);
  double fl = (f - fh) + tail;
  double y = gm_fma_f64(fh, 0x1.94ae0bf85ddf4p-22, fl * GM_LOG2E_F64);
  y = gm_fma_f64(fh, 0x1.71547p+0, y);
  return gmi_log_edges_f64(y + n, x);
}

/* log1p(x) = log(u) + d/u, where u + d = 1 + x exactly; here for u > 0 and finite, or
** for d NaN. */
GM_FN float gmi_log_sum_f32(float u, float d) {
  float n, f = gmi_log_split_f32(u, &n);
  float y = gm_fma_f32(n, GM_LN2_LO_F32, gmi_log1p_tail_f32(f)) + d / u;
  return gm_fma_f32(n, GM_LN2_HI_F32, f + y);
}

GM_FN double gmi_log_sum_f64(double u, double d) {
  double n, f = gmi_log_split_f64(u, &n);
  double y = gm_fma_f64(n, GM_LN2_LO_F64, gmi_log1p_tail_f64(f)) + d / u;
  return gm_fma_f64(n, GM_LN2_HI_F64, f - gm_fma_f64(0.5 * f, f, -y));
}

/* log(1 + x).  Error: float 0.94 ulp (0.4018), double 0.81 ulp (-0.2933). */
GM_FN float gm_log1p_f32(float x) {
  float u = 1.0f + x;
  float y = gmi_log_edges_f32(gmi_log_sum_f32(u, gmi_sum_error_f32(1.0f, x, u)), u);
  return gm_abs_f32(x) < 0x1p-26f ? x : y;
}

GM_FN double gm_log1p_f64(double x) {
  double u = 1.0 + x;
  double y = gmi_log_edges_f64(gmi_log_sum_f64(u, gmi_sum_error(1.0, x, u)), u);
  return gm_abs_f64(x) < 0x1p-55 ? x : y;
}

/* softplus(x) = log(1 + e^x) = max(x, 0) + log1p(e^-|x|)
** Error: float 1.75 ulp (-1.2678), double 1.67 ulp (-0.4384). */
GM_FN float gm_softplus_f32(float x) {
  float e = gmi_exp_negative_f32(gmi_minus_abs_f32(x)), u = 1.0f + e;
  return gmi_log_sum_f32(u, e - (u - 1.0f)) + (x > 0.0f ? x : 0.0f);
}

GM_FN double gm_softplus_f64(double x) {
  double e = gmi_exp_negative_f64(gmi_minus_abs_f64(x)), u = 1.0 + e;
  return gmi_log_sum_f64(u, e - (u - 1.0)) + (x > 0.0 ? x : 0.0);
}

#endif

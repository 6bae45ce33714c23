/* math_trig.h - sin and cos.  Include core/math.h, not this file.
**
** Cody-Waite reduction: the multiple of pi is subtracted in parts, the upper ones cut to
** 33 bits so that their products with an integer below 2^20 are exact.
**
** float: in double, x = n pi + r with |r| <= pi/2 (n a half-integer for cos), and
**   sin x = (-1)^n (r + r z P(z)),  z = r^2.
** Error: 0.501 ulp for every float up to |x| = 3e6.  Beyond, the reduction is off by about
** 2^-53 |x|, an absolute error of the result: 1e-7 near 1e9, and no digit is left above
** 1e15.
**
** double: x = n pi/2 + r + e with |r| <= pi/4 and a correction e below half an ulp of r;
** the quadrant n picks between the two polynomials and the sign.
** Error: sin 0.80 ulp (43.2115), cos 0.81 ulp (-80618.7), up to |x| = 1.6e6 and including
** the doubles next to multiples of pi/2; beyond, an absolute error of about 2^-53 |x|.
**
** Whatever x, the result lies in [-1, 1]; for +-Inf it is NaN.
*/
#ifndef GRU_CORE_MATH_TRIG_H
#define GRU_CORE_MATH_TRIG_H

#include "core/math_exp.h"

/* (-1)^k sin(x - n pi), where t holds k in its lowest bit. */
GM_FN float gmi_sin_pi_f32(double x, double n, double t) {
  double r = gm_fma_f64(n, -0x1.921fb544p+1, x);
  r = gm_fma_f64(n, -0x1.0b4611a626331p-33, r);
  double z = r * r;
  double p = gm_fma_f64(-0x1.9a6368d37f324p-26, z, 0x1.717047509a20fp-19);
  p = gm_fma_f64(p, z, -0x1.a017d7f05b895p-13);
  p = gm_fma_f64(p, z, 0x1.11110c44fd99ap-7);
  p = gm_fma_f64(p, z, -0x1.5555554757158p-3);
  double y = r * gm_fma_f64(p, z, 1.0);
  float s = (float)gmi_from_bits_f64(gmi_bits_f64(y) ^ (gmi_bits_f64(t) << 63));
  s = s > 1.0f ? 1.0f : s;
  return s < -1.0f ? -1.0f : s;
}

/* sin x, the sign of zero included */
GM_FN float gm_sin_f32(float x) {
  double t = gm_fma_f64((double)x, 0x1.45f306dc9c883p-2, GM_ROUND_F64);
  return gmi_sin_pi_f32((double)x, t - GM_ROUND_F64, t);
}

/* cos x = sin(x + pi/2) */
GM_FN float gm_cos_f32(float x) {
  double y = gm_fma_f64((double)x, 0x1.45f306dc9c883p-2, 0.5);
  double t = y + GM_ROUND_F64;
  return gmi_sin_pi_f32((double)x, (t - GM_ROUND_F64) - 0.5, t);
}

/* sin(x + quarter pi/2); quarter is 0 or 1. */
GM_FN double gmi_sin_cos_f64(double x, uint64_t quarter) {
  double t = gm_fma_f64(x, 0x1.45f306dc9c883p-1, GM_ROUND_F64);
  double n = t - GM_ROUND_F64;
  uint64_t k = gmi_bits_f64(t) + quarter;

  double a = gm_fma_f64(n, -0x1.921fb544p+0, x);
  double b = n * -0x1.0b4611a6p-34;
  double h = a + b;
  double e = gmi_sum_error(a, b, h);
  double c = n * -0x1.3198a2ep-69;
  double g = h + c;
  e += gmi_sum_error(h, c, g);
  e = gm_fma_f64(n, -0x1.b839a252049c1p-104, e);
  double r = g + e;
  e = (g - r) + e;
  int far = gm_abs_f64(r) > 0.8;
  r = far ? 0.0 : r;
  e = far ? 0.0 : e;

  double z = r * r;
  double s = gm_fma_f64(0x1.5d92466d6739dp-33, z, -0x1.ae5e63cc240a3p-26);
  s = gm_fma_f64(s, z, 0x1.71de3574b87bbp-19);
  s = gm_fma_f64(s, z, -0x1.a01a019c0e49ep-13);
  s = gm_fma_f64(s, z, 0x1.111111110f861p-7);
  s = gm_fma_f64(s, z, -0x1.5555555555549p-3);
  double hz = 0.5 * z, w = 1.0 - hz;
  s = r + gm_fma_f64(r * z, s, e * w);

  double v = gm_fma_f64(-0x1.8fa395c53f5bbp-37, z, 0x1.1ee9d5c99ee54p-29);
  v = gm_fma_f64(v, z, -0x1.27e4f7e803547p-22);
  v = gm_fma_f64(v, z, 0x1.a01a019c8097dp-16);
  v = gm_fma_f64(v, z, -0x1.6c16c16c14f6cp-10);
  v = gm_fma_f64(v, z, 0x1.555555555554bp-5);
  v = w + (((1.0 - w) - hz) + gm_fma_f64(z * z, v, -(r * e)));

  uint64_t odd = 0u - (k & 1u);
  uint64_t y = (gmi_bits_f64(v) & odd) | (gmi_bits_f64(s) & ~odd);
  return gmi_from_bits_f64(y ^ ((k & 2u) << 62));
}

/* Tiny x is its own sine, the sign of zero included. */
GM_FN double gm_sin_f64(double x) {
  double y = gmi_sin_cos_f64(x, 0);
  return gm_abs_f64(x) < 0x1p-27 ? x : y;
}

GM_FN double gm_cos_f64(double x) { return gmi_sin_cos_f64(x, 1); }

#endif

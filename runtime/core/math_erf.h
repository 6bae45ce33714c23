/* math_erf.h - erf.  Include core/math.h, not this file.
**
** With a = |x|, below 1
**   erf(a) = a + a P(a^2),
** and above
**   erf(a) = 1 - e^L(a),  L the polynomial for log(erfc(a)) that minimises the absolute
** error of erfc, up to the point from which on erf rounds to 1.  Both are evaluated and
** one is picked.  Polynomials are split into even and odd powers, for shorter chains.
**
** Error: float 1.42 ulp (0.99985), double 1.48 ulp (0.9753).
*/
#ifndef GRU_CORE_MATH_ERF_H
#define GRU_CORE_MATH_ERF_H

#include "core/math_exp.h"

GM_FN float gm_erf_f32(float x) {
  float a = gm_abs_f32(x), z = a * a, zz = z * z;
  float p = gm_fma_f32(0x1.496a38p-14f, zz, 0x1.5405b2p-8f);
  p = gm_fma_f32(p, zz, 0x1.ce2cf8p-4f);
  p = gm_fma_f32(p, zz, 0x1.06eba8p-3f);
  float o = gm_fma_f32(-0x1.a3f702p-11f, zz, -0x1.b7f90ep-6f);
  o = gm_fma_f32(o, zz, -0x1.81273ep-2f);
  float inner = gm_fma_f32(a, gm_fma_f32(o, z, p), a);

  float b = a > 4.0f ? 4.0f : a, bb = b * b;
  float l = gm_fma_f32(0x1.852bdcp-13f, bb, 0x1.6541bcp-6f);
  l = gm_fma_f32(l, bb, -0x1.46c58ap-1f);
  l = gm_fma_f32(l, bb, -0x1.72ee0ep-12f);
  float m = gm_fma_f32(-0x1.814c04p-9f, bb, -0x1.a60a50p-4f);
  m = gm_fma_f32(m, bb, -0x1.2085b0p+0f);
  float outer = 1.0f - gmi_exp_negative_f32(gm_fma_f32(m, b, l));
  return gm_copysign_f32(a < 1.0f ? inner : outer, x);
}

GM_FN double gm_erf_f64(double x) {
  double a = gm_abs_f64(x), z = a * a, zz = z * z;
  double p = gm_fma_f64(0x1.d71b12d56ba15p-27, zz, 0x1.b97fd3f41d457p-20);
  p = gm_fma_f64(p, zz, 0x1.f9a2baa934bc4p-14);
  p = gm_fma_f64(p, zz, 0x1.565bccf92b439p-8);
  p = gm_fma_f64(p, zz, 0x1.ce2f21a040d16p-4);
  p = gm_fma_f64(p, zz, 0x1.06eba8214db68p-3);
  double o = gm_fma_f64(-0x1.abae535447b2ep-31, zz, -0x1.5c07278614ee3p-23);
  o = gm_fma_f64(o, zz, -0x1.f4ca4d722ca9ep-17);
  o = gm_fma_f64(o, zz, -0x1.c02db03dd9a8bp-11);
  o = gm_fma_f64(o, zz, -0x1.b82ce311fa94ap-6);
  o = gm_fma_f64(o, zz, -0x1.812746b0379bdp-2);
  double inner = gm_fma_f64(a, gm_fma_f64(o, z, p), a);

  double b = a > 6.0 ? 6.0 : a, bb = b * b;
  double l = gm_fma_f64(0x1.247b42ad49fadp-40, bb, 0x1.1793b2b9b0d64p-30);
  l = gm_fma_f64(l, bb, 0x1.0c154214082d3p-23);
  l = gm_fma_f64(l, bb, 0x1.20b2830e1cce5p-18);
  l = gm_fma_f64(l, bb, 0x1.7791c44d47e65p-15);
  l = gm_fma_f64(l, bb, -0x1.8175cc21186d9p-15);
  l = gm_fma_f64(l, bb, -0x1.d03c38a9ed0bdp-10);
  l = gm_fma_f64(l, bb, 0x1.388e9249a98a3p-6);
  l = gm_fma_f64(l, bb, -0x1.45f4328491607p-1);
  l = gm_fma_f64(l, bb, -0x1.8bebb60e5766ep-23);
  double m = gm_fma_f64(-0x1.a1fc3a508151ap-35, bb, -0x1.d0a3fe3ee630dp-27);
  m = gm_fma_f64(m, bb, -0x1.c5c6b6f04ca15p-21);
  m = gm_fma_f64(m, bb, -0x1.1383f5000fc31p-16);
  m = gm_fma_f64(m, bb, -0x1.24915dc3e0dd8p-14);
  m = gm_fma_f64(m, bb, 0x1.5106a5cf7fb92p-11);
  m = gm_fma_f64(m, bb, 0x1.27ee2b87dd929p-12);
  m = gm_fma_f64(m, bb, -0x1.a4d9aa8db5a2ep-4);
  m = gm_fma_f64(m, bb, -0x1.20dd55664dd93p+0);
  double outer = 1.0 - gmi_exp_negative_f64(gm_fma_f64(m, b, l));
  return gm_copysign_f64(a < 1.0 ? inner : outer, x);
}

#endif

/* math_exp.h - exp, expm1, sigmoid and tanh.  Include core/math.h, not this file.
**
** All four rest on one reduction: x = n ln2 + r with n an integer and |r| <= ln2/2, and
**   e^r - 1 = r + r^2 Q(r),  Q the minimax polynomial for the relative error of expm1.
** n comes from adding a large constant, whose low bits then hold n plus a bias chosen so
** that a shift alone turns it into the exponent of 2^n.  ln2 is split in two, the upper
** part so short that its product with n is exact.
**
** Range: an argument is held above the point where the result is 0 (or -1).  At the upper
** end float holds n instead: r, and with it the result, then grows to Inf.  Two selects of
** a constant one after the other would be merged by gcc into three, at three times the
** cost, and an integer minimum is not; double, for which AVX2 has none, picks Inf last.
*/
#ifndef GRU_CORE_MATH_EXP_H
#define GRU_CORE_MATH_EXP_H

#include "core/math_base.h"

#define GM_LN2_HI_F32 0x1.62e4p-1f
#define GM_LN2_LO_F32 0x1.7f7d1cp-20f
#define GM_LOG2E_F32 0x1.715476p+0f
#define GM_LN2_HI_F64 0x1.62e42feep-1
#define GM_LN2_LO_F64 0x1.a39ef35793c76p-33
#define GM_LOG2E_F64 0x1.71547652b82fep+0

/* Q(r) for |r| <= ln2/2: e^r - 1 has a relative error of 2^-26.2 (2^-61.7) by it. */
GM_FN float gmi_expm1_quotient_f32(float r) {
  float q = gm_fma_f32(0x1.6bf02ap-10f, r, 0x1.1227c8p-7f);
  q = gm_fma_f32(q, r, 0x1.555670p-5f);
  q = gm_fma_f32(q, r, 0x1.5554b0p-3f);
  return gm_fma_f32(q, r, 0x1.fffffep-2f);
}

GM_FN double gmi_expm1_quotient_f64(double r) {
  double z = r * r;
  double p = gm_fma_f64(0x1.1eec200073d3ep-29, z, 0x1.27e5342ab9c75p-22);
  p = gm_fma_f64(p, z, 0x1.a01a017c8fc72p-16);
  p = gm_fma_f64(p, z, 0x1.6c16c16c1ee6cp-10);
  p = gm_fma_f64(p, z, 0x1.555555555553fp-5);
  p = gm_fma_f64(p, z, 0x1.0p-1);
  double o = gm_fma_f64(0x1.af5ebeabb31c9p-26, z, 0x1.71ddf857f00fdp-19);
  o = gm_fma_f64(o, z, 0x1.a01a01afe1c91p-13);
  o = gm_fma_f64(o, z, 0x1.111111110f6bbp-7);
  o = gm_fma_f64(o, z, 0x1.5555555555559p-3);
  return gm_fma_f64(o, r, p);
}

GM_FN float gmi_expm1_small_f32(float r) { return gm_fma_f32(r * r, gmi_expm1_quotient_f32(r), r); }

GM_FN double gmi_expm1_small_f64(double r) {
  return gm_fma_f64(r * r, gmi_expm1_quotient_f64(r), r);
}

/* r = x - n ln2 */
GM_FN float gmi_less_ln2_f32(float x, float n) {
  return gm_fma_f32(n, -GM_LN2_LO_F32, gm_fma_f32(n, -GM_LN2_HI_F32, x));
}

GM_FN double gmi_less_ln2_f64(double x, double n) {
  return gm_fma_f64(n, -GM_LN2_LO_F64, gm_fma_f64(n, -GM_LN2_HI_F64, x));
}

/* x / ln2 + magic as bits, held at n <= 128. */
GM_FN uint32_t gmi_exp_scale_f32(float x, float magic) {
  int32_t k = (int32_t)gmi_bits_f32(gm_fma_f32(x, GM_LOG2E_F32, magic));
  int32_t top = (int32_t)gmi_bits_f32(magic + 128.0f);
  return (uint32_t)(k < top ? k : top);
}

/* exp.  2^n is applied as two factors, 2^floor(n/2) first, so that the range of results
** from the smallest subnormal to Inf needs one rounding and no branch.
** Error: float 1.05 ulp (59.2947), double 1.04 ulp (581.2). */
GM_FN float gm_exp_f32(float x) {
  const float magic = GM_ROUND_F32 + 254.0f;
  float c = x < -104.0f ? -104.0f : x;
  uint32_t k = gmi_exp_scale_f32(c, magic), half = k >> 1;
  float r = gmi_less_ln2_f32(c, gmi_from_bits_f32(k) - magic);
  float p = 1.0f + gmi_expm1_small_f32(r);
  return p * gmi_from_bits_f32(half << 23) * gmi_from_bits_f32((k - half) << 23);
}

GM_FN double gm_exp_f64(double x) {
  const double magic = GM_ROUND_F64 + 2046.0;
  double c = x < -746.0 ? -746.0 : x;
  double t = gm_fma_f64(c, GM_LOG2E_F64, magic);
  uint64_t k = gmi_bits_f64(t), half = k >> 1;
  double r = gmi_less_ln2_f64(c, t - magic);
  double p = 1.0 + gmi_expm1_small_f64(r);
  double y = p * gmi_from_bits_f64(half << 52) * gmi_from_bits_f64((k - half) << 52);
  return x > 710.0 ? GM_INF_F64 : y;
}

/* e^x for x <= 0 (or NaN), at the price of one scaling: 2^(n+64) is a normal number for
** every n that matters (2^(n+512) for double), and 2^-64 rounds into the subnormals. */
GM_FN float gmi_exp_negative_f32(float x) {
  const float magic = GM_ROUND_F32 + 191.0f;
  float c = x < -104.0f ? -104.0f : x;
  float t = gm_fma_f32(c, GM_LOG2E_F32, magic);
  float p = 1.0f + gmi_expm1_small_f32(gmi_less_ln2_f32(c, t - magic));
  return p * gmi_from_bits_f32(gmi_bits_f32(t) << 23) * 0x1p-64f;
}

GM_FN double gmi_exp_negative_f64(double x) {
  const double magic = GM_ROUND_F64 + 1535.0;
  double c = x < -746.0 ? -746.0 : x;
  double t = gm_fma_f64(c, GM_LOG2E_F64, magic);
  double p = 1.0 + gmi_expm1_small_f64(gmi_less_ln2_f64(c, t - magic));
  return p * gmi_from_bits_f64(gmi_bits_f64(t) << 52) * 0x1p-512;
}

/* expm1 = 2 (s r^2 Q(r) + (s r + (s - 1/2))), s = 2^(n-1): the halves keep 2^1024 out of
** it, and the inner sum, where terms may cancel, is exact or nearly so.  For n = 0 this is
** e^r - 1 itself.  Tiny x is its own expm1, sign of zero included.
** Error: float 1.33 ulp (59.3177), double 1.62 ulp (0.3501). */
GM_FN float gm_expm1_f32(float x) {
  const float magic = GM_ROUND_F32 + 126.0f;
  float c = x < -18.0f ? -18.0f : x;
  uint32_t k = gmi_exp_scale_f32(c, magic);
  float r = gmi_less_ln2_f32(c, gmi_from_bits_f32(k) - magic);
  float s = gmi_from_bits_f32(k << 23);
  float y = gm_fma_f32(s * (r * r), gmi_expm1_quotient_f32(r), gm_fma_f32(s, r, s - 0.5f));
  return gm_abs_f32(x) < 0x1p-26f ? x : y + y;
}

GM_FN double gm_expm1_f64(double x) {
  const double magic = GM_ROUND_F64 + 1022.0;
  double c = x < -40.0 ? -40.0 : x;
  double t = gm_fma_f64(c, GM_LOG2E_F64, magic);
  double r = gmi_less_ln2_f64(c, t - magic);
  double s = gmi_from_bits_f64(gmi_bits_f64(t) << 52);
  double y = gm_fma_f64(s * (r * r), gmi_expm1_quotient_f64(r), gm_fma_f64(s, r, s - 0.5));
  y = gm_abs_f64(x) < 0x1p-55 ? x : y + y;
  return x > 710.0 ? GM_INF_F64 : y;
}

/* sigmoid = e^min(x,0) / (1 + e^-|x|): nothing overflows, and the lower tail decays
** through the subnormals to 0.
** Error: float 2.41 ulp (-4.1573), double 2.40 ulp (-4.8485). */
GM_FN float gm_sigmoid_f32(float x) {
  float e = gmi_exp_negative_f32(gmi_minus_abs_f32(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

GM_FN double gm_sigmoid_f64(double x) {
  double e = gmi_exp_negative_f64(gmi_minus_abs_f64(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

/* tanh = E/(E + 1) with E = expm1(2|x|)/2, so that no bit is lost near 0.  With h = r/2,
**   E = 2^n (h + h^2 2Q(2h)) + (2^n - 1)/2,
** |x| being held at a point where tanh rounds to 1.  For float that leaves n so small, and
** the result so flat where n is not, that ln2 needs no second part.
** Error: float 2.61 ulp (0.06242), double 2.60 ulp (0.2120). */
GM_FN float gm_tanh_f32(float x) {
  const float magic = GM_ROUND_F32 + 127.0f;
  float a = gm_abs_f32(x);
  a = a > 9.25f ? 9.25f : a;
  float t = gm_fma_f32(a, 2.0f * GM_LOG2E_F32, magic);
  float h = gm_fma_f32(t - magic, -0x1.62e43p-2f, a);
  float q = gm_fma_f32(0x1.6bf02ap-5f, h, 0x1.1227c8p-3f);
  q = gm_fma_f32(q, h, 0x1.555670p-2f);
  q = gm_fma_f32(q, h, 0x1.5554b0p-1f);
  q = gm_fma_f32(q, h, 0x1.fffffep-1f);
  float s = gmi_from_bits_f32(gmi_bits_f32(t) << 23);
  float e = gm_fma_f32(s, gm_fma_f32(h * h, q, h), gm_fma_f32(s, 0.5f, -0.5f));
  return gm_copysign_f32(e / (e + 1.0f), x);
}

GM_FN double gm_tanh_f64(double x) {
  const double magic = GM_ROUND_F64 + 1023.0;
  double a = gm_abs_f64(x);
  a = a > 20.0 ? 20.0 : a;
  double t = gm_fma_f64(a, 2.0 * GM_LOG2E_F64, magic);
  double r = gmi_less_ln2_f64(a + a, t - magic);
  double s = 0.5 * gmi_from_bits_f64(gmi_bits_f64(t) << 52);
  double e = gm_fma_f64(s, gmi_expm1_small_f64(r), s - 0.5);
  return gm_copysign_f64(e / (e + 1.0), x);
}

#endif

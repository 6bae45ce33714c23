/* math_pow.h - pow for float, double and int64.  Include core/math.h, not this file.
**
** |x|^y = 2^(y log2 |x|).  The logarithm needs about ten bits more than the result, since
** y log2 |x| reaches 1024: float computes in double; double carries log |x| and its product
** with y as unevaluated sums of two doubles.
** Edges as in C: pow(x, +-0) = 1, pow(1, y) = 1, pow(-1, +-Inf) = 1; negative bases take
** integer exponents only (else NaN) and keep the sign for odd ones, zeros included.
**
** Error: float 0.51 ulp (1.1073, -810.24), double 1.22 ulp (1.3967, 1764.6), over 3e7
** random pairs each.
*/
#ifndef GRU_CORE_MATH_POW_H
#define GRU_CORE_MATH_POW_H

#include "core/math_log.h"

/* The sign and the exceptional values, given m = |x|^y. */
GM_FN double gmi_pow_edges(double m, double x, double y) {
  int whole = gm_floor_f64(y) == y;
  double half = 0.5 * y;
  int odd = whole & (gm_floor_f64(half) != half);
  double s = odd ? gm_copysign_f64(m, x) : m;
  s = ((x < 0.0) & (x > -GM_INF_F64) & !whole) ? GM_NAN_F64 : s;
  int one = (y == 0.0) | (x == 1.0) | ((x == -1.0) & (gm_abs_f64(y) == GM_INF_F64));
  return one ? 1.0 : s;
}

GM_FN float gm_pow_f32(float base, float exponent) {
  double x = (double)base, y = (double)exponent, a = gm_abs_f64(x);
  double n, f = gmi_log_split_f64(a, &n);
  double s = f / (2.0 + f), z = s * s;
  double q = gm_fma_f64(0x1.e2fdccc3850adp-3, z, 0x1.2438a8a2c7e30p-2);
  q = gm_fma_f64(q, z, 0x1.999a7b3aabc67p-2);
  q = gm_fma_f64(q, z, 0x1.555554fd41f7bp-1);
  double l = gm_fma_f64(s * gm_fma_f64(q, z, 2.0), GM_LOG2E_F64, n);
  l = a < GM_INF_F64 ? l : a;
  l = a == 0.0 ? -GM_INF_F64 : l;

  const double magic = GM_ROUND_F64 + 1023.0;
  double p = y * l;
  p = p > 130.0 ? 130.0 : p;
  p = p < -160.0 ? -160.0 : p;
  double t = p + magic;
  double r = (p - (t - magic)) * 0x1.62e42fefa39efp-1;
  double e = gm_fma_f64(0x1.9f0dbe70122cfp-13, r, 0x1.6d8d5e1e9bf64p-10);
  e = gm_fma_f64(e, r, 0x1.11126de746e3ap-7);
  e = gm_fma_f64(e, r, 0x1.55548d7044ba6p-5);
  e = gm_fma_f64(e, r, 0x1.5555544488b1ep-3);
  e = gm_fma_f64(e, r, 0x1.0000003a40e47p-1);
  e = 1.0 + gm_fma_f64(r * r, e, r);
  double m = e * gmi_from_bits_f64(gmi_bits_f64(t) << 52);
  return (float)gmi_pow_edges(m, x, y);
}

GM_FN double gm_pow_f64(double x, double y) {
  double a = gm_abs_f64(x);
  double n, f = gmi_log_split_all_f64(a, &n);

  /* s = f/(2 + f) as sh + sl; 2 + f as th + tl. */
  double th = 2.0 + f, tl = gmi_sum_error(2.0, f, th);
  double sh = f / th, sp = sh * th;
  double sl = (((f - sp) - gmi_product_error(sh, th, sp)) - sh * tl) / th;
  double zh = sh * sh, zl = gmi_product_error(sh, sh, zh) + 2.0 * sh * sl;

  /* log(1+f) = s (2 + z (2/3 + z U(z))), the brackets as pairs again. */
  double u = gm_fma_f64(0x1.0e425d86aae36p-3, zh, 0x1.0f800a7af8fe7p-3);
  u = gm_fma_f64(u, zh, 0x1.3b1ee9642de9fp-3);
  u = gm_fma_f64(u, zh, 0x1.745ce9fa7657bp-3);
  u = gm_fma_f64(u, zh, 0x1.c71c722d04010p-3);
  u = gm_fma_f64(u, zh, 0x1.2492492458397p-2);
  u = zh * gm_fma_f64(u, zh, 0x1.9999999999b2bp-2);
  double vh = 0x1.5555555555555p-1 + u;
  double vl = ((0x1.5555555555555p-1 - vh) + u) + 0x1.5555555555555p-55;
  double wp = zh * vh;
  double wl = gmi_product_error(zh, vh, wp) + gm_fma_f64(zh, vl, zl * vh);
  double wh = 2.0 + wp;
  wl += (2.0 - wh) + wp;
  double gh = sh * wh;
  double gl = gmi_product_error(sh, wh, gh) + gm_fma_f64(sh, wl, sl * wh);

  /* log a = n ln2 + log(1+f); ln2 with an upper part of 42 bits. */
  double nh = n * 0x1.62e42fefa38p-1;
  double lh = nh + gh;
  double ll = gmi_sum_error(nh, gh, lh) + gm_fma_f64(n, 0x1.ef35793c7673p-45, gl);
  double l = lh + ll;
  ll = (lh - l) + ll;
  l = a < GM_INF_F64 ? l : a;
  l = a == 0.0 ? -GM_INF_F64 : l;

  /* y log a = p + e; outside the range of exp the error part has no meaning. */
  double p = y * l;
  double e = gm_fma_f64(y, ll, gmi_product_error(l, y, p));
  int out = gm_abs_f64(p) > 800.0;
  e = out ? 0.0 : e;
  p = p > 800.0 ? 800.0 : p;
  p = p < -800.0 ? -800.0 : p;

  const double magic = GM_ROUND_F64 + 2046.0;
  double t = gm_fma_f64(p, GM_LOG2E_F64, magic);
  double k = t - magic;
  double r = gm_fma_f64(k, -GM_LN2_HI_F64, p);
  r += gm_fma_f64(k, -GM_LN2_LO_F64, e);
  double m = 1.0 + gmi_expm1_small_f64(r);
  uint64_t c = gmi_bits_f64(t);
  uint64_t half = c >> 1;
  m = m * gmi_from_bits_f64(half << 52) * gmi_from_bits_f64((c - half) << 52);
  return gmi_pow_edges(m, x, y);
}

/* Wraps like the product it is.  A negative exponent asks for the integer part of a
** reciprocal: 0, except for the bases 1 and -1 (and 0 for the base 0, like any other). */
GM_FN int64_t gm_pow_i64(int64_t base, int64_t exponent) {
  uint64_t b = (uint64_t)base, e = exponent < 0 ? 0u : (uint64_t)exponent, r = 1;
  for (; e != 0; e >>= 1) {
    r = e & 1u ? r * b : r;
    b *= b;
  }
  int64_t unit = base == -1 ? (exponent & 1 ? -1 : 1) : base == 1;
  return exponent < 0 ? unit : (int64_t)r;
}

#endif

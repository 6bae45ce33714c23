/* math_mod.h - floor division and its remainder, and integer arithmetic that wraps.
** Include core/math.h, not this file.
*/
#ifndef GRU_CORE_MATH_MOD_H
#define GRU_CORE_MATH_MOD_H

#include "core/math_base.h"

/* a - q b, exactly, where that number fits a double and q b is near a. */
GM_FN double gmi_less_product(double a, double q, double b) {
#if GM_HAS_FMA
  return gm_fma_f64(-q, b, a);
#else
  double p = q * b;
  return (a - p) - gmi_product_error(q, b, p);
#endif
}

/* fmod(a, b) with C's edges (NaN for an infinite a, a zero b or a NaN), except that the
** sign of a zero is not kept.
**
** For a >= 0, b > 0 and the quotient q = a/b as rounded: from 2^52 on q is an integer, and
** a - q b is an exact step towards the remainder, if perhaps below zero.  What then is
** left has a quotient below 2^52, which is rounded to an integer n; r = a - n b is exact
** and at most one b too low.  So the result is exact for a/b < 2^100; above, it may be 0
** instead. */
GM_FN double gmi_fmod(double a, double b) {
  double u = gm_abs_f64(a), v = gm_abs_f64(b);
  double q = u / v;
  double s = gmi_less_product(u, q, v);
  double r = q < 0x1p52 ? u : s;
  q = r / v;
  double n = gm_copysign_f64(gmi_rint_abs_f64(gm_abs_f64(q)), q);
  r = gmi_less_product(r, n, v);
  r = r < 0.0 ? r + v : r;
  r = gm_abs_f64(q) < 0x1p52 ? r : 0.0;
  r = u < v ? u : r;
  r = r * gm_copysign_f64(1.0, a) + (a - a);
  return v > 0.0 ? r : GM_NAN_F64;
}

/* a - b floor(a/b), as Python and PyTorch define it: the sign of b (a zero too), and
** |r| <= |b|, equal only where b - |tiny| rounds to b.  Exact otherwise, for quotients
** below 2^100; above, it may be 0 instead.  remainder(a, 0) and remainder(Inf, b) are NaN;
** remainder(a, +-Inf) is a or, where the signs differ, +-Inf. */
GM_FN double gm_remainder_f64(double a, double b) {
  double r = gmi_fmod(a, b), unit = gm_copysign_f64(1.0, b);
  double s = r * unit < 0.0 ? r + b : r;
  return s == 0.0 ? 0.0 * unit : s;
}

GM_FN float gm_remainder_f32(float a, float b) {
  return (float)gm_remainder_f64((double)a, (double)b);
}

/* floor(a/b) in the sense that goes with the remainder: (a - remainder)/b brought to the
** nearest integer, as Python and PyTorch do.  floordiv(a, 0) is a/0. */
GM_FN double gm_floordiv_f64(double a, double b) {
  double r = gmi_fmod(a, b), unit = gm_copysign_f64(1.0, b);
  double q = (a - r) / b;
  q = r * unit < 0.0 ? q - 1.0 : q;
  double n = gm_floor_f64(q);
  n = q - n > 0.5 ? n + 1.0 : n;
  n = q == 0.0 ? gm_copysign_f64(0.0, a / b) : n;
  return b == 0.0 ? a / b : n;
}

GM_FN float gm_floordiv_f32(float a, float b) {
  float r = (float)gmi_fmod((double)a, (double)b), unit = gm_copysign_f32(1.0f, b);
  float q = (a - r) / b;
  q = r * unit < 0.0f ? q - 1.0f : q;
  float n = gm_floor_f32(q);
  n = q - n > 0.5f ? n + 1.0f : n;
  n = q == 0.0f ? gm_copysign_f32(0.0f, a / b) : n;
  return b == 0.0f ? a / b : n;
}

/* ---- int64 --------------------------------------------------------------------- */

GM_FN int64_t gm_add_i64(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

GM_FN int64_t gm_sub_i64(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }

GM_FN int64_t gm_mul_i64(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

/* Floor division and remainder that never trap: by 0 they give 0 (the op has refused it
** before), and INT64_MIN / -1 wraps to INT64_MIN. */
GM_FN int64_t gm_floordiv_i64(int64_t a, int64_t b) {
  int64_t d = ((b == 0) | (b == -1)) ? 1 : b;
  int64_t q = a / d, r = a % d;
  q -= (r != 0) & ((r ^ d) < 0);
  q = b == -1 ? gm_sub_i64(0, a) : q;
  return b == 0 ? 0 : q;
}

GM_FN int64_t gm_remainder_i64(int64_t a, int64_t b) {
  int64_t d = ((b == 0) | (b == -1)) ? 1 : b;
  int64_t r = a % d;
  r += ((r != 0) & ((r ^ d) < 0)) ? d : 0;
  return r;
}

#endif

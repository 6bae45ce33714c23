/* math.h - the elementwise mathematics of the runtime: every op is spelt with these
** functions only, and expanded in loops for float and double, in C11 and in CUDA C++.
**
** gm_foo(x) takes float or double, and nothing else, and returns the same type;
** gm_foo_f32 and gm_foo_f64 are the functions behind it.  Each is inlined, free of
** branches (selects and bit masks instead) and of calls, so that a loop over it vectorises
** under -O3 -fno-math-errno -fno-trapping-math, with or without AVX2.  None may be
** compiled with -ffast-math (nvcc: --use_fast_math): NaN, infinities, subnormals and the
** order of operations are relied on.  Contraction to fused multiply-adds is harmless.
**
** NaN goes through every function that takes floating-point numbers, pow(x, 0) and
** pow(1, y) excepted.
**
** The comments state errors in units in the last place (ulp) of the exact result, and
** where: the largest that tests/unit/math_ulp.c found, over every float (--all) and over
** 6e7 random doubles, with and without fused multiply-add.  Where nothing is said, the
** result is exact.
*/
#ifndef GRU_CORE_MATH_H
#define GRU_CORE_MATH_H

#include "core/math_base.h"
#include "core/math_erf.h"
#include "core/math_exp.h"
#include "core/math_log.h"
#include "core/math_mod.h"
#include "core/math_pow.h"
#include "core/math_trig.h"

#ifdef __cplusplus

#define GMI_UNARY(name) \
  GM_FN float name(float x) { return name##_f32(x); } \
  GM_FN double name(double x) { return name##_f64(x); }
#define GMI_BINARY(name) \
  GM_FN float name(float a, float b) { return name##_f32(a, b); } \
  GM_FN double name(double a, double b) { return name##_f64(a, b); }
#define GMI_TEST(name) \
  GM_FN int name(float x) { return name##_f32(x); } \
  GM_FN int name(double x) { return name##_f64(x); }

GMI_UNARY(gm_abs)
GMI_UNARY(gm_sign)
GMI_UNARY(gm_floor)
GMI_UNARY(gm_ceil)
GMI_UNARY(gm_trunc)
GMI_UNARY(gm_round)
GMI_UNARY(gm_sqrt)
GMI_UNARY(gm_rsqrt)
GMI_UNARY(gm_exp)
GMI_UNARY(gm_expm1)
GMI_UNARY(gm_log)
GMI_UNARY(gm_log2)
GMI_UNARY(gm_log1p)
GMI_UNARY(gm_sin)
GMI_UNARY(gm_cos)
GMI_UNARY(gm_erf)
GMI_UNARY(gm_sigmoid)
GMI_UNARY(gm_tanh)
GMI_UNARY(gm_softplus)

GMI_BINARY(gm_pow)
GMI_BINARY(gm_max)
GMI_BINARY(gm_min)
GMI_BINARY(gm_remainder)
GMI_BINARY(gm_floordiv)
GMI_BINARY(gm_copysign)

GMI_TEST(gm_isnan)
GMI_TEST(gm_isinf)
GMI_TEST(gm_isfinite)

GM_FN float gm_fma(float a, float b, float c) { return gm_fma_f32(a, b, c); }
GM_FN double gm_fma(double a, double b, double c) { return gm_fma_f64(a, b, c); }

#undef GMI_UNARY
#undef GMI_BINARY
#undef GMI_TEST

#else

#define GMI_PICK(name, x) _Generic((x), float : name##_f32, double : name##_f64)

#define gm_abs(x) GMI_PICK(gm_abs, x)(x)
#define gm_sign(x) GMI_PICK(gm_sign, x)(x)
#define gm_floor(x) GMI_PICK(gm_floor, x)(x)
#define gm_ceil(x) GMI_PICK(gm_ceil, x)(x)
#define gm_trunc(x) GMI_PICK(gm_trunc, x)(x)
#define gm_round(x) GMI_PICK(gm_round, x)(x)
#define gm_sqrt(x) GMI_PICK(gm_sqrt, x)(x)
#define gm_rsqrt(x) GMI_PICK(gm_rsqrt, x)(x)
#define gm_exp(x) GMI_PICK(gm_exp, x)(x)
#define gm_expm1(x) GMI_PICK(gm_expm1, x)(x)
#define gm_log(x) GMI_PICK(gm_log, x)(x)
#define gm_log2(x) GMI_PICK(gm_log2, x)(x)
#define gm_log1p(x) GMI_PICK(gm_log1p, x)(x)
#define gm_sin(x) GMI_PICK(gm_sin, x)(x)
#define gm_cos(x) GMI_PICK(gm_cos, x)(x)
#define gm_erf(x) GMI_PICK(gm_erf, x)(x)
#define gm_sigmoid(x) GMI_PICK(gm_sigmoid, x)(x)
#define gm_tanh(x) GMI_PICK(gm_tanh, x)(x)
#define gm_softplus(x) GMI_PICK(gm_softplus, x)(x)
#define gm_isnan(x) GMI_PICK(gm_isnan, x)(x)
#define gm_isinf(x) GMI_PICK(gm_isinf, x)(x)
#define gm_isfinite(x) GMI_PICK(gm_isfinite, x)(x)

#define gm_pow(a, b) GMI_PICK(gm_pow, (a) + (b))(a, b)
#define gm_max(a, b) GMI_PICK(gm_max, (a) + (b))(a, b)
#define gm_min(a, b) GMI_PICK(gm_min, (a) + (b))(a, b)
#define gm_remainder(a, b) GMI_PICK(gm_remainder, (a) + (b))(a, b)
#define gm_floordiv(a, b) GMI_PICK(gm_floordiv, (a) + (b))(a, b)
#define gm_copysign(a, b) GMI_PICK(gm_copysign, (a) + (b))(a, b)
#define gm_fma(a, b, c) GMI_PICK(gm_fma, (a) + (b) + (c))(a, b, c)

#endif

#endif

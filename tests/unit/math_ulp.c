/* math_ulp.c - measures core/math.h against the C library.
**
**   math_ulp [--all | STRIDE]
**
** Float functions run over every STRIDE-th of the 2^32 bit patterns (149 unless told;
** --all is 1) and a list of special values, against the double functions of libm; double
** functions over 2e6 points (each stretch of exponents, the range where the function is
** not trivial, for sin and cos the doubles next to multiples of pi/2), against the long
** double ones.  One line each: the largest error in
** units in the last place of the exact result, where, and the bound.  A wrong NaN,
** infinity or sign of zero counts as an infinite error.
**
** Build: gcc -std=c11 -O3 -fno-math-errno -fno-trapping-math [-mavx2 -mfma] -I runtime
**        tests/unit/math_ulp.c -lm
*/
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/math.h"

enum { CHUNK = 4096, POINTS = 2000000 };

static int passed, failed;

static void report(const char *name, double err, double bound, double x, double y, int binary) {
  int ok = err <= bound;
  printf("%-4s %-16s %7.3f ulp (<= %g)", ok ? "ok" : "FAIL", name, err, bound);
  if (err > 0) printf(binary ? "  at %.17g, %.17g" : "  at %.17g", x, y);
  printf("\n");
  passed += ok;
  failed += !ok;
}

static void check(const char *name, int ok) {
  if (!ok) printf("FAIL %s\n", name);
  passed += ok;
  failed += !ok;
}

/* ---- errors -------------------------------------------------------------------- */

/* An overflow is measured as if the exponents went on: Inf stands for 2^128 (2^1024). */
static double ulps_f32(float got, double want) {
  double g = (double)got;
  if (want != want || g != g) return want != want && g != g ? 0 : INFINITY;
  if ((gmi_bits_f64(want) ^ gmi_bits_f64(g)) >> 63) return INFINITY;
  if (g == want) return 0;
  g = fmin(fabs(g), 0x1p128);
  want = fmin(fabs(want), 0x1p128);
  /* The exponent field of the reference gives the unit. */
  uint64_t e = gmi_bits_f64(want) >> 52;
  e = e < 1023 - 126 ? 1023 - 126 : e > 1023 + 127 ? 1023 + 127 : e;
  return fabs(g - want) / gmi_from_bits_f64((e - 23) << 52);
}

static double ulps_f64(double got, long double want) {
  if (isnan(want) || isnan(got)) return isnan(want) && isnan(got) ? 0 : INFINITY;
  if (!signbit(want) != !signbit(got)) return INFINITY;
  if ((long double)got == want) return 0;
  long double g = isinf(got) ? 0x1p1024L : fabsl((long double)got);
  long double w = fabsl(want) > 0x1p1024L ? 0x1p1024L : fabsl(want);
  /* As above; a reference just below a power of two must not be rounded up to it. */
  double d = w < 0x1p1024L ? (double)w : DBL_MAX;
  uint64_t e = (gmi_bits_f64(d) - ((long double)d > w)) >> 52;
  e = e < 1 ? 1 : e > 2046 ? 2046 : e;
  uint64_t unit_bits = e > 52 ? (e - 52) << 52 : (uint64_t)1 << (e - 1);
  double unit = gmi_from_bits_f64(unit_bits);
  return (double)(fabsl(g - w) / (long double)unit);
}

/* ---- random numbers (splitmix64) ------------------------------------------------ */

static uint64_t seed = 12345;

static uint64_t next(void) {
  uint64_t z = seed += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static double uniform(double lo, double hi) {
  return lo + (hi - lo) * (double)(next() >> 11) * 0x1p-53;
}

static double any_f64(void) { return gmi_from_bits_f64(next()); }
static float any_f32(void) { return gmi_from_bits_f32((uint32_t)next()); }

/* ---- the functions, and what they should give ----------------------------------- */

#define REFERENCES(T, S, SUFFIX) \
  static T want_sign_##SUFFIX(T x) { return x > 0 ? 1 : x < 0 ? -1 : 0; } \
  static T want_rsqrt_##SUFFIX(T x) { return 1 / sqrt##S(x); } \
  static T want_sigmoid_##SUFFIX(T x) { return 1 / (1 + exp##S(-x)); } \
  static T want_softplus_##SUFFIX(T x) { \
    return x > 0 ? x + log1p##S(exp##S(-x)) : log1p##S(exp##S(x)); \
  }

REFERENCES(double, , f32)
REFERENCES(long double, l, f64)

/* name, reference for float, for double, bounds, |x| up to which they hold (beyond, only
** |y| <= 1 and NaN are asked for), the interesting range of x for double */
#define UNARY(X) \
  X(abs, fabs, fabsl, 0, 0, 0, 0, -1, 1) \
  X(sign, want_sign_f32, want_sign_f64, 0, 0, 0, 0, -1, 1) \
  X(floor, floor, floorl, 0, 0, 0, 0, -1e3, 1e3) \
  X(ceil, ceil, ceill, 0, 0, 0, 0, -1e3, 1e3) \
  X(trunc, trunc, truncl, 0, 0, 0, 0, -1e3, 1e3) \
  X(round, rint, rintl, 0, 0, 0, 0, -1e3, 1e3) \
  X(sqrt, sqrt, sqrtl, 0.5001, 0.5001, 0, 0, 0, 1e3) \
  X(rsqrt, want_rsqrt_f32, want_rsqrt_f64, 1.5, 1.5, 0, 0, 0, 1e3) \
  X(exp, exp, expl, 2, 2, 0, 0, -750, 712) \
  X(expm1, expm1, expm1l, 2, 2, 0, 0, -40, 40) \
  X(sigmoid, want_sigmoid_f32, want_sigmoid_f64, 3, 3, 0, 0, -750, 50) \
  X(tanh, tanh, tanhl, 3, 3, 0, 0, -20, 20) \
  X(log, log, logl, 2, 2, 0, 0, 0.4, 2.5) \
  X(log2, log2, log2l, 2, 2, 0, 0, 0.4, 2.5) \
  X(log1p, log1p, log1pl, 2, 2, 0, 0, -1, 3) \
  X(softplus, want_softplus_f32, want_softplus_f64, 2, 2, 0, 0, -50, 50) \
  X(sin, sin, sinl, 2, 2, 3e6, 1.6e6, -1e5, 1e5) \
  X(cos, cos, cosl, 2, 2, 3e6, 1.6e6, -1e5, 1e5) \
  X(erf, erf, erfl, 2, 2, 0, 0, -6, 6)

#define LOOPS(name, wf, wd, bf, bd, lf, ld, lo, hi) \
  static void loop_##name##_f32(const float *x, float *y) { \
    for (int i = 0; i < CHUNK; i++) y[i] = gm_##name(x[i]); \
  } \
  static void loop_##name##_f64(const double *x, double *y) { \
    for (int i = 0; i < CHUNK; i++) y[i] = gm_##name(x[i]); \
  }
UNARY(LOOPS)

typedef struct row_f32 {
  const char *name;
  void (*loop)(const float *, float *);
  double (*want)(double);
  double bound, limit;
} row_f32;

typedef struct row_f64 {
  const char *name;
  void (*loop)(const double *, double *);
  long double (*want)(long double);
  double bound, limit, lo, hi;
} row_f64;

#define ROW_F32(name, wf, wd, bf, bd, lf, ld, lo, hi) {#name "_f32", loop_##name##_f32, wf, bf, lf},
#define ROW_F64(name, wf, wd, bf, bd, lf, ld, lo, hi) \
  {#name "_f64", loop_##name##_f64, wd, bd, ld, lo, hi},

static const row_f32 rows_f32[] = {UNARY(ROW_F32)};
static const row_f64 rows_f64[] = {UNARY(ROW_F64)};

static const double specials[] = {0.0,
                                  -0.0,
                                  1.0,
                                  -1.0,
                                  0.5,
                                  -0.5,
                                  1.5,
                                  2.5,
                                  2.0,
                                  -2.0,
                                  3.0,
                                  -3.0,
                                  7.0,
                                  -7.0,
                                  0.1,
                                  -0.1,
                                  1e4,
                                  -1e4,
                                  1e10,
                                  -1e10,
                                  16777215.,
                                  8388607.5,
                                  -8388608,
                                  1e-3,
                                  88.72,
                                  88.73,
                                  -103.9,
                                  -104.1,
                                  709.78,
                                  709.79,
                                  -745.1,
                                  -745.2,
                                  0x1p-126,
                                  0x1p-149,
                                  -0x1p-149,
                                  0x1p-130,
                                  FLT_MAX,
                                  -FLT_MAX,
                                  0x1p-127,
                                  1e-30,
                                  DBL_MAX,
                                  -DBL_MAX,
                                  DBL_MIN,
                                  0x1p-1074,
                                  -0x1p-1074,
                                  0x1p-1030,
                                  1e300,
                                  -1e-300,
                                  9007199254740991.0,
                                  9007199254740992.0,
                                  4503599627370495.5,
                                  -4503599627370495.5,
                                  0x1.fffffffffffffp-1,
                                  0x1.fffffep-1,
                                  INFINITY,
                                  -INFINITY,
                                  NAN};
enum { SPECIALS = sizeof specials / sizeof specials[0] };

/* ---- one argument ---------------------------------------------------------------- */

static void run_f32(const row_f32 *row, uint64_t stride) {
  static float x[CHUNK], y[CHUNK];
  double worst = 0;
  float where = 0;
  uint64_t bits = 0;
  for (int first = 1; bits < 0x100000000u; first = 0) {
    for (int i = 0; i < CHUNK; i++) {
      if (first && i < SPECIALS) {
        x[i] = (float)specials[i];
      } else {
        x[i] = gmi_from_bits_f32((uint32_t)bits);
        bits = bits < 0x100000000u ? bits + stride : bits;
      }
    }
    row->loop(x, y);
    for (int i = 0; i < CHUNK; i++) {
      double err = 0;
      if (row->limit == 0 || fabsf(x[i]) <= row->limit || !isfinite(x[i])) {
        err = ulps_f32(y[i], row->want((double)x[i]));
      } else if (!(fabsf(y[i]) <= 1)) {
        err = INFINITY;
      }
      if (err > worst) {
        worst = err;
        where = x[i];
      }
    }
  }
  report(row->name, worst, row->bound, (double)where, 0, 0);
}

static void run_f64(const row_f64 *row) {
  static double x[CHUNK], y[CHUNK];
  double worst = 0, where = 0;
  for (int done = 0; done < POINTS; done += CHUNK) {
    for (int i = 0; i < CHUNK; i++) {
      x[i] = done == 0 && i < SPECIALS ? specials[i]
             : i % 4 == 0              ? any_f64()
             : i % 4 == 1              ? ldexp(uniform(-1, 1), (int)(next() % 24) - 12)
             : i % 8 == 2 && row->limit > 0
                 ? (double)(0x1.921fb54442d1846ap0L * (long double)floor(uniform(-1e6, 1e6)))
                 : uniform(row->lo, row->hi);
    }
    row->loop(x, y);
    for (int i = 0; i < CHUNK; i++) {
      double err = 0;
      if (row->limit == 0 || fabs(x[i]) <= row->limit || !isfinite(x[i])) {
        err = ulps_f64(y[i], row->want((long double)x[i]));
      } else if (!(fabs(y[i]) <= 1)) {
        err = INFINITY;
      }
      if (err > worst) {
        worst = err;
        where = x[i];
      }
    }
  }
  report(row->name, worst, row->bound, where, 0, 0);
}

/* ---- two arguments --------------------------------------------------------------- */

/* The largest error over pairs: specials with specials first, then what the caller says. */
typedef struct pairs {
  const char *name;
  double bound, worst, x, y;
} pairs;

static void note(pairs *p, double err, double x, double y) {
  if (err > p->worst) {
    p->worst = err;
    p->x = x;
    p->y = y;
  }
}

static void finish(const pairs *p) { report(p->name, p->worst, p->bound, p->x, p->y, 1); }

static void run_pow(void) {
  pairs f = {.name = "pow_f32", .bound = 2}, d = {.name = "pow_f64", .bound = 2};
  for (int i = 0; i < SPECIALS; i++) {
    for (int k = 0; k < SPECIALS; k++) {
      float a = (float)specials[i], b = (float)specials[k];
      note(&f, ulps_f32(gm_pow(a, b), pow((double)a, (double)b)), (double)a, (double)b);
      double x = specials[i], y = specials[k];
      note(&d, ulps_f64(gm_pow(x, y), powl((long double)x, (long double)y)), x, y);
    }
  }
  for (int i = 0; i < POINTS / 2; i++) {
    /* A result spread over the range of the type, or a base near 1, or anything. */
    float a = fabsf(any_f32());
    a = i % 4 == 0 ? (float)uniform(0.5, 2) : a;
    a = i % 4 == 1 ? 1.0f + (float)ldexp(uniform(-1, 1), -(int)(next() % 23)) : a;
    float b = (float)(uniform(-152, 129) / log2((double)a));
    b = i % 4 == 3 ? (float)(int)uniform(-20, 20) : b;
    a = i % 8 == 3 ? -a : a;
    note(&f, ulps_f32(gm_pow(a, b), pow((double)a, (double)b)), (double)a, (double)b);

    double x = fabs(any_f64());
    x = i % 4 == 0 ? uniform(0.5, 2) : x;
    x = i % 4 == 1 ? 1.0 + ldexp(uniform(-1, 1), -(int)(next() % 52)) : x;
    double y = uniform(-1080, 1025) / log2(x);
    y = i % 4 == 3 ? (double)(int)uniform(-20, 20) : y;
    x = i % 8 == 3 ? -x : x;
    note(&d, ulps_f64(gm_pow(x, y), powl((long double)x, (long double)y)), x, y);
  }
  finish(&f);
  finish(&d);
}

/* Division with remainder as CPython spells it. */
static double want_floordiv_f64(double a, double b) {
  if (b == 0) return a / b;
  double r = fmod(a, b), q = (a - r) / b;
  if (r != 0 && (r < 0) != (b < 0)) q -= 1;
  if (q == 0) return copysign(0, a / b);
  return q - floor(q) > 0.5 ? floor(q) + 1 : floor(q);
}

static float want_floordiv_f32(float a, float b) {
  if (b == 0) return a / b;
  float r = fmodf(a, b), q = (a - r) / b;
  if (r != 0 && (r < 0) != (b < 0)) q -= 1;
  if (q == 0) return copysignf(0, a / b);
  return q - floorf(q) > 0.5f ? floorf(q) + 1 : floorf(q);
}

static double want_remainder(double a, double b) {
  double r = fmod(a, b);
  return r == 0 ? copysign(0, b) : (r < 0) != (b < 0) ? r + b : r;
}

/* Where the quotient is 2^100 or more, a remainder of 0 is right too. */
static int far_f64(double a, double b) { return fabs(a) / fabs(b) >= 0x1p100; }

static void mod_pair(pairs *f, pairs *d, double x, double y) {
  float a = (float)x, b = (float)y;
  if (isinf(a) || isinf(b) || b == 0 || !far_f64((double)a, (double)b)) {
    float want = (float)want_remainder((double)a, (double)b);
    note(&f[0], ulps_f32(gm_remainder(a, b), (double)want), (double)a, (double)b);
    note(&f[1], ulps_f32(gm_floordiv(a, b), (double)want_floordiv_f32(a, b)), (double)a, (double)b);
  }
  if (isinf(x) || isinf(y) || y == 0 || !far_f64(x, y)) {
    note(&d[0], ulps_f64(gm_remainder(x, y), (long double)want_remainder(x, y)), x, y);
    note(&d[1], ulps_f64(gm_floordiv(x, y), (long double)want_floordiv_f64(x, y)), x, y);
  } else {
    double r = gm_remainder(x, y);
    note(&d[0], r == 0 || r == want_remainder(x, y) ? 0 : INFINITY, x, y);
  }
}

static void run_mod(void) {
  pairs f[2] = {{.name = "remainder_f32"}, {.name = "floordiv_f32"}};
  pairs d[2] = {{.name = "remainder_f64"}, {.name = "floordiv_f64"}};
  for (int i = 0; i < SPECIALS; i++) {
    for (int k = 0; k < SPECIALS; k++) mod_pair(f, d, specials[i], specials[k]);
  }
  for (int i = 0; i < POINTS / 2; i++) {
    /* Near multiples, quotients of every size, whole numbers, anything. */
    double y = i % 5 == 0 ? any_f64() : (double)(float)uniform(-10, 10);
    double x = ldexp(uniform(-1, 1), (int)(next() % 130) - 20);
    x = i % 5 == 1 ? y * floor(uniform(-1e6, 1e6)) : x;
    x = i % 5 == 2 ? nextafter(y * floor(uniform(-100, 100)), i & 1 ? 1e9 : -1e9) : x;
    x = i % 5 == 3 ? floor(uniform(-1000, 1000)) : x;
    y = i % 5 == 3 ? floor(uniform(-20, 20)) : y;
    x = i % 5 == 0 && i & 1 ? any_f64() : x;
    mod_pair(f, d, x, y);
  }
  for (int i = 0; i < 2; i++) finish(&f[i]);
  for (int i = 0; i < 2; i++) finish(&d[i]);
}

static double torch_max(double a, double b) { return isnan(a) || isnan(b) ? NAN : a > b ? a : b; }

static double torch_min(double a, double b) { return isnan(a) || isnan(b) ? NAN : a < b ? a : b; }

static void run_selection(void) {
  int max = 1, min = 1, sign = 1, classes = 1;
  for (int i = 0; i < SPECIALS; i++) {
    double x = specials[i];
    float a = (float)x;
    classes &= gm_isnan(x) == !!isnan(x) && gm_isnan(a) == !!isnan(a);
    classes &= gm_isinf(x) == !!isinf(x) && gm_isinf(a) == !!isinf(a);
    classes &= gm_isfinite(x) == !!isfinite(x) && gm_isfinite(a) == !!isfinite(a);
    for (int k = 0; k < SPECIALS; k++) {
      double y = specials[k], m = gm_max(x, y), n = gm_min(x, y), c = gm_copysign(x, y);
      float b = (float)y, mf = gm_max(a, b), nf = gm_min(a, b), cf = gm_copysign(a, b);
      double wm = torch_max(x, y), wn = torch_min(x, y);
      max &= isnan(wm) ? isnan(m) && isnan(mf) : m == wm && mf == (float)wm;
      min &= isnan(wn) ? isnan(n) && isnan(nf) : n == wn && nf == (float)wn;
      sign &= !signbit(c) == !signbit(y) && (isnan(x) || fabs(c) == fabs(x));
      sign &= !signbit(cf) == !signbit(b) && (isnan(a) || fabsf(cf) == fabsf(a));
    }
  }
  check("max", max);
  check("min", min);
  check("copysign", sign);
  check("isnan, isinf, isfinite", classes);
}

/* ---- int64 ----------------------------------------------------------------------- */

static int64_t floor_quotient(__int128 a, __int128 b) {
  __int128 q = a / b;
  return (int64_t)(q - (a % b != 0 && (a % b < 0) != (b < 0)));
}

static int64_t whole_power(int64_t base, int64_t exponent) {
  uint64_t r = 1;
  for (int64_t i = 0; i < exponent; i++) r *= (uint64_t)base;
  return (int64_t)r;
}

static void run_i64(void) {
  static const int64_t v[] = {0,
                              1,
                              -1,
                              2,
                              -2,
                              3,
                              -3,
                              7,
                              -7,
                              10,
                              -10,
                              63,
                              64,
                              1000003,
                              -99,
                              1 << 30,
                              INT64_MAX,
                              INT64_MIN,
                              INT64_MAX - 1,
                              INT64_MIN + 1};
  enum { COUNT = sizeof v / sizeof v[0] };
  int sums = 1, floors = 1, powers = 1;
  for (int i = 0; i < COUNT; i++) {
    for (int k = 0; k < COUNT; k++) {
      int64_t a = v[i], b = v[k];
      uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
      sums &= gm_add_i64(a, b) == (int64_t)(ua + ub);
      sums &= gm_sub_i64(a, b) == (int64_t)(ua - ub);
      sums &= gm_mul_i64(a, b) == (int64_t)(ua * ub);
      int64_t q = b == 0 ? 0 : floor_quotient(a, b);
      int64_t r = b == 0 ? 0 : (int64_t)((__int128)a - (__int128)b * floor_quotient(a, b));
      if (b == -1) r = 0;
      floors &= gm_floordiv_i64(a, b) == q && gm_remainder_i64(a, b) == r;
      if (b >= 0 && b <= 1000003) powers &= gm_pow_i64(a, b) == whole_power(a, b);
      if (b < 0) {
        int64_t want = a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
        powers &= gm_pow_i64(a, b) == want;
      }
    }
  }
  powers &= gm_pow_i64(-1, INT64_MAX) == -1 && gm_pow_i64(3, INT64_MAX) != 0;
  check("int64 add, sub, mul", sums);
  check("int64 floordiv, remainder", floors);
  check("int64 pow", powers);
}

/* ---------------------------------------------------------------------------------- */

int main(int argc, char **argv) {
  uint64_t stride = 149;
  if (argc > 1) stride = strcmp(argv[1], "--all") == 0 ? 1 : strtoull(argv[1], NULL, 10);
  if (stride == 0) {
    fprintf(stderr, "usage: math_ulp [--all | STRIDE]\n");
    return 2;
  }
  enum { ROWS = sizeof rows_f32 / sizeof rows_f32[0] };
  for (int i = 0; i < ROWS; i++) run_f32(&rows_f32[i], stride);
  for (int i = 0; i < ROWS; i++) run_f64(&rows_f64[i]);
  run_pow();
  run_mod();
  run_selection();
  run_i64();
  check("the type of a result is that of its argument",
        sizeof gm_exp(1.0f) == sizeof(float) && sizeof gm_exp(1.0) == sizeof(double) &&
            sizeof gm_pow(1.0f, 1.0f) == sizeof(float));
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}

/* math_vectorises.c - one loop per function of core/math.h, to see that each vectorises:
**
**   gcc -std=c11 -O3 -fno-math-errno -fno-trapping-math [-mavx2 -mfma] -I runtime \
**       -fopt-info-vec-optimized -c tests/unit/math_vectorises.c -o /dev/null
**
** says "loop vectorized" for the line of every LOOP1 and LOOP2 below, and the object file
** has no undefined symbols.  The exception: without SSE4.1 gcc 12 cannot turn a comparison
** of doubles into anything but a double, so isnan, isinf and isfinite of doubles stay
** scalar there.
**
** With -DGRU_BENCH (and no -c) it is a program that prints the time per element of each
** function over 4096 elements.
*/
#include "core/math.h"

/* Prototypes only because the loops are not static. */
#define LOOP1(type, suffix, name) \
  void loop_##name##suffix(int n, const type *restrict x, type *restrict y); \
  void loop_##name##suffix(int n, const type *restrict x, type *restrict y) { \
    for (int i = 0; i < n; i++) y[i] = (type)gm_##name(x[i]); \
  }

#define LOOP2(type, suffix, name) \
  void loop_##name##suffix(int n, const type *restrict x, type *restrict y); \
  void loop_##name##suffix(int n, const type *restrict x, type *restrict y) { \
    for (int i = 0; i < n; i++) y[i] = gm_##name(x[i], x[i + 1]); \
  }

LOOP1(float, _f32, abs)
LOOP1(float, _f32, sign)
LOOP1(float, _f32, floor)
LOOP1(float, _f32, ceil)
LOOP1(float, _f32, trunc)
LOOP1(float, _f32, round)
LOOP1(float, _f32, sqrt)
LOOP1(float, _f32, rsqrt)
LOOP1(float, _f32, exp)
LOOP1(float, _f32, expm1)
LOOP1(float, _f32, sigmoid)
LOOP1(float, _f32, tanh)
LOOP1(float, _f32, log)
LOOP1(float, _f32, log2)
LOOP1(float, _f32, log1p)
LOOP1(float, _f32, softplus)
LOOP1(float, _f32, sin)
LOOP1(float, _f32, cos)
LOOP1(float, _f32, erf)
LOOP1(float, _f32, isnan)
LOOP1(float, _f32, isinf)
LOOP1(float, _f32, isfinite)
LOOP2(float, _f32, max)
LOOP2(float, _f32, min)
LOOP2(float, _f32, copysign)
LOOP2(float, _f32, pow)
LOOP2(float, _f32, remainder)
LOOP2(float, _f32, floordiv)

LOOP1(double, _f64, abs)
LOOP1(double, _f64, sign)
LOOP1(double, _f64, floor)
LOOP1(double, _f64, ceil)
LOOP1(double, _f64, trunc)
LOOP1(double, _f64, round)
LOOP1(double, _f64, sqrt)
LOOP1(double, _f64, rsqrt)
LOOP1(double, _f64, exp)
LOOP1(double, _f64, expm1)
LOOP1(double, _f64, sigmoid)
LOOP1(double, _f64, tanh)
LOOP1(double, _f64, log)
LOOP1(double, _f64, log2)
LOOP1(double, _f64, log1p)
LOOP1(double, _f64, softplus)
LOOP1(double, _f64, sin)
LOOP1(double, _f64, cos)
LOOP1(double, _f64, erf)
LOOP1(double, _f64, isnan)
LOOP1(double, _f64, isinf)
LOOP1(double, _f64, isfinite)
LOOP2(double, _f64, max)
LOOP2(double, _f64, min)
LOOP2(double, _f64, copysign)
LOOP2(double, _f64, pow)
LOOP2(double, _f64, remainder)
LOOP2(double, _f64, floordiv)

#ifdef GRU_BENCH
#include <stdio.h>
#include <time.h>

enum { N = 4096, REPEATS = 4000 };

static float xf[N + 1], yf[N];
static double xd[N + 1], yd[N];

static double now(void) {
  struct timespec t;
  timespec_get(&t, TIME_UTC);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void bench(const char *name, void (*f)(int, const float *restrict, float *restrict),
                  void (*d)(int, const double *restrict, double *restrict)) {
  double best_f = 1e9, best_d = 1e9;
  for (int round = 0; round < 5; round++) {
    double t0 = now();
    for (int r = 0; r < REPEATS / 5; r++) f(N, xf, yf);
    double t1 = now();
    for (int r = 0; r < REPEATS / 5; r++) d(N, xd, yd);
    double t2 = now();
    best_f = t1 - t0 < best_f ? t1 - t0 : best_f;
    best_d = t2 - t1 < best_d ? t2 - t1 : best_d;
  }
  double scale = 1e9 / ((double)N * (REPEATS / 5));
  printf("%-10s float %6.3f ns   double %6.3f ns\n", name, best_f * scale, best_d * scale);
}

int main(void) {
  for (int i = 0; i <= N; i++) {
    xd[i] = 0.001 + 8.0 * (double)((i * 2654435761u) % 4096u) / 4096.0;
    xf[i] = (float)xd[i];
  }
#define BENCH(name) bench(#name, loop_##name##_f32, loop_##name##_f64);
  BENCH(exp)
  BENCH(sigmoid)
  BENCH(tanh)
  BENCH(log)
  BENCH(expm1)
  BENCH(log1p)
  BENCH(log2)
  BENCH(softplus)
  BENCH(sin)
  BENCH(cos)
  BENCH(erf)
  BENCH(sqrt)
  BENCH(rsqrt)
  BENCH(floor)
  BENCH(round)
  BENCH(max)
  BENCH(pow)
  BENCH(remainder)
  BENCH(floordiv)
  return 0;
}
#endif

/* mt19937.c - MT19937 and the draws of PyTorch's CPU generator.
**
** Matsumoto and Nishimura's generator, words in their order; torch's distributions on top:
**   uniform   x = (word & (2^d - 1)) 2^-d, d = 24 of 32 bits or 53 of 64; x (to - from) + from
**   normal    r = sqrt(-2 ln(1 - u)), theta = 2 pi v: r cos theta, r sin theta
** torch's kernels are compiled with FMA, so that the last multiplication and addition of
** each round once; hence fma() here.
*/
#include "core/mt19937.h"

#include <math.h>
#include <string.h>

#define N GRUI_MT19937_N
#define M 397

static const double two_pi = 6.283185307179586;

/* ---- words ------------------------------------------------------------------------- */

void gruI_mt19937_seed(gruI_mt19937 *g, uint64_t seed) {
  uint32_t *s = g->state;
  s[0] = (uint32_t)seed;
  for (uint32_t j = 1; j < N; j++) s[j] = 1812433253u * (s[j - 1] ^ (s[j - 1] >> 30)) + j;
  g->index = N;
  g->has_normal = 0;
  g->next_normal = 0;
}

static inline uint32_t twist(uint32_t high, uint32_t low) {
  uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
  return (y >> 1) ^ (-(low & 1u) & 0x9908b0dfu);
}

static void draw_state(gruI_mt19937 *g) {
  uint32_t *s = g->state;
  for (int j = 0; j < N - M; j++) s[j] = s[j + M] ^ twist(s[j], s[j + 1]);
  for (int j = N - M; j < N - 1; j++) s[j] = s[j + M - N] ^ twist(s[j], s[j + 1]);
  s[N - 1] = s[M - 1] ^ twist(s[N - 1], s[0]);
  g->index = 0;
}

static inline uint32_t draw(gruI_mt19937 *g) {
  if (g->index >= N) draw_state(g);
  uint32_t y = g->state[g->index++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

static inline uint64_t draw64(gruI_mt19937 *g) {
  uint64_t high = draw(g);
  return high << 32 | draw(g);
}

uint32_t gruI_mt19937_next_u32(gruI_mt19937 *g) { return draw(g); }
uint64_t gruI_mt19937_next_u64(gruI_mt19937 *g) { return draw64(g); }

static inline float unit_f32(gruI_mt19937 *g) { return (float)(draw(g) & 0xffffffu) * 0x1p-24f; }

static inline double unit_f64(gruI_mt19937 *g) {
  return (double)(draw64(g) & 0x1fffffffffffffu) * 0x1p-53;
}

/* ---- uniform ----------------------------------------------------------------------- */

void gruI_mt19937_uniform_f32(gruI_mt19937 *g, float *out, int64_t n, double from, double to) {
  float a = (float)from, span = (float)to - a;
  for (int64_t i = 0; i < n; i++) out[i] = fmaf(unit_f32(g), span, a);
}

void gruI_mt19937_uniform_f64(gruI_mt19937 *g, double *out, int64_t n, double from, double to) {
  double span = to - from;
  for (int64_t i = 0; i < n; i++) out[i] = fma(unit_f64(g), span, from);
}

/* ---- normal ------------------------------------------------------------------------ */

/* One normal; the sine of the pair is kept for the next call, as torch's generator does. */
static double normal_one(gruI_mt19937 *g, double mean, double std) {
  double z;
  if (g->has_normal) {
    g->has_normal = 0;
    z = g->next_normal;
  } else {
    double u = unit_f64(g), v = unit_f64(g);
    double r = sqrt(-2.0 * log(1.0 - v)), theta = two_pi * u;
    g->next_normal = r * sin(theta);
    g->has_normal = 1;
    z = r * cos(theta);
  }
  return fma(z, std, mean);
}

/* torch computes its blocks of float32 with the Cephes library's single precision logarithm,
** sine and cosine, eight lanes at a time and fused where a product meets a sum.  The same
** steps give the same bits; libm's functions, being more exact, would not. */

/* ln x for 2^-24 <= x <= 1: x = m 2^e with m in [sqrt 1/2, sqrt 2). */
static inline __attribute__((always_inline)) float cephes_log(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  float e = (float)((int32_t)(bits >> 23) - 126);
  bits = (bits & 0x007fffffu) | 0x3f000000u;
  float m;
  memcpy(&m, &bits, sizeof m);
  int small = m < 0.707106781186547524f;
  e -= small ? 1.0f : 0.0f;
  m = (m - 1.0f) + (small ? m : 0.0f);
  float z = m * m, y = 7.0376836292e-2f;
  y = fmaf(y, m, -1.1514610310e-1f);
  y = fmaf(y, m, 1.1676998740e-1f);
  y = fmaf(y, m, -1.2420140846e-1f);
  y = fmaf(y, m, 1.4249322787e-1f);
  y = fmaf(y, m, -1.6668057665e-1f);
  y = fmaf(y, m, 2.0000714765e-1f);
  y = fmaf(y, m, -2.4999993993e-1f);
  y = fmaf(y, m, 3.3333331174e-1f);
  y = fmaf(y * m, z, e * -2.12194440e-4f);
  y = fmaf(z, -0.5f, y);
  return fmaf(e, 0.693359375f, m + y);
}

/* sin x and cos x for 0 <= x <= 2 pi, reduced by multiples of pi / 4 in three parts. */
static inline __attribute__((always_inline)) void cephes_sincos(float x, float *sine,
                                                                float *cosine) {
  int32_t octant = ((int32_t)(x * 1.27323954473516f) + 1) & ~1;
  float j = (float)octant;
  x = fmaf(j, -0.78515625f, x);
  x = fmaf(j, -2.4187564849853515625e-4f, x);
  x = fmaf(j, -3.77489497744594108e-8f, x);
  float z = x * x, c = 2.443315711809948e-5f, s = -1.9515295891e-4f;
  c = fmaf(c, z, -1.388731625493765e-3f);
  c = fmaf(c, z, 4.166664568298827e-2f);
  c = fmaf(c * z, z, z * -0.5f) + 1.0f;
  s = fmaf(s, z, 8.3321608736e-3f);
  s = fmaf(s, z, -1.6666654611e-1f);
  s = fmaf(s * z, x, x);
  float sv = octant & 2 ? c : s, cv = octant & 2 ? s : c;
  *sine = octant & 4 ? -sv : sv;
  *cosine = (octant + 2) & 4 ? -cv : cv;
}

static inline __attribute__((always_inline)) void normal_16(float *x, float mean, float std) {
  float u[8], v[8];
  memcpy(u, x, sizeof u);
  memcpy(v, x + 8, sizeof v);
  for (int j = 0; j < 8; j++) {
    float s, c, r = sqrtf(-2.0f * cephes_log(1.0f - u[j]));
    cephes_sincos((float)two_pi * v[j], &s, &c);
    x[j] = fmaf(r * c, std, mean);
    x[j + 8] = fmaf(r * s, std, mean);
  }
}

/* fmaf is a call where the compiler may not use the instruction: ten times slower. */
#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void normal_16_avx2(float *x, float mean, float std) {
  normal_16(x, mean, std);
}
#endif

static void normal_16_f32(float *x, float mean, float std) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    normal_16_avx2(x, mean, std);
    return;
  }
#endif
  normal_16(x, mean, std);
}

static void normal_16_f64(double *x, double mean, double std) {
  for (int j = 0; j < 8; j++) {
    double r = sqrt(-2.0 * log(1.0 - x[j])), theta = two_pi * x[j + 8];
    x[j] = fma(r * cos(theta), std, mean);
    x[j + 8] = fma(r * sin(theta), std, mean);
  }
}

void gruI_mt19937_normal_f32(gruI_mt19937 *g, float *out, int64_t n, double mean, double std) {
  if (n < 16) {
    for (int64_t i = 0; i < n; i++) out[i] = (float)normal_one(g, mean, std);
    return;
  }
  for (int64_t i = 0; i < n; i++) out[i] = unit_f32(g);
  for (int64_t i = 0; i + 16 <= n; i += 16) normal_16_f32(out + i, (float)mean, (float)std);
  if (n % 16 == 0) return;
  out += n - 16;
  for (int i = 0; i < 16; i++) out[i] = unit_f32(g);
  normal_16_f32(out, (float)mean, (float)std);
}

void gruI_mt19937_normal_f64(gruI_mt19937 *g, double *out, int64_t n, double mean, double std) {
  if (n < 16) {
    for (int64_t i = 0; i < n; i++) out[i] = normal_one(g, mean, std);
    return;
  }
  for (int64_t i = 0; i < n; i++) out[i] = unit_f64(g);
  for (int64_t i = 0; i + 16 <= n; i += 16) normal_16_f64(out + i, mean, std);
  if (n % 16 == 0) return;
  out += n - 16;
  for (int i = 0; i < 16; i++) out[i] = unit_f64(g);
  normal_16_f64(out, mean, std);
}

/* ---- discrete ---------------------------------------------------------------------- */

/* One number of [low, high): the range's remainder of 32 bits, or of 64 where it needs them;
** torch looks at the range for tensors wide enough to hold it only (`wide`). */
static inline int64_t integer(gruI_mt19937 *g, int64_t low, uint64_t range, int wide) {
  uint64_t word = wide && range >> 32 ? draw64(g) : draw(g);
  return (int64_t)((uint64_t)low + word % range);
}

#define DISCRETE(suffix, type, wide, value) \
  void gruI_mt19937_bernoulli_##suffix(gruI_mt19937 *g, type *out, int64_t n, double p) { \
    for (int64_t i = 0; i < n; i++) out[i] = (type)(unit_f64(g) < p); \
  } \
  void gruI_mt19937_randint_##suffix(gruI_mt19937 *g, type *out, int64_t n, int64_t low, \
                                     int64_t high) { \
    uint64_t range = (uint64_t)high - (uint64_t)low; \
    for (int64_t i = 0; i < n; i++) { \
      int64_t x = integer(g, low, range, wide); \
      out[i] = (type)(value); \
    } \
  }

DISCRETE(u8, uint8_t, 0, x != 0)
DISCRETE(i64, int64_t, 1, x)
DISCRETE(f32, float, 1, x)
DISCRETE(f64, double, 1, x)

/* Fisher and Yates from the front: element i changes places with one of i .. n - 1. */
void gruI_mt19937_randperm(gruI_mt19937 *g, int64_t *out, int64_t n, int64_t base) {
  for (int64_t i = 0; i < n; i++) out[i] = base + i;
  for (int64_t i = 0; i < n - 1; i++) {
    uint64_t left = (uint64_t)(n - i);
    uint64_t word = n >> 32 ? draw64(g) : draw(g);
    int64_t j = i + (int64_t)(word % left), held = out[i];
    out[i] = out[j];
    out[j] = held;
  }
}

/* random_fill.c - the loops of random.c, compiled once per instruction set.
**
** Philox runs on several counters side by side.  A group of draws is made whole, and the part
** of it that was asked for is copied out; so a fill may begin and end anywhere.
*/
#include "cpu/cpu.h"

#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "core/random_plan.h"

enum { BLOCKS = 16, DRAWS32 = 4 * BLOCKS, DRAWS64 = 2 * BLOCKS };

typedef gruI_random_plan plan; /* made once a part */

typedef union group {
  float f32[DRAWS32];
  double f64[DRAWS32];
  int64_t i64[DRAWS32];
  uint8_t u8[DRAWS32];
} group;

/* ---- words ------------------------------------------------------------------------- */

/* Words in 64-bit lanes, whose upper halves hold leftovers; GROUPS vectors hide the latency
** of the multiplication. */
#if defined(__AVX2__)
typedef uint64_t lanes __attribute__((vector_size(32)));
static inline lanes multiply(lanes a, lanes b) {
  return (lanes)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}
#elif defined(__SSE2__)
typedef uint64_t lanes __attribute__((vector_size(16)));
static inline lanes multiply(lanes a, lanes b) {
  return (lanes)_mm_mul_epu32((__m128i)a, (__m128i)b);
}
#else
typedef uint64_t lanes __attribute__((vector_size(16)));
static inline lanes multiply(lanes a, lanes b) { return (a & 0xffffffffu) * (b & 0xffffffffu); }
#endif

enum { LANES = (int)(sizeof(lanes) / 8), GROUPS = 4, STEP = LANES * GROUPS };

/* The words of blocks block .. block + STEP - 1: gruI_philox_block, STEP of them at a time. */
static void draw_step(uint64_t seed, uint64_t block, uint32_t domain, uint32_t *words) {
  const lanes none = {0}, m0 = none + GRUI_PHILOX_M0, m1 = none + GRUI_PHILOX_M1;
  lanes c0[GROUPS], c1[GROUPS], c2[GROUPS], c3[GROUPS];
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int g = 0; g < GROUPS; g++) {
    for (int l = 0; l < LANES; l++) c0[g][l] = block + (uint64_t)(g * LANES + l);
    c1[g] = c0[g] >> 32;
    c2[g] = none + domain;
    c3[g] = none;
  }
  for (int r = 0; r < GRUI_PHILOX_ROUNDS; r++) {
    for (int g = 0; g < GROUPS; g++) {
      lanes p0 = multiply(c0[g], m0), p1 = multiply(c2[g], m1);
      c0[g] = (p1 >> 32) ^ c1[g] ^ k0;
      c2[g] = (p0 >> 32) ^ c3[g] ^ k1;
      c1[g] = p1;
      c3[g] = p0;
    }
    k0 += GRUI_PHILOX_W0;
    k1 += GRUI_PHILOX_W1;
  }
  for (int g = 0; g < GROUPS; g++) {
    lanes low = (c0[g] & 0xffffffffu) | c1[g] << 32, high = (c2[g] & 0xffffffffu) | c3[g] << 32;
    for (int l = 0; l < LANES; l++, words += 4) {
      uint64_t pairs[2] = {low[l], high[l]}; /* in memory: words 0 to 3 (little-endian) */
      memcpy(words, pairs, sizeof pairs);
    }
  }
}

/* The words of blocks block .. block + BLOCKS - 1. */
static void draw_words(uint64_t seed, uint64_t block, uint32_t domain, uint32_t *words) {
  for (int i = 0; i < BLOCKS; i += STEP)
    draw_step(seed, block + (uint64_t)i, domain, words + 4 * i);
}

static void draw_words64(uint64_t seed, uint64_t block, uint64_t *words) {
  uint32_t half[DRAWS32];
  draw_words(seed, block, GRUI_PHILOX_DRAWS64, half);
  for (int i = 0; i < DRAWS64; i++) words[i] = half[2 * i] | (uint64_t)half[2 * i + 1] << 32;
}

/* ---- groups of draws: 32-bit ones -------------------------------------------------- */

static void uniform_f32(const plan *p, const uint32_t *w, group *out) {
  float a = (float)p->a, span = (float)p->span, most = (float)p->most;
  for (int i = 0; i < DRAWS32; i++) out->f32[i] = gruI_philox_uniform_f32(w[i], a, span, most);
}

static void normal_f32(const plan *p, const uint32_t *w, group *out) {
  float mean = (float)p->a, std = (float)p->span;
  for (int i = 0; i < DRAWS32 / 2; i++) {
    float even, odd;
    gruI_philox_normal_f32(w[2 * i], w[2 * i + 1], &even, &odd);
    out->f32[2 * i] = even * std + mean;
    out->f32[2 * i + 1] = odd * std + mean;
  }
}

#define BERNOULLI(T) \
  static void bernoulli_##T(const plan *p, const uint32_t *w, group *out) { \
    for (int i = 0; i < DRAWS32; i++) out->T[i] = w[i] < p->threshold; \
  }

BERNOULLI(f32)
BERNOULLI(f64)
BERNOULLI(i64)
BERNOULLI(u8)

/* ---- groups of draws: 64-bit ones -------------------------------------------------- */

static void uniform_f64(const plan *p, const uint64_t *w, group *out) {
  for (int i = 0; i < DRAWS64; i++)
    out->f64[i] = gruI_philox_uniform_f64(w[i], p->a, p->span, p->most);
}

static void normal_f64(const plan *p, const uint64_t *w, group *out) {
  for (int i = 0; i < DRAWS64 / 2; i++) {
    double even, odd;
    gruI_philox_normal_f64(w[2 * i], w[2 * i + 1], &even, &odd);
    out->f64[2 * i] = even * p->span + p->a;
    out->f64[2 * i + 1] = odd * p->span + p->a;
  }
}

#define INTEGERS(T, value) \
  static void integers_##T(const plan *p, const uint64_t *w, group *out) { \
    for (int i = 0; i < DRAWS64; i++) { \
      int64_t x = gruI_philox_integer(w[i], p->low, p->range); \
      out->T[i] = value; \
    } \
  }

INTEGERS(f32, (float)x)
INTEGERS(f64, (double)x)
INTEGERS(i64, x)
INTEGERS(u8, x != 0)

/* ---- the fill ---------------------------------------------------------------------- */

typedef void (*group32)(const plan *, const uint32_t *, group *);
typedef void (*group64)(const plan *, const uint64_t *, group *);

/* One of the two, by kind and dtype. */
static void choose(const gruI_random *call, group32 *narrow, group64 *wide) {
  static const group32 bernoullis[] = {bernoulli_u8, bernoulli_i64, bernoulli_f32, bernoulli_f64};
  static const group64 integers[] = {integers_u8, integers_i64, integers_f32, integers_f64};
  int single = call->dtype == GRU_FLOAT32;
  *narrow = NULL;
  *wide = NULL;
  switch (call->kind) {
    case GRUI_UNIFORM:
      if (single)
        *narrow = uniform_f32;
      else
        *wide = uniform_f64;
      break;
    case GRUI_NORMAL:
      if (single)
        *narrow = normal_f32;
      else
        *wide = normal_f64;
      break;
    case GRUI_BERNOULLI: *narrow = bernoullis[call->dtype]; break;
    case GRUI_RANDINT: *wide = integers[call->dtype]; break;
  }
}

void GRUI_ISA_NAME(gruI_random_fill)(const gruI_random *call, int64_t first, int64_t last) {
  plan p = gruI_random_plan_of(call);
  size_t size = gru_dtype_size(call->dtype);
  group32 narrow;
  group64 wide;
  choose(call, &narrow, &wide);
  uint64_t draws = narrow != NULL ? DRAWS32 : DRAWS64;
  char *out = (char *)call->out + (size_t)first * size;
  uint64_t e = call->counter + (uint64_t)first, left = (uint64_t)(last - first);
  while (left > 0) {
    group made;
    uint64_t skip = e % draws, count = draws - skip;
    if (count > left) count = left;
    if (narrow != NULL) {
      uint32_t words[DRAWS32];
      draw_words(call->seed, (e - skip) / 4, GRUI_PHILOX_DRAWS32, words);
      narrow(&p, words, &made);
    } else {
      uint64_t words[DRAWS64];
      draw_words64(call->seed, (e - skip) / 2, words);
      wide(&p, words, &made);
    }
    memcpy(out, (const char *)&made + skip * size, (size_t)count * size);
    out += count * size;
    e += count;
    left -= count;
  }
}

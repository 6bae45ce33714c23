/* philox.h - the counter-based generator Philox4x32-10 (Salmon and others, "Parallel random
** numbers: as easy as 1, 2, 3"), and which of its words every draw uses.  One text for C and
** CUDA: both devices draw the same numbers.
**
** A stream is a 64-bit seed, which is the key: (low half, high half).  Draws of a stream are
** counted by a 64-bit number e; draw e uses words of its own, whatever was drawn before it,
** so that a fill in two parts gives the numbers of a fill in one.  A block of four words is
** Philox of the counter (low half of b, high half of b, domain, 0):
**
**   domain 0, 32-bit draws:  word32(e) = word e mod 4 of block e / 4
**   domain 1, 64-bit draws:  word64(e) = (word 2q) + 2^32 (word 2q + 1) of block e / 2,
**                            q = e mod 2
**
** What a draw is made of:
**   uniform float32   u = (word32(e) >> 8) 2^-24
**   uniform float64   u = (word64(e) >> 11) 2^-53
**   normal float32    Box-Muller of word32(2p), word32(2p + 1), p = e / 2: the cosine for an
**                     even e, the sine for an odd one
**   normal float64    the same of word64(2p), word64(2p + 1)
**   Bernoulli         word32(e) < p 2^32, for every dtype
**   integers          low + floor(word64(e) (high - low) / 2^64), for every dtype
**
** A user that begins every fill at a multiple of 4 never lets two fills share a normal's pair.
*/
#ifndef GRUI_PHILOX_H
#define GRUI_PHILOX_H

#include <stdint.h>

#include "core/math.h"

#ifdef __CUDACC__
#define GRUI_PHILOX_FN static __host__ __device__ __forceinline__
#else
#define GRUI_PHILOX_FN static inline __attribute__((always_inline))
#endif

enum { GRUI_PHILOX_DRAWS32 = 0, GRUI_PHILOX_DRAWS64 = 1 };

#define GRUI_PHILOX_ROUNDS 10
#define GRUI_PHILOX_M0 0xd2511f53u /* multipliers of words 0 and 2 */
#define GRUI_PHILOX_M1 0xcd9e8d57u
#define GRUI_PHILOX_W0 0x9e3779b9u /* what a round adds to the key */
#define GRUI_PHILOX_W1 0xbb67ae85u

/* ---- words ------------------------------------------------------------------------- */

/* One round of the counter c under the key k. */
GRUI_PHILOX_FN void gruI_philox_round(uint32_t *c0, uint32_t *c1, uint32_t *c2, uint32_t *c3,
                                      uint32_t k0, uint32_t k1) {
  uint64_t p0 = (uint64_t)GRUI_PHILOX_M0 * *c0, p1 = (uint64_t)GRUI_PHILOX_M1 * *c2;
  uint32_t n0 = (uint32_t)(p1 >> 32) ^ *c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ *c3 ^ k1;
  *c1 = (uint32_t)p1;
  *c3 = (uint32_t)p0;
  *c0 = n0;
  *c2 = n2;
}

/* Philox4x32-10 itself: counter and key to four words. */
GRUI_PHILOX_FN void gruI_philox_words(const uint32_t counter[4], uint32_t k0, uint32_t k1,
                                      uint32_t words[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  for (int r = 0; r < GRUI_PHILOX_ROUNDS; r++) {
    gruI_philox_round(&c0, &c1, &c2, &c3, k0, k1);
    k0 += GRUI_PHILOX_W0;
    k1 += GRUI_PHILOX_W1;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

/* Block `block` of a domain of stream `seed`. */
GRUI_PHILOX_FN void gruI_philox_block(uint64_t seed, uint64_t block, uint32_t domain,
                                      uint32_t words[4]) {
  uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), domain, 0};
  gruI_philox_words(counter, (uint32_t)seed, (uint32_t)(seed >> 32), words);
}

GRUI_PHILOX_FN uint32_t gruI_philox_word32(uint64_t seed, uint64_t e) {
  uint32_t words[4];
  gruI_philox_block(seed, e >> 2, GRUI_PHILOX_DRAWS32, words);
  return words[e & 3];
}

GRUI_PHILOX_FN uint64_t gruI_philox_word64(uint64_t seed, uint64_t e) {
  uint32_t words[4];
  unsigned q = (unsigned)(e & 1);
  gruI_philox_block(seed, e >> 1, GRUI_PHILOX_DRAWS64, words);
  return words[2 * q] | (uint64_t)words[2 * q + 1] << 32;
}

/* ---- uniform numbers --------------------------------------------------------------- */

/* Keeps the compiler from fusing a product and a sum in the function that it heads: results
** must not depend on the instruction set.  gcc does not fuse under -std=c11. */
#if defined(__clang__) && !defined(__CUDACC__)
#define GRUI_PHILOX_UNFUSED _Pragma("STDC FP_CONTRACT OFF")
#else
#define GRUI_PHILOX_UNFUSED
#endif

/* a + u span, each operation rounded on its own, and not above `most`, the largest number
** below b: rounding could reach b. */
GRUI_PHILOX_FN float gruI_philox_uniform_f32(uint32_t word, float a, float span, float most) {
  GRUI_PHILOX_UNFUSED
  float u = (float)(int32_t)(word >> 8) * 5.9604644775390625e-8f; /* 2^-24 */
#ifdef __CUDA_ARCH__
  float x = __fadd_rn(__fmul_rn(u, span), a);
#else
  float x = u * span + a;
#endif
  return x > most ? most : x;
}

/* (word >> 11) 2^-53, exactly: the upper 32 and the lower 21 bits become the fraction of a
** number from 2^52 on, which vectorises where a conversion of int64 would not. */
GRUI_PHILOX_FN double gruI_philox_unit_f64(uint64_t word) {
  const uint64_t magic = UINT64_C(0x4330000000000000);
  double high = gmi_from_bits_f64(magic | word >> 32) - 4503599627370496.0;
  double low = gmi_from_bits_f64(magic | (word >> 11 & 0x1fffffu)) - 4503599627370496.0;
  return high * 2.3283064365386963e-10 + low * 1.1102230246251565e-16; /* 2^-32, 2^-53 */
}

GRUI_PHILOX_FN double gruI_philox_uniform_f64(uint64_t word, double a, double span, double most) {
  GRUI_PHILOX_UNFUSED
  double u = gruI_philox_unit_f64(word);
#ifdef __CUDA_ARCH__
  double x = __dadd_rn(__dmul_rn(u, span), a);
#else
  double x = u * span + a;
#endif
  return x > most ? most : x;
}

/* ---- normal numbers ---------------------------------------------------------------- */

/* r = sqrt(-2 ln u), theta = 2 pi v: r cos theta and r sin theta, with
**   u = ((w0 >> 1) | 1) 2^-31 in (0, 1],  v = (w1 >> 8) 2^-24 in [0, 1) */
GRUI_PHILOX_FN void gruI_philox_normal_f32(uint32_t w0, uint32_t w1, float *even, float *odd) {
  float u = (float)(int32_t)((w0 >> 1) | 1u) * 4.656612873077393e-10f; /* 2^-31 */
  float v = (float)(int32_t)(w1 >> 8) * 5.9604644775390625e-8f;
  float r = gm_sqrt_f32(-2.0f * gm_log_f32(u)), theta = v * 6.2831853071795864f;
  *even = r * gm_cos_f32(theta);
  *odd = r * gm_sin_f32(theta);
}

/* The same with u = ((w0 >> 11) + 1) 2^-53, v = (w1 >> 11) 2^-53. */
GRUI_PHILOX_FN void gruI_philox_normal_f64(uint64_t w0, uint64_t w1, double *even, double *odd) {
  double u = gruI_philox_unit_f64(w0) + 1.1102230246251565e-16; /* exact */
  double v = gruI_philox_unit_f64(w1);
  double r = gm_sqrt_f64(-2.0 * gm_log_f64(u)), theta = v * 6.283185307179586477;
  *even = r * gm_cos_f64(theta);
  *odd = r * gm_sin_f64(theta);
}

/* ---- discrete numbers -------------------------------------------------------------- */

/* p 2^32 rounded up: words below it are p of all words.  2^32 for p >= 1. */
GRUI_PHILOX_FN uint64_t gruI_philox_threshold(double p) {
  double scaled = p * 4294967296.0;
  uint64_t t;
  if (!(scaled > 0)) return 0;
  if (scaled >= 4294967296.0) return UINT64_C(1) << 32;
  t = (uint64_t)scaled;
  return t + ((double)t < scaled);
}

/* The high 64 bits of a b, from products of halves. */
GRUI_PHILOX_FN uint64_t gruI_philox_high(uint64_t a, uint64_t b) {
  uint64_t al = a & 0xffffffffu, ah = a >> 32, bl = b & 0xffffffffu, bh = b >> 32;
  uint64_t low = al * bl, m0 = ah * bl + (low >> 32), m1 = al * bh + (m0 & 0xffffffffu);
  return ah * bh + (m0 >> 32) + (m1 >> 32);
}

/* One of low .. high - 1; `range` is high - low, as an unsigned number. */
GRUI_PHILOX_FN int64_t gruI_philox_integer(uint64_t word, int64_t low, uint64_t range) {
  return (int64_t)((uint64_t)low + gruI_philox_high(word, range));
}

#endif

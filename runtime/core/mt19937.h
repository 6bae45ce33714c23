/* mt19937.h - the generator behind GRU_TORCH: MT19937 used as PyTorch's CPU generator uses
** it, so that torch.manual_seed(s) and gru_seed(rt, s, GRU_TORCH) draw the same numbers.
**
** Fills reproduce what torch does to a contiguous tensor of the same dtype and size, and
** leave the generator in the same state.  Checked against PyTorch 1.13 without MKL, on a CPU
** with AVX2: every fill bit for bit, at float32 normals of 16 elements or more too.
** (PyTorch with MKL draws Bernoulli numbers from another generator; nobody can follow.)
*/
#ifndef GRUI_MT19937_H
#define GRUI_MT19937_H

#include <stdint.h>

#define GRUI_MT19937_N 624

typedef struct gruI_mt19937 {
  uint32_t state[GRUI_MT19937_N];
  int index;          /* of the next word; GRUI_MT19937_N: draw a new state first */
  int has_normal;     /* is there a second normal of a Box-Muller pair left over? */
  double next_normal; /* that one, before mean and std */
} gruI_mt19937;

/* Only the low 32 bits of the seed count, as in torch. */
void gruI_mt19937_seed(gruI_mt19937 *g, uint64_t seed);

uint32_t gruI_mt19937_next_u32(gruI_mt19937 *g);
uint64_t gruI_mt19937_next_u64(gruI_mt19937 *g); /* first word high */

/* Tensor.uniform_(from, to). */
void gruI_mt19937_uniform_f32(gruI_mt19937 *g, float *out, int64_t n, double from, double to);
void gruI_mt19937_uniform_f64(gruI_mt19937 *g, double *out, int64_t n, double from, double to);

/* Tensor.normal_(mean, std): fewer than 16 elements go through Box-Muller pairs whose second
** half waits in the generator; from 16 on, blocks of 16 uniforms are turned into normals, and
** a last, incomplete block is drawn anew together with the elements before it. */
void gruI_mt19937_normal_f32(gruI_mt19937 *g, float *out, int64_t n, double mean, double std);
void gruI_mt19937_normal_f64(gruI_mt19937 *g, double *out, int64_t n, double mean, double std);

/* Tensor.bernoulli_(p) for a number p: one 53-bit uniform an element, for every dtype. */
void gruI_mt19937_bernoulli_u8(gruI_mt19937 *g, uint8_t *out, int64_t n, double p);
void gruI_mt19937_bernoulli_i64(gruI_mt19937 *g, int64_t *out, int64_t n, double p);
void gruI_mt19937_bernoulli_f32(gruI_mt19937 *g, float *out, int64_t n, double p);
void gruI_mt19937_bernoulli_f64(gruI_mt19937 *g, double *out, int64_t n, double p);

/* Tensor.random_(low, high), torch.randint: low <= x < high, by remainder. */
void gruI_mt19937_randint_u8(gruI_mt19937 *g, uint8_t *out, int64_t n, int64_t low, int64_t high);
void gruI_mt19937_randint_i64(gruI_mt19937 *g, int64_t *out, int64_t n, int64_t low, int64_t high);
void gruI_mt19937_randint_f32(gruI_mt19937 *g, float *out, int64_t n, int64_t low, int64_t high);
void gruI_mt19937_randint_f64(gruI_mt19937 *g, double *out, int64_t n, int64_t low, int64_t high);

/* torch.randperm(n), counting from `base`. */
void gruI_mt19937_randperm(gruI_mt19937 *g, int64_t *out, int64_t n, int64_t base);

#endif

/* rng.h - the generator of a runtime: which kind, and where it stands. */
#ifndef GRUI_RNG_H
#define GRUI_RNG_H

#include "core/mt19937.h"
#include "gru.h"

typedef struct gruI_rng {
  gru_generator kind;
  uint64_t seed;    /* PHILOX: the stream ... */
  uint64_t counter; /* ... and the next draw of it */
  gruI_mt19937 mt;  /* TORCH */
} gruI_rng;

void gruI_rng_seed(gruI_rng *rng, uint64_t seed, gru_generator kind);

#endif

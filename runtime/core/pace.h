/* pace.h - the corrections of a step of Adam, which the host computes for every device. */
#ifndef GRUI_PACE_H
#define GRUI_PACE_H

#include "core/math.h"
#include "gru.h"

/* With t the number of the step: rate = lr / (1 - beta1^t), spread = 1 / sqrt(1 - beta2^t). */
typedef struct gruI_adam_pace {
  double rate, spread;
} gruI_adam_pace;

static inline gruI_adam_pace gruI_adam_pace_of(const gru_adam_options *o, int64_t step) {
  double t = (double)step;
  gruI_adam_pace pace = {o->lr / (1 - gm_pow(o->beta1, t)), 1 / gm_sqrt(1 - gm_pow(o->beta2, t))};
  return pace;
}

#endif

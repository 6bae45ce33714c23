/* random_plan.h - what a random fill comes to before its first draw: one text for every device. */
#ifndef GRUI_RANDOM_PLAN_H
#define GRUI_RANDOM_PLAN_H

#include <math.h>

#include "core/device.h"
#include "core/philox.h"

typedef struct gruI_random_plan {
  double a, span, most; /* uniform: a + u span, at most `most`; normal: mean a, std span */
  uint64_t threshold;   /* Bernoulli */
  int64_t low;          /* integers */
  uint64_t range;
} gruI_random_plan;

static inline gruI_random_plan gruI_random_plan_of(const gruI_random *call) {
  gruI_random_plan p;
  p.a = call->a;
  p.span = call->b;
  p.most = 0;
  p.threshold = gruI_philox_threshold(call->a);
  p.low = call->low;
  p.range = (uint64_t)call->high - (uint64_t)call->low;
  if (call->kind == GRUI_UNIFORM && call->dtype == GRU_FLOAT32) {
    float a = (float)call->a, b = (float)call->b;
    p.span = (double)(b - a);
    p.most = (double)(b > a ? nextafterf(b, a) : a);
  } else if (call->kind == GRUI_UNIFORM) {
    p.span = call->b - call->a;
    p.most = call->b > call->a ? nextafter(call->b, call->a) : call->a;
  }
  return p;
}

#endif

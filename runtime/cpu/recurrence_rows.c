/* recurrence_rows.c - the gates of recurrence.c, compiled once per instruction set. */
#include "cpu/recurrence.h"

#include <string.h>

#include "core/math.h"

#define NAME_(name, T) name##_##T
#define NAME(name, T) NAME_(name, T)

/* Has row b of the batch ended before time t? */
static inline int is_over(const gruI_recurrence *call, int64_t b, int64_t t) {
  return call->lengths != NULL && t >= call->lengths[b];
}

#define T float
#include "cpu/recurrence_rows.inc.h"
#undef T

#define T double
#include "cpu/recurrence_rows.inc.h"
#undef T

static void forward(const gruI_step *step, int phase) {
  if (step->call->dtype == GRU_FLOAT32)
    forward_float(step, phase);
  else
    forward_double(step, phase);
}

static void backward(const gruI_step *step, int phase) {
  if (step->call->dtype == GRU_FLOAT32)
    backward_float(step, phase);
  else
    backward_double(step, phase);
}

const gruI_recurrence_rows GRUI_ISA_NAME(gruI_recurrence_rows) = {forward, backward};

/* loss_rows.c - the loops of loss.c, compiled once per instruction set. */
#include "cpu/loss.h"

#include "core/math.h"

enum {
  LANES = 32, /* running sums side by side, so that the compiler can use vectors */
  CHUNK = 512 /* columns summed in the type of the row before double takes over */
};

#define NAME_(name, T) name##_##T
#define NAME(name, T) NAME_(name, T)

#define T float
#include "cpu/loss_rows.inc.h"
#undef T

#define T double
#include "cpu/loss_rows.inc.h"
#undef T

/* Picks the loops of the call's dtype. */
#define PICK(name, call_type) \
  static void name(const call_type *call, int64_t first, int64_t last) { \
    if (call->dtype == GRU_FLOAT32) \
      name##_float(call, first, last); \
    else \
      name##_double(call, first, last); \
  }

PICK(softmax, gruI_softmax)
PICK(softmax_grad, gruI_softmax_grad)
PICK(cross_entropy, gruI_cross_entropy)
PICK(cross_entropy_grad, gruI_cross_entropy)

const gruI_loss_rows GRUI_ISA_NAME(gruI_loss_rows) = {softmax, softmax_grad, cross_entropy,
                                                      cross_entropy_grad};

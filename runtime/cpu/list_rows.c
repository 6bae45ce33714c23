/* list_rows.c - the loops of list.c, compiled once per instruction set. */
#include "cpu/list.h"

#include "core/pace.h"

#define INLINED inline __attribute__((always_inline))

/* The vectors of a part are apart from each other. */
#ifdef __clang__
#define NO_CARRIED_DEPENDENCE _Pragma("clang loop vectorize(assume_safety)")
#else
#define NO_CARRIED_DEPENDENCE _Pragma("GCC ivdep")
#endif

enum { LANES = 16 }; /* running sums side by side */

#define NAME_(name, T) name##_##T
#define NAME(name, T) NAME_(name, T)

#define T float
#include "cpu/list_rows.inc.h"
#undef T

#define T double
#include "cpu/list_rows.inc.h"
#undef T

/* Picks the loops of the call's dtype. */
#define PICK(name, call_type) \
  static void name(const call_type *call, const gruI_part *part, int64_t first, int64_t last) { \
    if (call->list.dtype == GRU_FLOAT32) \
      name##_float(call, part, first, last); \
    else \
      name##_double(call, part, first, last); \
  }

PICK(sgd, gruI_sgd)
PICK(adam, gruI_adam)
PICK(scale, gruI_scale)

#define PICK_SUM(name) \
  static double name(gru_dtype dtype, const void *x, int64_t first, int64_t last) { \
    return dtype == GRU_FLOAT32 ? name##_float(x, first, last) : name##_double(x, first, last); \
  }

PICK_SUM(squares)
PICK_SUM(largest)

const gruI_list_rows GRUI_ISA_NAME(gruI_list_rows) = {sgd, adam, scale, squares, largest};

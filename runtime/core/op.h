/* op.h - calling ops: what an op's rules are given, and the table of them.
**
** gru_op_call checks devices, runs the rule `forward` (which checks, promotes, finds the
** shape, allocates and calls a kernel family), and has the tape record the call.
*/
#ifndef GRUI_OP_H
#define GRUI_OP_H

#include "core/tensor.h"

enum { GRU_NO_GRAD = 1, GRU_VIEW = 2, GRU_ELEMENTWISE = 4 }; /* flags of an op */

/* What the gradient with respect to an input is computed from: bits for inputs, results, and what
** else forward kept.  Of an op with many inputs only the first GRUI_MAX_SAVED can be saved. */
enum { GRUI_MAX_SAVED = 8, GRUI_MAX_EXTRAS = 2 };
#define GRUI_USES_X(i) (1u << (i))   /* i < GRUI_MAX_SAVED */
#define GRUI_USES_Y(i) (256u << (i)) /* i < GRU_MAX_OUTPUTS */
#define GRUI_USES_EXTRA 1024u        /* all of them */

typedef struct gruI_op gruI_op;

typedef struct gruI_call {
  gru_runtime *rt;
  const gruI_op *op;
  const char *name;
  gru_tensor *const *in; /* NULL where an optional input is left out */
  int n;
  const gru_attrs *attrs; /* never NULL */
  bool recording;         /* a gradient may be asked for */
  gru_tensor *over;       /* in-place: the tensor to write to, else NULL */
  /* To be filled by forward: */
  gru_tensor *out[GRU_MAX_OUTPUTS];   /* new references */
  gru_tensor *extra[GRUI_MAX_EXTRAS]; /* kept for backward, new references or NULL */
  uint32_t uses[GRUI_MAX_SAVED];      /* by input; GRUI_USES_... */
} gruI_call;

typedef struct gruI_vjp gruI_vjp; /* core/tape.h */

struct gruI_op {
  const char *name;
  gru_op id;
  int inputs; /* at most; -1: any number */
  int flags;
  gru_status (*forward)(gruI_call *call);
  gru_status (*vjp)(gruI_vjp *vjp);
};

/* Defined by ops/table.c, indexed by gru_op; rows of unused numbers have no name. */
extern const gruI_op gruI_op_table[];

/* The op called with one input, or two, and no more than one result: for rules that are
** spelt with other ops. */
gru_status gruI_call1(gru_op op, gru_tensor *a, const gru_attrs *attrs, gru_tensor **out);
gru_status gruI_call2(gru_op op, gru_tensor *a, gru_tensor *b, const gru_attrs *attrs,
                      gru_tensor **out);

/* Dtype of the result of an op on these inputs, PyTorch's promotion: among tensors with dims the
** widest; 0-d tensors and numbers raise only the category.  Left-out inputs (NULL) and the
** first `skip` are not looked at. */
gru_dtype gruI_promote(gru_tensor *const *in, int n, int skip);

/* `t` converted to `dtype` and settled: itself retained, or a copy.  Numbers become 0-d tensors
** on `place`.  Not recorded. New reference. */
gru_status gruI_cast(gru_tensor *t, gru_dtype dtype, gruI_place *place, gru_tensor **out);
/* The same and contiguous. */
gru_status gruI_pack(gru_tensor *t, gru_dtype dtype, gruI_place *place, gru_tensor **out);

/* A contiguous copy on another place; one-hot tensors stay in their layout.  Not recorded, `op` is for
** messages.  New reference. */
gru_status gruI_move(gru_tensor *t, gruI_place *place, const char *op, gru_tensor **out);

/* Writes src over dst, broadcast and converted; not recorded, the version is left alone. */
gru_status gruI_copy_over(gru_tensor *dst, gru_tensor *src, const char *op);

/* A tensor of zeros. */
gru_status gruI_zeros(gru_runtime *rt, const char *op, gru_dtype dtype, int ndim,
                      const int64_t *shape, gruI_place *place, gru_tensor **out);

/* 0 .. n - 1 as int64. */
gru_status gruI_count_up(gru_runtime *rt, const char *op, int64_t n, gruI_place *place,
                         gru_tensor **out);

/* The broadcast shape of two, or false. */
bool gruI_broadcast(int ndim_a, const int64_t *a, int ndim_b, const int64_t *b, int *ndim,
                    int64_t *shape);

/* Strides of `t` seen as `shape` (which its own broadcasts to). */
void gruI_broadcast_strides(const gru_tensor *t, int ndim, const int64_t *shape, int64_t *stride);

/* Orders the dims of an elementwise loop by the strides of operand 0, drops those of size 1
** and merges those that all `n` operands walk through in one go.  `stride[i]` are the strides
** of operand i.  Returns the new number of dims, at least 1. */
int gruI_coalesce(int ndim, int64_t *shape, int n, int64_t *const *stride);

/* t summed down to `shape` (that broadcast to the shape of t), converted to `dtype`: the
** gradient of a broadcast operand.  New reference. */
gru_status gruI_sum_to(gru_tensor *t, int ndim, const int64_t *shape, gru_dtype dtype,
                       gru_tensor **out);

#endif

/* tape.h - the autograd tape: nodes, what they save, and the backward engine.
**
** Every recorded call of an op is a node.  Its number in the sequence is larger than
** those of the nodes its inputs came from, so backward simply takes nodes in falling
** order, from a heap: when a node's turn comes, all its consumers have run.
*/
#ifndef GRUI_TAPE_H
#define GRUI_TAPE_H

#include "core/op.h"

/* A tensor kept for backward, without history, and the version it must still have. */
typedef struct gruI_saved {
  gru_tensor *tensor;
  uint64_t version;
} gruI_saved;

/* Where the gradient of an input goes, its geometry, and its value if that was saved. */
typedef struct gruI_input {
  gruI_node *node;  /* retained, or NULL */
  gru_tensor *leaf; /* retained, or NULL */
  int32_t output;   /* of node */
  uint8_t ndim, dtype;
  gruI_place *place; /* NULL: a number's */
  int64_t shape[GRU_MAX_DIMS];
  gruI_saved saved;
} gruI_input;

typedef struct gruI_hook_entry gruI_hook_entry;
struct gruI_hook_list {
  gru_runtime *rt;
  gruI_hook_entry *first;
  int running; /* backwards that go through the list now */
};

/* A rule that gru_tensor_record was given. */
typedef struct gruI_custom {
  gru_rule rule;
  void (*release)(void *context);
  void *context;
} gruI_custom;

struct gruI_node {
  gru_runtime *rt;
  const gruI_op *op;
  gru_attrs *attrs; /* NULL for elementwise ops, which have none */
  uint64_t sequence;
  int32_t refs, ninputs;
  bool released;   /* its saved tensors are gone */
  gru_dtype dtype; /* of result 0 */
  gruI_saved y[GRU_MAX_OUTPUTS], extra[GRUI_MAX_EXTRAS];
  gru_tensor *retained[GRU_MAX_OUTPUTS]; /* borrowed: results that keep their gradient */
  gruI_hook_list *hooks;
  gruI_custom *custom; /* of a node whose rule came from outside */
  const char *origin;  /* chunk and line of the call, for messages; NULL: unknown */
  int origin_line;
  char *trace; /* anomaly mode: the way to the call, from malloc */
  gruI_node *next_dying;
  gruI_input in[];
};

typedef struct gruI_task gruI_task; /* one backward under way */

/* What an op's gradient rule is given.  It fills dx[k] (new references, of the shape and dtype
** of input k) for every k that gruI_wants. */
struct gruI_vjp {
  gru_runtime *rt;
  gruI_node *node;
  gruI_task *task;
  const char *name;
  const gru_attrs *attrs;
  gru_tensor *g;                 /* dL/dy of result 0, borrowed */
  gru_tensor *x[GRUI_MAX_SAVED]; /* saved inputs, borrowed; NULL where not saved */
  gru_tensor *y[GRU_MAX_OUTPUTS], *extra[GRUI_MAX_EXTRAS];
  bool composing; /* create_graph: use recorded ops only */
  gru_tensor **dx;
};

static inline bool gruI_wants(const gruI_vjp *v, int k) {
  return v->node->in[k].node || v->node->in[k].leaf;
}

/* Instead of a gradient for the matrix input k, keeps the pair (x, g) with x^T g its gradient
** and gives one product for all pairs of that matrix later.  *held is false when it cannot.  Fails
** when the pairs were too many to wait and their product failed; they are dropped then. */
gru_status gruI_vjp_hold(gruI_vjp *v, int k, gru_tensor *x, gru_tensor *g, bool *held);

/* Adds g to the part of input 0's gradient that `geometry` (a view op, with the attrs of the node)
** shows: what cutting a sequence into steps gives back, without a zero-padded copy a step.  Not
** while composing. */
gru_status gruI_vjp_add_part(gruI_vjp *v, gru_op geometry);

/* The gradients of y times g with respect to inputs, recorded; nothing beyond the inputs is walked
** through.  For rules that differentiate what they compose. */
gru_status gruI_grad_within(gru_runtime *rt, gru_tensor *y, gru_tensor *g, int n,
                            gru_tensor *const *inputs, gru_tensor **results);

bool gruI_requires_grad(const gru_tensor *t);

/* Makes a node for a call that has run. */
gru_status gruI_tape_record(gruI_call *call);

/* `self` has been written in place by `call`: it takes over the history of that. */
gru_status gruI_tape_rebase(gruI_call *call, gru_tensor *self);

/* `t` holds new values that have no history: it becomes a constant. */
void gruI_tape_cut(gru_tensor *t);

/* May `self` be written in place now?  `recording` says whether the tape will know of it. */
gru_status gruI_inplace_check(gru_tensor *self, const char *name, bool recording);

/* `self` has been written, by `call` or (NULL) with constants, while gradients are recorded: gives it
** its history, and its base and the base's other views theirs. */
gru_status gruI_inplace_record(gruI_call *call, gru_tensor *self);

/* A view whose base has been written since gets a node that knows of it. */
gru_status gruI_inplace_refresh(gru_tensor *view);
static inline bool gruI_inplace_is_stale(const gru_tensor *t) {
  return t->base && t->seen != t->base->history;
}

/* A tensor dies: it leaves its node and its hooks. */
void gruI_tape_forget(gru_tensor *t);

void gruI_node_release(gruI_node *node);
/* "matmul (train.lua:12)": the op, and where the script called it. */
gruI_text gruI_node_text(const gruI_node *node);
/* Drops what a node saved. */
void gruI_node_drop_saved(gruI_node *node);
/* Checks versions and fills x, y, extra of `v`. */
gru_status gruI_node_unpack(gruI_node *node, gruI_vjp *v);

/* Runs the hooks for result `output` over *grad, which they may replace. */
gru_status gruI_hooks_run(gruI_hook_list *hooks, int output, gru_tensor **grad);
void gruI_hooks_free(gruI_hook_list *hooks);

#endif

/* backward.c - the engine: from outputs to leaves, in falling order of the nodes. */
#include "core/backward.h"

#include <stdlib.h>
#include <string.h>

#include "core/graph.h"
#include "core/pending.h"
#include "core/profile.h"

/* ---- adding gradients -------------------------------------------------------------------------- */

/* May `t` be written over: does nobody else see it? */
static bool is_private(const gru_tensor *t) {
  return t->refs == 1 && !t->tag && t->storage->refs == 1 && !t->storage->hot && !t->node &&
         t->numel > 0 && gruI_is_dense(t);
}

/* a + b, in a's memory where that is private.  Takes over the reference to `a`. */
static gru_status add(gru_runtime *rt, gru_tensor *a, gru_tensor *b, bool in_place,
                      gru_tensor **out) {
  if (in_place && gruI_same_shape(a, b)) {
    int mode = gru_set_grad_enabled(rt, 0);
    gru_status status = gru_op_call_(rt, GRU_OP_ADD, a, &b, 1);
    gru_set_grad_enabled(rt, mode);
    *out = a;
    return status;
  }
  gru_tensor *sum;
  gru_status status = gruI_call2(GRU_OP_ADD, a, b, NULL, &sum);
  if (status != GRU_OK) {
    *out = a;
    return status;
  }
  gru_tensor_release(a);
  *out = sum;
  return GRU_OK;
}

gru_status gruI_slot_add(gruI_task *task, gruI_slot *slot, gru_tensor *g) {
  if (!slot->grad) {
    slot->grad = g;
    return GRU_OK;
  }
  bool composing = task->flags & GRU_CREATE_GRAPH;
  gru_status status =
      add(task->rt, slot->grad, g, !composing && is_private(slot->grad), &slot->grad);
  gru_tensor_release(g);
  return status;
}

gru_status gruI_vjp_add_part(gruI_vjp *v, gru_op geometry) {
  gruI_input *in = &v->node->in[0];
  int32_t i = gruI_task_slot(v->task, in->node, in->leaf);
  if (i < 0) return gruI_fail(v->rt, GRU_ERROR_MEMORY, "backward: out of memory");
  gruI_slot *slot = &v->task->slots[i];
  gru_tensor *whole = slot->grad, *part;
  bool fresh = !whole, add_later = whole && !is_private(whole);
  if (fresh || add_later)
    GRUI_TRY(gruI_zeros(v->rt, v->name, (gru_dtype)in->dtype, in->ndim, in->shape,
                        gruI_place_of(v->g), &whole));
  if (fresh) slot->grad = whole;
  gru_status status = gruI_call1(geometry, whole, v->attrs, &part);
  if (status == GRU_OK) {
    status = fresh || add_later ? gruI_copy_over(part, v->g, v->name)
                                : gru_op_call_(v->rt, GRU_OP_ADD, part, &v->g, 1);
    gru_tensor_release(part);
  }
  if (!add_later) return status;
  if (status == GRU_OK) return gruI_slot_add(v->task, slot, whole);
  gru_tensor_release(whole);
  return status;
}

/* leaf.grad += g, unless the leaf has been frozen since. */
static gru_status accumulate_leaf(gruI_task *task, gru_tensor *leaf, gru_tensor *g) {
  bool composing = task->flags & GRU_CREATE_GRAPH;
  if (!leaf->leaf_grad) return GRU_OK;
  gruI_graph_sees_grad(leaf, true);
  if (leaf->grad)
    return add(task->rt, leaf->grad, g, !composing && !leaf->grad->node && !leaf->grad->leaf_grad,
               &leaf->grad);
  if (composing || is_private(g)) {
    leaf->grad = gru_tensor_retain(g);
    return GRU_OK;
  }
  return gruI_call1(GRU_OP_CLONE, g, NULL, &leaf->grad);
}

/* ---- one node ------------------------------------------------------------------------------------- */

/* Hands the gradients that a rule gave to where the inputs came from. */
static gru_status deliver(gruI_task *task, gruI_node *node, gru_tensor **dx) {
  for (int k = 0; k < node->ninputs; k++) {
    if (!dx[k]) continue;
    gruI_input *in = &node->in[k];
    gru_tensor *g = dx[k];
    dx[k] = NULL;
    int32_t slot = in->node || in->leaf ? gruI_task_slot(task, in->node, in->leaf) : -1;
    if (slot < 0) {
      gru_tensor_release(g);
      if (in->node || in->leaf)
        return gruI_fail(task->rt, GRU_ERROR_MEMORY, "backward: out of memory");
      continue;
    }
    GRUI_TRY(gruI_slot_add(task, &task->slots[slot], g));
  }
  return GRU_OK;
}

/* Anomaly mode: does a gradient hold a NaN? */
static gru_status check_nan(gruI_task *task, gruI_node *node, gru_tensor *const *dx) {
  gru_runtime *rt = task->rt;
  for (int k = 0; k < node->ninputs; k++) {
    gru_tensor *nan = NULL, *any = NULL;
    int64_t found = 0;
    if (!dx[k]) continue;
    int mode = gru_set_grad_enabled(rt, 0);
    gru_status status = gruI_call1(GRU_OP_ISNAN, dx[k], NULL, &nan);
    if (status == GRU_OK) status = gruI_call1(GRU_OP_ANY, nan, NULL, &any);
    if (status == GRU_OK) status = gru_tensor_item_integer(any, &found);
    gru_set_grad_enabled(rt, mode);
    gru_tensor_release(nan);
    gru_tensor_release(any);
    if (status != GRU_OK) return status;
    if (found)
      return gruI_fail(rt, GRU_ERROR_AUTOGRAD,
                       "backward: %s gave NaN as the gradient of its input %d%s%s",
                       gruI_node_text(node).s, k + 1, node->trace ? "; it was called here:\n" : "",
                       node->trace ? node->trace : "");
  }
  return GRU_OK;
}

static gru_status run_rule(gruI_task *task, gruI_node *node, gru_tensor *g) {
  enum { FEW = 8 };
  gru_tensor *few[FEW] = {NULL}, **dx = few;
  if (node->released)
    return gruI_fail(task->rt, GRU_ERROR_AUTOGRAD,
                     "backward: a second time through %s, whose saved tensors are gone; the first "
                     "call needs {retain_graph = true}",
                     gruI_node_text(node).s);
  if (node->ninputs > FEW && !(dx = calloc((size_t)node->ninputs, sizeof *dx)))
    return gruI_fail(task->rt, GRU_ERROR_MEMORY, "backward: out of memory");
  gruI_vjp v = {.rt = task->rt,
                .node = node,
                .task = task,
                .name = node->op->name,
                .attrs = node->attrs,
                .g = g,
                .dx = dx,
                .composing = (task->flags & GRU_CREATE_GRAPH) != 0};
  gru_status status = gruI_node_unpack(node, &v);
  if (status == GRU_OK) status = node->op->vjp(&v);
  for (int i = 0; i < GRUI_MAX_SAVED; i++) gru_tensor_release(v.x[i]);
  for (int i = 0; i < GRU_MAX_OUTPUTS; i++) gru_tensor_release(v.y[i]);
  for (int i = 0; i < GRUI_MAX_EXTRAS; i++) gru_tensor_release(v.extra[i]);
  if (!(task->flags & GRU_RETAIN_GRAPH)) { /* nor will its hooks run again */
    gruI_node_drop_saved(node);
    if (node->hooks && node->hooks->running == 0) {
      gruI_hooks_free(node->hooks);
      node->hooks = NULL;
    }
  }
  if (status == GRU_OK && task->rt->trace) status = check_nan(task, node, dx);
  if (status == GRU_OK) status = deliver(task, node, dx);
  for (int k = 0; k < node->ninputs; k++) gru_tensor_release(dx[k]);
  if (dx != few) free(dx);
  return status;
}

/* The time of a rule belongs to the line that called the op. */
static gru_status call_rule(gruI_task *task, gruI_node *node, gru_tensor *g) {
  gru_runtime *rt = task->rt;
  if (!rt->profile) return run_rule(task, node, g);
  const char *chunk = rt->origin;
  int line = rt->origin_line;
  gru_status status;
  gru_set_origin(rt, node->origin, node->origin_line);
  GRUI_SPAN(rt, node->op->name, GRU_SPAN_RULE, status, run_rule(task, node, g));
  gru_set_origin(rt, chunk, line);
  return status;
}

/* So does that of a product which was put off. */
static gru_status flush_pairs(gruI_task *task, int32_t i) {
  gru_runtime *rt = task->rt;
  const gruI_pairs *pairs = &task->slots[i].pairs;
  if (!rt->profile || (pairs->count == 0 && !pairs->begun)) return gruI_pairs_flush(task, i);
  const char *chunk = rt->origin;
  int line = rt->origin_line;
  gru_status status;
  gru_set_origin(rt, pairs->origin, pairs->origin_line);
  GRUI_SPAN(rt, gruI_op_table[GRU_OP_MATMUL].name, GRU_SPAN_LATER, status,
            gruI_pairs_flush(task, i));
  gru_set_origin(rt, chunk, line);
  return status;
}

/* A complete gradient: held pairs, hooks, retain_grad, capture.  *grad is taken from the slot. */
static gru_status finish(gruI_task *task, int32_t i, gru_tensor **grad) {
  GRUI_TRY(flush_pairs(task, i));
  gruI_slot *slot = &task->slots[i];
  if (!slot->grad) return GRU_OK;
  GRUI_TRY(gruI_hooks_run(slot->node ? slot->node->hooks : slot->leaf->hooks, 0, &slot->grad));
  slot = &task->slots[i];
  gru_tensor *watcher = slot->node ? slot->node->retained[0] : NULL;
  if (watcher) {
    gru_tensor *kept;
    if (task->flags & GRU_CREATE_GRAPH)
      kept = gru_tensor_retain(slot->grad);
    else
      GRUI_TRY(gruI_tensor_twin(slot->grad, &kept));
    gru_tensor_release(watcher->grad);
    watcher->grad = kept;
  }
  if (slot->capture >= 0) task->results[slot->capture] = gru_tensor_retain(slot->grad);
  *grad = slot->grad;
  slot->grad = NULL;
  return GRU_OK;
}

/* Is nothing beyond this slot asked for? */
static bool is_end(const gruI_task *task, int32_t slot) {
  return task->bounded && task->slots[slot].capture >= 0;
}

static gru_status run_nodes(gruI_task *task) {
  while (task->heap_count > 0) {
    int32_t i = gruI_task_next(task);
    gru_tensor *g = NULL;
    gru_status status = finish(task, i, &g);
    gruI_node *node = task->slots[i].node;
    if (status == GRU_OK && g && !is_end(task, i)) status = call_rule(task, node, g);
    gru_tensor_release(g);
    if (status != GRU_OK) return status;
  }
  return GRU_OK;
}

/* Of grad's leaves, those that it was asked for. */
static bool is_wanted_leaf(const gruI_task *task, int32_t i) {
  return !task->slots[i].node && !(task->results && task->slots[i].capture < 0);
}

/* All products first: what waits may be a .grad that is about to be added to. */
static gru_status run_leaves(gruI_task *task) {
  for (int32_t i = 0; i < task->count; i++)
    if (is_wanted_leaf(task, i)) GRUI_TRY(flush_pairs(task, i));
  for (int32_t i = 0; i < task->count; i++) {
    if (!is_wanted_leaf(task, i)) continue;
    gru_tensor *g = NULL;
    gru_status status = finish(task, i, &g);
    if (status == GRU_OK && g && task->accumulate)
      status = accumulate_leaf(task, task->slots[i].leaf, g);
    gru_tensor_release(g);
    if (status != GRU_OK) return status;
  }
  return GRU_OK;
}

/* ---- a whole backward ---------------------------------------------------------------------------- */

/* Puts dL/d(output) into the output's slot. */
static gru_status seed(gruI_task *task, gru_tensor *output, gru_tensor *grad) {
  gru_runtime *rt = task->rt;
  gru_tensor *g;
  if (gruI_inplace_is_stale(output)) GRUI_TRY(gruI_inplace_refresh(output));
  if (!gruI_requires_grad(output))
    return gruI_fail(rt, GRU_ERROR_AUTOGRAD,
                     "backward: the output does not require grad: no parameter took part in it, "
                     "or it was computed under no_grad()");
  if (grad) {
    if (!gruI_same_shape(grad, output) || grad->dtype != output->dtype)
      return gruI_fail(rt, GRU_ERROR_SHAPE, "backward: a gradient of %s %s for an output of %s %s",
                       gru_dtype_name((gru_dtype)grad->dtype), gruI_tensor_text(grad).s,
                       gru_dtype_name((gru_dtype)output->dtype), gruI_tensor_text(output).s);
    if (gruI_place_of(grad) != gruI_place_of(output))
      return gruI_fail(
          rt, GRU_ERROR_DEVICE,
          "backward: the gradient is on %s, the output on %s; move it with :to(\"%s\")",
          gru_tensor_device(grad), gru_tensor_device(output), gru_tensor_device(output));
    g = gru_tensor_retain(grad);
  } else {
    if (output->numel != 1)
      return gruI_fail(rt, GRU_ERROR_SHAPE,
                       "backward: only a one-element output has a gradient of its own, the shape "
                       "is %s; reduce it with :sum() or :mean(), or pass a gradient",
                       gruI_tensor_text(output).s);
    GRUI_TRY(gru_tensor_full(rt, (gru_dtype)output->dtype, output->ndim, output->shape,
                             gru_tensor_device(output), 1.0, &g));
  }
  int32_t slot = gruI_task_slot(task, output->node, output->node ? NULL : output);
  if (slot >= 0) return gruI_slot_add(task, &task->slots[slot], g);
  gru_tensor_release(g);
  return gruI_fail(rt, GRU_ERROR_MEMORY, "backward: out of memory");
}

static void end_task(gruI_task *task) {
  for (int32_t i = 0; i < task->count; i++) {
    gru_tensor_release(task->slots[i].grad);
    gruI_pairs_free(&task->slots[i].pairs);
    gruI_node_release(task->slots[i].node);
    gru_tensor_release(task->slots[i].leaf);
  }
  free(task->slots);
  free(task->heap);
  free(task->table);
}

static gru_status run(gruI_task *task, int n, gru_tensor *const *outputs,
                      gru_tensor *const *grads) {
  gru_runtime *rt = task->rt;
  if (task->flags & GRU_CREATE_GRAPH) task->flags |= GRU_RETAIN_GRAPH;
  int mode = gru_set_grad_enabled(rt, (task->flags & GRU_CREATE_GRAPH) != 0);
  gru_status status = GRU_OK;
  gruI_pending_settle(rt);
  rt->in_backward++;
  for (int i = 0; i < n && status == GRU_OK; i++)
    status = seed(task, outputs[i], grads ? grads[i] : NULL);
  if (status == GRU_OK) status = run_nodes(task);
  if (status == GRU_OK) status = run_leaves(task);
  rt->in_backward--;
  gru_set_grad_enabled(rt, mode);
  return status;
}

static gru_status backward(gru_runtime *rt, int n, gru_tensor *const *outputs,
                           gru_tensor *const *grads, int flags) {
  gruI_task task = {.rt = rt, .flags = flags, .accumulate = true};
  gru_status status = run(&task, n, outputs, grads);
  end_task(&task);
  return status;
}

/* Marks the slots of the inputs as captured. */
static gru_status capture(gruI_task *task, int n, gru_tensor *const *inputs) {
  for (int i = 0; i < n; i++) {
    gru_tensor *t = inputs[i];
    if (!gruI_requires_grad(t))
      return gruI_fail(task->rt, GRU_ERROR_AUTOGRAD, "grad: input %d does not require grad", i + 1);
    int32_t slot = gruI_task_slot(task, t->node, t->node ? NULL : t);
    if (slot < 0) return gruI_fail(task->rt, GRU_ERROR_MEMORY, "grad: out of memory");
    if (task->slots[slot].capture < 0) task->slots[slot].capture = i;
  }
  return GRU_OK;
}

static gru_status grad(gru_runtime *rt, int n, gru_tensor *const *outputs, gru_tensor *const *grads,
                       int ninputs, gru_tensor *const *inputs, gru_tensor **results, int flags,
                       bool bounded) {
  gruI_task task = {.rt = rt, .flags = flags, .bounded = bounded, .ninputs = ninputs};
  if (ninputs < 1) return gruI_fail(rt, GRU_ERROR_ARGUMENT, "grad: no inputs");
  task.results = calloc((size_t)ninputs, sizeof *task.results);
  if (!task.results) return gruI_fail(rt, GRU_ERROR_MEMORY, "grad: out of memory");
  gru_status status = capture(&task, ninputs, inputs);
  if (status == GRU_OK) status = run(&task, n, outputs, grads);
  for (int i = 0; i < ninputs && status == GRU_OK; i++) /* an input given twice */
    for (int j = 0; j < i && !task.results[i]; j++)
      if (inputs[j] == inputs[i] && task.results[j])
        task.results[i] = gru_tensor_retain(task.results[j]);
  for (int i = 0; i < ninputs && status == GRU_OK; i++)
    if (!task.results[i] && !(flags & GRU_ALLOW_UNUSED))
      status = gruI_fail(rt, GRU_ERROR_AUTOGRAD,
                         "grad: the outputs do not depend on input %d; pass {allow_unused = true} "
                         "to get nil for it",
                         i + 1);
  for (int i = 0; i < ninputs; i++) {
    if (status == GRU_OK)
      results[i] = task.results[i];
    else
      gru_tensor_release(task.results[i]);
  }
  end_task(&task);
  free(task.results);
  return status;
}

/* ---- the same, profiled ---------------------------------------------------------------------------- */

gru_status gru_backward(gru_runtime *rt, int n, gru_tensor *const *outputs,
                        gru_tensor *const *grads, int flags) {
  gru_status status;
  GRUI_SPAN(rt, "backward", GRU_SPAN_BACKWARD, status, backward(rt, n, outputs, grads, flags));
  return status;
}

gru_status gru_grad(gru_runtime *rt, int n, gru_tensor *const *outputs, gru_tensor *const *grads,
                    int ninputs, gru_tensor *const *inputs, gru_tensor **results, int flags) {
  gru_status status;
  GRUI_SPAN(rt, "grad", GRU_SPAN_BACKWARD, status,
            grad(rt, n, outputs, grads, ninputs, inputs, results, flags, ninputs == 1));
  return status;
}

gru_status gruI_grad_within(gru_runtime *rt, gru_tensor *y, gru_tensor *g, int n,
                            gru_tensor *const *inputs, gru_tensor **results) {
  return grad(rt, 1, &y, &g, n, inputs, results, GRU_CREATE_GRAPH | GRU_ALLOW_UNUSED, true);
}

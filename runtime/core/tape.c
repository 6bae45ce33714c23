/* tape.c - nodes: recording a call, saving, releasing. */
#include "core/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t node_bytes(int ninputs) {
  return sizeof(gruI_node) + (size_t)ninputs * sizeof(gruI_input);
}

bool gruI_requires_grad(const gru_tensor *t) { return t->leaf_grad || t->node; }

/* ---- saving ------------------------------------------------------------------------------- */

/* Keeps the value of `t` without its history: a result is about to get the node as its history, a
** constant may get one that leads to the node when it is written in place.  Keeping the tensor
** itself would make a cycle. */
static gru_status save(gru_tensor *t, gruI_saved *out) {
  gru_tensor *kept;
  if (gruI_is_number(t))
    kept = gru_tensor_retain(t);
  else
    GRUI_TRY(gruI_tensor_twin(t, &kept));
  *out = (gruI_saved){kept, gru_tensor_version(t)};
  return GRU_OK;
}

static gru_status save_all(gruI_node *node, gruI_call *c) {
  uint32_t uses = 0;
  int n = c->n < GRUI_MAX_SAVED ? c->n : GRUI_MAX_SAVED;
  for (int k = 0; k < n; k++)
    if (node->in[k].node || node->in[k].leaf) uses |= c->uses[k];
  for (int i = 0; i < n; i++)
    if ((uses & GRUI_USES_X(i)) && c->in[i]) GRUI_TRY(save(c->in[i], &node->in[i].saved));
  for (int i = 0; i < GRU_MAX_OUTPUTS; i++)
    if ((uses & GRUI_USES_Y(i)) && c->out[i]) GRUI_TRY(save(c->out[i], &node->y[i]));
  for (int i = 0; i < GRUI_MAX_EXTRAS; i++)
    if ((uses & GRUI_USES_EXTRA) && c->extra[i]) GRUI_TRY(save(c->extra[i], &node->extra[i]));
  return GRU_OK;
}

/* Was there anything to let go? */
static bool unsave(gruI_saved *saved) {
  bool was = saved->tensor != NULL;
  gru_tensor_release(saved->tensor);
  saved->tensor = NULL;
  return was;
}

void gruI_node_drop_saved(gruI_node *node) {
  bool any = false;
  for (int i = 0; i < GRUI_MAX_EXTRAS; i++) any = unsave(&node->extra[i]) || any;
  for (int i = 0; i < node->ninputs; i++) any = unsave(&node->in[i].saved) || any;
  for (int i = 0; i < GRU_MAX_OUTPUTS; i++) any = unsave(&node->y[i]) || any;
  if (any) node->released = true; /* a node that needs nothing may run again */
}

/* ---- recording ------------------------------------------------------------------------------ */

static void link_input(gruI_input *in, gru_tensor *t) {
  if (t->node) {
    in->node = t->node;
    in->node->refs++;
    in->output = t->output;
  } else if (t->leaf_grad) {
    in->leaf = gru_tensor_retain(t);
  }
  in->ndim = t->ndim;
  in->dtype = t->dtype;
  in->place = t->storage ? gruI_place_of(t) : NULL;
  memcpy(in->shape, t->shape, sizeof in->shape);
}

/* A node for `c`, whose result 0 is `result`. */
static gru_status make_node(gruI_call *c, gru_tensor *result, gruI_node **out) {
  gru_runtime *rt = c->rt;
  gruI_node *node = gruI_object_new(rt, node_bytes(c->n));
  if (!node) return gruI_fail(rt, GRU_ERROR_MEMORY, "%s: out of memory", c->name);
  node->rt = rt;
  node->op = c->op;
  node->refs = 1;
  node->ninputs = c->n;
  node->sequence = ++rt->sequence;
  node->dtype = (gru_dtype)result->dtype;
  node->origin = rt->origin;
  node->origin_line = rt->origin_line;
  if (rt->trace) node->trace = rt->trace(rt->trace_context);
  for (int i = 0; i < c->n; i++)
    if (c->in[i]) link_input(&node->in[i], c->in[i]);
  gru_status status = GRU_OK;
  if (!(c->op->flags & GRU_ELEMENTWISE)) {
    if ((node->attrs = gruI_object_new(rt, sizeof *node->attrs)))
      *node->attrs = *c->attrs;
    else
      status = gruI_fail(rt, GRU_ERROR_MEMORY, "%s: out of memory", c->name);
  }
  if (status == GRU_OK) status = save_all(node, c);
  if (status == GRU_OK)
    *out = node;
  else
    gruI_node_release(node);
  return status;
}

gru_status gruI_tape_record(gruI_call *c) {
  gruI_node *node;
  GRUI_TRY(make_node(c, c->out[0], &node));
  c->out[0]->node = node;
  c->out[0]->output = 0;
  return GRU_OK;
}

gru_status gruI_tape_rebase(gruI_call *c, gru_tensor *self) {
  gruI_node *node;
  c->out[0] = self; /* borrowed, for what is saved */
  GRUI_TRY(make_node(c, self, &node));
  c->out[0] = NULL;
  gruI_tape_cut(self);
  self->node = node;
  self->output = 0;
  if (self->retains_grad) node->retained[0] = self;
  return GRU_OK;
}

/* ---- releasing: iterative, since a graph may be a million nodes deep ------------------------- */

static void free_node(gruI_node *node) {
  gruI_node_drop_saved(node);
  for (int i = 0; i < node->ninputs; i++) {
    gruI_node_release(node->in[i].node);
    gru_tensor_release(node->in[i].leaf);
  }
  gruI_hooks_free(node->hooks);
  free(node->trace);
  if (node->custom) {
    if (node->custom->release) node->custom->release(node->custom->context);
    gruI_object_free(node->rt, node->custom, sizeof *node->custom);
  }
  if (node->attrs) gruI_object_free(node->rt, node->attrs, sizeof *node->attrs);
  gruI_object_free(node->rt, node, node_bytes(node->ninputs));
}

void gruI_node_release(gruI_node *node) {
  if (!node || --node->refs > 0) return;
  gru_runtime *rt = node->rt;
  node->next_dying = rt->dying;
  rt->dying = node;
  if (rt->releasing) return; /* the loop below, further up the stack, takes it from the list */
  rt->releasing = true;
  rt->objects++; /* the runtime outlives the loop */
  while (rt->dying) {
    gruI_node *next = rt->dying;
    rt->dying = next->next_dying;
    free_node(next);
  }
  rt->releasing = false;
  gruI_object_free(rt, NULL, 1);
}

void gruI_tape_cut(gru_tensor *t) {
  if (t->retains_grad && t->node) t->node->retained[t->output] = NULL;
  gruI_node_release(t->node);
  t->node = NULL;
}

void gruI_tape_forget(gru_tensor *t) {
  gruI_tape_cut(t);
  gruI_hooks_free(t->hooks);
}

gruI_text gruI_node_text(const gruI_node *node) {
  gruI_text text;
  if (node->origin)
    snprintf(text.s, sizeof text.s, "%s (%.120s:%d)", node->op->name, node->origin,
             node->origin_line);
  else
    snprintf(text.s, sizeof text.s, "%s", node->op->name);
  return text;
}

/* ---- reading back ---------------------------------------------------------------------------- */

static gru_status check_version(gruI_node *node, const gruI_saved *saved) {
  const gru_tensor *t = saved->tensor;
  if (!t || gru_tensor_version(t) == saved->version) return GRU_OK;
  return gruI_fail(node->rt, GRU_ERROR_AUTOGRAD,
                   "backward: %s of shape %s that %s saved has been changed in place since "
                   "(version %llu, saved at %llu); use the out-of-place op, or :clone() it before",
                   gru_dtype_name((gru_dtype)t->dtype), gruI_tensor_text(t).s,
                   gruI_node_text(node).s, (unsigned long long)gru_tensor_version(t),
                   (unsigned long long)saved->version);
}

/* Under create_graph a saved value gets its history back: input i from the input's edge, a
** result from the node itself.  New reference. */
static gru_status with_history(gruI_saved *saved, gruI_node *node, int output, gru_tensor *leaf,
                               gru_tensor **out) {
  *out = NULL;
  if (!saved->tensor) return GRU_OK;
  if (leaf) {
    *out = gru_tensor_retain(leaf);
    return GRU_OK;
  }
  GRUI_TRY(gruI_tensor_twin(saved->tensor, out));
  if (node) {
    (*out)->node = node;
    node->refs++;
    (*out)->output = output;
  }
  return GRU_OK;
}

gru_status gruI_node_unpack(gruI_node *node, gruI_vjp *v) {
  int n = node->ninputs < GRUI_MAX_SAVED ? node->ninputs : GRUI_MAX_SAVED;
  for (int i = 0; i < n; i++) GRUI_TRY(check_version(node, &node->in[i].saved));
  for (int i = 0; i < GRU_MAX_OUTPUTS; i++) GRUI_TRY(check_version(node, &node->y[i]));
  for (int i = 0; i < GRUI_MAX_EXTRAS; i++) GRUI_TRY(check_version(node, &node->extra[i]));
  for (int i = 0; i < n; i++) {
    gruI_input *in = &node->in[i];
    GRUI_TRY(with_history(&in->saved, v->composing ? in->node : NULL, in->output,
                          v->composing ? in->leaf : NULL, &v->x[i]));
  }
  for (int i = 0; i < GRU_MAX_OUTPUTS; i++)
    GRUI_TRY(with_history(&node->y[i], v->composing && i == 0 ? node : NULL, i, NULL, &v->y[i]));
  for (int i = 0; i < GRUI_MAX_EXTRAS; i++)
    GRUI_TRY(with_history(&node->extra[i], NULL, 0, NULL, &v->extra[i]));
  return GRU_OK;
}

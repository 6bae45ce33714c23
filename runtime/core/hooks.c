/* hooks.c - functions that see a gradient when it is complete; leaves and their .grad. */
#include "core/graph.h"
#include "core/tape.h"

struct gruI_hook_entry {
  uint64_t id;
  int output;    /* of the node; 0 for a leaf */
  gru_hook hook; /* NULL: removed */
  void (*release)(void *context);
  void *context;
  gru_runtime *rt;
  gruI_hook_entry *next;
};

static void free_entry(gruI_hook_entry *entry) {
  if (entry->release) entry->release(entry->context);
  gruI_object_free(entry->rt, entry, sizeof *entry);
}

void gruI_hooks_free(gruI_hook_list *hooks) {
  if (!hooks) return;
  gru_runtime *rt = hooks->rt;
  for (gruI_hook_entry *entry = hooks->first, *next; entry; entry = next) {
    next = entry->next;
    free_entry(entry);
  }
  gruI_object_free(rt, hooks, sizeof *hooks);
}

gru_status gru_tensor_add_hook(gru_tensor *t, gru_hook hook, void (*release)(void *), void *context,
                               uint64_t *id) {
  gru_runtime *rt = t->rt;
  if (!gruI_requires_grad(t))
    return gruI_fail(rt, GRU_ERROR_AUTOGRAD,
                     "register_hook: the tensor does not require grad, no gradient will come");
  gruI_hook_list **list = t->node ? &t->node->hooks : &t->hooks;
  gruI_hook_entry *entry = gruI_object_new(rt, sizeof *entry);
  if (entry && !*list && (*list = gruI_object_new(rt, sizeof **list))) (*list)->rt = rt;
  if (!entry || !*list) {
    if (entry) gruI_object_free(rt, entry, sizeof *entry);
    return gruI_fail(rt, GRU_ERROR_MEMORY, "register_hook: out of memory");
  }
  *entry =
      (gruI_hook_entry){++rt->next_hook, t->node ? t->output : 0, hook, release, context, rt, NULL};
  gruI_hook_entry **last = &(*list)->first; /* hooks run in the order they were added */
  while (*last) last = &(*last)->next;
  *last = entry;
  *id = entry->id;
  return GRU_OK;
}

/* Frees the entries that were removed. */
static void sweep(gruI_hook_list *hooks) {
  for (gruI_hook_entry **at = &hooks->first; *at;) {
    gruI_hook_entry *entry = *at;
    if (entry->hook) {
      at = &entry->next;
    } else {
      *at = entry->next;
      free_entry(entry);
    }
  }
}

void gru_tensor_remove_hook(gru_tensor *t, uint64_t id) {
  gruI_hook_list *hooks = t->node ? t->node->hooks : t->hooks;
  for (gruI_hook_entry *entry = hooks ? hooks->first : NULL; entry; entry = entry->next)
    if (entry->id == id) entry->hook = NULL;
  if (hooks && hooks->running == 0) sweep(hooks);
}

/* One hook; its answer takes the place of *grad. */
static gru_status run_one(gruI_hook_entry *entry, gru_tensor **grad) {
  gru_runtime *rt = entry->rt;
  gru_tensor *replacement = NULL;
  GRUI_TRY(entry->hook(entry->context, *grad, &replacement));
  if (!replacement) return GRU_OK;
  if (!gruI_same_shape(replacement, *grad) || replacement->dtype != (*grad)->dtype) {
    gru_status status = gruI_fail(
        rt, GRU_ERROR_SHAPE, "hook: it returned %s %s in place of a gradient that is %s %s",
        gru_dtype_name((gru_dtype)replacement->dtype), gruI_tensor_text(replacement).s,
        gru_dtype_name((gru_dtype)(*grad)->dtype), gruI_tensor_text(*grad).s);
    gru_tensor_release(replacement);
    return status;
  }
  if (gruI_place_of(replacement) != gruI_place_of(*grad)) {
    gru_status status =
        gruI_fail(rt, GRU_ERROR_DEVICE, "hook: it returned a tensor on %s in place of one on %s",
                  gru_tensor_device(replacement), gru_tensor_device(*grad));
    gru_tensor_release(replacement);
    return status;
  }
  gru_tensor_release(*grad);
  *grad = replacement;
  return GRU_OK;
}

gru_status gruI_hooks_run(gruI_hook_list *hooks, int output, gru_tensor **grad) {
  if (!hooks) return GRU_OK;
  gru_status status = GRU_OK;
  gruI_pool_settle(hooks->rt->pool);
  hooks->running++; /* a hook may remove itself, or others: entries go afterwards */
  for (gruI_hook_entry *entry = hooks->first; entry && status == GRU_OK; entry = entry->next)
    if (entry->hook && entry->output == output) status = run_one(entry, grad);
  if (--hooks->running == 0) sweep(hooks);
  return status;
}

/* ---- what a tensor says of its gradient ------------------------------------------------------ */

int gru_tensor_requires_grad(const gru_tensor *t) { return gruI_requires_grad(t); }
int gru_tensor_is_leaf(const gru_tensor *t) { return t->node == NULL; }
gru_tensor *gru_tensor_grad(gru_tensor *t) {
  gruI_graph_sees_grad(t, true);
  return t->grad;
}
const char *gru_tensor_grad_op(const gru_tensor *t) { return t->node ? t->node->op->name : NULL; }

gru_status gru_tensor_set_requires_grad(gru_tensor *t, int requires_grad) {
  if (requires_grad && !gruI_is_float((gru_dtype)t->dtype))
    return gruI_fail(t->rt, GRU_ERROR_DTYPE,
                     "requires_grad: only float tensors have gradients, this is %s; use :float()",
                     gru_dtype_name((gru_dtype)t->dtype));
  if (t->node && !requires_grad)
    return gruI_fail(t->rt, GRU_ERROR_AUTOGRAD,
                     "requires_grad: it can be switched off for leaves only; use :detach()");
  if (!t->node) t->leaf_grad = requires_grad != 0;
  return GRU_OK;
}

gru_status gru_tensor_retain_grad(gru_tensor *t) {
  if (!gruI_requires_grad(t))
    return gruI_fail(t->rt, GRU_ERROR_AUTOGRAD, "retain_grad: the tensor does not require grad");
  if (t->node) {
    t->retains_grad = true;
    t->node->retained[t->output] = t;
  }
  return GRU_OK;
}

gru_status gru_tensor_set_grad(gru_tensor *t, gru_tensor *grad) {
  if (grad && (!gruI_same_shape(t, grad) || t->dtype != grad->dtype))
    return gruI_fail(t->rt, GRU_ERROR_SHAPE, "grad: %s %s cannot be the gradient of %s %s",
                     gru_dtype_name((gru_dtype)grad->dtype), gruI_tensor_text(grad).s,
                     gru_dtype_name((gru_dtype)t->dtype), gruI_tensor_text(t).s);
  if (grad && gruI_place_of(grad) != gruI_place_of(t))
    return gruI_fail(t->rt, GRU_ERROR_DEVICE, "grad: it is on %s, the tensor on %s",
                     gru_tensor_device(grad), gru_tensor_device(t));
  gruI_graph_sees_grad(t, false);
  if (grad) gru_tensor_retain(grad);
  gru_tensor_release(t->grad);
  t->grad = grad;
  return GRU_OK;
}

gru_status gru_tensor_detach(gru_tensor *t, gru_tensor **out) { return gruI_tensor_twin(t, out); }

/* pairs.c - held pairs: the gradient of a matrix that is used at every step of a sequence.
**
** dW = sum_t x_t^T g_t, one thin product a step, is the same as one product of the stacked x
** and g: thirty-five products with inner size 32 become one with 1,120.  Pairs wait in the
** slot of W, seen through a transpose, until W's last consumer has run.
**
** While they wait, groups of a hundred rows or so are multiplied by the pool's helpers: between the
** products of a backward there is work that keeps one thread busy alone.  Larger groups would be there
** too late: until the first is, a helper has little to do.  How pairs are
** grouped follows from their shapes (and from there being memory for it), so the bits do not depend on who
** has time.
*/
#include <stdlib.h>

#include "core/backward.h"
#include "core/pool.h"

enum {
  MAX_HELD_BYTES = 64 << 20,
  GROUP_ROWS = 128, /* of a group: as many steps as it takes ... */
  THIN_ROWS = 128   /* ... of steps of at most so many */
};

struct gruI_pair_group {
  gruI_pairs pairs;
  gruI_storage *room;
  gruI_pair_group *next;
};

static void free_list(gruI_pairs *pairs) {
  for (int32_t i = 0; i < pairs->count; i++) {
    gru_tensor_release(pairs->list[i].x);
    gru_tensor_release(pairs->list[i].g);
  }
  free(pairs->list);
}

/* What was kept of x must be as it was. */
static gru_status check_versions(const gruI_pairs *pairs) {
  for (int32_t i = 0; i < pairs->count; i++) {
    gru_tensor *x = pairs->list[i].x;
    if (gru_tensor_version(x) != pairs->list[i].version)
      return gruI_fail(x->rt, GRU_ERROR_AUTOGRAD,
                       "backward: a tensor of shape %s that matmul saved has been changed in "
                       "place during backward",
                       gruI_tensor_text(x).s);
  }
  return GRU_OK;
}

/* Ends the first group: its product is in dw, or given up. */
static gru_status end_group(gruI_pairs *pairs, int withdraw) {
  gruI_pair_group *group = pairs->groups;
  gruI_device *device = gruI_device_of(pairs->dw);
  gru_status status = device->k->later_end(device, group->room->data, withdraw);
  pairs->groups = group->next;
  pairs->under_way -= group->pairs.bytes;
  if (!withdraw) status = gruI_kernel_failed(pairs->dw->rt, "matmul", device, status);
  free_list(&group->pairs);
  gruI_storage_release(group->room);
  free(group);
  return status;
}

void gruI_pairs_free(gruI_pairs *pairs) {
  while (pairs->groups) (void)end_group(pairs, 1);
  gru_tensor_release(pairs->dw);
  free_list(pairs);
  *pairs = (gruI_pairs){0};
}

/* What keeping the elements of `t` takes; of one-hot rows these are ids. */
static int64_t held_bytes(const gru_tensor *t) {
  const gruI_hot *hot = t->storage->hot;
  return hot ? t->numel / hot->classes * (int64_t)gru_dtype_size(GRU_INT64)
             : t->numel * (int64_t)gru_dtype_size((gru_dtype)t->dtype);
}

static bool push(gruI_pairs *pairs, gru_tensor *x, gru_tensor *g) {
  if (pairs->count == pairs->capacity) {
    int32_t capacity = pairs->capacity ? pairs->capacity * 2 : 16;
    gruI_pair *list = realloc(pairs->list, (size_t)capacity * sizeof *list);
    if (!list) return false;
    pairs->list = list;
    pairs->capacity = capacity;
  }
  pairs->list[pairs->count++] =
      (gruI_pair){gru_tensor_retain(x), gru_tensor_retain(g), gru_tensor_version(x)};
  pairs->bytes += held_bytes(x) + held_bytes(g);
  pairs->rows += x->shape[0];
  pairs->single |= x->shape[0] > THIN_ROWS || x->storage->hot || g->storage->hot;
  return true;
}

/* ---- groups -------------------------------------------------------------------------------- */

/* Begins the product of what waits; leaves it waiting where that does not suit.  Nobody can change x and
** g before it is done: gruI_pool_settle comes before foreign code, and leaves' gradients are added to
** when all products are there. */
static gru_status begin_group(gruI_pairs *pairs) {
  GRUI_TRY(check_versions(pairs));
  gruI_pair_group *group = calloc(1, sizeof *group), **link = &pairs->groups;
  if (!group) return GRU_OK;
  gru_status status = pairs->dw ? GRU_OK : gruI_pairs_room(pairs, &pairs->dw);
  if (status == GRU_OK) status = gruI_pairs_begin(pairs, pairs->dw, pairs->begun, &group->room);
  if (status != GRU_OK || !group->room) {
    pairs->single = true;
    free(group);
    return status;
  }
  while (*link) link = &(*link)->next;
  *link = group;
  group->pairs = (gruI_pairs){.list = pairs->list, .count = pairs->count, .bytes = pairs->bytes};
  pairs->under_way += pairs->bytes;
  pairs->list = NULL;
  pairs->count = pairs->capacity = 0;
  pairs->rows = pairs->bytes = 0;
  pairs->begun = true;
  return GRU_OK;
}

static gru_status group_up(gruI_pairs *pairs) {
  const gruI_kernels *k = gruI_device_of(pairs->list[0].g)->k;
  while (pairs->groups &&
         (pairs->under_way > MAX_HELD_BYTES || k->later_is_done(pairs->groups->room->data)))
    GRUI_TRY(end_group(pairs, 0));
  if (!k->later_bytes || pairs->single || pairs->rows < GROUP_ROWS) return GRU_OK;
  return begin_group(pairs);
}

/* ---- holding ------------------------------------------------------------------------------- */

/* Is the input the plain transpose of a matrix, which nobody watches? */
static bool is_transpose(const gruI_input *in) {
  const gruI_node *node = in->node;
  return node && node->op->id == GRU_OP_TRANSPOSE && node->in[0].ndim == 2 &&
         (node->attrs->dims[0] - node->attrs->dims[1]) % 2 != 0 &&
         !(node->hooks && node->hooks->first) && !node->retained[0];
}

/* Does gru_grad ask for the gradient of what the node made? */
static bool is_captured(gruI_task *task, gruI_node *node) {
  if (!task->results) return false;
  int32_t slot = gruI_task_slot(task, node, NULL);
  return slot < 0 || task->slots[slot].capture >= 0;
}

/* Are there none of other sizes? */
static bool fits(const gruI_pairs *pairs, int64_t m, int64_t n) {
  if (pairs->dw && (pairs->dw->shape[0] != m || pairs->dw->shape[1] != n)) return false;
  return pairs->count == 0 || (pairs->list[0].x->shape[1] == m && pairs->list[0].g->shape[1] == n);
}

gru_status gruI_vjp_hold(gruI_vjp *v, int k, gru_tensor *x, gru_tensor *g, bool *held) {
  gruI_input *in = &v->node->in[k];
  *held = false;
  if (v->composing || v->rt->trace || x->ndim != 2 || g->ndim != 2 || in->ndim != 2 ||
      x->dtype != in->dtype || g->dtype != in->dtype)
    return GRU_OK;
  if (is_transpose(in) && !is_captured(v->task, in->node)) {
    in = &in->node->in[0];
    gru_tensor *swap = x;
    x = g, g = swap;
  }
  int32_t i = gruI_task_slot(v->task, in->node, in->leaf);
  if (i < 0) return GRU_OK;
  gruI_slot *slot = &v->task->slots[i];
  int64_t width_x = x->shape[1], width_g = g->shape[1];
  if (!fits(&slot->pairs, width_x, width_g)) return GRU_OK;
  *held = push(&slot->pairs, x, g);
  slot->pairs.origin = v->node->origin;
  slot->pairs.origin_line = v->node->origin_line;
  if (*held) GRUI_TRY(group_up(&slot->pairs));
  if (slot->pairs.bytes <= MAX_HELD_BYTES) return GRU_OK;
  return gruI_pairs_flush(v->task, i);
}

/* The sum over what has been begun and what waits. */
static gru_status sum_up(gruI_pairs *pairs, gru_tensor **dw) {
  while (pairs->groups) GRUI_TRY(end_group(pairs, 0));
  if (pairs->count > 0) GRUI_TRY(check_versions(pairs));
  if (!pairs->begun) return gruI_pairs_product(pairs, dw);
  if (pairs->count > 0) GRUI_TRY(gruI_pairs_multiply(pairs, pairs->dw, true));
  *dw = pairs->dw;
  pairs->dw = NULL;
  return GRU_OK;
}

gru_status gruI_pairs_flush(gruI_task *task, int32_t i) {
  gruI_pairs pairs = task->slots[i].pairs;
  if (pairs.count == 0 && !pairs.begun) return GRU_OK;
  task->slots[i].pairs = (gruI_pairs){0};
  gru_tensor *dw = NULL;
  gru_status status = sum_up(&pairs, &dw);
  if (status == GRU_OK) status = gruI_slot_add(task, &task->slots[i], dw);
  gruI_pairs_free(&pairs);
  return status;
}

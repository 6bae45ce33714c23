/* pairs.c - held pairs: the gradient of a matrix that is used at every step of a sequence.
**
** dW = sum_t x_t^T g_t, one thin product a step, is the same as one product of the stacked x
** and g: thirty-five products with inner size 32 become one with 1,120.  Pairs wait in the
** slot of W, seen through a transpose, until W's last consumer has run.
*/
#include <stdlib.h>

#include "core/backward.h"

enum { MAX_HELD_BYTES = 64 << 20 };

void gruI_pairs_free(gruI_pairs *pairs) {
  for (int32_t i = 0; i < pairs->count; i++) {
    gru_tensor_release(pairs->list[i].x);
    gru_tensor_release(pairs->list[i].g);
  }
  free(pairs->list);
  *pairs = (gruI_pairs){0};
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
  pairs->bytes +=
      (x->storage->hot ? 0 : x->numel + g->numel) * (int64_t)gru_dtype_size(GRU_FLOAT32);
  return true;
}

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
  if (slot->pairs.count > 0 &&
      (slot->pairs.list[0].x->shape[1] != width_x || slot->pairs.list[0].g->shape[1] != width_g))
    return GRU_OK;
  *held = push(&slot->pairs, x, g);
  slot->pairs.origin = v->node->origin;
  slot->pairs.origin_line = v->node->origin_line;
  if (slot->pairs.bytes <= MAX_HELD_BYTES) return GRU_OK;
  return gruI_pairs_flush(v->task, i);
}

/* The held x, or the held g, below each other. */
static gru_status stack_rows(gruI_pairs *pairs, bool want_g, gru_tensor **out) {
  gru_attrs rows = {.dims = {0}, .ndims = 1};
  gru_tensor *results[GRU_MAX_OUTPUTS];
  gru_tensor **list = malloc((size_t)pairs->count * sizeof *list);
  gru_runtime *rt = pairs->list[0].x->rt;
  if (!list) return gruI_fail(rt, GRU_ERROR_MEMORY, "matmul: out of memory in backward");
  for (int32_t i = 0; i < pairs->count; i++) list[i] = want_g ? pairs->list[i].g : pairs->list[i].x;
  gru_status status = GRU_OK;
  if (pairs->count == 1)
    results[0] = gru_tensor_retain(list[0]);
  else
    status = gru_op_call(rt, GRU_OP_CAT, list, pairs->count, &rows, results);
  free(list);
  if (status == GRU_OK) *out = results[0];
  return status;
}

static bool is_hot(const gru_tensor *t) { return gruI_tensor_is_hot(t, NULL, NULL); }

/* hot^T g for one-hot rows, or g^T hot: the rows of g added at the ids, in order. */
static gru_status scatter(gru_tensor *hot, gru_tensor *g, bool transposed, gru_tensor **out) {
  gru_runtime *rt = hot->rt;
  int64_t classes = hot->shape[1], width = g->shape[1];
  int64_t shape[] = {transposed ? width : classes, transposed ? classes : width};
  gruI_rows call = {.dtype = (gru_dtype)g->dtype, .outer = 1, .count = g->shape[0], .inner = width};
  gru_tensor *ids = NULL, *packed_ids = NULL, *packed = NULL, *dw = NULL;
  gru_status status = gruI_tensor_hot_ids(hot, &ids);
  if (status == GRU_OK) status = gruI_pack(ids, GRU_INT64, NULL, &packed_ids);
  if (status == GRU_OK) status = gruI_pack(g, call.dtype, NULL, &packed);
  if (status == GRU_OK)
    status = gruI_zeros(rt, "matmul", call.dtype, 2, shape, gruI_place_of(g), &dw);
  if (status == GRU_OK) {
    call.size = classes, call.base = hot->storage->hot->base;
    call.ids = gruI_data(packed_ids), call.id_stride = 1;
    call.x = gruI_data(dw), call.packed = gruI_data(packed);
    call.x_row = transposed ? 1 : width, call.x_inner = transposed ? classes : 1;
    gruI_device *device = gruI_device_of(dw);
    status = gruI_kernel_failed(rt, "matmul", device, device->k->put(device, &call));
  }
  gru_tensor_release(ids);
  gru_tensor_release(packed_ids);
  gru_tensor_release(packed);
  if (status == GRU_OK)
    *out = dw;
  else
    gru_tensor_release(dw);
  return status;
}

/* x^T g, whichever of them is one-hot. */
static gru_status product_of(gru_tensor *x, gru_tensor *g, gru_tensor **out) {
  gru_attrs swap = {.dims = {0, 1}, .ndims = 2};
  gru_tensor *t;
  if (is_hot(x)) return scatter(x, g, false, out);
  if (is_hot(g)) return scatter(g, x, true, out);
  GRUI_TRY(gruI_call1(GRU_OP_TRANSPOSE, x, &swap, &t));
  gru_status status = gruI_call2(GRU_OP_MATMUL, t, g, NULL, out);
  gru_tensor_release(t);
  return status;
}

static gru_status product(gruI_pairs *pairs, gru_tensor **out) {
  gru_tensor *x, *g;
  GRUI_TRY(stack_rows(pairs, false, &x));
  gru_status status = stack_rows(pairs, true, &g);
  if (status == GRU_OK) {
    status = product_of(x, g, out);
    gru_tensor_release(g);
  }
  gru_tensor_release(x);
  return status;
}

gru_status gruI_pairs_flush(gruI_task *task, int32_t i) {
  gruI_pairs pairs = task->slots[i].pairs;
  if (pairs.count == 0) return GRU_OK;
  task->slots[i].pairs = (gruI_pairs){0};
  gru_status status = GRU_OK;
  for (int32_t p = 0; p < pairs.count && status == GRU_OK; p++)
    if (gru_tensor_version(pairs.list[p].x) != pairs.list[p].version)
      status = gruI_fail(task->rt, GRU_ERROR_AUTOGRAD,
                         "backward: a tensor of shape %s that matmul saved has been changed in "
                         "place during backward",
                         gruI_tensor_text(pairs.list[p].x).s);
  gru_tensor *dw = NULL;
  if (status == GRU_OK) status = product(&pairs, &dw);
  if (status == GRU_OK) status = gruI_slot_add(task, &task->slots[i], dw);
  gruI_pairs_free(&pairs);
  return status;
}

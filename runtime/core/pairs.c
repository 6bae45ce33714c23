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

/* ---- the product ------------------------------------------------------------------------ */

/* The held x, or the held g, below each other. */
static gru_status stack_rows(gruI_pairs *pairs, bool want_g, gru_tensor **out) {
  gru_attrs rows = {.dims = {0}, .ndims = 1};
  gru_tensor *results[GRU_MAX_OUTPUTS];
  gru_tensor **list = malloc((size_t)pairs->count * sizeof *list);
  gru_runtime *rt = pairs->list[0].x->rt;
  if (!list) return gruI_fail(rt, GRU_ERROR_MEMORY, "matmul: out of memory in backward");
  for (int32_t i = 0; i < pairs->count; i++) list[i] = want_g ? pairs->list[i].g : pairs->list[i].x;
  gru_status status = gru_op_call(rt, GRU_OP_CAT, list, pairs->count, &rows, results);
  free(list);
  if (status == GRU_OK) *out = results[0];
  return status;
}

/* Makes one pair of many. */
static gru_status stack(gruI_pairs *pairs) {
  gru_tensor *x = NULL, *g = NULL;
  GRUI_TRY(stack_rows(pairs, false, &x));
  gru_status status = stack_rows(pairs, true, &g);
  if (status != GRU_OK) {
    gru_tensor_release(x);
    return status;
  }
  for (int32_t i = 0; i < pairs->count; i++) {
    gru_tensor_release(pairs->list[i].x);
    gru_tensor_release(pairs->list[i].g);
  }
  pairs->list[0] = (gruI_pair){x, g, gru_tensor_version(x)};
  pairs->count = 1;
  return GRU_OK;
}

/* x^T g of a single pair. */
static gru_status multiply(const gruI_pair *pair, gru_tensor **out) {
  gru_attrs swap = {.dims = {0, 1}, .ndims = 2};
  gru_tensor *t;
  GRUI_TRY(gruI_call1(GRU_OP_TRANSPOSE, pair->x, &swap, &t));
  gru_status status = gruI_call2(GRU_OP_MATMUL, t, pair->g, NULL, out);
  gru_tensor_release(t);
  return status;
}

/* Makes *t contiguous, and written out where it is one-hot. */
static gru_status pack(gru_tensor **t) {
  gru_tensor *packed;
  GRUI_TRY(gruI_pack(*t, (gru_dtype)(*t)->dtype, NULL, &packed));
  gru_tensor_release(*t);
  *t = packed;
  return GRU_OK;
}

/* x^T g of all pairs, from where they lie. */
static gru_status multiply_segments(gruI_pairs *pairs, gru_tensor **out) {
  gru_tensor *x = pairs->list[0].x, *g = pairs->list[0].g, *dw;
  gru_runtime *rt = x->rt;
  gruI_place *place = gruI_place_of(g); /* packing may release x and g */
  gruI_device *device = &place->device;
  gru_dtype dtype = (gru_dtype)g->dtype;
  int64_t m = x->shape[1], n = g->shape[1];
  gruI_segment *list = malloc((size_t)pairs->count * sizeof *list);
  if (!list) return gruI_fail(rt, GRU_ERROR_MEMORY, "matmul: out of memory in backward");
  gru_status status = GRU_OK;
  for (int32_t i = 0; i < pairs->count && status == GRU_OK; i++) {
    gruI_pair *p = &pairs->list[i];
    status = pack(&p->x);
    if (status == GRU_OK) status = pack(&p->g);
    if (status == GRU_OK)
      list[i] = (gruI_segment){p->x->shape[0], m, n, gruI_data(p->x), gruI_data(p->g)};
  }
  if (status == GRU_OK)
    status = gruI_tensor_new(rt, "matmul", dtype, 2, (int64_t[]){m, n}, place, &dw);
  if (status == GRU_OK) {
    gruI_segments call = {.dtype = dtype,
                          .count = pairs->count,
                          .m = m,
                          .n = n,
                          .list = list,
                          .c = gruI_data(dw),
                          .ldc = n > 0 ? n : 1};
    status = gruI_kernel_failed(rt, "matmul", device, device->k->gemm_segments(device, &call));
    if (status == GRU_OK)
      *out = dw;
    else
      gru_tensor_release(dw);
  }
  free(list);
  return status;
}

static bool is_hot(const gru_tensor *t) { return gruI_tensor_is_hot(t, NULL, NULL); }

/* Adds the rows of g to those of dw, or (where it is `transposed`) to its columns, at the ids of the
** one-hot rows `hot`, in order.  A `fresh` dw counts as zeros. */
static gru_status scatter(gru_tensor *hot, gru_tensor *g, bool transposed, bool fresh,
                          gru_tensor *dw) {
  int64_t classes = hot->shape[1], width = g->shape[1];
  gruI_rows call = {.dtype = (gru_dtype)g->dtype, .outer = 1, .count = g->shape[0], .inner = width};
  gruI_device *device = gruI_device_of(dw);
  gru_tensor *ids, *packed = NULL;
  GRUI_TRY(gruI_tensor_hot_ids(hot, &ids));
  gru_status status = gruI_pack(g, call.dtype, NULL, &packed);
  if (status == GRU_OK) {
    call.size = classes, call.base = hot->storage->hot->base;
    call.ids = gruI_data(ids), call.id_stride = ids->stride[0];
    call.x = gruI_data(dw), call.packed = gruI_data(packed);
    call.x_row = transposed ? 1 : width, call.x_inner = transposed ? classes : 1;
    call.fresh = fresh;
    status = gruI_kernel_failed(hot->rt, "matmul", device, device->k->put(device, &call));
  }
  gru_tensor_release(ids);
  gru_tensor_release(packed);
  return status;
}

/* Of all pairs, pair after pair: hot^T g, or (transposed) g^T hot. */
static gru_status scatter_all(gruI_pairs *pairs, bool transposed, gru_tensor **out) {
  gru_tensor *x = pairs->list[0].x, *g = pairs->list[0].g, *dw;
  GRUI_TRY(gruI_tensor_new(x->rt, "matmul", (gru_dtype)g->dtype, 2,
                           (int64_t[]){x->shape[1], g->shape[1]}, gruI_place_of(g), &dw));
  gru_status status = GRU_OK;
  for (int32_t i = 0; i < pairs->count && status == GRU_OK; i++) {
    x = pairs->list[i].x, g = pairs->list[i].g;
    status = transposed ? scatter(g, x, true, i == 0, dw) : scatter(x, g, false, i == 0, dw);
  }
  if (status == GRU_OK)
    *out = dw;
  else
    gru_tensor_release(dw);
  return status;
}

/* A backend that cannot take segments gets the pairs stacked. */
static gru_status product(gruI_pairs *pairs, gru_tensor **out) {
  bool segments = gruI_device_of(pairs->list[0].g)->k->gemm_segments != NULL;
  if (!segments && pairs->count > 1) GRUI_TRY(stack(pairs));
  bool hot_x = true, hot_g = true;
  for (int32_t i = 0; i < pairs->count; i++) {
    hot_x = hot_x && is_hot(pairs->list[i].x);
    hot_g = hot_g && is_hot(pairs->list[i].g);
  }
  if (hot_x) return scatter_all(pairs, false, out);
  if (hot_g) return scatter_all(pairs, true, out);
  return segments && pairs->count > 1 ? multiply_segments(pairs, out) : multiply(&pairs->list[0], out);
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

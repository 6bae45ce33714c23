/* pairs_product.c - what held pairs come to: the sum of x^T g over all of them.
**
** Dense pairs are one product, from where they lie; a one-hot x or g makes it additions to rows.
*/
#include <stdlib.h>

#include "core/backward.h"

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

/* The pairs as segments, `list` from malloc, whose product goes to dw or, with `accumulate`, is added. */
static gru_status segments_of(gruI_pairs *pairs, gru_tensor *dw, bool accumulate,
                              gruI_segments *call) {
  int64_t m = dw->shape[0], n = dw->shape[1];
  gruI_segment *list = malloc((size_t)pairs->count * sizeof *list);
  if (!list) return gruI_fail(dw->rt, GRU_ERROR_MEMORY, "matmul: out of memory in backward");
  gru_status status = GRU_OK;
  for (int32_t i = 0; i < pairs->count && status == GRU_OK; i++) {
    gruI_pair *p = &pairs->list[i];
    status = pack(&p->x);
    if (status == GRU_OK) status = pack(&p->g);
    if (status == GRU_OK) p->version = gru_tensor_version(p->x); /* it may be a copy */
    if (status == GRU_OK)
      list[i] = (gruI_segment){p->x->shape[0], m, n, gruI_data(p->x), gruI_data(p->g)};
  }
  *call = (gruI_segments){.dtype = (gru_dtype)dw->dtype,
                          .accumulate = accumulate,
                          .count = pairs->count,
                          .m = m,
                          .n = n,
                          .list = list,
                          .c = gruI_data(dw),
                          .ldc = n > 0 ? n : 1};
  if (status != GRU_OK) free(list);
  return status;
}

gru_status gruI_pairs_room(gruI_pairs *pairs, gru_tensor **dw) {
  gru_tensor *x = pairs->list[0].x, *g = pairs->list[0].g;
  return gruI_tensor_new(x->rt, "matmul", (gru_dtype)g->dtype, 2,
                         (int64_t[]){x->shape[1], g->shape[1]}, gruI_place_of(g), dw);
}

gru_status gruI_pairs_multiply(gruI_pairs *pairs, gru_tensor *dw, bool accumulate) {
  gruI_device *device = gruI_device_of(dw);
  gruI_segments call;
  GRUI_TRY(segments_of(pairs, dw, accumulate, &call));
  gru_status status = device->k->gemm_segments(device, &call);
  free((void *)(uintptr_t)call.list);
  return gruI_kernel_failed(dw->rt, "matmul", device, status);
}

gru_status gruI_pairs_begin(gruI_pairs *pairs, gru_tensor *dw, bool accumulate,
                            gruI_storage **room) {
  gruI_device *device = gruI_device_of(dw);
  gruI_segments call;
  GRUI_TRY(segments_of(pairs, dw, accumulate, &call));
  size_t bytes = device->k->later_bytes(device, &call);
  /* No room is no failure: the pairs can wait. */
  if (bytes > 0) (void)gruI_storage_new(dw->rt, gruI_place_of(dw), bytes, "matmul", room);
  if (*room) device->k->later_begin(device, &call, (*room)->data);
  free((void *)(uintptr_t)call.list);
  return GRU_OK;
}

static gru_status multiply_segments(gruI_pairs *pairs, gru_tensor **out) {
  gru_tensor *dw;
  GRUI_TRY(gruI_pairs_room(pairs, &dw));
  gru_status status = gruI_pairs_multiply(pairs, dw, false);
  if (status == GRU_OK)
    *out = dw;
  else
    gru_tensor_release(dw);
  return status;
}

/* The call that adds the rows of g to those of dw, or (where it is `transposed`) to its columns, at the ids
** of the one-hot rows `hot`, in order.  What it reads is in kept[0] and kept[1], for the caller to release. */
static gru_status addition(gru_tensor *hot, gru_tensor *g, bool transposed, gru_tensor *dw,
                           gruI_rows *call, gru_tensor **kept) {
  int64_t classes = hot->shape[1], width = g->shape[1];
  *call =
      (gruI_rows){.dtype = (gru_dtype)g->dtype, .outer = 1, .count = g->shape[0], .inner = width};
  GRUI_TRY(gruI_tensor_hot_ids(hot, &kept[0]));
  GRUI_TRY(gruI_pack(g, call->dtype, NULL, &kept[1]));
  call->size = classes, call->base = hot->storage->hot->base;
  call->ids = gruI_data(kept[0]), call->id_stride = kept[0]->stride[0];
  call->x = gruI_data(dw), call->packed = gruI_data(kept[1]);
  call->x_row = transposed ? 1 : width, call->x_inner = transposed ? classes : 1;
  return GRU_OK;
}

static gru_status put_all(gruI_device *device, const gruI_rows *calls, int64_t count) {
  gru_status status = GRU_OK;
  if (device->k->put_all && calls[0].x_inner == 1) return device->k->put_all(device, calls, count);
  for (int64_t i = 0; i < count && status == GRU_OK; i++)
    status = device->k->put(device, &calls[i]);
  return status;
}

/* Of all pairs, pair after pair: hot^T g, or (transposed) g^T hot. */
static gru_status scatter_all(gruI_pairs *pairs, bool transposed, gru_tensor **out) {
  gru_runtime *rt = pairs->list[0].x->rt;
  size_t count = (size_t)pairs->count;
  gruI_rows *calls = malloc(count * sizeof *calls);
  gru_tensor **kept = calloc(2 * count, sizeof *kept), *dw = NULL;
  gru_status status = calls && kept
                          ? gruI_pairs_room(pairs, &dw)
                          : gruI_fail(rt, GRU_ERROR_MEMORY, "matmul: out of memory in backward");
  for (size_t i = 0; i < count && status == GRU_OK; i++) {
    gru_tensor *x = pairs->list[i].x, *g = pairs->list[i].g;
    status =
        addition(transposed ? g : x, transposed ? x : g, transposed, dw, &calls[i], &kept[2 * i]);
    calls[i].fresh = i == 0;
  }
  if (status == GRU_OK) {
    gruI_device *device = gruI_device_of(dw);
    status = gruI_kernel_failed(rt, "matmul", device, put_all(device, calls, pairs->count));
  }
  for (size_t i = 0; kept && i < 2 * count; i++) gru_tensor_release(kept[i]);
  free(kept);
  free(calls);
  if (status == GRU_OK)
    *out = dw;
  else
    gru_tensor_release(dw);
  return status;
}

/* A backend that cannot take segments gets the pairs stacked. */
gru_status gruI_pairs_product(gruI_pairs *pairs, gru_tensor **out) {
  bool segments = gruI_device_of(pairs->list[0].g)->k->gemm_segments != NULL;
  if (!segments && pairs->count > 1) GRUI_TRY(stack(pairs));
  bool hot_x = true, hot_g = true;
  for (int32_t i = 0; i < pairs->count; i++) {
    hot_x = hot_x && gruI_tensor_is_hot(pairs->list[i].x, NULL, NULL);
    hot_g = hot_g && gruI_tensor_is_hot(pairs->list[i].g, NULL, NULL);
  }
  if (hot_x) return scatter_all(pairs, false, out);
  if (hot_g) return scatter_all(pairs, true, out);
  return segments && pairs->count > 1 ? multiply_segments(pairs, out)
                                      : multiply(&pairs->list[0], out);
}

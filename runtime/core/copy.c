/* copy.c - writing one tensor, or a number, over another; copies of one-hot tensors. */
#include <string.h>

#include "core/graph.h"
#include "core/pending.h"
#include "core/profile.h"
#include "core/tape.h"

static gru_status fill(gru_tensor *self, gru_tensor *value) {
  GRUI_TRY(gruI_inplace_check(self, "fill", self->rt->grad_enabled && gruI_requires_grad(self)));
  GRUI_GRAPH_HERE(self->rt, gruI_place_of(self), "fill_");
  GRUI_GRAPH_NOT_VOID(self, "fill_");
  gruI_pending_settle(self->rt);
  gru_tensor *v;
  GRUI_TRY(gruI_cast(value, (gru_dtype)self->dtype, gruI_place_of(self), &v));
  gru_status status =
      v->ndim == 0 ? gruI_copy_over(self, v, "fill_")
                   : gruI_fail(self->rt, GRU_ERROR_SHAPE, "fill_: expected one value, got shape %s",
                               gruI_tensor_text(v).s);
  self->storage->version++;
  gru_tensor_release(v);
  if (status == GRU_OK && self->rt->grad_enabled) return gruI_inplace_record(NULL, self);
  return status;
}

static gru_status copy(gru_tensor *self, gru_tensor *src) {
  gru_runtime *rt = self->rt;
  int64_t shape[GRU_MAX_DIMS];
  int ndim;
  if (gruI_is_number(src)) return fill(self, src);
  GRUI_GRAPH_HERE(rt, gruI_place_of(src), "a copy");
  GRUI_GRAPH_HERE(rt, gruI_place_of(self), "a copy");
  GRUI_GRAPH_NOT_VOID(src, "copy_");
  GRUI_GRAPH_NOT_VOID(self, "copy_");
  if (rt->grad_enabled && gruI_inplace_is_stale(self)) GRUI_TRY(gruI_inplace_refresh(self));
  if (rt->grad_enabled && gruI_inplace_is_stale(src)) GRUI_TRY(gruI_inplace_refresh(src));
  bool recording = rt->grad_enabled && gruI_is_float((gru_dtype)self->dtype) &&
                   (gruI_requires_grad(self) || gruI_requires_grad(src));
  GRUI_TRY(gruI_inplace_check(self, "copy", recording));
  if (!gruI_broadcast(self->ndim, self->shape, src->ndim, src->shape, &ndim, shape) ||
      ndim != self->ndim || memcmp(shape, self->shape, (size_t)ndim * sizeof *shape) != 0)
    return gruI_fail(rt, GRU_ERROR_SHAPE, "copy_: %s does not broadcast to %s",
                     gruI_tensor_text(src).s, gruI_tensor_text(self).s);
  if (gruI_place_of(src) != gruI_place_of(self)) {
    gru_tensor *there;
    gru_attrs to = {.device = gruI_device_of(self)->name};
    GRUI_TRY(gruI_call1(GRU_OP_TO, src, &to, &there));
    gru_status status = copy(self, there);
    gru_tensor_release(there);
    return status;
  }
  gru_tensor *from = gru_tensor_retain(src);
  if (src->storage == self->storage && src != self) { /* they may overlap */
    gru_tensor_release(from);
    int mode = gru_set_grad_enabled(rt, 0);
    gru_status cloned = gruI_call1(GRU_OP_CLONE, src, NULL, &from);
    gru_set_grad_enabled(rt, mode);
    if (cloned != GRU_OK) return cloned;
  }
  gruI_pending_settle(rt);
  gru_status status = gruI_copy_over(self, from, "copy_");
  self->storage->version++;
  gru_tensor_release(from);
  if (status == GRU_OK && rt->grad_enabled && !recording) return gruI_inplace_record(NULL, self);
  if (status != GRU_OK || !recording) return status;
  gru_attrs attrs = {.ndims = self->ndim, .dtype = self->dtype, .has_dtype = 1};
  memcpy(attrs.dims, self->shape, sizeof self->shape);
  gruI_call c = {.rt = rt,
                 .op = &gruI_op_table[GRU_OP_EXPAND],
                 .name = "copy_",
                 .in = &src,
                 .n = 1,
                 .attrs = &attrs,
                 .recording = true};
  return gruI_inplace_record(&c, self);
}

gru_status gru_tensor_copy_(gru_tensor *self, gru_tensor *src) {
  gru_status status;
  GRUI_SPAN(self->rt, "copy_", GRU_SPAN_CALL, status, copy(self, src));
  return status;
}

gru_status gru_tensor_fill_(gru_tensor *self, gru_tensor *value) {
  gru_status status;
  GRUI_SPAN(self->rt, "fill_", GRU_SPAN_CALL, status, fill(self, value));
  return status;
}

/* ---- between devices ------------------------------------------------------------------------------ */

/* The elements of `from`, contiguous, into `to`, of the same size elsewhere. */
static gru_status transfer(gru_tensor *to, gru_tensor *from, const char *op) {
  gru_runtime *rt = from->rt;
  gruI_device *a = gruI_device_of(from), *b = gruI_device_of(to);
  size_t bytes = (size_t)from->numel * gru_dtype_size((gru_dtype)from->dtype);
  if (bytes == 0) return GRU_OK;
  if (a->backend == &gruI_builtin_backend)
    return gruI_kernel_failed(rt, op, b,
                              b->backend->upload(b, gruI_data(to), gruI_data(from), bytes));
  if (b->backend == &gruI_builtin_backend)
    return gruI_kernel_failed(rt, op, a,
                              a->backend->download(a, gruI_data(to), gruI_data(from), bytes));
  gru_tensor *host;
  GRUI_TRY(gruI_tensor_new(rt, op, (gru_dtype)from->dtype, from->ndim, from->shape, rt->places[0],
                           &host));
  gru_status status = transfer(host, from, op);
  if (status == GRU_OK) status = transfer(to, host, op);
  gru_tensor_release(host);
  return status;
}

/* The same layout there: the ids move. */
static gru_status move_hot(gru_tensor *t, gruI_place *place, const char *op, gru_tensor **out) {
  gru_tensor *ids, *there;
  const gruI_hot *hot = t->storage->hot;
  GRUI_TRY(gruI_tensor_hot_ids(t, &ids));
  gru_status status = gruI_move(ids, place, op, &there);
  gru_tensor_release(ids);
  if (status != GRU_OK) return status;
  status = gruI_tensor_hot(there, hot->dtype, t->ndim, t->shape, hot->base, out);
  gru_tensor_release(there);
  return status;
}

gru_status gruI_move(gru_tensor *t, gruI_place *place, const char *op, gru_tensor **out) {
  gru_tensor *from, *to;
  GRUI_GRAPH_REFUSE(t->rt, NULL, "moving a tensor to %s needs the host; move it after the call",
                    place->device.name);
  if (gruI_tensor_is_hot(t, NULL, NULL)) return move_hot(t, place, op, out);
  GRUI_TRY(gruI_pack(t, (gru_dtype)t->dtype, NULL, &from));
  gru_status status =
      gruI_tensor_new(t->rt, op, (gru_dtype)t->dtype, t->ndim, t->shape, place, &to);
  if (status == GRU_OK) {
    status = transfer(to, from, op);
    if (status == GRU_OK)
      *out = to;
    else
      gru_tensor_release(to);
  }
  gru_tensor_release(from);
  return status;
}

/* ---- copies of one-hot tensors ------------------------------------------------------------------- */

gru_status gruI_tensor_hot_clone(gru_tensor *t, int ndim, const int64_t *shape, gru_tensor **out) {
  gru_tensor *ids, *copy;
  const gruI_hot *hot = t->storage->hot;
  GRUI_TRY(gruI_tensor_hot_ids(t, &ids));
  gru_status status = gruI_call1(GRU_OP_CLONE, ids, NULL, &copy);
  gru_tensor_release(ids);
  if (status != GRU_OK) return status;
  status = gruI_tensor_hot(copy, hot->dtype, ndim, shape, hot->base, out);
  gru_tensor_release(copy);
  return status;
}

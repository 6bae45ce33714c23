/* copy.c - writing one tensor, or a number, over another; copies of one-hot tensors. */
#include <string.h>

#include "core/profile.h"
#include "core/tape.h"

static gru_status fill(gru_tensor *self, gru_tensor *value) {
  GRUI_TRY(gruI_inplace_check(self, "fill", self->rt->grad_enabled && gruI_requires_grad(self)));
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
  if (rt->grad_enabled && gruI_inplace_is_stale(self)) GRUI_TRY(gruI_inplace_refresh(self));
  if (rt->grad_enabled && gruI_inplace_is_stale(src)) GRUI_TRY(gruI_inplace_refresh(src));
  bool recording = rt->grad_enabled && gruI_is_float((gru_dtype)self->dtype) &&
                   (gruI_requires_grad(self) || gruI_requires_grad(src));
  GRUI_TRY(gruI_inplace_check(self, "copy", recording));
  if (!gruI_broadcast(self->ndim, self->shape, src->ndim, src->shape, &ndim, shape) ||
      ndim != self->ndim || memcmp(shape, self->shape, (size_t)ndim * sizeof *shape) != 0)
    return gruI_fail(rt, GRU_ERROR_SHAPE, "copy_: %s does not broadcast to %s",
                     gruI_tensor_text(src).s, gruI_tensor_text(self).s);
  gru_tensor *from = gru_tensor_retain(src);
  if (src->storage == self->storage && src != self) { /* they may overlap */
    gru_tensor_release(from);
    int mode = gru_set_grad_enabled(rt, 0);
    gru_status cloned = gruI_call1(GRU_OP_CLONE, src, NULL, &from);
    gru_set_grad_enabled(rt, mode);
    if (cloned != GRU_OK) return cloned;
  }
  if (gruI_place_of(src) != gruI_place_of(self)) { /* through host memory */
    gru_tensor_release(from);
    gru_tensor *host;
    GRUI_TRY(gruI_pack(src, (gru_dtype)src->dtype, NULL, &host));
    gru_status moved = gruI_tensor_new(rt, "copy_", (gru_dtype)src->dtype, src->ndim, src->shape,
                                       gruI_place_of(self), &from);
    gruI_device *a = gruI_device_of(host), *b = gruI_device_of(self);
    bool from_host = a->backend == &gruI_builtin_backend;
    if (moved == GRU_OK && host->numel > 0)
      moved = from_host
                  ? b->backend->upload(b, gruI_data(from), gruI_data(host), host->storage->bytes)
                  : a->backend->download(a, gruI_data(from), gruI_data(host), host->storage->bytes);
    gru_tensor_release(host);
    if (moved != GRU_OK) return moved;
  }
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

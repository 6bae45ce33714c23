/* copy.c - ops that move elements: clone, contiguous, to, cat, stack. */
#include <stdlib.h>
#include <string.h>

#include "ops/rules.h"

gru_status gruI_clone_forward(gruI_call *c) {
  gru_tensor *t = c->in[0];
  if (gruI_tensor_is_hot(t, NULL, NULL))
    return gruI_tensor_hot_clone(t, t->ndim, t->shape, &c->out[0]);
  GRUI_TRY(gruI_tensor_settle(t));
  GRUI_TRY(gruI_tensor_new(c->rt, c->name, (gru_dtype)t->dtype, t->ndim, t->shape, gruI_place_of(t),
                           &c->out[0]));
  return gruI_copy_over(c->out[0], t, c->name);
}

gru_status gruI_contiguous_forward(gruI_call *c) {
  gru_tensor *t = c->in[0];
  if (!gruI_is_contiguous(t)) return gruI_clone_forward(c);
  c->out[0] = gru_tensor_retain(t);
  return GRU_OK;
}

static gru_status pass(gruI_vjp *v) {
  v->dx[0] = gru_tensor_retain(v->g);
  return GRU_OK;
}

gru_status gruI_clone_vjp(gruI_vjp *v) { return pass(v); }
gru_status gruI_contiguous_vjp(gruI_vjp *v) { return pass(v); }

gru_status gruI_to_forward(gruI_call *c) {
  gru_tensor *t = c->in[0];
  gru_dtype dtype = c->attrs->has_dtype ? (gru_dtype)c->attrs->dtype : (gru_dtype)t->dtype;
  gruI_place *place = gruI_place_of(t);
  if (c->attrs->device) GRUI_TRY(gruI_place_find(c->rt, c->attrs->device, &place));
  if (place != gruI_place_of(t)) {
    gru_tensor *there;
    GRUI_TRY(gruI_move(t, place, c->name, &there));
    gru_status status = gruI_cast(there, dtype, place, &c->out[0]);
    gru_tensor_release(there);
    return status;
  }
  if (t->dtype == dtype) {
    c->out[0] = gru_tensor_retain(t);
    return GRU_OK;
  }
  return gruI_cast(t, dtype, NULL, &c->out[0]);
}

gru_status gruI_to_vjp(gruI_vjp *v) {
  const gruI_input *in = &v->node->in[0];
  gru_attrs back = {.dtype = in->dtype, .has_dtype = 1, .device = in->place->device.name};
  return gruI_call1(GRU_OP_TO, v->g, &back, &v->dx[0]);
}

/* ---- cat and stack ------------------------------------------------------------------------------- */

/* The shape and dtype of the result of joining along dim d. */
static gru_status joined(gruI_call *c, int *d, gru_dtype *dtype, int64_t *shape) {
  const gru_tensor *first = c->in[0];
  if (first->ndim == 0)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE, "cat: 0-d tensors cannot be joined; use stack");
  GRUI_TRY(gruI_dim(c->rt, c->name, c->attrs->dims[0], first->ndim, 0, d));
  memcpy(shape, first->shape, sizeof first->shape);
  *dtype = gruI_promote(c->in, c->n, 0);
  for (int i = 1; i < c->n; i++) {
    const gru_tensor *t = c->in[i];
    bool fits = t && t->ndim == first->ndim;
    for (int e = 0; fits && e < t->ndim; e++) fits = e == *d || t->shape[e] == first->shape[e];
    if (!fits)
      return gruI_fail(c->rt, GRU_ERROR_SHAPE,
                       "cat: along dim %d every other size must agree: %s and %s", *d + 1,
                       gruI_tensor_text(first).s, t ? gruI_tensor_text(t).s : "nil");
    if (__builtin_add_overflow(shape[*d], t->shape[*d], &shape[*d]))
      return gruI_fail(c->rt, GRU_ERROR_SHAPE, "cat: the sizes add up past 2^63");
  }
  return GRU_OK;
}

/* Are all of them one-hot, of the same classes and base?  Then so is the result. */
static bool all_hot(const gruI_call *c, int d) {
  const gruI_hot *hot = NULL;
  for (int i = 0; i < c->n; i++) {
    if (!gruI_tensor_is_hot(c->in[i], NULL, NULL) || d == c->in[i]->ndim - 1) return false;
    const gruI_hot *h = c->in[i]->storage->hot;
    if (hot && (h->classes != hot->classes || h->base != hot->base || h->dtype != hot->dtype))
      return false;
    hot = h;
  }
  return true;
}

/* The part of `whole` from `start` on along dim d that `t` fills, as a view. */
static gru_status part_of(gru_tensor *whole, int d, int64_t start, const gru_tensor *t,
                          gru_tensor **out) {
  return gruI_tensor_alias(whole, t->ndim, t->shape, whole->stride,
                           whole->offset + start * whole->stride[d], out);
}

static gru_status fill_parts(gruI_call *c, int d, gru_tensor *whole) {
  int64_t at = 0;
  for (int i = 0; i < c->n; i++) {
    gru_tensor *part, *t = c->in[i];
    GRUI_TRY(part_of(whole, d, at, t, &part));
    gru_status status = gruI_copy_over(part, t, c->name);
    gru_tensor_release(part);
    if (status != GRU_OK) return status;
    at += t->shape[d];
  }
  return GRU_OK;
}

/* Are all of them contiguous elements of the result's dtype? */
static bool all_plain(const gruI_call *c, gru_dtype dtype) {
  for (int i = 0; i < c->n; i++) {
    const gru_tensor *t = c->in[i];
    if (t->dtype != dtype || t->storage->hot || !gruI_is_contiguous(t)) return false;
  }
  return true;
}

/* The same in one kernel call. */
static gru_status join_plain(gruI_call *c, int d, gru_tensor *whole) {
  gruI_device *device = gruI_device_of(whole);
  const void **in = malloc((size_t)c->n * sizeof *in);
  int64_t *run = malloc((size_t)c->n * sizeof *run), inner = 1;
  gruI_concat call = {.size = gru_dtype_size((gru_dtype)whole->dtype), .outer = 1, .count = c->n};
  gru_status status = GRU_OK;
  for (int k = 0; k < d; k++) call.outer *= whole->shape[k];
  for (int k = d + 1; k < whole->ndim; k++) inner *= whole->shape[k];
  call.row = whole->shape[d] * inner;
  for (int i = 0; i < c->n && in && run; i++) {
    in[i] = gruI_data(c->in[i]);
    run[i] = c->in[i]->shape[d] * inner;
  }
  call.in = in, call.run = run, call.out = gruI_data(whole);
  if (!in || !run)
    status = gruI_fail(c->rt, GRU_ERROR_MEMORY, "%s: out of memory", c->name);
  else
    status = gruI_kernel_failed(c->rt, c->name, device, device->k->concat(device, &call));
  free(in);
  free(run);
  return status;
}

/* The same for the ids of one-hot tensors. */
static gru_status join_hot(gruI_call *c, int d, const int64_t *shape) {
  const gru_tensor *first = c->in[0];
  gru_tensor *ids;
  int64_t at = 0;
  GRUI_TRY(gruI_tensor_new(c->rt, c->name, GRU_INT64, first->ndim - 1, shape, gruI_place_of(first),
                           &ids));
  gru_status status = GRU_OK;
  gruI_device *device = gruI_device_of(first);
  for (int i = 0; i < c->n && status == GRU_OK; i++) {
    const gru_tensor *t = c->in[i];
    const int64_t *from;
    gruI_copy copy = {GRU_INT64, GRU_INT64, t->ndim - 1,
                      .out = (int64_t *)gruI_data(ids) + at * ids->stride[d]};
    gruI_tensor_is_hot(t, &from, copy.in_stride);
    copy.in = from;
    memcpy(copy.shape, t->shape, sizeof copy.shape);
    memcpy(copy.out_stride, ids->stride, sizeof copy.out_stride);
    copy.ndim =
        gruI_coalesce(copy.ndim, copy.shape, 2, (int64_t *[]){copy.out_stride, copy.in_stride});
    if (t->numel > 0)
      status = gruI_kernel_failed(c->rt, c->name, device, device->k->copy(device, &copy));
    at += t->shape[d];
  }
  if (status == GRU_OK)
    status = gruI_tensor_hot(ids, first->storage->hot->dtype, first->ndim, shape,
                             first->storage->hot->base, &c->out[0]);
  gru_tensor_release(ids);
  return status;
}

gru_status gruI_cat_forward(gruI_call *c) {
  int d;
  gru_dtype dtype = GRU_FLOAT32;
  int64_t shape[GRU_MAX_DIMS];
  GRUI_TRY(joined(c, &d, &dtype, shape));
  if (all_hot(c, d)) return join_hot(c, d, shape);
  GRUI_TRY(gruI_tensor_new(c->rt, c->name, dtype, c->in[0]->ndim, shape, gruI_place_of(c->in[0]),
                           &c->out[0]));
  if (c->out[0]->numel > 0 && all_plain(c, dtype)) return join_plain(c, d, c->out[0]);
  return fill_parts(c, d, c->out[0]);
}

gru_status gruI_cat_vjp(gruI_vjp *v) {
  int d = (int)(v->attrs->dims[0] < 0 ? v->attrs->dims[0] + v->g->ndim : v->attrs->dims[0]);
  int64_t at = 0;
  for (int i = 0; i < v->node->ninputs; i++) {
    const gruI_input *in = &v->node->in[i];
    gru_attrs part = {.dims = {d}, .ndims = 1, .start = at, .stop = at + in->shape[d], .step = 1};
    at = part.stop;
    if (!gruI_wants(v, i)) continue;
    gru_tensor *g;
    GRUI_TRY(gruI_call1(GRU_OP_NARROW, v->g, &part, &g));
    gru_status status = gruI_sum_to(g, in->ndim, in->shape, (gru_dtype)in->dtype, &v->dx[i]);
    gru_tensor_release(g);
    if (status != GRU_OK) return status;
  }
  return GRU_OK;
}

/* Joins along a new dim: cat of unsqueezed views. */
gru_status gruI_stack_forward(gruI_call *c) {
  gru_tensor **views = calloc((size_t)c->n, sizeof *views);
  gruI_call cat = *c;
  int d, n = 0;
  gru_status status = views ? GRU_OK : gruI_fail(c->rt, GRU_ERROR_MEMORY, "stack: out of memory");
  if (status == GRU_OK) status = gruI_dim(c->rt, c->name, c->attrs->dims[0], c->in[0]->ndim, 1, &d);
  int mode = gru_set_grad_enabled(c->rt, 0);
  for (; n < c->n && status == GRU_OK; n++) {
    if (!c->in[n] || !gruI_same_shape(c->in[n], c->in[0]))
      status =
          gruI_fail(c->rt, GRU_ERROR_SHAPE, "stack: all shapes must be equal: %s and %s",
                    gruI_tensor_text(c->in[0]).s, c->in[n] ? gruI_tensor_text(c->in[n]).s : "nil");
    else
      status =
          gruI_call1(GRU_OP_UNSQUEEZE, c->in[n], &(gru_attrs){.dims = {d}, .ndims = 1}, &views[n]);
  }
  if (status == GRU_OK) {
    gru_attrs along = {.dims = {d}, .ndims = 1};
    cat.in = views;
    cat.attrs = &along;
    status = gruI_cat_forward(&cat);
    c->out[0] = cat.out[0];
  }
  gru_set_grad_enabled(c->rt, mode);
  for (int i = 0; i < n; i++) gru_tensor_release(views[i]);
  free(views);
  return status;
}

gru_status gruI_stack_vjp(gruI_vjp *v) {
  int d = (int)(v->attrs->dims[0] < 0 ? v->attrs->dims[0] + v->g->ndim : v->attrs->dims[0]);
  for (int i = 0; i < v->node->ninputs; i++) {
    const gruI_input *in = &v->node->in[i];
    if (!gruI_wants(v, i)) continue;
    gru_tensor *g;
    GRUI_TRY(
        gruI_call1(GRU_OP_SELECT, v->g, &(gru_attrs){.dims = {d}, .ndims = 1, .start = i}, &g));
    gru_status status = gruI_sum_to(g, in->ndim, in->shape, (gru_dtype)in->dtype, &v->dx[i]);
    gru_tensor_release(g);
    if (status != GRU_OK) return status;
  }
  return GRU_OK;
}

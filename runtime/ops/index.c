/* index.c - ops that take positions: index_select index_add embedding gather scatter scatter_add
** one_hot.  Ids are int64 tensors that count from attrs.base; each is checked by the kernel. */
#include <string.h>

#include "ops/rules.h"

gru_status gruI_check_ids(const gruI_call *c, const gru_tensor *ids) {
  if (!ids) return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "%s: needs a tensor of ids", c->name);
  if (ids->dtype == GRU_INT64) return GRU_OK;
  return gruI_fail(c->rt, GRU_ERROR_DTYPE, "%s: ids must be int64, got %s; convert with :long()",
                   c->name, gru_dtype_name((gru_dtype)ids->dtype));
}

gru_status gruI_position_failed(gru_runtime *rt, const char *op, gruI_device *device,
                                gru_status status, int64_t base, int64_t size) {
  if (status != GRU_ERROR_INDEX) return gruI_kernel_failed(rt, op, device, status);
  return gruI_fail(rt, status, "%s: id %lld at position %lld is outside %lld .. %lld", op,
                   (long long)device->fault.value, (long long)(device->fault.position + base),
                   (long long)base, (long long)(base + size - 1));
}

/* ---- rows: index_select, embedding, index_add --------------------------------------------------- */

/* A tensor without dims has one row. */
static gru_status check_scalar(const gruI_call *c, const gru_tensor *x, const gru_tensor *ids) {
  if (x->ndim > 0 || ids->numel == 1) return GRU_OK;
  return gruI_fail(c->rt, GRU_ERROR_SHAPE, "%s: a tensor without dims takes one id, got ids %s",
                   c->name, gruI_tensor_text(ids).s);
}

/* The dims of t around dim d, as the kernel sees them: outer, row, inner.  A tensor whose outer or
** inner dims do not walk in one stride is packed first.  `*packed` is a new reference. */
static gru_status around(gru_tensor *t, int d, gruI_rows *rows, gru_tensor **packed) {
  GRUI_TRY(gruI_cast(t, (gru_dtype)t->dtype, NULL, packed));
  for (int attempt = 0;; attempt++) {
    const gru_tensor *x = *packed;
    int64_t shape[GRU_MAX_DIMS], stride[GRU_MAX_DIMS];
    rows->outer = rows->inner = 1;
    rows->x_outer = 0, rows->x_inner = 1;
    bool fits = true;
    for (int side = 0; side < 2 && fits; side++) { /* dims before d, dims after d */
      int from = side ? d + 1 : 0, n = side ? x->ndim - d - 1 : d;
      if (n <= 0) continue;
      memcpy(shape, x->shape + from, (size_t)n * sizeof *shape);
      memcpy(stride, x->stride + from, (size_t)n * sizeof *stride);
      int64_t size = 1, step = 1; /* merged in order, from the last dim on */
      bool first = true;
      for (int e = n - 1; e >= 0; e--) {
        if (shape[e] == 1) continue;
        if (first)
          step = stride[e];
        else if (stride[e] != step * size)
          fits = false;
        first = false;
        size *= shape[e];
      }
      *(side ? &rows->inner : &rows->outer) = size;
      *(side ? &rows->x_inner : &rows->x_outer) = step;
    }
    if (fits || attempt == 1) {
      rows->size = x->ndim ? x->shape[d] : 1;
      rows->x_row = x->ndim ? x->stride[d] : 0;
      rows->x = gruI_data(x);
      return GRU_OK;
    }
    gru_tensor *copy;
    GRUI_TRY(gruI_call1(GRU_OP_CLONE, *packed, NULL, &copy));
    gru_tensor_release(*packed);
    *packed = copy;
  }
}

/* out = rows of x along d at ids. `out` is contiguous. */
static gru_status take(gru_runtime *rt, const char *name, gru_tensor *x, int d, gru_tensor *ids,
                       int64_t base, gru_tensor *out) {
  gru_tensor *source = NULL, *list = NULL;
  gruI_rows rows = {.dtype = (gru_dtype)x->dtype, .base = base, .id_stride = 1};
  int mode = gru_set_grad_enabled(rt, 0);
  gru_status status = around(x, d, &rows, &source);
  if (status == GRU_OK) status = gruI_pack(ids, GRU_INT64, NULL, &list);
  if (status == GRU_OK && list->numel > 0) {
    rows.count = list->numel;
    rows.ids = gruI_data(list);
    rows.packed = gruI_data(out);
    gruI_device *device = gruI_device_of(out);
    status =
        gruI_position_failed(rt, name, device, device->k->take(device, &rows), base, rows.size);
  }
  gru_set_grad_enabled(rt, mode);
  gru_tensor_release(source);
  gru_tensor_release(list);
  return status;
}

/* x (contiguous, private) += src at ids along d. */
static gru_status put(gru_runtime *rt, const char *name, gru_tensor *x, int d, gru_tensor *ids,
                      int64_t base, gru_tensor *src) {
  gru_tensor *target = NULL, *list = NULL, *packed = NULL;
  gruI_rows rows = {.dtype = (gru_dtype)x->dtype, .base = base, .id_stride = 1};
  int mode = gru_set_grad_enabled(rt, 0);
  gru_status status = around(x, d, &rows, &target);
  if (status == GRU_OK) status = gruI_pack(ids, GRU_INT64, NULL, &list);
  if (status == GRU_OK) status = gruI_pack(src, (gru_dtype)x->dtype, NULL, &packed);
  if (status == GRU_OK && list->numel > 0) {
    rows.count = list->numel;
    rows.ids = gruI_data(list);
    rows.packed = gruI_data(packed);
    gruI_device *device = gruI_device_of(x);
    status = gruI_position_failed(rt, name, device, device->k->put(device, &rows), base, rows.size);
  }
  gru_set_grad_enabled(rt, mode);
  gru_tensor_release(target);
  gru_tensor_release(list);
  gru_tensor_release(packed);
  return status;
}

gru_status gruI_index_select_forward(gruI_call *c) {
  gru_tensor *x = c->in[0], *ids = c->n > 1 ? c->in[1] : NULL;
  int64_t shape[GRU_MAX_DIMS];
  int d;
  GRUI_TRY(gruI_check_ids(c, ids));
  if (ids->ndim > 1)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE, "index_select: ids must have one dim, got %s",
                     gruI_tensor_text(ids).s);
  GRUI_TRY(gruI_dim(c->rt, c->name, c->attrs->dims[0], x->ndim, 0, &d));
  GRUI_TRY(check_scalar(c, x, ids));
  c->uses[0] = GRUI_USES_X(1);
  memcpy(shape, x->shape, sizeof shape);
  shape[d] = ids->numel;
  GRUI_TRY(gruI_tensor_new(c->rt, c->name, (gru_dtype)x->dtype, x->ndim, shape, gruI_place_of(x),
                           &c->out[0]));
  return take(c->rt, c->name, x, d, ids, c->attrs->base, c->out[0]);
}

/* Zeros of the input's shape with g added at the ids, as a recorded index_add when composing. */
static gru_status add_rows(gruI_vjp *v, int d, gru_tensor *ids, gru_tensor *g) {
  const gruI_input *in = &v->node->in[0];
  gru_tensor *zeros, *results[GRU_MAX_OUTPUTS];
  gru_attrs along = {.dims = {d}, .ndims = 1, .base = v->attrs->base};
  GRUI_TRY(gruI_zeros(v->rt, v->name, (gru_dtype)in->dtype, in->ndim, in->shape, gruI_place_of(g),
                      &zeros));
  if (!v->composing) {
    gru_status status = put(v->rt, v->name, zeros, d, ids, v->attrs->base, g);
    if (status == GRU_OK)
      v->dx[0] = zeros;
    else
      gru_tensor_release(zeros);
    return status;
  }
  gru_status status =
      gru_op_call(v->rt, GRU_OP_INDEX_ADD, (gru_tensor *[]){zeros, ids, g}, 3, &along, results);
  gru_tensor_release(zeros);
  if (status == GRU_OK) v->dx[0] = results[0];
  return status;
}

static int along_dim(const gruI_vjp *v) {
  int64_t d = v->attrs->dims[0];
  return (int)(d < 0 ? d + v->node->in[0].ndim : d);
}

gru_status gruI_index_select_vjp(gruI_vjp *v) { return add_rows(v, along_dim(v), v->x[1], v->g); }

gru_status gruI_index_add_forward(gruI_call *c) {
  gru_tensor *x = c->in[0], *ids = c->n > 1 ? c->in[1] : NULL, *src = c->n > 2 ? c->in[2] : NULL;
  int d;
  GRUI_TRY(gruI_check_ids(c, ids));
  if (!src) return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "index_add: needs a source");
  GRUI_TRY(gruI_dim(c->rt, c->name, c->attrs->dims[0], x->ndim, 0, &d));
  bool fits = ids->ndim <= 1 && src->ndim == x->ndim && src->dtype == x->dtype;
  for (int e = 0; fits && e < x->ndim; e++)
    fits = src->shape[e] == (e == d ? ids->numel : x->shape[e]);
  if (!fits)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE,
                     "index_add: %s %s takes no source %s %s at ids %s along dim %d",
                     gru_dtype_name((gru_dtype)x->dtype), gruI_tensor_text(x).s,
                     gru_dtype_name((gru_dtype)src->dtype), gruI_tensor_text(src).s,
                     gruI_tensor_text(ids).s, d + 1);
  GRUI_TRY(check_scalar(c, x, ids));
  c->uses[2] = GRUI_USES_X(1);
  GRUI_TRY(gruI_clone_forward(c));
  return put(c->rt, c->name, c->out[0], d, ids, c->attrs->base, src);
}

gru_status gruI_index_add_vjp(gruI_vjp *v) {
  if (gruI_wants(v, 0)) v->dx[0] = gru_tensor_retain(v->g);
  if (!gruI_wants(v, 2)) return GRU_OK;
  gru_attrs along = {.dims = {along_dim(v)}, .ndims = 1, .base = v->attrs->base};
  return gruI_call2(GRU_OP_INDEX_SELECT, v->g, v->x[1], &along, &v->dx[2]);
}

gru_status gruI_embedding_forward(gruI_call *c) {
  gru_tensor *w = c->in[0], *ids = c->n > 1 ? c->in[1] : NULL;
  int64_t shape[GRU_MAX_DIMS];
  GRUI_TRY(gruI_check_ids(c, ids));
  if (w->ndim != 2 || ids->ndim >= GRU_MAX_DIMS)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE, "embedding: weight must be (V, E), got %s with ids %s",
                     gruI_tensor_text(w).s, gruI_tensor_text(ids).s);
  c->uses[0] = GRUI_USES_X(1);
  memcpy(shape, ids->shape, sizeof shape);
  shape[ids->ndim] = w->shape[1];
  GRUI_TRY(gruI_tensor_new(c->rt, c->name, (gru_dtype)w->dtype, ids->ndim + 1, shape,
                           gruI_place_of(w), &c->out[0]));
  return take(c->rt, c->name, w, 0, ids, c->attrs->base, c->out[0]);
}

gru_status gruI_embedding_vjp(gruI_vjp *v) {
  gru_tensor *ids, *g = NULL;
  GRUI_TRY(gruI_call1(GRU_OP_RESHAPE, v->x[1], &(gru_attrs){.dims = {-1}, .ndims = 1}, &ids));
  gru_attrs rows = {.dims = {ids->numel, v->node->in[0].shape[1]}, .ndims = 2};
  gru_status status = gruI_call1(GRU_OP_RESHAPE, v->g, &rows, &g);
  if (status == GRU_OK) status = add_rows(v, 0, ids, g);
  gru_tensor_release(ids);
  gru_tensor_release(g);
  return status;
}

/* ---- elements: gather, scatter, scatter_add ---------------------------------------------------------- */

/* Runs the kernel over x, ids and other (out of gather, source of scatter). */
static gru_status along(gruI_call *c, gruI_along_kind kind, gru_tensor *x, gru_tensor *ids, int d,
                        gru_tensor *other) {
  gru_tensor *settled;
  GRUI_TRY(gruI_cast(other, (gru_dtype)x->dtype, NULL, &settled));
  GRUI_TRY(gruI_tensor_settle(x));
  gruI_along call = {.kind = kind,
                     .dtype = (gru_dtype)x->dtype,
                     .ndim = ids->ndim,
                     .dim = d,
                     .size = x->ndim ? x->shape[d] : 1,
                     .base = c->attrs->base,
                     .ids = gruI_data(ids),
                     .x = gruI_data(x),
                     .other = gruI_data(settled)};
  memcpy(call.shape, ids->shape, sizeof call.shape);
  memcpy(call.id_stride, ids->stride, sizeof call.id_stride);
  memcpy(call.x_stride, x->stride, sizeof call.x_stride);
  memcpy(call.other_stride, settled->stride, sizeof call.other_stride);
  if (ids->ndim == 0) { /* the kernel wants a dim */
    call.ndim = 1;
    call.shape[0] = 1;
  }
  gruI_device *device = gruI_device_of(x);
  gru_status status = GRU_OK;
  if (ids->numel > 0)
    status = gruI_position_failed(c->rt, c->name, device, device->k->along(device, &call),
                                  c->attrs->base, call.size);
  gru_tensor_release(settled);
  return status;
}

static gru_status check_along(gruI_call *c, const gru_tensor *src, int *d) {
  const gru_tensor *x = c->in[0], *ids = c->n > 1 ? c->in[1] : NULL;
  GRUI_TRY(gruI_check_ids(c, ids));
  GRUI_TRY(gruI_dim(c->rt, c->name, c->attrs->dims[0], x->ndim, 0, d));
  bool fits = ids->ndim == x->ndim;
  for (int e = 0; fits && e < x->ndim; e++)
    fits = (e == *d || ids->shape[e] <= x->shape[e]) && (!src || ids->shape[e] <= src->shape[e]);
  if (fits && (!src || src->ndim == x->ndim)) return GRU_OK;
  return gruI_fail(c->rt, GRU_ERROR_SHAPE, "%s: ids %s do not fit %s%s%s along dim %d", c->name,
                   gruI_tensor_text(ids).s, gruI_tensor_text(x).s, src ? " with source " : "",
                   src ? gruI_tensor_text(src).s : "", *d + 1);
}

gru_status gruI_gather_forward(gruI_call *c) {
  int d;
  GRUI_TRY(check_along(c, NULL, &d));
  c->uses[0] = GRUI_USES_X(1);
  GRUI_TRY(gruI_tensor_new(c->rt, c->name, (gru_dtype)c->in[0]->dtype, c->in[1]->ndim,
                           c->in[1]->shape, gruI_place_of(c->in[0]), &c->out[0]));
  return along(c, GRUI_GATHER, c->in[0], c->in[1], d, c->out[0]);
}

gru_status gruI_gather_vjp(gruI_vjp *v) {
  const gruI_input *in = &v->node->in[0];
  gru_tensor *zeros, *results[GRU_MAX_OUTPUTS];
  GRUI_TRY(gruI_zeros(v->rt, v->name, (gru_dtype)in->dtype, in->ndim, in->shape,
                      gruI_place_of(v->g), &zeros));
  gru_status status = gru_op_call(v->rt, GRU_OP_SCATTER_ADD, (gru_tensor *[]){zeros, v->x[1], v->g},
                                  3, v->attrs, results);
  gru_tensor_release(zeros);
  if (status == GRU_OK) v->dx[0] = results[0];
  return status;
}

static gru_status scatter(gruI_call *c, gruI_along_kind kind) {
  gru_tensor *src = c->n > 2 ? c->in[2] : NULL;
  int d;
  if (!src) return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "%s: needs a source", c->name);
  if (src->dtype != c->in[0]->dtype)
    return gruI_fail(c->rt, GRU_ERROR_DTYPE, "%s: the source is %s, the tensor %s", c->name,
                     gru_dtype_name((gru_dtype)src->dtype),
                     gru_dtype_name((gru_dtype)c->in[0]->dtype));
  GRUI_TRY(check_along(c, src, &d));
  c->uses[0] = c->uses[2] = GRUI_USES_X(1);
  GRUI_TRY(gruI_clone_forward(c));
  return along(c, kind, c->out[0], c->in[1], d, src);
}

gru_status gruI_scatter_forward(gruI_call *c) { return scatter(c, GRUI_SCATTER); }
gru_status gruI_scatter_add_forward(gruI_call *c) { return scatter(c, GRUI_SCATTER_ADD); }

/* The gradient of the source: g at the ids, zero where the source is larger than the ids. */
static gru_status source_grad(gruI_vjp *v) {
  const gruI_input *src = &v->node->in[2], *ids = &v->node->in[1];
  gru_tensor *g;
  GRUI_TRY(gruI_call2(GRU_OP_GATHER, v->g, v->x[1], v->attrs, &g));
  for (int d = 0; d < src->ndim; d++) {
    if (src->shape[d] == ids->shape[d]) continue;
    gru_tensor *zeros, *both, *parts[2], *results[GRU_MAX_OUTPUTS] = {NULL};
    int64_t shape[GRU_MAX_DIMS];
    memcpy(shape, g->shape, sizeof shape);
    shape[d] = src->shape[d] - ids->shape[d];
    gru_status status =
        gruI_zeros(v->rt, v->name, (gru_dtype)g->dtype, g->ndim, shape, gruI_place_of(g), &zeros);
    if (status == GRU_OK) {
      parts[0] = g, parts[1] = zeros;
      status =
          gru_op_call(v->rt, GRU_OP_CAT, parts, 2, &(gru_attrs){.dims = {d}, .ndims = 1}, results);
      gru_tensor_release(zeros);
    }
    both = results[0];
    gru_tensor_release(g);
    if (status != GRU_OK) return status;
    g = both;
  }
  v->dx[2] = g;
  return GRU_OK;
}

gru_status gruI_scatter_add_vjp(gruI_vjp *v) {
  if (gruI_wants(v, 0)) v->dx[0] = gru_tensor_retain(v->g);
  return gruI_wants(v, 2) ? source_grad(v) : GRU_OK;
}

/* Elements that were overwritten have no gradient. */
gru_status gruI_scatter_vjp(gruI_vjp *v) {
  if (gruI_wants(v, 0)) {
    const gruI_input *ids = &v->node->in[1];
    gru_tensor *zeros, *results[GRU_MAX_OUTPUTS];
    GRUI_TRY(gruI_zeros(v->rt, v->name, (gru_dtype)v->g->dtype, ids->ndim, ids->shape,
                        gruI_place_of(v->g), &zeros));
    gru_status status = gru_op_call(v->rt, GRU_OP_SCATTER, (gru_tensor *[]){v->g, v->x[1], zeros},
                                    3, v->attrs, results);
    gru_tensor_release(zeros);
    if (status != GRU_OK) return status;
    v->dx[0] = results[0];
  }
  return gruI_wants(v, 2) ? source_grad(v) : GRU_OK;
}

/* ---- one_hot ---------------------------------------------------------------------------------------- */

/* Fails when an id is outside base .. base + classes - 1, naming the first one. */
static gru_status check_range(gruI_call *c, gru_tensor *ids) {
  int64_t *values = ids->numel ? gruI_data(ids) : NULL, base = c->attrs->base;
  gruI_device *device = gruI_device_of(ids);
  if (device->backend == &gruI_builtin_backend) {
    for (int64_t i = 0; i < ids->numel; i++)
      if (values[i] < base || values[i] >= base + c->attrs->count) {
        device->fault.value = values[i];
        device->fault.position = i;
        return gruI_position_failed(c->rt, c->name, device, GRU_ERROR_INDEX, base, c->attrs->count);
      }
    return GRU_OK;
  }
  /* Elsewhere the take kernel checks, over a table of one element a class that is read for nothing. */
  gru_tensor *table, *out = NULL;
  GRUI_TRY(
      gruI_tensor_new(c->rt, c->name, GRU_BOOL, 1, &c->attrs->count, gruI_place_of(ids), &table));
  gru_status status =
      gruI_tensor_new(c->rt, c->name, GRU_BOOL, 1, &ids->numel, gruI_place_of(ids), &out);
  if (status == GRU_OK) status = take(c->rt, c->name, table, 0, ids, base, out);
  gru_tensor_release(table);
  gru_tensor_release(out);
  return status;
}

gru_status gruI_one_hot_forward(gruI_call *c) {
  gru_tensor *ids;
  int64_t shape[GRU_MAX_DIMS], classes = c->attrs->count, numel;
  gru_dtype dtype = c->attrs->has_dtype ? (gru_dtype)c->attrs->dtype : c->rt->default_dtype;
  GRUI_TRY(gruI_check_ids(c, c->in[0]));
  if (classes < 1 || !gruI_is_float(dtype))
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT,
                     "one_hot: expected one class or more of a float dtype, got %lld of %s",
                     (long long)classes, gru_dtype_name(dtype));
  if (c->in[0]->ndim >= GRU_MAX_DIMS)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE,
                     "one_hot: ids %s would get %d dims, at most %d are possible",
                     gruI_tensor_text(c->in[0]).s, c->in[0]->ndim + 1, GRU_MAX_DIMS);
  /* A copy, since the ids may be changed in place later. */
  GRUI_TRY(gruI_call1(GRU_OP_CLONE, c->in[0], NULL, &ids));
  memcpy(shape, ids->shape, sizeof shape);
  shape[ids->ndim] = classes;
  gru_status status = gruI_count(ids->ndim + 1, shape, &numel)
                          ? check_range(c, ids)
                          : gruI_fail(c->rt, GRU_ERROR_SHAPE, "one_hot: too many elements: %s",
                                      gruI_shape_text(ids->ndim + 1, shape).s);
  if (status == GRU_OK)
    status = gruI_tensor_hot(ids, dtype, ids->ndim + 1, shape, c->attrs->base, &c->out[0]);
  gru_tensor_release(ids);
  return status;
}

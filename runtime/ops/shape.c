/* shape.c - views: other shapes and strides over the same storage. */
#include <string.h>

#include "ops/rules.h"

/* A view of input 0. */
static gru_status view(gruI_call *c, int ndim, const int64_t *shape, const int64_t *stride,
                       int64_t offset) {
  return gruI_tensor_alias(c->in[0], ndim, shape, stride, offset, &c->out[0]);
}

static gru_status check_ndim(gruI_call *c, int64_t ndim) {
  if (ndim >= 0 && ndim <= GRU_MAX_DIMS) return GRU_OK;
  return gruI_fail(c->rt, GRU_ERROR_SHAPE, "%s: %lld dims, at most %d are possible", c->name,
                   (long long)ndim, GRU_MAX_DIMS);
}

/* ---- reshape ----------------------------------------------------------------------------------- */

/* attrs.dims with its -1 worked out. */
static gru_status new_shape(gruI_call *c, int64_t *shape) {
  const gru_tensor *t = c->in[0];
  int ndim = c->attrs->ndims, hole = -1;
  int64_t known;
  GRUI_TRY(check_ndim(c, ndim));
  for (int d = 0; d < ndim; d++) {
    shape[d] = c->attrs->dims[d];
    if (shape[d] == -1 && hole < 0)
      hole = d;
    else if (shape[d] < 0)
      return gruI_fail(c->rt, GRU_ERROR_SHAPE, "%s: %s: sizes must not be negative, but for one -1",
                       c->name, gruI_shape_text(ndim, c->attrs->dims).s);
  }
  if (hole >= 0) shape[hole] = 1;
  if (!gruI_count(ndim, shape, &known)) return gruI_bad_sizes(c->rt, c->name, ndim, c->attrs->dims);
  bool fits = known == t->numel;
  if (hole >= 0) {
    fits = known > 0 && t->numel % known == 0;
    if (fits) shape[hole] = t->numel / known;
  }
  if (!fits)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE, "%s: %s has %lld elements, they do not make %s",
                     c->name, gruI_tensor_text(t).s, (long long)t->numel,
                     gruI_shape_text(ndim, c->attrs->dims).s);
  return GRU_OK;
}

/* Strides that show t as `shape`; false where no view does. */
static bool view_strides(const gru_tensor *t, int ndim, const int64_t *shape, int64_t *stride) {
  if (t->numel == 0) {
    gruI_strides(ndim, shape, stride);
    return true;
  }
  int d = t->ndim - 1, e = ndim - 1;
  while (e >= 0) {
    while (d >= 0 && t->shape[d] == 1) d--;
    if (d < 0 || shape[e] == 1) { /* the rest of the new dims has size 1 */
      stride[e] = e + 1 < ndim ? stride[e + 1] * shape[e + 1] : 1;
      e--;
      continue;
    }
    /* A run of old dims, merged as far as strides allow, against a run of new ones. */
    int64_t step = t->stride[d], run = t->shape[d];
    while (d > 0 && (t->shape[d - 1] == 1 || t->stride[d - 1] == t->stride[d] * t->shape[d])) {
      d--;
      if (t->shape[d] == 1) { /* takes the stride of its neighbour's end */
        int next = d - 1;
        while (next >= 0 && t->shape[next] == 1) next--;
        if (next < 0 || t->stride[next] != step * run) break;
        d = next;
      }
      run *= t->shape[d];
    }
    int64_t inner = step;
    while (e >= 0 && run % shape[e] == 0 && (run > 1 || shape[e] == 1)) {
      stride[e] = inner;
      inner *= shape[e];
      run /= shape[e--];
    }
    if (run != 1) return false;
    d--;
  }
  return true;
}

static gru_status reshape(gruI_call *c, bool copy_allowed) {
  gru_tensor *t = c->in[0];
  int64_t shape[GRU_MAX_DIMS], stride[GRU_MAX_DIMS];
  int ndim = c->attrs->ndims;
  GRUI_TRY(new_shape(c, shape));
  if (view_strides(t, ndim, shape, stride)) return view(c, ndim, shape, stride, t->offset);
  if (!copy_allowed)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE,
                     "view: strides %s of %s do not allow %s without a copy; use reshape",
                     gruI_shape_text(t->ndim, t->stride).s, gruI_tensor_text(t).s,
                     gruI_shape_text(ndim, shape).s);
  if (ndim > 0 && gruI_tensor_is_hot(t, NULL, NULL) && shape[ndim - 1] == t->shape[t->ndim - 1])
    return gruI_tensor_hot_clone(t, ndim, shape, &c->out[0]);
  gru_tensor *copy;
  GRUI_TRY(gruI_tensor_settle(t));
  GRUI_TRY(gruI_tensor_new(c->rt, c->name, (gru_dtype)t->dtype, t->ndim, t->shape, gruI_place_of(t),
                           &copy));
  gru_status status = gruI_copy_over(copy, t, c->name);
  gruI_strides(ndim, shape, stride);
  if (status == GRU_OK) status = gruI_tensor_alias(copy, ndim, shape, stride, 0, &c->out[0]);
  gru_tensor_release(copy);
  return status;
}

gru_status gruI_view_forward(gruI_call *c) { return reshape(c, false); }
gru_status gruI_reshape_forward(gruI_call *c) { return reshape(c, true); }

/* Back to the shape of the input. */
static gru_status reshape_back(gruI_vjp *v) {
  gru_attrs shape = {.ndims = v->node->in[0].ndim};
  memcpy(shape.dims, v->node->in[0].shape, sizeof shape.dims);
  return gruI_call1(GRU_OP_RESHAPE, v->g, &shape, &v->dx[0]);
}

gru_status gruI_view_vjp(gruI_vjp *v) { return reshape_back(v); }
gru_status gruI_reshape_vjp(gruI_vjp *v) { return reshape_back(v); }
gru_status gruI_squeeze_vjp(gruI_vjp *v) { return reshape_back(v); }
gru_status gruI_unsqueeze_vjp(gruI_vjp *v) { return reshape_back(v); }

/* ---- order of dims ---------------------------------------------------------------------------------- */

/* The permutation in attrs.dims made positive. */
static gru_status permutation(gru_runtime *rt, const char *op, const gru_attrs *attrs, int ndim,
                              int *order) {
  bool seen[GRU_MAX_DIMS] = {false};
  if (attrs->ndims != ndim)
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "%s: %d dims named, the tensor has %d", op,
                     attrs->ndims, ndim);
  for (int i = 0; i < ndim; i++) {
    GRUI_TRY(gruI_dim(rt, op, attrs->dims[i], ndim, 0, &order[i]));
    if (seen[order[i]])
      return gruI_fail(rt, GRU_ERROR_ARGUMENT, "%s: dim %d is named twice", op, order[i] + 1);
    seen[order[i]] = true;
  }
  return GRU_OK;
}

static gru_status reorder(gruI_call *c, const int *order) {
  const gru_tensor *t = c->in[0];
  int64_t shape[GRU_MAX_DIMS], stride[GRU_MAX_DIMS];
  for (int d = 0; d < t->ndim; d++) {
    shape[d] = t->shape[order[d]];
    stride[d] = t->stride[order[d]];
  }
  return view(c, t->ndim, shape, stride, t->offset);
}

gru_status gruI_permute_forward(gruI_call *c) {
  int order[GRU_MAX_DIMS];
  GRUI_TRY(permutation(c->rt, c->name, c->attrs, c->in[0]->ndim, order));
  return reorder(c, order);
}

gru_status gruI_permute_vjp(gruI_vjp *v) {
  int order[GRU_MAX_DIMS];
  gru_attrs back = {.ndims = v->attrs->ndims};
  GRUI_TRY(permutation(v->rt, v->name, v->attrs, v->g->ndim, order));
  for (int d = 0; d < back.ndims; d++) back.dims[order[d]] = d;
  return gruI_call1(GRU_OP_PERMUTE, v->g, &back, &v->dx[0]);
}

gru_status gruI_transpose_forward(gruI_call *c) {
  int order[GRU_MAX_DIMS], a, b, ndim = c->in[0]->ndim;
  if (c->attrs->ndims != 2)
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "transpose: takes two dims, got %d",
                     c->attrs->ndims);
  GRUI_TRY(gruI_dim(c->rt, c->name, c->attrs->dims[0], ndim, 0, &a));
  GRUI_TRY(gruI_dim(c->rt, c->name, c->attrs->dims[1], ndim, 0, &b));
  for (int d = 0; d < ndim; d++) order[d] = d;
  if (ndim > 0) order[a] = b, order[b] = a;
  return reorder(c, order);
}

gru_status gruI_transpose_vjp(gruI_vjp *v) {
  return gruI_call1(GRU_OP_TRANSPOSE, v->g, v->attrs, &v->dx[0]);
}

/* ---- parts ------------------------------------------------------------------------------------------------ */

gru_status gruI_narrow_forward(gruI_call *c) {
  const gru_tensor *t = c->in[0];
  const gru_attrs *a = c->attrs;
  int d;
  if (t->ndim == 0)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE, "narrow: a 0-d tensor has no dims to take a part of");
  GRUI_TRY(gruI_dim(c->rt, c->name, a->dims[0], t->ndim, 0, &d));
  int64_t size = t->shape[d], start = a->start < 0 ? a->start + size : a->start;
  if (start < 0 || a->stop > size || a->stop < start || a->step < 1)
    return gruI_fail(c->rt, GRU_ERROR_INDEX, "narrow: %lld to %lld by %lld is not in dim %d of %s",
                     gruI_from_1(start), (long long)a->stop, (long long)a->step, d + 1,
                     gruI_tensor_text(t).s);
  int64_t shape[GRU_MAX_DIMS], stride[GRU_MAX_DIMS];
  memcpy(shape, t->shape, sizeof shape);
  memcpy(stride, t->stride, sizeof stride);
  shape[d] = a->stop > start ? (a->stop - start - 1) / a->step + 1 : 0;
  if (shape[d] > 1) stride[d] = t->stride[d] * a->step; /* a larger step may overflow */
  /* A part of no elements stays where it was: its start may be one past the end. */
  return view(c, t->ndim, shape, stride, t->offset + (shape[d] > 0 ? start * t->stride[d] : 0));
}

gru_status gruI_select_forward(gruI_call *c) {
  const gru_tensor *t = c->in[0];
  int d;
  if (t->ndim == 0)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE, "select: a 0-d tensor has no dims to index");
  GRUI_TRY(gruI_dim(c->rt, c->name, c->attrs->dims[0], t->ndim, 0, &d));
  int64_t size = t->shape[d], i = c->attrs->start < 0 ? c->attrs->start + size : c->attrs->start;
  if (i < 0 || i >= size)
    return gruI_fail(c->rt, GRU_ERROR_INDEX, "select: position %lld is outside dim %d of %s",
                     gruI_from_1(c->attrs->start), d + 1, gruI_tensor_text(t).s);
  int64_t shape[GRU_MAX_DIMS], stride[GRU_MAX_DIMS];
  for (int e = 0, n = 0; e < t->ndim; e++)
    if (e != d) shape[n] = t->shape[e], stride[n++] = t->stride[e];
  return view(c, t->ndim - 1, shape, stride, t->offset + i * t->stride[d]);
}

/* g written into zeros of the input's shape, where the part was.  Spelt as cat of zeros, g and
** zeros along the dim, which is differentiable itself. */
static gru_status pad(gruI_vjp *v, gru_tensor *g, int d, int64_t before, int64_t after,
                      gru_tensor **out) {
  const gruI_input *in = &v->node->in[0];
  gru_tensor *parts[3] = {NULL}, *results[GRU_MAX_OUTPUTS];
  int64_t shape[GRU_MAX_DIMS], sizes[2] = {before, after};
  gru_attrs along = {.dims = {d}, .ndims = 1};
  memcpy(shape, in->shape, sizeof shape);
  gru_status status = GRU_OK;
  int n = 0;
  for (int side = 0; side < 2 && status == GRU_OK; side++) {
    if (side == 1) parts[n++] = gru_tensor_retain(g);
    if (sizes[side] == 0) continue;
    shape[d] = sizes[side];
    status = gruI_zeros(v->rt, v->name, (gru_dtype)in->dtype, in->ndim, shape, gruI_place_of(g),
                        &parts[n]);
    if (status == GRU_OK) n++;
  }
  if (status == GRU_OK) status = gru_op_call(v->rt, GRU_OP_CAT, parts, n, &along, results);
  if (status == GRU_OK) *out = results[0];
  for (int i = 0; i < n; i++) gru_tensor_release(parts[i]);
  return status;
}

gru_status gruI_narrow_vjp(gruI_vjp *v) {
  const gruI_input *in = &v->node->in[0];
  const gru_attrs *a = v->attrs;
  int d = (int)(a->dims[0] < 0 ? a->dims[0] + in->ndim : a->dims[0]);
  int64_t size = in->shape[d], start = a->start < 0 ? a->start + size : a->start;
  if (!v->composing && !v->rt->trace) return gruI_vjp_add_part(v, GRU_OP_NARROW);
  if (a->step == 1) return pad(v, v->g, d, start, size - a->stop, &v->dx[0]);
  /* Every step-th: an index_add along the dim. */
  int64_t count = v->g->shape[d];
  gru_tensor *ids, *zeros = NULL, *results[GRU_MAX_OUTPUTS];
  GRUI_TRY(
      gru_tensor_range_integer(v->rt, count, start, a->step, gruI_device_of(v->g)->name, &ids));
  gru_status status = gruI_zeros(v->rt, v->name, (gru_dtype)in->dtype, in->ndim, in->shape,
                                 gruI_place_of(v->g), &zeros);
  if (status == GRU_OK)
    status = gru_op_call(v->rt, GRU_OP_INDEX_ADD, (gru_tensor *[]){zeros, ids, v->g}, 3,
                         &(gru_attrs){.dims = {d}, .ndims = 1}, results);
  if (status == GRU_OK) v->dx[0] = results[0];
  gru_tensor_release(ids);
  gru_tensor_release(zeros);
  return status;
}

gru_status gruI_select_vjp(gruI_vjp *v) {
  const gruI_input *in = &v->node->in[0];
  int d = (int)(v->attrs->dims[0] < 0 ? v->attrs->dims[0] + in->ndim : v->attrs->dims[0]);
  int64_t i = v->attrs->start < 0 ? v->attrs->start + in->shape[d] : v->attrs->start;
  if (!v->composing && !v->rt->trace) return gruI_vjp_add_part(v, GRU_OP_SELECT);
  gru_tensor *g;
  GRUI_TRY(gruI_call1(GRU_OP_UNSQUEEZE, v->g, &(gru_attrs){.dims = {d}, .ndims = 1}, &g));
  gru_status status = pad(v, g, d, i, in->shape[d] - i - 1, &v->dx[0]);
  gru_tensor_release(g);
  return status;
}

/* ---- sizes of 1 ------------------------------------------------------------------------------------------ */

gru_status gruI_squeeze_forward(gruI_call *c) {
  const gru_tensor *t = c->in[0];
  bool drop[GRU_MAX_DIMS] = {false};
  int dims[GRU_MAX_DIMS], n;
  GRUI_TRY(gruI_reduced_dims(c->rt, c->name, c->attrs, t->ndim, &n, dims));
  for (int i = 0; i < n; i++)
    if (t->ndim > 0) drop[dims[i]] = t->shape[dims[i]] == 1;
  int64_t shape[GRU_MAX_DIMS], stride[GRU_MAX_DIMS];
  int m = 0;
  for (int d = 0; d < t->ndim; d++)
    if (!drop[d]) shape[m] = t->shape[d], stride[m++] = t->stride[d];
  return view(c, m, shape, stride, t->offset);
}

gru_status gruI_unsqueeze_forward(gruI_call *c) {
  const gru_tensor *t = c->in[0];
  int at;
  if (c->attrs->ndims != 1)
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "unsqueeze: takes one dim, got %d",
                     c->attrs->ndims);
  GRUI_TRY(check_ndim(c, t->ndim + 1));
  GRUI_TRY(gruI_dim(c->rt, c->name, c->attrs->dims[0], t->ndim, 1, &at));
  int64_t shape[GRU_MAX_DIMS], stride[GRU_MAX_DIMS];
  for (int d = 0, e = 0; d <= t->ndim; d++) {
    shape[d] = d == at ? 1 : t->shape[e];
    stride[d] = d == at ? (e < t->ndim ? t->stride[e] * t->shape[e] : 1) : t->stride[e];
    if (d != at) e++;
  }
  return view(c, t->ndim + 1, shape, stride, t->offset);
}

gru_status gruI_expand_forward(gruI_call *c) {
  const gru_tensor *t = c->in[0];
  int ndim = c->attrs->ndims, lead = ndim - t->ndim;
  int64_t shape[GRU_MAX_DIMS], stride[GRU_MAX_DIMS], numel;
  GRUI_TRY(check_ndim(c, ndim));
  bool fits = lead >= 0;
  for (int d = 0; d < ndim && fits; d++) {
    int64_t have = d < lead ? 1 : t->shape[d - lead], want = c->attrs->dims[d];
    if (want == -1 && d >= lead) want = have;
    fits = want >= 0 && (have == want || have == 1);
    shape[d] = want;
    stride[d] = d < lead || (have == 1 && want != 1) ? 0 : t->stride[d - lead];
  }
  if (fits && !gruI_count(ndim, shape, &numel)) return gruI_bad_sizes(c->rt, c->name, ndim, shape);
  if (!fits)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE,
                     "expand: %s does not expand to %s; only sizes of 1 grow",
                     gruI_tensor_text(t).s, gruI_shape_text(ndim, c->attrs->dims).s);
  return view(c, ndim, shape, stride, t->offset);
}

gru_status gruI_expand_vjp(gruI_vjp *v) {
  const gruI_input *in = &v->node->in[0];
  return gruI_sum_to(v->g, in->ndim, in->shape, (gru_dtype)in->dtype, &v->dx[0]);
}

/* reduce.c - sum prod mean max min amax amin argmax argmin any all. */
#include <string.h>

#include "ops/rules.h"

gru_status gruI_reduced_dims(gru_runtime *rt, const char *op, const gru_attrs *attrs, int ndim,
                             int *n, int *dims) {
  bool chosen[GRU_MAX_DIMS] = {false};
  *n = 0;
  if (attrs->ndims == 0) {
    for (int d = 0; d < ndim; d++) dims[(*n)++] = d;
    return GRU_OK;
  }
  for (int i = 0; i < attrs->ndims; i++) {
    int d;
    GRUI_TRY(gruI_dim(rt, op, attrs->dims[i], ndim, 0, &d));
    if (chosen[d]) return gruI_fail(rt, GRU_ERROR_ARGUMENT, "%s: dim %d is named twice", op, d + 1);
    chosen[d] = true;
  }
  for (int d = 0; d < ndim; d++)
    if (chosen[d]) dims[(*n)++] = d;
  return GRU_OK;
}

/* Fills the geometry of `call` from t and the reduced dims, and the shape of the result. */
static void split(const gru_tensor *t, int n, const int *dims, bool keepdim, gruI_reduce *call,
                  int *ndim, int64_t *shape) {
  bool reduced[GRU_MAX_DIMS] = {false};
  for (int i = 0; i < n; i++) reduced[dims[i]] = true;
  *ndim = 0;
  for (int d = 0; d < t->ndim; d++) {
    int64_t size = t->shape[d], stride = t->stride[d];
    if (!reduced[d] || keepdim) shape[(*ndim)++] = reduced[d] ? 1 : size;
    if (size == 1) continue;
    int *count = reduced[d] ? &call->nred : &call->nkeep;
    int64_t *sizes = reduced[d] ? call->red : call->keep;
    int64_t *strides = reduced[d] ? call->red_stride : call->keep_stride;
    /* A dim that the one before it walks into is merged; the order, and with it the
    ** meaning of positions, stays. */
    if (*count > 0 && strides[*count - 1] == stride * size) {
      sizes[*count - 1] *= size;
      strides[*count - 1] = stride;
    } else {
      sizes[*count] = size;
      strides[(*count)++] = stride;
    }
  }
}

/* Runs one reduction.  `index` NULL: values only; `values` NULL: positions only. */
static gru_status reduce(gruI_call *c, gruI_reduction kind, gru_dtype dtype, gru_tensor **values,
                         gru_tensor **index) {
  gru_tensor *t;
  int n, dims[GRU_MAX_DIMS], ndim;
  int64_t shape[GRU_MAX_DIMS];
  gruI_reduce call = {.kind = kind, .dtype = dtype, .base = c->attrs->base};
  GRUI_TRY(gruI_reduced_dims(c->rt, c->name, c->attrs, c->in[0]->ndim, &n, dims));
  if ((kind == GRUI_MAX || kind == GRUI_MIN))
    for (int i = 0; i < n; i++)
      if (c->in[0]->shape[dims[i]] == 0)
        return gruI_fail(c->rt, GRU_ERROR_SHAPE, "%s: no elements along dim %d of %s, it has none",
                         c->name, dims[i] + 1, gruI_tensor_text(c->in[0]).s);
  GRUI_TRY(gruI_cast(c->in[0], dtype, NULL, &t));
  split(t, n, dims, c->attrs->keepdim != 0, &call, &ndim, shape);
  gruI_place *place = gruI_place_of(t);
  gru_status status = GRU_OK;
  gru_tensor *v = NULL, *p = NULL;
  if (values) status = gruI_tensor_new(c->rt, c->name, dtype, ndim, shape, place, &v);
  if (index && status == GRU_OK)
    status = gruI_tensor_new(c->rt, c->name, GRU_INT64, ndim, shape, place, &p);
  if (status == GRU_OK && (v ? v : p)->numel > 0) {
    call.in = gruI_data(t);
    call.out = v ? gruI_data(v) : NULL;
    call.out_index = p ? gruI_data(p) : NULL;
    gruI_device *device = &place->device;
    status = gruI_kernel_failed(c->rt, c->name, device, device->k->reduce(device, &call));
  }
  gru_tensor_release(t);
  if (status == GRU_OK) {
    if (values) *values = v;
    if (index) *index = p;
  } else {
    gru_tensor_release(v);
    gru_tensor_release(p);
  }
  return status;
}

static gru_dtype sum_dtype(const gru_tensor *t) {
  return t->dtype == GRU_BOOL ? GRU_INT64 : (gru_dtype)t->dtype;
}

/* ---- forward ----------------------------------------------------------------------------------- */

gru_status gruI_sum_forward(gruI_call *c) {
  return reduce(c, GRUI_SUM, sum_dtype(c->in[0]), &c->out[0], NULL);
}

gru_status gruI_prod_forward(gruI_call *c) {
  c->uses[0] = GRUI_USES_X(0);
  return reduce(c, GRUI_PROD, sum_dtype(c->in[0]), &c->out[0], NULL);
}

/* How many elements go into each result. */
static double reduced_count(const gru_attrs *attrs, int ndim, const int64_t *shape) {
  double count = 1;
  if (attrs->ndims == 0)
    for (int d = 0; d < ndim; d++) count *= (double)shape[d];
  for (int i = 0; i < attrs->ndims; i++)
    count *= (double)shape[attrs->dims[i] < 0 ? attrs->dims[i] + ndim : attrs->dims[i]];
  return ndim == 0 ? 1 : count;
}

/* t / count, the number left unrecorded. */
static gru_status divide(gru_tensor *t, double count, gru_tensor **out) {
  gru_tensor *n;
  GRUI_TRY(gru_tensor_number(t->rt, count, &n));
  gru_status status = gruI_call2(GRU_OP_DIV, t, n, NULL, out);
  gru_tensor_release(n);
  return status;
}

gru_status gruI_mean_forward(gruI_call *c) {
  const gru_tensor *t = c->in[0];
  if (!gruI_is_float((gru_dtype)t->dtype))
    return gruI_fail(c->rt, GRU_ERROR_DTYPE, "mean: wants floats, got %s; convert with :float()",
                     gru_dtype_name((gru_dtype)t->dtype));
  gru_tensor *sum;
  GRUI_TRY(reduce(c, GRUI_SUM, (gru_dtype)t->dtype, &sum, NULL));
  gru_status status = divide(sum, reduced_count(c->attrs, t->ndim, t->shape), &c->out[0]);
  gru_tensor_release(sum);
  return status;
}

static gru_status extreme(gruI_call *c, gruI_reduction kind) {
  bool along = c->attrs->ndims == 1;
  if (c->attrs->ndims > 1)
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT,
                     "%s: takes one dim or none, got %d; call it again "
                     "for the other",
                     c->name, c->attrs->ndims);
  /* Along a dim the gradient goes to the position chosen, over all it is shared by equals. */
  c->uses[0] = along ? GRUI_USES_Y(1) : GRUI_USES_X(0) | GRUI_USES_Y(0);
  return reduce(c, kind, (gru_dtype)c->in[0]->dtype, &c->out[0], along ? &c->out[1] : NULL);
}

gru_status gruI_max_forward(gruI_call *c) { return extreme(c, GRUI_MAX); }
gru_status gruI_min_forward(gruI_call *c) { return extreme(c, GRUI_MIN); }

static gru_status extreme_value(gruI_call *c, gruI_reduction kind) {
  c->uses[0] = GRUI_USES_X(0) | GRUI_USES_Y(0);
  return reduce(c, kind, (gru_dtype)c->in[0]->dtype, &c->out[0], NULL);
}

gru_status gruI_amax_forward(gruI_call *c) { return extreme_value(c, GRUI_MAX); }
gru_status gruI_amin_forward(gruI_call *c) { return extreme_value(c, GRUI_MIN); }

static gru_status position(gruI_call *c, gruI_reduction kind) {
  if (c->attrs->ndims > 1)
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "%s: takes one dim or none, got %d", c->name,
                     c->attrs->ndims);
  return reduce(c, kind, (gru_dtype)c->in[0]->dtype, NULL, &c->out[0]);
}

gru_status gruI_argmax_forward(gruI_call *c) { return position(c, GRUI_MAX); }
gru_status gruI_argmin_forward(gruI_call *c) { return position(c, GRUI_MIN); }
gru_status gruI_any_forward(gruI_call *c) {
  return reduce(c, GRUI_ANY, GRU_BOOL, &c->out[0], NULL);
}
gru_status gruI_all_forward(gruI_call *c) {
  return reduce(c, GRUI_ALL, GRU_BOOL, &c->out[0], NULL);
}

/* ---- gradients -------------------------------------------------------------------------------------- */

/* g with the reduced dims back as size 1.  New reference. */
static gru_status keep_dims(gruI_vjp *v, gru_tensor *t, gru_tensor **out) {
  const gruI_input *in = &v->node->in[0];
  int n, dims[GRU_MAX_DIMS];
  gru_attrs shape = {.ndims = in->ndim};
  GRUI_TRY(gruI_reduced_dims(v->rt, v->name, v->attrs, in->ndim, &n, dims));
  for (int d = 0; d < in->ndim; d++) shape.dims[d] = in->shape[d];
  for (int i = 0; i < n; i++)
    if (in->ndim > 0) shape.dims[dims[i]] = 1;
  return gruI_call1(GRU_OP_RESHAPE, t, &shape, out);
}

/* g spread over the shape of the input. */
static gru_status spread(gruI_vjp *v, gru_tensor *g, gru_tensor **out) {
  gru_tensor *kept;
  gru_attrs shape = {.ndims = v->node->in[0].ndim};
  memcpy(shape.dims, v->node->in[0].shape, sizeof shape.dims);
  GRUI_TRY(keep_dims(v, g, &kept));
  gru_status status = gruI_call1(GRU_OP_EXPAND, kept, &shape, out);
  gru_tensor_release(kept);
  return status;
}

gru_status gruI_sum_vjp(gruI_vjp *v) { return spread(v, v->g, &v->dx[0]); }

gru_status gruI_mean_vjp(gruI_vjp *v) {
  const gruI_input *in = &v->node->in[0];
  gru_tensor *g;
  GRUI_TRY(divide(v->g, reduced_count(v->attrs, in->ndim, in->shape), &g));
  gru_status status = spread(v, g, &v->dx[0]);
  gru_tensor_release(g);
  return status;
}

/* dx_i = g prod_{j != i} x_j: P / x_i where nothing is 0, with P the product of the elements
** that are not 0; where one element is 0, P for that one and 0 for the others. */
static gru_status prod_by_division(gruI_vjp *v) {
  gruI_expression e = {.rt = v->rt};
  gru_attrs kept = *v->attrs;
  kept.keepdim = 1;
  gru_tensor *g = NULL, *x = v->x[0];
  GRUI_TRY(keep_dims(v, v->g, &g));
  gruI_expr_keep(&e, GRU_OK, g);
  gru_tensor *is_zero = GRUI_EXPR(&e, EQ, x, gruI_expr_number(&e, 0));
  gru_tensor *others = GRUI_EXPR(&e, WHERE, is_zero, gruI_expr_number(&e, 1), x);
  gru_tensor *zeros = gruI_expr_call(&e, GRU_OP_SUM, &kept, 1, &is_zero);
  gru_tensor *product = gruI_expr_call(&e, GRU_OP_PROD, &kept, 1, &others);
  gru_tensor *none = GRUI_EXPR(&e, EQ, zeros, gruI_expr_number(&e, 0));
  gru_tensor *this_one =
      GRUI_EXPR(&e, LOGICAL_AND, is_zero, GRUI_EXPR(&e, EQ, zeros, gruI_expr_number(&e, 1)));
  gru_tensor *counts = GRUI_EXPR(&e, LOGICAL_OR, none, this_one);
  gru_tensor *dx = GRUI_EXPR(&e, MUL, g, GRUI_EXPR(&e, DIV, product, others));
  return gruI_expr_end(&e, GRUI_EXPR(&e, WHERE, counts, dx, gruI_expr_number(&e, 0)), &v->dx[0]);
}

/* The same spelt without division, so that it can be differentiated where elements are 0: with the
** reduced dims last and flat, x becomes n rows of which row i has a 1 in place of x_i. */
static gru_status prod_of_others(gruI_vjp *v, int nred, const int *dims, int64_t n) {
  const gruI_input *in = &v->node->in[0];
  gruI_expression e = {.rt = v->rt};
  gru_attrs order = {.ndims = in->ndim}, back = {.ndims = in->ndim}, moved = {.ndims = in->ndim};
  bool reduced[GRU_MAX_DIMS] = {false};
  for (int i = 0; i < nred; i++) reduced[dims[i]] = true;
  int64_t rows = 1;
  for (int pass = 0, at = 0; pass < 2; pass++)
    for (int d = 0; d < in->ndim; d++) {
      if (reduced[d] != (pass == 1)) continue;
      if (pass == 0) rows *= in->shape[d];
      moved.dims[at] = in->shape[d];
      order.dims[at] = d;
      back.dims[d] = at++;
    }
  gru_attrs flat = {.dims = {rows, 1, n}, .ndims = 3}, square = {.dims = {rows, n, n}, .ndims = 3};
  gru_attrs last = {.dims = {-1}, .ndims = 1}, column = {.dims = {n, 1}, .ndims = 2};
  gru_tensor *g = NULL, *count = NULL, *x = v->x[0];
  gru_status status = keep_dims(v, v->g, &g);
  gruI_expr_keep(&e, status, g);
  if (status == GRU_OK) status = gruI_count_up(v->rt, v->name, n, gruI_place_of(v->g), &count);
  gruI_expr_keep(&e, status, count);
  gru_tensor *row = gruI_expr_call(&e, GRU_OP_RESHAPE, &column, 1, &count);
  gru_tensor *eye = GRUI_EXPR(&e, EQ, row, count);
  x = gruI_expr_call(&e, GRU_OP_PERMUTE, &order, 1, &x);
  x = gruI_expr_call(&e, GRU_OP_RESHAPE, &flat, 1, &x);
  x = gruI_expr_call(&e, GRU_OP_EXPAND, &square, 1, &x);
  x = GRUI_EXPR(&e, WHERE, eye, gruI_expr_number(&e, 1), x);
  x = gruI_expr_call(&e, GRU_OP_PROD, &last, 1, &x);
  x = gruI_expr_call(&e, GRU_OP_RESHAPE, &moved, 1, &x);
  x = gruI_expr_call(&e, GRU_OP_PERMUTE, &back, 1, &x);
  return gruI_expr_end(&e, GRUI_EXPR(&e, MUL, g, x), &v->dx[0]);
}

gru_status gruI_prod_vjp(gruI_vjp *v) {
  enum { SQUARE_MAX = 2048 }; /* n^2 elements; past this zeros are exact in the first order only */
  const gruI_input *in = &v->node->in[0];
  int nred, dims[GRU_MAX_DIMS];
  int64_t n = 1;
  GRUI_TRY(gruI_reduced_dims(v->rt, v->name, v->attrs, in->ndim, &nred, dims));
  for (int i = 0; i < nred; i++) n *= in->shape[dims[i]];
  if (v->composing && n <= SQUARE_MAX && in->ndim > 0) return prod_of_others(v, nred, dims, n);
  return prod_by_division(v);
}

/* dx = g m / sum m, with m_i = 1 where x_i = y: equals share the gradient. */
static gru_status share_vjp(gruI_vjp *v) {
  gruI_expression e = {.rt = v->rt};
  gru_attrs to = {.dtype = v->g->dtype, .has_dtype = 1}, kept = *v->attrs;
  gru_tensor *g = NULL, *y = NULL;
  kept.keepdim = 1;
  gru_status status = keep_dims(v, v->g, &g);
  gruI_expr_keep(&e, status, g);
  if (status == GRU_OK) status = keep_dims(v, v->y[0], &y);
  gruI_expr_keep(&e, status, y);
  gru_tensor *equal = GRUI_EXPR(&e, EQ, v->x[0], y);
  gru_tensor *mask = gruI_expr_call(&e, GRU_OP_TO, &to, 1, &equal);
  gru_tensor *share = GRUI_EXPR(&e, DIV, g, gruI_expr_call(&e, GRU_OP_SUM, &kept, 1, &mask));
  return gruI_expr_end(&e, GRUI_EXPR(&e, MUL, mask, share), &v->dx[0]);
}

gru_status gruI_amax_vjp(gruI_vjp *v) { return share_vjp(v); }
gru_status gruI_amin_vjp(gruI_vjp *v) { return share_vjp(v); }

/* Over all elements: equals share the gradient. Along a dim: it goes to the one chosen. */
gru_status gruI_extreme_vjp(gruI_vjp *v) {
  gruI_expression e = {.rt = v->rt};
  gru_tensor *g = NULL;
  if (v->attrs->ndims == 0) return share_vjp(v);
  GRUI_TRY(keep_dims(v, v->g, &g));
  gruI_expr_keep(&e, GRU_OK, g);
  const gruI_input *in = &v->node->in[0];
  gru_tensor *ids = NULL, *zeros = NULL;
  gru_status status = keep_dims(v, v->y[1], &ids);
  gruI_expr_keep(&e, status, ids);
  if (status == GRU_OK)
    status = gruI_zeros(v->rt, v->name, (gru_dtype)in->dtype, in->ndim, in->shape, gruI_place_of(g),
                        &zeros);
  gruI_expr_keep(&e, status, zeros);
  if (e.status == GRU_OK && in->ndim == 0) return gruI_expr_end(&e, g, &v->dx[0]);
  gru_tensor *dx =
      gruI_expr_call(&e, GRU_OP_SCATTER, v->attrs, 3, (gru_tensor *const[]){zeros, ids, g});
  return gruI_expr_end(&e, dx, &v->dx[0]);
}

gru_status gruI_max_vjp(gruI_vjp *v) { return gruI_extreme_vjp(v); }
gru_status gruI_min_vjp(gruI_vjp *v) { return gruI_extreme_vjp(v); }

/* scan.c - cumsum and cumprod: y_i = x_1 + ... + x_i and y_i = x_1 ... x_i along attrs.dims[0],
** or from the last element on where attrs.step is set.
*/
#include <string.h>

#include "ops/rules.h"

gru_status gruI_lines(gru_runtime *rt, const char *op, const gru_attrs *attrs, const gru_tensor *t,
                      gruI_line *out) {
  if (attrs->ndims != 1)
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "%s: takes one dim, got %d", op, attrs->ndims);
  GRUI_TRY(gruI_dim(rt, op, attrs->dims[0], t->ndim, 0, &out->dim));
  out->outer = out->inner = 1;
  out->n = t->ndim ? t->shape[out->dim] : 1;
  for (int d = 0; d < t->ndim; d++) {
    if (d < out->dim) out->outer *= t->shape[d];
    if (d > out->dim) out->inner *= t->shape[d];
  }
  return GRU_OK;
}

static gru_status scan(gruI_call *c, gruI_reduction kind) {
  const gru_tensor *t = c->in[0];
  gru_dtype dtype = t->dtype == GRU_BOOL ? GRU_INT64 : (gru_dtype)t->dtype;
  gruI_line line;
  gru_tensor *x;
  GRUI_TRY(gruI_lines(c->rt, c->name, c->attrs, t, &line));
  GRUI_TRY(gruI_pack(c->in[0], dtype, NULL, &x));
  gru_status status =
      gruI_tensor_new(c->rt, c->name, dtype, x->ndim, x->shape, gruI_place_of(x), &c->out[0]);
  if (status == GRU_OK && x->numel > 0) {
    gruI_device *device = gruI_device_of(x);
    gruI_scan call = {kind,   dtype,      c->attrs->step != 0, line.outer,
                      line.n, line.inner, gruI_data(x),        gruI_data(c->out[0])};
    status = gruI_kernel_failed(c->rt, c->name, device, device->k->scan(device, &call));
  }
  gru_tensor_release(x);
  return status;
}

gru_status gruI_cumsum_forward(gruI_call *c) { return scan(c, GRUI_SUM); }

gru_status gruI_cumprod_forward(gruI_call *c) {
  c->uses[0] = GRUI_USES_X(0) | GRUI_USES_Y(0);
  return scan(c, GRUI_PROD);
}

/* ---- gradients ----------------------------------------------------------------------------- */

/* The same scan from the other end. */
static gru_attrs turned(const gru_attrs *attrs) {
  gru_attrs back = *attrs;
  back.step = attrs->step == 0;
  return back;
}

/* dx_k = sum_{i >= k} g_i */
gru_status gruI_cumsum_vjp(gruI_vjp *v) {
  gru_attrs back = turned(v->attrs);
  return gruI_call1(GRU_OP_CUMSUM, v->g, &back, &v->dx[0]);
}

/* dx_k = sum_{i >= k} g_i prod_{j <= i, j != k} x_j: before the first 0 of a line that is
** sum_{i >= k} g_i y_i / x_k, at the first 0 the sum with a 1 in its place, after it 0. */
static gru_status cumprod_by_division(gruI_vjp *v) {
  gruI_expression e = {.rt = v->rt};
  gru_attrs back = turned(v->attrs);
  gru_tensor *x = v->x[0], *zero = gruI_expr_number(&e, 0), *one = gruI_expr_number(&e, 1);
  gru_tensor *is_zero = GRUI_EXPR(&e, EQ, x, zero);
  gru_tensor *zeros = gruI_expr_call(&e, GRU_OP_CUMSUM, v->attrs, 1, &is_zero);
  gru_tensor *first = GRUI_EXPR(&e, LOGICAL_AND, is_zero, GRUI_EXPR(&e, EQ, zeros, one));
  gru_tensor *filled = GRUI_EXPR(&e, WHERE, first, one, x);
  gru_tensor *others = gruI_expr_call(&e, GRU_OP_CUMPROD, v->attrs, 1, &filled);
  gru_tensor *gy = GRUI_EXPR(&e, MUL, v->g, v->y[0]), *go = GRUI_EXPR(&e, MUL, v->g, others);
  gru_tensor *before = gruI_expr_call(&e, GRU_OP_CUMSUM, &back, 1, &gy);
  gru_tensor *at = gruI_expr_call(&e, GRU_OP_CUMSUM, &back, 1, &go);
  before = GRUI_EXPR(&e, DIV, before, GRUI_EXPR(&e, WHERE, is_zero, one, x));
  gru_tensor *rest = GRUI_EXPR(&e, WHERE, first, at, zero);
  gru_tensor *none = GRUI_EXPR(&e, EQ, zeros, zero);
  return gruI_expr_end(&e, GRUI_EXPR(&e, WHERE, none, before, rest), &v->dx[0]);
}

/* The same spelt without division, so that it can be differentiated where elements are 0: with
** the dim last, row k of an n x n matrix is x with a 1 in place of x_k. */
static gru_status cumprod_of_others(gruI_vjp *v, int64_t n) {
  gruI_expression e = {.rt = v->rt};
  gru_attrs swap = {.dims = {v->attrs->dims[0], -1}, .ndims = 2};
  gru_attrs inside = {.dims = {-2}, .ndims = 1}, last = {.dims = {-1}, .ndims = 1};
  gru_attrs column = {.dims = {n, 1}, .ndims = 2}, along = *v->attrs;
  gru_tensor *count = NULL, *x = v->x[0], *g = v->g;
  along.dims[0] = -1;
  gru_status status = gruI_count_up(v->rt, v->name, n, gruI_place_of(g), &count);
  gruI_expr_keep(&e, status, count);
  gru_tensor *row = gruI_expr_call(&e, GRU_OP_RESHAPE, &column, 1, &count);
  x = gruI_expr_call(&e, GRU_OP_TRANSPOSE, &swap, 1, &x);
  g = gruI_expr_call(&e, GRU_OP_TRANSPOSE, &swap, 1, &g);
  x = gruI_expr_call(&e, GRU_OP_UNSQUEEZE, &inside, 1, &x);
  g = gruI_expr_call(&e, GRU_OP_UNSQUEEZE, &inside, 1, &g);
  x = GRUI_EXPR(&e, WHERE, GRUI_EXPR(&e, EQ, row, count), gruI_expr_number(&e, 1), x);
  gru_tensor *products = gruI_expr_call(&e, GRU_OP_CUMPROD, &along, 1, &x);
  gru_tensor *reached =
      v->attrs->step == 0 ? GRUI_EXPR(&e, GE, count, row) : GRUI_EXPR(&e, LE, count, row);
  gru_tensor *terms =
      GRUI_EXPR(&e, WHERE, reached, GRUI_EXPR(&e, MUL, g, products), gruI_expr_number(&e, 0));
  gru_tensor *dx = gruI_expr_call(&e, GRU_OP_SUM, &last, 1, &terms);
  return gruI_expr_end(&e, gruI_expr_call(&e, GRU_OP_TRANSPOSE, &swap, 1, &dx), &v->dx[0]);
}

gru_status gruI_cumprod_vjp(gruI_vjp *v) {
  enum {
    MOST = 1 << 24
  }; /* elements of the matrices; past it zeros are exact in the first order only */
  gruI_line line;
  GRUI_TRY(gruI_lines(v->rt, v->name, v->attrs, v->g, &line));
  bool fits = v->g->ndim > 0 && v->g->ndim < GRU_MAX_DIMS && v->g->numel > 0 &&
              line.n <= MOST / v->g->numel;
  return v->composing && fits ? cumprod_of_others(v, line.n) : cumprod_by_division(v);
}

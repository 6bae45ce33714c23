/* softmax.c - softmax and log_softmax over one dim.
**
**   softmax:      y = exp(x) / sum exp(x),     dx = y (g - sum g y)
**   log_softmax:  y = x - log sum exp(x),      dx = g - exp(y) sum g
*/
#include "ops/rules.h"

/* t with dim `dim` moved last (or back, which is the same swap), contiguous. */
static gru_status dim_last(gru_tensor *t, int dim, gru_tensor **out) {
  gru_attrs swap = {.dims = {dim, -1}, .ndims = 2};
  gru_tensor *moved;
  if (dim >= t->ndim - 1) return gruI_pack(t, (gru_dtype)t->dtype, NULL, out);
  GRUI_TRY(gruI_call1(GRU_OP_TRANSPOSE, t, &swap, &moved));
  gru_status status = gruI_pack(moved, (gru_dtype)t->dtype, NULL, out);
  gru_tensor_release(moved);
  return status;
}

/* `rows` swapped back: what dim_last undid. */
static gru_status dim_back(gru_tensor *rows, int dim, gru_tensor **out) {
  gru_attrs swap = {.dims = {dim, -1}, .ndims = 2};
  if (dim >= rows->ndim - 1) {
    *out = gru_tensor_retain(rows);
    return GRU_OK;
  }
  return gruI_call1(GRU_OP_TRANSPOSE, rows, &swap, out);
}

static gru_status the_dim(gru_runtime *rt, const char *op, const gru_attrs *attrs, int ndim,
                          int *dim) {
  if (attrs->ndims != 1)
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "%s: takes one dim, got %d", op, attrs->ndims);
  return gruI_dim(rt, op, attrs->dims[0], ndim, 0, dim);
}

static int64_t cols_of(const gru_tensor *t) { return t->ndim ? t->shape[t->ndim - 1] : 1; }

static gru_status forward(gruI_call *c, int log) {
  const gru_tensor *t = c->in[0];
  int dim;
  if (!gruI_is_float((gru_dtype)t->dtype))
    return gruI_fail(c->rt, GRU_ERROR_DTYPE, "%s: wants floats, got %s; convert with :float()",
                     c->name, gru_dtype_name((gru_dtype)t->dtype));
  GRUI_TRY(the_dim(c->rt, c->name, c->attrs, t->ndim, &dim));
  c->uses[0] = GRUI_USES_Y(0);
  int mode = gru_set_grad_enabled(c->rt, 0);
  gru_tensor *x = NULL, *y = NULL;
  gru_status status = dim_last(c->in[0], dim, &x);
  if (status == GRU_OK)
    status = gruI_tensor_new(c->rt, c->name, (gru_dtype)x->dtype, x->ndim, x->shape,
                             gruI_place_of(x), &y);
  if (status == GRU_OK && x->numel > 0) {
    gruI_device *device = gruI_device_of(x);
    gruI_softmax call = {(gru_dtype)x->dtype, log,          x->numel / cols_of(x),
                         cols_of(x),          gruI_data(x), gruI_data(y)};
    status = gruI_kernel_failed(c->rt, c->name, device, device->k->softmax(device, &call));
  }
  if (status == GRU_OK) status = dim_back(y, dim, &c->out[0]);
  if (status == GRU_OK && c->out[0] != y) { /* a result of its own, not a view */
    gru_tensor_release(c->out[0]->base);
    c->out[0]->base = NULL;
  }
  gru_set_grad_enabled(c->rt, mode);
  gru_tensor_release(x);
  gru_tensor_release(y);
  return status;
}

gru_status gruI_softmax_forward(gruI_call *c) { return forward(c, 0); }
gru_status gruI_log_softmax_forward(gruI_call *c) { return forward(c, 1); }

/* The gradient spelt with ops. */
static gru_status compose(gruI_vjp *v, int log) {
  gruI_expression e = {.rt = v->rt};
  gru_attrs over = *v->attrs;
  over.keepdim = 1;
  gru_tensor *y = v->y[0], *weighted = log ? v->g : GRUI_EXPR(&e, MUL, v->g, y);
  gru_tensor *sum = gruI_expr_call(&e, GRU_OP_SUM, &over, 1, &weighted);
  gru_tensor *dx = log ? GRUI_EXPR(&e, SUB, v->g, GRUI_EXPR(&e, MUL, GRUI_EXPR(&e, EXP, y), sum))
                       : GRUI_EXPR(&e, MUL, y, GRUI_EXPR(&e, SUB, v->g, sum));
  return gruI_expr_end(&e, dx, &v->dx[0]);
}

static gru_status backward(gruI_vjp *v, int log) {
  int dim;
  if (v->composing) return compose(v, log);
  GRUI_TRY(the_dim(v->rt, v->name, v->attrs, v->g->ndim, &dim));
  gru_tensor *y = NULL, *g = NULL, *dx = NULL;
  gru_status status = dim_last(v->y[0], dim, &y);
  if (status == GRU_OK) status = dim_last(v->g, dim, &g);
  if (status == GRU_OK)
    status = gruI_tensor_new(v->rt, v->name, (gru_dtype)y->dtype, y->ndim, y->shape,
                             gruI_place_of(y), &dx);
  if (status == GRU_OK && y->numel > 0) {
    gruI_device *device = gruI_device_of(y);
    gruI_softmax_grad call = {(gru_dtype)y->dtype, log,          y->numel / cols_of(y), cols_of(y),
                              gruI_data(y),        gruI_data(g), gruI_data(dx)};
    status = gruI_kernel_failed(v->rt, v->name, device, device->k->softmax_grad(device, &call));
  }
  if (status == GRU_OK) status = dim_back(dx, dim, &v->dx[0]);
  gru_tensor_release(y);
  gru_tensor_release(g);
  gru_tensor_release(dx);
  return status;
}

gru_status gruI_softmax_vjp(gruI_vjp *v) { return backward(v, 0); }
gru_status gruI_log_softmax_vjp(gruI_vjp *v) { return backward(v, 1); }

/* loss.c - cross_entropy, with PyTorch's options.
**
** With targets t, class weights w, C classes, label smoothing e:
**   ce[i] = -sum_c W[i, c] logp[i, c],  W[i, c] = (1 - e) w[t] [c == t] + (e / C) w[c],
**           0 where t is ignored
**   mean   = sum_i ce[i] / sum_i w[t]                 over rows that are not ignored
*/
#include <string.h>

#include "ops/rules.h"

/* Logits (N, C), or (C) with a 0-d target; checked by both ops. */
static gru_status check(gruI_call *c) {
  gru_tensor *x = c->in[0], *t = c->n > 1 ? c->in[1] : NULL, *w = c->n > 2 ? c->in[2] : NULL;
  if (!t) return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "%s: needs a target", c->name);
  if (!gruI_is_float((gru_dtype)x->dtype) || t->dtype != GRU_INT64)
    return gruI_fail(c->rt, GRU_ERROR_DTYPE,
                     "%s: wants float scores and int64 class ids, got %s and %s", c->name,
                     gru_dtype_name((gru_dtype)x->dtype), gru_dtype_name((gru_dtype)t->dtype));
  bool fits = (x->ndim == 2 && t->ndim == 1 && t->shape[0] == x->shape[0]) ||
              (x->ndim == 1 && t->ndim == 0);
  if (!fits || x->shape[x->ndim - 1] == 0)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE,
                     "%s: wants scores (N, C) with targets (N), or (C) with (), got %s with %s; "
                     "bring the class dim last and flatten the others",
                     c->name, gruI_tensor_text(x).s, gruI_tensor_text(t).s);
  if (w && (w->ndim != 1 || w->shape[0] != x->shape[x->ndim - 1] || w->dtype != x->dtype))
    return gruI_fail(c->rt, GRU_ERROR_SHAPE, "%s: class weights must be %s [%lld], got %s %s",
                     c->name, gru_dtype_name((gru_dtype)x->dtype), (long long)x->shape[x->ndim - 1],
                     gru_dtype_name((gru_dtype)w->dtype), gruI_tensor_text(w).s);
  if (c->attrs->value < 0 || c->attrs->value > 1)
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "%s: label_smoothing must be in 0 .. 1, got %g",
                     c->name, c->attrs->value);
  return GRU_OK;
}

/* The kernel's view of packed scores, targets and weights. */
static gruI_cross_entropy describe(const gru_attrs *a, const gru_tensor *x, const gru_tensor *t,
                                   const gru_tensor *w) {
  int64_t cols = x->shape[x->ndim - 1];
  return (gruI_cross_entropy){.dtype = (gru_dtype)x->dtype,
                              .rows = x->numel / cols,
                              .cols = cols,
                              .base = a->base,
                              .x = gruI_data(x),
                              .target = gruI_data(t),
                              .weight = w ? gruI_data(w) : NULL,
                              .has_ignore = a->has_ignore,
                              .ignore_index = a->ignore_index,
                              .smoothing = a->value};
}

/* Losses by row and what a mean divides by. Packs the inputs, which the caller releases. */
typedef struct rows {
  gru_tensor *x, *t, *w; /* packed inputs */
  gru_tensor *loss, *mass, *lse;
} rows;

static void release_rows(rows *r) {
  gru_tensor *all[] = {r->x, r->t, r->w, r->loss, r->mass, r->lse};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) gru_tensor_release(all[i]);
}

static gru_status pack_inputs(gru_tensor *x, gru_tensor *t, gru_tensor *w, rows *r) {
  GRUI_TRY(gruI_pack(x, (gru_dtype)x->dtype, NULL, &r->x));
  GRUI_TRY(gruI_pack(t, GRU_INT64, NULL, &r->t));
  return w ? gruI_pack(w, (gru_dtype)w->dtype, NULL, &r->w) : GRU_OK;
}

static gru_status forward_rows(gruI_call *c, rows *r) {
  gru_tensor *w = c->n > 2 ? c->in[2] : NULL;
  GRUI_TRY(pack_inputs(c->in[0], c->in[1], w, r));
  gru_tensor **made[] = {&r->loss, &r->mass, &r->lse};
  for (int i = 0; i < 3; i++)
    GRUI_TRY(gruI_tensor_new(c->rt, c->name, (gru_dtype)r->x->dtype, r->t->ndim, r->t->shape,
                             gruI_place_of(r->x), made[i]));
  gruI_cross_entropy call = describe(c->attrs, r->x, r->t, r->w);
  call.loss = gruI_data(r->loss), call.mass = gruI_data(r->mass), call.lse = gruI_data(r->lse);
  gruI_device *device = gruI_device_of(r->x);
  if (call.rows == 0) return GRU_OK;
  return gruI_position_failed(c->rt, c->name, device, device->k->cross_entropy(device, &call),
                              c->attrs->base, call.cols);
}

/* Reduces the row losses as attrs.reduction says; a mean keeps its divisor in c->extra. */
static gru_status reduce_rows(gruI_call *c, rows *r) {
  if (c->attrs->reduction == GRU_REDUCE_NONE) {
    c->out[0] = gru_tensor_retain(r->loss);
    return GRU_OK;
  }
  gru_tensor *sum, *mass;
  GRUI_TRY(gruI_call1(GRU_OP_SUM, r->loss, NULL, &sum));
  if (c->attrs->reduction == GRU_REDUCE_SUM) {
    c->out[0] = sum;
    return GRU_OK;
  }
  gru_status status = gruI_call1(GRU_OP_SUM, r->mass, NULL, &mass);
  if (status == GRU_OK) {
    status = gruI_call2(GRU_OP_DIV, sum, mass, NULL, &c->out[0]);
    gru_tensor_release(mass);
  }
  gru_tensor_release(sum);
  return status;
}

gru_status gruI_cross_entropy_forward(gruI_call *c) {
  rows r = {0};
  GRUI_TRY(check(c));
  c->uses[0] = GRUI_USES_X(0) | GRUI_USES_X(1) | GRUI_USES_X(2) | GRUI_USES_EXTRA;
  int mode = gru_set_grad_enabled(c->rt, 0);
  gru_status status = forward_rows(c, &r);
  if (status == GRU_OK) status = reduce_rows(c, &r);
  gru_set_grad_enabled(c->rt, mode);
  if (status == GRU_OK && c->recording) { /* rows of (lse, mass), for backward */
    gru_tensor *results[GRU_MAX_OUTPUTS];
    status = gru_op_call(c->rt, GRU_OP_STACK, (gru_tensor *[]){r.lse, r.mass}, 2, NULL, results);
    if (status == GRU_OK) c->extra[0] = results[0];
  }
  release_rows(&r);
  return status;
}

/* What multiplies each row's gradient: g, or g / sum of mass. */
static gru_status row_scale(gruI_vjp *v, gru_tensor *mass, gru_tensor **out) {
  if (v->attrs->reduction != GRU_REDUCE_MEAN)
    return gruI_pack(v->g, (gru_dtype)v->g->dtype, NULL, out);
  gru_tensor *sum;
  GRUI_TRY(gruI_call1(GRU_OP_SUM, mass, NULL, &sum));
  gru_status status = gruI_call2(GRU_OP_DIV, v->g, sum, NULL, out);
  gru_tensor_release(sum);
  return status;
}

/* W, which is constant: its rows are zero where the target is ignored.  `mass` gets w[t]. */
static gru_tensor *target_weights(gruI_expression *e, gruI_vjp *v, gru_tensor **mass) {
  const gru_attrs *a = v->attrs;
  gru_tensor *x = v->x[0], *t = v->x[1], *w = v->x[2], *kept = NULL, *target = t;
  gru_attrs hot = {
      .count = x->shape[x->ndim - 1], .base = a->base, .dtype = x->dtype, .has_dtype = 1};
  gru_attrs last = {.dims = {-1}, .ndims = 1}, keep = {.dims = {-1}, .ndims = 1, .keepdim = 1};
  int mode = gru_set_grad_enabled(v->rt, 0);
  if (a->has_ignore) {
    kept = GRUI_EXPR(e, NE, t, gruI_expr_number(e, (double)a->ignore_index));
    gru_tensor *first = NULL;
    gru_status status = gru_tensor_integer(v->rt, a->base, &first);
    gruI_expr_keep(e, status, first);
    gru_attrs to = {.dtype = x->dtype, .has_dtype = 1};
    target = GRUI_EXPR(e, WHERE, kept, t, first);
    kept = gruI_expr_call(e, GRU_OP_UNSQUEEZE, &last, 1, &kept);
    kept = gruI_expr_call(e, GRU_OP_TO, &to, 1, &kept);
  }
  gru_tensor *one_hot = gruI_expr_call(e, GRU_OP_ONE_HOT, &hot, 1, &target);
  if (kept) one_hot = GRUI_EXPR(e, MUL, one_hot, kept);
  gru_tensor *hard = w ? GRUI_EXPR(e, MUL, one_hot, w) : one_hot, *all = hard;
  *mass = gruI_expr_call(e, GRU_OP_SUM, &keep, 1, &hard);
  if (a->value > 0) {
    gru_tensor *spread = gruI_expr_number(e, a->value / (double)hot.count);
    if (kept) spread = GRUI_EXPR(e, MUL, kept, spread);
    if (w) spread = GRUI_EXPR(e, MUL, w, spread);
    all = GRUI_EXPR(e, ADD, GRUI_EXPR(e, MUL, hard, gruI_expr_number(e, 1 - a->value)), spread);
  }
  gru_set_grad_enabled(v->rt, mode);
  return all;
}

/* Spelt with ops, so that it can be differentiated:
**   d/dx -sum_c W_c logp_c = softmax(x) sum_c W_c - W
*/
static gru_status compose(gruI_vjp *v) {
  gruI_expression e = {.rt = v->rt};
  gru_attrs last = {.dims = {-1}, .ndims = 1}, keep = {.dims = {-1}, .ndims = 1, .keepdim = 1};
  gru_tensor *mass, *g = v->g, *weights = target_weights(&e, v, &mass);
  if (v->attrs->reduction == GRU_REDUCE_MEAN)
    g = GRUI_EXPR(&e, DIV, g, GRUI_EXPR(&e, SUM, mass));
  else if (v->attrs->reduction == GRU_REDUCE_NONE)
    g = gruI_expr_call(&e, GRU_OP_UNSQUEEZE, &last, 1, &g);
  gru_tensor *p = gruI_expr_call(&e, GRU_OP_SOFTMAX, &last, 1, &v->x[0]);
  gru_tensor *total = gruI_expr_call(&e, GRU_OP_SUM, &keep, 1, &weights);
  gru_tensor *dx = GRUI_EXPR(&e, SUB, GRUI_EXPR(&e, MUL, p, total), weights);
  return gruI_expr_end(&e, GRUI_EXPR(&e, MUL, dx, g), &v->dx[0]);
}

static gru_status by_kernel(gruI_vjp *v) {
  gru_attrs first = {.dims = {0}, .ndims = 1}, second = {.dims = {0}, .ndims = 1, .start = 1};
  gruI_expression e = {.rt = v->rt};
  rows r = {0};
  gru_tensor *dx = NULL, *scale = NULL;
  gru_tensor *lse = gruI_expr_call(&e, GRU_OP_SELECT, &first, 1, &v->extra[0]);
  gru_tensor *mass = gruI_expr_call(&e, GRU_OP_SELECT, &second, 1, &v->extra[0]);
  gru_status status = e.status;
  if (status == GRU_OK) status = pack_inputs(v->x[0], v->x[1], v->x[2], &r);
  if (status == GRU_OK) status = row_scale(v, mass, &scale);
  if (status == GRU_OK)
    status = gruI_tensor_new(v->rt, v->name, (gru_dtype)r.x->dtype, r.x->ndim, r.x->shape,
                             gruI_place_of(r.x), &dx);
  if (status == GRU_OK && dx->numel > 0) {
    gruI_cross_entropy call = describe(v->attrs, r.x, r.t, r.w);
    call.lse_in = gruI_data(lse);
    call.scale = gruI_data(scale);
    call.scale_stride = v->attrs->reduction == GRU_REDUCE_NONE;
    call.dx = gruI_data(dx);
    gruI_device *device = gruI_device_of(dx);
    status =
        gruI_kernel_failed(v->rt, v->name, device, device->k->cross_entropy_grad(device, &call));
  }
  release_rows(&r);
  gru_tensor_release(scale);
  gruI_expr_end(&e, lse, &lse);
  if (e.status == GRU_OK) gru_tensor_release(lse);
  if (status == GRU_OK)
    v->dx[0] = dx;
  else
    gru_tensor_release(dx);
  return status;
}

gru_status gruI_cross_entropy_vjp(gruI_vjp *v) { return v->composing ? compose(v) : by_kernel(v); }

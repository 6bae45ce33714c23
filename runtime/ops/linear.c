/* linear.c - x W^T + b, the layer: one pass over y where the device has a kernel for it.
**
**   dx = g W,  dW = g^T x,  db = the sum of g's rows
*/
#include <string.h>

#include "ops/rules.h"

enum { IN_X, IN_W, IN_B };

static gru_status check(const gruI_call *c) {
  for (int i = 0; i < 3; i++)
    if (i >= c->n || !c->in[i])
      return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "linear: needs an input, a weight and a bias");
  const gru_tensor *x = c->in[IN_X], *w = c->in[IN_W], *b = c->in[IN_B];
  if (x->ndim > 0 && w->ndim == 2 && w->shape[1] == x->shape[x->ndim - 1] && b->ndim == 1 &&
      b->shape[0] == w->shape[0])
    return GRU_OK;
  return gruI_fail(c->rt, GRU_ERROR_SHAPE,
                   "linear: %s does not fit weight (out, in) %s and bias (out) %s",
                   gruI_tensor_text(x).s, gruI_tensor_text(w).s, gruI_tensor_text(b).s);
}

/* One kernel for the lot, where the device has it: floats of one type. */
static bool is_fused(const gruI_call *c) {
  const gru_tensor *x = c->in[IN_X], *w = c->in[IN_W], *b = c->in[IN_B];
  return x->dtype == w->dtype && x->dtype == b->dtype && gruI_is_float((gru_dtype)x->dtype) &&
         !gruI_tensor_is_hot(x, NULL, NULL) && gruI_device_of(w)->k->gemm_bias;
}

static gru_status fused(gruI_call *c, gru_tensor *const *in) {
  const gru_tensor *x = in[IN_X], *w = in[IN_W];
  int64_t shape[GRU_MAX_DIMS], out = w->shape[0], terms = w->shape[1];
  memcpy(shape, x->shape, sizeof shape);
  shape[x->ndim - 1] = out;
  GRUI_TRY(gruI_tensor_new(c->rt, c->name, (gru_dtype)x->dtype, x->ndim, shape, gruI_place_of(w),
                           &c->out[0]));
  if (c->out[0]->numel == 0) return GRU_OK;
  gruI_gemm product = {.dtype = (gru_dtype)x->dtype,
                       .trans_b = 1,
                       .batch = 1,
                       .m = c->out[0]->numel / out,
                       .n = out,
                       .k = terms,
                       .a = gruI_data(x),
                       .b = gruI_data(w),
                       .c = gruI_data(c->out[0]),
                       .lda = terms > 0 ? terms : 1,
                       .ldb = terms > 0 ? terms : 1,
                       .ldc = out,
                       .b_storage = w->storage->serial,
                       .b_version = w->storage->version};
  gruI_device *device = gruI_device_of(w);
  gru_status status = device->k->gemm_bias(device, &product, gruI_data(in[IN_B]));
  return gruI_kernel_failed(c->rt, c->name, device, status);
}

static gru_status composed(gruI_call *c) {
  gru_attrs swap = {.dims = {0, 1}, .ndims = 2};
  gruI_expression e = {.rt = c->rt};
  int mode = gru_set_grad_enabled(c->rt, 0);
  gru_tensor *w = gruI_expr_call(&e, GRU_OP_TRANSPOSE, &swap, 1, &c->in[IN_W]);
  gru_tensor *y = GRUI_EXPR(&e, ADD, GRUI_EXPR(&e, MATMUL, c->in[IN_X], w), c->in[IN_B]);
  gru_status status = gruI_expr_end(&e, y, &c->out[0]);
  gru_set_grad_enabled(c->rt, mode);
  return status;
}

gru_status gruI_linear_forward(gruI_call *c) {
  GRUI_TRY(check(c));
  c->uses[IN_X] = GRUI_USES_X(IN_W);
  c->uses[IN_W] = GRUI_USES_X(IN_X);
  if (!is_fused(c)) return composed(c);
  gru_tensor *in[3] = {NULL};
  gru_status status = GRU_OK;
  for (int i = 0; i < 3 && status == GRU_OK; i++)
    status = gruI_pack(c->in[i], (gru_dtype)c->in[i]->dtype, NULL, &in[i]);
  if (status == GRU_OK) status = fused(c, in);
  for (int i = 0; i < 3; i++) gru_tensor_release(in[i]);
  return status;
}

/* ---- gradient ------------------------------------------------------------------------------------ */

static gru_status to_input(gruI_vjp *v, int k, gru_tensor *t) {
  const gruI_input *in = &v->node->in[k];
  return gruI_sum_to(t, in->ndim, in->shape, (gru_dtype)in->dtype, &v->dx[k]);
}

static gru_status input_gradient(gruI_vjp *v) {
  gru_tensor *dx;
  GRUI_TRY(gruI_call2(GRU_OP_MATMUL, v->g, v->x[IN_W], NULL, &dx));
  gru_status status = to_input(v, IN_X, dx);
  gru_tensor_release(dx);
  return status;
}

static gru_status weight_gradient(gruI_vjp *v) {
  gru_attrs swap = {.dims = {0, 1}, .ndims = 2};
  gru_tensor *x = NULL, *g = NULL, *gt = NULL, *dw = NULL;
  bool held = false;
  gru_status status = gruI_fold_rows(v->x[IN_X], &x);
  if (status == GRU_OK) status = gruI_fold_rows(v->g, &g);
  if (status == GRU_OK) status = gruI_vjp_hold(v, IN_W, g, x, &held);
  if (status == GRU_OK && !held) {
    status = gruI_call1(GRU_OP_TRANSPOSE, g, &swap, &gt);
    if (status == GRU_OK) status = gruI_call2(GRU_OP_MATMUL, gt, x, NULL, &dw);
    if (status == GRU_OK) status = to_input(v, IN_W, dw);
  }
  gru_tensor_release(x);
  gru_tensor_release(g);
  gru_tensor_release(gt);
  gru_tensor_release(dw);
  return status;
}

gru_status gruI_linear_vjp(gruI_vjp *v) {
  if (gruI_wants(v, IN_X)) GRUI_TRY(input_gradient(v));
  if (gruI_wants(v, IN_W)) GRUI_TRY(weight_gradient(v));
  return gruI_wants(v, IN_B) ? to_input(v, IN_B, v->g) : GRU_OK;
}

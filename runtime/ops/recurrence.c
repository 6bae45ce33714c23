/* recurrence.c - recurrent layers over whole sequences: RNN, LSTM and GRU in one op each.
**
** The equations stand in core/device.h.  With g = dgx, the gradient of the gates' input part, R the
** (step, row) pairs, h the states before the steps and a_n = W_hn h + b_hn:
**   db_ih = sum_R g;   dW_hh = g^T h,   db_hh = db_ih
** but in the rows of a GRU's n:
**   after:   dW_hn = da_n^T h,   db_hn = sum_R da_n
**   before:  dW_hn = g_n^T (r (.) h)
*/
#include "ops/recurrence.h"

#include <string.h>

gruI_cell gruI_cell_of(gru_op op, const gru_attrs *attrs) {
  if (op == GRU_OP_LSTM_SEQUENCE) return GRUI_LSTM;
  if (op == GRU_OP_GRU_SEQUENCE) return attrs->count ? GRUI_GRU_BEFORE : GRUI_GRU_AFTER;
  return attrs->count ? GRUI_RNN_RELU : GRUI_RNN_TANH;
}

/* ---- checks -------------------------------------------------------------------------------- */

static gru_status check_shape(gruI_call *c, int i, const char *name, int ndim,
                              const int64_t *shape) {
  const gru_tensor *t = c->in[i], *gx = c->in[IN_GX];
  gru_dtype want = i == IN_LENGTHS ? GRU_INT64 : (gru_dtype)gx->dtype;
  if (t->ndim == ndim && memcmp(t->shape, shape, (size_t)ndim * sizeof *shape) == 0 &&
      t->dtype == want)
    return GRU_OK;
  return gruI_fail(c->rt, GRU_ERROR_SHAPE,
                   "%s: %s must be %s %s for an input part of %s, got %s %s", c->name, name,
                   gru_dtype_name(want), gruI_shape_text(ndim, shape).s, gruI_tensor_text(gx).s,
                   gru_dtype_name((gru_dtype)t->dtype), gruI_tensor_text(t).s);
}

static gru_status check(gruI_call *c, gruI_cell cell) {
  static const char *const names[] = {"gx", "h_0", "w_hh", "b_ih", "b_hh", "lengths", "c_0"};
  int64_t G = gruI_cell_gates(cell);
  for (int i = 0; i < (cell == GRUI_LSTM ? INPUTS : IN_C); i++) {
    bool optional = i == IN_B_IH || i == IN_B_HH || i == IN_LENGTHS;
    if (!optional && (i >= c->n || !c->in[i]))
      return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "%s: needs %s", c->name, names[i]);
  }
  const gru_tensor *gx = c->in[IN_GX];
  if (gx->ndim != 3 || gx->shape[0] == 0 || gx->shape[2] == 0 || gx->shape[2] % G != 0 ||
      !gruI_is_float((gru_dtype)gx->dtype))
    return gruI_fail(c->rt, GRU_ERROR_SHAPE,
                     "%s: gx must be a float tensor of (steps, batch, %lld hidden), got %s %s",
                     c->name, (long long)G, gru_dtype_name((gru_dtype)gx->dtype),
                     gruI_tensor_text(gx).s);
  int64_t N = gx->shape[1], GH = gx->shape[2], H = GH / G;
  const int64_t state[] = {N, H}, weight[] = {GH, H};
  GRUI_TRY(check_shape(c, IN_H, names[IN_H], 2, state));
  GRUI_TRY(check_shape(c, IN_W, names[IN_W], 2, weight));
  if (cell == GRUI_LSTM) GRUI_TRY(check_shape(c, IN_C, names[IN_C], 2, state));
  for (int i = IN_B_IH; i <= IN_LENGTHS && i < c->n; i++)
    if (c->in[i]) GRUI_TRY(check_shape(c, i, names[i], 1, i == IN_LENGTHS ? &N : &GH));
  return GRU_OK;
}

/* ---- what forward and backward share --------------------------------------------------------- */

typedef struct layer {
  gruI_recurrence call;
  gru_tensor *in[INPUTS]; /* packed */
  int64_t L, N, H, G;
} layer;

static void release_layer(layer *l) {
  for (int i = 0; i < INPUTS; i++) gru_tensor_release(l->in[i]);
}

static gru_status describe(gruI_cell cell, const gru_attrs *attrs, gru_tensor *const *in, int n,
                           layer *l) {
  for (int i = 0; i < n; i++)
    if (in[i]) GRUI_TRY(gruI_pack(in[i], (gru_dtype)in[i]->dtype, NULL, &l->in[i]));
  const gru_tensor *gx = l->in[IN_GX];
  l->G = gruI_cell_gates(cell);
  l->L = gx->shape[0], l->N = gx->shape[1], l->H = gx->shape[2] / l->G;
  const void *data[INPUTS];
  for (int i = 0; i < INPUTS; i++) data[i] = l->in[i] ? gruI_data(l->in[i]) : NULL;
  l->call = (gruI_recurrence){.cell = cell,
                              .dtype = (gru_dtype)gx->dtype,
                              .reverse = attrs->step < 0,
                              .steps = l->L,
                              .batch = l->N,
                              .hidden = l->H,
                              .gx = data[IN_GX],
                              .w_hh = data[IN_W],
                              .b_ih = data[IN_B_IH],
                              .b_hh = data[IN_B_HH],
                              .lengths = data[IN_LENGTHS]};
  return GRU_OK;
}

static gru_status make(gru_runtime *rt, const char *name, const layer *l, int ndim,
                       const int64_t *shape, gru_tensor **out) {
  return gruI_tensor_new(rt, name, l->call.dtype, ndim, shape, gruI_place_of(l->in[IN_GX]), out);
}

/* Element `i` of t's data, which is contiguous. */
static void *element(const gru_tensor *t, int64_t i) {
  return (char *)gruI_data(t) + i * (int64_t)gru_dtype_size((gru_dtype)t->dtype);
}

/* ---- forward ---------------------------------------------------------------------------------- */

/* One of the states before the first step: `from` (N, H) goes to its place in states (.., L + 1, N, H). */
static gru_status put_state(const char *name, const layer *l, gru_tensor *states, int64_t which,
                            gru_tensor *from) {
  int64_t first = which * (l->L + 1) + (l->call.reverse ? l->L : 0);
  gru_tensor *place;
  GRUI_TRY(
      gruI_tensor_alias(states, 2, from->shape, (int64_t[]){l->H, 1}, first * l->N * l->H, &place));
  gru_status status = gruI_copy_over(place, from, name);
  gru_tensor_release(place);
  return status;
}

/* y (L, N, H), or (2, L, N, H) with the c of an LSTM: the states after the steps, in place. */
static gru_status show_states(const layer *l, gru_tensor *states, gru_tensor **out) {
  int64_t NH = l->N * l->H, shape[] = {2, l->L, l->N, l->H};
  int64_t stride[] = {(l->L + 1) * NH, NH, l->H, 1}, first = l->call.reverse ? 0 : NH;
  int skip = l->call.cell != GRUI_LSTM;
  return gruI_tensor_alias(states, 4 - skip, shape + skip, stride + skip, first, out);
}

static gru_status forward(gruI_call *c, gruI_cell cell, layer *l) {
  GRUI_TRY(describe(cell, c->attrs, c->in, c->n, l));
  bool pair = cell == GRUI_LSTM;
  int64_t shape[] = {2, l->L + 1, l->N, l->H}, saved = gruI_cell_saved(cell);
  GRUI_TRY(make(c->rt, c->name, l, 4 - !pair, shape + !pair, &c->extra[1]));
  gru_tensor *states = c->extra[1];
  GRUI_TRY(put_state(c->name, l, states, 0, l->in[IN_H]));
  if (pair) GRUI_TRY(put_state(c->name, l, states, 1, l->in[IN_C]));
  l->call.h = gruI_data(states);
  if (pair) l->call.c = element(states, states->numel / 2);
  if (c->recording && saved > 0) {
    GRUI_TRY(make(c->rt, c->name, l, 3, (int64_t[]){l->L, l->N, saved * l->H}, &c->extra[0]));
    l->call.gates = gruI_data(c->extra[0]);
  }
  if (l->in[IN_LENGTHS]) {
    shape[1] = l->L;
    GRUI_TRY(make(c->rt, c->name, l, 4 - !pair, shape + !pair, &c->out[0]));
    l->call.y = gruI_data(c->out[0]);
    if (pair) l->call.y_c = element(c->out[0], c->out[0]->numel / 2);
  } else {
    GRUI_TRY(show_states(l, states, &c->out[0]));
  }
  gruI_device *device = gruI_device_of(states);
  return gruI_kernel_failed(c->rt, c->name, device, device->k->recurrence(device, &l->call));
}

static gru_status call(gruI_call *c) {
  gruI_cell cell = gruI_cell_of(c->op->id, c->attrs);
  layer l = {.L = 0};
  GRUI_TRY(check(c, cell));
  for (int i = 0; i < INPUTS; i++) c->uses[i] = GRUI_USES_EXTRA | (GRUI_USES_X(INPUTS) - 1);
  gru_status status = forward(c, cell, &l);
  release_layer(&l);
  return status;
}

gru_status gruI_rnn_sequence_forward(gruI_call *c) { return call(c); }
gru_status gruI_lstm_sequence_forward(gruI_call *c) { return call(c); }
gru_status gruI_gru_sequence_forward(gruI_call *c) { return call(c); }

/* ---- gradients --------------------------------------------------------------------------------- */

/* What the kernel gives back. */
typedef struct gradients {
  gru_tensor *dgx, *da_n, *dh, *dc;
} gradients;

static void release_gradients(gradients *d) {
  gru_tensor_release(d->dgx);
  gru_tensor_release(d->da_n);
  gru_tensor_release(d->dh);
  gru_tensor_release(d->dc);
}

static gru_status run_kernel(gruI_vjp *v, layer *l, gru_tensor *g, gradients *d) {
  bool pair = l->call.cell == GRUI_LSTM;
  gru_tensor *states = v->extra[1];
  const int64_t state[] = {l->N, l->H}, sequence[] = {l->L, l->N, l->H};
  GRUI_TRY(make(v->rt, v->name, l, 3, l->in[IN_GX]->shape, &d->dgx));
  GRUI_TRY(make(v->rt, v->name, l, 2, state, &d->dh));
  if (pair) GRUI_TRY(make(v->rt, v->name, l, 2, state, &d->dc));
  if (l->call.cell == GRUI_GRU_AFTER) GRUI_TRY(make(v->rt, v->name, l, 3, sequence, &d->da_n));
  l->call.h = gruI_data(states);
  if (pair) l->call.c = element(states, states->numel / 2);
  l->call.gates = v->extra[0] ? gruI_data(v->extra[0]) : NULL;
  l->call.dy = gruI_data(g);
  if (pair) l->call.dy_c = element(g, g->numel / 2);
  l->call.dgx = gruI_data(d->dgx);
  l->call.da_n = d->da_n ? gruI_data(d->da_n) : NULL;
  l->call.dh = gruI_data(d->dh);
  l->call.dc = d->dc ? gruI_data(d->dc) : NULL;
  gruI_device *device = gruI_device_of(g);
  return gruI_kernel_failed(v->rt, v->name, device, device->k->recurrence_grad(device, &l->call));
}

/* dw rows `row` .. row + m - 1 = a^T b over all steps and rows of the batch. */
static gru_status weight_rows(gruI_vjp *v, const layer *l, gru_tensor *dw, int64_t row, int64_t m,
                              const void *a, int64_t lda, const void *b, int64_t ldb) {
  gruI_device *device = gruI_device_of(dw);
  gruI_gemm gemm = {.dtype = l->call.dtype,
                    .trans_a = 1,
                    .batch = 1,
                    .m = m,
                    .n = l->H,
                    .k = l->L * l->N,
                    .a = a,
                    .lda = lda,
                    .b = b,
                    .ldb = ldb,
                    .c = element(dw, row * l->H),
                    .ldc = l->H};
  return gruI_kernel_failed(v->rt, v->name, device, device->k->gemm(device, &gemm));
}

static gru_status weight_gradient(gruI_vjp *v, const layer *l, const gradients *d,
                                  gru_tensor **out) {
  int64_t H = l->H, GH = l->G * H, NH = l->N * H;
  const void *h = element(v->extra[1], l->call.reverse ? NH : 0); /* before the steps */
  GRUI_TRY(make(v->rt, v->name, l, 2, l->in[IN_W]->shape, out));
  switch (l->call.cell) {
    case GRUI_GRU_AFTER:
      GRUI_TRY(weight_rows(v, l, *out, 0, 2 * H, l->call.dgx, GH, h, H));
      return weight_rows(v, l, *out, 2 * H, H, l->call.da_n, H, h, H);
    case GRUI_GRU_BEFORE:
      GRUI_TRY(weight_rows(v, l, *out, 0, 2 * H, l->call.dgx, GH, h, H));
      return weight_rows(v, l, *out, 2 * H, H, element(d->dgx, 2 * H), GH,
                         element(v->extra[0], 3 * H), 4 * H);
    default: return weight_rows(v, l, *out, 0, GH, l->call.dgx, GH, h, H);
  }
}

/* Biases may stand beyond the last input. */
static bool wants_bias(const gruI_vjp *v, int k) {
  return k < v->node->ninputs && gruI_wants(v, k);
}

/* Sums over steps and batch; that of b_hh takes its n from da_n where there is one. */
static gru_status bias_gradients(gruI_vjp *v, const layer *l, const gradients *d) {
  gru_attrs rows = {.dims = {0, 1}, .ndims = 2};
  gru_attrs first = {.dims = {0}, .ndims = 1, .stop = 2 * l->H, .step = 1}, join = first;
  gruI_expression e = {.rt = v->rt};
  gru_tensor *dgx = d->dgx, *da_n = d->da_n, *end;
  gru_tensor *sum = gruI_expr_call(&e, GRU_OP_SUM, &rows, 1, &dgx), *hidden = sum;
  if (da_n && wants_bias(v, IN_B_HH)) {
    gru_tensor *n = gruI_expr_call(&e, GRU_OP_SUM, &rows, 1, &da_n);
    gru_tensor *rz = gruI_expr_call(&e, GRU_OP_NARROW, &first, 1, &sum);
    hidden = gruI_expr_call(&e, GRU_OP_CAT, &join, 2, (gru_tensor *const[]){rz, n});
  }
  if (e.status == GRU_OK && wants_bias(v, IN_B_IH)) v->dx[IN_B_IH] = gru_tensor_retain(sum);
  if (e.status == GRU_OK && wants_bias(v, IN_B_HH)) v->dx[IN_B_HH] = gru_tensor_retain(hidden);
  gru_status status = gruI_expr_end(&e, sum, &end);
  if (status == GRU_OK) gru_tensor_release(end);
  return status;
}

static gru_status by_kernel(gruI_vjp *v, layer *l, gru_tensor *g, gradients *d) {
  GRUI_TRY(run_kernel(v, l, g, d));
  if (gruI_wants(v, IN_GX)) v->dx[IN_GX] = gru_tensor_retain(d->dgx);
  if (gruI_wants(v, IN_H)) v->dx[IN_H] = gru_tensor_retain(d->dh);
  if (d->dc && gruI_wants(v, IN_C)) v->dx[IN_C] = gru_tensor_retain(d->dc);
  if (gruI_wants(v, IN_W)) GRUI_TRY(weight_gradient(v, l, d, &v->dx[IN_W]));
  if (!wants_bias(v, IN_B_IH) && !wants_bias(v, IN_B_HH)) return GRU_OK;
  return bias_gradients(v, l, d);
}

/* The composed op run anew from aliases of the inputs, and differentiated up to them.  A leaf that no
** longer requires grad gets none. */
static gru_status by_composing(gruI_vjp *v, gruI_cell cell) {
  gru_tensor *in[INPUTS] = {NULL}, *wanted[INPUTS], *results[INPUTS] = {NULL}, *y = NULL;
  int places[INPUTS], n = 0;
  gru_status status = GRU_OK;
  for (int i = 0; i < v->node->ninputs && status == GRU_OK; i++) {
    if (!v->x[i]) continue;
    gru_attrs same = {.ndims = v->x[i]->ndim};
    memcpy(same.dims, v->x[i]->shape, sizeof same.dims);
    status = gruI_call1(GRU_OP_VIEW, v->x[i], &same, &in[i]);
    if (status == GRU_OK && gruI_requires_grad(in[i])) places[n] = i, wanted[n++] = in[i];
  }
  if (status == GRU_OK && n > 0) {
    status = gruI_recurrence_compose(v->rt, cell, v->attrs->step < 0, in, &y);
    if (status == GRU_OK) status = gruI_grad_within(v->rt, y, v->g, n, wanted, results);
  }
  for (int k = 0; k < n && status == GRU_OK; k++) v->dx[places[k]] = results[k];
  gru_tensor_release(y);
  for (int i = 0; i < INPUTS; i++) gru_tensor_release(in[i]);
  return status;
}

static gru_status gradient(gruI_vjp *v) {
  gruI_cell cell = gruI_cell_of(v->node->op->id, v->attrs);
  if (v->composing) return by_composing(v, cell);
  layer l = {.L = 0};
  gradients d = {NULL, NULL, NULL, NULL};
  gru_tensor *g;
  GRUI_TRY(gruI_pack(v->g, (gru_dtype)v->g->dtype, NULL, &g));
  gru_status status = describe(cell, v->attrs, v->x, v->node->ninputs, &l);
  if (status == GRU_OK) status = by_kernel(v, &l, g, &d);
  release_gradients(&d);
  release_layer(&l);
  gru_tensor_release(g);
  return status;
}

gru_status gruI_rnn_sequence_vjp(gruI_vjp *v) { return gradient(v); }
gru_status gruI_lstm_sequence_vjp(gruI_vjp *v) { return gradient(v); }
gru_status gruI_gru_sequence_vjp(gruI_vjp *v) { return gradient(v); }

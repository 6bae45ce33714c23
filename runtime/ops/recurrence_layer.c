/* recurrence_layer.c - one direction of a recurrent layer, spelt with ops: the input part, the sequence,
** the states after the last steps.
*/
#include "ops/recurrence.h"

static gru_tensor *select_at(gruI_expression *e, gru_tensor *t, int64_t i) {
  gru_attrs at = {.dims = {0}, .ndims = 1, .start = i};
  return gruI_expr_call(e, GRU_OP_SELECT, &at, 1, &t);
}

static gru_tensor *unsqueeze(gruI_expression *e, gru_tensor *t, int64_t dim) {
  gru_attrs at = {.dims = {dim}, .ndims = 1};
  return gruI_expr_call(e, GRU_OP_UNSQUEEZE, &at, 1, &t);
}

/* x W_ih^T: all steps in one product, a row gather where x is one-hot. */
static gru_tensor *input_part(gruI_expression *e, gru_tensor *x, gru_tensor *w) {
  gru_attrs swap = {.dims = {0, 1}, .ndims = 2};
  return GRUI_EXPR(e, MATMUL, x, gruI_expr_call(e, GRU_OP_TRANSPOSE, &swap, 1, &w));
}

/* Of y (L, N, H), the state after each row's last step: (N, H), or a copy (1, N, H) where `keepdim`. */
static gru_tensor *last_state(gruI_expression *e, gru_tensor *y, gru_tensor *lengths,
                              const gru_attrs *attrs) {
  gru_tensor *last;
  if (lengths && attrs->step >= 0 && y) {
    gru_attrs first = {.dims = {0}, .ndims = 1, .base = 1};
    gru_attrs rows = {.dims = {1, y->shape[1], y->shape[2]}, .ndims = 3};
    gru_tensor *at = unsqueeze(e, unsqueeze(e, lengths, 0), 2);
    at = gruI_expr_call(e, GRU_OP_EXPAND, &rows, 1, &at);
    last = gruI_expr_call(e, GRU_OP_GATHER, &first, 2, (gru_tensor *const[]){y, at});
    last = select_at(e, last, 0);
  } else {
    last = select_at(e, y, attrs->step < 0 ? 0 : -1);
  }
  gru_attrs first = {.dims = {0}, .ndims = 1};
  return attrs->keepdim ? gruI_expr_call(e, GRU_OP_STACK, &first, 1, &last) : last;
}

gru_status gru_recurrent_layer(gru_runtime *rt, gru_op op, const gru_recurrent *layer,
                               const gru_attrs *attrs, gru_tensor **outputs) {
  const gru_recurrent *l = layer;
  gruI_expression e = {.rt = rt};
  bool pair = op == GRU_OP_LSTM_SEQUENCE;
  if (op != GRU_OP_RNN_SEQUENCE && op != GRU_OP_GRU_SEQUENCE && !pair)
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "recurrent_layer: op %d runs no sequence", (int)op);
  if (!l->x || !l->w_ih || !l->w_hh || !l->h_0 || (pair && !l->c_0))
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "recurrent_layer: needs x, w_ih, w_hh and the states");
  gru_tensor *h = select_at(&e, l->h_0, attrs->start);
  gru_tensor *c = pair ? select_at(&e, l->c_0, attrs->start) : NULL;
  gru_tensor *in[INPUTS] = {
      input_part(&e, l->x, l->w_ih), h, l->w_hh, l->b_ih, l->b_hh, l->lengths, c};
  gru_tensor *y = gruI_expr_call(&e, op, attrs, gru_op_inputs(op), in), *y_c = NULL;
  if (pair) y_c = select_at(&e, y, 1), y = select_at(&e, y, 0);
  gru_tensor *results[] = {y, last_state(&e, y, l->lengths, attrs),
                           pair ? last_state(&e, y_c, l->lengths, attrs) : NULL};
  for (int i = 0; i < 3; i++)
    outputs[i] = e.status == GRU_OK && results[i] ? gru_tensor_retain(results[i]) : NULL;
  for (int i = 0; i < e.count; i++) gru_tensor_release(e.terms[i]);
  return e.status;
}

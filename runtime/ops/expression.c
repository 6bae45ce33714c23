/* expression.c - gradients spelt as op calls: temporaries end together, a failure sticks. */
#include "ops/rules.h"

gru_tensor *gruI_expr_keep(gruI_expression *e, gru_status status, gru_tensor *t) {
  if (status != GRU_OK) {
    if (e->status == GRU_OK) e->status = status;
    return NULL;
  }
  if (e->count == GRUI_MAX_TERMS) {
    gru_tensor_release(t);
    e->status = gruI_fail(e->rt, GRU_ERROR_ARGUMENT, "backward: an expression of too many terms");
    return NULL;
  }
  return e->terms[e->count++] = t;
}

gru_tensor *gruI_expr_call(gruI_expression *e, gru_op op, const gru_attrs *attrs, int n,
                           gru_tensor *const *in) {
  gru_tensor *out[GRU_MAX_OUTPUTS] = {NULL};
  if (e->status != GRU_OK) return NULL;
  gru_status status = gru_op_call(e->rt, op, in, n, attrs, out);
  if (status == GRU_OK) gru_tensor_release(out[1]);
  return gruI_expr_keep(e, status, out[0]);
}

gru_tensor *gruI_expr_number(gruI_expression *e, double value) {
  gru_tensor *t = NULL;
  if (e->status != GRU_OK) return NULL;
  gru_status status = gru_tensor_number(e->rt, value, &t);
  return gruI_expr_keep(e, status, t);
}

gru_tensor *gruI_expr_zeros(gruI_expression *e, const gru_tensor *like) {
  gru_tensor *z = NULL;
  if (e->status != GRU_OK) return NULL;
  gru_status status = gruI_zeros(e->rt, "backward", (gru_dtype)like->dtype, like->ndim, like->shape,
                                 gruI_place_of(like), &z);
  return gruI_expr_keep(e, status, z);
}

gru_status gruI_expr_end(gruI_expression *e, gru_tensor *result, gru_tensor **out) {
  if (e->status == GRU_OK) *out = gru_tensor_retain(result);
  for (int i = 0; i < e->count; i++) gru_tensor_release(e->terms[i]);
  return e->status;
}

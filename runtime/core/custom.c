/* custom.c - functions whose gradient rule comes from outside. */
#include "core/tape.h"

/* A rule's answer must have the shape and dtype of its input. */
static gru_status check_answer(gruI_vjp *v, int k) {
  const gruI_input *in = &v->node->in[k];
  gru_tensor *d = v->dx[k];
  bool fits = !gruI_is_number(d) && d->ndim == in->ndim && d->dtype == in->dtype;
  for (int e = 0; fits && e < d->ndim; e++) fits = d->shape[e] == in->shape[e];
  if (fits && in->place && gruI_place_of(d) != in->place)
    return gruI_fail(v->rt, GRU_ERROR_DEVICE,
                     "Function: backward gave a tensor on %s for input %d, which is on %s",
                     gru_tensor_device(d), k + 1, in->place->device.name);
  if (fits) return GRU_OK;
  return gruI_fail(v->rt, GRU_ERROR_SHAPE,
                   "Function: backward gave %s %s for input %d, which is %s %s",
                   gru_dtype_name((gru_dtype)d->dtype), gruI_tensor_text(d).s, k + 1,
                   gru_dtype_name((gru_dtype)in->dtype), gruI_shape_text(in->ndim, in->shape).s);
}

static gru_status custom_vjp(gruI_vjp *v) {
  const gruI_custom *custom = v->node->custom;
  gruI_pool_settle(v->rt->pool);
  GRUI_TRY(custom->rule(custom->context, v->g, v->node->ninputs, v->dx));
  for (int k = 0; k < v->node->ninputs; k++) {
    if (!v->dx[k]) continue;
    if (gruI_wants(v, k)) {
      GRUI_TRY(check_answer(v, k));
    } else {
      gru_tensor_release(v->dx[k]);
      v->dx[k] = NULL;
    }
  }
  return GRU_OK;
}

static const gruI_op custom_op = {.name = "Function", .inputs = -1, .vjp = custom_vjp};

/* Is there anything to record? */
static bool wanted(const gru_runtime *rt, int n, gru_tensor *const *inputs) {
  for (int i = 0; i < n; i++)
    if (gruI_requires_grad(inputs[i])) return rt->grad_enabled;
  return false;
}

gru_status gru_tensor_record(gru_tensor *output, int n, gru_tensor *const *inputs, gru_rule rule,
                             void (*release)(void *), void *context) {
  static const gru_attrs none;
  gru_runtime *rt = output->rt;
  gruI_call call = {.rt = rt,
                    .op = &custom_op,
                    .name = custom_op.name,
                    .in = inputs,
                    .n = n,
                    .attrs = &none,
                    .out = {output}};
  gru_status status = GRU_OK;
  if (output->node || !gruI_is_float((gru_dtype)output->dtype))
    status = gruI_fail(rt, GRU_ERROR_AUTOGRAD,
                       "Function: the output must be a float tensor without history");
  gruI_custom *custom = NULL;
  if (status == GRU_OK && wanted(rt, n, inputs)) {
    custom = gruI_object_new(rt, sizeof *custom);
    status = custom ? gruI_tape_record(&call)
                    : gruI_fail(rt, GRU_ERROR_MEMORY, "Function: out of memory");
    if (status == GRU_OK) {
      *custom = (gruI_custom){rule, release, context};
      output->node->custom = custom;
      return GRU_OK;
    }
  }
  if (custom) gruI_object_free(rt, custom, sizeof *custom);
  if (release) release(context);
  return status;
}

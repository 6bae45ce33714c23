/* sort.c - sort, topk and median: elements in order, and their positions before. */
#include <string.h>

#include "ops/rules.h"

/* Runs the kernel: `count` elements of each line of c->in[0], whose result has `shape`. */
static gru_status run(gruI_call *c, const gruI_line *line, int64_t count, bool median,
                      bool positions, int ndim, const int64_t *shape) {
  gru_tensor *x, *in = c->in[0];
  GRUI_TRY(gruI_pack(in, (gru_dtype)in->dtype, NULL, &x));
  gruI_place *place = gruI_place_of(x);
  gru_status status =
      gruI_tensor_new(c->rt, c->name, (gru_dtype)x->dtype, ndim, shape, place, &c->out[0]);
  if (status == GRU_OK && positions)
    status = gruI_tensor_new(c->rt, c->name, GRU_INT64, ndim, shape, place, &c->out[1]);
  if (status == GRU_OK && c->out[0]->numel > 0) {
    gruI_device *device = &place->device;
    gruI_sort call = {.dtype = (gru_dtype)x->dtype,
                      .descending = c->attrs->step != 0 && !median,
                      .median = median,
                      .outer = line->outer,
                      .n = line->n,
                      .inner = line->inner,
                      .count = count,
                      .base = c->attrs->base,
                      .in = gruI_data(x),
                      .out = gruI_data(c->out[0]),
                      .out_index = positions ? gruI_data(c->out[1]) : NULL};
    status = gruI_kernel_failed(c->rt, c->name, device, device->k->sort(device, &call));
  }
  gru_tensor_release(x);
  return status;
}

/* The first `count` of each sorted line; all of them where it is negative. */
static gru_status first_of(gruI_call *c, int64_t count) {
  const gru_tensor *t = c->in[0];
  int64_t shape[GRU_MAX_DIMS];
  gruI_line line;
  GRUI_TRY(gruI_lines(c->rt, c->name, c->attrs, t, &line));
  if (count < 0) count = line.n;
  if (count > line.n || (t->ndim == 0 && count != 1))
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "%s: %lld elements of dim %d of %s, which has %lld",
                     c->name, (long long)count, line.dim + 1, gruI_tensor_text(t).s,
                     (long long)line.n);
  memcpy(shape, t->shape, sizeof shape);
  if (t->ndim) shape[line.dim] = count;
  c->uses[0] = GRUI_USES_Y(1);
  return run(c, &line, count, false, true, t->ndim, shape);
}

gru_status gruI_sort_forward(gruI_call *c) { return first_of(c, -1); }

gru_status gruI_topk_forward(gruI_call *c) {
  if (c->attrs->count < 0)
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "topk: a count of elements expected, got %lld",
                     (long long)c->attrs->count);
  return first_of(c, c->attrs->count);
}

gru_status gruI_median_forward(gruI_call *c) {
  const gru_tensor *t = c->in[0];
  gruI_line line = {.outer = 1, .n = t->numel, .inner = 1};
  int64_t shape[GRU_MAX_DIMS];
  int ndim = 0;
  bool along = c->attrs->ndims > 0;
  if (along) GRUI_TRY(gruI_lines(c->rt, c->name, c->attrs, t, &line));
  if (line.n == 0)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE, "median: no elements to choose from in %s",
                     gruI_tensor_text(t).s);
  for (int d = 0; d < t->ndim; d++) {
    bool reduced = !along || d == line.dim;
    if (!reduced || c->attrs->keepdim) shape[ndim++] = reduced ? 1 : t->shape[d];
  }
  /* As for max: along a dim the gradient goes to the position, over all equals share it. */
  c->uses[0] = along ? GRUI_USES_Y(1) : GRUI_USES_X(0) | GRUI_USES_Y(0);
  return run(c, &line, 1, true, along, ndim, shape);
}

/* Each element's gradient goes to the place that it came from. */
static gru_status to_places(gruI_vjp *v) {
  const gruI_input *in = &v->node->in[0];
  gru_tensor *zeros, *results[GRU_MAX_OUTPUTS];
  if (in->ndim == 0) {
    v->dx[0] = gru_tensor_retain(v->g);
    return GRU_OK;
  }
  GRUI_TRY(gruI_zeros(v->rt, v->name, (gru_dtype)in->dtype, in->ndim, in->shape,
                      gruI_place_of(v->g), &zeros));
  gru_status status = gru_op_call(v->rt, GRU_OP_SCATTER, (gru_tensor *[]){zeros, v->y[1], v->g}, 3,
                                  v->attrs, results);
  gru_tensor_release(zeros);
  if (status == GRU_OK) v->dx[0] = results[0];
  return status;
}

gru_status gruI_sort_vjp(gruI_vjp *v) { return to_places(v); }
gru_status gruI_topk_vjp(gruI_vjp *v) { return to_places(v); }
gru_status gruI_median_vjp(gruI_vjp *v) { return gruI_extreme_vjp(v); }

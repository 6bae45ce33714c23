/* range.c - tensors of evenly spaced numbers, made where they live. */
#include "core/op.h"

static gru_status fill(gru_runtime *rt, const char *op, gruI_place *place, gruI_range *call,
                       gru_tensor **out) {
  gru_tensor *t;
  if (call->dtype == GRU_BOOL)
    return gruI_fail(rt, GRU_ERROR_DTYPE, "%s: numbers are wanted, not bools", op);
  if (call->count < 0)
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "%s: a count of elements expected, got %lld", op,
                     (long long)call->count);
  GRUI_TRY(gruI_tensor_new(rt, op, call->dtype, 1, &call->count, place, &t));
  gru_status status = GRU_OK;
  call->out = gruI_data(t);
  if (t->numel > 0)
    status =
        gruI_kernel_failed(rt, op, &place->device, place->device.k->range(&place->device, call));
  if (status == GRU_OK)
    *out = t;
  else
    gru_tensor_release(t);
  return status;
}

gru_status gru_tensor_range(gru_runtime *rt, gru_dtype dtype, int64_t count, double start,
                            double step, const char *device, gru_tensor **out) {
  gruI_place *place;
  gruI_range call = {.dtype = dtype, .count = count, .half = count, .start = start, .step = step};
  if (dtype == GRU_INT64)
    return gruI_fail(rt, GRU_ERROR_DTYPE, "arange: int64 wants integers for start and step");
  GRUI_TRY(gruI_place_find(rt, device, &place));
  return fill(rt, "arange", place, &call, out);
}

gru_status gru_tensor_range_integer(gru_runtime *rt, int64_t count, int64_t start, int64_t step,
                                    const char *device, gru_tensor **out) {
  gruI_place *place;
  gruI_range call = {.dtype = GRU_INT64, .count = count, .first = start, .by = step};
  GRUI_TRY(gruI_place_find(rt, device, &place));
  return fill(rt, "arange", place, &call, out);
}

gru_status gru_tensor_linspace(gru_runtime *rt, gru_dtype dtype, int64_t count, double first,
                               double last, const char *device, gru_tensor **out) {
  gruI_place *place;
  gruI_range call = {.dtype = dtype,
                     .count = count,
                     .half = count / 2 + count % 2,
                     .start = first,
                     .step = count > 1 ? (last - first) / (double)(count - 1) : 0,
                     .stop = last};
  if (dtype == GRU_INT64)
    return gruI_fail(rt, GRU_ERROR_DTYPE,
                     "linspace: a float dtype is wanted; convert with :long()");
  GRUI_TRY(gruI_place_find(rt, device, &place));
  return fill(rt, "linspace", place, &call, out);
}

gru_status gruI_count_up(gru_runtime *rt, const char *op, int64_t n, gruI_place *place,
                         gru_tensor **out) {
  gruI_range call = {.dtype = GRU_INT64, .count = n, .by = 1};
  return fill(rt, op, place, &call, out);
}

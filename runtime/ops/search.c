/* search.c - nonzero and searchsorted: positions that depend on values. */
#include <string.h>

#include "core/graph.h"
#include "ops/rules.h"

/* The coordinates of the elements that are not 0: int64 (how many, dims of x). */
gru_status gruI_nonzero_forward(gruI_call *c) {
  gru_tensor *mask;
  int64_t found = 0;
  GRUI_GRAPH_REFUSE(c->rt, gruI_place_of(c->in[0]),
                    "%s needs the host, to know how many there are; use where()", c->name);
  GRUI_TRY(gruI_pack(c->in[0], GRU_BOOL, NULL, &mask));
  gruI_place *place = gruI_place_of(mask);
  gruI_device *device = &place->device;
  gruI_nonzero call = {.count = mask->numel,
                       .ndim = mask->ndim,
                       .base = c->attrs->base,
                       .in = gruI_data(mask),
                       .found = &found};
  memcpy(call.shape, mask->shape, sizeof call.shape);
  gru_status status = GRU_OK;
  if (mask->numel > 0)
    status = gruI_kernel_failed(c->rt, c->name, device, device->k->nonzero(device, &call));
  if (status == GRU_OK)
    status = gruI_tensor_new(c->rt, c->name, GRU_INT64, 2, (int64_t[]){found, mask->ndim}, place,
                             &c->out[0]);
  if (status == GRU_OK && c->out[0]->numel > 0) {
    call.found = NULL;
    call.out = gruI_data(c->out[0]);
    status = gruI_kernel_failed(c->rt, c->name, device, device->k->nonzero(device, &call));
  }
  gru_tensor_release(mask);
  return status;
}

/* The sequence is one line for all values, or a line for each of their rows. */
static gru_status check_lines(gruI_call *c, const gru_tensor *sorted, const gru_tensor *values) {
  bool fits = sorted->ndim == 1 || (sorted->ndim > 1 && sorted->ndim == values->ndim);
  for (int d = 0; fits && d < sorted->ndim - 1; d++) fits = sorted->shape[d] == values->shape[d];
  if (fits) return GRU_OK;
  return gruI_fail(
      c->rt, GRU_ERROR_SHAPE,
      "searchsorted: the sequence must have one dim, or all but the last of those of the "
      "values: %s and %s",
      gruI_tensor_text(sorted).s, gruI_tensor_text(values).s);
}

/* Where each value (in[1]) would stand in the sorted sequence in[0]: before its equals, or after
** them where attrs.step is set. */
gru_status gruI_searchsorted_forward(gruI_call *c) {
  gru_tensor *sorted = NULL, *values = NULL;
  if (c->n < 2 || !c->in[1])
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "searchsorted: needs a sequence and values");
  GRUI_TRY(check_lines(c, c->in[0], c->in[1]));
  gru_dtype dtype = gruI_promote(c->in, 2, 0);
  gru_status status = gruI_pack(c->in[0], dtype, NULL, &sorted);
  if (status == GRU_OK) status = gruI_pack(c->in[1], dtype, NULL, &values);
  if (status == GRU_OK)
    status = gruI_tensor_new(c->rt, c->name, GRU_INT64, values->ndim, values->shape,
                             gruI_place_of(values), &c->out[0]);
  if (status == GRU_OK && values->numel > 0) {
    gruI_device *device = gruI_device_of(values);
    int64_t n = sorted->shape[sorted->ndim - 1];
    bool shared = sorted->ndim == 1;
    int64_t count = shared ? values->numel : values->shape[values->ndim - 1];
    gruI_search call = {dtype,
                        c->attrs->step != 0,
                        values->numel / count,
                        n,
                        shared ? 0 : n,
                        count,
                        c->attrs->base,
                        gruI_data(sorted),
                        gruI_data(values),
                        gruI_data(c->out[0])};
    status = gruI_kernel_failed(c->rt, c->name, device, device->k->search(device, &call));
  }
  gru_tensor_release(sorted);
  gru_tensor_release(values);
  return status;
}

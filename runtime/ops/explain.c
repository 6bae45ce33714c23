/* explain.c - in words: how a device runs a recurrent layer. */
#include <stdio.h>

#include "ops/recurrence.h"

static const char *name_of(gruI_cell cell) {
  switch (cell) {
    case GRUI_RNN_TANH: return "RNN tanh";
    case GRUI_RNN_RELU: return "RNN relu";
    case GRUI_LSTM: return "LSTM";
    case GRUI_GRU_AFTER: return "GRU after";
    default: return "GRU before";
  }
}

static bool is_recurrent(gru_op op) {
  return op == GRU_OP_RNN_SEQUENCE || op == GRU_OP_LSTM_SEQUENCE || op == GRU_OP_GRU_SEQUENCE;
}

gru_status gru_explain(gru_runtime *rt, const char *device, gru_op op, const gru_layer *layer,
                       char *text, size_t size) {
  gruI_place *place;
  if (!is_recurrent(op))
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "explain: %s is not the op of a recurrent layer",
                     gru_op_name(op) ? gru_op_name(op) : "this");
  if (layer->steps < 1 || layer->batch < 1 || layer->hidden < 1 || !gruI_is_float(layer->dtype))
    return gruI_fail(
        rt, GRU_ERROR_ARGUMENT,
        "explain: steps, batch and hidden must be at least 1 and the dtype a float one, got "
        "%lld, %lld, %lld, %s",
        (long long)layer->steps, (long long)layer->batch, (long long)layer->hidden,
        gru_dtype_name(layer->dtype));
  GRUI_TRY(gruI_place_find(rt, device, &place));
  gru_attrs attrs = {.count = layer->variant};
  gruI_recurrence call = {.cell = gruI_cell_of(op, &attrs),
                          .dtype = layer->dtype,
                          .steps = layer->steps,
                          .batch = layer->batch,
                          .hidden = layer->hidden};
  int at = snprintf(text, size, "%s, %s, H %lld, B %lld: ", name_of(call.cell),
                    gru_dtype_name(call.dtype), (long long)call.hidden, (long long)call.batch);
  const gruI_backend *backend = place->device.backend;
  if (backend->explain && (size_t)at < size)
    backend->explain(&place->device, &call, text + at, size - (size_t)at);
  return GRU_OK;
}

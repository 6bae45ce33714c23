/* rng_state.c - the state of the generator as a tensor, and back.
**
** A state is laid out as gru.h says.  Numbers of 64 bits without a sign stand in int64 bit by bit.
*/
#include <math.h>
#include <string.h>

#include "core/tensor.h"

enum { PHILOX_SIZE = 3, WORDS_AT = 5, TORCH_SIZE = WORDS_AT + GRUI_MT19937_N };

gru_status gru_get_rng_state(gru_runtime *rt, gru_tensor **out) {
  const gruI_rng *rng = &rt->rng;
  int64_t state[TORCH_SIZE] = {(int64_t)rng->kind, (int64_t)rng->seed};
  int64_t size = PHILOX_SIZE;
  if (rng->kind == GRU_PHILOX) {
    state[2] = (int64_t)rng->counter;
  } else {
    size = TORCH_SIZE;
    state[2] = rng->mt.index;
    state[3] = rng->mt.has_normal;
    memcpy(&state[4], &rng->mt.next_normal, sizeof state[4]);
    for (int i = 0; i < GRUI_MT19937_N; i++) state[WORDS_AT + i] = rng->mt.state[i];
  }
  return gru_tensor_from_data(rt, GRU_INT64, 1, &size, "cpu", state, out);
}

/* What is wrong with the `n` numbers of a state, or NULL. */
static const char *fault_of(const int64_t *state, int64_t n) {
  if (state[0] == GRU_PHILOX) return n == PHILOX_SIZE ? NULL : "3 numbers expected for philox";
  if (state[0] != GRU_TORCH) return "the first number names no generator";
  if (n != TORCH_SIZE) return "629 numbers expected for torch";
  if (state[2] < 0 || state[2] > GRUI_MT19937_N)
    return "the place among its words is outside 0 .. 624";
  if (state[3] != 0 && state[3] != 1) return "the flag of the kept normal is neither 0 nor 1";
  double kept;
  memcpy(&kept, &state[4], sizeof kept);
  if (!isfinite(kept)) return "the kept normal is not finite";
  for (int i = 0; i < GRUI_MT19937_N; i++) {
    if (state[WORDS_AT + i] < 0 || state[WORDS_AT + i] > UINT32_MAX)
      return "a word has not 32 bits";
  }
  return NULL;
}

gru_status gru_set_rng_state(gru_runtime *rt, gru_tensor *t) {
  int64_t state[TORCH_SIZE] = {0}, n = gru_tensor_numel(t);
  if (gru_tensor_dtype(t) != GRU_INT64 || gru_tensor_ndim(t) != 1 || n < PHILOX_SIZE ||
      n > TORCH_SIZE) {
    return gruI_fail(
        rt, GRU_ERROR_ARGUMENT,
        "set_rng_state: an int64 tensor of 1 dim, as get_rng_state gives it, expected; "
        "got %s of %d dims with %lld elements",
        gru_dtype_name(gru_tensor_dtype(t)), gru_tensor_ndim(t), (long long)n);
  }
  GRUI_TRY(gru_tensor_read(t, state, (size_t)n * sizeof state[0]));
  const char *fault = fault_of(state, n);
  if (fault) {
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "set_rng_state: no state that get_rng_state gave: %s",
                     fault);
  }
  gruI_rng *rng = &rt->rng;
  rng->kind = (gru_generator)state[0];
  rng->seed = (uint64_t)state[1];
  if (rng->kind == GRU_PHILOX) {
    rng->counter = (uint64_t)state[2];
    return GRU_OK;
  }
  rng->mt.index = (int)state[2];
  rng->mt.has_normal = (int)state[3];
  memcpy(&rng->mt.next_normal, &state[4], sizeof rng->mt.next_normal);
  for (int i = 0; i < GRUI_MT19937_N; i++) rng->mt.state[i] = (uint32_t)state[WORDS_AT + i];
  return GRU_OK;
}

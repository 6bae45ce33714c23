/* recurrence_fused.cu - when a step is one kernel; the kernels: recurrence_fused.cuh. */
#include <limits.h>
#include <stdio.h>

#include "cuda/recurrence_fused.cuh"

/* Its products run at the speed of L1, and far from that of cuBLAS; what it saves are a launch and a way
** through memory each step.  Estimates for an H100, until they are measured. */
enum { MOST_BATCH = 64, MOST_HIDDEN = 1024, MOST_HIDDEN_TF32 = 512, MOST_HIDDEN_NARROW = 256 };

/* Offsets in the kernels are ints. */
static int can(gruI_device *device, const gruI_recurrence *call, char *why, size_t size) {
  (void)device;
  int64_t most = INT_MAX / GRUI_MAX_GATES / call->hidden;
  if (call->batch <= most && call->hidden <= most) return 1;
  snprintf(why, size, "H %lld and B %lld are too large", (long long)call->hidden,
           (long long)call->batch);
  return 0;
}

static int pays(gruI_device *device, const gruI_recurrence *call, char *why, size_t size) {
  int64_t H = call->hidden, quad = 16 / (int64_t)gruI_cuda_size(call->dtype), most = MOST_HIDDEN;
  const char *reason = "";
  if (device->precision == GRU_TF32 && call->dtype == GRU_FLOAT32)
    most = MOST_HIDDEN_TF32, reason = " with tf32";
  if (H % quad != 0) most = MOST_HIDDEN_NARROW, reason = " where 4 does not divide it";
  if (call->batch > MOST_BATCH)
    snprintf(why, size, "from B %d on the product is worth a launch", MOST_BATCH + 1);
  else if (H > most)
    snprintf(why, size, "from H %lld on%s the product is worth a launch", (long long)most + 1,
             reason);
  else
    return 1;
  return 0;
}

static gru_status run(gruI_device *device, const gruI_recurrence *call, int backward) {
  return call->dtype == GRU_FLOAT32 ? gruI_cuda_fused_f32(device, call, backward)
                                    : gruI_cuda_fused_f64(device, call, backward);
}

const gruI_cuda_path gruI_cuda_path_fused = {
    "fused", {"one fused kernel each step", "two fused kernels each step"}, can, pays, run};

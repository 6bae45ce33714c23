/* random.cu - to be written. */
#include "cuda/cuda.cuh"

gru_status gruI_cuda_random(gruI_device *device, const gruI_random *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "random: not on CUDA yet");
}

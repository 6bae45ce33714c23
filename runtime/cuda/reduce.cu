/* reduce.cu - to be written. */
#include "cuda/cuda.cuh"

gru_status gruI_cuda_reduce(gruI_device *device, const gruI_reduce *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "reduce: not on CUDA yet");
}

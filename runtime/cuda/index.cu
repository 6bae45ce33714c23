/* index.cu - to be written. */
#include "cuda/cuda.cuh"

gru_status gruI_cuda_take(gruI_device *device, const gruI_rows *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "take: not on CUDA yet");
}

gru_status gruI_cuda_put(gruI_device *device, const gruI_rows *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "put: not on CUDA yet");
}

gru_status gruI_cuda_along(gruI_device *device, const gruI_along *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "along: not on CUDA yet");
}

gru_status gruI_cuda_one_hot(gruI_device *device, const gruI_one_hot *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "one_hot: not on CUDA yet");
}

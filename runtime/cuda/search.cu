/* search.cu - to be written. */
#include "cuda/cuda.cuh"

gru_status gruI_cuda_nonzero(gruI_device *device, const gruI_nonzero *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "nonzero: not on CUDA yet");
}

gru_status gruI_cuda_search(gruI_device *device, const gruI_search *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "search: not on CUDA yet");
}

gru_status gruI_cuda_range(gruI_device *device, const gruI_range *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "range: not on CUDA yet");
}

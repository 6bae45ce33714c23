/* sort.cu - to be written. */
#include "cuda/cuda.cuh"

gru_status gruI_cuda_sort(gruI_device *device, const gruI_sort *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "sort: not on CUDA yet");
}

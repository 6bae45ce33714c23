/* gemm.cu - to be written. */
#include "cuda/cuda.cuh"

gru_status gruI_cuda_gemm(gruI_device *device, const gruI_gemm *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "gemm: not on CUDA yet");
}

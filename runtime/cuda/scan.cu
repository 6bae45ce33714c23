/* scan.cu - to be written. */
#include "cuda/cuda.cuh"

gru_status gruI_cuda_scan(gruI_device *device, const gruI_scan *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "scan: not on CUDA yet");
}

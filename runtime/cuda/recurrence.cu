/* recurrence.cu - to be written. */
#include "cuda/cuda.cuh"

gru_status gruI_cuda_recurrence(gruI_device *device, const gruI_recurrence *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "recurrence: not on CUDA yet");
}

gru_status gruI_cuda_recurrence_grad(gruI_device *device, const gruI_recurrence *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "recurrence_grad: not on CUDA yet");
}

void gruI_cuda_explain(gruI_device *device, const gruI_recurrence *call, char *text, size_t size) {
  (void)device, (void)call;
  if (size > 0) text[0] = '\0';
}

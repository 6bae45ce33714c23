/* loss.cu - to be written. */
#include "cuda/cuda.cuh"

gru_status gruI_cuda_softmax(gruI_device *device, const gruI_softmax *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "softmax: not on CUDA yet");
}

gru_status gruI_cuda_softmax_grad(gruI_device *device, const gruI_softmax_grad *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "softmax_grad: not on CUDA yet");
}

gru_status gruI_cuda_cross_entropy(gruI_device *device, const gruI_cross_entropy *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "cross_entropy: not on CUDA yet");
}

gru_status gruI_cuda_cross_entropy_grad(gruI_device *device, const gruI_cross_entropy *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "cross_entropy_grad: not on CUDA yet");
}

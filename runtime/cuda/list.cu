/* list.cu - to be written. */
#include "cuda/cuda.cuh"

gru_status gruI_cuda_sgd(gruI_device *device, const gruI_sgd *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "sgd: not on CUDA yet");
}

gru_status gruI_cuda_adam(gruI_device *device, const gruI_adam *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "adam: not on CUDA yet");
}

gru_status gruI_cuda_clip_norm(gruI_device *device, const gruI_clip_norm *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "clip_norm: not on CUDA yet");
}

gru_status gruI_cuda_scale(gruI_device *device, const gruI_scale *call) {
  (void)call;
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "scale: not on CUDA yet");
}

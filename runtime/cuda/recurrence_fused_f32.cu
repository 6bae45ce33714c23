/* recurrence_fused_f32.cu - the steps of recurrence_fused.cuh for float32. */
#include "cuda/recurrence_fused.cuh"

gru_status gruI_cuda_fused_f32(gruI_device *device, const gruI_recurrence *call, int backward) {
  return backward ? gruI_fused_walk_back<float>(device, call)
                  : gruI_fused_walk<float>(device, call);
}

/* recurrence_fused_f64.cu - the steps of recurrence_fused.cuh for float64. */
#include "cuda/recurrence_fused.cuh"

gru_status gruI_cuda_fused_f64(gruI_device *device, const gruI_recurrence *call, int backward) {
  return backward ? gruI_fused_walk_back<double>(device, call)
                  : gruI_fused_walk<double>(device, call);
}

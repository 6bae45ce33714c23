/* elementwise.cu - finds the kernel of an elementwise row. */
#include "cuda/elementwise_launch.cuh"

gru_status gruI_cuda_elementwise(gruI_device *device, const gruI_elementwise *call) {
  gruI_cuda_row_launcher *run = NULL;
  switch (call->dtype) {
    case GRU_FLOAT32: run = gruI_cuda_find_f32(call->op, call->variant); break;
    case GRU_FLOAT64: run = gruI_cuda_find_f64(call->op, call->variant); break;
    case GRU_INT64: run = gruI_cuda_find_i64(call->op, call->variant); break;
    case GRU_BOOL: run = gruI_cuda_find_b8(call->op, call->variant); break;
  }
  if (run == NULL)
    return gruI_cuda_fail(device, GRU_ERROR_DTYPE, "no elementwise row %d.%d for dtype %d",
                          call->op, call->variant, (int)call->dtype);
  return run(device, call);
}

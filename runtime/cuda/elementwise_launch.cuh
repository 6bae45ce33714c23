/* elementwise_launch.cuh - the kernel of all elementwise rows, and its launch. */
#ifndef GRUI_CUDA_ELEMENTWISE_LAUNCH_CUH
#define GRUI_CUDA_ELEMENTWISE_LAUNCH_CUH

#include "cuda/cuda.cuh"
#include "cuda/layout.cuh"

typedef gru_status gruI_cuda_row_launcher(gruI_device *device, const gruI_elementwise *call);

gruI_cuda_row_launcher *gruI_cuda_find_f32(int op, int variant);
gruI_cuda_row_launcher *gruI_cuda_find_f64(int op, int variant);
gruI_cuda_row_launcher *gruI_cuda_find_i64(int op, int variant);
gruI_cuda_row_launcher *gruI_cuda_find_b8(int op, int variant);

enum { GRUI_CUDA_OUT = GRUI_SLOTS }; /* the output's place among the operands */

template <typename T>
struct gruI_cuda_row_call {
  int linear;              /* every array is walked through with its step, 0 or 1 */
  const T *in[GRUI_SLOTS]; /* NULL: `number`, which is 0 where the row has no such input */
  T number[GRUI_SLOTS];
  int step[GRUI_SLOTS];
  void *out;
  gruI_layout<GRUI_SLOTS + 1> layout;
};

template <typename T>
static __device__ __forceinline__ T gruI_cuda_value(const gruI_cuda_row_call<T> &call, int s,
                                                    int64_t at) {
  return call.in[s] != NULL ? call.in[s][at] : call.number[s];
}

template <typename Row, typename T>
__global__ void gruI_cuda_row_kernel(gruI_cuda_row_call<T> call) {
  typename Row::result *out = (typename Row::result *)call.out;
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < call.layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[GRUI_SLOTS + 1];
    if (call.linear) {
      for (int s = 0; s < GRUI_SLOTS; s++) at[s] = i * call.step[s];
      at[GRUI_CUDA_OUT] = i;
    } else {
      gruI_layout_at(call.layout, i, at);
    }
    out[at[GRUI_CUDA_OUT]] =
        Row::at(gruI_cuda_value(call, 0, at[0]), gruI_cuda_value(call, 1, at[1]),
                gruI_cuda_value(call, 2, at[2]), gruI_cuda_value(call, 3, at[3]),
                gruI_cuda_value(call, 4, at[4]));
  }
}

template <typename Row, typename T>
gru_status gruI_cuda_run_row(gruI_device *device, const gruI_elementwise *call) {
  gruI_cuda_row_call<T> row = {};
  gruI_layout_shape(&row.layout, call->ndim, call->shape);
  if (row.layout.count == 0) return GRU_OK;
  gruI_layout_strides(&row.layout, GRUI_CUDA_OUT, call->out_stride);
  row.linear = call->ndim == 1 && (call->out_stride[0] == 1 || row.layout.count == 1);
  row.out = call->out;
  for (int s = 0; s < GRUI_SLOTS; s++) {
    if (call->in[s] == NULL) continue;
    if (call->host[s]) {
      row.number[s] = *(const T *)call->in[s];
      continue;
    }
    row.in[s] = (const T *)call->in[s];
    row.step[s] = (int)(call->in_stride[s][0] != 0);
    row.linear = row.linear && (call->in_stride[s][0] == 0 || call->in_stride[s][0] == 1);
    gruI_layout_strides(&row.layout, s, call->in_stride[s]);
  }
  return gruI_cuda_launch(device, "elementwise", gruI_cuda_row_kernel<Row, T>,
                          dim3(gruI_cuda_blocks(device, row.layout.count, GRUI_CUDA_BLOCK)),
                          dim3(GRUI_CUDA_BLOCK), row);
}

#endif

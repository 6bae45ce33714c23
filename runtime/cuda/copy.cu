/* copy.cu - strided copies and conversions between dtypes. */
#include "cuda/cuda.cuh"
#include "cuda/layout.cuh"

/* ---- conversions ------------------------------------------------------------------------------- */

template <typename To, typename From>
struct convert {
  GRUI_CUDA_FN To at(From x) { return (To)x; }
};

template <typename From>
struct convert<uint8_t, From> {
  GRUI_CUDA_FN uint8_t at(From x) { return x != (From)0; }
};

/* Bytes of a bool are moved as they are. */
template <>
struct convert<uint8_t, uint8_t> {
  GRUI_CUDA_FN uint8_t at(uint8_t x) { return x; }
};

/* Truncates towards zero; NaN and what does not fit become INT64_MIN, as on the CPU. */
template <>
struct convert<int64_t, float> {
  GRUI_CUDA_FN int64_t at(float x) {
    return x >= -9223372036854775808.0f && x < 9223372036854775808.0f ? (int64_t)x : INT64_MIN;
  }
};

template <>
struct convert<int64_t, double> {
  GRUI_CUDA_FN int64_t at(double x) {
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (int64_t)x : INT64_MIN;
  }
};

/* ---- the kernel ---------------------------------------------------------------------------------- */

enum { IN = 0, OUT = 1, OPERANDS = 2 };

template <typename To, typename From>
__global__ void copy_kernel(gruI_layout<OPERANDS> layout, int linear, const From *in, To *out) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[OPERANDS] = {i, i};
    if (!linear) gruI_layout_at(layout, i, at);
    out[at[OUT]] = convert<To, From>::at(in[at[IN]]);
  }
}

/* ---- launchers ------------------------------------------------------------------------------------- */

template <typename To, typename From>
static gru_status run(gruI_device *device, const gruI_copy *call) {
  gruI_layout<OPERANDS> layout;
  gruI_layout_shape(&layout, call->ndim, call->shape);
  if (layout.count == 0) return GRU_OK;
  gruI_layout_strides(&layout, IN, call->in_stride);
  gruI_layout_strides(&layout, OUT, call->out_stride);
  int linear =
      call->ndim == 0 || (call->ndim == 1 && call->in_stride[0] == 1 && call->out_stride[0] == 1);
  return gruI_cuda_launch(device, "copy", copy_kernel<To, From>,
                          dim3(gruI_cuda_blocks(device, layout.count, GRUI_CUDA_BLOCK)),
                          dim3(GRUI_CUDA_BLOCK), layout, linear, (const From *)call->in,
                          (To *)call->out);
}

template <typename From>
static gru_status run_from(gruI_device *device, const gruI_copy *call) {
  switch (call->out_dtype) {
    case GRU_BOOL: return run<uint8_t, From>(device, call);
    case GRU_INT64: return run<int64_t, From>(device, call);
    case GRU_FLOAT32: return run<float, From>(device, call);
    default: return run<double, From>(device, call);
  }
}

gru_status gruI_cuda_copy(gruI_device *device, const gruI_copy *call) {
  switch (call->in_dtype) {
    case GRU_BOOL: return run_from<uint8_t>(device, call);
    case GRU_INT64: return run_from<int64_t>(device, call);
    case GRU_FLOAT32: return run_from<float>(device, call);
    default: return run_from<double>(device, call);
  }
}

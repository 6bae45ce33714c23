/* copy.cu - strided copies and conversions between dtypes.
**
** Copies within a dtype move words, of 16 bytes where rows and addresses allow it.  Where the input is
** contiguous along another dim than the output, tiles go through shared memory, so that both are read
** and written side by side.
*/
#include <type_traits>

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

/* ---- kernels ------------------------------------------------------------------------------------- */

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

enum { TILE = 32, TILE_ROWS = GRUI_CUDA_BLOCK / TILE };

/* out[.., a, b] (=) in[.., b, a]: `in` is contiguous along dim a, `out` along dim b. */
typedef struct transposition {
  int64_t size_a, size_b, tiles_a, tiles_b;
  int64_t in_step, out_step;   /* along b, along a */
  gruI_layout<OPERANDS> outer; /* the other dims */
} transposition;

template <typename To, typename From>
__global__ void transpose_kernel(transposition t, const From *in, To *out) {
  __shared__ To tile[TILE][TILE + 1]; /* [b][a]; columns lie in different banks */
  int x = (int)threadIdx.x % TILE, first = (int)threadIdx.x / TILE;
  int64_t tiles = t.outer.count * t.tiles_a * t.tiles_b;
  for (int64_t n = blockIdx.x; n < tiles; n += gridDim.x) {
    int64_t b0 = n % t.tiles_b * TILE, a0 = n / t.tiles_b % t.tiles_a * TILE, at[OPERANDS];
    gruI_layout_at(t.outer, n / t.tiles_b / t.tiles_a, at);
    for (int y = first; y < TILE; y += TILE_ROWS)
      if (a0 + x < t.size_a && b0 + y < t.size_b)
        tile[y][x] = convert<To, From>::at(in[at[IN] + (b0 + y) * t.in_step + a0 + x]);
    __syncthreads();
    for (int y = first; y < TILE; y += TILE_ROWS)
      if (a0 + y < t.size_a && b0 + x < t.size_b)
        out[at[OUT] + (a0 + y) * t.out_step + b0 + x] = tile[x][y];
    __syncthreads();
  }
}

/* ---- launchers ------------------------------------------------------------------------------------- */

enum { LEAST = 8 }; /* sizes of both dims that are worth a tile */

/* The dim along which the input is contiguous, where it is not the last one, as for the output; or -1. */
static int transposed_dim(const gruI_copy *call) {
  int last = call->ndim - 1;
  if (last < 1 || call->out_stride[last] != 1 || call->in_stride[last] == 1) return -1;
  for (int d = 0; d < last; d++)
    if (call->in_stride[d] == 1 && call->shape[d] >= LEAST && call->shape[last] >= LEAST) return d;
  return -1;
}

template <typename To, typename From>
static gru_status transpose(gruI_device *device, const gruI_copy *call, int dim) {
  int last = call->ndim - 1, n = 0;
  int64_t shape[GRU_MAX_DIMS] = {1}, in[GRU_MAX_DIMS] = {0}, out[GRU_MAX_DIMS] = {0};
  for (int d = 0; d < last; d++)
    if (d != dim) {
      shape[n] = call->shape[d], in[n] = call->in_stride[d];
      out[n++] = call->out_stride[d];
    }
  transposition t = {};
  t.size_a = call->shape[dim], t.size_b = call->shape[last];
  t.tiles_a = (t.size_a + TILE - 1) / TILE, t.tiles_b = (t.size_b + TILE - 1) / TILE;
  t.in_step = call->in_stride[last], t.out_step = call->out_stride[dim];
  gruI_layout_shape(&t.outer, n > 0 ? n : 1, shape);
  gruI_layout_strides(&t.outer, IN, in);
  gruI_layout_strides(&t.outer, OUT, out);
  return gruI_cuda_launch(device, "copy", transpose_kernel<To, From>,
                          dim3(gruI_cuda_blocks(device, t.outer.count * t.tiles_a * t.tiles_b, 1)),
                          dim3(GRUI_CUDA_BLOCK), t, (const From *)call->in, (To *)call->out);
}

template <typename To, typename From>
static gru_status run(gruI_device *device, const gruI_copy *call) {
  int dim = transposed_dim(call);
  if (dim >= 0) return transpose<To, From>(device, call, dim);
  gruI_layout<OPERANDS> layout;
  gruI_layout_shape(&layout, call->ndim, call->shape);
  gruI_layout_strides(&layout, IN, call->in_stride);
  gruI_layout_strides(&layout, OUT, call->out_stride);
  int linear =
      call->ndim == 0 || (call->ndim == 1 && call->in_stride[0] == 1 && call->out_stride[0] == 1);
  return gruI_cuda_launch(device, "copy", copy_kernel<To, From>,
                          dim3(gruI_cuda_blocks(device, layout.count, GRUI_CUDA_BLOCK)),
                          dim3(GRUI_CUDA_BLOCK), layout, linear, (const From *)call->in,
                          (To *)call->out);
}

/* ---- within a dtype ------------------------------------------------------------------------------------ */

/* The largest word, in bytes, that rows, the steps between them and both addresses are multiples of. */
static uint64_t word_of(const gruI_copy *call, uint64_t size) {
  int last = call->ndim - 1;
  uint64_t all = 16 | (uint64_t)(uintptr_t)call->in | (uint64_t)(uintptr_t)call->out;
  if (last < 0 || call->in_stride[last] != 1 || call->out_stride[last] != 1) return size;
  all |= (uint64_t)call->shape[last] * size;
  for (int d = 0; d < last; d++)
    all |= ((uint64_t)call->in_stride[d] | (uint64_t)call->out_stride[d]) * size;
  return all & (~all + 1);
}

/* The same copy of elements that are `words` of its own side by side. */
template <typename Word>
static gru_status run_words(gruI_device *device, const gruI_copy *call, int64_t words) {
  gruI_copy wide = *call;
  int last = call->ndim - 1;
  if (words > 1) {
    wide.shape[last] /= words;
    for (int d = 0; d < last; d++) wide.in_stride[d] /= words, wide.out_stride[d] /= words;
  }
  return run<Word, Word>(device, &wide);
}

static gru_status run_same(gruI_device *device, const gruI_copy *call) {
  uint64_t size = gruI_cuda_size(call->in_dtype), word = word_of(call, size);
  int64_t words = (int64_t)(word / size);
  switch (word) {
    case 16: return run_words<int4>(device, call, words);
    case 8: return run_words<int64_t>(device, call, words);
    case 4: return run_words<int32_t>(device, call, words);
    case 2: return run_words<int16_t>(device, call, words);
    default: return run_words<uint8_t>(device, call, words);
  }
}

/* ---- by dtype -------------------------------------------------------------------------------------------- */

template <typename To, typename From>
static gru_status run_pair(gruI_device *device, const gruI_copy *call) {
  if constexpr (std::is_same<To, From>::value)
    return run_same(device, call);
  else
    return run<To, From>(device, call);
}

template <typename From>
static gru_status run_from(gruI_device *device, const gruI_copy *call) {
  switch (call->out_dtype) {
    case GRU_BOOL: return run_pair<uint8_t, From>(device, call);
    case GRU_INT64: return run_pair<int64_t, From>(device, call);
    case GRU_FLOAT32: return run_pair<float, From>(device, call);
    default: return run_pair<double, From>(device, call);
  }
}

gru_status gruI_cuda_copy(gruI_device *device, const gruI_copy *call) {
  for (int d = 0; d < call->ndim; d++)
    if (call->shape[d] == 0) return GRU_OK;
  switch (call->in_dtype) {
    case GRU_BOOL: return run_from<uint8_t>(device, call);
    case GRU_INT64: return run_from<int64_t>(device, call);
    case GRU_FLOAT32: return run_from<float>(device, call);
    default: return run_from<double>(device, call);
  }
}

/* search.cu - positions that depend on values: the elements of a mask that are set, the place of a
** value among sorted ones; and ranges.
*/
#include "cuda/cuda.cuh"
#include "cuda/layout.cuh"

/* ---- nonzero --------------------------------------------------------------------------------- */

enum {
  WARPS = GRUI_CUDA_BLOCK / GRUI_CUDA_WARP,
  EACH = 16,                     /* elements of a thread */
  PART = GRUI_CUDA_BLOCK * EACH, /* of a block */
  SCANNERS = 1024,
  SCAN_WARPS = SCANNERS / GRUI_CUDA_WARP
};

/* The sum of `n` over the threads before this one; *total (=) over all of the block.  Everyone
** calls it; `sums` has a place for each of the `warps`, 32 at most. */
static __device__ int64_t sum_before(int64_t n, int64_t *sums, int warps, int64_t *total) {
  int lane = (int)threadIdx.x % GRUI_CUDA_WARP, warp = (int)threadIdx.x / GRUI_CUDA_WARP;
  int64_t sum = n;
  for (int d = 1; d < GRUI_CUDA_WARP; d *= 2) {
    int64_t below = __shfl_up_sync(0xffffffffu, sum, (unsigned)d);
    if (lane >= d) sum += below;
  }
  __syncthreads(); /* the call before has been read */
  if (lane == GRUI_CUDA_WARP - 1) sums[warp] = sum;
  __syncthreads();
  int64_t before = sum - n;
  *total = 0;
  for (int w = 0; w < warps; w++) {
    if (w < warp) before += sums[w];
    *total += sums[w];
  }
  return before;
}

/* Which of the EACH elements from `first` on are set, as bits. */
static __device__ __forceinline__ unsigned set_bits(const uint8_t *in, int64_t first,
                                                    int64_t count) {
  unsigned bits = 0;
  if (first + EACH <= count && ((uintptr_t)(in + first) & 15) == 0) {
    int4 words = *(const int4 *)(in + first);
    const int word[4] = {words.x, words.y, words.z, words.w};
    for (int i = 0; i < EACH; i++) bits |= (unsigned)((word[i / 4] >> i % 4 * 8 & 0xff) != 0) << i;
    return bits;
  }
  for (int i = 0; i < EACH; i++)
    if (first + i < count && in[first + i] != 0) bits |= 1u << i;
  return bits;
}

/* found[p] = how many of part p are set. */
__global__ void nonzero_count_kernel(const uint8_t *in, int64_t count, int64_t parts,
                                     int64_t *found) {
  __shared__ int64_t sums[WARPS];
  for (int64_t p = blockIdx.x; p < parts; p += gridDim.x) {
    int64_t total;
    unsigned bits = set_bits(in, p * PART + threadIdx.x * EACH, count);
    sum_before(__popc(bits), sums, WARPS, &total);
    if (threadIdx.x == 0) found[p] = total;
  }
}

/* found[p] = the sum of found[0 .. p - 1], for p = 0 .. parts: one block. */
__global__ void nonzero_sums_kernel(int64_t parts, int64_t *found) {
  __shared__ int64_t sums[SCAN_WARPS];
  int64_t before = 0;
  for (int64_t first = 0; first < parts; first += SCANNERS) {
    int64_t p = first + threadIdx.x, total;
    int64_t n = p < parts ? found[p] : 0;
    int64_t here = before + sum_before(n, sums, SCAN_WARPS, &total);
    if (p < parts) found[p] = here;
    before += total;
  }
  if (threadIdx.x == 0) found[parts] = before;
}

/* Each part lists its own, from where those before it end. */
__global__ void nonzero_list_kernel(gruI_layout<1> shape, int64_t base, const uint8_t *in,
                                    int64_t parts, const int64_t *before, int64_t *out) {
  __shared__ int64_t sums[WARPS];
  for (int64_t p = blockIdx.x; p < parts; p += gridDim.x) {
    int64_t first = p * PART + threadIdx.x * EACH, total;
    unsigned bits = set_bits(in, first, shape.count);
    int64_t *to = out + (before[p] + sum_before(__popc(bits), sums, WARPS, &total)) * shape.ndim;
    for (; bits != 0; bits &= bits - 1, to += shape.ndim) {
      int64_t rest = first + __ffs((int)bits) - 1;
      for (int d = shape.ndim - 1; d >= 0; d--) {
        int64_t q = d == 0         ? 0
                    : shape.narrow ? gruI_divide((uint32_t)rest, shape.by[d])
                                   : rest / shape.shape[d];
        to[d] = base + rest - q * shape.shape[d];
        rest = q;
      }
    }
  }
}

gru_status gruI_cuda_nonzero(gruI_device *device, const gruI_nonzero *call) {
  gruI_cuda_scope scope(device);
  gruI_cuda *cuda = gruI_cuda_of(device);
  int64_t parts = (call->count + PART - 1) / PART;
  if (call->found != NULL) *call->found = 0;
  if (call->count <= 0) return GRU_OK;
  if (call->found != NULL && device->capturing)
    return gruI_cuda_fail(device, GRU_ERROR_DEVICE,
                          "graph: nonzero needs a value on the host, how many elements are set; "
                          "multiply by the mask, or choose with gru.where");
  int64_t *found = (int64_t *)gruI_cuda_scratch(device, (size_t)(parts + 1) * sizeof *found);
  if (found == NULL) return GRU_ERROR_MEMORY;
  dim3 grid(gruI_cuda_blocks(device, parts, 1)), block(GRUI_CUDA_BLOCK);
  GRUI_CUDA_TRY(gruI_cuda_launch(device, "nonzero", nonzero_count_kernel, grid, block, call->in,
                                 call->count, parts, found));
  GRUI_CUDA_TRY(gruI_cuda_launch(device, "nonzero", nonzero_sums_kernel, dim3(1), dim3(SCANNERS),
                                 parts, found));
  if (call->out != NULL) {
    gruI_layout<1> shape;
    gruI_layout_shape(&shape, call->ndim, call->shape);
    GRUI_CUDA_TRY(gruI_cuda_launch(device, "nonzero", nonzero_list_kernel, grid, block, shape,
                                   call->base, call->in, parts, found, call->out));
  }
  if (call->found == NULL) return GRU_OK;
  GRUI_CUDA_TRY(gruI_cuda_check(device,
                                cudaMemcpyAsync(call->found, found + parts, sizeof *found,
                                                cudaMemcpyDeviceToHost, cuda->stream),
                                "nonzero"));
  return gruI_cuda_check(device, cudaStreamSynchronize(cuda->stream), "nonzero");
}

/* ---- search ---------------------------------------------------------------------------------- */

/* A NaN that is looked for stands after everything. */
template <typename T>
__global__ void search_kernel(gruI_layout<1> layout, int right, int64_t n, int64_t base,
                              const T *sorted, const T *values, int64_t *out) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[1], low = 0, high = n;
    gruI_layout_at(layout, i, at);
    const T *line = sorted + at[0];
    T x = values[i];
    while (low < high) {
      int64_t middle = low + (high - low) / 2;
      if (right ? !(line[middle] > x) : !(line[middle] >= x))
        low = middle + 1;
      else
        high = middle;
    }
    out[i] = base + low;
  }
}

template <typename T>
static gru_status search(gruI_device *device, const gruI_search *call) {
  gruI_layout<1> layout;
  const int64_t shape[] = {call->rows, call->count}, stride[] = {call->row_stride, 0};
  gruI_layout_shape(&layout, 2, shape);
  gruI_layout_strides(&layout, 0, stride);
  if (layout.count <= 0) return GRU_OK;
  return gruI_cuda_launch(device, "search", search_kernel<T>,
                          dim3(gruI_cuda_blocks(device, layout.count, GRUI_CUDA_BLOCK)),
                          dim3(GRUI_CUDA_BLOCK), layout, call->right, call->n, call->base,
                          (const T *)call->sorted, (const T *)call->values, call->out);
}

gru_status gruI_cuda_search(gruI_device *device, const gruI_search *call) {
  switch (call->dtype) {
    case GRU_BOOL: return search<uint8_t>(device, call);
    case GRU_INT64: return search<int64_t>(device, call);
    case GRU_FLOAT32: return search<float>(device, call);
    default: return search<double>(device, call);
  }
}

/* ---- range ----------------------------------------------------------------------------------- */

static __device__ __forceinline__ void range_at(const gruI_range &r, int64_t i, int64_t *to) {
  *to = (int64_t)((uint64_t)r.first + (uint64_t)i * (uint64_t)r.by);
}

template <typename T>
static __device__ __forceinline__ void range_at(const gruI_range &r, int64_t i, T *to) {
  *to =
      (T)(i < r.half ? r.start + (double)i * r.step : r.stop - (double)(r.count - 1 - i) * r.step);
}

template <typename T>
__global__ void range_kernel(gruI_range range, T *out) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < range.count; i += (int64_t)gridDim.x * blockDim.x) range_at(range, i, out + i);
}

template <typename T>
static gru_status fill_range(gruI_device *device, const gruI_range *call) {
  return gruI_cuda_launch(device, "range", range_kernel<T>,
                          dim3(gruI_cuda_blocks(device, call->count, GRUI_CUDA_BLOCK)),
                          dim3(GRUI_CUDA_BLOCK), *call, (T *)call->out);
}

gru_status gruI_cuda_range(gruI_device *device, const gruI_range *call) {
  if (call->count <= 0) return GRU_OK;
  switch (call->dtype) {
    case GRU_BOOL: return gruI_cuda_fail(device, GRU_ERROR_DTYPE, "no range of bools");
    case GRU_INT64: return fill_range<int64_t>(device, call);
    case GRU_FLOAT32: return fill_range<float>(device, call);
    default: return fill_range<double>(device, call);
  }
}

/* index_along.cu - gather, scatter and scatter_add: an id for each element.
**
** Of elements that are written to one place the last wins: each claims the place with its number,
** atomically, and the largest number writes.  Sums are made in order: integers in any, short lines
** by a thread each; long ones have their ids sorted first, stably, and the first thread of each
** group of equal ids adds up the group.
*/
#include "cuda/index.cuh"
#include "cuda/layout.cuh"

/* What an element has a place in: LINE is what is left of x when `dim` has been taken out, a line
** of places for each element of it, and 0 where nobody asks. */
enum { IDS = 0, X = 1, OTHER = 2, LINE = 3, OPERANDS = 4 };

typedef struct along {
  gruI_layout<OPERANDS> layout;
  const int64_t *ids;
  int64_t base, size, x_step; /* of x along the dim */
} along;

typedef unsigned long long claim; /* 1 + the number of the element that has the place, or 0 */

/* ---- kernels --------------------------------------------------------------------------------- */

template <typename Word>
__global__ void gather_kernel(along a, const Word *x, Word *out) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < a.layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[OPERANDS];
    gruI_layout_at(a.layout, i, at);
    int64_t row = gruI_cuda_row(a.ids[at[IDS]], a.base, a.size);
    if (row >= 0) out[at[OTHER]] = x[at[X] + row * a.x_step];
  }
}

__global__ void claim_kernel(along a, claim *claims) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < a.layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[OPERANDS];
    gruI_layout_at(a.layout, i, at);
    int64_t row = gruI_cuda_row(a.ids[at[IDS]], a.base, a.size);
    if (row >= 0) atomicMax(claims + at[LINE] * a.size + row, (claim)i + 1);
  }
}

/* Without claims every place is written once. */
template <typename Word>
__global__ void scatter_kernel(along a, const claim *claims, Word *x, const Word *from) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < a.layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[OPERANDS];
    gruI_layout_at(a.layout, i, at);
    int64_t row = gruI_cuda_row(a.ids[at[IDS]], a.base, a.size);
    if (row < 0 || (claims != NULL && claims[at[LINE] * a.size + row] != (claim)i + 1)) continue;
    x[at[X] + row * a.x_step] = from[at[OTHER]];
  }
}

template <typename T>
__global__ void scatter_atomic_kernel(along a, T *x, const T *from) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < a.layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[OPERANDS];
    gruI_layout_at(a.layout, i, at);
    int64_t row = gruI_cuda_row(a.ids[at[IDS]], a.base, a.size);
    if (row >= 0) gruI_cuda_add(x + at[X] + row * a.x_step, from[at[OTHER]]);
  }
}

/* The geometry is that of the lines, of n elements each. */
template <typename T>
__global__ void scatter_lines_kernel(along a, int64_t n, int64_t id_step, int64_t from_step, T *x,
                                     const T *from) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < a.layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[OPERANDS];
    gruI_layout_at(a.layout, i, at);
    for (int64_t j = 0; j < n; j++) {
      int64_t row = gruI_cuda_row(a.ids[at[IDS] + j * id_step], a.base, a.size);
      if (row >= 0) x[at[X] + row * a.x_step] += from[at[OTHER] + j * from_step];
    }
  }
}

/* The geometry is that of lines of n elements, the dim last; ids are sorted, `places` where they
** were. */
template <typename T>
__global__ void scatter_sorted_kernel(along a, int64_t n, int64_t from_step, const int64_t *places,
                                      T *x, const T *from) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < a.layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[OPERANDS];
    gruI_layout_at(a.layout, i, at);
    int64_t line = at[LINE] * n, row = gruI_cuda_row(a.ids[i], a.base, a.size);
    if (row < 0 || (i > line && a.ids[i - 1] == a.ids[i])) continue;
    gruI_cuda_add_group(a.ids, places, i, line + n, from + at[OTHER], from_step,
                        x + at[X] + row * a.x_step);
  }
}

/* ---- launchers ------------------------------------------------------------------------------- */

static dim3 grid_of(gruI_device *device, const along &a) {
  return dim3(gruI_cuda_blocks(device, a.layout.count, GRUI_CUDA_BLOCK));
}

/* The call over its dims in the order of `dims`, the first `ndim` of them; along the dim of the ids
** only they, and `other`, have a stride. */
static along along_of(const gruI_along *call, int ndim, const int *dims) {
  along a = {};
  int64_t shape[GRU_MAX_DIMS], stride[OPERANDS][GRU_MAX_DIMS], lines = 1;
  for (int k = ndim - 1; k >= 0; k--) {
    int d = dims[k];
    bool is_dim = d == call->dim;
    shape[k] = call->shape[d];
    stride[IDS][k] = call->id_stride[d];
    stride[X][k] = is_dim ? 0 : call->x_stride[d];
    stride[OTHER][k] = call->other_stride[d];
    stride[LINE][k] = is_dim ? 0 : lines;
    if (!is_dim) lines *= shape[k];
  }
  gruI_layout_shape(&a.layout, ndim, shape);
  for (int k = 0; k < OPERANDS; k++) gruI_layout_strides(&a.layout, k, stride[k]);
  a.ids = call->ids;
  a.base = call->base;
  a.size = call->size;
  a.x_step = call->x_stride[call->dim];
  return a;
}

template <typename Word>
static gru_status gather(gruI_device *device, const gruI_along *call, const along &a) {
  return gruI_cuda_launch(device, "gather", gather_kernel<Word>, grid_of(device, a),
                          dim3(GRUI_CUDA_BLOCK), a, (const Word *)call->x, (Word *)call->other);
}

template <typename Word>
static gru_status scatter(gruI_device *device, const gruI_along *call, const along &a) {
  gruI_cuda_scope scope(device);
  claim *claims = NULL;
  if (call->shape[call->dim] > 1) {
    size_t bytes = (size_t)(a.layout.count / call->shape[call->dim] * call->size) * sizeof *claims;
    claims = (claim *)gruI_cuda_scratch(device, bytes);
    if (claims == NULL) return GRU_ERROR_MEMORY;
    GRUI_CUDA_TRY(gruI_cuda_check(
        device, cudaMemsetAsync(claims, 0, bytes, gruI_cuda_of(device)->stream), "scatter"));
    GRUI_CUDA_TRY(gruI_cuda_launch(device, "scatter", claim_kernel, grid_of(device, a),
                                   dim3(GRUI_CUDA_BLOCK), a, claims));
  }
  return gruI_cuda_launch(device, "scatter", scatter_kernel<Word>, grid_of(device, a),
                          dim3(GRUI_CUDA_BLOCK), a, claims, (Word *)call->x,
                          (const Word *)call->other);
}

template <typename T>
static gru_status scatter_atomic(gruI_device *device, const gruI_along *call, const along &a) {
  return gruI_cuda_launch(device, "scatter_add", scatter_atomic_kernel<T>, grid_of(device, a),
                          dim3(GRUI_CUDA_BLOCK), a, (T *)call->x, (const T *)call->other);
}

enum { SHORT = 32 }; /* elements of a line that one thread adds */

template <typename T>
static gru_status scatter_floats(gruI_device *device, const gruI_along *call) {
  int dims[GRU_MAX_DIMS], last = call->ndim - 1, dim = call->dim;
  int64_t n = call->shape[dim], id_step = call->id_stride[dim];
  int64_t from_step = call->other_stride[dim];
  for (int d = 0; d < last; d++) dims[d] = d < dim ? d : d + 1;
  dims[last] = dim;
  if (n <= SHORT) {
    along lines = along_of(call, last, dims);
    return gruI_cuda_launch(device, "scatter_add", scatter_lines_kernel<T>, grid_of(device, lines),
                            dim3(GRUI_CUDA_BLOCK), lines, n, id_step, from_step, (T *)call->x,
                            (const T *)call->other);
  }
  gruI_cuda_scope scope(device);
  along a = along_of(call, call->ndim, dims);
  int64_t count = a.layout.count;
  int64_t *room = (int64_t *)gruI_cuda_scratch(device, 3 * (size_t)count * sizeof *room);
  if (room == NULL) return GRU_ERROR_MEMORY;
  int64_t *sorted = room + count, *places = sorted + count;
  gruI_copy copy = {GRU_INT64, GRU_INT64, call->ndim, {}, call->ids, {}, room, {}};
  int64_t step = 1;
  for (int d = last; d >= 0; d--) {
    copy.shape[d] = a.layout.shape[d];
    copy.in_stride[d] = a.layout.stride[IDS][d];
    copy.out_stride[d] = step;
    step *= copy.shape[d];
  }
  GRUI_CUDA_TRY(gruI_cuda_copy(device, &copy));
  gruI_sort sort = {GRU_INT64, 0, 0, count / n, n, 1, 0, n, 0, room, sorted, places};
  GRUI_CUDA_TRY(gruI_cuda_sort(device, &sort));
  a.ids = sorted;
  a.layout.stride[OTHER][last] = 0; /* places say where */
  return gruI_cuda_launch(device, "scatter_add", scatter_sorted_kernel<T>, grid_of(device, a),
                          dim3(GRUI_CUDA_BLOCK), a, n, from_step, places, (T *)call->x,
                          (const T *)call->other);
}

static gru_status scatter_add(gruI_device *device, const gruI_along *call, const along &a) {
  switch (call->dtype) {
    case GRU_BOOL: return scatter_atomic<uint8_t>(device, call, a);
    case GRU_INT64: return scatter_atomic<int64_t>(device, call, a);
    case GRU_FLOAT32: return scatter_floats<float>(device, call);
    default: return scatter_floats<double>(device, call);
  }
}

gru_status gruI_cuda_along(gruI_device *device, const gruI_along *call) {
  int dims[GRU_MAX_DIMS];
  GRUI_CUDA_TRY(gruI_cuda_check_ids(device, call->ids, call->ndim, call->shape, call->id_stride,
                                    call->base, call->size));
  for (int d = 0; d < call->ndim; d++) dims[d] = d;
  along a = along_of(call, call->ndim, dims);
  if (a.layout.count <= 0) return GRU_OK;
  if (call->kind == GRUI_SCATTER_ADD) return scatter_add(device, call, a);
  bool gathers = call->kind == GRUI_GATHER;
  switch (gruI_cuda_size(call->dtype)) {
    case 1: return (gathers ? gather<uint8_t> : scatter<uint8_t>)(device, call, a);
    case 4: return (gathers ? gather<uint32_t> : scatter<uint32_t>)(device, call, a);
    default: return (gathers ? gather<uint64_t> : scatter<uint64_t>)(device, call, a);
  }
}

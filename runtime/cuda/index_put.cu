/* index_put.cu - adding rows at positions held in int64 tensors, each row of the target summed in
** the order of the ids.
**
** Integers may be added in any order: atomically.  Floats have two ways:
**   - A block owns a few rows of the target, a strip of columns for each of its warps.  It goes
**     through all ids, lists those that name its rows, in order, and its warps add what they name
**     to tiles in shared memory: one launch, nothing sorted.  That is the gradient of a weight by
**     one-hot rows.
**   - Where that would look at too many ids too often, the ids are sorted first, stably; the first
**     thread of each group of equal ids adds up the group.
*/
#include "cuda/index.cuh"
#include "cuda/layout.cuh"

/* ---- integers -------------------------------------------------------------------------------- */

enum { IDS = 0, X = 1, OPERANDS = 2 };

template <typename T>
__global__ void put_atomic_kernel(gruI_layout<OPERANDS> layout, const int64_t *ids, int64_t base,
                                  int64_t size, int64_t x_row, T *x, const T *from) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[OPERANDS];
    gruI_layout_at(layout, i, at);
    int64_t row = gruI_cuda_row(ids[at[IDS]], base, size);
    if (row >= 0) gruI_cuda_add(x + at[X] + row * x_row, from[i]);
  }
}

/* ---- floats: a block for a few rows ---------------------------------------------------------- */

enum {
  ROWS = 16, /* of the target, a block */
  WARPS = GRUI_CUDA_BLOCK / GRUI_CUDA_WARP,
  STRIP = GRUI_CUDA_WARP,         /* columns of a warp */
  EACH = GRUI_CUDA_WARP / WARPS,  /* ids a thread looks at, so that one warp sums all counts */
  CHUNK = EACH * GRUI_CUDA_BLOCK, /* ids that are looked at in a go */
  AHEAD = 8                       /* elements that are read before they are added */
};

typedef struct finds {
  int list[CHUNK];           /* place in the chunk * ROWS + row in the block, in order */
  int before[CHUNK / STRIP]; /* of each 32 ids: finds before them */
  int count;
  unsigned rows; /* found so far, as bits */
} finds;

/* Lists the ids of the chunk from j0 on that name rows first .. first + ROWS - 1.  All of the
** block. */
static __device__ void find(const gruI_rows &r, int64_t j0, int64_t first, finds *f) {
  int lane = (int)threadIdx.x % GRUI_CUDA_WARP, warp = (int)threadIdx.x / GRUI_CUDA_WARP;
  int row[EACH];
  unsigned votes[EACH], rows = 0;
  for (int k = 0; k < EACH; k++) {
    int64_t j = j0 + k * GRUI_CUDA_BLOCK + (int)threadIdx.x, at = -1;
    if (j < r.count) at = gruI_cuda_row(r.ids[j * r.id_stride], r.base, r.size) - first;
    row[k] = at >= 0 && at < ROWS ? (int)at : -1;
    votes[k] = __ballot_sync(0xffffffffu, row[k] >= 0);
    if (lane == 0) f->before[k * WARPS + warp] = __popc(votes[k]);
  }
  __syncthreads();
  if (warp == 0) {
    int n = f->before[lane], sum = n;
    for (int d = 1; d < GRUI_CUDA_WARP; d *= 2) {
      int below = __shfl_up_sync(0xffffffffu, sum, (unsigned)d);
      if (lane >= d) sum += below;
    }
    f->before[lane] = sum - n;
    if (lane == GRUI_CUDA_WARP - 1) f->count = sum;
  }
  __syncthreads();
  for (int k = 0; k < EACH; k++) {
    if (row[k] < 0) continue;
    int at = f->before[k * WARPS + warp] + __popc(votes[k] & ((1u << lane) - 1));
    f->list[at] = (k * GRUI_CUDA_BLOCK + (int)threadIdx.x) * ROWS + row[k];
    rows |= 1u << row[k];
  }
  if (rows != 0) atomicOr(&f->rows, rows);
  __syncthreads();
}

/* Copies rows of x, those in `which`, between x and a warp's tile; neighbouring lanes are
** neighbours in memory, also where x lies transposed. */
template <typename T, bool LOAD>
static __device__ void move(const gruI_rows &r, T *x, int64_t first, int64_t strip, unsigned which,
                            T (*tile)[STRIP + 1]) {
  int lane = (int)threadIdx.x % GRUI_CUDA_WARP;
  bool transposed = r.x_row == 1 && r.x_inner != 1;
  for (int s = 0; s < ROWS; s++) {
    int row = transposed ? lane % ROWS : s;
    int column = transposed ? s * (STRIP / ROWS) + lane / ROWS : lane;
    int64_t i = strip * STRIP + column;
    if ((which >> row & 1) == 0 || i >= r.inner) continue;
    T *at = x + (first + row) * r.x_row + i * r.x_inner;
    if (LOAD)
      tile[row][column] = *at;
    else
      *at = tile[row][column];
  }
  __syncwarp();
}

template <typename T>
__global__ void put_rows_kernel(gruI_rows r, int64_t groups, int64_t columns) {
  __shared__ finds found;
  __shared__ T tiles[WARPS][ROWS][STRIP + 1];
  int lane = (int)threadIdx.x % GRUI_CUDA_WARP, warp = (int)threadIdx.x / GRUI_CUDA_WARP;
  T(*tile)[STRIP + 1] = tiles[warp];
  for (int64_t b = blockIdx.x; b < r.outer * groups * columns; b += gridDim.x) {
    int64_t o = b / (groups * columns), first = b / columns % groups * ROWS;
    int64_t strip = b % columns * WARPS + warp, i = strip * STRIP + lane;
    T *x = (T *)r.x + o * r.x_outer;
    const T *from = (const T *)r.packed + o * r.count * r.inner + i;
    unsigned loaded = 0;
    __syncthreads(); /* the block before has been written */
    if (threadIdx.x == 0) found.rows = 0;
    for (int64_t j0 = 0; j0 < r.count; j0 += CHUNK) {
      find(r, j0, first, &found);
      move<T, true>(r, x, first, strip, found.rows & ~loaded, tile);
      loaded = found.rows;
      int count = i < r.inner ? found.count : 0;
      for (int n = 0; n < count; n += AHEAD) {
        T ahead[AHEAD];
        for (int k = 0; k < AHEAD; k++)
          if (n + k < count) ahead[k] = from[(j0 + found.list[n + k] / ROWS) * r.inner];
        for (int k = 0; k < AHEAD; k++)
          if (n + k < count) tile[found.list[n + k] % ROWS][lane] += ahead[k];
      }
      __syncwarp();
    }
    move<T, false>(r, x, first, strip, loaded, tile);
  }
}

/* ---- floats: sorted ids ---------------------------------------------------------------------- */

enum { SORTED = 0, TARGET = 1, SOURCE = 2, PARTS = 3 };

template <typename T>
__global__ void put_sorted_kernel(gruI_layout<PARTS> layout, gruI_rows r, const int64_t *sorted,
                                  const int64_t *places) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[PARTS];
    gruI_layout_at(layout, i, at);
    int64_t p = at[SORTED], id = sorted[p], row = gruI_cuda_row(id, r.base, r.size);
    if (row < 0 || (p > 0 && sorted[p - 1] == id)) continue;
    gruI_cuda_add_group(sorted, places, p, r.count, (const T *)r.packed + at[SOURCE], r.inner,
                        (T *)r.x + at[TARGET] + row * r.x_row);
  }
}

/* ---- launchers ------------------------------------------------------------------------------- */

template <typename T>
static gru_status put_atomic(gruI_device *device, const gruI_rows *r) {
  gruI_layout<OPERANDS> layout;
  const int64_t shape[] = {r->outer, r->count, r->inner};
  const int64_t id_stride[] = {0, r->id_stride, 0};
  const int64_t x_stride[] = {r->x_outer, 0, r->x_inner};
  gruI_layout_shape(&layout, 3, shape);
  gruI_layout_strides(&layout, IDS, id_stride);
  gruI_layout_strides(&layout, X, x_stride);
  return gruI_cuda_launch(device, "put", put_atomic_kernel<T>,
                          dim3(gruI_cuda_blocks(device, layout.count, GRUI_CUDA_BLOCK)),
                          dim3(GRUI_CUDA_BLOCK), layout, r->ids, r->base, r->size, r->x_row,
                          (T *)r->x, (const T *)r->packed);
}

template <typename T>
static gru_status put_sorted(gruI_device *device, const gruI_rows *r) {
  gruI_cuda_scope scope(device);
  int64_t *room = (int64_t *)gruI_cuda_scratch(device, 3 * (size_t)r->count * sizeof *room);
  if (room == NULL) return GRU_ERROR_MEMORY;
  int64_t *sorted = room + r->count, *places = sorted + r->count;
  gruI_copy copy = {GRU_INT64, GRU_INT64, 1, {r->count}, r->ids, {r->id_stride}, room, {1}};
  GRUI_CUDA_TRY(gruI_cuda_copy(device, &copy));
  gruI_sort sort = {GRU_INT64, 0, 0, 1, r->count, 1, 0, r->count, 0, room, sorted, places};
  GRUI_CUDA_TRY(gruI_cuda_sort(device, &sort));
  gruI_layout<PARTS> layout;
  const int64_t shape[] = {r->outer, r->count, r->inner};
  const int64_t place[] = {0, 1, 0}, target[] = {r->x_outer, 0, r->x_inner};
  const int64_t source[] = {r->count * r->inner, 0, 1};
  gruI_layout_shape(&layout, 3, shape);
  gruI_layout_strides(&layout, SORTED, place);
  gruI_layout_strides(&layout, TARGET, target);
  gruI_layout_strides(&layout, SOURCE, source);
  return gruI_cuda_launch(device, "put", put_sorted_kernel<T>,
                          dim3(gruI_cuda_blocks(device, layout.count, GRUI_CUDA_BLOCK)),
                          dim3(GRUI_CUDA_BLOCK), layout, *r, sorted, places);
}

static const int64_t MOST_LOOKS = (int64_t)1 << 26; /* at ids, of all blocks */

template <typename T>
static gru_status put_floats(gruI_device *device, const gruI_rows *r) {
  int64_t groups = (r->size + ROWS - 1) / ROWS;
  int64_t columns = (r->inner + WARPS * STRIP - 1) / (WARPS * STRIP);
  if (groups > MOST_LOOKS / r->count / r->outer / columns) return put_sorted<T>(device, r);
  return gruI_cuda_launch(device, "put", put_rows_kernel<T>,
                          dim3(gruI_cuda_blocks(device, r->outer * groups * columns, 1)),
                          dim3(GRUI_CUDA_BLOCK), *r, groups, columns);
}

gru_status gruI_cuda_put(gruI_device *device, const gruI_rows *call) {
  GRUI_CUDA_TRY(gruI_cuda_check_ids(device, call->ids, 1, &call->count, &call->id_stride,
                                    call->base, call->size));
  if (call->fresh) {
    size_t bytes = (size_t)(call->outer * call->size * call->inner) * gruI_cuda_size(call->dtype);
    GRUI_CUDA_TRY(gruI_cuda_check(
        device, cudaMemsetAsync(call->x, 0, bytes, gruI_cuda_of(device)->stream), "put"));
  }
  if (call->outer <= 0 || call->count <= 0 || call->inner <= 0) return GRU_OK;
  switch (call->dtype) {
    case GRU_BOOL: return put_atomic<uint8_t>(device, call);
    case GRU_INT64: return put_atomic<int64_t>(device, call);
    case GRU_FLOAT32: return put_floats<float>(device, call);
    default: return put_floats<double>(device, call);
  }
}

/* index.cu - taking rows at positions held in int64 tensors, and writing one-hot rows out.  Rows are
** added in index_put.cu; index_along.cu has an id for each element.
**
** Elements are moved as words, whatever their type; whole rows in words of up to 16 bytes.
*/
#include "cuda/cuda.cuh"
#include "cuda/layout.cuh"

/* ---- take ------------------------------------------------------------------------------------ */

enum { IDS = 0, X = 1, OPERANDS = 2 };

/* out[o, j, i] = x[o, ids[j], i] in words: the dims of `layout` are outer, count, inner. */
template <typename Word>
__global__ void take_kernel(gruI_layout<OPERANDS> layout, const int64_t *ids, int64_t base,
                            int64_t size, int64_t x_row, const Word *x, Word *out) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[OPERANDS];
    gruI_layout_at(layout, i, at);
    int64_t row = gruI_cuda_row(ids[at[IDS]], base, size);
    if (row >= 0) out[i] = x[at[X] + row * x_row];
  }
}

enum { RUN = 128 }; /* ids of a block */

/* The same where inner elements lie apart, as in columns of a matrix.  A block moves a strip of 32
** of them for a run of ids, so that the lines of x that it touches stay near. */
template <typename Word>
__global__ void take_strips_kernel(gruI_rows r, const Word *x, Word *out) {
  int lane = (int)threadIdx.x % GRUI_CUDA_WARP, warp = (int)threadIdx.x / GRUI_CUDA_WARP;
  int64_t strips = (r.inner + GRUI_CUDA_WARP - 1) / GRUI_CUDA_WARP;
  int64_t runs = (r.count + RUN - 1) / RUN;
  for (int64_t t = blockIdx.x; t < r.outer * runs * strips; t += gridDim.x) {
    int64_t o = t / (runs * strips), run = t / strips % runs;
    int64_t i = t % strips * GRUI_CUDA_WARP + lane;
    int64_t last = run * RUN + RUN < r.count ? run * RUN + RUN : r.count;
    if (i >= r.inner) continue;
    const Word *from = x + o * r.x_outer + i * r.x_inner;
    for (int64_t j = run * RUN + warp; j < last; j += GRUI_CUDA_BLOCK / GRUI_CUDA_WARP) {
      int64_t row = gruI_cuda_row(r.ids[j * r.id_stride], r.base, r.size);
      if (row >= 0) out[(o * r.count + j) * r.inner + i] = from[row * r.x_row];
    }
  }
}

/* ---- one-hot rows ---------------------------------------------------------------------------- */

/* Elements that are written at once. */
template <typename T>
struct alignas(16) pack {
  T at[16 / sizeof(T)];
};

/* out[r, c] = (ids[r] - base == c): the elements of a pack follow each other. */
template <typename T>
__global__ void one_hot_kernel(gruI_layout<1> layout, const int64_t *ids, int64_t base, T *out) {
  const int N = (int)(16 / sizeof(T));
  int64_t classes = layout.shape[1];
  int64_t p = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; p * N < layout.count; p += (int64_t)gridDim.x * blockDim.x) {
    int64_t first = p * N, r[1];
    gruI_layout_at(layout, first, r);
    int64_t c = first - r[0] * classes, hot = ids[r[0]] - base;
    pack<T> made;
    for (int k = 0; k < N; k++) {
      made.at[k] = (T)(c == hot);
      if (++c == classes && first + k + 1 < layout.count) {
        c = 0;
        hot = ids[++r[0]] - base;
      }
    }
    if (first + N <= layout.count) {
      *(pack<T> *)(out + first) = made;
    } else {
      for (int k = 0; k < N; k++)
        if (first + k < layout.count) out[first + k] = made.at[k];
    }
  }
}

/* ---- launchers ------------------------------------------------------------------------------- */

template <typename Word>
static gru_status take_words(gruI_device *device, const gruI_rows *r, int64_t size) {
  gruI_layout<OPERANDS> layout;
  /* Bytes to words: all of them, as `divides` has seen, or one word an element. */
  int64_t per = size < (int64_t)sizeof(Word) ? (int64_t)sizeof(Word) / size : 1;
  const int64_t shape[] = {r->outer, r->count, r->inner / per};
  const int64_t id_stride[] = {0, r->id_stride, 0};
  const int64_t x_stride[] = {r->x_outer / per, 0, r->x_inner};
  gruI_layout_shape(&layout, 3, shape);
  gruI_layout_strides(&layout, IDS, id_stride);
  gruI_layout_strides(&layout, X, x_stride);
  return gruI_cuda_launch(device, "take", take_kernel<Word>,
                          dim3(gruI_cuda_blocks(device, layout.count, GRUI_CUDA_BLOCK)),
                          dim3(GRUI_CUDA_BLOCK), layout, r->ids, r->base, r->size, r->x_row / per,
                          (const Word *)r->x, (Word *)r->packed);
}

template <typename Word>
static gru_status take_strips(gruI_device *device, const gruI_rows *r) {
  int64_t strips = (r->inner + GRUI_CUDA_WARP - 1) / GRUI_CUDA_WARP;
  int64_t blocks = r->outer * ((r->count + RUN - 1) / RUN) * strips;
  return gruI_cuda_launch(device, "take", take_strips_kernel<Word>,
                          dim3(gruI_cuda_blocks(device, blocks, 1)), dim3(GRUI_CUDA_BLOCK), *r,
                          (const Word *)r->x, (Word *)r->packed);
}

/* Do rows begin, and end, at multiples of `bytes`? */
static bool divides(const gruI_rows *r, int64_t size, int64_t bytes) {
  uint64_t all = (uint64_t)(r->inner * size) | (uint64_t)(r->x_outer * size) |
                 (uint64_t)(r->x_row * size) | (uintptr_t)r->x | (uintptr_t)r->packed;
  return r->x_inner == 1 && all % (uint64_t)bytes == 0;
}

gru_status gruI_cuda_take(gruI_device *device, const gruI_rows *call) {
  int64_t size = (int64_t)gruI_cuda_size(call->dtype);
  GRUI_CUDA_TRY(gruI_cuda_check_ids(device, call->ids, 1, &call->count, &call->id_stride,
                                    call->base, call->size));
  if (call->outer <= 0 || call->count <= 0 || call->inner <= 0) return GRU_OK;
  if (divides(call, size, 16)) return take_words<int4>(device, call, size);
  if (divides(call, size, 8)) return take_words<uint64_t>(device, call, size);
  if (divides(call, size, 4)) return take_words<uint32_t>(device, call, size);
  bool apart = call->x_inner != 1 && call->inner >= GRUI_CUDA_WARP;
  switch (size) {
    case 1:
      return apart ? take_strips<uint8_t>(device, call) : take_words<uint8_t>(device, call, size);
    case 4:
      return apart ? take_strips<uint32_t>(device, call) : take_words<uint32_t>(device, call, size);
    default:
      return apart ? take_strips<uint64_t>(device, call) : take_words<uint64_t>(device, call, size);
  }
}

template <typename T>
static gru_status one_hot(gruI_device *device, const gruI_one_hot *call) {
  gruI_layout<1> layout;
  const int64_t shape[] = {call->count, call->classes}, row[] = {1, 0};
  gruI_layout_shape(&layout, 2, shape);
  gruI_layout_strides(&layout, 0, row);
  if (layout.count <= 0) return GRU_OK;
  int64_t packs = layout.count / (int64_t)(16 / sizeof(T)) + 1;
  return gruI_cuda_launch(device, "one_hot", one_hot_kernel<T>,
                          dim3(gruI_cuda_blocks(device, packs, GRUI_CUDA_BLOCK)),
                          dim3(GRUI_CUDA_BLOCK), layout, call->ids, call->base, (T *)call->out);
}

gru_status gruI_cuda_one_hot(gruI_device *device, const gruI_one_hot *call) {
  const int64_t stride = 1;
  GRUI_CUDA_TRY(
      gruI_cuda_check_ids(device, call->ids, 1, &call->count, &stride, call->base, call->classes));
  return call->dtype == GRU_FLOAT32 ? one_hot<float>(device, call) : one_hot<double>(device, call);
}

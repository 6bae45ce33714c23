/* concat.cu - contiguous pieces side by side.
**
** A launch fills the columns first .. first + width - 1 of the result from up to PIECES pieces, whose
** addresses travel in its arguments: nothing is uploaded, and a graph holds them.  Elements are moved in
** words, of 16 bytes where all addresses and lengths allow it.
*/
#include "cuda/cuda.cuh"
#include "cuda/layout.cuh"

enum { PIECES = 120 }; /* arguments are limited to 4096 bytes */

/* All in words.  Piece i is (outer, run[i]) at in[i] and begins at column start[i] of the launch. */
typedef struct pieces {
  int count, narrow;
  gruI_divider by_width;
  int64_t words, width; /* of the launch, and of a row of it */
  int64_t row, first;   /* words of a row of the result, and where those of the launch begin */
  const void *in[PIECES];
  int64_t start[PIECES + 1];
} pieces;

template <typename Word>
__global__ void concat_kernel(pieces p, Word *out) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < p.words; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t r = p.narrow ? (int64_t)gruI_divide((uint32_t)i, p.by_width) : i / p.width;
    int64_t column = i - r * p.width;
    int low = 0, high = p.count; /* start[low] <= column < start[high] */
    while (high - low > 1) {
      int middle = (low + high) / 2;
      if (p.start[middle] <= column)
        low = middle;
      else
        high = middle;
    }
    int64_t run = p.start[low + 1] - p.start[low];
    out[r * p.row + p.first + column] = ((const Word *)p.in[low])[r * run + column - p.start[low]];
  }
}

/* ---- launchers -------------------------------------------------------------------------------------- */

/* The largest word, in bytes, that everything is a multiple of. */
static uint64_t word_of(const gruI_concat *call) {
  uint64_t all = 16 | (uint64_t)(uintptr_t)call->out;
  for (int64_t i = 0; i < call->count; i++)
    if (call->run[i] > 0)
      all |= (uint64_t)(uintptr_t)call->in[i] | (uint64_t)call->run[i] * call->size;
  return all & (~all + 1);
}

template <typename Word>
static gru_status launch(gruI_device *device, pieces *p, int64_t outer, void *out) {
  p->width = p->start[p->count];
  p->words = outer * p->width;
  p->narrow = p->words < (int64_t)1 << 31;
  if (p->words == 0) return GRU_OK;
  if (p->narrow) p->by_width = gruI_divider_of((uint32_t)p->width);
  return gruI_cuda_launch(device, "concat", concat_kernel<Word>,
                          dim3(gruI_cuda_blocks(device, p->words, GRUI_CUDA_BLOCK)),
                          dim3(GRUI_CUDA_BLOCK), *p, (Word *)out);
}

template <typename Word>
static gru_status run(gruI_device *device, const gruI_concat *call) {
  pieces p = {};
  p.row = call->row * (int64_t)call->size / (int64_t)sizeof(Word);
  for (int64_t i = 0; i < call->count; i++) {
    int64_t words = call->run[i] * (int64_t)call->size / (int64_t)sizeof(Word);
    if (words == 0) continue;
    p.in[p.count] = call->in[i];
    p.start[p.count + 1] = p.start[p.count] + words;
    if (++p.count < PIECES) continue;
    GRUI_CUDA_TRY(launch<Word>(device, &p, call->outer, call->out));
    p.first += p.width;
    p.count = 0;
  }
  return launch<Word>(device, &p, call->outer, call->out);
}

gru_status gruI_cuda_concat(gruI_device *device, const gruI_concat *call) {
  switch (word_of(call)) {
    case 16: return run<int4>(device, call);
    case 8: return run<int64_t>(device, call);
    case 4: return run<int32_t>(device, call);
    case 2: return run<int16_t>(device, call);
    default: return run<uint8_t>(device, call);
  }
}

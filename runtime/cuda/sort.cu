/* sort.cu - sorting lines, and the first few of a sorted line.
**
** An element becomes an integer key that orders as cpu/sort.c has it: NaN above everything, -0
** equal to 0, all bits turned over for a descending order.  Keys travel with the places of their
** elements, and an item is before another if its key is, or its place where the keys are equal: no
** two items are equal, so whatever sorts them sorts stably, and there is one result.
**
** A block sorts up to MOST items in shared memory by Batcher's bitonic network ("Sorting networks
** and their applications", 1968): a line, or several short ones side by side.  Longer lines are
** sorted in chunks, which are merged two by two, every item at once: its place in the merged run
** is that in its own run plus how many of the other run are before it.  Where only a few elements
** of a line are wanted, only as many of each chunk go on, to be sorted again.
*/
#include "core/math.h"
#include "cuda/cuda.cuh"

enum {
  MOST = 2048,   /* items of a block */
  SMALL = 512,   /* items of a block that sorts short lines */
  THREADS = 512, /* of a block, at most */
  FEW = 256,     /* elements of a line that are found without sorting all of it */
  ROOM = 1 << 28 /* bytes of items: long lines that take more are sorted in turn */
};

/* ---- items ----------------------------------------------------------------------------------- */

/* Key and place in one word: keys of 32 bits, lines shorter than 2^31. */
struct narrow_item {
  uint64_t word;
};

struct alignas(16) wide_item {
  uint64_t key;
  int64_t at;
};

static __device__ __forceinline__ void make(narrow_item *to, uint64_t key, int turn, int64_t at) {
  to->word = (turn ? key ^ UINT32_MAX : key) << 32 | (uint64_t)at;
}

static __device__ __forceinline__ void make(wide_item *to, uint64_t key, int turn, int64_t at) {
  to->key = turn ? ~key : key;
  to->at = at;
}

/* An item after all others. */
static __device__ __forceinline__ void make_last(narrow_item *to) { to->word = UINT64_MAX; }
static __device__ __forceinline__ void make_last(wide_item *to) {
  to->key = UINT64_MAX;
  to->at = INT64_MAX;
}

static __device__ __forceinline__ bool is_before(narrow_item a, narrow_item b) {
  return a.word < b.word;
}
static __device__ __forceinline__ bool is_before(wide_item a, wide_item b) {
  return a.key < b.key || (a.key == b.key && a.at < b.at);
}

static __device__ __forceinline__ int64_t place(narrow_item a) {
  return (int64_t)(a.word & UINT32_MAX);
}
static __device__ __forceinline__ int64_t place(wide_item a) { return a.at; }

/* Of floats that are not turned over: is it NaN? */
static __device__ __forceinline__ bool is_nan(narrow_item a) { return a.word >> 32 == UINT32_MAX; }
static __device__ __forceinline__ bool is_nan(wide_item a) { return a.key == UINT64_MAX; }

static __device__ __forceinline__ uint64_t key_of(uint8_t x) { return x; }
static __device__ __forceinline__ uint64_t key_of(int64_t x) {
  return (uint64_t)x ^ (uint64_t)1 << 63;
}
static __device__ __forceinline__ uint64_t key_of(float x) {
  const uint32_t sign = (uint32_t)1 << 31;
  uint32_t bits = gmi_bits_f32(x == 0 ? 0 : x); /* -0, too */
  return x != x ? UINT32_MAX : bits & sign ? ~bits : bits | sign;
}
static __device__ __forceinline__ uint64_t key_of(double x) {
  const uint64_t sign = (uint64_t)1 << 63;
  uint64_t bits = gmi_bits_f64(x == 0 ? 0 : x);
  return x != x ? UINT64_MAX : bits & sign ? ~bits : bits | sign;
}

/* ---- results --------------------------------------------------------------------------------- */

/* A call, and which of its lines are being sorted. */
typedef struct job {
  gruI_sort call;
  int64_t line0, lines;
} job;

/* The item of a sorted line that is the r-th of those wanted. */
template <typename Item>
static __device__ Item wanted(const gruI_sort &s, const Item *sorted, int64_t n, int64_t r) {
  if (!s.median) return sorted[s.first + r];
  if (s.dtype < GRU_FLOAT32 || !is_nan(sorted[n - 1])) return sorted[(n - 1) / 2];
  int64_t low = 0, high = n - 1; /* the first NaN */
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (is_nan(sorted[middle]))
      high = middle;
    else
      low = middle + 1;
  }
  return sorted[low];
}

/* Where element `at` of a line stands among `n` of each. */
static __device__ __forceinline__ int64_t offset(const gruI_sort &s, int64_t line, int64_t n,
                                                 int64_t at) {
  int64_t o = s.inner == 1 ? line : line / s.inner;
  return (o * n + at) * s.inner + (line - o * s.inner);
}

template <typename Item, typename T>
static __device__ void store(const gruI_sort &s, int64_t line, int64_t r, Item item) {
  int64_t to = offset(s, line, s.count, r), at = place(item);
  if (s.out != NULL) ((T *)s.out)[to] = ((const T *)s.in)[offset(s, line, s.n, at)];
  if (s.out_index != NULL) s.out_index[to] = s.base + at;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* Sorts runs of m items, a power of 2, among the `count` of a block. */
template <typename Item>
static __device__ void sort_runs(Item *items, int count, int m) {
  __syncthreads();
  for (int k = 2; k <= m; k *= 2) {
    for (int j = k / 2; j > 0; j /= 2) {
      /* A warp's 32 exchanges are within 64 items where j <= 32. */
      if (j >= GRUI_CUDA_WARP)
        __syncthreads();
      else
        __syncwarp();
      for (int t = (int)threadIdx.x; t < count / 2; t += (int)blockDim.x) {
        int a = 2 * t - (t & (j - 1)), b = a + j;
        bool rises = (a & (m - 1) & k) == 0;
        Item x = items[a], y = items[b];
        if (is_before(y, x) == rises) {
          items[a] = y;
          items[b] = x;
        }
      }
    }
  }
  __syncthreads();
}

/* Sorts chunks of m entries of lines of n: elements of the call, or the items in `from`.  The first
** `keep` of each go to `to`, where a line has `length` items; where it is NULL, to the results. */
template <typename Item, typename T>
__global__ void sort_chunks_kernel(job job, int64_t n, int64_t chunks, int m, int side_by_side,
                                   const Item *from, int keep, int64_t length, Item *to) {
  __shared__ Item items[MOST];
  const gruI_sort &s = job.call;
  int slots = side_by_side * m;
  bool across = s.inner > 1 && side_by_side > 1; /* neighbours in memory are of different lines */
  int64_t all = job.lines * chunks, groups = (all + side_by_side - 1) / side_by_side;
  for (int64_t g = blockIdx.x; g < groups; g += gridDim.x) {
    for (int e = (int)threadIdx.x; e < slots; e += (int)blockDim.x) {
      int run = across ? e % side_by_side : e / m, k = across ? e / side_by_side : e & (m - 1);
      int64_t chunk = g * side_by_side + run, line = chunks == 1 ? chunk : chunk / chunks;
      int64_t at = (chunk - line * chunks) * m + k;
      Item item;
      if (chunk >= all || at >= n)
        make_last(&item);
      else if (from != NULL)
        item = from[line * n + at];
      else
        make(&item, key_of(((const T *)s.in)[offset(s, job.line0 + line, n, at)]), s.descending,
             at);
      items[run * m + k] = item;
    }
    sort_runs(items, slots, m);
    if (to != NULL) {
      int64_t line = g / chunks, first = (g - line * chunks) * keep;
      for (int k = (int)threadIdx.x; k < keep && first + k < length; k += (int)blockDim.x)
        to[line * length + first + k] = items[k];
    } else {
      int results = side_by_side * (int)s.count;
      for (int e = (int)threadIdx.x; e < results; e += (int)blockDim.x) {
        int run = across ? e % side_by_side : e / (int)s.count;
        int r = across ? e / side_by_side : e % (int)s.count;
        int64_t line = g * side_by_side + run;
        if (line < all) store<Item, T>(s, job.line0 + line, r, wanted(s, items + run * m, n, r));
      }
    }
    __syncthreads();
  }
}

/* ---- long lines ------------------------------------------------------------------------------ */

/* Merges neighbouring sorted runs of `width` in lines of n. */
template <typename Item>
__global__ void merge_runs_kernel(int64_t lines, int64_t n, int64_t width, const Item *from,
                                  Item *to) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < lines * n; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t line = i / n, at = i - line * n, start = at / (2 * width) * (2 * width);
    int64_t middle = start + width < n ? start + width : n;
    int64_t end = start + 2 * width < n ? start + 2 * width : n;
    const Item *run = from + line * n;
    Item item = run[at];
    int64_t other = at < middle ? middle : start, low = other, high = at < middle ? end : middle;
    while (low < high) {
      int64_t probe = low + (high - low) / 2;
      if (is_before(run[probe], item))
        low = probe + 1;
      else
        high = probe;
    }
    /* Its own run begins at `start`, or at `middle`, which is `width` further on. */
    int64_t before = at < middle ? at - start : at - middle;
    to[line * n + start + before + (low - other)] = item;
  }
}

template <typename Item, typename T>
__global__ void sorted_kernel(job job, const Item *items) {
  const gruI_sort &s = job.call;
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < job.lines * s.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t line = i / s.count, r = i - line * s.count;
    store<Item, T>(s, job.line0 + line, r, wanted(s, items + line * s.n, s.n, r));
  }
}

/* ---- launchers ------------------------------------------------------------------------------- */

template <typename Item, typename T>
static gru_status sort_chunks(gruI_device *device, const job *job, int64_t n, const Item *from,
                              int keep, int64_t length, Item *to) {
  int64_t chunks = (n + MOST - 1) / MOST;
  int m = 1;
  while (m < MOST && m < n) m *= 2;
  int side_by_side = m < SMALL ? SMALL / m : 1, slots = side_by_side * m;
  int64_t groups = (job->lines * chunks + side_by_side - 1) / side_by_side;
  return gruI_cuda_launch(device, "sort", sort_chunks_kernel<Item, T>,
                          dim3(gruI_cuda_blocks(device, groups, 1)),
                          dim3((unsigned)(slots / 2 < THREADS ? slots / 2 : THREADS)), *job, n,
                          chunks, m, side_by_side, from, keep, length, to);
}

/* The few that are wanted of each chunk go on, until they are one chunk. */
template <typename Item, typename T>
static gru_status sort_few(gruI_device *device, const job *job) {
  int few = (int)(job->call.first + job->call.count);
  int64_t n = job->call.n;
  Item *items = NULL;
  while (n > MOST) {
    int64_t length = (n + MOST - 1) / MOST * few;
    Item *next = (Item *)gruI_cuda_scratch(device, (size_t)(job->lines * length) * sizeof *next);
    if (next == NULL) return GRU_ERROR_MEMORY;
    GRUI_CUDA_TRY((sort_chunks<Item, T>(device, job, n, items, few, length, next)));
    items = next;
    n = length;
  }
  return sort_chunks<Item, T>(device, job, n, items, 0, 0, NULL);
}

template <typename Item, typename T>
static gru_status sort_all(gruI_device *device, const job *job) {
  int64_t n = job->call.n, count = job->lines * n;
  Item *items = (Item *)gruI_cuda_scratch(device, 2 * (size_t)count * sizeof *items);
  if (items == NULL) return GRU_ERROR_MEMORY;
  Item *other = items + count;
  GRUI_CUDA_TRY((sort_chunks<Item, T>(device, job, n, NULL, MOST, n, items)));
  for (int64_t width = MOST; width < n; width *= 2) {
    GRUI_CUDA_TRY(gruI_cuda_launch(device, "sort", merge_runs_kernel<Item>,
                                   dim3(gruI_cuda_blocks(device, count, GRUI_CUDA_BLOCK)),
                                   dim3(GRUI_CUDA_BLOCK), job->lines, n, width, items, other));
    Item *swap = items;
    items = other, other = swap;
  }
  int64_t results = job->lines * job->call.count;
  return gruI_cuda_launch(device, "sort", sorted_kernel<Item, T>,
                          dim3(gruI_cuda_blocks(device, results, GRUI_CUDA_BLOCK)),
                          dim3(GRUI_CUDA_BLOCK), *job, items);
}

template <typename Item, typename T>
static gru_status sort_lines(gruI_device *device, const gruI_sort *call) {
  int64_t lines = call->outer * call->inner, n = call->n;
  job job = {*call, 0, lines};
  if (n <= MOST) return sort_chunks<Item, T>(device, &job, n, NULL, 0, 0, NULL);
  int64_t most = ROOM / (2 * (int64_t)sizeof(Item)) / n;
  for (; job.line0 < lines; job.line0 += job.lines) {
    gruI_cuda_scope scope(device);
    job.lines = most < 1 ? 1 : most < lines - job.line0 ? most : lines - job.line0;
    if (!call->median && call->first + call->count <= FEW)
      GRUI_CUDA_TRY((sort_few<Item, T>(device, &job)));
    else
      GRUI_CUDA_TRY((sort_all<Item, T>(device, &job)));
  }
  return GRU_OK;
}

gru_status gruI_cuda_sort(gruI_device *device, const gruI_sort *call) {
  bool narrow = call->n < (int64_t)1 << 31;
  if (call->outer * call->inner <= 0 || call->n <= 0 || call->count <= 0) return GRU_OK;
  switch (call->dtype) {
    case GRU_BOOL:
      return narrow ? sort_lines<narrow_item, uint8_t>(device, call)
                    : sort_lines<wide_item, uint8_t>(device, call);
    case GRU_INT64: return sort_lines<wide_item, int64_t>(device, call);
    case GRU_FLOAT32:
      return narrow ? sort_lines<narrow_item, float>(device, call)
                    : sort_lines<wide_item, float>(device, call);
    default: return sort_lines<wide_item, double>(device, call);
  }
}

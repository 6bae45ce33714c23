/* scan.cu - running sums and products along a dim: y[j] (=) x[0] . x[1] ... x[j].
**
** Short lines are one thread's or one warp's, long ones a block's.  Where there are few long lines, each
** is cut into chunks: a launch makes the totals of the chunks, a second one scans these, and a third
** scans each chunk from the total before it.  All of that follows from the shape.
*/
#include "cuda/cuda.cuh"
#include "cuda/layout.cuh"

/* ---- what is joined --------------------------------------------------------------------------------- */

struct sums {
  template <typename A>
  GRUI_CUDA_FN A none() {
    return 0;
  }
  template <typename A>
  GRUI_CUDA_FN A join(A a, A b) {
    return a + b;
  }
};

struct products {
  template <typename A>
  GRUI_CUDA_FN A none() {
    return 1;
  }
  template <typename A>
  GRUI_CUDA_FN A join(A a, A b) {
    return a * b;
  }
};

/* ---- the kernel --------------------------------------------------------------------------------------- */

enum { AHEAD = 8 }; /* elements side by side that are one thread's */

/* A unit is a chunk of a line, and has `lanes` threads; units are (outer, chunks, inner). */
typedef struct scan {
  int reverse, lanes;
  int64_t outer, n, inner;
  int64_t chunk, chunks;
} scan;

/* Of one value from each of a unit's threads: what the lower lanes join to, and what all do. */
template <typename Op, typename A>
static __device__ __forceinline__ void join_lanes(A mine, int lanes, A *lower, A *all) {
  __shared__ A shared[GRUI_CUDA_BLOCK / GRUI_CUDA_WARP];
  int width = lanes < GRUI_CUDA_WARP ? lanes : (int)GRUI_CUDA_WARP;
  int lane = (int)threadIdx.x & (width - 1), warp = (int)threadIdx.x / GRUI_CUDA_WARP;
  for (int step = 1; step < width; step *= 2) {
    A before = __shfl_up_sync(0xffffffffu, mine, (unsigned)step, width);
    if (lane >= step) mine = Op::join(before, mine);
  }
  A before = __shfl_up_sync(0xffffffffu, mine, 1u, width);
  *lower = lane > 0 ? before : Op::template none<A>();
  *all = __shfl_sync(0xffffffffu, mine, width - 1, width);
  if (lanes <= GRUI_CUDA_WARP) return;
  __syncthreads(); /* what was there has been read */
  if (lane == 0) shared[warp] = *all;
  __syncthreads();
  A warps = Op::template none<A>();
  for (int w = 0; w < lanes / GRUI_CUDA_WARP; w++) {
    if (w == warp) *lower = Op::join(warps, *lower);
    warps = Op::join(warps, shared[w]);
  }
  *all = warps;
}

/* Scans units, beginning with the total of the chunks before them where there are `before`; or writes
** their totals alone, where there is room for these. */
template <typename Op, typename T, typename A>
__global__ void scan_kernel(scan s, const T *in, T *out, const A *before, A *totals) {
  int lane = (int)threadIdx.x % s.lanes, each = (int)blockDim.x / s.lanes;
  int64_t units = s.outer * s.chunks * s.inner, tile = s.lanes * AHEAD;
  for (int64_t first = (int64_t)blockIdx.x * each; first < units;
       first += (int64_t)gridDim.x * each) {
    int64_t unit = first + (int)threadIdx.x / s.lanes;
    bool there = unit < units; /* those that are not take part in shuffles */
    if (!there) unit = units - 1;
    int64_t i = unit % s.inner, c = unit / s.inner % s.chunks, o = unit / s.inner / s.chunks;
    int64_t line = o * s.n * s.inner + i, begin = c * s.chunk, end = begin + s.chunk;
    int64_t last = end < s.n ? end : s.n;
    A carry = before != NULL && c > 0 ? before[unit - s.inner] : Op::template none<A>();
    for (int64_t at = begin; at < end; at += tile) {
      int64_t j = at + lane * AHEAD;
      A part[AHEAD], lower, all;
#pragma unroll
      for (int k = 0; k < AHEAD; k++) {
        int64_t place = s.reverse ? s.n - 1 - (j + k) : j + k;
        part[k] = j + k < last ? (A)in[line + place * s.inner] : Op::template none<A>();
      }
#pragma unroll
      for (int k = 1; k < AHEAD; k++) part[k] = Op::join(part[k - 1], part[k]);
      join_lanes<Op>(part[AHEAD - 1], s.lanes, &lower, &all);
      lower = Op::join(carry, lower);
      carry = Op::join(carry, all);
      if (!there || totals != NULL) continue;
#pragma unroll
      for (int k = 0; k < AHEAD; k++) {
        int64_t place = s.reverse ? s.n - 1 - (j + k) : j + k;
        if (j + k < last) out[line + place * s.inner] = (T)Op::join(lower, part[k]);
      }
    }
    if (there && lane == 0 && totals != NULL) totals[unit] = carry;
  }
}

/* ---- the plan ------------------------------------------------------------------------------------------- */

enum {
  WARP_N = 512,       /* lines up to this length are a warp's, at most */
  THREADS = 1 << 16,  /* of lines side by side, about as many as should be at work */
  BLOCKS = 1024,      /* of others */
  THREAD_CHUNK = 64,  /* elements that are worth a thread, where lines are cut */
  BLOCK_CHUNK = 4096, /* and a block */
  FEWEST = 4          /* chunks that are worth three launches */
};

static scan plan_scan(int reverse, int64_t outer, int64_t n, int64_t inner) {
  scan s = {reverse, 1, outer, n, inner, n, 1};
  int64_t lines = outer * inner, chunks, most;
  if (inner >= GRUI_CUDA_WARP) { /* neighbouring threads have neighbouring lines */
    chunks = n / THREAD_CHUNK, most = THREADS / lines;
  } else {
    while (s.lanes < GRUI_CUDA_WARP && s.lanes * AHEAD < n) s.lanes *= 2;
    if (n > WARP_N) s.lanes = GRUI_CUDA_BLOCK;
    chunks = n / BLOCK_CHUNK, most = BLOCKS / lines;
  }
  if (chunks > most) chunks = most;
  if (chunks >= FEWEST) {
    s.chunk = (n + chunks - 1) / chunks;
    s.chunks = (n + s.chunk - 1) / s.chunk;
  }
  return s;
}

/* ---- launchers -------------------------------------------------------------------------------------------- */

template <typename Op, typename T, typename A>
static gru_status launch(gruI_device *device, const scan &s, const T *in, T *out, const A *before,
                         A *totals) {
  int64_t units = s.outer * s.chunks * s.inner;
  return gruI_cuda_launch(device, "scan", scan_kernel<Op, T, A>,
                          dim3(gruI_cuda_blocks(device, units, GRUI_CUDA_BLOCK / s.lanes)),
                          dim3(GRUI_CUDA_BLOCK), s, in, out, before, totals);
}

template <typename Op, typename T, typename A>
static gru_status run(gruI_device *device, const scan &s, const T *in, T *out) {
  A *none = NULL;
  if (s.chunks == 1) return launch<Op, T, A>(device, s, in, out, none, none);
  gruI_cuda_scope scope(device);
  size_t units = (size_t)(s.outer * s.chunks * s.inner);
  A *totals = (A *)gruI_cuda_scratch(device, units * sizeof *totals);
  if (totals == NULL) return GRU_ERROR_MEMORY;
  GRUI_CUDA_TRY((launch<Op, T, A>(device, s, in, out, none, totals)));
  scan of_totals = plan_scan(0, s.outer, s.chunks, s.inner);
  GRUI_CUDA_TRY((run<Op, A, A>(device, of_totals, totals, totals)));
  return launch<Op, T, A>(device, s, in, out, totals, none);
}

/* float32 is joined in double; int64 wraps. */
template <typename Op>
static gru_status run_dtype(gruI_device *device, const gruI_scan *call) {
  scan s = plan_scan(call->reverse, call->outer, call->n, call->inner);
  const void *in = call->in;
  void *out = call->out;
  switch (call->dtype) {
    case GRU_INT64:
      return run<Op, uint64_t, uint64_t>(device, s, (const uint64_t *)in, (uint64_t *)out);
    case GRU_FLOAT32: return run<Op, float, double>(device, s, (const float *)in, (float *)out);
    case GRU_FLOAT64: return run<Op, double, double>(device, s, (const double *)in, (double *)out);
    default: return gruI_cuda_fail(device, GRU_ERROR_DTYPE, "scan: not of bools");
  }
}

gru_status gruI_cuda_scan(gruI_device *device, const gruI_scan *call) {
  if (call->outer == 0 || call->n == 0 || call->inner == 0) return GRU_OK;
  return call->kind == GRUI_PROD ? run_dtype<products>(device, call)
                                 : run_dtype<sums>(device, call);
}

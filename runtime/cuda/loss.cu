/* loss.cu - softmax, cross-entropy and their gradients: some threads of a warp, a warp or a block a row.
**
** With m = max_c x[c] and s = sum_c exp(x[c] - m):
**   softmax      y = exp(x - m) / s
**   log_softmax  y = (x - m) - log s,     lse = m + log s
** A row is read once for both: each thread keeps the largest of what it has read and a sum that is
** relative to that, and multiplies the sum by exp(m - m') where a larger m' takes the place of m:
** Milakov and Gimelshein, "Online normalizer calculation for softmax", arXiv 1805.02867.  Sums are made
** in double, in an order that follows from the shape.
*/
#include "cuda/cuda.cuh"
#include "cuda/layout.cuh"

#include "core/math.h"

/* ---- threads of a row -------------------------------------------------------------------------------- */

enum {
  WARP_COLS = 512,  /* rows up to this length are a warp's, at most */
  LONG_COLS = 4096, /* up to FEW_ROWS rows longer than this get the largest block */
  FEW_ROWS = 256,   /* about two for each multiprocessor of a large device */
  LARGEST = 512,    /* threads of a block */
  AHEAD = 4         /* elements that a thread reads before it uses them */
};

/* lanes: threads for each row, a power of 2. */
static int lanes_for(int64_t rows, int64_t cols) {
  int lanes = 1;
  if (cols > LONG_COLS && rows <= FEW_ROWS) return LARGEST;
  if (cols > WARP_COLS) return GRUI_CUDA_BLOCK;
  while (lanes < GRUI_CUDA_WARP && lanes * AHEAD < cols) lanes *= 2;
  return lanes;
}

struct sum {
  template <typename V>
  GRUI_CUDA_FN V join(V a, V b) {
    return a + b;
  }
};

struct largest { /* NaN is passed over */
  template <typename V>
  GRUI_CUDA_FN V join(V a, V b) {
    return b > a ? b : a;
  }
};

/* The threads' values joined; all threads of a row get the same. */
template <typename Op, typename V>
static __device__ __forceinline__ V join_lanes(V v, int lanes) {
  __shared__ V shared[LARGEST / GRUI_CUDA_WARP];
  int warp = (int)threadIdx.x / GRUI_CUDA_WARP, warps = lanes / GRUI_CUDA_WARP;
  for (int half = (lanes < GRUI_CUDA_WARP ? lanes : (int)GRUI_CUDA_WARP) / 2; half > 0; half /= 2)
    v = Op::join(v, __shfl_xor_sync(0xffffffffu, v, half));
  if (warps <= 1) return v;
  __syncthreads(); /* what was there has been read */
  if (threadIdx.x % GRUI_CUDA_WARP == 0) shared[warp] = v;
  __syncthreads();
  v = shared[0];
  for (int w = 1; w < warps; w++) v = Op::join(v, shared[w]);
  return v;
}

/* body(r, lane, there) for each row r that this block has, and each of its `lanes` threads.  All threads
** take part in barriers: those without a row get the last one, and `there` is not set. */
template <typename Body>
static __device__ __forceinline__ void each_row(int lanes, int64_t rows, Body body) {
  int each = (int)blockDim.x / lanes, lane = (int)threadIdx.x % lanes;
  for (int64_t first = (int64_t)blockIdx.x * each; first < rows;
       first += (int64_t)gridDim.x * each) {
    int64_t r = first + (int)threadIdx.x / lanes;
    body(r < rows ? r : rows - 1, lane, r < rows);
  }
}

/* The largest element, and the sum of exp(x - m), which NaN gets into. */
template <typename T>
struct running {
  T m;
  double s;
};

/* What exponents are relative to: m, or 0 where nothing but -inf was met. */
template <typename T>
static __device__ __forceinline__ T origin(T m) {
  return m == (T)-GM_INF_F64 ? (T)0 : m;
}

template <typename T>
static __device__ __forceinline__ running<T> normalise(const T *x, int64_t cols, int lane,
                                                       int lanes) {
  T m = (T)-GM_INF_F64;
  double s = 0;
  for (int64_t c = lane; c < cols; c += AHEAD * lanes) {
    T part[AHEAD], before = m;
#pragma unroll
    for (int k = 0; k < AHEAD; k++) {
      part[k] = c + k * lanes < cols ? x[c + k * lanes] : (T)-GM_INF_F64;
      m = largest::join(m, part[k]);
    }
    T o = origin(m);
    s *= (double)gm_exp(before - o);
#pragma unroll
    for (int k = 0; k < AHEAD; k++) s += (double)gm_exp(part[k] - o);
  }
  T all = join_lanes<largest>(m, lanes);
  s *= (double)gm_exp(m - origin(all));
  return {all, join_lanes<sum>(s, lanes)};
}

/* ---- softmax ------------------------------------------------------------------------------------------- */

template <typename T>
__global__ void __launch_bounds__(LARGEST, 1)
    softmax_kernel(int log, int lanes, int64_t rows, int64_t cols, const T *x, T *y) {
  each_row(lanes, rows, [&](int64_t r, int lane, bool there) {
    const T *from = x + r * cols;
    T *to = y + r * cols;
    running<T> row = normalise(from, cols, lane, lanes);
    if (!there) return;
    T log_sum = log ? (T)gm_log(row.s) : (T)0, scale = log ? (T)0 : (T)(1.0 / row.s);
    for (int64_t c = lane; c < cols; c += lanes)
      to[c] = log ? (from[c] - row.m) - log_sum : gm_exp(from[c] - row.m) * scale;
  });
}

template <typename T>
__global__ void __launch_bounds__(LARGEST, 1)
    softmax_grad_kernel(int log, int lanes, int64_t rows, int64_t cols, const T *y, const T *g,
                        T *dx) {
  each_row(lanes, rows, [&](int64_t r, int lane, bool there) {
    const T *yr = y + r * cols, *gr = g + r * cols;
    T *to = dx + r * cols;
    double mine = 0;
    for (int64_t c = lane; c < cols; c += lanes) mine += (double)(log ? gr[c] : gr[c] * yr[c]);
    T all = (T)join_lanes<sum>(mine, lanes);
    if (!there) return;
    for (int64_t c = lane; c < cols; c += lanes)
      to[c] = log ? gr[c] - gm_exp(yr[c]) * all : yr[c] * (gr[c] - all);
  });
}

/* ---- cross-entropy --------------------------------------------------------------------------------------- */

/* The class of row r, counted from 0; -1 where the row is ignored, or its id is none. */
static __device__ __forceinline__ int64_t class_of(const gruI_cross_entropy &e, int64_t r) {
  int64_t id = e.target[r];
  return e.has_ignore && id == e.ignore_index ? -1 : gruI_cuda_row(id, e.base, e.cols);
}

template <typename T>
__global__ void __launch_bounds__(LARGEST, 1)
    cross_entropy_kernel(int lanes, gruI_cross_entropy e) {
  const T *w = (const T *)e.weight;
  each_row(lanes, e.rows, [&](int64_t r, int lane, bool there) {
    const T *x = (const T *)e.x + r * e.cols;
    running<T> row = normalise(x, e.cols, lane, lanes);
    int64_t t = class_of(e, r);
    T mass = t < 0 ? (T)0 : w != NULL ? w[t] : (T)1;
    double log_sum = gm_log(row.s), loss = 0;
    if (t >= 0) loss = (double)mass * (log_sum - ((double)x[t] - (double)row.m));
    if (e.smoothing != 0) { /* sum_c w[c] (lse - x[c]), from lse - x = log_sum - (x - m) */
      double smooth = 0;
      for (int64_t c = lane; c < e.cols; c += lanes) {
        T term = (T)log_sum - (x[c] - row.m);
        smooth += (double)(w != NULL ? w[c] * term : term);
      }
      smooth = join_lanes<sum>(smooth, lanes);
      if (t >= 0) loss = (1 - e.smoothing) * loss + e.smoothing / (double)e.cols * smooth;
    }
    if (!there || lane != 0) return;
    ((T *)e.loss)[r] = (T)loss;
    ((T *)e.mass)[r] = mass;
    ((T *)e.lse)[r] = (T)((double)row.m + log_sum);
  });
}

/* all (=) sum_c w[c], by one block */
template <typename T>
__global__ void sum_kernel(const T *w, int64_t cols, double *all) {
  double mine = 0;
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x) mine += (double)w[c];
  mine = join_lanes<sum>(mine, (int)blockDim.x);
  if (threadIdx.x == 0) *all = mine;
}

/* With p = exp(x - lse) and W = sum_c w[c], which is `all` where that is not NULL:
**   d loss / dx[c] = ((1 - e) w[t] + (e / cols) W) p[c] - (e / cols) w[c] - (1 - e) w[t] [c = t] */
template <typename T>
__global__ void __launch_bounds__(LARGEST, 1)
    cross_entropy_grad_kernel(int lanes, gruI_cross_entropy e, const double *all) {
  const T *w = (const T *)e.weight;
  double spread = e.smoothing / (double)e.cols;
  double whole = w == NULL ? (double)e.cols : all != NULL ? *all : 0;
  each_row(lanes, e.rows, [&](int64_t r, int lane, bool there) {
    const T *x = (const T *)e.x + r * e.cols;
    T *dx = (T *)e.dx + r * e.cols, lse = ((const T *)e.lse_in)[r];
    int64_t t = class_of(e, r);
    if (!there) return;
    double scale = (double)((const T *)e.scale)[r * e.scale_stride];
    double target = t < 0 ? 0 : scale * (1 - e.smoothing) * (w != NULL ? (double)w[t] : 1.0);
    T up = (T)(target + scale * spread * whole), down = (T)(scale * spread), at_target = (T)target;
    for (int64_t c = lane; c < e.cols; c += lanes) {
      T d = 0;
      if (t >= 0) {
        d = up * gm_exp(x[c] - lse);
        if (down != 0) d -= w != NULL ? down * w[c] : down;
        if (c == t) d -= at_target;
      }
      dx[c] = d;
    }
  });
}

/* ---- launchers --------------------------------------------------------------------------------------------- */

typedef struct shape {
  int lanes;
  dim3 grid, block;
} shape;

static shape shape_for(gruI_device *device, int64_t rows, int64_t cols) {
  int lanes = lanes_for(rows, cols), threads = lanes > GRUI_CUDA_BLOCK ? lanes : GRUI_CUDA_BLOCK;
  return {lanes, dim3(gruI_cuda_blocks(device, rows, threads / lanes)), dim3((unsigned)threads)};
}

template <typename T>
static gru_status run_softmax(gruI_device *device, const gruI_softmax *call) {
  shape s = shape_for(device, call->rows, call->cols);
  return gruI_cuda_launch(device, "softmax", softmax_kernel<T>, s.grid, s.block, call->log, s.lanes,
                          call->rows, call->cols, (const T *)call->x, (T *)call->y);
}

template <typename T>
static gru_status run_softmax_grad(gruI_device *device, const gruI_softmax_grad *call) {
  shape s = shape_for(device, call->rows, call->cols);
  return gruI_cuda_launch(device, "softmax_grad", softmax_grad_kernel<T>, s.grid, s.block,
                          call->log, s.lanes, call->rows, call->cols, (const T *)call->y,
                          (const T *)call->g, (T *)call->dx);
}

template <typename T>
static gru_status run_cross_entropy(gruI_device *device, const gruI_cross_entropy *call) {
  shape s = shape_for(device, call->rows, call->cols);
  return gruI_cuda_launch(device, "cross_entropy", cross_entropy_kernel<T>, s.grid, s.block,
                          s.lanes, *call);
}

template <typename T>
static gru_status run_cross_entropy_grad(gruI_device *device, const gruI_cross_entropy *call) {
  gruI_cuda_scope scope(device);
  shape s = shape_for(device, call->rows, call->cols);
  double *all = NULL;
  if (call->weight != NULL && call->smoothing != 0) {
    all = (double *)gruI_cuda_scratch(device, sizeof *all);
    if (all == NULL) return GRU_ERROR_MEMORY;
    GRUI_CUDA_TRY(gruI_cuda_launch(device, "cross_entropy_grad", sum_kernel<T>, dim3(1),
                                   dim3(GRUI_CUDA_BLOCK), (const T *)call->weight, call->cols,
                                   all));
  }
  return gruI_cuda_launch(device, "cross_entropy_grad", cross_entropy_grad_kernel<T>, s.grid,
                          s.block, s.lanes, *call, (const double *)all);
}

#define BY_DTYPE(name) \
  (call->dtype == GRU_FLOAT32 ? name<float>(device, call) : name<double>(device, call))

gru_status gruI_cuda_softmax(gruI_device *device, const gruI_softmax *call) {
  if (call->rows == 0 || call->cols == 0) return GRU_OK;
  return BY_DTYPE(run_softmax);
}

gru_status gruI_cuda_softmax_grad(gruI_device *device, const gruI_softmax_grad *call) {
  if (call->rows == 0 || call->cols == 0) return GRU_OK;
  return BY_DTYPE(run_softmax_grad);
}

gru_status gruI_cuda_cross_entropy(gruI_device *device, const gruI_cross_entropy *call) {
  int64_t step = 1;
  if (call->rows == 0) return GRU_OK;
  GRUI_CUDA_TRY(gruI_cuda_check_ids(device, call->target, 1, &call->rows, &step, call->base,
                                    call->cols, call->has_ignore ? &call->ignore_index : NULL));
  return BY_DTYPE(run_cross_entropy);
}

gru_status gruI_cuda_cross_entropy_grad(gruI_device *device, const gruI_cross_entropy *call) {
  if (call->rows == 0 || call->cols == 0) return GRU_OK;
  return BY_DTYPE(run_cross_entropy_grad);
}

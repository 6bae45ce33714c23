/* recurrence_fused.cuh - a step as one kernel: the recurrent product and the gates.
**
** A warp makes U units of R rows of the batch: it multiplies (dot.cuh), and the lanes that hold the sums
** of a unit go on with its gates.  So a step is one launch (GRU_BEFORE: two), and nothing goes through
** memory between product and gates.  The weights are read through L2 by every block, which is what a
** step costs; a block's warps share its units, and with them the weights in L1.
**
** Backward, the product of step t + 1 opens the kernel of step t: dh = sum_k da(k) W_hh(k, j), over the
** G H gradients of the row.  For that W_hh is transposed once a call, so that k is the inner dim of both.
** A last launch brings the product of the last step to dh.
**
** Compiled once for each dtype. */
#ifndef GRUI_CUDA_RECURRENCE_FUSED_CUH
#define GRUI_CUDA_RECURRENCE_FUSED_CUH

#include "cuda/dot.cuh"
#include "cuda/recurrence.cuh"

gru_status gruI_cuda_fused_f32(gruI_device *device, const gruI_recurrence *call, int backward);
gru_status gruI_cuda_fused_f64(gruI_device *device, const gruI_recurrence *call, int backward);

enum { GRUI_FUSED_TILE = 32 };

/* One factor of a step's products: k numbers of each row of the batch, from a + row lda on, with rows
** of the weights, from w + row ldw on. */
template <typename T>
struct gruI_fused_factor {
  const T *a, *w;
  int lda, ldw, k, wide;
};

/* Units of a warp. */
template <int SUMS>
struct gruI_fused_units {
  enum { U = SUMS == 1 ? 4 : 2 };
};

/* ---- kernels ------------------------------------------------------------------------------------- */

/* Where this lane is. */
template <int R, int U>
static __device__ __forceinline__ gruI_owner gruI_fused_place(int batch, int hidden) {
  return gruI_owner_of(blockIdx.x, blockIdx.y, blockDim.x / GRUI_CUDA_WARP, threadIdx.x, batch,
                       hidden, R, U);
}

/* Adds a factor to the warp's sums; past the last row or unit the last is multiplied once more. */
template <int R, int U, int SUMS, typename T>
static __device__ __forceinline__ void gruI_fused_multiply(T (&sum)[R][SUMS * U],
                                                           const gruI_owner &at, int batch,
                                                           int hidden,
                                                           const gruI_fused_factor<T> &f) {
  int row[R], col[SUMS * U];
#pragma unroll
  for (int r = 0; r < R; r++) row[r] = min(at.first_row + r, batch - 1) * f.lda;
#pragma unroll
  for (int c = 0; c < SUMS * U; c++)
    col[c] = (c / U * hidden + min(at.first_unit + c % U, hidden - 1)) * f.ldw;
  gruI_dot_add(sum, f.a, row, f.w, col, f.k, f.wide);
}

/* What the lane's element of gate g came to. */
template <int R, int U, int SUMS, typename T>
static __device__ __forceinline__ T gruI_fused_sum(const T (&sum)[R][SUMS * U], int g) {
  T each[R * U];
#pragma unroll
  for (int e = 0; e < R * U; e++) each[e] = sum[e / U][g * U + e % U];
  return gruI_dot_sum(each);
}

template <int KIND, int R, typename T>
__global__ void __launch_bounds__(GRUI_OWNER_WARPS *GRUI_CUDA_WARP, 1)
    gruI_fused_forward_kernel(gruI_cuda_step<T> s, gruI_fused_factor<T> f) {
  enum { SUMS = gruI_kind<KIND>::SUMS, U = gruI_fused_units<SUMS>::U };
  const gruI_owner at = gruI_fused_place<R, U>(s.batch, s.hidden);
  if (at.first_row >= s.batch) return;
  gruI_cuda_forward<KIND, T> unit;
  if (at.mine) unit.load(s, at.b, at.j);
  T sum[R][SUMS * U] = {}, a[GRUI_MAX_GATES];
  gruI_fused_multiply<R, U, SUMS>(sum, at, s.batch, s.hidden, f);
#pragma unroll
  for (int g = 0; g < SUMS; g++) a[g] = gruI_fused_sum<R, U, SUMS>(sum, g);
  if (at.mine) unit.finish(s, at.b, at.j, a);
}

/* Two factors: those of GRU_AFTER's da_n do not lie beside those of r and z. */
template <int KIND, int R, typename T>
__global__ void __launch_bounds__(GRUI_OWNER_WARPS *GRUI_CUDA_WARP, 1)
    gruI_fused_backward_kernel(gruI_cuda_step<T> s, gruI_fused_factor<T> f,
                               gruI_fused_factor<T> f_n) {
  enum { U = gruI_fused_units<1>::U };
  const gruI_owner at = gruI_fused_place<R, U>(s.batch, s.hidden);
  if (at.first_row >= s.batch) return;
  gruI_cuda_backward<KIND, T> unit;
  if (at.mine) unit.load(s, at.b, at.j);
  T sum[R][U] = {};
  gruI_fused_multiply<R, U, 1>(sum, at, s.batch, s.hidden, f);
  if (KIND == GRUI_KIND_AFTER) gruI_fused_multiply<R, U, 1>(sum, at, s.batch, s.hidden, f_n);
  T a = gruI_fused_sum<R, U, 1>(sum, 0);
  if (at.mine) unit.finish(s, at.b, at.j, a);
}

/* dh += the product alone. */
template <int R, typename T>
__global__ void __launch_bounds__(GRUI_OWNER_WARPS *GRUI_CUDA_WARP, 1)
    gruI_fused_last_kernel(gruI_cuda_step<T> s, gruI_fused_factor<T> f, gruI_fused_factor<T> f_n) {
  enum { U = gruI_fused_units<1>::U };
  const gruI_owner at = gruI_fused_place<R, U>(s.batch, s.hidden);
  if (at.first_row >= s.batch) return;
  T sum[R][U] = {};
  gruI_fused_multiply<R, U, 1>(sum, at, s.batch, s.hidden, f);
  if (f_n.k > 0) gruI_fused_multiply<R, U, 1>(sum, at, s.batch, s.hidden, f_n);
  T a = gruI_fused_sum<R, U, 1>(sum, 0);
  if (at.mine) s.dh[(int64_t)at.b * s.hidden + at.j] += a;
}

/* to (cols, rows) = from (rows, cols) transposed. */
template <typename T>
__global__ void gruI_fused_transpose_kernel(const T *from, int rows, int cols, T *to) {
  __shared__ T tile[GRUI_FUSED_TILE][GRUI_FUSED_TILE + 1];
  int x = (int)threadIdx.x, row = (int)blockIdx.y * GRUI_FUSED_TILE,
      col = (int)blockIdx.x * GRUI_FUSED_TILE;
  for (int y = (int)threadIdx.y; y < GRUI_FUSED_TILE; y += (int)blockDim.y)
    if (row + y < rows && col + x < cols) tile[y][x] = from[(int64_t)(row + y) * cols + col + x];
  __syncthreads();
  for (int y = (int)threadIdx.y; y < GRUI_FUSED_TILE; y += (int)blockDim.y)
    if (col + y < cols && row + x < rows) to[(int64_t)(col + y) * rows + row + x] = tile[x][y];
}

/* ---- launchers ------------------------------------------------------------------------------------- */

template <typename T>
static inline gruI_fused_factor<T> gruI_fused_factor_of(const T *a, int64_t lda, const T *w,
                                                        int64_t ldw, int64_t k) {
  gruI_fused_factor<T> f = {a, w, (int)lda, (int)ldw, (int)k, 0};
  f.wide = gruI_dot_is_wide(a, lda) && gruI_dot_is_wide(w, ldw) && gruI_dot_is_wide(a, k);
  return f;
}

/* Rows of a warp: more of them read the weights less often, fewer fill the device. */
template <typename T>
static inline int gruI_fused_rows(const gruI_recurrence *call) {
  if (call->batch == 1) return 1;
  return sizeof(T) > sizeof(float) || call->batch * call->hidden <= 32 * 256 ? 4 : 8;
}

/* The grid for warps of R rows and U units. */
struct gruI_fused_grid {
  dim3 grid, block;
  gruI_fused_grid(const gruI_recurrence *call, int R, int U) {
    gruI_owner_grid g = gruI_owner_grid_of(call->batch, call->hidden, R, U);
    grid = dim3(g.x, g.y);
    block = dim3(g.warps * GRUI_CUDA_WARP);
  }
};

template <int KIND, int R, typename T>
static gru_status gruI_fused_launch(gruI_device *device, const gruI_recurrence *call,
                                    const gruI_cuda_step<T> &s, const gruI_fused_factor<T> &f) {
  gruI_fused_grid g(call, R, gruI_fused_units<gruI_kind<KIND>::SUMS>::U);
  return gruI_cuda_launch(device, "recurrence", gruI_fused_forward_kernel<KIND, R, T>, g.grid,
                          g.block, s, f);
}

template <int KIND, int R, typename T>
static gru_status gruI_fused_launch_back(gruI_device *device, const gruI_recurrence *call,
                                         const gruI_cuda_step<T> &s, const gruI_fused_factor<T> &f,
                                         const gruI_fused_factor<T> &f_n) {
  gruI_fused_grid g(call, R, gruI_fused_units<1>::U);
  return gruI_cuda_launch(device, "recurrence_grad", gruI_fused_backward_kernel<KIND, R, T>, g.grid,
                          g.block, s, f, f_n);
}

/* gates: of one step, where the call keeps none. */
template <int R, typename T>
static gru_status gruI_fused_forward(gruI_device *device, const gruI_recurrence *call, T *gates) {
  const T *w = (const T *)call->w_hh;
  int64_t H = call->hidden;
  gru_status status = GRU_OK;
  for (int64_t i = 0; i < call->steps && status == GRU_OK; i++) {
    gruI_cuda_step<T> s = gruI_cuda_describe<T>(call, i, 0, gates);
    gruI_fused_factor<T> f = gruI_fused_factor_of<T>(s.h, H, w, H, H);
    switch (call->cell) {
      case GRUI_RNN_TANH:
        status = gruI_fused_launch<GRUI_KIND_TANH, R, T>(device, call, s, f);
        break;
      case GRUI_RNN_RELU:
        status = gruI_fused_launch<GRUI_KIND_RELU, R, T>(device, call, s, f);
        break;
      case GRUI_LSTM: status = gruI_fused_launch<GRUI_KIND_LSTM, R, T>(device, call, s, f); break;
      case GRUI_GRU_AFTER:
        status = gruI_fused_launch<GRUI_KIND_AFTER, R, T>(device, call, s, f);
        break;
      case GRUI_GRU_BEFORE:
        status = gruI_fused_launch<GRUI_KIND_BEFORE_1, R, T>(device, call, s, f);
        f = gruI_fused_factor_of<T>(s.gates + 3 * H, 4 * H, w + 2 * H * H, H, H);
        if (status == GRU_OK)
          status = gruI_fused_launch<GRUI_KIND_BEFORE_2, R, T>(device, call, s, f);
        break;
    }
  }
  return status;
}

/* w: W_hh transposed, (H, G H). */
template <int R, typename T>
static gru_status gruI_fused_backward(gruI_device *device, const gruI_recurrence *call,
                                      const T *w) {
  int64_t H = call->hidden, GH = gruI_cell_gates(call->cell) * H;
  int64_t k = call->cell >= GRUI_GRU_AFTER ? 2 * H : GH;
  gruI_fused_factor<T> f = {}, f_n = {}, q;
  gruI_cuda_step<T> s = {};
  gru_status status = GRU_OK;
  for (int64_t i = 0; i < call->steps && status == GRU_OK; i++) {
    s = gruI_cuda_describe<T>(call, i, 1, NULL);
    switch (call->cell) {
      case GRUI_RNN_TANH:
        status = gruI_fused_launch_back<GRUI_KIND_TANH, R, T>(device, call, s, f, f_n);
        break;
      case GRUI_RNN_RELU:
        status = gruI_fused_launch_back<GRUI_KIND_RELU, R, T>(device, call, s, f, f_n);
        break;
      case GRUI_LSTM:
        status = gruI_fused_launch_back<GRUI_KIND_LSTM, R, T>(device, call, s, f, f_n);
        break;
      case GRUI_GRU_AFTER:
        status = gruI_fused_launch_back<GRUI_KIND_AFTER, R, T>(device, call, s, f, f_n);
        f_n = gruI_fused_factor_of<T>(s.da_n, H, w + 2 * H, GH, H);
        break;
      case GRUI_GRU_BEFORE:
        status = gruI_fused_launch_back<GRUI_KIND_BEFORE_1, R, T>(device, call, s, f, f_n);
        q = gruI_fused_factor_of<T>(s.dgx + 2 * H, GH, w + 2 * H, GH, H);
        if (status == GRU_OK)
          status = gruI_fused_launch_back<GRUI_KIND_BEFORE_2, R, T>(device, call, s, q, f_n);
        break;
    }
    f = gruI_fused_factor_of<T>(s.dgx, GH, w, GH, k);
  }
  if (status != GRU_OK) return status;
  gruI_fused_grid g(call, R, gruI_fused_units<1>::U);
  return gruI_cuda_launch(device, "recurrence_grad", gruI_fused_last_kernel<R, T>, g.grid, g.block,
                          s, f, f_n);
}

template <typename T>
static gru_status gruI_fused_walk(gruI_device *device, const gruI_recurrence *call) {
  gruI_cuda_scope scope(device);
  T *gates = NULL;
  if (call->gates == NULL && call->cell == GRUI_GRU_BEFORE) {
    size_t numbers = (size_t)(gruI_cell_saved(call->cell) * call->batch * call->hidden);
    gates = (T *)gruI_cuda_scratch(device, numbers * sizeof(T));
    if (gates == NULL) return GRU_ERROR_MEMORY;
  }
  switch (gruI_fused_rows<T>(call)) {
    case 1: return gruI_fused_forward<1, T>(device, call, gates);
    case 4: return gruI_fused_forward<4, T>(device, call, gates);
    default: return gruI_fused_forward < sizeof(T) == 4 ? 8 : 4, T > (device, call, gates);
  }
}

template <typename T>
static gru_status gruI_fused_walk_back(gruI_device *device, const gruI_recurrence *call) {
  enum { LINES = 8 };
  gruI_cuda_scope scope(device);
  int64_t H = call->hidden, rows = gruI_cell_gates(call->cell) * H;
  T *w = (T *)gruI_cuda_scratch(device, (size_t)(rows * H) * sizeof(T));
  if (w == NULL) return GRU_ERROR_MEMORY;
  dim3 grid((unsigned)((H + GRUI_FUSED_TILE - 1) / GRUI_FUSED_TILE),
            (unsigned)((rows + GRUI_FUSED_TILE - 1) / GRUI_FUSED_TILE));
  GRUI_CUDA_TRY(gruI_cuda_launch(device, "transpose", gruI_fused_transpose_kernel<T>, grid,
                                 dim3(GRUI_FUSED_TILE, LINES), (const T *)call->w_hh, (int)rows,
                                 (int)H, w));
  switch (gruI_fused_rows<T>(call)) {
    case 1: return gruI_fused_backward<1, T>(device, call, w);
    case 4: return gruI_fused_backward<4, T>(device, call, w);
    default: return gruI_fused_backward < sizeof(T) == 4 ? 8 : 4, T > (device, call, w);
  }
}

#endif

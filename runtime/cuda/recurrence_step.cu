/* recurrence_step.cu - a step as a product and a kernel for the gates: any size, and the right way where
** the product is large enough to fill the device.
**
** A step of GRU_BEFORE is two of each. */
#include <limits.h>
#include <stdio.h>

#include "cuda/recurrence.cuh"

/* ---- kernels -------------------------------------------------------------------------------------- */

/* sums: W_hh h of every row, the gates that KIND needs side by side. */
template <int KIND, typename T>
__global__ void forward_kernel(gruI_cuda_step<T> s, const T *sums) {
  typedef gruI_kind<KIND> K;
  int count = s.batch * s.hidden;
  for (int i = (int)(blockIdx.x * blockDim.x + threadIdx.x); i < count;
       i += (int)(gridDim.x * blockDim.x)) {
    int b = i / s.hidden, j = i % s.hidden;
    gruI_cuda_forward<KIND, T> unit;
    T a[GRUI_MAX_GATES];
    unit.load(s, b, j);
#pragma unroll
    for (int g = 0; g < K::SUMS; g++) a[g] = sums[((int64_t)b * K::SUMS + g) * s.hidden + j];
    unit.finish(s, b, j, a);
  }
}

/* a_dh, not NULL for GRU_AFTER: the gradients of a_r, a_z, a_n side by side, as the product takes them.
** q: of GRU_BEFORE's second part. */
template <int KIND, typename T>
__global__ void backward_kernel(gruI_cuda_step<T> s, const T *q, T *a_dh) {
  int count = s.batch * s.hidden;
  for (int i = (int)(blockIdx.x * blockDim.x + threadIdx.x); i < count;
       i += (int)(gridDim.x * blockDim.x)) {
    int b = i / s.hidden, j = i % s.hidden;
    gruI_cuda_backward<KIND, T> unit;
    unit.load(s, b, j);
    unit.finish(s, b, j, KIND == GRUI_KIND_BEFORE_2 ? q[i] : (T)0);
    if (KIND != GRUI_KIND_AFTER) continue;
    const T *dx = s.dgx + (int64_t)b * 3 * s.hidden + j;
    T *da = a_dh + (int64_t)b * 3 * s.hidden + j;
    da[0] = dx[0], da[s.hidden] = dx[s.hidden], da[2 * s.hidden] = s.da_n[i];
  }
}

/* ---- launchers --------------------------------------------------------------------------------------- */

template <int KIND, typename T>
static gru_status forward_gates(gruI_device *device, const gruI_cuda_step<T> &s, const T *sums) {
  return gruI_cuda_launch(
      device, "recurrence", forward_kernel<KIND, T>,
      dim3(gruI_cuda_blocks(device, (int64_t)s.batch * s.hidden, GRUI_CUDA_BLOCK)),
      dim3(GRUI_CUDA_BLOCK), s, sums);
}

template <int KIND, typename T>
static gru_status backward_gates(gruI_device *device, const gruI_cuda_step<T> &s, const T *q,
                                 T *a_dh) {
  return gruI_cuda_launch(
      device, "recurrence_grad", backward_kernel<KIND, T>,
      dim3(gruI_cuda_blocks(device, (int64_t)s.batch * s.hidden, GRUI_CUDA_BLOCK)),
      dim3(GRUI_CUDA_BLOCK), s, q, a_dh);
}

/* sums (batch, rows) = a (batch, H) times rows `row` .. row + rows - 1 of W_hh, transposed. */
template <typename T>
static gru_status multiply(gruI_device *device, const gruI_recurrence *call, int64_t row,
                           int64_t rows, const T *a, int64_t lda, T *sums) {
  gruI_gemm g = {};
  g.dtype = call->dtype, g.trans_b = 1, g.batch = 1;
  g.m = call->batch, g.n = rows, g.k = call->hidden;
  g.a = a, g.lda = lda;
  g.b = (const T *)call->w_hh + row * call->hidden, g.ldb = call->hidden;
  g.c = sums, g.ldc = rows;
  return gruI_cuda_gemm(device, &g);
}

/* to (batch, H) = or += a (batch, rows) times rows `row` .. row + rows - 1 of W_hh. */
template <typename T>
static gru_status multiply_back(gruI_device *device, const gruI_recurrence *call, int64_t row,
                                int64_t rows, const T *a, int64_t lda, T *to, int accumulate) {
  gruI_gemm g = {};
  g.dtype = call->dtype, g.accumulate = accumulate, g.batch = 1;
  g.m = call->batch, g.n = call->hidden, g.k = rows;
  g.a = a, g.lda = lda;
  g.b = (const T *)call->w_hh + row * call->hidden, g.ldb = call->hidden;
  g.c = to, g.ldc = call->hidden;
  return gruI_cuda_gemm(device, &g);
}

/* work: the sums of a step, G H a row; gates: of one step, where the call keeps none. */
template <typename T>
static gru_status forward_step(gruI_device *device, const gruI_recurrence *call, int64_t i, T *work,
                               T *gates) {
  gruI_cuda_step<T> s = gruI_cuda_describe<T>(call, i, 0, gates);
  int64_t H = call->hidden, G = gruI_cell_gates(call->cell);
  int64_t first = call->cell == GRUI_GRU_BEFORE ? 2 * H : G * H;
  GRUI_CUDA_TRY(multiply<T>(device, call, 0, first, s.h, H, work));
  switch (call->cell) {
    case GRUI_RNN_TANH: return forward_gates<GRUI_KIND_TANH, T>(device, s, work);
    case GRUI_RNN_RELU: return forward_gates<GRUI_KIND_RELU, T>(device, s, work);
    case GRUI_LSTM: return forward_gates<GRUI_KIND_LSTM, T>(device, s, work);
    case GRUI_GRU_AFTER: return forward_gates<GRUI_KIND_AFTER, T>(device, s, work);
    default: break;
  }
  GRUI_CUDA_TRY((forward_gates<GRUI_KIND_BEFORE_1, T>(device, s, work)));
  GRUI_CUDA_TRY(multiply<T>(device, call, 2 * H, H, s.gates + 3 * H, 4 * H, work));
  return forward_gates<GRUI_KIND_BEFORE_2, T>(device, s, work);
}

/* work: for GRU_AFTER 3 H numbers a row, for GRU_BEFORE H. */
template <typename T>
static gru_status backward_step(gruI_device *device, const gruI_recurrence *call, int64_t i,
                                T *work) {
  gruI_cuda_step<T> s = gruI_cuda_describe<T>(call, i, 1, NULL);
  int64_t H = call->hidden, rows = gruI_cell_gates(call->cell) * H;
  const T *a = s.dgx;
  switch (call->cell) {
    case GRUI_RNN_TANH:
      GRUI_CUDA_TRY((backward_gates<GRUI_KIND_TANH, T>(device, s, NULL, NULL)));
      break;
    case GRUI_RNN_RELU:
      GRUI_CUDA_TRY((backward_gates<GRUI_KIND_RELU, T>(device, s, NULL, NULL)));
      break;
    case GRUI_LSTM:
      GRUI_CUDA_TRY((backward_gates<GRUI_KIND_LSTM, T>(device, s, NULL, NULL)));
      break;
    case GRUI_GRU_AFTER:
      a = work;
      GRUI_CUDA_TRY((backward_gates<GRUI_KIND_AFTER, T>(device, s, NULL, work)));
      break;
    default:
      GRUI_CUDA_TRY((backward_gates<GRUI_KIND_BEFORE_1, T>(device, s, NULL, NULL)));
      GRUI_CUDA_TRY(multiply_back<T>(device, call, 2 * H, H, a + 2 * H, rows, work, 0));
      GRUI_CUDA_TRY((backward_gates<GRUI_KIND_BEFORE_2, T>(device, s, work, NULL)));
      return multiply_back<T>(device, call, 0, 2 * H, a, rows, s.dh, 1);
  }
  return multiply_back<T>(device, call, 0, rows, a, rows, s.dh, 1);
}

template <typename T>
static gru_status walk(gruI_device *device, const gruI_recurrence *call, int backward) {
  gruI_cuda_scope scope(device);
  int64_t state = call->batch * call->hidden;
  size_t row = (size_t)state * sizeof(T);
  T *work = (T *)gruI_cuda_scratch(device, GRUI_MAX_GATES * row), *gates = NULL;
  if (work == NULL) return GRU_ERROR_MEMORY;
  if (!backward && call->gates == NULL && call->cell == GRUI_GRU_BEFORE) {
    gates = (T *)gruI_cuda_scratch(device, gruI_cell_saved(call->cell) * row);
    if (gates == NULL) return GRU_ERROR_MEMORY;
  }
  gru_status status = GRU_OK;
  for (int64_t i = 0; i < call->steps && status == GRU_OK; i++)
    status = backward ? backward_step<T>(device, call, i, work)
                      : forward_step<T>(device, call, i, work, gates);
  return status;
}

/* ---- the way ------------------------------------------------------------------------------------------- */

static int can(gruI_device *device, const gruI_recurrence *call, char *why, size_t size) {
  (void)device;
  if (call->batch * call->hidden <= INT_MAX / GRUI_MAX_SAVED) return 1;
  snprintf(why, size, "a state of %lld numbers is too large",
           (long long)(call->batch * call->hidden));
  return 0;
}

static int pays(gruI_device *device, const gruI_recurrence *call, char *why, size_t size) {
  (void)device, (void)call, (void)why, (void)size;
  return 1;
}

static gru_status run(gruI_device *device, const gruI_recurrence *call, int backward) {
  return call->dtype == GRU_FLOAT32 ? walk<float>(device, call, backward)
                                    : walk<double>(device, call, backward);
}

const gruI_cuda_path gruI_cuda_path_step = {
    "step",
    {"a product of cuBLAS and a kernel for the gates each step",
     "two products of cuBLAS and two kernels for the gates each step"},
    can,
    pays,
    run};

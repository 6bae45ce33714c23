/* gemm.cu - products of matrices: floats by cuBLAS, a few rows and int64 by kernels of our own.
**
** cuBLAS counts columns where we count rows: c = op(a) op(b) by rows is c^T = op(b)^T op(a)^T by
** columns, so the operands change places and nothing else.  It gives the same bits run after run on
** one stream with one workspace, which is why the handle has memory of its own. */
#include <limits.h>

#include "cuda/blas.cuh"
#include "cuda/cuda.cuh"
#include "cuda/dot.cuh"

enum { WORKSPACE = 32 << 20, TILE = 16 };

/* ---- kernels ----------------------------------------------------------------------------------- */

/* Any layout, sums mod 2^64: element (i, l) of a stands at i rows_a + l cols_a, b likewise. */
typedef struct plain_call {
  int64_t batch, m, n, k;
  const uint64_t *a, *b;
  uint64_t *c;
  int64_t rows_a, cols_a, rows_b, cols_b, ldc, batch_a, batch_b, batch_c;
  int accumulate;
} plain_call;

__global__ void plain_kernel(plain_call p) {
  __shared__ uint64_t a[TILE][TILE + 1], b[TILE][TILE + 1];
  int x = (int)threadIdx.x, y = (int)threadIdx.y;
  int64_t down = (p.m + TILE - 1) / TILE, across = (p.n + TILE - 1) / TILE;
  for (int64_t tile = blockIdx.x; tile < p.batch * down * across; tile += gridDim.x) {
    int64_t item = tile / (down * across);
    int64_t i = tile / across % down * TILE + y, j = tile % across * TILE + x;
    const uint64_t *from_a = p.a + item * p.batch_a, *from_b = p.b + item * p.batch_b;
    uint64_t sum = 0;
    for (int64_t l = 0; l < p.k; l += TILE) {
      a[y][x] = i < p.m && l + x < p.k ? from_a[i * p.rows_a + (l + x) * p.cols_a] : 0;
      b[y][x] = j < p.n && l + y < p.k ? from_b[(l + y) * p.rows_b + j * p.cols_b] : 0;
      __syncthreads();
      for (int q = 0; q < TILE; q++) sum += a[y][q] * b[q][x];
      __syncthreads();
    }
    if (i < p.m && j < p.n) {
      uint64_t *to = p.c + item * p.batch_c + i * p.ldc + j;
      *to = p.accumulate ? *to + sum : sum;
    }
  }
}

template <typename T>
__global__ void zero_kernel(T *c, int64_t batch, int64_t m, int64_t n, int64_t ldc,
                            int64_t batch_c) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < batch * m * n; i += (int64_t)gridDim.x * blockDim.x)
    c[i / (m * n) * batch_c + i / n % m * ldc + i % n] = 0;
}

/* c = a b^T, m up to R: a warp makes COLS columns. */
enum { COLS = 4 };

template <typename T, int R>
__global__ void few_rows_kernel(const T *a, int m, int lda, const T *b, int n, int ldb, int k, T *c,
                                int64_t ldc, int wide) {
  int first = (int)(blockIdx.x * blockDim.x + threadIdx.x) / GRUI_CUDA_WARP * COLS;
  if (first >= n) return;
  T sum[R][COLS] = {};
  int row[R], col[COLS];
  for (int r = 0; r < R; r++) row[r] = (r < m ? r : m - 1) * lda;
  for (int j = 0; j < COLS; j++) col[j] = (first + j < n ? first + j : n - 1) * ldb;
  gruI_dot_add(sum, a, row, b, col, k, wide);
  T each[R * COLS];
  for (int e = 0; e < R * COLS; e++) each[e] = sum[e / COLS][e % COLS];
  T total = gruI_dot_sum(each);
  int e = gruI_owner_element(gruI_dot_lane(), R * COLS), r = e / COLS, j = first + e % COLS;
  if (!gruI_owner_writes(gruI_dot_lane(), R * COLS) || r >= m || j >= n) return;
  c[r * ldc + j] = total;
}

/* ---- launchers: own kernels -------------------------------------------------------------------- */

static gru_status multiply_plain(gruI_device *device, const gruI_gemm *g) {
  plain_call p = {};
  p.batch = g->batch, p.m = g->m, p.n = g->n, p.k = g->k;
  p.a = (const uint64_t *)g->a, p.b = (const uint64_t *)g->b, p.c = (uint64_t *)g->c;
  p.rows_a = g->trans_a ? 1 : g->lda, p.cols_a = g->trans_a ? g->lda : 1;
  p.rows_b = g->trans_b ? 1 : g->ldb, p.cols_b = g->trans_b ? g->ldb : 1;
  p.ldc = g->ldc, p.batch_a = g->batch_a, p.batch_b = g->batch_b, p.batch_c = g->batch_c;
  p.accumulate = g->accumulate;
  int64_t tiles = g->batch * ((g->m + TILE - 1) / TILE) * ((g->n + TILE - 1) / TILE);
  return gruI_cuda_launch(device, "gemm", plain_kernel, dim3(gruI_cuda_blocks(device, tiles, 1)),
                          dim3(TILE, TILE), p);
}

template <typename T>
static gru_status zero(gruI_device *device, const gruI_gemm *g) {
  int64_t count = g->batch * g->m * g->n;
  return gruI_cuda_launch(
      device, "gemm", zero_kernel<T>, dim3(gruI_cuda_blocks(device, count, GRUI_CUDA_BLOCK)),
      dim3(GRUI_CUDA_BLOCK), (T *)g->c, g->batch, g->m, g->n, g->ldc, g->batch_c);
}

/* A step of generation: cuBLAS cuts such products into two launches, or gives them few blocks.  With
** few columns, long sums belong to more than one warp, and are left to it. */
enum { FEW = 4, FEW_K = 2048 };

static int is_few_rows(const gruI_gemm *g) {
  return g->m <= FEW && g->batch == 1 && !g->trans_a && g->trans_b && !g->accumulate &&
         g->k <= FEW_K && g->m * g->lda <= INT_MAX && g->n <= INT_MAX - COLS &&
         g->n * g->ldb <= INT_MAX;
}

template <typename T, int R>
static gru_status multiply_few(gruI_device *device, const gruI_gemm *g) {
  enum { THREADS = 64 };
  const T *a = (const T *)g->a, *b = (const T *)g->b;
  int64_t lda = g->m == 1 ? g->k : g->lda, ldb = g->n == 1 ? g->k : g->ldb;
  int wide = gruI_dot_is_wide(a, lda) && gruI_dot_is_wide(b, ldb) && gruI_dot_is_wide(a, g->k);
  int64_t warps = (g->n + COLS - 1) / COLS, each = THREADS / GRUI_CUDA_WARP;
  return gruI_cuda_launch(device, "gemm", few_rows_kernel<T, R>,
                          dim3((unsigned)((warps + each - 1) / each)), dim3(THREADS), a, (int)g->m,
                          (int)lda, b, (int)g->n, (int)ldb, (int)g->k, (T *)g->c, g->ldc, wide);
}

/* ---- launchers: cuBLAS ----------------------------------------------------------------------------- */

gru_status gruI_cuda_blas(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  GRUI_CUDA_TRY(gruI_cuda_ready(device));
  const gruI_cuda_blas_calls *call;
  GRUI_CUDA_TRY(gruI_cuda_blas_open(device, &call));
  if (cuda->blas == NULL) {
    cublasHandle_t blas = NULL;
    void *workspace = gruI_arena_alloc(cuda->arena, WORKSPACE);
    if (workspace == NULL)
      return gruI_cuda_fail(device, GRU_ERROR_MEMORY, "out of device memory: %d bytes", WORKSPACE);
    gru_status status = gruI_cuda_check_blas(device, call->create(&blas), "cublasCreate");
    if (status == GRU_OK)
      status =
          gruI_cuda_check_blas(device, call->set_stream(blas, cuda->stream), "cublasSetStream");
    if (status == GRU_OK)
      status = gruI_cuda_check_blas(device, call->set_workspace(blas, workspace, WORKSPACE),
                                    "cublasSetWorkspace");
    if (status != GRU_OK) {
      if (blas != NULL) call->destroy(blas);
      gruI_arena_free(cuda->arena, workspace, WORKSPACE);
      return status;
    }
    cuda->blas = blas;
    cuda->blas_workspace = workspace;
  }
  cublasMath_t mode =
      device->precision == GRU_TF32 ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH;
  return gruI_cuda_check_blas(device, call->set_math_mode(cuda->blas, mode), "cublasSetMathMode");
}

/* A matrix with a single row may come with any row stride, but cuBLAS wants one that covers it. */
static int64_t leading(int64_t stride, int64_t rows, int64_t cols) {
  int64_t least = cols > 0 ? cols : 1;
  return rows <= 1 || stride < least ? least : stride;
}

static gru_status multiply_blas(gruI_device *device, const gruI_gemm *g) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  const gruI_cuda_blas_calls *call;
  GRUI_CUDA_TRY(gruI_cuda_blas(device));
  GRUI_CUDA_TRY(gruI_cuda_blas_open(device, &call));
  cublasOperation_t ta = g->trans_a ? CUBLAS_OP_T : CUBLAS_OP_N;
  cublasOperation_t tb = g->trans_b ? CUBLAS_OP_T : CUBLAS_OP_N;
  int64_t lda = leading(g->lda, g->trans_a ? g->k : g->m, g->trans_a ? g->m : g->k);
  int64_t ldb = leading(g->ldb, g->trans_b ? g->n : g->k, g->trans_b ? g->k : g->n);
  int64_t ldc = leading(g->ldc, g->m, g->n);
  cublasStatus_t status;
  if (g->dtype == GRU_FLOAT32) {
    const float one = 1, beta = g->accumulate ? 1.0f : 0.0f;
    status = call->sgemm(cuda->blas, tb, ta, g->n, g->m, g->k, &one, (const float *)g->b, ldb,
                         g->batch_b, (const float *)g->a, lda, g->batch_a, &beta, (float *)g->c,
                         ldc, g->batch_c, g->batch);
  } else {
    const double one = 1, beta = g->accumulate ? 1.0 : 0.0;
    status = call->dgemm(cuda->blas, tb, ta, g->n, g->m, g->k, &one, (const double *)g->b, ldb,
                         g->batch_b, (const double *)g->a, lda, g->batch_a, &beta, (double *)g->c,
                         ldc, g->batch_c, g->batch);
  }
  GRUI_CUDA_TRY(gruI_cuda_check_blas(device, status, "gemm"));
  return gruI_cuda_launched(device, cudaGetLastError(), "gemm");
}

template <typename T>
static gru_status multiply(gruI_device *device, const gruI_gemm *g) {
  if (g->k <= 0) return g->accumulate ? GRU_OK : zero<T>(device, g);
  if (!is_few_rows(g)) return multiply_blas(device, g);
  return g->m == 1   ? multiply_few<T, 1>(device, g)
         : g->m == 2 ? multiply_few<T, 2>(device, g)
                     : multiply_few<T, 4>(device, g);
}

gru_status gruI_cuda_gemm(gruI_device *device, const gruI_gemm *call) {
  if (call->batch <= 0 || call->m <= 0 || call->n <= 0) return GRU_OK;
  switch (call->dtype) {
    case GRU_FLOAT32: return multiply<float>(device, call);
    case GRU_FLOAT64: return multiply<double>(device, call);
    default: return multiply_plain(device, call);
  }
}

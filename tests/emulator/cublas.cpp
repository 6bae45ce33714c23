/* cublas.cpp - the emulator's cuBLAS, a library of its own as the real one is. */
#include "cublas_v2.h"

#include <stdint.h>
#include <stdio.h>

#include <set>

#include "refuse.h"

struct gru_emulator_blas {
  cudaStream_t stream;
  void *workspace;
  cublasMath_t mode;
};

namespace {

bool ended;
struct ending {
  ~ending() { ended = true; }
} at_the_end;

std::set<cublasHandle_t> &handles = *new std::set<cublasHandle_t>;

/* Why `call` fails, or CUBLAS_STATUS_SUCCESS. */
cublasStatus_t enter(const char *call) {
  if (ended) {
    fprintf(stderr, "emulator: %s after the program's end\n", call);
    abort();
  }
  return (cublasStatus_t)gru_emulator_refusal(call);
}

cublasStatus_t enter(const char *call, cublasHandle_t handle) {
  cublasStatus_t status = enter(call);
  return status == CUBLAS_STATUS_SUCCESS && handles.count(handle) == 0
             ? CUBLAS_STATUS_NOT_INITIALIZED
             : status;
}

}  // namespace

#define TRY(call) \
  do { \
    cublasStatus_t try_ = (call); \
    if (try_ != CUBLAS_STATUS_SUCCESS) return try_; \
  } while (0)

cublasStatus_t cublasCreate(cublasHandle_t *handle) {
  TRY(enter("cublasCreate"));
  *handle = new gru_emulator_blas();
  handles.insert(*handle);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  TRY(enter("cublasDestroy", handle));
  handles.erase(handle);
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  TRY(enter("cublasSetStream", handle));
  if (stream->current_device() != stream->device) return CUBLAS_STATUS_EXECUTION_FAILED;
  handle->stream = stream;
  handle->workspace = NULL;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t bytes) {
  TRY(enter("cublasSetWorkspace", handle));
  if ((uintptr_t)workspace % 256 != 0 || bytes == 0) return CUBLAS_STATUS_INVALID_VALUE;
  handle->workspace = workspace;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  TRY(enter("cublasSetMathMode", handle));
  handle->mode = mode;
  return CUBLAS_STATUS_SUCCESS;
}

const char *cublasGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "the library was not initialized";
    case CUBLAS_STATUS_ALLOC_FAILED: return "the resource allocation failed";
    case CUBLAS_STATUS_INVALID_VALUE: return "an unsupported value or parameter was passed";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "the function failed to launch on the GPU";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "the functionality is not supported";
  }
  return "failure";
}

/* To the 10 bits after the point that TF32 has, ties away from zero as cvt.rna does. */
static float to_tf32(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if ((bits >> 23 & 0xff) != 0xff) bits = (bits + 0x1000u) & ~0x1fffu;
  memcpy(&x, &bits, sizeof x);
  return x;
}
static double to_tf32(double x) { return x; }

template <typename T>
static cublasStatus_t gemm(cublasHandle_t handle, cublasOperation_t trans_a,
                           cublasOperation_t trans_b, int64_t m, int64_t n, int64_t k, T alpha,
                           const T *a, int64_t lda, int64_t stride_a, const T *b, int64_t ldb,
                           int64_t stride_b, T beta, T *c, int64_t ldc, int64_t stride_c,
                           int64_t batch) {
  TRY(enter("cublasGemmStridedBatched", handle));
  cudaStream_t stream = handle->stream;
  if (stream == NULL || stream->current_device() != stream->device)
    return CUBLAS_STATUS_EXECUTION_FAILED;
  if (stream->status != cudaStreamCaptureStatusNone && handle->workspace == NULL)
    return CUBLAS_STATUS_NOT_SUPPORTED;
  if (m < 0 || n < 0 || k < 0 || batch < 0 || lda < (trans_a == CUBLAS_OP_N ? m : k) || lda < 1 ||
      ldb < (trans_b == CUBLAS_OP_N ? k : n) || ldb < 1 || ldc < m || ldc < 1 ||
      (batch > 1 && stride_c == 0))
    return CUBLAS_STATUS_INVALID_VALUE;
  bool tf32 = handle->mode == CUBLAS_TF32_TENSOR_OP_MATH;
  cudaError_t error = stream->enqueue(stream, [=] {
    for (int64_t p = 0; p < batch; p++)
      for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < m; i++) {
          const T *ap = a + p * stride_a, *bp = b + p * stride_b;
          double sum = 0;
          for (int64_t l = 0; l < k; l++) {
            T x = ap[trans_a == CUBLAS_OP_N ? i + l * lda : l + i * lda];
            T y = bp[trans_b == CUBLAS_OP_N ? l + j * ldb : j + l * ldb];
            sum += (double)(tf32 ? to_tf32(x) : x) * (double)(tf32 ? to_tf32(y) : y);
          }
          T *to = c + p * stride_c + i + j * ldc;
          *to = (T)((double)alpha * sum + (beta != 0 ? (double)beta * (double)*to : 0));
        }
  });
  return error == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

cublasStatus_t cublasSgemmStridedBatched_64(cublasHandle_t handle, cublasOperation_t trans_a,
                                            cublasOperation_t trans_b, int64_t m, int64_t n,
                                            int64_t k, const float *alpha, const float *a,
                                            int64_t lda, int64_t stride_a, const float *b,
                                            int64_t ldb, int64_t stride_b, const float *beta,
                                            float *c, int64_t ldc, int64_t stride_c,
                                            int64_t batch) {
  return gemm(handle, trans_a, trans_b, m, n, k, *alpha, a, lda, stride_a, b, ldb, stride_b, *beta,
              c, ldc, stride_c, batch);
}

cublasStatus_t cublasDgemmStridedBatched_64(cublasHandle_t handle, cublasOperation_t trans_a,
                                            cublasOperation_t trans_b, int64_t m, int64_t n,
                                            int64_t k, const double *alpha, const double *a,
                                            int64_t lda, int64_t stride_a, const double *b,
                                            int64_t ldb, int64_t stride_b, const double *beta,
                                            double *c, int64_t ldc, int64_t stride_c,
                                            int64_t batch) {
  return gemm(handle, trans_a, trans_b, m, n, k, *alpha, a, lda, stride_a, b, ldb, stride_b, *beta,
              c, ldc, stride_c, batch);
}

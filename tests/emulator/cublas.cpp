/* cublas.cpp - the emulator's cuBLAS, a library of its own as the real one is. */
#include "cublas_v2.h"

struct gru_emulator_blas {
  cudaStream_t stream;
};

cublasStatus_t cublasCreate(cublasHandle_t *handle) {
  *handle = new gru_emulator_blas();
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t bytes) {
  (void)handle, (void)workspace, (void)bytes;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  (void)handle, (void)mode;
  return CUBLAS_STATUS_SUCCESS;
}

const char *cublasGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS ? "success" : "failure";
}

template <typename T>
static cublasStatus_t gemm(cublasHandle_t handle, cublasOperation_t trans_a,
                           cublasOperation_t trans_b, int64_t m, int64_t n, int64_t k, T alpha,
                           const T *a, int64_t lda, int64_t stride_a, const T *b, int64_t ldb,
                           int64_t stride_b, T beta, T *c, int64_t ldc, int64_t stride_c,
                           int64_t batch) {
  if (m < 0 || n < 0 || k < 0 || batch < 0 || lda < (trans_a == CUBLAS_OP_N ? m : k) || lda < 1 ||
      ldb < (trans_b == CUBLAS_OP_N ? k : n) || ldb < 1 || ldc < m || ldc < 1)
    return CUBLAS_STATUS_INVALID_VALUE;
  handle->stream->enqueue(handle->stream, [=] {
    for (int64_t p = 0; p < batch; p++)
      for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < m; i++) {
          const T *ap = a + p * stride_a, *bp = b + p * stride_b;
          double sum = 0;
          for (int64_t l = 0; l < k; l++)
            sum += (double)ap[trans_a == CUBLAS_OP_N ? i + l * lda : l + i * lda] *
                   (double)bp[trans_b == CUBLAS_OP_N ? l + j * ldb : j + l * ldb];
          T *to = c + p * stride_c + i + j * ldc;
          *to = (T)((double)alpha * sum + (beta != 0 ? (double)beta * (double)*to : 0));
        }
  });
  return CUBLAS_STATUS_SUCCESS;
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

/* cublas_v2.h - the calls of cuBLAS that runtime/cuda makes, on the CPU; see cuda_runtime.h here.
** Column-major, as cuBLAS is; sums run over k upwards, in double.  A handle belongs to the device of its
** stream, and in a capture it must have been given its workspace, which a new stream takes away. */
#ifndef GRU_EMULATOR_CUBLAS_V2_H
#define GRU_EMULATOR_CUBLAS_V2_H

#include <cuda_runtime.h>

enum cublasStatus_t {
  CUBLAS_STATUS_SUCCESS = 0,
  CUBLAS_STATUS_NOT_INITIALIZED = 1,
  CUBLAS_STATUS_ALLOC_FAILED = 3,
  CUBLAS_STATUS_INVALID_VALUE = 7,
  CUBLAS_STATUS_EXECUTION_FAILED = 13,
  CUBLAS_STATUS_NOT_SUPPORTED = 15
};

enum cublasOperation_t { CUBLAS_OP_N, CUBLAS_OP_T };
enum cublasMath_t { CUBLAS_DEFAULT_MATH = 0, CUBLAS_TF32_TENSOR_OP_MATH = 3 };
typedef struct gru_emulator_blas *cublasHandle_t;

/* The names that the library has. */
#define cublasCreate cublasCreate_v2
#define cublasDestroy cublasDestroy_v2
#define cublasSetStream cublasSetStream_v2
#define cublasSetWorkspace cublasSetWorkspace_v2

extern "C" {

cublasStatus_t cublasCreate(cublasHandle_t *handle);
cublasStatus_t cublasDestroy(cublasHandle_t handle);
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream);
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t bytes);
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);
const char *cublasGetStatusString(cublasStatus_t status);

cublasStatus_t cublasSgemmStridedBatched_64(cublasHandle_t handle, cublasOperation_t trans_a,
                                            cublasOperation_t trans_b, int64_t m, int64_t n,
                                            int64_t k, const float *alpha, const float *a,
                                            int64_t lda, int64_t stride_a, const float *b,
                                            int64_t ldb, int64_t stride_b, const float *beta,
                                            float *c, int64_t ldc, int64_t stride_c, int64_t batch);
cublasStatus_t cublasDgemmStridedBatched_64(cublasHandle_t handle, cublasOperation_t trans_a,
                                            cublasOperation_t trans_b, int64_t m, int64_t n,
                                            int64_t k, const double *alpha, const double *a,
                                            int64_t lda, int64_t stride_a, const double *b,
                                            int64_t ldb, int64_t stride_b, const double *beta,
                                            double *c, int64_t ldc, int64_t stride_c,
                                            int64_t batch);

}  // extern "C"

#endif

/* blas.cuh - cuBLAS, opened when a device first multiplies: it takes 150 MB of a process, which a machine
** without a GPU does not owe it.
*/
#ifndef GRUI_CUDA_BLAS_CUH
#define GRUI_CUDA_BLAS_CUH

#include "cuda/cuda.cuh"

/* The calls that are made; cublas_v2.h has some of the names as macros. */
typedef struct gruI_cuda_blas_calls {
  decltype(&cublasCreate) create;
  decltype(&cublasDestroy) destroy;
  decltype(&cublasSetStream) set_stream;
  decltype(&cublasSetWorkspace) set_workspace;
  decltype(&cublasSetMathMode) set_math_mode;
  decltype(&cublasGetStatusString) status_string;
  decltype(&cublasSgemmStridedBatched_64) sgemm;
  decltype(&cublasDgemmStridedBatched_64) dgemm;
} gruI_cuda_blas_calls;

/* The same table from the second call on.  A library that is not there, or lacks a call, is
** GRU_ERROR_DEVICE. */
gru_status gruI_cuda_blas_open(gruI_device *device, const gruI_cuda_blas_calls **out);

/* GRU_OK, or the failure of `what`, a call of cuBLAS. */
gru_status gruI_cuda_check_blas(gruI_device *device, cublasStatus_t status, const char *what);

/* Ends the handle of a device. */
void gruI_cuda_blas_close(gruI_device *device);

#endif

/* blas.cu - opening cuBLAS. */
#include "cuda/blas.cuh"

#include <dlfcn.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

static gruI_cuda_blas_calls calls;
static void *library; /* never closed */

/* The names as the library has them. */
static const struct {
  const char *name;
  void **to;
} names[] = {
    {TEXT(cublasCreate), (void **)&calls.create},
    {TEXT(cublasDestroy), (void **)&calls.destroy},
    {TEXT(cublasSetStream), (void **)&calls.set_stream},
    {TEXT(cublasSetWorkspace), (void **)&calls.set_workspace},
    {TEXT(cublasSetMathMode), (void **)&calls.set_math_mode},
    {TEXT(cublasGetStatusString), (void **)&calls.status_string},
    {TEXT(cublasSgemmStridedBatched_64), (void **)&calls.sgemm},
    {TEXT(cublasDgemmStridedBatched_64), (void **)&calls.dgemm},
};

gru_status gruI_cuda_blas_open(gruI_device *device, const gruI_cuda_blas_calls **out) {
  *out = &calls;
  if (library != NULL) return GRU_OK;
  void *opened = dlopen(GRU_CUBLAS_SONAME, RTLD_NOW | RTLD_LOCAL);
  if (opened == NULL)
    return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "products on a GPU need cuBLAS: %.140s",
                          dlerror());
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if ((*names[i].to = dlsym(opened, names[i].name)) == NULL)
      return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "%s has no %s: another version of cuBLAS",
                            GRU_CUBLAS_SONAME, names[i].name);
  library = opened;
  return GRU_OK;
}

gru_status gruI_cuda_check_blas(gruI_device *device, cublasStatus_t status, const char *what) {
  if (status == CUBLAS_STATUS_SUCCESS) return GRU_OK;
  if (status == CUBLAS_STATUS_ALLOC_FAILED)
    return gruI_cuda_fail(device, GRU_ERROR_MEMORY, "%s: cuBLAS is out of device memory", what);
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "%s: cuBLAS: %s", what,
                        calls.status_string(status));
}

void gruI_cuda_blas_close(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (cuda->blas != NULL) calls.destroy(cuda->blas);
  cuda->blas = NULL;
}

/* backend.cu - CUDA devices: what there is, errors, opening and closing, the table of the backend. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/blas.cuh"
#include "cuda/cuda.cuh"

/* ---- errors ------------------------------------------------------------------------------ */

gru_status gruI_cuda_fail(gruI_device *device, gru_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(device->fault.text, sizeof device->fault.text, format, args);
  va_end(args);
  return status;
}

/* Errors that leave the device usable: those of a call that was refused. */
static int is_passing(cudaError_t error) {
  switch (error) {
    case cudaErrorInvalidValue:
    case cudaErrorMemoryAllocation:
    case cudaErrorInvalidConfiguration:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorLaunchOutOfResources:
    case cudaErrorStreamCaptureUnsupported:
    case cudaErrorStreamCaptureInvalidated:
    case cudaErrorStreamCaptureImplicit: return 1;
    default: return 0;
  }
}

gru_status gruI_cuda_check(gruI_device *device, cudaError_t error, const char *what) {
  if (error == cudaSuccess) return GRU_OK;
  gruI_cuda *cuda = gruI_cuda_of(device);
  cudaGetLastError(); /* forgets it, where CUDA can */
  if (error == cudaErrorMemoryAllocation)
    return gruI_cuda_fail(device, GRU_ERROR_MEMORY, "%s: out of device memory", what);
  if (is_passing(error))
    return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "%s: %s", what, cudaGetErrorString(error));
  const char *last = cuda->last != NULL ? cuda->last : what, *text = cudaGetErrorString(error);
  snprintf(cuda->dead, sizeof cuda->dead, "%.100s (%.20s)", text, last);
  if (cuda->last == NULL) return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "%s: %.150s", what, text);
  return gruI_cuda_fail(
      device, GRU_ERROR_DEVICE,
      "%s: %.80s; the last call was %s, GRU_CUDA_BLOCKING=1 finds the one at fault", what, text,
      last);
}

gru_status gruI_cuda_ready(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (cuda->dead[0] != '\0')
    return gruI_cuda_fail(device, GRU_ERROR_DEVICE,
                          "%s has failed and can be used no more: %s; the CPU still works",
                          device->name, cuda->dead);
  return gruI_cuda_check(device, cudaSetDevice(device->index), "cudaSetDevice");
}

gru_status gruI_cuda_launched(gruI_device *device, cudaError_t error, const char *what) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  cuda->last = what;
  if (error == cudaSuccess && cuda->blocking && !device->capturing)
    error = cudaStreamSynchronize(cuda->stream);
  return gruI_cuda_check(device, error, what);
}

/* ---- devices ------------------------------------------------------------------------------------------ */

static int cuda_count(char *reason, size_t size) {
  int count = 0, driver = 0;
  cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) return count;
  cudaGetLastError();
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  const char *visible = getenv("CUDA_VISIBLE_DEVICES");
  if (driver == 0)
    snprintf(reason, size, "there is no NVIDIA driver on this machine");
  else if (error == cudaErrorInsufficientDriver)
    snprintf(reason, size,
             "the NVIDIA driver is for CUDA %d.%d, this program needs %d.%d; update the driver",
             driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
  else if (error == cudaSuccess || error == cudaErrorNoDevice)
    snprintf(reason, size, "there is no CUDA device%s%.60s",
             visible != NULL ? " in CUDA_VISIBLE_DEVICES=" : "", visible != NULL ? visible : "");
  else
    snprintf(reason, size, "CUDA does not start: %.200s", cudaGetErrorString(error));
  return 0;
}

static gru_status open_parts(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  int index = device->index;
  GRUI_CUDA_TRY(gruI_cuda_check(device, cudaSetDevice(index), "cudaSetDevice"));
  const struct {
    int *value;
    cudaDeviceAttr attribute;
  } wanted[] = {{&cuda->multiprocessors, cudaDevAttrMultiProcessorCount},
                {&cuda->major, cudaDevAttrComputeCapabilityMajor},
                {&cuda->minor, cudaDevAttrComputeCapabilityMinor}};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    GRUI_CUDA_TRY(
        gruI_cuda_check(device, cudaDeviceGetAttribute(wanted[i].value, wanted[i].attribute, index),
                        "cudaDeviceGetAttribute"));
  GRUI_CUDA_TRY(gruI_cuda_check(
      device, cudaStreamCreateWithFlags(&cuda->stream, cudaStreamNonBlocking), "cudaStreamCreate"));
  GRUI_CUDA_TRY(gruI_cuda_open_memory(device));
  GRUI_CUDA_TRY(gruI_cuda_open_ids(device));
  return gruI_cuda_synchronize(device);
}

static void cuda_close(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (cuda == NULL) return;
  cudaSetDevice(device->index);
  if (cuda->stream != NULL) cudaStreamSynchronize(cuda->stream);
  gruI_cuda_blas_close(device);
  gruI_cuda_close_ids(device);
  gruI_cuda_close_transfers(device);
  gruI_cuda_close_memory(device);
  if (cuda->stream != NULL) cudaStreamDestroy(cuda->stream);
  cudaGetLastError();
  free(cuda);
  device->state = NULL;
}

static gru_status cuda_open(gruI_device *device) {
  const char *blocking = getenv("GRU_CUDA_BLOCKING");
  gruI_cuda *cuda = (gruI_cuda *)calloc(1, sizeof *cuda);
  if (cuda == NULL) return gruI_cuda_fail(device, GRU_ERROR_MEMORY, "out of memory");
  device->state = cuda;
  cuda->blocking = blocking != NULL && strcmp(blocking, "0") != 0;
  gru_status status = open_parts(device);
  if (status != GRU_OK) cuda_close(device);
  return status;
}

static gru_status cuda_properties(gruI_device *device, gru_properties *out) {
  cudaDeviceProp p;
  if (device->state != NULL) GRUI_CUDA_TRY(gruI_cuda_ready(device));
  cudaError_t error = cudaGetDeviceProperties(&p, device->index);
  if (error != cudaSuccess) {
    cudaGetLastError();
    return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "%.150s", cudaGetErrorString(error));
  }
  memset(out, 0, sizeof *out);
  snprintf(out->name, sizeof out->name, "%.127s", p.name);
  out->major = p.major;
  out->minor = p.minor;
  out->multiprocessors = p.multiProcessorCount;
  out->total_memory = p.totalGlobalMem;
  if (device->state != NULL)
    GRUI_CUDA_TRY(gruI_cuda_check(device, cudaMemGetInfo(&out->free_memory, &out->total_memory),
                                  "cudaMemGetInfo"));
  if (cudaRuntimeGetVersion(&out->runtime_version) != cudaSuccess ||
      cudaDriverGetVersion(&out->driver_version) != cudaSuccess) {
    cudaGetLastError();
    return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "CUDA does not tell its version");
  }
  return GRU_OK;
}

/* ---- the backend ----------------------------------------------------------------------------------------- */

static gruI_kernels kernels;
static gruI_backend backend;

/* C++17 has no designated initialisers. */
static void fill_tables(void) {
  kernels.elementwise = gruI_cuda_elementwise;
  kernels.copy = gruI_cuda_copy;
  kernels.gemm = gruI_cuda_gemm;
  kernels.reduce = gruI_cuda_reduce;
  kernels.take = gruI_cuda_take;
  kernels.put = gruI_cuda_put;
  kernels.along = gruI_cuda_along;
  kernels.one_hot = gruI_cuda_one_hot;
  kernels.softmax = gruI_cuda_softmax;
  kernels.softmax_grad = gruI_cuda_softmax_grad;
  kernels.cross_entropy = gruI_cuda_cross_entropy;
  kernels.cross_entropy_grad = gruI_cuda_cross_entropy_grad;
  kernels.random = gruI_cuda_random;
  kernels.scan = gruI_cuda_scan;
  kernels.sort = gruI_cuda_sort;
  kernels.nonzero = gruI_cuda_nonzero;
  kernels.search = gruI_cuda_search;
  kernels.range = gruI_cuda_range;
  kernels.sgd = gruI_cuda_sgd;
  kernels.adam = gruI_cuda_adam;
  kernels.clip_norm = gruI_cuda_clip_norm;
  kernels.scale = gruI_cuda_scale;
  kernels.concat = gruI_cuda_concat;
  kernels.recurrence = gruI_cuda_recurrence;
  kernels.recurrence_grad = gruI_cuda_recurrence_grad;

  backend.abi = GRUI_DEVICE_ABI;
  backend.size = sizeof backend;
  backend.name = "cuda";
  backend.count = cuda_count;
  backend.open = cuda_open;
  backend.close = cuda_close;
  backend.alloc = gruI_cuda_alloc;
  backend.free = gruI_cuda_free;
  backend.upload = gruI_cuda_upload;
  backend.download = gruI_cuda_download;
  backend.memory_limit = gruI_cuda_memory_limit;
  backend.kernels = &kernels;
  backend.synchronize = gruI_cuda_synchronize;
  backend.properties = cuda_properties;
  backend.trim = gruI_cuda_trim;
  backend.capture_begin = gruI_cuda_capture_begin;
  backend.capture_end = gruI_cuda_capture_end;
  backend.graph_run = gruI_cuda_graph_run;
  backend.graph_free = gruI_cuda_graph_free;
  backend.explain = gruI_cuda_explain;
}

extern "C" __attribute__((visibility("default"))) const gruI_backend *gru_backend_init(
    uint32_t abi) {
  if (abi != GRUI_DEVICE_ABI) return NULL;
  fill_tables();
  return &backend;
}

/* backend.cu - CUDA devices: what there is, memory, transfers, errors, scratch memory, checks of ids. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/blas.cuh"
#include "cuda/cuda.cuh"
#include "cuda/layout.cuh"

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

/* ---- scratch memory ----------------------------------------------------------------------- */

static const size_t WORK_GRAIN = 256, WORK_LEAST = (size_t)1 << 20;

void *gruI_cuda_scratch(gruI_device *device, size_t bytes) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  bytes = bytes > 0 ? (bytes + WORK_GRAIN - 1) / WORK_GRAIN * WORK_GRAIN : WORK_GRAIN;
  while (cuda->work_at < cuda->works && cuda->work_used + bytes > cuda->work_bytes[cuda->work_at]) {
    cuda->work_at++; /* what is left of this chunk is too small */
    cuda->work_used = 0;
  }
  if (cuda->work_at == cuda->works) {
    size_t most = cuda->works > 0 ? 2 * cuda->work_bytes[cuda->works - 1] : WORK_LEAST;
    size_t chunk = bytes > most ? bytes : most;
    void *block = cuda->works < GRUI_CUDA_MAX_WORK ? gruI_arena_alloc(cuda->arena, chunk) : NULL;
    if (block == NULL && cuda->works < GRUI_CUDA_MAX_WORK && chunk > bytes)
      block = gruI_arena_alloc(cuda->arena, chunk = bytes);
    if (block == NULL) {
      gruI_cuda_fail(device, GRU_ERROR_MEMORY, "out of device memory: %zu bytes", bytes);
      return NULL;
    }
    cuda->work[cuda->works] = block;
    cuda->work_bytes[cuda->works++] = chunk;
  }
  void *at = (char *)cuda->work[cuda->work_at] + cuda->work_used;
  cuda->work_used += bytes;
  return at;
}

/* Graphs hold the addresses of their scratch memory. */
static void drop_scratch(gruI_cuda *cuda) {
  if (cuda->graphs > 0) return;
  while (cuda->works > 0) {
    cuda->works--;
    gruI_arena_free(cuda->arena, cuda->work[cuda->works], cuda->work_bytes[cuda->works]);
  }
  cuda->work_at = 0;
  cuda->work_used = 0;
}

/* ---- memory -------------------------------------------------------------------------------- */

static void *raw_alloc(void *context, size_t bytes) {
  gruI_device *device = (gruI_device *)context;
  void *block = NULL;
  cudaError_t error = cudaSetDevice(device->index);
  if (error == cudaSuccess) error = cudaMalloc(&block, bytes);
  if (error == cudaSuccess) return block;
  if (error == cudaErrorMemoryAllocation)
    cudaGetLastError(); /* the caller knows more */
  else
    gruI_cuda_check(device, error, "cudaMalloc");
  return NULL;
}

static void raw_free(void *context, void *block, size_t bytes) {
  gruI_device *device = (gruI_device *)context;
  (void)bytes;
  if (cudaSetDevice(device->index) == cudaSuccess) cudaFree(block);
}

static void *cuda_alloc(gruI_device *device, size_t bytes) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (cuda->dead[0] != '\0' && gruI_cuda_ready(device) != GRU_OK) return NULL;
  return gruI_arena_alloc(cuda->arena, bytes);
}

static void cuda_free(gruI_device *device, void *block, size_t bytes) {
  gruI_arena_free(gruI_cuda_of(device)->arena, block, bytes);
}

static void cuda_trim(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (device->capturing) return; /* what is written down needs its memory, and nobody may wait */
  cudaStreamSynchronize(cuda->stream); /* scratch memory may still be in use */
  drop_scratch(cuda);
  gruI_arena_trim(cuda->arena);
}

/* Of what is free when the device is opened nine tenths; the rest is CUDA's. */
static size_t cuda_memory_limit(gruI_device *device) {
  size_t unused = 0, total = 0;
  if (cudaSetDevice(device->index) != cudaSuccess || cudaMemGetInfo(&unused, &total) != cudaSuccess)
    return 0;
  return (unused + gruI_arena_reserved(gruI_cuda_of(device)->arena)) / 10 * 9;
}

/* ---- ids that were out of range ---------------------------------------------------------------- */

__global__ void reset_report_kernel(gruI_cuda_report *report) {
  report->position = GRUI_CUDA_NO_POSITION;
}

/* What ids may be: base .. base + size - 1, and one more. */
typedef struct id_range {
  int64_t base, size;
  int has_other;
  int64_t other;
} id_range;

static __device__ __forceinline__ int is_allowed(int64_t id, const id_range &range) {
  return gruI_cuda_row(id, range.base, range.size) >= 0 || (range.has_other && id == range.other);
}

__global__ void check_ids_kernel(gruI_layout<1> layout, const int64_t *ids, id_range range,
                                 gruI_cuda_report *report) {
  int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < layout.count; i += (int64_t)gridDim.x * blockDim.x) {
    int64_t at[1];
    gruI_layout_at(layout, i, at);
    if (!is_allowed(ids[at[0]], range)) atomicMin(&report->position, (unsigned long long)i);
  }
}

/* The rest of the report; of several calls the first one that found something keeps it. */
__global__ void note_id_kernel(gruI_layout<1> layout, const int64_t *ids, id_range range,
                               gruI_cuda_report *found, gruI_cuda_report *kept) {
  if (found->position != GRUI_CUDA_NO_POSITION && kept->position == GRUI_CUDA_NO_POSITION) {
    int64_t at[1];
    gruI_layout_at(layout, (int64_t)found->position, at);
    kept->position = found->position;
    kept->value = ids[at[0]];
    kept->low = range.base;
    kept->end = range.base + range.size;
  }
  found->position = GRUI_CUDA_NO_POSITION;
}

enum { REPORT_FOUND = 0, REPORT_KEPT = 1, REPORTS = 2 };

/* The host's copy of a report, once the device has done all that was asked for. */
static gru_status read_report(gruI_device *device, int which, gruI_cuda_report *out) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  GRUI_CUDA_TRY(gruI_cuda_check(device,
                                cudaMemcpyAsync(cuda->report_host, cuda->report + which,
                                                sizeof *out, cudaMemcpyDeviceToHost, cuda->stream),
                                "reading the device's report"));
  GRUI_CUDA_TRY(
      gruI_cuda_check(device, cudaStreamSynchronize(cuda->stream), "waiting for the device"));
  cuda->last = NULL;
  *out = *cuda->report_host;
  return GRU_OK;
}

static gru_status reset_report(gruI_device *device, int which) {
  return gruI_cuda_launch(device, "reset", reset_report_kernel, dim3(1), dim3(1),
                          gruI_cuda_of(device)->report + which);
}

gru_status gruI_cuda_check_ids(gruI_device *device, const int64_t *ids, int ndim,
                               const int64_t *shape, const int64_t *stride, int64_t base,
                               int64_t size, const int64_t *other) {
  id_range range = {base, size, other != NULL, other != NULL ? *other : 0};
  gruI_cuda *cuda = gruI_cuda_of(device);
  gruI_layout<1> layout;
  gruI_layout_shape(&layout, ndim, shape);
  gruI_layout_strides(&layout, 0, stride);
  if (layout.count == 0) return GRU_OK;
  GRUI_CUDA_TRY(gruI_cuda_launch(device, "checking ids", check_ids_kernel,
                                 dim3(gruI_cuda_blocks(device, layout.count, GRUI_CUDA_BLOCK)),
                                 dim3(GRUI_CUDA_BLOCK), layout, ids, range, cuda->report));
  if (device->capturing)
    return gruI_cuda_launch(device, "checking ids", note_id_kernel, dim3(1), dim3(1), layout, ids,
                            range, cuda->report + REPORT_FOUND, cuda->report + REPORT_KEPT);
  gruI_cuda_report found;
  GRUI_CUDA_TRY(read_report(device, REPORT_FOUND, &found));
  if (found.position == GRUI_CUDA_NO_POSITION) return GRU_OK;
  GRUI_CUDA_TRY(reset_report(device, REPORT_FOUND));
  int64_t at[1];
  gruI_layout_at(layout, (int64_t)found.position, at);
  device->fault.position = (int64_t)found.position;
  GRUI_CUDA_TRY(gruI_cuda_check(device,
                                cudaMemcpyAsync(&device->fault.value, ids + at[0], sizeof *ids,
                                                cudaMemcpyDeviceToHost, cuda->stream),
                                "reading an id"));
  GRUI_CUDA_TRY(gruI_cuda_check(device, cudaStreamSynchronize(cuda->stream), "reading an id"));
  return gruI_cuda_fail(device, GRU_ERROR_INDEX, "id %lld is out of range",
                        (long long)device->fault.value);
}

static gru_status cuda_synchronize(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  GRUI_CUDA_TRY(gruI_cuda_ready(device));
  if (cuda->graphs == 0) { /* nobody else leaves reports */
    gru_status status =
        gruI_cuda_check(device, cudaStreamSynchronize(cuda->stream), "waiting for the device");
    if (status == GRU_OK) cuda->last = NULL;
    return status;
  }
  gruI_cuda_report kept;
  GRUI_CUDA_TRY(read_report(device, REPORT_KEPT, &kept));
  if (kept.position == GRUI_CUDA_NO_POSITION) return GRU_OK;
  GRUI_CUDA_TRY(reset_report(device, REPORT_KEPT));
  return gruI_cuda_fail(
      device, GRU_ERROR_INDEX,
      "an id in a graph was out of range: %lld at position %llu, allowed are %lld to %lld",
      kept.value, kept.position + 1, kept.low, kept.end - 1);
}

/* ---- transfers ------------------------------------------------------------------------------------- */

enum { PIECE = 2048, MOST_PIECES = 32 };

typedef struct piece {
  uint8_t bytes[PIECE];
} piece;

__global__ void write_piece_kernel(piece from, int count, uint8_t *to) {
  for (int i = threadIdx.x; i < count; i += blockDim.x) to[i] = from.bytes[i];
}

/* In a graph, host memory is read once, now: what is in it travels with the kernel's arguments. */
static gru_status capture_upload(gruI_device *device, void *to, const void *from, size_t bytes) {
  if (bytes > (size_t)PIECE * MOST_PIECES)
    return gruI_cuda_fail(
        device, GRU_ERROR_DEVICE,
        "graph: %zu bytes from the host in the step; make the tensor before it, or pass "
        "it as an argument",
        bytes);
  for (size_t at = 0; at < bytes; at += PIECE) {
    piece p;
    size_t count = bytes - at < PIECE ? bytes - at : (size_t)PIECE;
    memcpy(p.bytes, (const uint8_t *)from + at, count);
    GRUI_CUDA_TRY(gruI_cuda_launch(device, "upload", write_piece_kernel, dim3(1),
                                   dim3(GRUI_CUDA_BLOCK), p, (int)count, (uint8_t *)to + at));
  }
  return GRU_OK;
}

/* Pageable memory: the call returns when `from` has been read. */
static gru_status cuda_upload(gruI_device *device, void *to, const void *from, size_t bytes) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (bytes == 0) return GRU_OK;
  GRUI_CUDA_TRY(gruI_cuda_ready(device));
  if (device->capturing) return capture_upload(device, to, from, bytes);
  return gruI_cuda_check(
      device, cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, cuda->stream), "upload");
}

static gru_status cuda_download(gruI_device *device, void *to, const void *from, size_t bytes) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (bytes == 0) return GRU_OK;
  GRUI_CUDA_TRY(gruI_cuda_ready(device));
  if (device->capturing)
    return gruI_cuda_fail(device, GRU_ERROR_DEVICE,
                          "graph: a value is wanted on the host; keep it on the device and read it "
                          "after the call");
  GRUI_CUDA_TRY(gruI_cuda_check(
      device, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, cuda->stream), "download"));
  return cuda_synchronize(device);
}

/* ---- devices ------------------------------------------------------------------------------------------ */

static int cuda_count(char *reason, size_t size) {
  int count = 0, driver = 0;
  cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) return count;
  cudaGetLastError();
  cudaDriverGetVersion(&driver);
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
  cudaDeviceGetAttribute(&cuda->multiprocessors, cudaDevAttrMultiProcessorCount, index);
  cudaDeviceGetAttribute(&cuda->major, cudaDevAttrComputeCapabilityMajor, index);
  cudaDeviceGetAttribute(&cuda->minor, cudaDevAttrComputeCapabilityMinor, index);
  cudaFuncAttributes attributes;
  if (cudaFuncGetAttributes(&attributes, (const void *)reset_report_kernel) != cudaSuccess) {
    cudaGetLastError();
    return gruI_cuda_fail(device, GRU_ERROR_DEVICE,
                          "no kernels for compute capability %d.%d in this build; build with "
                          "-DCMAKE_CUDA_ARCHITECTURES=%d%d",
                          cuda->major, cuda->minor, cuda->major, cuda->minor);
  }
  GRUI_CUDA_TRY(gruI_cuda_check(
      device, cudaStreamCreateWithFlags(&cuda->stream, cudaStreamNonBlocking), "cudaStreamCreate"));
  gruI_arena_source source = {device, raw_alloc, raw_free};
  cuda->arena = gruI_arena_create(source);
  if (cuda->arena == NULL) return gruI_cuda_fail(device, GRU_ERROR_MEMORY, "out of memory");
  GRUI_CUDA_TRY(gruI_cuda_check(
      device, cudaMallocHost((void **)&cuda->report_host, sizeof *cuda->report_host),
      "cudaMallocHost"));
  cuda->report = (gruI_cuda_report *)gruI_arena_alloc(cuda->arena, REPORTS * sizeof *cuda->report);
  if (cuda->report == NULL) return gruI_cuda_fail(device, GRU_ERROR_MEMORY, "out of device memory");
  for (int i = 0; i < REPORTS; i++) GRUI_CUDA_TRY(reset_report(device, i));
  return GRU_OK;
}

static void cuda_close(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (cuda == NULL) return;
  cudaSetDevice(device->index);
  if (cuda->stream != NULL) cudaStreamSynchronize(cuda->stream);
  gruI_cuda_blas_close(device);
  if (cuda->report_host != NULL) cudaFreeHost(cuda->report_host);
  if (cuda->arena != NULL) gruI_arena_destroy(cuda->arena);
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
  if (device->state != NULL) cudaMemGetInfo(&out->free_memory, &out->total_memory);
  cudaRuntimeGetVersion(&out->runtime_version);
  cudaDriverGetVersion(&out->driver_version);
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
  backend.alloc = cuda_alloc;
  backend.free = cuda_free;
  backend.upload = cuda_upload;
  backend.download = cuda_download;
  backend.memory_limit = cuda_memory_limit;
  backend.kernels = &kernels;
  backend.synchronize = cuda_synchronize;
  backend.properties = cuda_properties;
  backend.trim = cuda_trim;
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

/* ids.cu - checks of ids, and waiting for the device, which tells of the bad ones in graphs. */
#include "cuda/cuda.cuh"
#include "cuda/layout.cuh"

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

gru_status gruI_cuda_synchronize(gruI_device *device) {
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

gru_status gruI_cuda_open_ids(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  cudaFuncAttributes attributes;
  if (cudaFuncGetAttributes(&attributes, (const void *)reset_report_kernel) != cudaSuccess) {
    cudaGetLastError();
    return gruI_cuda_fail(device, GRU_ERROR_DEVICE,
                          "no kernels for compute capability %d.%d in this build; build with "
                          "-DCMAKE_CUDA_ARCHITECTURES=%d%d",
                          cuda->major, cuda->minor, cuda->major, cuda->minor);
  }
  GRUI_CUDA_TRY(gruI_cuda_check(
      device, cudaMallocHost((void **)&cuda->report_host, sizeof *cuda->report_host),
      "cudaMallocHost"));
  cuda->report = (gruI_cuda_report *)gruI_arena_alloc(cuda->arena, REPORTS * sizeof *cuda->report);
  if (cuda->report == NULL) return gruI_cuda_fail(device, GRU_ERROR_MEMORY, "out of device memory");
  for (int i = 0; i < REPORTS; i++) GRUI_CUDA_TRY(reset_report(device, i));
  return GRU_OK;
}

void gruI_cuda_close_ids(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (cuda->report_host != NULL) cudaFreeHost(cuda->report_host);
}

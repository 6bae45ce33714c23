/* transfer.cu - bytes from the host to the device and back.  Addresses of the host may be any. */
#include <string.h>

#include "cuda/cuda.cuh"

/* ---- uploads in a graph ---------------------------------------------------------------------------- */

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

/* ---- staging ------------------------------------------------------------------------------------ */

/* Of pageable memory nobody can say when CUDA has read it, nor will it without waiting for the stream.  So
** what is uploaded goes through two stages of pinned memory in turns: while one is being filled, the device
** reads the other, and the caller has its memory back at once. */
enum { STAGE = 1 << 20, STAGE_GRAIN = 16 };

static gru_status open_stage(gruI_device *device, gruI_cuda_stage *stage) {
  if (stage->read == NULL)
    GRUI_CUDA_TRY(gruI_cuda_check(
        device, cudaEventCreateWithFlags(&stage->read, cudaEventDisableTiming), "cudaEventCreate"));
  return gruI_cuda_check(device, cudaMallocHost((void **)&stage->bytes, STAGE), "cudaMallocHost");
}

/* Room for at least one byte. */
static gru_status find_room(gruI_device *device, gruI_cuda_stage **out) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  gruI_cuda_stage *stage = &cuda->stages[cuda->stage];
  if (stage->used >= STAGE) {
    GRUI_CUDA_TRY(gruI_cuda_check(device, cudaEventRecord(stage->read, cuda->stream), "upload"));
    cuda->stage = (cuda->stage + 1) % GRUI_CUDA_STAGES;
    stage = &cuda->stages[cuda->stage];
    if (stage->bytes != NULL)
      GRUI_CUDA_TRY(gruI_cuda_check(device, cudaEventSynchronize(stage->read), "upload"));
    stage->used = 0;
  }
  if (stage->bytes == NULL) GRUI_CUDA_TRY(open_stage(device, stage));
  *out = stage;
  return GRU_OK;
}

gru_status gruI_cuda_upload(gruI_device *device, void *to, const void *from, size_t bytes) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (bytes == 0) return GRU_OK;
  GRUI_CUDA_TRY(gruI_cuda_ready(device));
  if (device->capturing) return capture_upload(device, to, from, bytes);
  for (size_t at = 0, count; at < bytes; at += count) {
    gruI_cuda_stage *stage;
    GRUI_CUDA_TRY(find_room(device, &stage));
    char *staged = stage->bytes + stage->used;
    count = bytes - at < STAGE - stage->used ? bytes - at : STAGE - stage->used;
    memcpy(staged, (const char *)from + at, count);
    GRUI_CUDA_TRY(gruI_cuda_check(
        device,
        cudaMemcpyAsync((char *)to + at, staged, count, cudaMemcpyHostToDevice, cuda->stream),
        "upload"));
    stage->used += (count + STAGE_GRAIN - 1) / STAGE_GRAIN * STAGE_GRAIN;
  }
  return GRU_OK;
}

void gruI_cuda_close_transfers(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  for (int i = 0; i < GRUI_CUDA_STAGES; i++) {
    gruI_cuda_stage *stage = &cuda->stages[i];
    if (stage->bytes != NULL) cudaFreeHost(stage->bytes);
    if (stage->read != NULL) cudaEventDestroy(stage->read);
  }
}

/* ---- downloads ------------------------------------------------------------------------------------ */

gru_status gruI_cuda_download(gruI_device *device, void *to, const void *from, size_t bytes) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (bytes == 0) return GRU_OK;
  GRUI_CUDA_TRY(gruI_cuda_ready(device));
  if (device->capturing)
    return gruI_cuda_fail(device, GRU_ERROR_DEVICE,
                          "graph: a value is wanted on the host; keep it on the device and read it "
                          "after the call");
  GRUI_CUDA_TRY(gruI_cuda_check(
      device, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, cuda->stream), "download"));
  return gruI_cuda_synchronize(device);
}

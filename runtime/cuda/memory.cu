/* memory.cu - memory of a device: tensors through the arena, and scratch memory for kernels. */
#include "cuda/cuda.cuh"

/* ---- where it comes from ------------------------------------------------------------------- */

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
  if (cudaSetDevice(device->index) == cudaSuccess)
    (void)gruI_cuda_check(device, cudaFree(block),
                          "cudaFree"); /* the next call tells of a failure */
}

/* Without caching every block is CUDA's own: what is beside it is nobody's. */
static void *take(gruI_device *device, size_t bytes) {
  return device->uncached ? raw_alloc(device, bytes)
                          : gruI_arena_alloc(gruI_cuda_of(device)->arena, bytes);
}

static void give_back(gruI_device *device, void *block, size_t bytes) {
  if (device->uncached)
    raw_free(device, block, bytes);
  else
    gruI_arena_free(gruI_cuda_of(device)->arena, block, bytes);
}

/* ---- scratch memory ----------------------------------------------------------------------- */

/* Graphs hold the addresses of their scratch memory. */
static void drop_scratch(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (cuda->graphs > 0) return;
  while (cuda->works > 0) {
    cuda->works--;
    give_back(device, cuda->work[cuda->works], cuda->work_bytes[cuda->works]);
  }
  cuda->work_at = 0;
  cuda->work_used = 0;
}

static const size_t WORK_GRAIN = 256, LEAST_GRAIN = 16, WORK_LEAST = (size_t)1 << 20;

void *gruI_cuda_scratch(gruI_device *device, size_t bytes) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (device->uncached && cuda->work_at == 0 && cuda->work_used == 0) drop_scratch(device);
  size_t grain = device->uncached ? LEAST_GRAIN : WORK_GRAIN;
  bytes = bytes > 0 ? (bytes + grain - 1) / grain * grain : grain;
  while (cuda->work_at < cuda->works && cuda->work_used + bytes > cuda->work_bytes[cuda->work_at]) {
    cuda->work_at++; /* what is left of this chunk is too small */
    cuda->work_used = 0;
  }
  if (cuda->work_at == cuda->works) {
    size_t most = cuda->works > 0 ? 2 * cuda->work_bytes[cuda->works - 1] : WORK_LEAST;
    if (device->uncached) most = bytes;
    size_t chunk = bytes > most ? bytes : most;
    void *block = cuda->works < GRUI_CUDA_MAX_WORK ? take(device, chunk) : NULL;
    if (block == NULL && cuda->works < GRUI_CUDA_MAX_WORK && chunk > bytes)
      block = take(device, chunk = bytes);
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

/* ---- memory of tensors --------------------------------------------------------------------- */

void *gruI_cuda_alloc(gruI_device *device, size_t bytes) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (cuda->dead[0] != '\0' && gruI_cuda_ready(device) != GRU_OK) return NULL;
  return take(device, bytes);
}

void gruI_cuda_free(gruI_device *device, void *block, size_t bytes) {
  give_back(device, block, bytes);
}

void gruI_cuda_trim(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (device->capturing) return; /* what is written down needs its memory, and nobody may wait */
  /* Scratch memory may still be in use; the next call tells of a failure. */
  if (gruI_cuda_check(device, cudaStreamSynchronize(cuda->stream), "empty_cache") != GRU_OK) return;
  drop_scratch(device);
  gruI_arena_trim(cuda->arena);
}

/* Of what is free when the device is opened nine tenths; the rest is CUDA's.  Where CUDA does not know, the
** allocations will tell. */
size_t gruI_cuda_memory_limit(gruI_device *device) {
  size_t unused = 0, total = 0;
  cudaError_t error = cudaSetDevice(device->index);
  if (error == cudaSuccess) error = cudaMemGetInfo(&unused, &total);
  if (error != cudaSuccess) {
    cudaGetLastError();
    return SIZE_MAX;
  }
  return (unused + gruI_arena_reserved(gruI_cuda_of(device)->arena)) / 10 * 9;
}

/* ---- opening and closing ----------------------------------------------------------------------- */

gru_status gruI_cuda_open_memory(gruI_device *device) {
  gruI_arena_source source = {device, raw_alloc, raw_free};
  gruI_cuda *cuda = gruI_cuda_of(device);
  cuda->arena = gruI_arena_create(source);
  return cuda->arena != NULL ? GRU_OK : gruI_cuda_fail(device, GRU_ERROR_MEMORY, "out of memory");
}

void gruI_cuda_close_memory(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  if (cuda->arena == NULL) return;
  cuda->graphs = 0;
  drop_scratch(device);
  gruI_arena_destroy(cuda->arena);
}

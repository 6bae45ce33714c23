/* graph.cu - calls written down once and run again: CUDA graphs. */
#include <stdlib.h>

#include "cuda/cuda.cuh"

gru_status gruI_cuda_capture_begin(gruI_device *device) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  GRUI_CUDA_TRY(gruI_cuda_ready(device));
  GRUI_CUDA_TRY(gruI_cuda_blas(device)); /* its memory must be there before */
  GRUI_CUDA_TRY(gruI_cuda_check(
      device, cudaStreamBeginCapture(cuda->stream, cudaStreamCaptureModeRelaxed), "capture"));
  device->capturing = 1;
  cuda->graphs++; /* scratch memory is kept from here on */
  return GRU_OK;
}

gru_status gruI_cuda_capture_end(gruI_device *device, void **graph, int64_t *nodes) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  cudaGraph_t captured = NULL;
  cudaGraphExec_t exec = NULL;
  size_t count = 0;
  *graph = NULL;
  device->capturing = 0;
  gru_status status =
      gruI_cuda_check(device, cudaStreamEndCapture(cuda->stream, &captured), "capture");
  if (status == GRU_OK)
    status = gruI_cuda_check(device, cudaGraphGetNodes(captured, NULL, &count), "capture");
  if (status == GRU_OK)
    status = gruI_cuda_check(device, cudaGraphInstantiate(&exec, captured, 0), "capture");
  if (captured != NULL) {
    gru_status destroyed = gruI_cuda_check(device, cudaGraphDestroy(captured), "capture");
    if (status == GRU_OK) status = destroyed;
  }
  if (status != GRU_OK) {
    cuda->graphs--;
    return status;
  }
  *graph = exec;
  *nodes = (int64_t)count;
  return GRU_OK;
}

gru_status gruI_cuda_graph_run(gruI_device *device, void *graph) {
  GRUI_CUDA_TRY(gruI_cuda_ready(device));
  return gruI_cuda_launched(
      device, cudaGraphLaunch((cudaGraphExec_t)graph, gruI_cuda_of(device)->stream), "replay");
}

void gruI_cuda_graph_free(gruI_device *device, void *graph) {
  gruI_cuda *cuda = gruI_cuda_of(device);
  gru_status status = gruI_cuda_check(device, cudaSetDevice(device->index), "cudaSetDevice");
  if (status == GRU_OK) /* it may be running */
    status = gruI_cuda_check(device, cudaStreamSynchronize(cuda->stream), "freeing a graph");
  if (status == GRU_OK)
    (void)gruI_cuda_check(device, cudaGraphExecDestroy((cudaGraphExec_t)graph), "freeing a graph");
  cuda->graphs--; /* a failure has been noted, and the next call tells of it */
}

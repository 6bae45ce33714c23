/* device.cpp - devices, their memory, streams and graphs: the host's side of the emulator. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <map>
#include <vector>

#include "cuda_runtime.h"

struct gru_emulator_graph {
  std::vector<std::function<void()>> nodes;
};

namespace {

enum { DEVICES = 16, MULTIPROCESSORS = 4, PAGE = 4096 };

unsigned long long number(const char *variable, unsigned long long otherwise) {
  const char *text = getenv(variable);
  return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

int current;
cudaError_t last = cudaSuccess, dead = cudaSuccess;
size_t used[DEVICES];
struct block {
  size_t bytes;
  int device;
};
std::map<char *, block> blocks;

size_t total_memory() { return number("GRU_EMULATOR_MEMORY", 1ull << 32); }
bool is_protected() {
  static bool is = number("GRU_EMULATOR_PROTECT", 0) != 0;
  return is;
}

/* Device memory is there for the device alone. */
void open_memory(bool open) {
  if (!is_protected()) return;
  for (auto &b : blocks)
    mprotect(b.first, b.second.bytes, open ? PROT_READ | PROT_WRITE : PROT_NONE);
}

cudaError_t fail(cudaError_t error) {
  if (error != cudaSuccess) last = error;
  return error;
}

}  // namespace

/* ---- what there is ------------------------------------------------------------------------------- */

cudaError_t cudaDriverGetVersion(int *version) {
  *version = (int)number("GRU_EMULATOR_DRIVER", CUDART_VERSION);
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count) {
  int driver, there = (int)number("GRU_EMULATOR_DEVICES", 1);
  cudaDriverGetVersion(&driver);
  *count = 0;
  if (driver < CUDART_VERSION) return fail(cudaErrorInsufficientDriver);
  if (there == 0) return fail(cudaErrorNoDevice);
  *count = there < DEVICES ? there : (int)DEVICES;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  int count;
  cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) return error;
  if (device < 0 || device >= count) return fail(cudaErrorInvalidDevice);
  current = device;
  return fail(dead);
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int device) {
  (void)device;
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount: *value = MULTIPROCESSORS; return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor: *value = 9; return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor: *value = 0; return cudaSuccess;
  }
  return fail(cudaErrorInvalidValue);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int device) {
  (void)device;
  memset(p, 0, sizeof *p);
  snprintf(p->name, sizeof p->name, "emulated device");
  p->major = 9;
  p->multiProcessorCount = MULTIPROCESSORS;
  p->totalGlobalMem = total_memory();
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *attributes, const void *function) {
  (void)function;
  attributes->numRegs = 0;
  return cudaSuccess;
}

cudaError_t cudaGetLastError(void) {
  cudaError_t error = last;
  last = dead;
  return error;
}

const char *cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    case cudaErrorContextIsDestroyed: return "context is destroyed";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    default: return "another error";
  }
}

/* ---- memory ---------------------------------------------------------------------------------------- */

cudaError_t cudaMalloc(void **out, size_t bytes) {
  if (dead != cudaSuccess) return fail(dead);
  size_t mapped = (bytes + PAGE - 1) / PAGE * PAGE;
  if (used[current] + mapped > total_memory()) return fail(cudaErrorMemoryAllocation);
  void *at = mmap(NULL, mapped, is_protected() ? PROT_NONE : PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return fail(cudaErrorMemoryAllocation);
  used[current] += mapped;
  blocks[(char *)at] = {mapped, current};
  *out = at;
  return cudaSuccess;
}

cudaError_t cudaFree(void *at) {
  auto b = blocks.find((char *)at);
  if (at == NULL) return cudaSuccess;
  if (b == blocks.end()) return fail(cudaErrorInvalidValue);
  used[b->second.device] -= b->second.bytes;
  munmap(at, b->second.bytes);
  blocks.erase(b);
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void **out, size_t bytes) {
  *out = malloc(bytes);
  return *out != NULL ? cudaSuccess : fail(cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeHost(void *at) {
  free(at);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *unused, size_t *total) {
  *total = total_memory();
  *unused = *total - used[current];
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (stream->capturing && kind != cudaMemcpyDeviceToDevice)
    return fail(cudaErrorStreamCaptureUnsupported); /* pageable memory */
  return gru_emulator::enqueue(stream, [=] { memcpy(to, from, bytes); });
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream) {
  return gru_emulator::enqueue(stream, [=] { memset(to, value, bytes); });
}

/* ---- streams and graphs -------------------------------------------------------------------------------- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags) {
  (void)flags;
  *stream = new gru_emulator_stream{gru_emulator::enqueue, false, {}};
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream->capturing) return fail(cudaErrorStreamCaptureUnsupported);
  return fail(dead);
}

cudaError_t gru_emulator::enqueue(cudaStream_t stream, std::function<void()> work) {
  if (dead != cudaSuccess) return fail(dead);
  if (stream->capturing) {
    stream->captured.push_back(work);
    return cudaSuccess;
  }
  open_memory(true);
  work();
  open_memory(false);
  return cudaSuccess;
}

cudaError_t gru_emulator::check_launch(const cudaLaunchConfig_t *config) {
  static unsigned long long left = number("GRU_EMULATOR_FAIL", 0);
  const dim3 &grid = config->gridDim, &block = config->blockDim;
  unsigned long long threads = (unsigned long long)block.x * block.y * block.z;
  if (left > 0 && --left == 0)
    dead = (cudaError_t)number("GRU_EMULATOR_ERROR", cudaErrorIllegalAddress);
  if (dead != cudaSuccess) return fail(dead);
  if (threads == 0 || threads > 1024 || grid.x == 0 || grid.y == 0 || grid.z == 0 ||
      grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535)
    return fail(cudaErrorInvalidConfiguration);
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  (void)mode;
  if (stream->capturing) return fail(cudaErrorStreamCaptureUnsupported);
  stream->capturing = true;
  stream->captured.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph) {
  if (!stream->capturing) return fail(cudaErrorInvalidValue);
  stream->capturing = false;
  *graph = new gru_emulator_graph{stream->captured};
  stream->captured.clear();
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *count) {
  (void)nodes;
  *count = graph->nodes.size();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph,
                                 unsigned long long flags) {
  (void)flags;
  *exec = new gru_emulator_graph(*graph);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  return gru_emulator::enqueue(stream, [exec] {
    for (auto &node : exec->nodes) node();
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

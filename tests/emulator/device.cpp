/* device.cpp - devices and their memory: the host's side of the emulator. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <map>

#include "host.h"
#include "refuse.h"

using gru_emulator::current;
using gru_emulator::dead;
using gru_emulator::enter;
using gru_emulator::fail;
using gru_emulator::lock;
using gru_emulator::number;

namespace gru_emulator {
thread_local int current;
cudaError_t dead[DEVICES];
std::recursive_mutex &lock = *new std::recursive_mutex;
}  // namespace gru_emulator

namespace {

enum { MULTIPROCESSORS = 4, PAGE = 4096 };

typedef std::lock_guard<std::recursive_mutex> guard;

struct block {
  size_t bytes;
  int device;
  char *base; /* of the pages that it lies in */
  size_t mapped;
};

/* They outlive the program's end, when calls may still come. */
std::map<char *, block> &blocks = *new std::map<char *, block>;
std::map<char *, size_t> &pinned = *new std::map<char *, size_t>;
size_t used[gru_emulator::DEVICES];
thread_local cudaError_t last = cudaSuccess;

bool ended;
struct ending {
  ~ending() { ended = true; }
} at_the_end;

size_t total_memory() { return number("GRU_EMULATOR_MEMORY", 1ull << 32); }
bool is_protected() {
  static bool is = number("GRU_EMULATOR_PROTECT", 0) != 0;
  return is;
}

size_t size_of(size_t bytes) { return bytes; }
size_t size_of(const block &b) { return b.bytes; }

template <typename T>
bool holds(const std::map<char *, T> &map, const void *at, size_t bytes) {
  auto after = map.upper_bound((char *)at);
  if (after == map.begin()) return false;
  auto b = std::prev(after);
  size_t from = (size_t)((char *)at - b->first), size = size_of(b->second);
  return from <= size && bytes <= size - from;
}

}  // namespace

namespace gru_emulator {

unsigned long long number(const char *variable, unsigned long long otherwise) {
  const char *text = getenv(variable);
  return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

void give_up(const char *why) {
  fprintf(stderr, "emulator: %s\n", why);
  abort();
}

cudaError_t fail(cudaError_t error) {
  if (error != cudaSuccess) last = error;
  return error;
}

cudaError_t enter(const char *call) {
  if (ended) return fail(cudaErrorCudartUnloading);
  return fail((cudaError_t)gru_emulator_refusal(call));
}

bool is_device_memory(const void *at, size_t bytes) { return holds(blocks, at, bytes); }
bool is_pinned(const void *at, size_t bytes) { return holds(pinned, at, bytes); }

void open_memory(int device, bool open) {
  if (!is_protected()) return;
  for (auto &b : blocks)
    if (b.second.device == device)
      mprotect(b.second.base, b.second.mapped, open ? PROT_READ | PROT_WRITE : PROT_NONE);
}

}  // namespace gru_emulator

#define TRY(call) \
  do { \
    cudaError_t try_ = (call); \
    if (try_ != cudaSuccess) return try_; \
  } while (0)

/* ---- what there is ------------------------------------------------------------------------------- */

cudaError_t cudaDriverGetVersion(int *version) {
  *version = (int)number("GRU_EMULATOR_DRIVER", CUDART_VERSION);
  return enter("cudaDriverGetVersion");
}

cudaError_t cudaRuntimeGetVersion(int *version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

static cudaError_t count_devices(int *count) {
  int there = (int)number("GRU_EMULATOR_DEVICES", 1);
  *count = 0;
  if ((int)number("GRU_EMULATOR_DRIVER", CUDART_VERSION) < CUDART_VERSION)
    return fail(cudaErrorInsufficientDriver);
  if (there == 0) return fail(cudaErrorNoDevice);
  *count = there < gru_emulator::DEVICES ? there : (int)gru_emulator::DEVICES;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count) {
  *count = 0;
  TRY(enter("cudaGetDeviceCount"));
  return count_devices(count);
}

cudaError_t cudaSetDevice(int device) {
  int count;
  TRY(enter("cudaSetDevice"));
  TRY(count_devices(&count));
  if (device < 0 || device >= count) return fail(cudaErrorInvalidDevice);
  current = device;
  return fail(dead[device]);
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
  TRY(enter("cudaGetDeviceProperties"));
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
  return enter("cudaFuncGetAttributes");
}

cudaError_t cudaGetLastError(void) {
  cudaError_t error = last;
  last = dead[current];
  return error;
}

const char *cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInitializationError: return "initialization error";
    case cudaErrorCudartUnloading: return "driver shutting down";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient";
    case cudaErrorDevicesUnavailable: return "CUDA-capable device(s) is/are busy or unavailable";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorNoKernelImageForDevice:
      return "no kernel image is available for execution on the device";
    case cudaErrorUnsupportedPtxVersion:
      return "the provided PTX was compiled with an unsupported toolchain.";
    case cudaErrorInvalidResourceHandle: return "invalid resource handle";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    case cudaErrorLaunchOutOfResources: return "too many resources requested for launch";
    case cudaErrorContextIsDestroyed: return "context is destroyed";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
      return "operation failed due to a previous error during capture";
    default: return "another error";
  }
}

/* ---- memory ---------------------------------------------------------------------------------------- */

/* Blocks end where pages end that nobody may touch, and begin as what they held before: NaN, -1. */
enum { GRAIN = 16, GARBAGE = 0xff };

static bool is_garbage(const char *at, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if ((unsigned char)at[i] != GARBAGE) return false;
  return true;
}

cudaError_t cudaMalloc(void **out, size_t bytes) {
  guard g(lock);
  TRY(enter("cudaMalloc"));
  TRY(fail(dead[current]));
  TRY(gru_emulator::check_unsafe(false));
  size_t mapped = (bytes + PAGE - 1) / PAGE * PAGE;
  if (used[current] + mapped > total_memory()) return fail(cudaErrorMemoryAllocation);
  char *base = (char *)mmap(NULL, mapped + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return fail(cudaErrorMemoryAllocation);
  if (mprotect(base, mapped, PROT_READ | PROT_WRITE) != 0) { /* too many mappings */
    munmap(base, mapped + PAGE);
    return fail(cudaErrorMemoryAllocation);
  }
  memset(base, GARBAGE, mapped);
  if (is_protected()) mprotect(base, mapped, PROT_NONE);
  char *at = base + mapped - (bytes + GRAIN - 1) / GRAIN * GRAIN;
  used[current] += mapped;
  blocks[at] = {bytes, current, base, mapped};
  *out = at;
  return cudaSuccess;
}

cudaError_t cudaFree(void *at) {
  guard g(lock);
  TRY(enter("cudaFree"));
  if (at == NULL) return cudaSuccess;
  auto b = blocks.find((char *)at);
  if (b == blocks.end()) return fail(cudaErrorInvalidValue);
  TRY(gru_emulator::check_unsafe(true));
  block freed = b->second;
  gru_emulator::finish(freed.device);
  gru_emulator::open_memory(freed.device, true);
  if (!is_garbage(freed.base, (size_t)((char *)at - freed.base)) ||
      !is_garbage((char *)at + freed.bytes, freed.bytes % GRAIN ? GRAIN - freed.bytes % GRAIN : 0))
    gru_emulator::give_up("somebody wrote beside a block of device memory");
  gru_emulator::open_memory(freed.device, false);
  used[freed.device] -= freed.mapped;
  munmap(freed.base, freed.mapped + PAGE);
  blocks.erase(b);
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void **out, size_t bytes) {
  guard g(lock);
  TRY(enter("cudaMallocHost"));
  TRY(gru_emulator::check_unsafe(false));
  if ((*out = malloc(bytes)) == NULL) return fail(cudaErrorMemoryAllocation);
  pinned[(char *)*out] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void *at) {
  guard g(lock);
  TRY(enter("cudaFreeHost"));
  if (pinned.count((char *)at) == 0) return fail(cudaErrorInvalidValue);
  TRY(gru_emulator::check_unsafe(true));
  for (int i = 0; i < gru_emulator::DEVICES; i++) gru_emulator::finish(i);
  pinned.erase((char *)at);
  free(at);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *unused, size_t *total) {
  TRY(enter("cudaMemGetInfo"));
  *total = total_memory();
  *unused = *total - used[current];
  return cudaSuccess;
}

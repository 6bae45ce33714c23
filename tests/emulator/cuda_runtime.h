/* cuda_runtime.h - the part of CUDA that runtime/cuda uses, on the CPU: with this header and
** cublas_v2.h in the place of the toolkit's, a C++ compiler makes libgru_cuda.so out of the same
** sources, and every kernel runs on a machine without a GPU.  Slow, but the same indices, the same
** barriers, the same arithmetic.
**
** The threads of a block are fibres that run one after the other up to their next barrier or shuffle,
** a warp up to the next barrier of its block before another one runs; blocks follow each other.  So a
** missing barrier shows as a wrong result in one order of threads or another: GRU_EMULATOR_ORDER is
** forward (the default), reverse, or a number, the seed of a random order.  What it cannot show are timing
** and the hardware's memory model.
**
** The host's side is as unkind as CUDA's documentation allows.  Work on a stream, copies from and to the
** host too, is done as late as can be: when somebody waits for it, or when much has piled up.  Calls that
** CUDA refuses are refused: in a capture, which they end, with another current device than the stream's,
** with addresses that are not the device's.  Handles that were destroyed end the program.
**
** What there is to see is told by the environment, so that failures can be tested:
**   GRU_EMULATOR_DEVICES   how many devices (1)
**   GRU_EMULATOR_DRIVER    version of the driver, as 13000; 0: there is none
**   GRU_EMULATOR_MEMORY    bytes of each device (2^32)
**   GRU_EMULATOR_PROTECT   1: touching device memory from outside a kernel or a transfer ends the program
**   GRU_EMULATOR_FAIL      n: the n-th launch breaks the device, once it runs
**   GRU_EMULATOR_ERROR     the number of that error (700, an illegal address)
**   GRU_EMULATOR_REFUSE    calls that fail, and no more: "cudaSetDevice=46 cublasCreate=1@2", the latter
**                          the second time alone
*/
#ifndef GRU_EMULATOR_CUDA_RUNTIME_H
#define GRU_EMULATOR_CUDA_RUNTIME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>

#define GRU_CUDA_EMULATED 1
#define CUDART_VERSION 13000

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __shared__ static
#define __constant__ static
#define __grid_constant__
#define __launch_bounds__(...)
#define __restrict__ __restrict

/* ---- types ---------------------------------------------------------------------------------- */

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

#define GRU_EMULATOR_VECTOR(type, name) \
  struct alignas(2 * sizeof(type)) name##2 { \
    type x, y; \
  }; \
  struct alignas(16) name##4 { \
    type x, y, z, w; \
  }; \
  static inline name##2 make_##name##2(type x, type y) { return {x, y}; } \
  static inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
GRU_EMULATOR_VECTOR(float, float)
GRU_EMULATOR_VECTOR(double, double)
GRU_EMULATOR_VECTOR(int, int)
#undef GRU_EMULATOR_VECTOR

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInitializationError = 3,
  cudaErrorCudartUnloading = 4,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInsufficientDriver = 35,
  cudaErrorDevicesUnavailable = 46,
  cudaErrorInvalidDeviceFunction = 98,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorNoKernelImageForDevice = 209,
  cudaErrorECCUncorrectable = 214,
  cudaErrorUnsupportedPtxVersion = 222,
  cudaErrorInvalidResourceHandle = 400,
  cudaErrorIllegalAddress = 700,
  cudaErrorLaunchOutOfResources = 701,
  cudaErrorLaunchTimeout = 702,
  cudaErrorContextIsDestroyed = 709,
  cudaErrorAssert = 710,
  cudaErrorHardwareStackError = 714,
  cudaErrorIllegalInstruction = 715,
  cudaErrorMisalignedAddress = 716,
  cudaErrorInvalidAddressSpace = 717,
  cudaErrorInvalidPc = 718,
  cudaErrorLaunchFailure = 719,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901,
  cudaErrorStreamCaptureImplicit = 906,
  cudaErrorStreamCaptureWrongThread = 908,
  cudaErrorCapturedEvent = 907
};

enum cudaMemcpyKind {
  cudaMemcpyHostToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDefault
};

enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrComputeCapabilityMajor = 75,
  cudaDevAttrComputeCapabilityMinor = 76
};

enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal,
  cudaStreamCaptureModeThreadLocal,
  cudaStreamCaptureModeRelaxed
};

enum cudaStreamCaptureStatus {
  cudaStreamCaptureStatusNone,
  cudaStreamCaptureStatusActive,
  cudaStreamCaptureStatusInvalidated
};

struct cudaFuncAttributes {
  int numRegs;
};

struct cudaDeviceProp {
  char name[256];
  int major, minor, multiProcessorCount;
  size_t totalGlobalMem;
};

typedef struct gru_emulator_stream *cudaStream_t;
struct gru_emulator_stream { /* what libraries want of it */
  cudaError_t (*enqueue)(cudaStream_t stream, std::function<void()> work);
  int (*current_device)(void);
  int device;
  cudaStreamCaptureStatus status;
};
typedef struct gru_emulator_event *cudaEvent_t;
typedef struct gru_emulator_graph *cudaGraph_t;
typedef struct gru_emulator_exec *cudaGraphExec_t;
typedef struct gru_emulator_node *cudaGraphNode_t;
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
  void *attrs;
  unsigned numAttrs;
};

/* ---- the host's side ---------------------------------------------------------------------------- */

cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaDriverGetVersion(int *version);
cudaError_t cudaRuntimeGetVersion(int *version);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device);
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *attributes, const void *function);
cudaError_t cudaGetLastError(void);
const char *cudaGetErrorString(cudaError_t error);

cudaError_t cudaMalloc(void **block, size_t bytes);
cudaError_t cudaFree(void *block);
cudaError_t cudaMallocHost(void **block, size_t bytes);
cudaError_t cudaFreeHost(void *block);
cudaError_t cudaMemGetInfo(size_t *unused, size_t *total);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream);

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph);
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *count);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph,
                                 unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);

namespace gru_emulator {
/* Work for later: written down while the stream is capturing. */
cudaError_t enqueue(cudaStream_t stream, std::function<void()> work);
/* Runs body once for each thread of the grid. */
void run_grid(dim3 grid, dim3 block, const std::function<void()> &body);
/* One more launch: cudaSuccess, or why it cannot be. */
cudaError_t check_launch(const cudaLaunchConfig_t *config);
}  // namespace gru_emulator

template <typename... P, typename... A>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t *config, void (*kernel)(P...),
                               A &&...args) {
  static_assert((sizeof(P) + ... + 0) <= 4096, "the arguments of a kernel take 4 KiB at most");
  cudaError_t error = gru_emulator::check_launch(config);
  if (error != cudaSuccess) return error;
  dim3 grid = config->gridDim, block = config->blockDim;
  typedef std::tuple<typename std::decay<P>::type...> values;
  auto held = std::make_shared<const values>(args...);
  std::function<void()> body = [kernel, held] { std::apply(kernel, *held); };
  return gru_emulator::enqueue(config->stream,
                               [grid, block, body] { gru_emulator::run_grid(grid, block, body); });
}

/* ---- the device's side ------------------------------------------------------------------------------- */

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
static const int warpSize = 32;

namespace gru_emulator {
void sync_block(int line); /* of the source: which barrier it is */
/* Waits for the lanes of `mask`; value (8 bytes) is what this lane shows, the result what `lane` shows. */
uint64_t exchange(unsigned mask, uint64_t value, int lane);
unsigned ballot(unsigned mask, int predicate);

template <typename T>
uint64_t pack(T value) {
  static_assert(sizeof(T) <= 8, "shuffles take up to 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  return bits;
}

template <typename T>
T unpack(uint64_t bits) {
  T value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline int lane(void) {
  return (int)((threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32);
}
}  // namespace gru_emulator

#define __syncthreads() gru_emulator::sync_block(__LINE__)
static inline void __syncwarp(unsigned mask = 0xffffffffu) {
  gru_emulator::exchange(mask, 0, gru_emulator::lane());
}
static inline void __threadfence(void) {}
static inline void __threadfence_block(void) {}

template <typename T>
T __shfl_sync(unsigned mask, T value, int from, int width = 32) {
  int lane = gru_emulator::lane();
  int source = lane / width * width + (from & (width - 1));
  return gru_emulator::unpack<T>(gru_emulator::exchange(mask, gru_emulator::pack(value), source));
}

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32) {
  int lane = gru_emulator::lane();
  int source = lane ^ lanes;
  if (source / width != lane / width) source = lane;
  return gru_emulator::unpack<T>(gru_emulator::exchange(mask, gru_emulator::pack(value), source));
}

template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  int lane = gru_emulator::lane();
  int source = lane % width < (int)delta ? lane : lane - (int)delta;
  return gru_emulator::unpack<T>(gru_emulator::exchange(mask, gru_emulator::pack(value), source));
}

template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  int lane = gru_emulator::lane();
  int source = lane % width + (int)delta >= width ? lane : lane + (int)delta;
  return gru_emulator::unpack<T>(gru_emulator::exchange(mask, gru_emulator::pack(value), source));
}

static inline unsigned __ballot_sync(unsigned mask, int predicate) {
  return gru_emulator::ballot(mask, predicate);
}
static inline int __any_sync(unsigned mask, int predicate) {
  return gru_emulator::ballot(mask, predicate) != 0;
}
static inline int __all_sync(unsigned mask, int predicate) {
  return gru_emulator::ballot(mask, !predicate) == 0;
}
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz((unsigned)x); }
static inline int __ffs(int x) { return __builtin_ffs(x); }

static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }

/* Fibres never run at the same time. */
template <typename T>
T atomicAdd(T *at, typename std::common_type<T>::type value) {
  static_assert(!std::is_floating_point<T>::value,
                "the order of atomic sums of floats is undefined");
  T old = *at;
  *at = old + value;
  return old;
}
template <typename T>
T atomicMin(T *at, typename std::common_type<T>::type value) {
  T old = *at;
  if (value < old) *at = value;
  return old;
}
template <typename T>
T atomicMax(T *at, typename std::common_type<T>::type value) {
  T old = *at;
  if (value > old) *at = value;
  return old;
}
template <typename T>
T atomicOr(T *at, typename std::common_type<T>::type value) {
  T old = *at;
  *at = old | value;
  return old;
}
template <typename T>
T atomicExch(T *at, typename std::common_type<T>::type value) {
  T old = *at;
  *at = value;
  return old;
}
template <typename T>
T __ldg(const T *at) {
  return *at;
}

#endif

/* streams.cpp - streams, copies, events and graphs: the host's side of the emulator.
**
** What a stream is asked for waits in a queue, and is done when somebody waits for it, or when MOST calls
** have piled up.  Copies read and write host memory then: of pageable memory CUDA promises no more.
*/
#include <deque>
#include <set>
#include <thread>
#include <vector>

#include "host.h"

using gru_emulator::check_unsafe;
using gru_emulator::current;
using gru_emulator::dead;
using gru_emulator::enter;
using gru_emulator::fail;
using gru_emulator::lock;

typedef std::function<void()> work;
typedef std::vector<work> works;

struct gru_emulator_event {
  struct queue *on; /* NULL until it is recorded */
  unsigned long long after;
  bool captured;
};

struct gru_emulator_graph {
  works nodes;
};

struct gru_emulator_exec {
  std::shared_ptr<const works> nodes;
};

struct queue : gru_emulator_stream {
  std::deque<work> waiting;
  unsigned long long asked = 0, done = 0;
  cudaStreamCaptureMode mode;
  std::thread::id thread; /* that began the capture */
  works captured;
};

namespace {

enum { MOST = 256 };

typedef std::lock_guard<std::recursive_mutex> guard;

/* Handles that are in use. */
std::set<const void *> &handles = *new std::set<const void *>;
std::set<queue *> &queues = *new std::set<queue *>;

queue *check(cudaStream_t stream) {
  if (handles.count(stream) == 0)
    gru_emulator::give_up("a stream that is none, the default one, or destroyed");
  return static_cast<queue *>(stream);
}

template <typename T>
T *check(T *handle) {
  if (handles.count(handle) == 0) gru_emulator::give_up("a handle that is none, or destroyed");
  return handle;
}

/* Does what the stream was asked for, up to call number `until`. */
void work_off(queue *q, unsigned long long until) {
  if (q->done >= until) return;
  gru_emulator::open_memory(q->device, true);
  while (q->done < until && dead[q->device] == cudaSuccess) {
    work next = std::move(q->waiting.front());
    q->waiting.pop_front();
    q->done++;
    next();
  }
  gru_emulator::open_memory(q->device, false);
  if (dead[q->device] == cudaSuccess) return;
  q->waiting.clear();
  q->done = q->asked;
}

cudaError_t invalidate(queue *q, cudaError_t error) {
  q->status = cudaStreamCaptureStatusInvalidated;
  return fail(error);
}

/* The stream's failure, where it cannot be asked for work; a capture goes on. */
cudaError_t refuses(queue *q) {
  if (q->status == cudaStreamCaptureStatusInvalidated)
    return fail(cudaErrorStreamCaptureInvalidated);
  return fail(dead[q->device]);
}

cudaError_t ask(queue *q, work what) {
  cudaError_t error = refuses(q);
  if (error != cudaSuccess) return error;
  if (q->status == cudaStreamCaptureStatusActive) {
    q->captured.push_back(std::move(what));
    return cudaSuccess;
  }
  q->waiting.push_back(std::move(what));
  if (++q->asked - q->done >= MOST) work_off(q, q->asked);
  return cudaSuccess;
}

int current_device(void) { return current; }

}  // namespace

namespace gru_emulator {

void finish(int device) {
  for (queue *q : queues)
    if (q->device == device) work_off(q, q->asked);
}

cudaError_t check_unsafe(bool waits) {
  for (queue *q : queues) {
    bool own = q->thread == std::this_thread::get_id();
    if (q->status != cudaStreamCaptureStatusActive) continue;
    if (q->mode == cudaStreamCaptureModeGlobal ||
        (own && q->mode != cudaStreamCaptureModeRelaxed) || (own && waits))
      return invalidate(q, cudaErrorStreamCaptureUnsupported);
  }
  return cudaSuccess;
}

cudaError_t enqueue(cudaStream_t stream, work what) {
  guard g(lock);
  queue *q = check(stream);
  if (q->device != current) return fail(cudaErrorInvalidResourceHandle);
  return ask(q, std::move(what));
}

cudaError_t check_launch(const cudaLaunchConfig_t *config) {
  guard g(lock);
  static unsigned long long left = number("GRU_EMULATOR_FAIL", 0);
  const dim3 &grid = config->gridDim, &block = config->blockDim;
  unsigned long long threads = (unsigned long long)block.x * block.y * block.z;
  cudaError_t error = enter("cudaLaunchKernelEx");
  if (error != cudaSuccess) return error;
  if (threads == 0 || threads > 1024 || grid.x == 0 || grid.y == 0 || grid.z == 0 ||
      grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535)
    return fail(cudaErrorInvalidConfiguration);
  if (left == 0 || --left > 0) return cudaSuccess;
  int device = config->stream->device;
  return enqueue(config->stream, [device] {
    dead[device] = (cudaError_t)number("GRU_EMULATOR_ERROR", cudaErrorIllegalAddress);
  });
}

}  // namespace gru_emulator

#define TRY(call) \
  do { \
    cudaError_t try_ = (call); \
    if (try_ != cudaSuccess) return try_; \
  } while (0)

/* ---- copies ---------------------------------------------------------------------------------------- */

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  guard g(lock);
  queue *q = check(stream);
  TRY(enter("cudaMemcpyAsync"));
  bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (gru_emulator::is_device_memory(to, bytes) != to_device ||
      gru_emulator::is_device_memory(from, bytes) != from_device)
    return fail(cudaErrorInvalidValue);
  bool pageable = (!to_device && !gru_emulator::is_pinned(to, bytes)) ||
                  (!from_device && !gru_emulator::is_pinned(from, bytes));
  if (q->status == cudaStreamCaptureStatusActive && pageable)
    return invalidate(q, cudaErrorStreamCaptureUnsupported);
  return ask(q, [=] { memcpy(to, from, bytes); });
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream) {
  guard g(lock);
  queue *q = check(stream);
  TRY(enter("cudaMemsetAsync"));
  if (!gru_emulator::is_device_memory(to, bytes)) return fail(cudaErrorInvalidValue);
  return ask(q, [=] { memset(to, value, bytes); });
}

/* ---- streams and events ------------------------------------------------------------------------------ */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags) {
  guard g(lock);
  TRY(enter("cudaStreamCreateWithFlags"));
  TRY(fail(dead[current]));
  if (flags != cudaStreamNonBlocking) return fail(cudaErrorInvalidValue);
  queue *q = new queue;
  q->enqueue = gru_emulator::enqueue;
  q->current_device = current_device;
  q->device = current;
  q->status = cudaStreamCaptureStatusNone;
  handles.insert(static_cast<cudaStream_t>(q));
  queues.insert(q);
  *stream = q;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  guard g(lock);
  TRY(enter("cudaStreamDestroy"));
  queue *q = check(stream);
  work_off(q, q->asked);
  handles.erase(stream);
  queues.erase(q);
  delete q;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  guard g(lock);
  TRY(enter("cudaStreamSynchronize"));
  queue *q = check(stream);
  TRY(refuses(q));
  if (q->status != cudaStreamCaptureStatusNone)
    return invalidate(q, cudaErrorStreamCaptureUnsupported);
  work_off(q, q->asked);
  return fail(dead[q->device]);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags) {
  guard g(lock);
  (void)flags;
  TRY(enter("cudaEventCreateWithFlags"));
  *event = new gru_emulator_event{NULL, 0, false};
  handles.insert(*event);
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  guard g(lock);
  TRY(enter("cudaEventDestroy"));
  handles.erase(check(event));
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  guard g(lock);
  TRY(enter("cudaEventRecord"));
  queue *q = check(stream);
  TRY(refuses(q));
  *check(event) = {q, q->asked, q->status == cudaStreamCaptureStatusActive};
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  guard g(lock);
  TRY(enter("cudaEventSynchronize"));
  queue *q = check(event)->on;
  if (q == NULL) return cudaSuccess;
  if (event->captured) return invalidate(q, cudaErrorCapturedEvent);
  work_off(q, event->after);
  return fail(dead[q->device]);
}

/* ---- graphs -------------------------------------------------------------------------------------------- */

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  guard g(lock);
  TRY(enter("cudaStreamBeginCapture"));
  queue *q = check(stream);
  TRY(refuses(q));
  if (q->status != cudaStreamCaptureStatusNone)
    return invalidate(q, cudaErrorStreamCaptureUnsupported);
  q->status = cudaStreamCaptureStatusActive;
  q->mode = mode;
  q->thread = std::this_thread::get_id();
  q->captured.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph) {
  guard g(lock);
  *graph = NULL;
  queue *q = check(stream);
  cudaStreamCaptureStatus status = q->status;
  if (enter("cudaStreamEndCapture") != cudaSuccess && status != cudaStreamCaptureStatusNone)
    status = cudaStreamCaptureStatusInvalidated;
  if (status == cudaStreamCaptureStatusNone) return fail(cudaErrorInvalidValue);
  if (q->mode != cudaStreamCaptureModeRelaxed && q->thread != std::this_thread::get_id())
    return fail(cudaErrorStreamCaptureWrongThread);
  q->status = cudaStreamCaptureStatusNone;
  if (status == cudaStreamCaptureStatusInvalidated) return fail(cudaErrorStreamCaptureInvalidated);
  *graph = new gru_emulator_graph{std::move(q->captured)};
  q->captured.clear();
  handles.insert(*graph);
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *count) {
  guard g(lock);
  (void)nodes;
  TRY(enter("cudaGraphGetNodes"));
  *count = check(graph)->nodes.size();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph,
                                 unsigned long long flags) {
  guard g(lock);
  TRY(enter("cudaGraphInstantiate"));
  if (flags != 0) return fail(cudaErrorInvalidValue);
  *exec = new gru_emulator_exec{std::make_shared<const works>(check(graph)->nodes)};
  handles.insert(*exec);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  guard g(lock);
  TRY(enter("cudaGraphLaunch"));
  std::shared_ptr<const works> nodes = check(exec)->nodes;
  return ask(check(stream), [nodes] {
    for (const work &node : *nodes) node();
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  guard g(lock);
  TRY(enter("cudaGraphExecDestroy"));
  handles.erase(check(exec));
  delete exec;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  guard g(lock);
  TRY(enter("cudaGraphDestroy"));
  handles.erase(check(graph));
  delete graph;
  return cudaSuccess;
}

/* cuda.cuh - what the files of the CUDA backend share: the state of a device, checked calls, launches,
** scratch memory, checks of ids.
**
** The backend is one plugin, libgru_cuda.so, which core/place.c opens; its only symbol that others
** see is gru_backend_init.  Every file has the name of its sibling in cpu/ and three parts: what it
** is, its kernels, and the launchers that device.h asks for.  All work of a device goes through one
** stream, so that calls run in the order in which they are made, and memory that is given back may be
** used by the next call at once.
**
** Rules of the kernels
**   - The same arguments give the same bits: no atomics on floats, sums in an order that does not
**     depend on how blocks are scheduled.  Atomics on integers only where their order cannot be seen.
**   - Formulas are those of core/math.h and ops.def.  Files are compiled without contraction
**     (-fmad=false), as the CPU's kernels are, so both devices round alike; products are excepted.
**   - Offsets into tensors are int64.  Grids are bounded, threads walk on by gridDim * blockDim.
**   - Launches go through gruI_cuda_launch, so that each is checked and named.  Kernels use the
**     plain language: static __shared__ arrays, __syncthreads, shuffles of whole warps.  That is what
**     tests/emulator runs on a machine without a GPU.
*/
#ifndef GRUI_CUDA_CUH
#define GRUI_CUDA_CUH

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include "core/device.h"
#include "cuda/arena.h"

enum { GRUI_CUDA_WARP = 32, GRUI_CUDA_BLOCK = 256, GRUI_CUDA_MAX_WORK = 16, GRUI_CUDA_STAGES = 2 };

/* Where a kernel tells of a bad id: written by the device, read by the host. */
typedef struct gruI_cuda_report {
  unsigned long long position; /* of the first bad one; GRUI_CUDA_NO_POSITION: none */
  long long value, low, end;   /* it, and the range it should be in, as the ids count */
} gruI_cuda_report;
#define GRUI_CUDA_NO_POSITION (~0ull)

/* Pinned memory on the way to the device; see transfer.cu. */
typedef struct gruI_cuda_stage {
  char *bytes;
  size_t used;
  cudaEvent_t read; /* recorded when it is full */
} gruI_cuda_stage;

typedef struct gruI_cuda {
  cudaStream_t stream;
  cublasHandle_t blas;
  void *blas_workspace;
  int multiprocessors, major, minor;
  int blocking; /* GRU_CUDA_BLOCKING=1: wait after every launch */
  int graphs;   /* alive */
  gruI_arena *arena;
  /* Scratch memory, a stack that grows by chunks; see gruI_cuda_scratch. */
  void *work[GRUI_CUDA_MAX_WORK];
  size_t work_bytes[GRUI_CUDA_MAX_WORK];
  int works, work_at;
  size_t work_used; /* of chunk work_at */
  gruI_cuda_stage stages[GRUI_CUDA_STAGES];
  int stage;                     /* the one being filled */
  gruI_cuda_report *report;      /* device memory */
  gruI_cuda_report *report_host; /* pinned */
  const char *last;              /* what was launched last since the device was waited for */
  char dead[160];                /* why it can be used no more; "" while it can */
} gruI_cuda;

static inline gruI_cuda *gruI_cuda_of(gruI_device *device) { return (gruI_cuda *)device->state; }

/* Sets device->fault.text and returns `status`. */
gru_status gruI_cuda_fail(gruI_device *device, gru_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* GRU_OK, or the failure of `what`, a call of the CUDA runtime. */
gru_status gruI_cuda_check(gruI_device *device, cudaError_t error, const char *what);

/* May a call be made?  Not after an error that CUDA does not recover from. */
gru_status gruI_cuda_ready(gruI_device *device);
/* After a launch of `what`. */
gru_status gruI_cuda_launched(gruI_device *device, cudaError_t error, const char *what);

#define GRUI_CUDA_TRY(expression) \
  do { \
    gru_status cuda_try_ = (expression); \
    if (cuda_try_ != GRU_OK) return cuda_try_; \
  } while (0)

/* ---- launches ------------------------------------------------------------------------ */

template <typename T>
struct gruI_cuda_same {
  typedef T type;
};

/* Runs kernel(args...) on the device's stream; `what` names it in messages and is a literal. */
template <typename... P>
gru_status gruI_cuda_launch(gruI_device *device, const char *what, void (*kernel)(P...), dim3 grid,
                            dim3 block, typename gruI_cuda_same<P>::type... args) {
  GRUI_CUDA_TRY(gruI_cuda_ready(device));
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.stream = gruI_cuda_of(device)->stream;
  return gruI_cuda_launched(device, cudaLaunchKernelEx(&config, kernel, args...), what);
}

/* Blocks for `n` items, `each` a block: enough to fill the device, no more. */
static inline unsigned gruI_cuda_blocks(gruI_device *device, int64_t n, int64_t each) {
  int64_t most = (int64_t)gruI_cuda_of(device)->multiprocessors * 16, want = (n + each - 1) / each;
  return (unsigned)(want < 1 ? 1 : want < most ? want : most);
}

static inline size_t gruI_cuda_size(gru_dtype dtype) {
  return dtype == GRU_BOOL ? 1 : dtype == GRU_FLOAT32 ? 4 : 8;
}

/* ---- scratch memory ------------------------------------------------------------------- */

/* Device memory for one call, aligned to 256 bytes, or NULL with the fault set.  A launcher takes what
** it needs within a gruI_cuda_scope, whose end gives it all back; the launches made so far keep it. */
void *gruI_cuda_scratch(gruI_device *device, size_t bytes);

class gruI_cuda_scope {
 public:
  explicit gruI_cuda_scope(gruI_device *device)
      : cuda(gruI_cuda_of(device)), at(cuda->work_at), used(cuda->work_used) {}
  ~gruI_cuda_scope() {
    cuda->work_at = at;
    cuda->work_used = used;
  }
  gruI_cuda_scope(const gruI_cuda_scope &) = delete;
  gruI_cuda_scope &operator=(const gruI_cuda_scope &) = delete;

 private:
  gruI_cuda *cuda;
  int at;
  size_t used;
};

/* ---- ids ------------------------------------------------------------------------------- */

/* Checks ids in [base, base + size), n of them in a geometry of `ndim` dims (row-major positions);
** *other is allowed besides, where it is not NULL.  The first that is not becomes device->fault, as device.h has it, with GRU_ERROR_INDEX.  While
** capturing nobody can wait for that: the graph then leaves a report that the next synchronize or
** download tells of, and kernels that use ids must leave bad ones alone (gruI_cuda_row). */
gru_status gruI_cuda_check_ids(gruI_device *device, const int64_t *ids, int ndim,
                               const int64_t *shape, const int64_t *stride, int64_t base,
                               int64_t size, const int64_t *other = NULL);

/* Where an id points, or -1. */
static __device__ __forceinline__ int64_t gruI_cuda_row(int64_t id, int64_t base, int64_t size) {
  int64_t row = id - base;
  return row >= 0 && row < size ? row : -1;
}

/* ---- memory, transfers, waiting (memory.cu, transfer.cu, ids.cu), for the backend's table ------ */

void *gruI_cuda_alloc(gruI_device *device, size_t bytes);
void gruI_cuda_free(gruI_device *device, void *block, size_t bytes);
void gruI_cuda_trim(gruI_device *device);
size_t gruI_cuda_memory_limit(gruI_device *device);
gru_status gruI_cuda_upload(gruI_device *device, void *to, const void *from, size_t bytes);
gru_status gruI_cuda_download(gruI_device *device, void *to, const void *from, size_t bytes);
gru_status gruI_cuda_synchronize(gruI_device *device);

/* In this order; what was not opened is not closed. */
gru_status gruI_cuda_open_memory(gruI_device *device);
gru_status gruI_cuda_open_ids(gruI_device *device);
void gruI_cuda_close_ids(gruI_device *device);
void gruI_cuda_close_transfers(gruI_device *device);
void gruI_cuda_close_memory(gruI_device *device);

/* ---- the kernel families, in the order of device.h ---------------------------------------- */

gru_status gruI_cuda_elementwise(gruI_device *device, const gruI_elementwise *call);
gru_status gruI_cuda_copy(gruI_device *device, const gruI_copy *call);
gru_status gruI_cuda_gemm(gruI_device *device, const gruI_gemm *call);
gru_status gruI_cuda_reduce(gruI_device *device, const gruI_reduce *call);
gru_status gruI_cuda_take(gruI_device *device, const gruI_rows *call);
gru_status gruI_cuda_put(gruI_device *device, const gruI_rows *call);
gru_status gruI_cuda_along(gruI_device *device, const gruI_along *call);
gru_status gruI_cuda_one_hot(gruI_device *device, const gruI_one_hot *call);
gru_status gruI_cuda_softmax(gruI_device *device, const gruI_softmax *call);
gru_status gruI_cuda_softmax_grad(gruI_device *device, const gruI_softmax_grad *call);
gru_status gruI_cuda_cross_entropy(gruI_device *device, const gruI_cross_entropy *call);
gru_status gruI_cuda_cross_entropy_grad(gruI_device *device, const gruI_cross_entropy *call);
gru_status gruI_cuda_random(gruI_device *device, const gruI_random *call);
gru_status gruI_cuda_scan(gruI_device *device, const gruI_scan *call);
gru_status gruI_cuda_sort(gruI_device *device, const gruI_sort *call);
gru_status gruI_cuda_nonzero(gruI_device *device, const gruI_nonzero *call);
gru_status gruI_cuda_search(gruI_device *device, const gruI_search *call);
gru_status gruI_cuda_range(gruI_device *device, const gruI_range *call);
gru_status gruI_cuda_sgd(gruI_device *device, const gruI_sgd *call);
gru_status gruI_cuda_adam(gruI_device *device, const gruI_adam *call);
gru_status gruI_cuda_clip_norm(gruI_device *device, const gruI_clip_norm *call);
gru_status gruI_cuda_scale(gruI_device *device, const gruI_scale *call);
gru_status gruI_cuda_concat(gruI_device *device, const gruI_concat *call);
gru_status gruI_cuda_recurrence(gruI_device *device, const gruI_recurrence *call);
gru_status gruI_cuda_recurrence_grad(gruI_device *device, const gruI_recurrence *call);
void gruI_cuda_explain(gruI_device *device, const gruI_recurrence *call, char *text, size_t size);

/* Makes the cuBLAS handle where there is none yet, which a capture must not do, and sets its precision. */
gru_status gruI_cuda_blas(gruI_device *device);

/* ---- graphs (graph.cu) ---------------------------------------------------------------------- */

gru_status gruI_cuda_capture_begin(gruI_device *device);
gru_status gruI_cuda_capture_end(gruI_device *device, void **graph, int64_t *nodes);
gru_status gruI_cuda_graph_run(gruI_device *device, void *graph);
void gruI_cuda_graph_free(gruI_device *device, void *graph);

#endif

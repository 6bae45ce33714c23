/* cpu.h - what the files of the CPU backend share.
**
** Every kernel of the seam (core/device.h) has one function here, with the signature of its
** slot in gruI_kernels; backend.c puts them into the table.
**
** Files whose loops gain from it (GRU_CPU_ISA_SOURCES in CMakeLists.txt) are compiled once per
** instruction set, with -DGRUI_ISA=baseline, avx2 and avx512; their entry points carry the name of
** the set.  backend.c chooses once, when the device is opened.
*/
#ifndef GRUI_CPU_H
#define GRUI_CPU_H

#include "core/device.h"
#include "core/pool.h"

/* ---- the kernels ------------------------------------------------------------------- */

gru_status gruI_cpu_elementwise(gruI_device *device, const gruI_elementwise *call);
gru_status gruI_cpu_copy(gruI_device *device, const gruI_copy *call);
gru_status gruI_cpu_gemm(gruI_device *device, const gruI_gemm *call);
gru_status gruI_cpu_gemm_segments(gruI_device *device, const gruI_segments *call);
size_t gruI_cpu_later_bytes(gruI_device *device, const gruI_segments *call);
void gruI_cpu_later_begin(gruI_device *device, const gruI_segments *call, void *room);
int gruI_cpu_later_is_done(const void *room);
gru_status gruI_cpu_later_end(gruI_device *device, void *room, int withdraw);
gru_status gruI_cpu_gemm_bias(gruI_device *device, const gruI_gemm *call, const void *bias);
int gruI_cpu_gemm_offer(gruI_device *device, const gruI_gemm *call, gruI_offer *offer, void *room);
/* Parts of them, see gemm.c; bias may be NULL. */
gru_status gruI_cpu_gemm_panels(gruI_device *device, const gruI_gemm *call, const void *bias);
int gruI_cpu_gemm_panels_offer(gruI_device *device, const gruI_gemm *call, gruI_offer *offer,
                               void *room);
gru_status gruI_cpu_reduce(gruI_device *device, const gruI_reduce *call);
gru_status gruI_cpu_take(gruI_device *device, const gruI_rows *call);
gru_status gruI_cpu_put(gruI_device *device, const gruI_rows *call);
gru_status gruI_cpu_put_all(gruI_device *device, const gruI_rows *calls, int64_t count);
int gruI_cpu_lies_transposed(const gruI_rows *call); /* columns.c: a part of take and put */
gru_status gruI_cpu_columns(gruI_device *device, const gruI_rows *call, int put);
gru_status gruI_cpu_along(gruI_device *device, const gruI_along *call);
gru_status gruI_cpu_one_hot(gruI_device *device, const gruI_one_hot *call);
gru_status gruI_cpu_softmax(gruI_device *device, const gruI_softmax *call);
gru_status gruI_cpu_softmax_grad(gruI_device *device, const gruI_softmax_grad *call);
gru_status gruI_cpu_cross_entropy(gruI_device *device, const gruI_cross_entropy *call);
gru_status gruI_cpu_cross_entropy_grad(gruI_device *device, const gruI_cross_entropy *call);
gru_status gruI_cpu_random(gruI_device *device, const gruI_random *call);
gru_status gruI_cpu_scan(gruI_device *device, const gruI_scan *call);
gru_status gruI_cpu_sort(gruI_device *device, const gruI_sort *call);
gru_status gruI_cpu_nonzero(gruI_device *device, const gruI_nonzero *call);
gru_status gruI_cpu_search(gruI_device *device, const gruI_search *call);
gru_status gruI_cpu_range(gruI_device *device, const gruI_range *call);
gru_status gruI_cpu_sgd(gruI_device *device, const gruI_sgd *call);
gru_status gruI_cpu_adam(gruI_device *device, const gruI_adam *call);
gru_status gruI_cpu_clip_norm(gruI_device *device, const gruI_clip_norm *call);
gru_status gruI_cpu_scale(gruI_device *device, const gruI_scale *call);
gru_status gruI_cpu_concat(gruI_device *device, const gruI_concat *call);
gru_status gruI_cpu_recurrence(gruI_device *device, const gruI_recurrence *call);
gru_status gruI_cpu_recurrence_grad(gruI_device *device, const gruI_recurrence *call);
void gruI_cpu_explain(gruI_device *device, const gruI_recurrence *call, char *text, size_t size);

/* ---- instruction sets -------------------------------------------------------------- */

/* name(GRUI_ISA): gruI_cpu_copy becomes gruI_cpu_copy_avx2. */
#define GRUI_ISA_PASTE_(name, isa) name##_##isa
#define GRUI_ISA_PASTE(name, isa) GRUI_ISA_PASTE_(name, isa)
#define GRUI_ISA_NAME(name) GRUI_ISA_PASTE(name, GRUI_ISA)

/* The kernels of one instruction set. */
struct gruI_gemv;
typedef struct gruI_cpu_isa {
  const char *name; /* "baseline", "avx2", "avx512" */
  gru_status (*elementwise)(gruI_device *, const gruI_elementwise *);
  gru_status (*copy)(gruI_device *, const gruI_copy *);
  gru_status (*reduce)(gruI_device *, const gruI_reduce *);
  void (*random_fill)(const gruI_random *, int64_t first, int64_t last); /* random.c divides */
  const struct gruI_loss_rows *loss_rows;                                /* cpu/loss.h */
  const struct gruI_recurrence_rows *recurrence_rows;                    /* cpu/recurrence.h */
  const struct gruI_panel_kernels *panel;                                /* cpu/panel.h */
  const struct gruI_list_rows *list_rows;                                /* cpu/list.h */
  void (*gemv)(const struct gruI_gemv *call);                            /* cpu/gemv.h */
  /* to[r * to_stride + c] = from[c * stride + r] for r < rows, c < cols; elements of `size` bytes. */
  void (*transpose)(size_t size, const void *from, int64_t stride, int64_t rows, int64_t cols,
                    void *to, int64_t to_stride);
} gruI_cpu_isa;

/* The set that the device runs, chosen when it was opened: the best that this processor has.
** GRU_CPU_ISA=baseline (or avx2) in the environment holds it to that.  A device that nobody has
** opened chooses anew at every call. */
const gruI_cpu_isa *gruI_cpu_isa_of(const gruI_device *device);

#define GRUI_DECLARE_ISA(isa) \
  gru_status gruI_cpu_elementwise_##isa(gruI_device *device, const gruI_elementwise *call); \
  gru_status gruI_cpu_copy_##isa(gruI_device *device, const gruI_copy *call); \
  gru_status gruI_cpu_reduce_##isa(gruI_device *device, const gruI_reduce *call); \
  void gruI_gemv_##isa(const struct gruI_gemv *call); \
  void gruI_transpose_##isa(size_t size, const void *from, int64_t stride, int64_t rows, \
                            int64_t cols, void *to, int64_t to_stride); \
  void gruI_random_fill_##isa(const gruI_random *call, int64_t first, int64_t last); \
  extern const struct gruI_loss_rows gruI_loss_rows_##isa; \
  extern const struct gruI_panel_kernels gruI_panel_kernels_##isa; \
  extern const struct gruI_recurrence_rows gruI_recurrence_rows_##isa; \
  extern const struct gruI_list_rows gruI_list_rows_##isa;
GRUI_DECLARE_ISA(baseline)
#ifdef __x86_64__
GRUI_DECLARE_ISA(avx2)
GRUI_DECLARE_ISA(avx512)
#endif
#undef GRUI_DECLARE_ISA

/* ---- helpers ----------------------------------------------------------------------- */

/* Puts a printf text into device->fault and returns `status`. */
gru_status gruI_cpu_fail(gruI_device *device, gru_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Memory for the length of a call, aligned to 64 bytes, one block for each kind of kernel: layers call
** products.  PRODUCT also serves the others that call no kernel.  NULL, with a fault, when there is none.  Up to 32 MiB stay with the device: fresh pages
** cost more than most kernels. */
typedef enum gruI_scratch { GRUI_SCRATCH_PRODUCT, GRUI_SCRATCH_LAYER } gruI_scratch;
void *gruI_cpu_scratch(gruI_device *device, gruI_scratch of, size_t bytes);
void gruI_cpu_scratch_done(gruI_device *device, gruI_scratch of);

/* Runs job(context, b, worker) for b in 0 .. blocks - 1 on the device's pool (on the calling
** thread where it has none).  `blocks` must follow from the shapes alone. */
gru_status gruI_cpu_parallel(gruI_device *device, int64_t blocks, gruI_job job, void *context);

/* Blocks of `size` that cover `count`. */
static inline int64_t gruI_cpu_blocks(int64_t count, int64_t size) {
  return count / size + (count % size != 0);
}

static inline int64_t gruI_cpu_min(int64_t a, int64_t b) { return a < b ? a : b; }

#endif

/* loss.c - softmax, cross-entropy and their gradients: checks, and rows for the pool. */
#include "cpu/loss.h"

enum { WORK = 1 << 14 }; /* elements that are worth a job */

typedef struct loss_job {
  const gruI_loss_rows *rows;
  const void *call;
  int64_t count, part; /* rows of the call, rows a job */
} loss_job;

#define JOB(name, call_type) \
  static void name##_job(void *context, int64_t index, int worker) { \
    const loss_job *job = context; \
    int64_t first = index * job->part, last = gruI_cpu_min(first + job->part, job->count); \
    (void)worker; \
    job->rows->name((const call_type *)job->call, first, last); \
  }

JOB(softmax, gruI_softmax)
JOB(softmax_grad, gruI_softmax_grad)
JOB(cross_entropy, gruI_cross_entropy)
JOB(cross_entropy_grad, gruI_cross_entropy)

static gru_status run_rows(gruI_device *device, gruI_job body, const void *call, int64_t rows,
                           int64_t cols) {
  loss_job job = {gruI_cpu_isa_of(device)->loss_rows, call, rows, 1};
  if (rows <= 0) return GRU_OK;
  if (cols < WORK) job.part = WORK / (cols > 0 ? cols : 1);
  return gruI_cpu_parallel(device, gruI_cpu_blocks(rows, job.part), body, &job);
}

/* Every target is a class or ignored. */
static gru_status check_targets(gruI_device *device, const gruI_cross_entropy *call) {
  for (int64_t r = 0; r < call->rows; r++) {
    int64_t id = call->target[r];
    if ((uint64_t)id - (uint64_t)call->base < (uint64_t)call->cols) continue;
    if (call->has_ignore && id == call->ignore_index) continue;
    device->fault.value = id;
    device->fault.position = r;
    return GRU_ERROR_INDEX;
  }
  return GRU_OK;
}

gru_status gruI_cpu_softmax(gruI_device *device, const gruI_softmax *call) {
  return run_rows(device, softmax_job, call, call->rows, call->cols);
}

gru_status gruI_cpu_softmax_grad(gruI_device *device, const gruI_softmax_grad *call) {
  return run_rows(device, softmax_grad_job, call, call->rows, call->cols);
}

gru_status gruI_cpu_cross_entropy(gruI_device *device, const gruI_cross_entropy *call) {
  gru_status status = check_targets(device, call);
  if (status != GRU_OK) return status;
  return run_rows(device, cross_entropy_job, call, call->rows, call->cols);
}

gru_status gruI_cpu_cross_entropy_grad(gruI_device *device, const gruI_cross_entropy *call) {
  gru_status status = check_targets(device, call);
  if (status != GRU_OK) return status;
  return run_rows(device, cross_entropy_grad_job, call, call->rows, call->cols);
}

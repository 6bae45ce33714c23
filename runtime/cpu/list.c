/* list.c - steps of optimisers, norms and scaling over lists of tensors: blocks for the pool. */
#include "cpu/list.h"

#include "core/math.h"

enum {
  BLOCK = 16384, /* elements of a block: 256 KB of Adam's four float32 vectors */
  PARTIALS = 512 /* blocks of a norm, at most: a longer vector has longer ones */
};

typedef struct list_job {
  const gruI_list_rows *rows;
  const gruI_list *list;
  const void *call;
  int64_t block; /* elements */
  double *partial;
} list_job;

/* The part that holds element `at` of the list. */
static const gruI_part *part_at(const gruI_list *list, int64_t at) {
  int64_t low = 0, high = list->n - 1;
  while (low < high) {
    int64_t middle = low + (high - low + 1) / 2;
    if (list->parts[middle].start <= at)
      low = middle;
    else
      high = middle - 1;
  }
  return &list->parts[low];
}

/* Runs `body` on every piece of block `index`: elements first .. last - 1 of `part`. */
#define EACH_PIECE(job, index, body) \
  do { \
    int64_t at = (index) * (job)->block; \
    int64_t end = gruI_cpu_min(at + (job)->block, (job)->list->total); \
    for (const gruI_part *part = part_at((job)->list, at); at < end; part++) { \
      int64_t first = at - part->start, last = gruI_cpu_min(part->count, end - part->start); \
      body; \
      at = part->start + last; \
    } \
  } while (0)

#define JOB(name, call_type) \
  static void name##_job(void *context, int64_t index, int worker) { \
    const list_job *job = context; \
    (void)worker; \
    EACH_PIECE(job, index, job->rows->name((const call_type *)job->call, part, first, last)); \
  } \
\
  static gru_status run_##name(gruI_device *device, const call_type *call) { \
    list_job job = {gruI_cpu_isa_of(device)->list_rows, &call->list, call, BLOCK, NULL}; \
    return gruI_cpu_parallel(device, gruI_cpu_blocks(call->list.total, BLOCK), name##_job, &job); \
  }

JOB(sgd, gruI_sgd)
JOB(adam, gruI_adam)
JOB(scale, gruI_scale)

gru_status gruI_cpu_sgd(gruI_device *device, const gruI_sgd *call) { return run_sgd(device, call); }

gru_status gruI_cpu_adam(gruI_device *device, const gruI_adam *call) {
  return run_adam(device, call);
}

static double load(gru_dtype dtype, const void *x) {
  return dtype == GRU_FLOAT32 ? (double)*(const float *)x : *(const double *)x;
}

gru_status gruI_cpu_scale(gruI_device *device, const gruI_scale *call) {
  if (load(call->list.dtype, call->scale) == 1) return GRU_OK;
  return run_scale(device, call);
}

/* ---- norms -------------------------------------------------------------------------- */

static void squares_job(void *context, int64_t index, int worker) {
  const list_job *job = context;
  double sum = 0;
  (void)worker;
  EACH_PIECE(job, index, sum += job->rows->squares(job->list->dtype, part->at[0], first, last));
  job->partial[index] = sum;
}

static void largest_job(void *context, int64_t index, int worker) {
  const list_job *job = context;
  double most = 0;
  (void)worker;
  EACH_PIECE(job, index,
             most = gm_max(most, job->rows->largest(job->list->dtype, part->at[0], first, last)));
  job->partial[index] = most;
}

/* min(1, max_norm / (total + eps)) in the arithmetic of the dtype. */
#define CLIP(T, call, norm) \
  do { \
    T total = (T)(norm), sum = total + (T)(call)->eps; \
    T scale = sum == 0 ? (T)1 : (T)(call)->max_norm / sum; \
    *(T *)(call)->total = total; \
    *(T *)(call)->scale = scale > 1 ? (T)1 : scale; /* NaN stays */ \
  } while (0)

gru_status gruI_cpu_clip_norm(gruI_device *device, const gruI_clip_norm *call) {
  double partial[PARTIALS], norm = 0;
  int64_t blocks = gruI_cpu_blocks(call->list.total, BLOCK);
  list_job job = {gruI_cpu_isa_of(device)->list_rows, &call->list, call, BLOCK, partial};
  if (blocks > PARTIALS) {
    job.block = gruI_cpu_blocks(call->list.total, PARTIALS);
    blocks = gruI_cpu_blocks(call->list.total, job.block);
  }
  gru_status status =
      gruI_cpu_parallel(device, blocks, call->largest ? largest_job : squares_job, &job);
  if (status != GRU_OK) return status;
  for (int64_t b = 0; b < blocks; b++)
    norm = call->largest ? gm_max(norm, partial[b]) : norm + partial[b];
  if (!call->largest) norm = gm_sqrt(norm);
  if (call->list.dtype == GRU_FLOAT32)
    CLIP(float, call, norm);
  else
    CLIP(double, call, norm);
  return GRU_OK;
}

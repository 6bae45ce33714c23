/* scan.c - running sums and products along a dim, and evenly spaced numbers.
**
** Floats are added up in double, element after element, so that a result does not depend on
** how the other dims are divided among the threads.
*/
#include "cpu/cpu.h"

enum {
  STRIP = 64,    /* neighbouring lines that run together */
  WORK = 1 << 14 /* elements that are worth a job */
};

/* ---- scan -------------------------------------------------------------------------- */

typedef struct scan_job {
  const gruI_scan *call;
  int64_t strips; /* of the inner dim */
  int64_t group;  /* strips a job, counted over all outer positions */
} scan_job;

/* Lines i0 .. i0 + width - 1 of outer position o: `acc` begins as `start`, and goes through the
** line from its first element on, or from its last one. */
#define SCAN(T, A, name, start, join) \
  static void name##_##T(const gruI_scan *s, int64_t o, int64_t i0, int64_t width) { \
    int64_t at = o * s->n * s->inner + i0, step = s->inner; \
    const T *in = s->in; \
    T *out = s->out; \
    A acc[STRIP]; \
    for (int64_t i = 0; i < width; i++) acc[i] = start; \
    if (s->reverse) at += (s->n - 1) * step, step = -step; \
    for (int64_t j = 0; j < s->n; j++, at += step) \
      for (int64_t i = 0; i < width; i++) { \
        acc[i] = acc[i] join(A) in[at + i]; \
        out[at + i] = (T)acc[i]; \
      } \
  }

SCAN(float, double, sum, 0, +)
SCAN(double, double, sum, 0, +)
SCAN(int64_t, uint64_t, sum, 0, +) /* wraps */
SCAN(float, double, prod, 1, *)
SCAN(double, double, prod, 1, *)
SCAN(int64_t, uint64_t, prod, 1, *)

typedef void (*scan_fn)(const gruI_scan *, int64_t, int64_t, int64_t);

static scan_fn choose(const gruI_scan *s) {
  static const scan_fn loops[2][4] = {
      {[GRU_INT64] = sum_int64_t, [GRU_FLOAT32] = sum_float, [GRU_FLOAT64] = sum_double},
      {[GRU_INT64] = prod_int64_t, [GRU_FLOAT32] = prod_float, [GRU_FLOAT64] = prod_double}};
  return s->kind == GRUI_SUM || s->kind == GRUI_PROD ? loops[s->kind == GRUI_PROD][s->dtype] : NULL;
}

static void scan_run(void *context, int64_t index, int worker) {
  const scan_job *job = context;
  const gruI_scan *s = job->call;
  int64_t all = s->outer * job->strips, first = index * job->group;
  int64_t last = gruI_cpu_min(first + job->group, all);
  scan_fn loop = choose(s);
  (void)worker;
  for (int64_t strip = first; strip < last; strip++) {
    int64_t i0 = strip % job->strips * STRIP;
    loop(s, strip / job->strips, i0, gruI_cpu_min(STRIP, s->inner - i0));
  }
}

gru_status gruI_cpu_scan(gruI_device *device, const gruI_scan *call) {
  scan_job job = {.call = call};
  if (choose(call) == NULL)
    return gruI_cpu_fail(device, GRU_ERROR_DTYPE, "no scan %d for dtype %d", (int)call->kind,
                         (int)call->dtype);
  if (call->outer <= 0 || call->n <= 0 || call->inner <= 0) return GRU_OK;
  job.strips = gruI_cpu_blocks(call->inner, STRIP);
  int64_t each = call->n * gruI_cpu_min(call->inner, STRIP);
  job.group = each < WORK ? WORK / each : 1;
  int64_t jobs = gruI_cpu_blocks(call->outer * job.strips, job.group);
  return gruI_cpu_parallel(device, jobs, scan_run, &job);
}

/* ---- range ------------------------------------------------------------------------- */

enum { RANGE_BLOCK = 1 << 16 };

static void range_run(void *context, int64_t index, int worker) {
  const gruI_range *r = context;
  int64_t first = index * RANGE_BLOCK, last = gruI_cpu_min(first + RANGE_BLOCK, r->count);
  int64_t half = gruI_cpu_min(last, r->half), end = r->count - 1, i = first;
  (void)worker;
  switch (r->dtype) {
    case GRU_INT64:
      for (; i < last; i++)
        ((uint64_t *)r->out)[i] = (uint64_t)r->first + (uint64_t)i * (uint64_t)r->by;
      break;
    case GRU_FLOAT32:
      for (; i < half; i++) ((float *)r->out)[i] = (float)(r->start + (double)i * r->step);
      for (; i < last; i++) ((float *)r->out)[i] = (float)(r->stop - (double)(end - i) * r->step);
      break;
    case GRU_FLOAT64:
      for (; i < half; i++) ((double *)r->out)[i] = r->start + (double)i * r->step;
      for (; i < last; i++) ((double *)r->out)[i] = r->stop - (double)(end - i) * r->step;
      break;
    case GRU_BOOL: break;
  }
}

gru_status gruI_cpu_range(gruI_device *device, const gruI_range *call) {
  gruI_range range = *call;
  if (call->dtype == GRU_BOOL) return gruI_cpu_fail(device, GRU_ERROR_DTYPE, "no range of bools");
  if (call->count <= 0) return GRU_OK;
  return gruI_cpu_parallel(device, gruI_cpu_blocks(call->count, RANGE_BLOCK), range_run, &range);
}

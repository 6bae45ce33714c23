/* random.c - random fills: parts of fixed size for the pool. */
#include "cpu/cpu.h"

enum { PART = 1 << 14 }; /* elements a job */

typedef struct random_job {
  const gruI_random *call;
  void (*fill)(const gruI_random *, int64_t first, int64_t last);
} random_job;

static void random_run(void *context, int64_t index, int worker) {
  const random_job *job = context;
  int64_t first = index * PART;
  (void)worker;
  job->fill(job->call, first, gruI_cpu_min(first + PART, job->call->count));
}

gru_status gruI_cpu_random(gruI_device *device, const gruI_random *call) {
  random_job job = {call, gruI_cpu_isa_of(device)->random_fill};
  if (call->count <= 0) return GRU_OK;
  return gruI_cpu_parallel(device, gruI_cpu_blocks(call->count, PART), random_run, &job);
}

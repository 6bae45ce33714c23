/* concat.c - contiguous pieces side by side. */
#include <string.h>

#include "cpu/cpu.h"

enum { PART = 1 << 14 }; /* bytes that are worth a job */

typedef struct concat_job {
  const gruI_concat *call;
  int64_t rows;  /* a job; or, of a single row ... */
  int64_t parts; /* ... jobs that share the pieces */
} concat_job;

/* Piece `i` of row `r`, which begins at element `at` of that. */
static void put_piece(const gruI_concat *call, int64_t r, int64_t i, int64_t at) {
  size_t bytes = (size_t)call->run[i] * call->size;
  if (bytes == 0) return;
  memcpy((char *)call->out + (size_t)(r * call->row + at) * call->size,
         (const char *)call->in[i] + (size_t)r * bytes, bytes);
}

static void concat_run(void *context, int64_t index, int worker) {
  const concat_job *job = context;
  const gruI_concat *call = job->call;
  int64_t first = job->rows > 0 ? index * job->rows : 0;
  int64_t last = job->rows > 0 ? gruI_cpu_min(first + job->rows, call->outer) : 1;
  (void)worker;
  for (int64_t r = first; r < last; r++)
    for (int64_t i = 0, at = 0; i < call->count; at += call->run[i++])
      if (job->rows > 0 || i % job->parts == index) put_piece(call, r, i, at);
}

gru_status gruI_cpu_concat(gruI_device *device, const gruI_concat *call) {
  concat_job job = {.call = call};
  int64_t bytes = call->row * (int64_t)call->size;
  if (call->outer <= 0 || bytes <= 0) return GRU_OK;
  if (call->outer > 1) {
    job.rows = bytes < PART ? PART / bytes : 1;
    return gruI_cpu_parallel(device, gruI_cpu_blocks(call->outer, job.rows), concat_run, &job);
  }
  job.parts = gruI_cpu_min(call->count, bytes / PART + 1);
  return gruI_cpu_parallel(device, job.parts, concat_run, &job);
}

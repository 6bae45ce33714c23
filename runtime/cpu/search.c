/* search.c - finding: the elements of a mask that are set, and the place of a value among sorted
** ones.
*/
#include <stdlib.h>

#include "cpu/cpu.h"

enum { BLOCK = 1 << 16, SEARCHES = 1 << 10 }; /* elements, searches a job */

/* ---- nonzero ----------------------------------------------------------------------- */

typedef struct nonzero_job {
  const gruI_nonzero *call;
  int64_t *before; /* [block]: how many are set in it, then in all before it */
} nonzero_job;

static void count_block(void *context, int64_t block, int worker) {
  const nonzero_job *job = context;
  int64_t first = block * BLOCK, last = gruI_cpu_min(first + BLOCK, job->call->count), n = 0;
  (void)worker;
  for (int64_t i = first; i < last; i++) n += job->call->in[i] != 0;
  job->before[block] = n;
}

static void list_block(void *context, int64_t block, int worker) {
  const nonzero_job *job = context;
  const gruI_nonzero *z = job->call;
  int64_t first = block * BLOCK, last = gruI_cpu_min(first + BLOCK, z->count);
  int64_t *to = z->out + job->before[block] * z->ndim;
  (void)worker;
  for (int64_t i = first; i < last; i++) {
    if (z->in[i] == 0) continue;
    int64_t rest = i;
    for (int d = z->ndim - 1; d >= 0; d--) {
      to[d] = z->base + rest % z->shape[d];
      rest /= z->shape[d];
    }
    to += z->ndim;
  }
}

gru_status gruI_cpu_nonzero(gruI_device *device, const gruI_nonzero *call) {
  int64_t blocks = gruI_cpu_blocks(call->count, BLOCK), total = 0;
  nonzero_job job = {.call = call};
  if (call->found != NULL) *call->found = 0;
  if (call->count <= 0) return GRU_OK;
  job.before = malloc((size_t)blocks * sizeof *job.before);
  if (job.before == NULL) return gruI_cpu_fail(device, GRU_ERROR_MEMORY, "out of memory");
  gru_status status = gruI_cpu_parallel(device, blocks, count_block, &job);
  for (int64_t block = 0; block < blocks && status == GRU_OK; block++) {
    int64_t n = job.before[block];
    job.before[block] = total;
    total += n;
  }
  if (status == GRU_OK && call->found != NULL) *call->found = total;
  if (status == GRU_OK && call->out != NULL)
    status = gruI_cpu_parallel(device, blocks, list_block, &job);
  free(job.before);
  return status;
}

/* ---- search ------------------------------------------------------------------------ */

/* A NaN that is looked for stands after everything. */
#define SEARCH(T, name) \
  static int64_t search_##name(const void *sorted, int64_t n, const void *value, int right) { \
    const T *line = sorted, x = *(const T *)value; \
    int64_t low = 0, high = n; \
    while (low < high) { \
      int64_t middle = low + (high - low) / 2; \
      if (right ? !(line[middle] > x) : !(line[middle] >= x)) \
        low = middle + 1; \
      else \
        high = middle; \
    } \
    return low; \
  }

SEARCH(uint8_t, bool)
SEARCH(int64_t, int64)
SEARCH(float, float32)
SEARCH(double, float64)

static void search_run(void *context, int64_t index, int worker) {
  static int64_t (*const searches[])(const void *, int64_t, const void *, int) = {
      search_bool, search_int64, search_float32, search_float64};
  const gruI_search *s = context;
  int64_t size = (int64_t)gru_dtype_size(s->dtype), all = s->rows * s->count;
  int64_t first = index * SEARCHES, last = gruI_cpu_min(first + SEARCHES, all);
  (void)worker;
  for (int64_t i = first; i < last; i++) {
    const char *line = (const char *)s->sorted + i / s->count * s->row_stride * size;
    const char *value = (const char *)s->values + i * size;
    s->out[i] = s->base + searches[s->dtype](line, s->n, value, s->right);
  }
}

gru_status gruI_cpu_search(gruI_device *device, const gruI_search *call) {
  gruI_search search = *call;
  int64_t all = call->rows * call->count;
  if (all <= 0) return GRU_OK;
  return gruI_cpu_parallel(device, gruI_cpu_blocks(all, SEARCHES), search_run, &search);
}

/* sort.c - sorting lines, and the first few of a sorted line.
**
** An element becomes an integer key that orders as PyTorch's sort does: NaN above everything,
** -0 equal to 0, and for a descending order all bits turned over.  Pairs of key and position are
** then merge-sorted, which is stable; so the result is the same however the work is divided.
** Lines past CHUNK are sorted in chunks that are merged, each merge in pieces; where only a few
** elements of a line are wanted, a heap keeps them.
*/
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"

enum {
  RUN = 16,        /* sorted by insertion */
  TILE = 256,      /* keys made at a time for the heap */
  WORK = 1 << 13,  /* elements that are worth a job */
  CHUNK = 1 << 15, /* elements of a long line that are sorted, or merged, in one job */
  HEAP_RATIO = 16  /* a heap is used where fewer than 1 / 16 of a line are wanted */
};

typedef struct item {
  uint64_t key;
  int64_t at;
} item;

/* ---- keys -------------------------------------------------------------------------- */

static inline uint64_t key_f32(float x) {
  const uint32_t sign = UINT32_C(1) << 31;
  uint32_t bits;
  if (x != x) return UINT64_MAX;
  if (x == 0) x = 0; /* -0, too */
  memcpy(&bits, &x, sizeof bits);
  return bits & sign ? (uint32_t)~bits : bits | sign;
}

static inline uint64_t key_f64(double x) {
  const uint64_t sign = UINT64_C(1) << 63;
  uint64_t bits;
  if (x != x) return UINT64_MAX;
  if (x == 0) x = 0;
  memcpy(&bits, &x, sizeof bits);
  return bits & sign ? ~bits : bits | sign;
}

#define KEY_I64(x) ((uint64_t)(x) ^ UINT64_C(1) << 63)
#define KEY_BOOL(x) ((uint64_t)(x))
#define KEYS(dtype, T, key) \
  case dtype: { \
    const T *x = (const T *)s->in + line; \
    for (int64_t j = 0; j < n; j++) \
      to[j] = (item){key(x[(first + j) * s->inner]) ^ turn, first + j}; \
    break; \
  }

/* The keys of elements first .. first + n - 1 of the line that begins at element `line`. */
static void load_keys(const gruI_sort *s, int64_t line, int64_t first, int64_t n, item *to) {
  const uint64_t turn = s->descending ? UINT64_MAX : 0;
  switch (s->dtype) {
    KEYS(GRU_BOOL, uint8_t, KEY_BOOL)
    KEYS(GRU_INT64, int64_t, KEY_I64)
    KEYS(GRU_FLOAT32, float, key_f32)
    KEYS(GRU_FLOAT64, double, key_f64)
  }
}

/* ---- merging ----------------------------------------------------------------------- */

static void sort_runs(item *a, int64_t n) {
  for (int64_t first = 0; first < n; first += RUN) {
    int64_t last = gruI_cpu_min(first + RUN, n);
    for (int64_t i = first + 1; i < last; i++) {
      item x = a[i];
      int64_t j = i;
      for (; j > first && a[j - 1].key > x.key; j--) a[j] = a[j - 1];
      a[j] = x;
    }
  }
}

/* out (=) the next n of a and b, of equals those of a first. */
static void merge(const item *a, int64_t na, const item *b, int64_t nb, item *out, int64_t n) {
  int64_t i = 0, j = 0, k = 0;
  while (k < n && i < na && j < nb) out[k++] = b[j].key < a[i].key ? b[j++] : a[i++];
  while (k < n && i < na) out[k++] = a[i++];
  while (k < n && j < nb) out[k++] = b[j++];
}

/* Sorts n items of a, with room for as many in b; returns where they are. */
static item *merge_sort(item *a, item *b, int64_t n) {
  sort_runs(a, n);
  for (int64_t width = RUN; width < n; width *= 2) {
    for (int64_t first = 0; first < n; first += 2 * width) {
      int64_t middle = gruI_cpu_min(first + width, n), end = gruI_cpu_min(first + 2 * width, n);
      merge(a + first, middle - first, a + middle, end - middle, b + first, end - first);
    }
    item *swap = a;
    a = b, b = swap;
  }
  return a;
}

/* How many of the first d merged items come from a. */
static int64_t taken_from(const item *a, int64_t na, const item *b, int64_t nb, int64_t d) {
  int64_t low = d > nb ? d - nb : 0, high = gruI_cpu_min(d, na);
  while (low < high) {
    int64_t i = low + (high - low) / 2; /* a[i] is one of them unless b[d - i - 1] is before it */
    if (b[d - i - 1].key < a[i].key)
      high = i;
    else
      low = i + 1;
  }
  return low;
}

/* ---- the first few: a heap whose root is the last of them ---------------------------- */

static inline int is_after(item x, item y) {
  return x.key > y.key || (x.key == y.key && x.at > y.at);
}

static void sift_down(item *heap, int64_t n, int64_t at) {
  item x = heap[at];
  for (int64_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && is_after(heap[child + 1], heap[child])) child++;
    if (!is_after(heap[child], x)) break;
    heap[at] = heap[child];
  }
  heap[at] = x;
}

static void first_of_line(const gruI_sort *s, int64_t line, item *heap) {
  item tile[TILE];
  int64_t k = s->count;
  load_keys(s, line, 0, k, heap);
  for (int64_t i = k / 2; i-- > 0;) sift_down(heap, k, i);
  for (int64_t first = k; first < s->n; first += TILE) {
    int64_t n = gruI_cpu_min(TILE, s->n - first);
    load_keys(s, line, first, n, tile);
    for (int64_t j = 0; j < n; j++)
      if (tile[j].key < heap[0].key) { /* of equals the earlier one stays */
        heap[0] = tile[j];
        sift_down(heap, k, 0);
      }
  }
  for (int64_t n = k - 1; n > 0; n--) {
    item x = heap[0];
    heap[0] = heap[n], heap[n] = x;
    sift_down(heap, n, 0);
  }
}

/* ---- results ----------------------------------------------------------------------- */

/* The items of a sorted line that are wanted: from s->first on, or the median. */
static const item *wanted(const gruI_sort *s, const item *sorted) {
  if (!s->median) return sorted + s->first;
  int64_t nan = s->n;
  if (s->dtype >= GRU_FLOAT32)
    while (nan > 0 && sorted[nan - 1].key == UINT64_MAX) nan--;
  return sorted + (nan < s->n ? nan : (s->n - 1) / 2); /* the first NaN wins */
}

#define STORE(T) \
  for (int64_t r = 0; r < s->count; r++) \
    ((T *)s->out)[to + r * s->inner] = ((const T *)s->in)[line + items[r].at * s->inner];

static void store(const gruI_sort *s, int64_t line, int64_t to, const item *items) {
  switch (s->out != NULL ? (int)gru_dtype_size(s->dtype) : 0) {
    case 1: STORE(uint8_t) break;
    case 4: STORE(float) break;
    case 8:
      if (s->dtype == GRU_INT64) {
        STORE(int64_t)
      } else {
        STORE(double)
      }
      break;
    default: break;
  }
  for (int64_t r = 0; r < s->count && s->out_index != NULL; r++)
    s->out_index[to + r * s->inner] = s->base + items[r].at;
}

/* Where line l begins in `in`, and its results in `out`. */
static void locate(const gruI_sort *s, int64_t l, int64_t *line, int64_t *to) {
  int64_t o = l / s->inner, i = l % s->inner;
  *line = o * s->n * s->inner + i;
  *to = o * s->count * s->inner + i;
}

/* ---- jobs -------------------------------------------------------------------------- */

typedef struct sort_job {
  const gruI_sort *call;
  int heap;
  int64_t group;     /* lines a job */
  int out_of_memory; /* set by jobs, atomically */
  item *from, *to;   /* of a long line: sorted runs of `width` are merged */
  int64_t line, width;
} sort_job;

static void sort_lines(void *context, int64_t index, int worker) {
  sort_job *job = context;
  const gruI_sort *s = job->call;
  int64_t lines = s->outer * s->inner, first = index * job->group, line, to;
  int64_t last = gruI_cpu_min(first + job->group, lines);
  size_t room = (size_t)(job->heap ? s->count : 2 * s->n);
  item *items = malloc(room * sizeof *items);
  (void)worker;
  if (items == NULL) {
    __atomic_store_n(&job->out_of_memory, 1, __ATOMIC_RELAXED);
    return;
  }
  for (int64_t l = first; l < last; l++) {
    locate(s, l, &line, &to);
    if (job->heap) {
      first_of_line(s, line, items);
      store(s, line, to, items);
    } else {
      load_keys(s, line, 0, s->n, items);
      store(s, line, to, wanted(s, merge_sort(items, items + s->n, s->n)));
    }
  }
  free(items);
}

static void sort_chunk(void *context, int64_t index, int worker) {
  sort_job *job = context;
  const gruI_sort *s = job->call;
  int64_t first = index * CHUNK, n = gruI_cpu_min(CHUNK, s->n - first);
  (void)worker;
  load_keys(s, job->line, first, n, job->from + first);
  item *sorted = merge_sort(job->from + first, job->to + first, n);
  if (sorted != job->from + first) memcpy(job->from + first, sorted, (size_t)n * sizeof *sorted);
}

/* Items index * CHUNK and following of the merged line; width is a multiple of CHUNK. */
static void merge_chunk(void *context, int64_t index, int worker) {
  sort_job *job = context;
  int64_t n = job->call->n, first = index * CHUNK;
  int64_t start = first / (2 * job->width) * (2 * job->width), d = first - start;
  int64_t middle = gruI_cpu_min(start + job->width, n);
  int64_t end = gruI_cpu_min(start + 2 * job->width, n);
  const item *a = job->from + start, *b = job->from + middle;
  int64_t i = taken_from(a, middle - start, b, end - middle, d), j = d - i;
  (void)worker;
  merge(a + i, middle - start - i, b + j, end - middle - j, job->to + first,
        gruI_cpu_min(CHUNK, end - first));
}

/* A line at a time, its chunks in parallel. */
static gru_status sort_long(gruI_device *device, sort_job *job) {
  const gruI_sort *s = job->call;
  int64_t lines = s->outer * s->inner, chunks = gruI_cpu_blocks(s->n, CHUNK), to;
  gru_status status = GRU_OK;
  item *items = malloc(2 * (size_t)s->n * sizeof *items);
  if (items == NULL) return gruI_cpu_fail(device, GRU_ERROR_MEMORY, "out of memory");
  for (int64_t l = 0; l < lines && status == GRU_OK; l++) {
    locate(s, l, &job->line, &to);
    job->from = items;
    job->to = items + s->n;
    status = gruI_cpu_parallel(device, chunks, sort_chunk, job);
    for (job->width = CHUNK; job->width < s->n && status == GRU_OK; job->width *= 2) {
      status = gruI_cpu_parallel(device, chunks, merge_chunk, job);
      item *swap = job->from;
      job->from = job->to, job->to = swap;
    }
    if (status == GRU_OK) store(s, job->line, to, wanted(s, job->from));
  }
  free(items);
  return status;
}

gru_status gruI_cpu_sort(gruI_device *device, const gruI_sort *call) {
  sort_job job = {.call = call};
  int64_t lines = call->outer * call->inner;
  if (lines <= 0 || call->n <= 0 || call->count <= 0) return GRU_OK;
  job.heap = !call->median && call->first == 0 && call->count < call->n / HEAP_RATIO;
  if (!job.heap && call->n > CHUNK) return sort_long(device, &job);
  job.group = call->n < WORK ? WORK / call->n : 1;
  gru_status status =
      gruI_cpu_parallel(device, gruI_cpu_blocks(lines, job.group), sort_lines, &job);
  if (status == GRU_OK && job.out_of_memory)
    return gruI_cpu_fail(device, GRU_ERROR_MEMORY, "out of memory");
  return status;
}

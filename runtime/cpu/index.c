/* index.c - reading and writing at positions held in int64 tensors.
**
** Every id is checked before anything is written.  Where several ids name one place, writes
** happen in the order of the ids: jobs divide the other dims, never the ids themselves.
*/
#include <string.h>

#include "cpu/cpu.h"

enum {
  WORK = 1 << 14, /* elements that are worth a job */
  MAX_JOBS = 64,
  LINE = 64,  /* bytes of a cache line: no two jobs of PUT write to the same one */
  WIDE = 256, /* bytes of a row that one job of many calls adds to, at least */
  STRIP = 16  /* elements of a strided row that are moved for all ids in turn */
};

/* Elements that are only moved, whatever their type. */
typedef uint8_t word8;
typedef uint32_t __attribute__((may_alias)) word32;
typedef uint64_t __attribute__((may_alias)) word64;

/* ---- checking ---------------------------------------------------------------------- */

/* Is the id one of base .. base + size - 1?  Wraps, so that no id overflows. */
static inline int is_inside(int64_t id, int64_t base, int64_t size) {
  return (uint64_t)id - (uint64_t)base < (uint64_t)size;
}

static gru_status outside(gruI_device *device, int64_t id, int64_t position) {
  device->fault.value = id;
  device->fault.position = position;
  return GRU_ERROR_INDEX;
}

static gru_status check_ids(gruI_device *device, const int64_t *ids, int64_t stride, int64_t count,
                            int64_t base, int64_t size) {
  for (int64_t j = 0; j < count; j++)
    if (!is_inside(ids[j * stride], base, size)) return outside(device, ids[j * stride], j);
  return GRU_OK;
}

/* ---- take and put ------------------------------------------------------------------ */

typedef struct rows_job {
  const gruI_rows *call;
  int put, size;         /* PUT or TAKE; bytes an element */
  int64_t width, strips; /* of the inner dim: elements a job, and jobs */
  int64_t ids, runs;     /* TAKE: ids a job, and jobs */
  int64_t outers;        /* outer positions a job, where each is small */
} rows_job;

/* The part of a call that one job does: elements i .. i + width of x[o, ids[j0 .. j1]]. */
typedef struct tile {
  char *x;      /* at [o, 0, i] if ids began at 0: x + id * row lies inside, x may not */
  char *packed; /* at [o, 0, i] */
  int64_t j0, j1, width;
} tile;

/* A pointer `by` elements away, by way of integers: it may pass through nowhere. */
static inline char *moved(const void *p, int64_t by, int size) {
  return (char *)((uintptr_t)p + (uint64_t)by * (uint64_t)size);
}

static tile tile_at(const rows_job *job, int64_t o, int64_t run, int64_t strip) {
  const gruI_rows *r = job->call;
  int64_t i = strip * job->width;
  tile t;
  t.x = moved(r->x, o * r->x_outer + i * r->x_inner - r->base * r->x_row, job->size);
  t.packed = moved(r->packed, o * r->count * r->inner + i, job->size);
  t.j0 = run * job->ids;
  t.j1 = gruI_cpu_min(t.j0 + job->ids, r->count);
  t.width = gruI_cpu_min(job->width, r->inner - i);
  return t;
}

#define OFFSET(j) ((r)->ids[(j) * (r)->id_stride] * (r)->x_row)

/* Contiguous rows: a copy each. */
static void take_rows(const gruI_rows *r, const tile *t, int size) {
  size_t bytes = (size_t)(t->width * size);
  for (int64_t j = t->j0; j < t->j1; j++)
    memcpy(t->packed + j * r->inner * size, moved(t->x, OFFSET(j), size), bytes);
}

/* TAKE and PUT of elements of one type, whatever the strides.  A strip of a few elements is
** moved for all ids before the next strip: taking columns of a matrix then reads a few of its
** rows, which stay in the cache. */
#define TAKE(T) \
  static void take_##T(const gruI_rows *r, const tile *t) { \
    int64_t s = r->x_inner; \
    for (int64_t i0 = 0; i0 < t->width; i0 += STRIP) { \
      int64_t width = gruI_cpu_min(STRIP, t->width - i0); \
      for (int64_t j = t->j0; j < t->j1; j++) { \
        const T *from = (const void *)moved(t->x, OFFSET(j) + i0 * s, sizeof(T)); \
        T *to = (void *)moved(t->packed, j * r->inner + i0, sizeof(T)); \
        for (int64_t i = 0; i < width; i++) to[i] = from[i * s]; \
      } \
    } \
  }

#define PUT(T, name, join) \
  static void put_##name(const gruI_rows *r, const tile *t) { \
    int64_t s = r->x_inner, strip = s == 1 ? t->width : STRIP; \
    for (int64_t i0 = 0; i0 < t->width; i0 += strip) { \
      int64_t width = gruI_cpu_min(strip, t->width - i0); \
      for (int64_t j = t->j0; j < t->j1; j++) { \
        T *to = (void *)moved(t->x, OFFSET(j) + i0 * s, sizeof(T)); \
        const T *from = (const void *)moved(t->packed, j * r->inner + i0, sizeof(T)); \
        if (s == 1) \
          for (int64_t i = 0; i < width; i++) to[i] = (T)(to[i] join from[i]); \
        else \
          for (int64_t i = 0; i < width; i++) to[i * s] = (T)(to[i * s] join from[i]); \
      } \
    } \
  }

TAKE(word8)
TAKE(word32)
TAKE(word64)
PUT(uint8_t, bool, |)
PUT(uint64_t, int64, +)
PUT(float, float32, +)
PUT(double, float64, +)

static void take_tile(const rows_job *job, const tile *t) {
  if (job->call->x_inner == 1 && t->width * job->size >= LINE / 2) {
    take_rows(job->call, t, job->size);
    return;
  }
  switch (job->size) {
    case 1: take_word8(job->call, t); break;
    case 4: take_word32(job->call, t); break;
    default: take_word64(job->call, t); break;
  }
}

static void put_tile(const rows_job *job, const tile *t) {
  const gruI_rows *r = job->call;
  for (int64_t row = 0; r->fresh && r->x_inner == 1 && row < r->size; row++)
    memset(moved(t->x, (r->base + row) * r->x_row, job->size), 0, (size_t)(t->width * job->size));
  switch (job->call->dtype) {
    case GRU_BOOL: put_bool(job->call, t); break;
    case GRU_INT64: put_int64(job->call, t); break;
    case GRU_FLOAT32: put_float32(job->call, t); break;
    case GRU_FLOAT64: put_float64(job->call, t); break;
  }
}

static void rows_run(void *context, int64_t index, int worker) {
  const rows_job *job = context;
  int64_t strip = index % job->strips, rest = index / job->strips;
  int64_t run = rest % job->runs, first = rest / job->runs * job->outers;
  int64_t last = gruI_cpu_min(first + job->outers, job->call->outer);
  (void)worker;
  for (int64_t o = first; o < last; o++) {
    tile t = tile_at(job, o, run, strip);
    if (job->put)
      put_tile(job, &t);
    else
      take_tile(job, &t);
  }
}

/* `count` elements for as many jobs as `work` elements are worth, in multiples of `unit`. */
static int64_t part(int64_t count, int64_t work, int64_t unit) {
  int64_t jobs = gruI_cpu_min(work / WORK + 1, MAX_JOBS);
  return gruI_cpu_blocks(gruI_cpu_blocks(count, jobs), unit) * unit;
}

static gru_status run_rows(gruI_device *device, const gruI_rows *r, int put) {
  rows_job job = {.call = r, .put = put, .size = (int)gru_dtype_size(r->dtype)};
  int64_t each = r->count * r->inner;
  gru_status status = check_ids(device, r->ids, r->id_stride, r->count, r->base, r->size);
  if (status != GRU_OK) return status;
  int by_columns = r->outer > 0 && r->count > 0 && r->inner > 0 && gruI_cpu_lies_transposed(r);
  int by_rows = !by_columns && r->count > 0 && r->x_inner == 1; /* each job makes its part zeros */
  if (r->fresh && !by_columns && !by_rows)
    memset(r->x, 0, (size_t)(r->outer * r->size * r->inner) * (size_t)job.size);
  if (r->outer <= 0 || r->count <= 0 || r->inner <= 0) return GRU_OK;
  if (by_columns) return gruI_cpu_columns(device, r, put);
  /* TAKE divides contiguous rows by ids, others along the rows: see STRIP. */
  if (put)
    job.width = part(r->inner, each, LINE / job.size);
  else
    job.width = r->x_inner == 1 ? r->inner : part(r->inner, each, STRIP);
  job.ids = put || job.width < r->inner ? r->count : part(r->count, each, 16);
  job.strips = gruI_cpu_blocks(r->inner, job.width);
  job.runs = gruI_cpu_blocks(r->count, job.ids);
  job.outers = each < WORK ? WORK / each : 1;
  int64_t jobs = gruI_cpu_blocks(r->outer, job.outers) * job.runs * job.strips;
  return gruI_cpu_parallel(device, jobs, rows_run, &job);
}

gru_status gruI_cpu_take(gruI_device *device, const gruI_rows *call) {
  return run_rows(device, call, 0);
}

gru_status gruI_cpu_put(gruI_device *device, const gruI_rows *call) {
  return run_rows(device, call, 1);
}

typedef struct all_job {
  const gruI_rows *calls;
  int64_t count, width; /* of calls; elements of the inner dim a job */
} all_job;

static void all_run(void *context, int64_t strip, int worker) {
  const all_job *all = context;
  (void)worker;
  for (int64_t i = 0; i < all->count; i++) {
    const gruI_rows *r = &all->calls[i];
    rows_job job = {.call = r, .size = (int)gru_dtype_size(r->dtype), .width = all->width};
    job.ids = r->count;
    tile t = tile_at(&job, 0, 0, strip);
    put_tile(&job, &t);
  }
}

gru_status gruI_cpu_put_all(gruI_device *device, const gruI_rows *calls, int64_t count) {
  int64_t rows = 0, inner = calls->inner, size = (int64_t)gru_dtype_size(calls->dtype);
  for (int64_t i = 0; i < count; i++) {
    const gruI_rows *r = &calls[i];
    gru_status status = check_ids(device, r->ids, r->id_stride, r->count, r->base, r->size);
    if (status != GRU_OK) return status;
    rows += r->count;
  }
  if (inner <= 0) return GRU_OK;
  all_job all = {.calls = calls, .count = count, .width = part(inner, rows * inner, WIDE / size)};
  return gruI_cpu_parallel(device, gruI_cpu_blocks(inner, all.width), all_run, &all);
}

/* ---- gather and scatter ------------------------------------------------------------ */

/* One dim other than `dim` is divided among the jobs; each walks its part in row-major order. */
typedef struct along_job {
  const gruI_along *call;
  int split;                                        /* the divided dim */
  int64_t part;                                     /* positions of it a job */
  int checking;                                     /* only look for an id outside: */
  int64_t bad_id[MAX_JOBS], bad_position[MAX_JOBS]; /* -1: none */
} along_job;

/* A row of the innermost dim: where it starts in ids, x and other, and its length. */
typedef struct along_row {
  const int64_t *ids;
  char *x, *other; /* x: at id 0, so possibly outside */
  int64_t length, position;
} along_row;

/* One type's loop over a row: `statement` is about *at in x and *with in other. */
#define ALONG(T, name, statement) \
  static void name##_##T(const gruI_along *a, const along_row *row) { \
    int last = a->ndim - 1; \
    int64_t is = a->id_stride[last], os = a->other_stride[last], xd = a->x_stride[a->dim]; \
    int64_t xs = last == a->dim ? 0 : a->x_stride[last]; \
    for (int64_t i = 0; i < row->length; i++) { \
      T *at = (void *)moved(row->x, i * xs + row->ids[i * is] * xd, sizeof(T)); \
      T *with = (void *)moved(row->other, i * os, sizeof(T)); \
      statement; \
    } \
  }

ALONG(word8, gather, *with = *at)
ALONG(word32, gather, *with = *at)
ALONG(word64, gather, *with = *at)
ALONG(word8, scatter, *at = *with)
ALONG(word32, scatter, *at = *with)
ALONG(word64, scatter, *at = *with)
ALONG(uint8_t, add, *at |= *with)
ALONG(uint64_t, add, *at += *with)
ALONG(float, add, *at += *with)
ALONG(double, add, *at += *with)

typedef void (*along_fn)(const gruI_along *, const along_row *);

static along_fn choose_along(const gruI_along *a) {
  static const along_fn moves[2][3] = {{gather_word8, gather_word32, gather_word64},
                                       {scatter_word8, scatter_word32, scatter_word64}};
  static const along_fn adds[] = {add_uint8_t, add_uint64_t, add_float, add_double};
  int size = (int)gru_dtype_size(a->dtype);
  if (a->kind == GRUI_SCATTER_ADD) return adds[a->dtype];
  return moves[a->kind == GRUI_SCATTER][size == 1 ? 0 : size == 4 ? 1 : 2];
}

/* The first id of a row that lies outside; the row's length if none does. */
static int64_t find_outside(const gruI_along *a, const along_row *row) {
  int64_t stride = a->id_stride[a->ndim - 1];
  for (int64_t i = 0; i < row->length; i++)
    if (!is_inside(row->ids[i * stride], a->base, a->size)) return i;
  return row->length;
}

/* The row at `at`; its place in row-major order counts elements of the whole call. */
static along_row row_at(const gruI_along *a, const int64_t *at, int64_t length) {
  int size = (int)gru_dtype_size(a->dtype);
  int64_t id = 0, x = -a->base * a->x_stride[a->dim], other = 0, position = 0;
  for (int d = 0; d < a->ndim; d++) {
    id += at[d] * a->id_stride[d];
    other += at[d] * a->other_stride[d];
    if (d != a->dim) x += at[d] * a->x_stride[d];
    position = position * a->shape[d] + at[d];
  }
  along_row row = {a->ids + id, moved(a->x, x, size), moved(a->other, other, size), length,
                   position};
  return row;
}

/* Checks a row or moves it; false ends the walk. */
static int do_row(along_job *job, int64_t index, along_fn move, const along_row *row) {
  const gruI_along *a = job->call;
  if (!job->checking) {
    move(a, row);
    return 1;
  }
  int64_t i = find_outside(a, row);
  if (i == row->length) return 1;
  job->bad_id[index] = row->ids[i * a->id_stride[a->ndim - 1]];
  job->bad_position[index] = row->position + i;
  return 0;
}

static void along_run(void *context, int64_t index, int worker) {
  along_job *job = context;
  const gruI_along *a = job->call;
  int last = a->ndim - 1;
  int64_t low[GRU_MAX_DIMS] = {0}, high[GRU_MAX_DIMS], at[GRU_MAX_DIMS];
  along_fn move = choose_along(a);
  (void)worker;
  memcpy(high, a->shape, sizeof high);
  low[job->split] = index * job->part;
  high[job->split] = gruI_cpu_min(low[job->split] + job->part, a->shape[job->split]);
  memcpy(at, low, sizeof at);
  if (job->checking) job->bad_position[index] = -1;
  for (;;) {
    along_row row = row_at(a, at, high[last] - low[last]);
    if (!do_row(job, index, move, &row)) return;
    int d = last - 1;
    while (d >= 0 && ++at[d] == high[d]) {
      at[d] = low[d];
      d--;
    }
    if (d < 0) return;
  }
}

static gru_status run_along(gruI_device *device, along_job *job, int64_t jobs) {
  gru_status status;
  int64_t first = -1;
  job->checking = 1;
  status = gruI_cpu_parallel(device, jobs, along_run, job);
  if (status != GRU_OK) return status;
  for (int64_t i = 0; i < jobs; i++)
    if (job->bad_position[i] >= 0 && (first < 0 || job->bad_position[i] < job->bad_position[first]))
      first = i;
  if (first >= 0) return outside(device, job->bad_id[first], job->bad_position[first]);
  job->checking = 0;
  return gruI_cpu_parallel(device, jobs, along_run, job);
}

/* Dims of size 1 go, but for `dim`, which then stands first: so rows are long. */
static gruI_along squeeze(const gruI_along *a) {
  gruI_along s = *a;
  int first = a->ndim == 0 || a->shape[a->dim] == 1;
  s.ndim = first;
  if (first) {
    s.dim = 0;
    s.shape[0] = 1;
    s.x_stride[0] = a->ndim == 0 ? 1 : a->x_stride[a->dim];
  }
  for (int d = 0; d < a->ndim; d++) {
    if (a->shape[d] == 1) continue;
    if (d == a->dim) s.dim = s.ndim;
    s.shape[s.ndim] = a->shape[d];
    s.id_stride[s.ndim] = a->id_stride[d];
    s.x_stride[s.ndim] = a->x_stride[d];
    s.other_stride[s.ndim++] = a->other_stride[d];
  }
  return s;
}

gru_status gruI_cpu_along(gruI_device *device, const gruI_along *call) {
  gruI_along one = squeeze(call);
  along_job job = {.call = &one, .split = -1};
  int64_t work = 1;
  for (int d = 0; d < one.ndim; d++) {
    if (one.shape[d] <= 0) return GRU_OK;
    work *= one.shape[d];
    if (d == one.dim && one.kind != GRUI_GATHER) continue;
    /* The first dim that gives enough jobs, else the largest; inner rows stay whole. */
    int64_t best = job.split < 0 ? 0 : one.shape[job.split];
    if (best < 16 && one.shape[d] > best) job.split = d;
  }
  if (job.split < 0) { /* a vector: in order, at once */
    job.split = 0;
    job.part = one.shape[0];
  } else {
    job.part = part(one.shape[job.split], work, job.split == one.ndim - 1 ? 16 : 1);
  }
  return run_along(device, &job, gruI_cpu_blocks(one.shape[job.split], job.part));
}

/* ---- one-hot ----------------------------------------------------------------------- */

typedef struct one_hot_job {
  const gruI_one_hot *call;
  int64_t rows; /* a job */
} one_hot_job;

static void one_hot_rows(void *context, int64_t index, int worker) {
  const one_hot_job *job = context;
  const gruI_one_hot *h = job->call;
  int64_t first = index * job->rows, last = gruI_cpu_min(first + job->rows, h->count);
  int size = (int)gru_dtype_size(h->dtype);
  (void)worker;
  memset(moved(h->out, first * h->classes, size), 0, (size_t)((last - first) * h->classes * size));
  for (int64_t r = first; r < last; r++) {
    int64_t place = r * h->classes + (h->ids[r] - h->base);
    if (h->dtype == GRU_FLOAT32)
      ((float *)h->out)[place] = 1;
    else
      ((double *)h->out)[place] = 1;
  }
}

gru_status gruI_cpu_one_hot(gruI_device *device, const gruI_one_hot *call) {
  one_hot_job job = {.call = call};
  gru_status status = check_ids(device, call->ids, 1, call->count, call->base, call->classes);
  if (status != GRU_OK) return status;
  if (call->count <= 0 || call->classes <= 0) return GRU_OK;
  job.rows = part(call->count, call->count * call->classes / 4, 1);
  return gruI_cpu_parallel(device, gruI_cpu_blocks(call->count, job.rows), one_hot_rows, &job);
}

/* reduce.c - sums, products, largest and smallest, any and all.
**
** What is reduced is read either along contiguous rows, one result each, or in columns: rows
** of neighbouring results are added up, WIDTH of them at a time.  Few large results are also
** cut into segments, whose totals are merged in order.  All of that follows from the shapes,
** so that results do not depend on the number of threads.
**
** Compiled once per instruction set (GRUI_ISA).
*/
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/map.h"

enum {
  LANES = 32,       /* partial sums of a row */
  CHUNK = 1024,     /* elements of a row that are summed in the element's own precision */
  ROW_CHUNK = 64,   /* and rows, in columns */
  WIDTH = 256,      /* columns at a time */
  EVEN = 16,        /* of which widths are multiples */
  NARROW = 32,      /* contiguous rows shorter than this are joined */
  BLOCK = 65536,    /* elements of a block of the pool, about: 3 microseconds */
  PARTIALS = 4096,  /* totals of segments, at most */
  LONGEST = 1 << 30 /* rows given to a fold at a time */
};

#define REDUCE_PASTE_(name, suffix) name##_##suffix
#define REDUCE_PASTE(name, suffix) REDUCE_PASTE_(name, suffix)

#define T float
#define A double
#define SUM_A double
#define SUM_T float
#define INDEX_T int32_t
#define NO_T (-__builtin_inff())
#define TOP (__builtin_inff())
#define HAS_SUM 1
#define SUFFIX f32
#include "cpu/reduce_ops.inc.h"
#define T double
#define A double
#define SUM_A double
#define SUM_T double
#define INDEX_T int64_t
#define NO_T (-__builtin_inf())
#define TOP (__builtin_inf())
#define HAS_SUM 1
#define SUFFIX f64
#include "cpu/reduce_ops.inc.h"
#define T int64_t
#define A int64_t
#define SUM_A uint64_t /* wraps */
#define SUM_T uint64_t
#define INDEX_T int64_t
#define NO_T INT64_MIN
#define TOP INT64_MAX
#define HAS_SUM 1
#define SUFFIX i64
#include "cpu/reduce_ops.inc.h"
#define T uint8_t
#define A int64_t
#define INDEX_T int64_t
#define NO_T 0
#define TOP 1
#define HAS_SUM 0
#define SUFFIX b8
#include "cpu/reduce_ops.inc.h"

/* ---- folds ------------------------------------------------------------------------- */

typedef struct reducer {
  void (*start)(int64_t width, int64_t at, void *acc, int64_t *index);
  void (*rows)(const void *from, int64_t n, int64_t stride, int64_t width, int64_t apart,
               int64_t at, void *acc, int64_t *index);
  void (*columns)(const void *from, int64_t n, int64_t stride, int64_t width, int64_t at, void *acc,
                  int64_t *index);
  void (*merge)(int64_t width, const void *from, const int64_t *from_index, void *acc,
                int64_t *index);
  void (*finish)(int64_t width, const void *acc, void *out);
} reducer;

#define REDUCER(name, suffix) \
  { \
    name##_start_##suffix, name##_rows_##suffix, name##_columns_##suffix, name##_merge_##suffix, \
        finish_##suffix \
  }
#define REDUCERS(suffix) \
  [GRUI_SUM] = REDUCER(sum, suffix), [GRUI_PROD] = REDUCER(prod, suffix), \
  [GRUI_MAX] = REDUCER(max, suffix), [GRUI_MIN] = REDUCER(min, suffix)

static const reducer reducers[4][6] = {
    [GRU_FLOAT32] = {REDUCERS(f32)},
    [GRU_FLOAT64] = {REDUCERS(f64)},
    [GRU_INT64] = {REDUCERS(i64)},
    /* of 0 and 1, any is the largest and all the smallest */
    [GRU_BOOL] = {[GRUI_MAX] = REDUCER(max, b8),
                  [GRUI_MIN] = REDUCER(min, b8),
                  [GRUI_ANY] = REDUCER(max, b8),
                  [GRUI_ALL] = REDUCER(min, b8)},
};

/* ---- the plan ---------------------------------------------------------------------- */

typedef union total {
  double real;
  int64_t integer;
} total;

/* A unit is a run of up to `width` neighbouring results; a group of units, or a segment of one,
** is a block of the pool. */
typedef struct plan {
  const gruI_reduce *call;
  const reducer *r;
  int64_t size; /* bytes of an element */
  int nkeep, nred;
  int64_t keep[GRU_MAX_DIMS], keep_stride[GRU_MAX_DIMS];
  int64_t red[GRU_MAX_DIMS], red_stride[GRU_MAX_DIMS];
  int64_t results, rows;  /* products of keep and red */
  int by_columns;         /* results lie side by side in the input, what they reduce does not */
  int64_t line, per_line; /* results along the last kept dim, units in them */
  int64_t width;
  int64_t units, group;
  int64_t segments, segment; /* how many, and rows in each */
  total *partial;            /* [segment][result], where there are several */
  int64_t *partial_index;
} plan;

/* Joins neighbouring dims where their strides allow, and drops those of size 1; at least one
** dim remains. */
static int join_dims(int ndim, const int64_t *shape, const int64_t *stride, int64_t *to_shape,
                     int64_t *to_stride) {
  int n = 0;
  for (int d = 0; d < ndim; d++) {
    if (shape[d] == 1) continue;
    if (n > 0 && to_stride[n - 1] == stride[d] * shape[d]) {
      to_shape[n - 1] *= shape[d];
      to_stride[n - 1] = stride[d];
      continue;
    }
    to_shape[n] = shape[d];
    to_stride[n++] = stride[d];
  }
  if (n > 0) return n;
  to_shape[0] = 1;
  to_stride[0] = 1;
  return 1;
}

/* Where no positions are wanted, what is reduced may be walked as it lies in memory. */
static void sort_dims(int ndim, int64_t *shape, int64_t *stride) {
  for (int i = 1; i < ndim; i++)
    for (int d = i; d > 0 && stride[d - 1] < stride[d]; d--) {
      int64_t size = shape[d], step = stride[d];
      shape[d] = shape[d - 1], stride[d] = stride[d - 1];
      shape[d - 1] = size, stride[d - 1] = step;
    }
}

/* Units: how results are taken together. */
static void plan_units(plan *p) {
  p->line = p->keep[p->nkeep - 1];
  p->by_columns = p->line > 1 && p->keep_stride[p->nkeep - 1] == 1 &&
                  (p->red_stride[p->nred - 1] != 1 || p->rows == 1);
  int64_t wanted = p->by_columns || p->rows == 0 ? WIDTH : 1 + BLOCK / p->rows;
  p->width = gruI_cpu_min(p->line, gruI_cpu_min(wanted, WIDTH));
  p->per_line = p->line == 0 ? 0 : gruI_cpu_blocks(p->line, p->width);
  if (p->by_columns && p->per_line > 1) { /* all about as wide */
    p->width = gruI_cpu_blocks(gruI_cpu_blocks(p->line, p->per_line), EVEN) * EVEN;
    p->per_line = gruI_cpu_blocks(p->line, p->width);
  }
  p->units = p->line == 0 ? 0 : p->results / p->line * p->per_line;
}

/* Blocks: units in groups, or cut into segments. */
static void plan_blocks(plan *p) {
  int64_t unit = p->rows * p->width; /* elements */
  p->segments = 1;
  p->segment = p->rows;
  if (p->results * p->rows <= BLOCK * GRUI_SERIAL_BLOCKS) {
    p->group = p->units;
    return;
  }
  p->group = unit >= BLOCK ? 1 : BLOCK / unit;
  if (unit < 2 * BLOCK || p->units >= 16 || p->results > PARTIALS / 2) return;
  int64_t most = gruI_cpu_min(PARTIALS / p->results, unit / BLOCK);
  p->segment = gruI_cpu_blocks(p->rows, most);
  p->segments = gruI_cpu_blocks(p->rows, p->segment);
}

static void plan_reduce(plan *p, const gruI_reduce *call) {
  int64_t red[GRU_MAX_DIMS], red_stride[GRU_MAX_DIMS];
  p->call = call;
  p->r = &reducers[call->dtype][call->kind];
  p->size = call->dtype == GRU_BOOL ? 1 : call->dtype == GRU_FLOAT32 ? 4 : 8;
  p->nkeep = join_dims(call->nkeep, call->keep, call->keep_stride, p->keep, p->keep_stride);
  memcpy(red, call->red, sizeof red);
  memcpy(red_stride, call->red_stride, sizeof red_stride);
  if (call->out_index == NULL) sort_dims(call->nred, red, red_stride);
  p->nred = join_dims(call->nred, red, red_stride, p->red, p->red_stride);
  p->results = gruI_cpu_count(p->nkeep, p->keep);
  p->rows = gruI_cpu_count(p->nred, p->red);
  plan_units(p);
  if (p->units > 0) plan_blocks(p);
}

/* ---- blocks ------------------------------------------------------------------------ */

/* Contiguous short rows, m of them side by side, are m * width columns; the m sets of totals
** are then merged. */
static void fold_narrow(const plan *p, const char *from, int64_t n, int64_t width, total *acc) {
  int64_t m = 2 * NARROW / width, whole = n / m, wide = m * width;
  total many[2 * NARROW];
  if (whole > 0) {
    p->r->start(wide, 0, many, NULL);
    p->r->columns(from, whole, wide, wide, 0, many, NULL);
    for (int64_t i = 0; i < m; i++) p->r->merge(width, many + i * width, NULL, acc, NULL);
  }
  p->r->columns(from + whole * wide * p->size, n - whole * m, width, width, 0, acc, NULL);
}

/* Folds rows first .. end - 1 of a unit whose first element is at `from`. */
static void fold_unit(const plan *p, const char *from, int64_t width, int64_t first, int64_t end,
                      total *acc, int64_t *index) {
  int last = p->nred - 1;
  int64_t stride = p->red_stride[last];
  p->r->start(width, first, acc, index);
  while (first < end) {
    int64_t rest = first, offset = 0, inner = first % p->red[last], n;
    for (int d = last; d >= 0; d--) {
      offset += rest % p->red[d] * p->red_stride[d];
      rest /= p->red[d];
    }
    n = gruI_cpu_min(gruI_cpu_min(p->red[last] - inner, end - first), LONGEST);
    const char *run = from + offset * p->size;
    if (!p->by_columns)
      p->r->rows(run, n, stride, width, p->keep_stride[p->nkeep - 1], first, acc, index);
    else if (width < NARROW && stride == width && index == NULL && n > 1)
      fold_narrow(p, run, n, width, acc);
    else
      p->r->columns(run, n, stride, width, first, acc, index);
    first += n;
  }
}

/* Where the results of a unit begin: their number, their first element, their count. */
static int64_t locate_unit(const plan *p, int64_t unit, const char **from, int64_t *width) {
  int64_t column = unit % p->per_line * p->width;
  int64_t result = unit / p->per_line * p->line + column, rest = result, offset = 0;
  for (int d = p->nkeep - 1; d >= 0; d--) {
    offset += rest % p->keep[d] * p->keep_stride[d];
    rest /= p->keep[d];
  }
  *from = (const char *)p->call->in + offset * p->size;
  *width = gruI_cpu_min(p->width, p->line - column);
  return result;
}

static void finish_results(const plan *p, int64_t result, int64_t width, const total *acc,
                           const int64_t *index) {
  const gruI_reduce *call = p->call;
  if (call->out != NULL) p->r->finish(width, acc, (char *)call->out + result * p->size);
  for (int64_t c = 0; c < width && call->out_index != NULL; c++)
    call->out_index[result + c] = call->base + index[c];
}

static void reduce_group(void *context, int64_t block, int worker) {
  const plan *p = context;
  int64_t end = gruI_cpu_min((block + 1) * p->group, p->units);
  total acc[WIDTH];
  int64_t place[WIDTH], *index = p->call->out_index != NULL ? place : NULL;
  (void)worker;
  for (int64_t unit = block * p->group; unit < end; unit++) {
    const char *from;
    int64_t width, result = locate_unit(p, unit, &from, &width);
    fold_unit(p, from, width, 0, p->rows, acc, index);
    finish_results(p, result, width, acc, index);
  }
}

static void reduce_segment(void *context, int64_t block, int worker) {
  const plan *p = context;
  int64_t segment = block / p->units, first = segment * p->segment, width;
  const char *from;
  int64_t at = segment * p->results + locate_unit(p, block % p->units, &from, &width);
  (void)worker;
  fold_unit(p, from, width, first, gruI_cpu_min(first + p->segment, p->rows), p->partial + at,
            p->partial_index != NULL ? p->partial_index + at : NULL);
}

/* Segments of all units, merged in order. */
static gru_status reduce_segments(gruI_device *device, plan *p) {
  total partial[PARTIALS];
  int64_t index[PARTIALS];
  p->partial = partial;
  p->partial_index = p->call->out_index != NULL ? index : NULL;
  gru_status status = gruI_cpu_parallel(device, p->units * p->segments, reduce_segment, p);
  if (status != GRU_OK) return status;
  for (int64_t s = 1; s < p->segments; s++)
    p->r->merge(p->results, partial + s * p->results, index + s * p->results, partial,
                p->partial_index);
  finish_results(p, 0, p->results, partial, index);
  return GRU_OK;
}

gru_status GRUI_ISA_NAME(gruI_cpu_reduce)(gruI_device *device, const gruI_reduce *call) {
  plan p;
  plan_reduce(&p, call);
  if (p.r->rows == NULL)
    return gruI_cpu_fail(device, GRU_ERROR_DTYPE, "no reduction %d for dtype %d", (int)call->kind,
                         (int)call->dtype);
  if (p.units == 0) return GRU_OK;
  if (p.segments > 1) return reduce_segments(device, &p);
  return gruI_cpu_parallel(device, gruI_cpu_blocks(p.units, p.group), reduce_group, &p);
}

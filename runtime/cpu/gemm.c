/* gemm.c - products of matrices: c (= or +=) op(a) op(b).
**
** Products of floats go to our own kernels where the processor has AVX2: to gemv.c those of a few rows
** or columns, which read the matrix once, to gemm_panels.c the rest.  Without AVX2 they are BLAS's, whose
** gemv is 4 times gemm.
**
** A product is cut into a grid of blocks of c; each is one single-threaded BLAS call over the
** whole of k, and the pool runs them.  The grid follows from (m, n, k) alone, and no sum is
** split between threads, so the bits do not depend on how many there are.  (OpenBLAS's own
** threads would split k.)
**
** int64, and matrices that BLAS's int arguments cannot describe, take plain loops.
*/
#include <string.h>

#include "cpu/blas.h"
#include "cpu/cpu.h"
#include "cpu/gemv.h"
#include "cpu/panel.h"

enum {
  MAX_INT = 0x7fffffff,
  CHUNK = 1 << 30,     /* the most rows, columns or terms of one BLAS call */
  MAX_BLOCKS = 32,     /* of one product */
  GEMM_WORK = 1 << 20, /* multiplications that are worth a block: about 20 us */
  GEMV_WORK = 1 << 16,
  LOOP_WORK = 1 << 15,
  THIN = GRUI_GEMV_VECTORS, /* rows or columns that gemv does, BLAS's one by one ... */
  THIN_WORK = 1 << 12,      /* ... with a matrix of at least so many elements */
  MIN_COLS = 32
};

typedef struct product {
  const gruI_gemm *call;
  gruI_gemv_function gemv; /* ours, else NULL */
  const gruI_blas *blas;   /* else; NULL: plain loops */
  int64_t rows, cols;      /* of a block */
  int64_t down, across;    /* blocks in the grid */
  int64_t together;        /* products that make up one job, where the grid is 1 x 1 */
  enum { THICK, THIN_ROWS, THIN_COLS } form;
} product;

/* c[i0 .. i1, j0 .. j1] of product `item`. */
typedef struct block {
  int64_t item, i0, i1, j0, j1;
} block;

/* ---- plain loops ------------------------------------------------------------------- */

/* One type's loops: rows of c from rows of b where those are contiguous, else sums.
** int64 is multiplied as uint64, where overflow wraps.  `ar`, `ac`: strides of op(a). */
#define PLAIN_LOOPS(name, T) \
  static void name##_rows(const gruI_gemm *g, const T *a, int64_t ar, int64_t ac, const T *b, \
                          T *c, int64_t m, int64_t n) { \
    for (int64_t p0 = 0; p0 < g->k; p0 += 64) \
      for (int64_t i = 0; i < m; i++) \
        for (int64_t p = p0; p < gruI_cpu_min(p0 + 64, g->k); p++) { \
          const T x = a[i * ar + p * ac], *row = b + p * g->ldb; \
          T *out = c + i * g->ldc; \
          for (int64_t j = 0; j < n; j++) out[j] += x * row[j]; \
        } \
  } \
  static void name##_sums(const gruI_gemm *g, const T *a, int64_t ar, int64_t ac, const T *b, \
                          T *c, int64_t m, int64_t n) { \
    for (int64_t i = 0; i < m; i++) \
      for (int64_t j = 0; j < n; j++) { \
        const T *x = a + i * ar, *y = b + j * g->ldb; \
        T sum = 0; \
        for (int64_t p = 0; p < g->k; p++) sum += x[p * ac] * y[p]; \
        c[i * g->ldc + j] += sum; \
      } \
  } \
  static void name(const gruI_gemm *g, const block *at) { \
    const T *a = (const T *)g->a + at->item * g->batch_a; \
    const T *b = (const T *)g->b + at->item * g->batch_b; \
    T *c = (T *)g->c + at->item * g->batch_c + at->i0 * g->ldc + at->j0; \
    int64_t ar = g->trans_a ? 1 : g->lda, ac = g->trans_a ? g->lda : 1; \
    int64_t m = at->i1 - at->i0, n = at->j1 - at->j0; \
    a += at->i0 * ar; \
    if (g->trans_b) \
      name##_sums(g, a, ar, ac, b + at->j0 * g->ldb, c, m, n); \
    else \
      name##_rows(g, a, ar, ac, b + at->j0, c, m, n); \
  }

PLAIN_LOOPS(plain_u64, uint64_t)
PLAIN_LOOPS(plain_f32, float)
PLAIN_LOOPS(plain_f64, double)

static void zero(const gruI_gemm *g, const block *at) {
  int64_t size = (int64_t)gru_dtype_size(g->dtype);
  char *c = (char *)g->c + (at->item * g->batch_c + at->i0 * g->ldc + at->j0) * size;
  for (int64_t i = at->i0; i < at->i1; i++, c += g->ldc * size)
    memset(c, 0, (size_t)((at->j1 - at->j0) * size));
}

static void multiply_plain(const gruI_gemm *g, const block *at) {
  if (!g->accumulate) zero(g, at);
  switch (g->dtype) {
    case GRU_FLOAT32: plain_f32(g, at); break;
    case GRU_FLOAT64: plain_f64(g, at); break;
    default: plain_u64(g, at); break;
  }
}

/* ---- BLAS -------------------------------------------------------------------------- */

/* A block in BLAS's terms.  A matrix with a single row may come with any row stride, but BLAS
** wants one that covers the columns. */
typedef struct operands {
  const char *a, *b;
  char *c;
  int64_t step_a, step_b; /* bytes per term of the sum */
  int m, n, lda, ldb, ldc;
} operands;

static int leading(int64_t stride, int64_t rows, int64_t cols) {
  int64_t least = cols > 0 ? cols : 1;
  return (int)(rows <= 1 || stride < least ? least : stride);
}

static operands locate(const gruI_gemm *g, const block *at) {
  int64_t size = (int64_t)gru_dtype_size(g->dtype);
  int64_t m = g->trans_a ? g->k : g->m, ca = g->trans_a ? g->m : g->k;
  int64_t k = g->trans_b ? g->n : g->k, cb = g->trans_b ? g->k : g->n;
  int lda = leading(g->lda, m, ca), ldb = leading(g->ldb, k, cb);
  int64_t a = at->item * g->batch_a + at->i0 * (g->trans_a ? 1 : lda);
  int64_t b = at->item * g->batch_b + at->j0 * (g->trans_b ? ldb : 1);
  int64_t c = at->item * g->batch_c + at->i0 * g->ldc + at->j0;
  operands x;
  x.a = (const char *)g->a + a * size;
  x.b = (const char *)g->b + b * size;
  x.c = (char *)g->c + c * size;
  x.step_a = size * (g->trans_a ? lda : 1);
  x.step_b = size * (g->trans_b ? 1 : ldb);
  x.m = (int)(at->i1 - at->i0);
  x.n = (int)(at->j1 - at->j0);
  x.lda = lda;
  x.ldb = ldb;
  x.ldc = leading(g->ldc, g->m, g->n);
  return x;
}

static void call_gemm(const product *p, const operands *x, int k, int add) {
  const gruI_gemm *g = p->call;
  int ta = g->trans_a ? GRUI_BLAS_TRANS : GRUI_BLAS_PLAIN;
  int tb = g->trans_b ? GRUI_BLAS_TRANS : GRUI_BLAS_PLAIN;
  if (g->dtype == GRU_FLOAT32)
    p->blas->sgemm(GRUI_BLAS_ROW_MAJOR, ta, tb, x->m, x->n, k, 1.0f, (const float *)x->a, x->lda,
                   (const float *)x->b, x->ldb, (float)add, (float *)x->c, x->ldc);
  else
    p->blas->dgemm(GRUI_BLAS_ROW_MAJOR, ta, tb, x->m, x->n, k, 1.0, (const double *)x->a, x->lda,
                   (const double *)x->b, x->ldb, add, (double *)x->c, x->ldc);
}

/* y += op(w) x.  The matrix w is b for a row of c, and a for a column. */
static void call_gemv(const product *p, const operands *x, int k) {
  const gruI_gemm *g = p->call;
  int by_cols = p->form == THIN_COLS;
  int trans = by_cols ? g->trans_a : !g->trans_b;
  int outputs = by_cols ? x->m : x->n;
  int rows = trans ? k : outputs, cols = trans ? outputs : k;
  int op = trans ? GRUI_BLAS_TRANS : GRUI_BLAS_PLAIN;
  const char *w = by_cols ? x->a : x->b, *v = by_cols ? x->b : x->a;
  int ldw = by_cols ? x->lda : x->ldb;
  int step_v = by_cols ? (g->trans_b ? 1 : x->ldb) : (g->trans_a ? x->lda : 1);
  int step_y = by_cols ? x->ldc : 1;
  if (g->dtype == GRU_FLOAT32)
    p->blas->sgemv(GRUI_BLAS_ROW_MAJOR, op, rows, cols, 1.0f, (const float *)w, ldw,
                   (const float *)v, step_v, 1.0f, (float *)x->c, step_y);
  else
    p->blas->dgemv(GRUI_BLAS_ROW_MAJOR, op, rows, cols, 1.0, (const double *)w, ldw,
                   (const double *)v, step_v, 1.0, (double *)x->c, step_y);
}

/* Every row, or every column, of a thin block. */
static void call_gemvs(const product *p, const operands *x, int k) {
  const gruI_gemm *g = p->call;
  int64_t size = (int64_t)gru_dtype_size(g->dtype);
  operands one = *x;
  int count = p->form == THIN_ROWS ? x->m : x->n;
  for (int i = 0; i < count; i++) {
    call_gemv(p, &one, k);
    if (p->form == THIN_ROWS) {
      one.a += size * (g->trans_a ? 1 : x->lda);
      one.c += size * x->ldc;
    } else {
      one.b += size * (g->trans_b ? x->ldb : 1);
      one.c += size;
    }
  }
}

static void multiply_blas(const product *p, const block *at) {
  const gruI_gemm *g = p->call;
  operands x = locate(g, at);
  int add = g->accumulate;
  /* gemv with beta = 0 may keep a NaN that happened to lie in y. */
  if (p->form != THICK && !add) zero(g, at);
  for (int64_t k = 0; k < g->k; k += CHUNK) {
    int terms = (int)gruI_cpu_min(CHUNK, g->k - k);
    if (p->form != THICK)
      call_gemvs(p, &x, terms);
    else
      call_gemm(p, &x, terms, add);
    x.a += x.step_a * terms;
    x.b += x.step_b * terms;
    add = 1;
  }
}

/* ---- our own gemv --------------------------------------------------------------------- */

static void multiply_thin(const product *p, const block *at) {
  const gruI_gemm *g = p->call;
  size_t size = gru_dtype_size(g->dtype);
  int64_t row_a = g->trans_a ? 1 : g->lda, term_a = g->trans_a ? g->lda : 1;
  int64_t col_b = g->trans_b ? g->ldb : 1, term_b = g->trans_b ? 1 : g->ldb;
  const char *a = (const char *)g->a + (size_t)(at->item * g->batch_a + at->i0 * row_a) * size;
  const char *b = (const char *)g->b + (size_t)(at->item * g->batch_b + at->j0 * col_b) * size;
  char *c = (char *)g->c + (size_t)(at->item * g->batch_c + at->i0 * g->ldc + at->j0) * size;
  gruI_gemv call = {.dtype = g->dtype, .terms = g->k, .y = c, .accumulate = g->accumulate};
  if (p->form == THIN_ROWS) {
    call.vectors = (int)(at->i1 - at->i0), call.outputs = at->j1 - at->j0;
    call.w = b, call.ldw = g->ldb, call.by_rows = g->trans_b;
    call.x = a, call.x_vector = row_a, call.x_term = term_a;
    call.y_vector = g->ldc, call.y_output = 1;
  } else {
    call.vectors = (int)(at->j1 - at->j0), call.outputs = at->i1 - at->i0;
    call.w = a, call.ldw = g->lda, call.by_rows = !g->trans_a;
    call.x = b, call.x_vector = col_b, call.x_term = term_b;
    call.y_vector = 1, call.y_output = g->ldc;
  }
  p->gemv(&call);
}

/* Do strides and sizes fit BLAS's ints, with rows that do not overlap? */
static int suits_blas(const gruI_gemm *g) {
  int64_t ra = g->trans_a ? g->k : g->m, ca = g->trans_a ? g->m : g->k;
  int64_t rb = g->trans_b ? g->n : g->k, cb = g->trans_b ? g->k : g->n;
  if (g->dtype != GRU_FLOAT32 && g->dtype != GRU_FLOAT64) return 0;
  if (ca > MAX_INT || cb > MAX_INT || g->n > MAX_INT) return 0;
  return (ra <= 1 || (g->lda >= ca && g->lda <= MAX_INT)) &&
         (rb <= 1 || (g->ldb >= cb && g->ldb <= MAX_INT)) &&
         (g->m <= 1 || (g->ldc >= g->n && g->ldc <= MAX_INT));
}

/* ---- the grid ---------------------------------------------------------------------- */

static int64_t round_up(int64_t x, int64_t to) { return gruI_cpu_blocks(x, to) * to; }

/* A side of `length` in `parts`, in multiples of `unit`; never longer than a BLAS call takes. */
static int64_t side(int64_t length, int64_t parts, int64_t unit) {
  int64_t part = round_up(gruI_cpu_blocks(length, parts), unit);
  return gruI_cpu_min(part, CHUNK);
}

/* A single row or column always is thin. */
static void choose_form(product *p) {
  const gruI_gemm *g = p->call;
  int64_t thin = gruI_cpu_min(g->m, g->n), other = g->m + g->n - thin;
  p->form = THICK;
  if ((p->gemv == NULL && p->blas == NULL) || thin > THIN) return;
  if (p->gemv == NULL && thin > 1 && (double)other * (double)g->k < THIN_WORK) return;
  p->form = g->n <= g->m ? THIN_COLS : THIN_ROWS;
}

/* What a grid costs beside one call: every block packs its columns of b and its rows of a
** anew.  In units of about 6 times the work (measured: 0.009 is 5 %). */
static double grid_cost(const gruI_gemm *g, int64_t down, int64_t across) {
  return (double)(across - 1) / (double)g->n + 1.25 * (double)(down - 1) / (double)g->m;
}

/* Eight blocks may cost 5 %, more of them 2 %; thin products hide some of it. */
static int is_fine(const gruI_gemm *g, int64_t down, int64_t across) {
  double most = down * across > 8 ? 0.0035 : g->m <= 64 ? 0.012 : 0.009;
  if (across > 1 && g->n / across < MIN_COLS) return 0;
  return grid_cost(g, down, across) <= most;
}

/* Blocks are halved, the cheaper way, until there are enough or they are too small. */
static void choose_grid(product *p) {
  const gruI_gemm *g = p->call;
  double least = p->form != THICK ? GEMV_WORK : p->blas != NULL ? GEMM_WORK : LOOP_WORK;
  double work = (double)g->m * (double)g->n * (double)(g->k > 0 ? g->k : 1);
  int64_t down = 1, across = 1;
  for (; down * across < MAX_BLOCKS && work >= 2 * least; work /= 2) {
    int by_rows = is_fine(g, 2 * down, across), by_cols = is_fine(g, down, 2 * across);
    if (by_rows && by_cols)
      by_cols = grid_cost(g, down, 2 * across) <= grid_cost(g, 2 * down, across);
    if (by_cols)
      across *= 2;
    else if (by_rows)
      down *= 2;
    else
      break;
  }
  p->rows = side(g->m, down, 8);
  p->cols = side(g->n, across, 32);
  p->down = gruI_cpu_blocks(g->m, p->rows);
  p->across = gruI_cpu_blocks(g->n, p->cols);
  p->together = 1;
  if (p->down * p->across == 1 && work < least)
    p->together = work * (double)g->batch <= least ? g->batch : (int64_t)(least / work) + 1;
}

static void multiply(const product *p, int64_t item, int64_t i, int64_t j) {
  const gruI_gemm *g = p->call;
  block at = {item, i * p->rows, gruI_cpu_min((i + 1) * p->rows, g->m), j * p->cols,
              gruI_cpu_min((j + 1) * p->cols, g->n)};
  if (g->k == 0 && !g->accumulate) zero(g, &at);
  if (g->k == 0) return;
  if (p->gemv != NULL)
    multiply_thin(p, &at);
  else if (p->blas == NULL)
    multiply_plain(g, &at);
  else
    multiply_blas(p, &at);
}

static void multiply_job(void *context, int64_t index, int worker) {
  const product *p = context;
  int64_t grid = p->down * p->across;
  (void)worker;
  if (grid > 1) {
    int64_t place = index % grid;
    multiply(p, index / grid, place / p->across, place % p->across);
    return;
  }
  int64_t last = gruI_cpu_min((index + 1) * p->together, p->call->batch);
  for (int64_t item = index * p->together; item < last; item++) multiply(p, item, 0, 0);
}

/* Measured on AVX2 and AVX-512: our own kernels, packing included, are faster than OpenBLAS's, and
** with few rows much faster; those of the baseline are not. */
static int suits_ours(const gruI_device *device, const gruI_gemm *call) {
  int is_float = call->dtype == GRU_FLOAT32 || call->dtype == GRU_FLOAT64;
  return is_float && call->k > 0 && gruI_cpu_isa_of(device)->panel->lanes(GRU_FLOAT32) >= 8;
}

static int suits_panels(const gruI_device *device, const gruI_gemm *call) {
  return gruI_cpu_min(call->m, call->n) > THIN && suits_ours(device, call);
}

gru_status gruI_cpu_gemm(gruI_device *device, const gruI_gemm *call) {
  product p = {.call = call};
  if (call->batch <= 0 || call->m <= 0 || call->n <= 0) return GRU_OK;
  if (suits_panels(device, call)) return gruI_cpu_gemm_panels(device, call, NULL);
  if (suits_ours(device, call)) {
    p.gemv = gruI_cpu_isa_of(device)->gemv;
  } else if (call->k > 0 && suits_blas(call)) {
    gru_status status = gruI_blas_get(device, &p.blas);
    if (status != GRU_OK) return status;
  }
  choose_form(&p);
  choose_grid(&p);
  int64_t jobs = p.down * p.across * gruI_cpu_blocks(call->batch, p.together);
  return gruI_cpu_parallel(device, jobs, multiply_job, &p);
}

int gruI_cpu_gemm_offer(gruI_device *device, const gruI_gemm *call, gruI_offer *offer, void *room) {
  return suits_panels(device, call) && gruI_cpu_gemm_panels_offer(device, call, offer, room);
}

/* ---- and a bias ---------------------------------------------------------------------- */

typedef struct bias_job {
  const gruI_gemm *call;
  const void *bias;
  int64_t rows; /* of a block */
} bias_job;

static void add_bias(void *context, int64_t index, int worker) {
  const bias_job *job = context;
  const gruI_gemm *g = job->call;
  int64_t end = gruI_cpu_min((index + 1) * job->rows, g->m);
  (void)worker;
  for (int64_t i = index * job->rows; i < end; i++)
    if (g->dtype == GRU_FLOAT32) {
      float *c = (float *)g->c + i * g->ldc;
      for (int64_t j = 0; j < g->n; j++) c[j] += ((const float *)job->bias)[j];
    } else {
      double *c = (double *)g->c + i * g->ldc;
      for (int64_t j = 0; j < g->n; j++) c[j] += ((const double *)job->bias)[j];
    }
}

gru_status gruI_cpu_gemm_bias(gruI_device *device, const gruI_gemm *call, const void *bias) {
  if (call->m <= 0 || call->n <= 0) return GRU_OK;
  if (suits_panels(device, call)) return gruI_cpu_gemm_panels(device, call, bias);
  gru_status status = gruI_cpu_gemm(device, call);
  if (status != GRU_OK) return status;
  bias_job job = {call, bias, LOOP_WORK / call->n + 1};
  return gruI_cpu_parallel(device, gruI_cpu_blocks(call->m, job.rows), add_bias, &job);
}

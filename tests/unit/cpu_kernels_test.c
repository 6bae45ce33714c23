/* cpu_kernels_test.c - products and positions of the CPU backend against naive references, on
** random shapes, strides, dtypes and bases.
**
** Every call runs on 1, 2 and 4 threads and must give the same bits each time.  Moves and
** scatters are compared with their references bit for bit, over the whole of the memory
** they might have touched.  Usage: cpu_kernels_test [seed]
*/
#include "cpu/panel.h"
#include "kernels_test.h"

static void add_element(gru_dtype dtype, void *to, const void *from) {
  switch (dtype) {
    case GRU_BOOL: *(uint8_t *)to |= *(const uint8_t *)from; break;
    case GRU_INT64: *(uint64_t *)to += *(const uint64_t *)from; break;
    case GRU_FLOAT32: *(float *)to += *(const float *)from; break;
    case GRU_FLOAT64: *(double *)to += *(const double *)from; break;
  }
}

/* ---- products ---------------------------------------------------------------------- */

/* One element of a reference product: its value, and for floats the sum of |terms|. */
static double gemm_term(const gruI_gemm *g, int64_t b, int64_t i, int64_t j, uint64_t *wrapped,
                        double *scale) {
  double sum = 0;
  *wrapped = 0;
  *scale = 0;
  for (int64_t p = 0; p < g->k; p++) {
    int64_t at = b * g->batch_a + (g->trans_a ? p * g->lda + i : i * g->lda + p);
    int64_t bt = b * g->batch_b + (g->trans_b ? j * g->ldb + p : p * g->ldb + j);
    if (g->dtype == GRU_INT64) {
      *wrapped += ((const uint64_t *)g->a)[at] * ((const uint64_t *)g->b)[bt];
    } else {
      double term = element(g->dtype, g->a, at) * element(g->dtype, g->b, bt);
      sum += term;
      *scale += fabs(term);
    }
  }
  return sum;
}

/* The largest error, over the sum of |terms|; what lies between rows must be as before. */
static double gemm_error(const gruI_gemm *g, const void *before, const void *after, int64_t count) {
  double worst = 0;
  size_t size = gru_dtype_size(g->dtype);
  char *rest = copy_of(after, (size_t)count * size);
  for (int64_t b = 0; b < g->batch; b++)
    for (int64_t i = 0; i < g->m; i++)
      for (int64_t j = 0; j < g->n; j++) {
        int64_t at = b * g->batch_c + i * g->ldc + j;
        uint64_t wrapped;
        double scale, value = gemm_term(g, b, i, j, &wrapped, &scale), error;
        if (g->dtype == GRU_INT64) {
          if (g->accumulate) wrapped += ((const uint64_t *)before)[at];
          error = ((const uint64_t *)after)[at] != wrapped;
        } else {
          double start = g->accumulate ? element(g->dtype, before, at) : 0;
          error = fabs(element(g->dtype, after, at) - value - start);
          error /= scale + fabs(start) > 0 ? scale + fabs(start) : 1;
        }
        if (!(error <= worst)) worst = error;
        memcpy(rest + (size_t)at * size, (const char *)before + (size_t)at * size, size);
      }
  if (memcmp(rest, before, (size_t)count * size) != 0) worst = INFINITY;
  free(rest);
  return worst;
}

/* The same product and a bias: what the product gave, and then the bias. */
static void try_bias(gruI_gemm g, const void *before, const void *product, int64_t count) {
  size_t size = gru_dtype_size(g.dtype);
  void *bias = random_elements(g.dtype, g.n), *want = copy_of(product, (size_t)count * size);
  for (int64_t i = 0; i < g.m; i++)
    for (int64_t j = 0; j < g.n; j++)
      add_element(g.dtype, (char *)want + (size_t)(i * g.ldc + j) * size,
                  (char *)bias + (size_t)j * size);
  for (int d = 0; d < DEVICES; d++) {
    void *c = copy_of(before, (size_t)count * size);
    g.c = c;
    check(gruI_cpu_gemm_bias(&devices[d], &g, bias) == GRU_OK, "bias status", g.m, g.n, g.k);
    check(memcmp(c, want, (size_t)count * size) == 0, "bias", g.m, g.n, g.k);
    free(c);
  }
  free(want), free(bias);
}

/* Matrices (rows, cols) of random elements with NaN, which no kernel may look at, between the rows. */
static void *random_matrices(gru_dtype dtype, int64_t count, int64_t batch, int64_t stride,
                             int64_t rows, int64_t cols, int64_t ld) {
  size_t size = gru_dtype_size(dtype);
  char *all = random_elements(dtype, count), *p = copy_of(all, (size_t)count * size);
  for (int64_t i = 0; i < count; i++) {
    if (dtype == GRU_FLOAT32) ((float *)(void *)p)[i] = NAN;
    if (dtype == GRU_FLOAT64) ((double *)(void *)p)[i] = NAN;
  }
  for (int64_t i = 0; i < batch; i++)
    for (int64_t r = 0; r < rows; r++) {
      size_t at = (size_t)(i * stride + r * ld) * size;
      memcpy(p + at, all + at, (size_t)cols * size);
    }
  free(all);
  return p;
}

static void try_gemm(gru_dtype dtype, int64_t batch, int64_t m, int64_t n, int64_t k) {
  gruI_gemm g = {.dtype = dtype, .batch = batch, .m = m, .n = n, .k = k};
  size_t size = gru_dtype_size(dtype);
  g.trans_a = (int)below(2);
  g.trans_b = (int)below(2);
  g.accumulate = (int)below(2);
  g.lda = (g.trans_a ? m : k) + below(3);
  g.ldb = (g.trans_b ? k : n) + below(3);
  g.ldc = n + below(3);
  if ((g.trans_a ? k : m) == 1 && below(2)) g.lda = below(2);
  if ((g.trans_b ? n : k) == 1 && below(2)) g.ldb = below(2);
  int64_t rows_a = g.trans_a ? k : m, rows_b = g.trans_b ? n : k;
  g.batch_a = below(3) ? rows_a * (g.lda + k + m) : 0;
  g.batch_b = below(3) ? rows_b * (g.ldb + k + n) : 0;
  g.batch_c = m * g.ldc;
  int64_t count = g.batch_c * batch + 1;
  void *a = random_matrices(dtype, batch * rows_a * (g.lda + k + m) + 1, batch, g.batch_a, rows_a,
                            g.trans_a ? m : k, g.lda);
  void *b = random_matrices(dtype, batch * rows_b * (g.ldb + k + n) + 1, batch, g.batch_b, rows_b,
                            g.trans_b ? k : n, g.ldb);
  void *before = random_elements(dtype, count), *first = NULL;
  if (dtype == GRU_FLOAT32 && !g.accumulate && m > 0 && n > 0) ((float *)before)[0] = NAN;
  g.a = a;
  g.b = b;
  for (int d = 0; d < DEVICES; d++) {
    void *c = copy_of(before, (size_t)count * size);
    g.c = c;
    check(gruI_cpu_gemm(&devices[d], &g) == GRU_OK, "gemm status", m, n, k);
    if (d == 0) {
      double error = gemm_error(&g, before, c, count);
      check(error <= (dtype == GRU_FLOAT32 ? 2e-6 : 1e-14), "gemm value", m, n, k);
      first = c;
    } else {
      check(memcmp(c, first, (size_t)count * size) == 0, "gemm bits", m, n, k);
      free(c);
    }
  }
  if (batch == 1 && dtype != GRU_INT64) try_bias(g, before, first, count);
  free(first);
  free(before);
  free(b);
  free(a);
}

static void test_gemm(void) {
  static const gru_dtype dtypes[] = {GRU_INT64, GRU_FLOAT32, GRU_FLOAT64};
  static const int64_t sizes[] = {0, 1, 2, 3, 5, 8, 17, 33, 64};
  for (int i = 0; i < 600; i++)
    try_gemm(dtypes[below(3)], below(4), sizes[below(9)], sizes[below(9)], sizes[below(9)]);
  for (int d = 0; d < 3; d++) { /* large enough for several blocks */
    try_gemm(dtypes[d], 1, 32, 256, 256);
    try_gemm(dtypes[d], 1, 131, 257, 70);
    try_gemm(dtypes[d], 1, 300, 130, 65);
    try_gemm(dtypes[d], 3, 200, 170, 100);
    try_gemm(dtypes[d], 1, 1, 700, 400);
    try_gemm(dtypes[d], 1, 700, 1, 400);
    try_gemm(dtypes[d], 1, 1, 1, 5000);
    try_gemm(dtypes[d], 2, 3, 700, 400);
    try_gemm(dtypes[d], 2, 700, 4, 400);
    try_gemm(dtypes[d], 200, 5, 6, 7);
  }
}

/* Segments against one product of their rows joined, which test_gemm has proved. */
static void try_segments(gru_dtype dtype, int64_t count, int64_t most, int64_t m, int64_t n) {
  size_t size = gru_dtype_size(dtype);
  gruI_segment list[40];
  int64_t k = 0, ldc = n + below(3), elements = m * ldc + 1;
  char *joined_a = fresh((size_t)(count * most * m) * size);
  char *joined_b = fresh((size_t)(count * most * n) * size);
  for (int64_t i = 0; i < count; i++) {
    gruI_segment *s = &list[i];
    *s = (gruI_segment){below(most + 1), m + below(3), n + below(3), NULL, NULL};
    s->a = random_elements(dtype, s->rows * s->lda);
    s->b = random_elements(dtype, s->rows * s->ldb);
    for (int64_t r = 0; r < s->rows; r++, k++) {
      memcpy(joined_a + (size_t)(k * m) * size, (const char *)s->a + (size_t)(r * s->lda) * size,
             (size_t)m * size);
      memcpy(joined_b + (size_t)(k * n) * size, (const char *)s->b + (size_t)(r * s->ldb) * size,
             (size_t)n * size);
    }
  }
  void *before = random_elements(dtype, elements), *want = copy_of(before, (size_t)elements * size);
  int accumulate = (int)below(2);
  gruI_gemm whole = {.dtype = dtype, .trans_a = 1, .accumulate = accumulate, .batch = 1};
  whole.m = m, whole.n = n, whole.k = k;
  whole.a = joined_a, whole.b = joined_b, whole.c = want;
  whole.lda = m, whole.ldb = n, whole.ldc = ldc;
  check(gruI_cpu_gemm(&devices[0], &whole) == GRU_OK, "joined", m, n, k);
  void *first = NULL;
  for (int d = 0; d < DEVICES; d++) {
    void *c = copy_of(before, (size_t)elements * size);
    gruI_segments call = {dtype, accumulate, count, m, n, list, c, ldc};
    check(gruI_cpu_gemm_segments(&devices[d], &call) == GRU_OK, "segments status", m, n, k);
    int right = dtype != GRU_INT64 || memcmp(c, want, (size_t)elements * size) == 0;
    for (int64_t i = 0; i < elements && dtype != GRU_INT64; i++) {
      int inside = i < m * ldc && i % ldc < n;
      double tolerance = !inside ? 0 : dtype == GRU_FLOAT32 ? 2e-6 : 1e-14;
      right &= fabs(element(dtype, c, i) - element(dtype, want, i)) <= tolerance * (double)(k + 1);
    }
    check(right, "segments values", m, n, k);
    if (d == 0) first = copy_of(c, (size_t)elements * size);
    check(memcmp(c, first, (size_t)elements * size) == 0, "segments bits", m, n, k);
    free(c);
  }
  for (int64_t i = 0; i < count; i++)
    free((void *)(uintptr_t)list[i].a), free((void *)(uintptr_t)list[i].b);
  free(first), free(before), free(want), free(joined_a), free(joined_b);
}

/* Products for later, some given up, against the same ones at once: each adds to what the one before
** has written. */
static void try_later(gru_dtype dtype, int64_t m, int64_t n) {
  enum { PRODUCTS = 4, SEGMENTS = 8 };
  size_t size = gru_dtype_size(dtype);
  int64_t ldc = n + below(3), elements = m * ldc;
  gruI_segment list[PRODUCTS][SEGMENTS];
  for (int i = 0; i < PRODUCTS * SEGMENTS; i++) {
    gruI_segment *s = &list[i / SEGMENTS][i % SEGMENTS];
    *s = (gruI_segment){30 + below(8), m + below(3), n + below(3), NULL, NULL};
    s->a = random_elements(dtype, s->rows * s->lda);
    s->b = random_elements(dtype, s->rows * s->ldb);
  }
  void *before = random_elements(dtype, elements), *want = copy_of(before, (size_t)elements * size);
  for (int i = 0; i < PRODUCTS; i++) {
    gruI_segments call = {dtype, 1, SEGMENTS, m, n, list[i], want, ldc};
    check(gruI_cpu_gemm_segments(&devices[0], &call) == GRU_OK, "segments status", m, n, i);
  }
  for (int d = 0; d < DEVICES; d++) {
    void *c = copy_of(before, (size_t)elements * size), *rooms[PRODUCTS];
    for (int withdraw = 1; withdraw >= 0; withdraw--) {
      memcpy(c, before, (size_t)elements * size);
      for (int i = 0; i < PRODUCTS; i++) {
        gruI_segments call = {dtype, 1, SEGMENTS, m, n, list[i], c, ldc};
        size_t bytes = gruI_cpu_later_bytes(&devices[d], &call);
        check(bytes > 0, "later suits", m, n, i);
        if (bytes == 0) return;
        rooms[i] = aligned_alloc(64, (bytes + 63) / 64 * 64);
        gruI_cpu_later_begin(&devices[d], &call, rooms[i]);
      }
      for (int i = 0; i < PRODUCTS; i++) {
        check(gruI_cpu_later_end(&devices[d], rooms[i], withdraw) == GRU_OK, "later status", m, n,
              i);
        check(gruI_cpu_later_is_done(rooms[i]), "later is done", m, n, i);
      }
      for (int i = 0; i < PRODUCTS; i++) free(rooms[i]);
    }
    check(memcmp(c, want, (size_t)elements * size) == 0, "later bits", m, n, d);
    free(c);
  }
  for (int i = 0; i < PRODUCTS * SEGMENTS; i++) {
    free((void *)(uintptr_t)list[i / SEGMENTS][i % SEGMENTS].a);
    free((void *)(uintptr_t)list[i / SEGMENTS][i % SEGMENTS].b);
  }
  free(before), free(want);
}

static void test_later(void) {
  gruI_segment one = {256, 4, 4, NULL, NULL};
  gruI_segments small = {GRU_FLOAT32, 0, 1, 4, 4, &one, NULL, 4};
  gruI_segments integers = {GRU_INT64, 0, 1, 400, 400, &one, NULL, 400};
  check(gruI_cpu_later_bytes(&devices[0], &small) == 0, "later small", 0, 0, 0);
  check(gruI_cpu_later_bytes(&devices[0], &integers) == 0, "later int64", 0, 0, 0);
  if (gruI_cpu_isa_of(&devices[0])->panel->lanes(GRU_FLOAT32) < 8) return; /* BLAS's */
  for (int i = 0; i < 6; i++)
    try_later(i % 2 ? GRU_FLOAT32 : GRU_FLOAT64, 64 + below(80), 64 + below(200));
}

static void test_segments(void) {
  static const gru_dtype dtypes[] = {GRU_INT64, GRU_FLOAT32, GRU_FLOAT64};
  static const int64_t sizes[] = {0, 1, 2, 5, 17, 48, 64, 65, 100};
  for (int i = 0; i < 200; i++)
    try_segments(dtypes[below(3)], 1 + below(40), below(80), sizes[below(9)], sizes[below(9)]);
  for (int d = 1; d < 3; d++) { /* several blocks of k, of columns */
    try_segments(dtypes[d], 35, 100, 70, 33);
    try_segments(dtypes[d], 2, 1500, 17, 1100);
  }
}

/* Up to four rows, one by one and together: our own gemv gives the same bits. */
static void try_thin(gru_dtype dtype, int64_t m, int64_t n, int64_t k) {
  size_t size = gru_dtype_size(dtype);
  gruI_gemm g = {.dtype = dtype, .batch = 1, .m = m, .n = n, .k = k, .ldc = n};
  g.trans_b = (int)below(2);
  g.lda = k, g.ldb = (g.trans_b ? k : n) + below(3);
  char *a = random_elements(dtype, m * k), *b = random_elements(dtype, (n + k + 3) * (n + k + 3));
  char *together = fresh((size_t)(m * n) * size), *alone = fresh((size_t)(m * n) * size);
  g.a = a, g.b = b, g.c = together;
  check(gruI_cpu_gemm(&devices[1], &g) == GRU_OK, "thin status", m, n, k);
  g.m = 1;
  for (int64_t i = 0; i < m; i++) {
    g.a = a + (size_t)(i * k) * size, g.c = alone + (size_t)(i * n) * size;
    check(gruI_cpu_gemm(&devices[0], &g) == GRU_OK, "thin status", m, n, k);
  }
  check(memcmp(together, alone, (size_t)(m * n) * size) == 0, "thin bits", m, n, k);
  free(a), free(b), free(together), free(alone);
}

static void test_thin(void) {
  if (gruI_cpu_isa_of(&devices[0])->panel->lanes(GRU_FLOAT32) < 8) return; /* BLAS's */
  for (int i = 0; i < 200; i++)
    try_thin(i % 2 ? GRU_FLOAT32 : GRU_FLOAT64, 2 + below(3), 5 + below(90), 1 + below(90));
  for (int i = 0; i < 8; i++) /* several blocks of terms, of outputs */
    try_thin(i % 2 ? GRU_FLOAT32 : GRU_FLOAT64, 2 + below(3), 1100 + below(40), 2100 + below(9));
}

/* Products cut into blocks of k and of columns, packed or, with few rows, used as they lie: each
** some times, for the layouts and strides that chance gives. */
static void test_blocked_gemm(void) {
  static const struct {
    int64_t batch, m, n, k;
  } shapes[] = {
      {1, 5, 64, 2000},    /* as it lies, two blocks of k */
      {1, 96, 16, 3000},   /* the same with the most rows */
      {1, 6, 2080, 1030},  /* blocks of k and of columns */
      {1, 5, 1100, 2049},  /* the same, odd */
      {1, 97, 130, 1025},  /* packed, two blocks of k */
      {1, 100, 33, 1},     /* one term */
      {3, 65, 48, 1100},   /* a batch, its items by turns */
      {9, 31, 47, 90},     /* a batch, shared out by item */
      {40, 5, 16, 33},     /* the same, as it lies */
      {1, 75, 129, 1300},  /* where a is transposed: strips, several blocks of k */
      {1, 130, 600, 130},  /* the same, cut anew for each part of the columns */
      {3, 37, 128, 128},   /* the same, shared out by item */
      {1, 140, 700, 620},  /* packed b larger than the second cache */
      {1, 40, 1024, 1300}, /* strips, two passes: of two blocks of k, and of one */
      {1, 301, 64, 200},   /* rows that make no whole number of even blocks */
  };
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int i = 0; i < 8; i++)
      try_gemm(i % 2 ? GRU_FLOAT32 : GRU_FLOAT64, shapes[s].batch, shapes[s].m, shapes[s].n,
               shapes[s].k);
  for (int i = 0; i < 60; i++)
    try_gemm(i % 2 ? GRU_FLOAT32 : GRU_FLOAT64, 1 + below(2), 5 + below(96), 1 + below(130),
             1 + below(200));
}

/* ---- take and put ------------------------------------------------------------------ */

/* Strides of a tensor of `ndim` dims laid out in a random order, with gaps now and then.
** Returns how many elements it spans. */
static int64_t random_strides(int ndim, const int64_t *shape, int64_t *stride) {
  int order[GRU_MAX_DIMS];
  int64_t span = 1 + (below(4) == 0);
  for (int d = 0; d < ndim; d++) order[d] = d;
  for (int d = ndim - 1; d > 0 && below(3); d--) {
    int other = (int)below(d + 1), held = order[d];
    order[d] = order[other];
    order[other] = held;
  }
  for (int d = ndim - 1; d >= 0; d--) {
    stride[order[d]] = span;
    span = span * (shape[order[d]] > 0 ? shape[order[d]] : 1) + (below(4) == 0);
  }
  return span;
}

static void rows_reference(const gruI_rows *r, int put, char *x, char *packed) {
  size_t size = gru_dtype_size(r->dtype);
  for (int64_t o = 0; o < r->outer; o++)
    for (int64_t j = 0; j < r->count; j++)
      for (int64_t i = 0; i < r->inner; i++) {
        int64_t id = r->ids[j * r->id_stride] - r->base;
        char *at = x + (size_t)(o * r->x_outer + id * r->x_row + i * r->x_inner) * size;
        char *with = packed + (size_t)((o * r->count + j) * r->inner + i) * size;
        if (put)
          add_element(r->dtype, at, with);
        else
          memcpy(with, at, size);
      }
}

static void try_rows(int64_t outer, int64_t count, int64_t inner, int64_t size_x) {
  gruI_rows r = {.dtype = (gru_dtype)below(4), .outer = outer, .count = count, .inner = inner};
  int64_t shape[3] = {outer, size_x, inner}, stride[3];
  int64_t span = random_strides(3, shape, stride), packed = outer * count * inner;
  size_t size = gru_dtype_size(r.dtype);
  int put = (int)below(2), wrong = below(4) == 0 && count > 0;
  r.size = size_x;
  r.base = below(3) ? below(2) : -5;
  r.id_stride = 1 + below(2);
  int64_t *ids = random_ids(count * r.id_stride + 1, r.base, size_x), bad = -1;
  r.ids = ids;
  if (wrong) {
    bad = below(count);
    ids[bad * r.id_stride] = wrong_id(r.base, size_x);
  }
  r.x_outer = stride[0], r.x_row = stride[1], r.x_inner = stride[2];
  r.fresh = put && span == outer * size_x * inner && below(2);
  char *x = random_elements(r.dtype, span), *p = random_elements(r.dtype, packed);
  char *want_x = copy_of(x, (size_t)span * size), *want_p = copy_of(p, (size_t)packed * size);
  if (r.fresh) memset(want_x, 0, (size_t)span * size);
  if (!wrong) rows_reference(&r, put, want_x, want_p);
  for (int d = 0; d < DEVICES; d++) {
    char *got_x = copy_of(x, (size_t)span * size), *got_p = copy_of(p, (size_t)packed * size);
    r.x = got_x;
    r.packed = got_p;
    gru_status status = put ? gruI_cpu_put(&devices[d], &r) : gruI_cpu_take(&devices[d], &r);
    const char *what = put ? "put" : "take";
    check(status == (wrong ? GRU_ERROR_INDEX : GRU_OK), what, outer, count, inner);
    if (wrong)
      check(devices[d].fault.position == bad && devices[d].fault.value == ids[bad * r.id_stride],
            "fault of take or put", devices[d].fault.position, bad, put);
    if (!wrong || !r.fresh)
      check(memcmp(got_x, want_x, (size_t)span * size) == 0, what, outer, count, inner);
    check(memcmp(got_p, want_p, (size_t)packed * size) == 0, what, outer, count, inner);
    free(got_x);
    free(got_p);
  }
  free(want_x), free(want_p), free(x), free(p), free(ids);
}

static void test_rows(void) {
  static const int64_t inners[] = {0, 1, 2, 7, 8, 16, 17, 40, 130};
  for (int i = 0; i < 400; i++) try_rows(below(4), below(60), inners[below(9)], 1 + below(30));
  for (int i = 0; i < 20; i++) {
    try_rows(1 + below(2), 300, 200 + below(100), 1 + below(100));
    try_rows(1, 300, 200 + below(100), 1 + below(100)); /* often by columns, see columns.c */
    try_rows(1, 40000, 1 + below(3), 1 + below(50));
    try_rows(70, 20, 30, 5);
  }
}

/* ---- gather and scatter ------------------------------------------------------------ */

static void along_reference(const gruI_along *a, char *x, char *other) {
  size_t size = gru_dtype_size(a->dtype);
  int64_t at[GRU_MAX_DIMS] = {0}, count = 1;
  for (int d = 0; d < a->ndim; d++) count *= a->shape[d];
  for (int64_t n = 0; n < count; n++) {
    int64_t rest = n, id = 0, xo = 0, oo = 0;
    for (int d = a->ndim - 1; d >= 0; rest /= a->shape[d], d--) at[d] = rest % a->shape[d];
    for (int d = 0; d < a->ndim; d++) {
      id += at[d] * a->id_stride[d];
      oo += at[d] * a->other_stride[d];
      if (d != a->dim) xo += at[d] * a->x_stride[d];
    }
    if (a->ndim > 0) xo += (a->ids[id] - a->base) * a->x_stride[a->dim];
    char *to = x + (size_t)xo * size, *with = other + (size_t)oo * size;
    if (a->kind == GRUI_GATHER)
      memcpy(with, to, size);
    else if (a->kind == GRUI_SCATTER)
      memcpy(to, with, size);
    else
      add_element(a->dtype, to, with);
  }
}

/* The row-major place of the first wrong id, or -1. */
static int64_t first_wrong(const gruI_along *a) {
  int64_t count = 1;
  for (int d = 0; d < a->ndim; d++) count *= a->shape[d];
  for (int64_t n = 0; n < count; n++) {
    int64_t rest = n, id = 0;
    for (int d = a->ndim - 1; d >= 0; rest /= a->shape[d], d--)
      id += rest % a->shape[d] * a->id_stride[d];
    if (a->ids[id] < a->base || a->ids[id] >= a->base + a->size) return n;
  }
  return -1;
}

static void try_along(int ndim, int64_t most) {
  gruI_along a = {.kind = (gruI_along_kind)below(3), .dtype = (gru_dtype)below(4), .ndim = ndim};
  int64_t x_shape[GRU_MAX_DIMS], ids_span, x_span, other_span;
  size_t size = gru_dtype_size(a.dtype);
  a.dim = ndim > 0 ? (int)below(ndim) : 0;
  a.base = below(3) ? below(2) : -5;
  a.size = 1 + below(most);
  for (int d = 0; d < ndim; d++) {
    a.shape[d] = below(20) ? 1 + below(most) : 0;
    x_shape[d] = d == a.dim ? a.size : a.shape[d] + below(2);
  }
  if (ndim == 0) a.size = 1;
  ids_span = random_strides(ndim, a.shape, a.id_stride);
  x_span = random_strides(ndim, x_shape, a.x_stride);
  other_span = random_strides(ndim, a.shape, a.other_stride);
  int64_t *ids = random_ids(ids_span, a.base, a.size);
  a.ids = ids;
  for (int i = (int)below(6); i > 3; i--) ids[below(ids_span)] = wrong_id(a.base, a.size);
  int64_t bad = first_wrong(&a);
  char *x = random_elements(a.dtype, x_span), *o = random_elements(a.dtype, other_span);
  char *want_x = copy_of(x, (size_t)x_span * size);
  char *want_o = copy_of(o, (size_t)other_span * size);
  if (bad < 0) along_reference(&a, want_x, want_o);
  for (int d = 0; d < DEVICES; d++) {
    char *got_x = copy_of(x, (size_t)x_span * size);
    char *got_o = copy_of(o, (size_t)other_span * size);
    a.x = got_x;
    a.other = got_o;
    gru_status status = gruI_cpu_along(&devices[d], &a);
    check(status == (bad < 0 ? GRU_OK : GRU_ERROR_INDEX), "along status", a.kind, ndim, a.dim);
    if (bad >= 0)
      check(devices[d].fault.position == bad, "along fault", devices[d].fault.position, bad, 0);
    check(memcmp(got_x, want_x, (size_t)x_span * size) == 0, "along x", a.kind, ndim, a.dim);
    check(memcmp(got_o, want_o, (size_t)other_span * size) == 0, "along other", a.kind, ndim,
          a.dim);
    free(got_x), free(got_o);
  }
  free(want_x), free(want_o), free(x), free(o), free(ids);
}

static void test_along(void) {
  for (int i = 0; i < 600; i++) try_along((int)below(5), 1 + below(9));
  for (int i = 0; i < 15; i++) {
    try_along(2, 300);
    try_along(3, 60);
    try_along(1, 50000);
  }
}

static void try_one_hot(int64_t count, int64_t classes) {
  gruI_one_hot h = {.dtype = below(2) ? GRU_FLOAT32 : GRU_FLOAT64, .count = count};
  h.classes = classes;
  h.base = below(2);
  int64_t *ids = random_ids(count + 1, h.base, classes);
  h.ids = ids;
  size_t bytes = (size_t)(count * classes) * gru_dtype_size(h.dtype);
  for (int d = 0; d < DEVICES; d++) {
    int right = 1;
    h.out = fresh(bytes);
    memset(h.out, 77, bytes);
    check(gruI_cpu_one_hot(&devices[d], &h) == GRU_OK, "one_hot", count, classes, 0);
    for (int64_t i = 0; i < count * classes; i++)
      right &= element(h.dtype, h.out, i) == (ids[i / classes] - h.base == i % classes);
    check(right, "one_hot values", count, classes, 0);
    free(h.out);
  }
  if (count > 0) {
    ids[count / 2] = wrong_id(h.base, classes);
    h.out = NULL;
    check(gruI_cpu_one_hot(&devices[0], &h) == GRU_ERROR_INDEX &&
              devices[0].fault.position == count / 2,
          "one_hot fault", count, classes, 0);
  }
  free(ids);
}

static void tests(void) {
  test_gemm();
  test_blocked_gemm();
  test_segments();
  test_later();
  test_thin();
  test_rows();
  test_along();
  for (int i = 0; i < 30; i++) try_one_hot(below(50), 1 + below(40));
  try_one_hot(3000, 100);
}

int main(int argc, char **argv) { return run_tests(argc, argv, tests); }

/* cpu_reduce_test.c - reductions and copies of the CPU backend against naive loops, for 1, 2
** and 4 threads.
*/
#include <math.h>

#include "cpu_test.h"

/* ---- elements ---------------------------------------------------------------------- */

static long double get(gru_dtype dtype, const void *from, int64_t i) {
  switch (dtype) {
    case GRU_BOOL: return ((const uint8_t *)from)[i];
    case GRU_INT64: return (long double)((const int64_t *)from)[i];
    case GRU_FLOAT32: return (long double)((const float *)from)[i];
    case GRU_FLOAT64: return (long double)((const double *)from)[i];
  }
  return 0;
}

static void put(gru_dtype dtype, void *to, int64_t i, double v) {
  switch (dtype) {
    case GRU_BOOL: ((uint8_t *)to)[i] = v != 0; break;
    case GRU_INT64: ((int64_t *)to)[i] = (int64_t)v; break;
    case GRU_FLOAT32: ((float *)to)[i] = (float)v; break;
    case GRU_FLOAT64: ((double *)to)[i] = v; break;
  }
}

static int64_t count(int ndim, const int64_t *shape) {
  int64_t n = 1;
  for (int d = 0; d < ndim; d++) n *= shape[d];
  return n;
}

static int64_t offset(int ndim, const int64_t *shape, const int64_t *stride, int64_t i) {
  int64_t at = 0;
  for (int d = ndim - 1; d >= 0; d--) {
    at += i % shape[d] * stride[d];
    i /= shape[d];
  }
  return at;
}

/* Elements that an operand reaches over. */
static int64_t extent(int ndim, const int64_t *shape, const int64_t *stride) {
  int64_t last = 0;
  for (int d = 0; d < ndim; d++) last += (shape[d] - 1) * stride[d];
  return last + 1;
}

/* ---- reductions -------------------------------------------------------------------- */

typedef struct shape {
  int nkeep, nred;
  int64_t keep[4], keep_stride[4], red[4], red_stride[4];
} shape;

static const shape shapes[] = {
    {0, 1, {0}, {0}, {1}, {1}},
    {0, 1, {0}, {0}, {7}, {1}},
    {0, 1, {0}, {0}, {1000}, {1}},
    {0, 1, {0}, {0}, {200003}, {1}},
    {0, 1, {0}, {0}, {150000}, {3}},
    {0, 2, {0}, {0}, {300, 500}, {700, 1}},
    {0, 2, {0}, {0}, {300, 500}, {1, 300}},
    {0, 1, {0}, {0}, {1000003}, {1}},
    {0, 3, {0}, {0}, {70, 90, 80}, {80, 6000, 1}},
    {1, 1, {5}, {200000}, {200000}, {1}},
    {1, 1, {700}, {1}, {900}, {700}},
    {1, 1, {50}, {37}, {37}, {1}},
    {1, 1, {37}, {1}, {50}, {37}},
    {1, 1, {400}, {300}, {300}, {1}},
    {1, 1, {300}, {1}, {400}, {300}},
    {1, 1, {1027}, {1}, {1120}, {1027}},
    {1, 1, {1120}, {1027}, {1027}, {1}},
    {1, 1, {3}, {1}, {60000}, {3}},
    {1, 1, {60000}, {3}, {3}, {1}},
    {1, 1, {5}, {1}, {30000}, {8}},
    {1, 1, {31}, {1}, {97}, {31}},
    {1, 1, {3}, {70000}, {70000}, {1}},
    {1, 1, {10}, {2}, {5000}, {20}},
    {1, 2, {20}, {30}, {50, 30}, {600, 1}},
    {1, 2, {30}, {1}, {50, 20}, {900, 30}},
    {2, 1, {20, 30}, {600, 1}, {20}, {30}},
    {2, 2, {6, 7}, {385, 11}, {5, 11}, {77, 1}},
    {2, 1, {40, 9}, {9, 1}, {1}, {0}},
    {1, 1, {64}, {0}, {40}, {1}},
    {1, 1, {64}, {1}, {40}, {0}},
    {1, 0, {100}, {1}, {0}, {0}},
    {1, 0, {100}, {3}, {0}, {0}},
    {1, 1, {600}, {1}, {0}, {1}},
    {1, 1, {0}, {1}, {30}, {1}},
};

static int is_better(gruI_reduction kind, long double v, long double m) {
  if (isnan(m)) return 0;
  return isnan(v) || (kind == GRUI_MAX ? v > m : v < m);
}

/* One result: the value, the position, and the sum of magnitudes. */
typedef struct expected {
  long double value, magnitude;
  int64_t index;
} expected;

static expected reduce_one(const gruI_reduce *call, int64_t k) {
  int64_t at = offset(call->nkeep, call->keep, call->keep_stride, k);
  int64_t n = count(call->nred, call->red);
  expected e = {0, 0, 0};
  if (call->kind == GRUI_PROD || call->kind == GRUI_ALL) e.value = 1;
  for (int64_t i = 0; i < n; i++) {
    long double v =
        get(call->dtype, call->in, at + offset(call->nred, call->red, call->red_stride, i));
    e.magnitude += fabsl(v);
    switch (call->kind) {
      case GRUI_SUM: e.value += v; break;
      case GRUI_PROD: e.value *= v; break;
      case GRUI_ANY: e.value = e.value != 0 || v != 0; break;
      case GRUI_ALL: e.value = e.value != 0 && v != 0; break;
      default:
        if (i == 0 || is_better(call->kind, v, e.value)) e.value = v, e.index = i;
    }
  }
  return e;
}

static int is_right(const gruI_reduce *call, expected e, long double got) {
  long double epsilon = call->dtype == GRU_INT64 ? 0 : 1e-14L;
  if (call->dtype == GRU_FLOAT32) epsilon = 2e-6L;
  if (isnan(e.value)) return isnan(got);
  if (call->kind == GRUI_SUM) return fabsl(got - e.value) <= epsilon * e.magnitude;
  if (call->kind == GRUI_PROD && epsilon > 0) {
    epsilon += 2e-16L * (long double)count(call->nred, call->red); /* made in double */
    return fabsl(got - e.value) <= epsilon * fabsl(e.value) + 1e-37L;
  }
  return got == e.value;
}

static void fill(gruI_reduction kind, gru_dtype dtype, void *to, int64_t n, int odd) {
  int64_t rare = kind == GRUI_ANY || kind == GRUI_ALL ? 100 : 3;
  for (int64_t i = 0; i < n; i++) {
    double v = random_unit() * 2 - 1;
    if (dtype == GRU_INT64) v = (double)(random_bits() % 200) - 100;
    if (dtype == GRU_BOOL) v = ((int64_t)(random_bits() % 200) < rare) == (kind != GRUI_ALL);
    if (kind == GRUI_PROD) v = dtype == GRU_INT64 ? (random_bits() % 50 ? 1 : -1) : 1 + v * 1e-3;
    if (odd && dtype != GRU_INT64 && random_bits() % 64 == 0) v = NAN;
    if (odd && random_bits() % 16 == 0) v = dtype == GRU_INT64 ? -100 : -INFINITY;
    put(dtype, to, i, v);
  }
}

static void test_reduce(gruI_reduction kind, gru_dtype dtype, const shape *s, int odd) {
  gruI_reduce call;
  memset(&call, 0, sizeof call);
  int is_extreme = kind == GRUI_MAX || kind == GRUI_MIN;
  if (is_extreme && count(s->nred, s->red) == 0) return;
  call.kind = kind;
  call.dtype = dtype;
  call.nkeep = s->nkeep;
  call.nred = s->nred;
  memcpy(call.keep, s->keep, sizeof s->keep);
  memcpy(call.keep_stride, s->keep_stride, sizeof s->keep);
  memcpy(call.red, s->red, sizeof s->red);
  memcpy(call.red_stride, s->red_stride, sizeof s->red);
  call.base = is_extreme ? odd : 0;
  int64_t results = count(s->nkeep, s->keep),
          have = extent(s->nkeep, s->keep, s->keep_stride) + extent(s->nred, s->red, s->red_stride);
  if (have < 1) have = 1;
  void *in = allocate((size_t)have * 8), *out[2];
  int64_t *index[2];
  call.in = in;
  fill(kind, dtype, in, have, odd);
  size_t bytes = (size_t)results * size_of(dtype);
  for (int i = 0; i < 2; i++) {
    out[i] = allocate(bytes);
    index[i] = allocate((size_t)results * 8);
  }
  for (int threads = 1; threads <= 4; threads *= 2) {
    gruI_pool_set_threads(device.pool, threads);
    call.out = out[threads > 1];
    call.out_index = is_extreme ? index[threads > 1] : NULL;
    CHECK(device.k->reduce(&device, &call) == GRU_OK, "reduce");
    CHECK(memcmp(out[0], call.out, bytes) == 0, "bits depend on threads");
    if (is_extreme) CHECK(memcmp(index[0], call.out_index, (size_t)results * 8) == 0, "indices");
  }
  int good = 1;
  for (int64_t k = 0; k < results && good; k += results > 2000 ? 31 : 1) {
    expected e = reduce_one(&call, k);
    good = is_right(&call, e, get(dtype, out[0], k));
    if (is_extreme) good &= index[0][k] == e.index + call.base;
    if (!good)
      printf("  kind %d dtype %d shape %d: result %d is %Lg at %d, not %Lg at %d\n", (int)kind,
             (int)dtype, (int)(s - shapes), (int)k, get(dtype, out[0], k), (int)index[0][k],
             e.value, (int)e.index);
  }
  CHECK(good, "reduce");
  if (is_extreme) { /* the value alone, the position alone */
    call.out = out[1];
    call.out_index = NULL;
    CHECK(device.k->reduce(&device, &call) == GRU_OK, "values");
    for (int64_t k = 0; k < results; k++) {
      long double v = get(dtype, out[0], k), w = get(dtype, out[1], k);
      if (v != w && !(isnan(v) && isnan(w))) good = 0;
    }
    call.out = NULL;
    call.out_index = index[1];
    CHECK(device.k->reduce(&device, &call) == GRU_OK, "positions");
    CHECK(good, "values alone");
    CHECK(memcmp(index[0], index[1], (size_t)results * 8) == 0, "positions alone");
  }
  for (int i = 0; i < 2; i++) free(out[i]), free(index[i]);
  free(in);
}

static void test_reductions(void) {
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    for (gru_dtype dtype = GRU_INT64; dtype <= GRU_FLOAT64; dtype++)
      for (gruI_reduction kind = GRUI_SUM; kind <= GRUI_MIN; kind++)
        for (int odd = 0; odd < (kind >= GRUI_MAX ? 2 : 1); odd++)
          test_reduce(kind, dtype, &shapes[i], odd);
    for (gruI_reduction kind = GRUI_MAX; kind <= GRUI_ALL; kind++)
      test_reduce(kind, GRU_BOOL, &shapes[i], 0);
  }
}

/* float32 sums of many terms of one sign and of both. */
static void test_accuracy(void) {
  int64_t n = 10000000;
  float *in = allocate((size_t)n * 4), out = 0;
  for (int both = 0; both < 2; both++) {
    double sum = 0, magnitude = 0;
    for (int64_t i = 0; i < n; i++) {
      in[i] = (float)(random_unit() - 0.5 * both);
      sum += (double)in[i];
      magnitude += fabs((double)in[i]);
    }
    gruI_reduce call = {.kind = GRUI_SUM,
                        .dtype = GRU_FLOAT32,
                        .nred = 1,
                        .red = {n},
                        .red_stride = {1},
                        .in = in,
                        .out = &out};
    CHECK(device.k->reduce(&device, &call) == GRU_OK, "sum");
    CHECK(fabs((double)out - sum) < 1e-7 * magnitude, "accuracy of a sum");
  }
  free(in);
}

/* ---- copies ------------------------------------------------------------------------ */

typedef struct copy_shape {
  int ndim;
  int64_t shape[4], in[4], out[4];
} copy_shape;

static const copy_shape copy_shapes[] = {
    {0, {0}, {0}, {0}},
    {1, {1}, {1}, {1}},
    {1, {0}, {1}, {1}},
    {1, {100003}, {1}, {1}},
    {1, {70001}, {0}, {1}},
    {1, {70001}, {2}, {1}},
    {1, {70001}, {1}, {2}},
    {1, {5000}, {3}, {2}},
    {2, {100, 90}, {200, 1}, {90, 1}},
    {2, {100, 90}, {90, 1}, {200, 1}},
    {2, {300, 301}, {1, 300}, {301, 1}},
    {1, {400009}, {1}, {1}},
    {1, {400009}, {2}, {1}},
    {2, {150000, 3}, {3, 1}, {4, 1}},
    {2, {701, 600}, {1, 701}, {600, 1}},
    {2, {300, 301}, {1, 310}, {320, 1}},
    {2, {301, 300}, {300, 1}, {1, 301}},
    {2, {33, 7}, {1, 33}, {7, 1}},
    {2, {5000, 3}, {0, 1}, {3, 1}},
    {2, {5000, 3}, {1, 0}, {3, 1}},
    {2, {5000, 3}, {1, 5000}, {3, 1}},
    {3, {9, 50, 40}, {2000, 1, 50}, {2000, 40, 1}},
    {3, {50, 9, 40}, {1, 2000, 50}, {360, 40, 1}},
    {4, {5, 6, 7, 8}, {1, 5, 30, 210}, {336, 56, 8, 1}},
    {4, {5, 6, 7, 8}, {400, 60, 8, 1}, {336, 1, 48, 6}},
};

static int64_t whole_of(double v) { return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN; }

static int is_converted(const gruI_copy *call, int64_t from, int64_t to) {
  const float *f32 = call->in, *to32 = call->out;
  const double *f64 = call->in, *to64 = call->out;
  if (call->out_dtype == GRU_INT64 && call->in_dtype == GRU_FLOAT32)
    return ((const int64_t *)call->out)[to] == whole_of((double)f32[from]);
  if (call->out_dtype == GRU_INT64 && call->in_dtype == GRU_FLOAT64)
    return ((const int64_t *)call->out)[to] == whole_of(f64[from]);
  long double v = get(call->in_dtype, call->in, from);
  long double got = get(call->out_dtype, call->out, to);
  if (call->out_dtype == GRU_BOOL) return got == (v != 0);
  if (isnan(v)) return isnan(got);
  if (call->out_dtype == GRU_FLOAT32) return to32[to] == (float)v;
  if (call->out_dtype == GRU_FLOAT64) return to64[to] == (double)v;
  return got == v;
}

static void test_copy(gru_dtype from, gru_dtype to, const copy_shape *s) {
  static const double special[] = {0.0,    -0.0,    NAN,  INFINITY, -INFINITY,
                                   9.3e18, -9.3e18, 1e30, -1.7,     0.9};
  gruI_copy call;
  memset(&call, 0, sizeof call);
  call.in_dtype = from;
  call.out_dtype = to;
  call.ndim = s->ndim;
  memcpy(call.shape, s->shape, sizeof s->shape);
  memcpy(call.in_stride, s->in, sizeof s->in);
  memcpy(call.out_stride, s->out, sizeof s->out);
  int64_t n = count(s->ndim, s->shape), have = n ? extent(s->ndim, s->shape, s->in) : 1;
  int64_t room = n ? extent(s->ndim, s->shape, s->out) : 1;
  void *in = allocate((size_t)have * 8);
  call.in = in;
  for (int64_t i = 0; i < have; i++) {
    double v = random_bits() % 8 ? random_unit() * 100 - 50 : special[random_bits() % 10];
    if (from == GRU_INT64 && !(fabs(v) < 1e18)) v = 7;
    put(from, in, i, v);
  }
  unsigned char *first = allocate((size_t)room * 8), *again = allocate((size_t)room * 8);
  for (int threads = 1; threads <= 4; threads *= 2) {
    gruI_pool_set_threads(device.pool, threads);
    call.out = threads == 1 ? first : again;
    memset(call.out, 0, (size_t)room * 8);
    memset((char *)call.out + room * (int64_t)size_of(to), 0x5A, 8);
    CHECK(device.k->copy(&device, &call) == GRU_OK, "copy");
    CHECK(memcmp(first, call.out, (size_t)room * size_of(to)) == 0, "bits depend on threads");
    CHECK(((unsigned char *)call.out)[room * (int64_t)size_of(to)] == 0x5A, "past the end");
  }
  int good = 1;
  for (int64_t i = 0; i < n && good; i++)
    good = is_converted(&call, offset(s->ndim, s->shape, s->in, i),
                        offset(s->ndim, s->shape, s->out, i));
  if (!good) printf("  copy %d to %d, shape %d\n", (int)from, (int)to, (int)(s - copy_shapes));
  CHECK(good, "copy");
  free(in);
  free(first);
  free(again);
}

int main(void) {
  open_device(1);
  printf("isa: %s, limit %zu MiB\n", gruI_cpu_isa_of(&device)->name,
         device.backend->memory_limit(&device) >> 20);
  void *block = device.backend->alloc(&device, 1);
  CHECK(block != NULL && (uintptr_t)block % 64 == 0, "alignment");
  device.backend->free(&device, block, 1);
  test_reductions();
  test_accuracy();
  for (size_t i = 0; i < sizeof copy_shapes / sizeof *copy_shapes; i++)
    for (gru_dtype from = GRU_BOOL; from <= GRU_FLOAT64; from++)
      for (gru_dtype to = GRU_BOOL; to <= GRU_FLOAT64; to++) test_copy(from, to, &copy_shapes[i]);
  close_device();
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}

/* cpu_elementwise_test.c - every row of ops.def on the CPU: each variant and dtype, one element
** at a time against the row's text expanded here, then every stride pattern, in place and
** large, against those single elements, bit for bit.
*/
#include "core/math.h"

#include <math.h>

#include "cpu/elementwise_used.inc.h"
#include "cpu_test.h"

/* ---- the rows again ---------------------------------------------------------------- */

typedef union value {
  float f32;
  double f64;
  int64_t i64;
  uint8_t b8;
} value;

#define ELEMENT T
#include "core/math_words.h"

#define T float
#define FIELD f32
#define EVAL eval_f32
#define IS_FLOAT 1
#define IS_BOOL 0
#include "cpu_rows.inc.h"
#define T double
#define FIELD f64
#define EVAL eval_f64
#define IS_FLOAT 1
#define IS_BOOL 0
#include "cpu_rows.inc.h"
#define T int64_t
#define FIELD i64
#define EVAL eval_i64
#define IS_FLOAT 0
#define IS_BOOL 0
#include "cpu_rows.inc.h"
#define T uint8_t
#define FIELD b8
#define EVAL eval_b8
#define IS_FLOAT 0
#define IS_BOOL 1
#include "cpu_rows.inc.h"

/* What there is: a line for every row and variant. */
enum { REAL = 1, INTEGER = 2, BOOLEAN = 4 };

typedef struct row {
  const char *name;
  int op, variant, dtypes;
  unsigned used;
  int is_test;
} row;

#define GRADIENT(text, number, variant, used) \
  { text, number, variant, REAL, used, 0 }
#define GRU_UNARY_FLOAT(number, name, f, dx) \
  {#name, number, 0, REAL, 1, 0}, GRADIENT(#name "_da", number, 1, name##_da_used),
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) \
  {#name, number, 0, REAL | INTEGER, 1, 0}, GRADIENT(#name "_da", number, 1, name##_da_used),
#define GRU_UNARY_TEST(number, name, f, fi) {#name, number, 0, 7, 1, 1},
#define GRU_BINARY_FLOAT(number, name, f, da, db) \
  {#name, number, 0, REAL, 3, 0}, GRADIENT(#name "_da", number, 1, name##_da_used), \
      GRADIENT(#name "_db", number, 2, name##_db_used),
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) \
  {#name, number, 0, REAL | INTEGER, 3, 0}, GRADIENT(#name "_da", number, 1, name##_da_used), \
      GRADIENT(#name "_db", number, 2, name##_db_used),
#define GRU_COMPARE(number, name, f) {#name, number, 0, 7, 3, 1},
#define GRU_LOGICAL(number, name, f) {#name, number, 0, BOOLEAN, 3, 1},
#define GRU_TERNARY(number, name, f, da, db, dc) \
  {#name, number, 0, 7, 7, 0}, GRADIENT(#name "_da", number, 1, name##_da_used), \
      GRADIENT(#name "_db", number, 2, name##_db_used), \
      GRADIENT(#name "_dc", number, 3, name##_dc_used),
static const row rows[] = {
#include "ops.def"
};

/* ---- inputs ------------------------------------------------------------------------ */

enum { ELEMENTS = 160000, POOL_ELEMENTS = 4096 };

static int has_dtype(const row *r, gru_dtype dtype) {
  int class = dtype == GRU_BOOL ? BOOLEAN : dtype == GRU_INT64 ? INTEGER : REAL;
  return (r->dtypes & class) != 0;
}

static value random_value(gru_dtype dtype) {
  static const double special[] = {0.0, -0.0, 1.0,  -1.0, 0.5,      2.0,       1e-30,
                                   3e4, -3e4, 88.0, -2.5, INFINITY, -INFINITY, NAN};
  static const int64_t whole[] = {0, 1, -1, 2, INT64_MAX, INT64_MIN, 63, -7};
  value v = {.i64 = 0};
  int odd = random_bits() % 8 == 0;
  double real = odd ? special[random_bits() % 14] : random_unit() * 8 - 4;
  switch (dtype) {
    case GRU_BOOL: v.b8 = random_bits() & 1; break;
    case GRU_INT64:
      v.i64 = odd ? whole[random_bits() % 8] : (int64_t)(random_bits() % 41) - 20;
      break;
    case GRU_FLOAT32: v.f32 = (float)real; break;
    case GRU_FLOAT64: v.f64 = real; break;
  }
  return v;
}

/* Integer rows with three inputs are plain arithmetic: keep lerp from overflowing. */
static value input_value(const row *r, gru_dtype dtype) {
  value v = random_value(dtype);
  if (dtype == GRU_INT64 && r->used == 7) v.i64 %= 1000;
  return v;
}

static value load(gru_dtype dtype, const void *from, int64_t i) {
  value v = {.i64 = 0};
  memcpy(&v, (const char *)from + i * (int64_t)size_of(dtype), size_of(dtype));
  return v;
}

static void store(gru_dtype dtype, void *to, int64_t i, value v) {
  memcpy((char *)to + i * (int64_t)size_of(dtype), &v, size_of(dtype));
}

/* Equal bits, or both NaN. */
static int is_same(gru_dtype dtype, value p, value q) {
  if (dtype == GRU_FLOAT32 && isnan(p.f32) && isnan(q.f32)) return 1;
  if (dtype == GRU_FLOAT64 && isnan(p.f64) && isnan(q.f64)) return 1;
  return memcmp(&p, &q, size_of(dtype)) == 0;
}

/* Equal but for a few roundings: with and without fused multiply-add. */
static int is_near(gru_dtype dtype, value p, value q) {
  double u = dtype == GRU_FLOAT32 ? (double)p.f32 : p.f64;
  double v = dtype == GRU_FLOAT32 ? (double)q.f32 : q.f64;
  if (dtype == GRU_BOOL || dtype == GRU_INT64 || isnan(u) || isinf(u) || u == v)
    return is_same(dtype, p, q) || (u == v && dtype != GRU_INT64);
  return fabs(u - v) <= (dtype == GRU_FLOAT32 ? 2e-6 : 4e-15) * (fabs(u) + fabs(v)) + 1e-37;
}

static value expected_value(const row *r, gru_dtype dtype, const value *in) {
  switch (dtype) {
    case GRU_FLOAT32: return eval_f32(r->op, r->variant, in);
    case GRU_FLOAT64: return eval_f64(r->op, r->variant, in);
    case GRU_INT64: return eval_i64(r->op, r->variant, in);
    case GRU_BOOL: return eval_b8(r->op, r->variant, in);
  }
  return in[0];
}

static gru_dtype out_dtype(const row *r, gru_dtype dtype) { return r->is_test ? GRU_BOOL : dtype; }

static gruI_elementwise new_call(const row *r, gru_dtype dtype) {
  gruI_elementwise call;
  memset(&call, 0, sizeof call);
  call.op = r->op;
  call.variant = r->variant;
  call.dtype = dtype;
  return call;
}

/* One element by the kernel. */
static value run_one(const row *r, gru_dtype dtype, const value *in) {
  gruI_elementwise call = new_call(r, dtype);
  value out = {.i64 = 0};
  call.ndim = 1;
  call.shape[0] = 1;
  for (int s = 0; s < GRUI_SLOTS; s++)
    if (r->used >> s & 1) call.in[s] = &in[s];
  call.out = &out;
  call.out_stride[0] = 1;
  if (device.k->elementwise(&device, &call) != GRU_OK) CHECK(0, r->name);
  return out;
}

static void test_single(const row *r, gru_dtype dtype) {
  int good = 1;
  for (int i = 0; i < 400 && good; i++) {
    value in[GRUI_SLOTS];
    for (int s = 0; s < GRUI_SLOTS; s++) in[s] = input_value(r, dtype);
    value got = run_one(r, dtype, in), want = expected_value(r, dtype, in);
    good = is_near(out_dtype(r, dtype), got, want);
    if (!good)
      printf("  %s: %g %g %g %g %g: %g, not %g\n", r->name, (double)in[0].f32, (double)in[1].f32,
             (double)in[2].f32, (double)in[3].f32, (double)in[4].f32, (double)got.f32,
             (double)want.f32);
  }
  CHECK(good, r->name);
}

/* ---- strides ----------------------------------------------------------------------- */

/* A shape, with a stride pattern for each of the three roles that inputs take in turn, and one
** for the output. */
typedef struct layout {
  const char *name;
  int ndim;
  int64_t shape[4];
  int64_t in[3][4], out[4];
} layout;

static const layout layouts[] = {
    {"flat", 1, {1003}, {{1}, {1}, {1}}, {1}},
    {"eight", 1, {8}, {{1}, {1}, {1}}, {1}},
    {"none", 1, {0}, {{1}, {1}, {1}}, {1}},
    {"a scalar", 1, {517}, {{0}, {1}, {1}}, {1}},
    {"two scalars", 1, {517}, {{1}, {0}, {0}}, {1}},
    {"all scalars", 1, {600}, {{0}, {0}, {0}}, {1}},
    {"steps", 1, {700}, {{2}, {1}, {3}}, {1}},
    {"steps out", 1, {700}, {{2}, {1}, {0}}, {3}},
    {"rows with gaps", 2, {33, 70}, {{100, 1}, {70, 1}, {80, 1}}, {90, 1}},
    {"row vector", 2, {40, 70}, {{70, 1}, {0, 1}, {0, 1}}, {70, 1}},
    {"column vector", 2, {40, 70}, {{70, 1}, {1, 0}, {70, 1}}, {70, 1}},
    {"transposed", 2, {40, 37}, {{1, 40}, {37, 1}, {37, 1}}, {37, 1}},
    {"short rows", 2, {700, 3}, {{3, 1}, {0, 1}, {1, 0}}, {3, 1}},
    {"short rows out", 2, {300, 3}, {{4, 1}, {0, 1}, {3, 1}}, {5, 1}},
    {"middle", 3, {7, 11, 13}, {{143, 13, 1}, {13, 0, 1}, {0, 1, 0}}, {143, 13, 1}},
    {"long middle", 3, {5, 6, 64}, {{384, 64, 1}, {64, 0, 1}, {0, 64, 1}}, {500, 70, 1}},
    {"four", 4, {3, 4, 5, 26}, {{520, 130, 26, 1}, {0, 26, 0, 1}, {1, 3, 0, 0}}, {520, 130, 26, 1}},
    {"outer product", 2, {90, 80}, {{1, 0}, {0, 1}, {80, 1}}, {80, 1}},
};

static int64_t offset_of(const layout *l, const int64_t *stride, int64_t i) {
  int64_t offset = 0;
  for (int d = l->ndim - 1; d >= 0; d--) {
    offset += i % l->shape[d] * stride[d];
    i /= l->shape[d];
  }
  return offset;
}

static int64_t count_of(const layout *l) {
  int64_t n = 1;
  for (int d = 0; d < l->ndim; d++) n *= l->shape[d];
  return n;
}

/* Slot s gets pattern (s + turn) % 3. With `in_place` that slot's buffer is also the output. */
static void test_layout(const row *r, gru_dtype dtype, const layout *l, int turn, int in_place) {
  static unsigned char buffer[GRUI_SLOTS][POOL_ELEMENTS * 8 * 2], result[POOL_ELEMENTS * 16];
  static value inputs[POOL_ELEMENTS * 2][GRUI_SLOTS];
  gruI_elementwise call = new_call(r, dtype);
  gru_dtype out_type = out_dtype(r, dtype);
  int64_t n = count_of(l);
  int good = 1;
  call.ndim = l->ndim;
  memcpy(call.shape, l->shape, sizeof l->shape);
  memcpy(call.out_stride, l->out, sizeof l->out);
  for (int s = 0; s < GRUI_SLOTS; s++) {
    if (!(r->used >> s & 1)) continue;
    memcpy(call.in_stride[s], in_place == s ? l->out : l->in[(s + turn) % 3], sizeof l->out);
    call.in[s] = buffer[s];
    for (int64_t i = 0; i < POOL_ELEMENTS * 2; i++)
      store(dtype, buffer[s], i, input_value(r, dtype));
    for (int64_t i = 0; i < n; i++)
      inputs[i][s] = load(dtype, buffer[s], offset_of(l, call.in_stride[s], i));
  }
  memset(result, 0x5A, sizeof result);
  call.out = in_place >= 0 ? (void *)buffer[in_place] : (void *)result;
  good = device.k->elementwise(&device, &call) == GRU_OK;
  for (int64_t i = 0; i < n && good; i++)
    good = is_same(out_type, run_one(r, dtype, inputs[i]),
                   load(out_type, call.out, offset_of(l, l->out, i)));
  if (!good) printf("  %s, %s, turn %d, in place %d\n", r->name, l->name, turn, in_place);
  CHECK(good, r->name);
  if (in_place >= 0) return;
  int64_t past = n == 0 ? 0 : offset_of(l, l->out, n - 1) + 1; /* nothing beyond is written */
  CHECK(result[past * (int64_t)size_of(out_type)] == 0x5A, "wrote past the end");
}

static void test_layouts(const row *r, gru_dtype dtype) {
  for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
    for (int turn = 0; turn < 3; turn++) test_layout(r, dtype, &layouts[i], turn, -1);
    for (int s = 0; s < GRUI_SLOTS && !r->is_test; s++)
      if (r->used >> s & 1) test_layout(r, dtype, &layouts[i], (int)(i % 3), s);
  }
}

/* ---- threads ----------------------------------------------------------------------- */

static void test_large(const row *r, gru_dtype dtype, int by_rows) {
  gruI_elementwise call = new_call(r, dtype);
  gru_dtype out_type = out_dtype(r, dtype);
  size_t size = size_of(dtype), out_size = size_of(out_type);
  void *in[GRUI_SLOTS] = {NULL};
  void *first = allocate(ELEMENTS * 8), *again = allocate(ELEMENTS * 8);
  int good = 1;
  call.ndim = by_rows ? 2 : 1;
  call.shape[0] = by_rows ? 800 : ELEMENTS;
  call.shape[1] = 200;
  fill_strides(call.ndim, call.shape, call.out_stride);
  for (int s = 0; s < GRUI_SLOTS; s++) {
    if (!(r->used >> s & 1)) continue;
    call.in[s] = in[s] = allocate(ELEMENTS * size);
    for (int64_t i = 0; i < ELEMENTS; i++) store(dtype, in[s], i, input_value(r, dtype));
    fill_strides(call.ndim, call.shape, call.in_stride[s]);
    if (by_rows && s == 1) call.in_stride[s][0] = 0;
  }
  for (int threads = 1; threads <= 4; threads *= 2) {
    gruI_pool_set_threads(device.pool, threads);
    call.out = threads == 1 ? first : again;
    memset(call.out, 0x5A, ELEMENTS * 8);
    CHECK(device.k->elementwise(&device, &call) == GRU_OK, r->name);
    if (threads > 1) CHECK(memcmp(first, again, ELEMENTS * out_size) == 0, r->name);
  }
  for (int64_t i = 0; i < ELEMENTS && good; i += 17) {
    value v[GRUI_SLOTS];
    for (int s = 0; s < GRUI_SLOTS; s++)
      if (r->used >> s & 1) v[s] = load(dtype, in[s], by_rows && s == 1 ? i % 200 : i);
    good = is_same(out_type, run_one(r, dtype, v), load(out_type, first, i));
  }
  CHECK(good, r->name);
  for (int s = 0; s < GRUI_SLOTS; s++) free(in[s]);
  free(first);
  free(again);
}

static void test_absent(void) {
  gruI_elementwise call;
  memset(&call, 0, sizeof call);
  call.op = GRU_OP_TANH;
  call.dtype = GRU_INT64;
  call.ndim = 1;
  call.shape[0] = 1;
  CHECK(device.k->elementwise(&device, &call) == GRU_ERROR_DTYPE, "tanh of integers");
  CHECK(device.fault.text[0] != '\0', "a fault has a text");
  call.op = GRU_OP_MATMUL;
  CHECK(device.k->elementwise(&device, &call) == GRU_ERROR_DTYPE, "matmul is no row");
}

int main(void) {
  open_device(1);
  printf("isa: %s\n", gruI_cpu_isa_of(&device)->name);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (gru_dtype dtype = GRU_BOOL; dtype <= GRU_FLOAT64; dtype++) {
      if (!has_dtype(&rows[i], dtype)) continue;
      test_single(&rows[i], dtype);
      gruI_pool_set_threads(device.pool, 2);
      test_layouts(&rows[i], dtype);
      test_large(&rows[i], dtype, 0);
      test_large(&rows[i], dtype, 1);
    }
  test_absent();
  close_device();
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}

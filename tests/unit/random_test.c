/* random_test.c - the two generators: Philox (core/philox.h and the CPU's fills) and MT19937
** as PyTorch uses it (core/mt19937.c).
**
** The numbers of the second part were drawn with PyTorch 1.13 on a CPU with AVX2:
**   torch.manual_seed(seed); t = torch.empty(n, dtype=...).uniform_(a, b)   and so on
** Fills are compared by the FNV-1a hash of their bytes; normals of doubles, which pass through
** libm's logarithm and sine, number by number.  Usage: random_test [seed]
*/
#include "kernels_test.h"

#include "core/mt19937.h"
#include "core/philox.h"
#include "cpu/cpu.h"

/* ---- Philox ------------------------------------------------------------------------ */

/* Known answers of Random123 1.09, kat_vectors. */
static void test_known_answers(void) {
  static const uint32_t cases[][10] = {
      {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
       0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
       0x94fdcceb, 0x5001e420, 0x24126ea1}};
  for (int i = 0; i < 3; i++) {
    uint32_t words[4];
    gruI_philox_words(cases[i], cases[i][4], cases[i][5], words);
    check(memcmp(words, cases[i] + 6, sizeof words) == 0, "philox known answer", i, 0, 0);
  }
}

/* The 53-bit numbers are what their definition says. */
static void test_units(void) {
  for (int i = 0; i < 1000; i++) {
    uint64_t w = i < 64 ? UINT64_MAX >> i : next();
    check(gruI_philox_unit_f64(w) == (double)(w >> 11) * 0x1p-53, "53-bit unit", i, 0, 0);
  }
}

/* Draw e of a call, by the functions for single draws; floats as doubles. */
static double single_draw(const gruI_random *r, uint64_t e) {
  uint64_t pair = e & ~UINT64_C(1);
  int narrow = r->dtype == GRU_FLOAT32;
  switch (r->kind) {
    case GRUI_UNIFORM:
      return narrow ? (double)gruI_philox_uniform_f32(gruI_philox_word32(r->seed, e), (float)r->a,
                                                      (float)r->b - (float)r->a, INFINITY)
                    : gruI_philox_uniform_f64(gruI_philox_word64(r->seed, e), r->a, r->b - r->a,
                                              INFINITY);
    case GRUI_NORMAL:
      if (narrow) {
        float z[2];
        gruI_philox_normal_f32(gruI_philox_word32(r->seed, pair),
                               gruI_philox_word32(r->seed, pair + 1), &z[0], &z[1]);
        return (double)z[e & 1] * r->b + r->a;
      } else {
        double z[2];
        gruI_philox_normal_f64(gruI_philox_word64(r->seed, pair),
                               gruI_philox_word64(r->seed, pair + 1), &z[0], &z[1]);
        return z[e & 1] * r->b + r->a;
      }
    case GRUI_BERNOULLI: return gruI_philox_word32(r->seed, e) < gruI_philox_threshold(r->a);
    default:
      return (double)gruI_philox_integer(gruI_philox_word64(r->seed, e), r->low,
                                         (uint64_t)r->high - (uint64_t)r->low);
  }
}

static double drawn(gru_dtype dtype, const void *p, int64_t i) {
  if (dtype == GRU_BOOL) return ((const uint8_t *)p)[i];
  if (dtype == GRU_INT64) return (double)((const int64_t *)p)[i];
  return element(dtype, p, i);
}

/* The same bits from 1, 2 and 4 threads and in two parts; the same numbers as single draws,
** exactly where no function of math.h is involved. */
static void try_fill(gruI_random_kind kind, gru_dtype dtype, int64_t count) {
  gruI_random r = {.kind = kind, .dtype = dtype, .count = count, .seed = next()};
  r.counter = below(2) ? next() : (uint64_t)below(10);
  r.a = kind == GRUI_BERNOULLI ? unit() : unit() * 4 - 2;
  r.b = r.a + unit() * 3;
  r.low = below(2) ? -below(100) : INT64_MIN + below(10);
  r.high = r.low + 1 + below(200);
  if (below(3) == 0) r.high = INT64_MAX;
  if (dtype == GRU_BOOL) r.low = 0, r.high = 2;
  size_t size = gru_dtype_size(dtype), bytes = (size_t)count * size;
  char *first = fresh(bytes);
  for (int d = 0; d < DEVICES; d++) {
    int64_t cut = below(count + 1);
    gruI_random part[2] = {r, r};
    char *out = fresh(bytes);
    part[0].count = cut;
    part[0].out = out;
    part[1].count = count - cut;
    part[1].counter = r.counter + (uint64_t)cut;
    part[1].out = out + (size_t)cut * size;
    r.out = first;
    if (d == 0) gruI_cpu_random(&devices[d], &r);
    for (int i = 0; i < 2; i++)
      check(gruI_cpu_random(&devices[d], &part[i]) == GRU_OK, "random", kind, dtype, count);
    check(memcmp(out, first, bytes) == 0, "random bits", kind, dtype, count);
    free(out);
  }
  int right = 1;
  for (int64_t i = 0; i < count; i += 1 + count / 1000) {
    double got = drawn(dtype, first, i), want = single_draw(&r, r.counter + (uint64_t)i);
    if (dtype == GRU_FLOAT32 && kind == GRUI_RANDINT) want = (double)(float)want;
    right &= kind == GRUI_NORMAL ? fabs(got - want) <= (dtype == GRU_FLOAT32 ? 4e-6 : 1e-14)
                                 : got == want;
  }
  check(right, "random values", kind, dtype, count);
  free(first);
}

static void test_fills(void) {
  static const int64_t counts[] = {0, 1, 2, 3, 5, 63, 64, 65, 100, 1000, 16384, 16385, 70001};
  for (int i = 0; i < 13; i++)
    for (int dtype = GRU_BOOL; dtype <= GRU_FLOAT64; dtype++) {
      if (dtype >= GRU_FLOAT32) try_fill(GRUI_UNIFORM, (gru_dtype)dtype, counts[i]);
      if (dtype >= GRU_FLOAT32) try_fill(GRUI_NORMAL, (gru_dtype)dtype, counts[i]);
      try_fill(GRUI_BERNOULLI, (gru_dtype)dtype, counts[i]);
      try_fill(GRUI_RANDINT, (gru_dtype)dtype, counts[i]);
    }
}

/* Instruction sets agree bit for bit, but for normals, which they round differently. */
static void test_sets(void) {
#if defined(__x86_64__)
  enum { COUNT = 1000 };
  static float a[COUNT], b[COUNT];
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return;
  for (int kind = GRUI_UNIFORM; kind <= GRUI_RANDINT; kind++) {
    gruI_random r = {.kind = (gruI_random_kind)kind,
                     .dtype = GRU_FLOAT32,
                     .count = COUNT,
                     .seed = next(),
                     .counter = 3,
                     .a = 0.1,
                     .b = 0.7,
                     .high = 99};
    float worst = 0;
    r.out = a;
    gruI_random_fill_baseline(&r, 0, COUNT);
    r.out = b;
    gruI_random_fill_avx2(&r, 0, COUNT);
    for (int i = 0; i < COUNT; i++) worst = fmaxf(worst, fabsf(a[i] - b[i]));
    check(kind == GRUI_NORMAL ? worst < 2e-6f : worst == 0, "instruction sets", kind, 0, 0);
  }
#endif
}

/* Mean, variance, tails and independence of neighbours, within five standard errors. */
static void test_moments(void) {
  enum { COUNT = 400000 };
  double limit = 5 / sqrt(COUNT);
  for (int dtype = GRU_FLOAT32; dtype <= GRU_FLOAT64; dtype++)
    for (int kind = GRUI_UNIFORM; kind <= GRUI_NORMAL; kind++) {
      gruI_random r = {.kind = (gruI_random_kind)kind,
                       .dtype = (gru_dtype)dtype,
                       .count = COUNT,
                       .seed = 5,
                       .counter = 0,
                       .a = 0,
                       .b = 1};
      double sum = 0, square = 0, fourth = 0, neighbour = 0, before = 0;
      r.out = fresh(COUNT * sizeof(double));
      gruI_cpu_random(&devices[1], &r);
      for (int64_t i = 0; i < COUNT; i++) {
        double x = element(r.dtype, r.out, i);
        if (kind == GRUI_UNIFORM) x = (x - 0.5) * sqrt(12);
        sum += x;
        square += x * x;
        fourth += x * x * x * x;
        neighbour += x * before;
        before = x;
      }
      check(fabs(sum / COUNT) < limit, "mean", kind, dtype, 0);
      check(fabs(square / COUNT - 1) < 1.5 * limit, "variance", kind, dtype, 0);
      check(fabs(fourth / COUNT - (kind == GRUI_UNIFORM ? 1.8 : 3)) < 10 * limit, "fourth moment",
            kind, dtype, 0);
      check(fabs(neighbour / COUNT) < limit, "neighbours", kind, dtype, 0);
      free(r.out);
    }
}

/* The upper end stays out, even where rounding wants in; chances 0 and 1 are sure. */
static void test_limits(void) {
  float x[3000];
  uint8_t b[3000];
  int inside = 1, sure = 1;
  gruI_random r = {.kind = GRUI_UNIFORM,
                   .dtype = GRU_FLOAT32,
                   .count = 3000,
                   .seed = 1,
                   .a = 1,
                   .b = (double)nextafterf(1, 2),
                   .out = x};
  gruI_cpu_random(&devices[0], &r);
  for (int i = 0; i < 3000; i++) inside &= x[i] == 1;
  r.a = r.b = 0.25;
  gruI_cpu_random(&devices[0], &r);
  for (int i = 0; i < 3000; i++) inside &= x[i] == 0.25f;
  check(inside, "uniform within [a, b)", 0, 0, 0);
  for (int p = 0; p <= 1; p++) {
    gruI_random bernoulli = {
        .kind = GRUI_BERNOULLI, .dtype = GRU_BOOL, .count = 3000, .seed = 1, .a = p, .out = b};
    gruI_cpu_random(&devices[0], &bernoulli);
    for (int i = 0; i < 3000; i++) sure &= b[i] == p;
  }
  check(sure, "bernoulli of 0 and 1", 0, 0, 0);
}

/* ---- MT19937 ----------------------------------------------------------------------- */

enum { UNIFORM, NORMAL, BERNOULLI, RANDINT, PERM };

#define BY_DTYPE(name, dtype, out, ...) \
  switch (dtype) { \
    case GRU_BOOL: gruI_mt19937_##name##_u8(g, out, __VA_ARGS__); break; \
    case GRU_INT64: gruI_mt19937_##name##_i64(g, out, __VA_ARGS__); break; \
    case GRU_FLOAT32: gruI_mt19937_##name##_f32(g, out, __VA_ARGS__); break; \
    case GRU_FLOAT64: gruI_mt19937_##name##_f64(g, out, __VA_ARGS__); break; \
  }

static void mt_fill(gruI_mt19937 *g, int kind, gru_dtype dtype, void *out, int64_t n, double a,
                    double b, int64_t low, int64_t high) {
  int narrow = dtype == GRU_FLOAT32;
  if (kind == UNIFORM && narrow) gruI_mt19937_uniform_f32(g, out, n, a, b);
  if (kind == UNIFORM && !narrow) gruI_mt19937_uniform_f64(g, out, n, a, b);
  if (kind == NORMAL && narrow) gruI_mt19937_normal_f32(g, out, n, a, b);
  if (kind == NORMAL && !narrow) gruI_mt19937_normal_f64(g, out, n, a, b);
  if (kind == BERNOULLI) BY_DTYPE(bernoulli, dtype, out, n, a);
  if (kind == RANDINT) BY_DTYPE(randint, dtype, out, n, low, high);
  if (kind == PERM) gruI_mt19937_randperm(g, out, n, 0);
}

typedef struct golden_fill {
  uint64_t seed;
  int kind;
  gru_dtype dtype;
  int64_t n;
  double a, b;
  int64_t low, high;
  uint64_t hash;
} golden_fill;

static const golden_fill fills[] = {
    {0, UNIFORM, GRU_FLOAT32, 5, 0.0, 1.0, 0, 0, 0x4530ae1f72c05e76},
    {42, UNIFORM, GRU_FLOAT32, 1003, -0.0625, 0.3, 0, 0, 0x879992c38efd767a},
    {137, UNIFORM, GRU_FLOAT32, 1000003, -0.1, 0.1, 0, 0, 0x7af213b8e472a2a6},
    {4294967301, UNIFORM, GRU_FLOAT32, 17, 0.0, 1.0, 0, 0, 0xa88706b2133a3c58},
    {0, UNIFORM, GRU_FLOAT64, 5, 0.0, 1.0, 0, 0, 0x15eee16271a18a6c},
    {42, UNIFORM, GRU_FLOAT64, 1003, -2.0, 5.5, 0, 0, 0x01c93184fe4f78b7},
    {0, NORMAL, GRU_FLOAT32, 16, 0.0, 1.0, 0, 0, 0x28d49f8f92bf21d6},
    {42, NORMAL, GRU_FLOAT32, 17, 0.0, 0.01, 0, 0, 0xc51bb41e6ee817e5},
    {137, NORMAL, GRU_FLOAT32, 100, 0.3, 1.7, 0, 0, 0x2f3ecdb6d64477fd},
    {0, NORMAL, GRU_FLOAT32, 1000003, 0.0, 1.0, 0, 0, 0xdd8eb9cf82157889},
    {0, BERNOULLI, GRU_FLOAT32, 1003, 0.3, 0.0, 0, 0, 0x57310752d05f4c45},
    {42, BERNOULLI, GRU_FLOAT64, 1003, 0.9, 0.0, 0, 0, 0xece5a051b8d3e385},
    {137, BERNOULLI, GRU_INT64, 1003, 0.5, 0.0, 0, 0, 0xf637c203a630e784},
    {0, BERNOULLI, GRU_BOOL, 1003, 0.25, 0.0, 0, 0, 0x0ef1446e4c0d6ff4},
    {0, RANDINT, GRU_INT64, 1003, 0.0, 0.0, -5, 1000003, 0x800fdbf60d1d521b},
    {42, RANDINT, GRU_INT64, 1003, 0.0, 0.0, -7, 1099511627776, 0xf095a544464131a3},
    {137, RANDINT, GRU_INT64, 100, 0.0, 0.0, INT64_MIN, INT64_MAX, 0x9fb78b6327aa2315},
    {0, RANDINT, GRU_INT64, 50, 0.0, 0.0, 0, 4294967296, 0x31228c7ee70d6878},
    {0, RANDINT, GRU_INT64, 50, 0.0, 0.0, 0, 4294967295, 0x0b34d377de8a8d03},
    {42, RANDINT, GRU_FLOAT32, 1003, 0.0, 0.0, 0, 77, 0x4718a71cb7a8d7a1},
    {0, RANDINT, GRU_FLOAT64, 1003, 0.0, 0.0, -8589934592, 8589934592, 0x88b794b4cd3d0de6},
    {0, RANDINT, GRU_BOOL, 1003, 0.0, 0.0, 0, 2, 0xefa84ae0ffc63dd7},
    {0, PERM, GRU_INT64, 1, 0.0, 0.0, 0, 0, 0xa8c7f832281a39c5},
    {42, PERM, GRU_INT64, 17, 0.0, 0.0, 0, 0, 0x64eb2dd9b05bfaf5},
    {137, PERM, GRU_INT64, 1003, 0.0, 0.0, 0, 0, 0x7f2f8324ece3667b},
};

static uint64_t fnv(const void *bytes, size_t count) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < count; i++)
    hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
  return hash;
}

static void test_torch_fills(void) {
  for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
    const golden_fill *f = &fills[i];
    size_t bytes = (size_t)f->n * gru_dtype_size(f->dtype);
    void *out = fresh(bytes);
    gruI_mt19937 g;
    gruI_mt19937_seed(&g, f->seed);
    mt_fill(&g, f->kind, f->dtype, out, f->n, f->a, f->b, f->low, f->high);
    check(fnv(out, bytes) == f->hash, "torch fill", (long long)i, f->kind, f->dtype);
    free(out);
  }
}

/* torch.empty(n, dtype=torch.float64).normal_(0.3, 1.7): elements 0, 1, n - 2 and n - 1. */
static void test_torch_normals(void) {
  static const struct {
    uint64_t seed;
    int n;
    double want[4];
  } cases[] = {
      {0, 5, {2.9196933840148738, -0.19882913979360883, 1.266333171377135, -1.5436879821208356}},
      {42, 15, {0.87237360245256, 0.5189759887322025, -2.572658124555125, -1.3812317979491735}},
      {137, 16, {0.21858467163965514, 0.6473187102160036, 0.06576079881468243, 1.3602788995610366}},
      {7, 17, {0.412654817429649, -0.19477050063096155, 1.0693783535717503, -2.53513952819589}}};
  for (int i = 0; i < 4; i++) {
    double x[17];
    int n = cases[i].n, at[4] = {0, 1, n - 2, n - 1};
    gruI_mt19937 g;
    gruI_mt19937_seed(&g, cases[i].seed);
    gruI_mt19937_normal_f64(&g, x, n, 0.3, 1.7);
    for (int j = 0; j < 4; j++)
      check(fabs(x[at[j]] - cases[i].want[j]) < 2e-15, "torch double normal", i, j, 0);
  }
}

/* Fills in turn after manual_seed(42), each with its last element: the second normal of a
** pair waits through whatever comes between. */
static void test_torch_sequence(void) {
  static const struct {
    int kind;
    gru_dtype dtype;
    int n;
    double a, b, last;
  } steps[] = {{NORMAL, GRU_FLOAT32, 3, 0.0, 1.0, 0.23446236550807953},
               {UNIFORM, GRU_FLOAT32, 2, 0.0, 1.0, 0.13318592309951782},
               {NORMAL, GRU_FLOAT64, 2, 1.0, 2.0, -3.932114102861064},
               {NORMAL, GRU_FLOAT32, 17, 0.0, 1.0, -1.234653115272522},
               {BERNOULLI, GRU_BOOL, 3, 0.5, 0.0, 1.0},
               {RANDINT, GRU_INT64, 3, 0.0, 1000000000000.0, 731744320642.0},
               {NORMAL, GRU_FLOAT32, 1, 0.0, 1.0, 0.36228621006011963},
               {PERM, GRU_INT64, 5, 0.0, 0.0, 4.0},
               {NORMAL, GRU_FLOAT64, 33, 0.0, 1.0, -0.30966928936146026},
               {UNIFORM, GRU_FLOAT64, 1, 0.0, 1.0, 0.8790019146433473}};
  gruI_mt19937 g;
  gruI_mt19937_seed(&g, 42);
  for (int i = 0; i < 10; i++) {
    double out[40];
    mt_fill(&g, steps[i].kind, steps[i].dtype, out, steps[i].n, steps[i].a, steps[i].b,
            (int64_t)steps[i].a, (int64_t)steps[i].b);
    double last = drawn(steps[i].dtype, out, steps[i].n - 1);
    check(fabs(last - steps[i].last) < (steps[i].dtype == GRU_FLOAT32 ? 1e-7 : 2e-15),
          "torch sequence", i, 0, 0);
  }
}

static void test_words(void) {
  static const uint32_t words[] = {4053805790u, 2173880614u, 380293709u, 1237255315u, 2986595568u};
  gruI_mt19937 g, h;
  gruI_mt19937_seed(&g, 137);
  h = g;
  for (int i = 0; i < 5; i++)
    check(gruI_mt19937_next_u32(&g) == words[i], "mt19937 words", i, 0, 0);
  check(gruI_mt19937_next_u64(&h) == ((uint64_t)words[0] << 32 | words[1]), "64 bits", 0, 0, 0);
}

static void tests(void) {
  test_known_answers();
  test_units();
  test_fills();
  test_sets();
  test_moments();
  test_limits();
  test_words();
  test_torch_fills();
  test_torch_normals();
  test_torch_sequence();
}

int main(int argc, char **argv) { return run_tests(argc, argv, tests); }

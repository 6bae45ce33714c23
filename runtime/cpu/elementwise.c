/* elementwise.c - the elementwise rows of ops.def as loops over contiguous operands.
**
** This file is compiled once per instruction set (GRUI_ISA).  For each dtype the rows are
** expanded by elementwise_rows.inc.h into functions, loops and a table; the call looks its loop
** up and either runs it at once, which is what small contiguous operands get, or leaves
** shapes and threads to gruI_cpu_map.
*/
#include "core/math.h"
#include "cpu/cpu.h"
#include "cpu/map.h"

#define INLINED inline __attribute__((always_inline))
#define ROW_PASTE_(name, suffix) name##_##suffix
#define ROW_PASTE(name, suffix) ROW_PASTE_(name, suffix)

/* Iterations are independent: an output is an input with the same strides, or apart. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed" /* some loops become memset */
#define NO_CARRIED_DEPENDENCE _Pragma("clang loop vectorize(assume_safety)")
#else
#define NO_CARRIED_DEPENDENCE _Pragma("GCC ivdep")
#endif

enum {
  ROWS = GRU_OP_COUNT_,
  VARIANTS = 4,
  /* Elements of a block of the pool, by what a row costs: 2 to 3 microseconds. */
  LIGHT_BLOCK = 32768,
  HEAVY_BLOCK = 8192,
  LIGHT = 0,
  HEAVY = 1
};

typedef struct entry {
  gruI_map_loop loop; /* NULL: no such row */
  uint8_t used;       /* bit s: slot s */
  uint8_t weight;
} entry;

#define WEIGHT(number) ((number) >= GRU_OP_POW && (number) <= GRU_OP_FLOOR_DIVIDE ? HEAVY : LIGHT)

#include "cpu/elementwise_used.inc.h"

/* ---- the rows, dtype by dtype ------------------------------------------------------ */

#define ELEMENT T
#include "core/math_words.h"

#define T float
#define SUFFIX f32
#define IS_FLOAT 1
#define IS_BOOL 0
#include "cpu/elementwise_rows.inc.h"
#define T double
#define SUFFIX f64
#define IS_FLOAT 1
#define IS_BOOL 0
#include "cpu/elementwise_rows.inc.h"
#define T int64_t
#define SUFFIX i64
#define IS_FLOAT 0
#define IS_BOOL 0
#include "cpu/elementwise_rows.inc.h"
#define T uint8_t
#define SUFFIX b8
#define IS_FLOAT 0
#define IS_BOOL 1
#include "cpu/elementwise_rows.inc.h"

/* ---- calls ------------------------------------------------------------------------- */

static const entry *find_entry(const gruI_elementwise *call) {
  if (call->op < 0 || call->op >= ROWS) return NULL;
  switch (call->dtype) {
    case GRU_FLOAT32: return &table_f32[call->op][call->variant];
    case GRU_FLOAT64: return &table_f64[call->op][call->variant];
    case GRU_INT64: return &table_i64[call->op][call->variant];
    case GRU_BOOL: return &table_b8[call->op][call->variant];
  }
  return NULL;
}

static size_t size_of(gru_dtype dtype) {
  return dtype == GRU_BOOL ? 1 : dtype == GRU_FLOAT32 ? 4 : 8;
}

/* Comparisons, tests and logic: entries of rows that give bool. */
static int gives_bool(int op) {
#define GRU_UNARY_TEST(number, name, f, fi) case number:
#define GRU_COMPARE(number, name, f) case number:
#define GRU_LOGICAL(number, name, f) case number:
  switch (op) {
#include "ops.def"
    return 1;
    default: return 0;
  }
}

/* A single row of contiguous inputs and scalars that is not worth threads runs here and now. */
static int run_directly(const gruI_elementwise *call, const entry *e, int64_t block) {
  unsigned scalars = 0;
  int64_t n = call->shape[0];
  if (call->ndim != 1 || n > block * GRUI_SERIAL_BLOCKS) return 0;
  if (call->out_stride[0] != 1 && n > 1) return 0;
  for (unsigned s = 0, left = e->used; left != 0; s++, left >>= 1) {
    if (!(left & 1) || n == 1 || call->in_stride[s][0] == 1) continue;
    if (call->in_stride[s][0] != 0) return 0;
    scalars |= 1u << s;
  }
  if (!gruI_map_accepts(e->used, scalars)) return 0;
  e->loop(n, call->in, scalars, call->out);
  return 1;
}

gru_status GRUI_ISA_NAME(gruI_cpu_elementwise)(gruI_device *device, const gruI_elementwise *call) {
  const entry *e = find_entry(call);
  if (e == NULL || e->loop == NULL)
    return gruI_cpu_fail(device, GRU_ERROR_DTYPE, "no elementwise row %d.%d for dtype %d", call->op,
                         call->variant, (int)call->dtype);
  int64_t block = e->weight == HEAVY ? HEAVY_BLOCK : LIGHT_BLOCK;
  if (run_directly(call, e, block)) return GRU_OK;
  gruI_map map = {
      .loop = e->loop,
      .used = e->used,
      .in_size = size_of(call->dtype),
      .out_size = gives_bool(call->op) ? 1 : size_of(call->dtype),
      .block = block,
      .ndim = call->ndim,
      .shape = call->shape,
      .in = call->in,
      .in_stride = call->in_stride,
      .out = call->out,
      .out_stride = call->out_stride,
  };
  return gruI_cpu_map(device, &map);
}

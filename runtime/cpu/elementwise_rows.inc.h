/* elementwise_rows.inc.h - the rows of ops.def for one dtype: each as an inline function and as
** loops over it, and the table of them.  elementwise.c includes it with
**   T          the C type
**   SUFFIX     f32, f64, i64 or b8
**   IS_FLOAT   1: float texts and gradients; 0: int64 texts, no gradients
**   IS_BOOL    1: tests, comparisons, logic and rows with three inputs
*/

#define R T
#define LOOP_SUFFIX ROW_PASTE(map, SUFFIX)
#include "cpu/elementwise_loops.inc.h"
#define R uint8_t
#define LOOP_SUFFIX ROW_PASTE(test, SUFFIX)
#include "cpu/elementwise_loops.inc.h"

#define RUN_MAP ROW_PASTE(run_map, SUFFIX)
#define RUN_TEST ROW_PASTE(run_test, SUFFIX)

/* id: name and variant, such as tanh_da; the row is tanh_da_f32, its loops run_tanh_da_f32. */
#define LOOPS_OF(run, id, used) \
  static void ROW_PASTE(run_##id, SUFFIX)(int64_t n, const void *const *in, unsigned scalars, \
                                          void *out) { \
    run(n, in, scalars, out, used, ROW_PASTE(id, SUFFIX)); \
  }
#define ROW_X(R, run, id, used, text) \
  static INLINED R ROW_PASTE(id, SUFFIX)(T x, T b, T c, T y, T g) { \
    (void)x, (void)b, (void)c, (void)y, (void)g; \
    return (R)(text); \
  } \
  LOOPS_OF(run, id, used)
#define ROW_ABC(R, run, id, used, text) \
  static INLINED R ROW_PASTE(id, SUFFIX)(T a, T b, T c, T y, T g) { \
    (void)a, (void)b, (void)c, (void)y, (void)g; \
    return (R)(text); \
  } \
  LOOPS_OF(run, id, used)

/* ---- functions --------------------------------------------------------------------- */

#if IS_FLOAT
#define GRU_UNARY_FLOAT(number, name, f, dx) \
  ROW_X(T, RUN_MAP, name##_y, 1, f) \
  ROW_X(T, RUN_MAP, name##_da, name##_da_used, dx)
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) \
  ROW_X(T, RUN_MAP, name##_y, 1, f) \
  ROW_X(T, RUN_MAP, name##_da, name##_da_used, dx)
#define GRU_UNARY_TEST(number, name, f, fi) ROW_X(uint8_t, RUN_TEST, name##_y, 1, f)
#define GRU_BINARY_FLOAT(number, name, f, da, db) \
  ROW_ABC(T, RUN_MAP, name##_y, 3, f) \
  ROW_ABC(T, RUN_MAP, name##_da, name##_da_used, da) \
  ROW_ABC(T, RUN_MAP, name##_db, name##_db_used, db)
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) GRU_BINARY_FLOAT(number, name, f, da, db)
#define GRU_COMPARE(number, name, f) ROW_ABC(uint8_t, RUN_TEST, name##_y, 3, f)
#define GRU_TERNARY(number, name, f, da, db, dc) \
  ROW_ABC(T, RUN_MAP, name##_y, 7, f) \
  ROW_ABC(T, RUN_MAP, name##_da, name##_da_used, da) \
  ROW_ABC(T, RUN_MAP, name##_db, name##_db_used, db) \
  ROW_ABC(T, RUN_MAP, name##_dc, name##_dc_used, dc)
#elif !IS_BOOL
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) ROW_X(T, RUN_MAP, name##_y, 1, fi)
#define GRU_UNARY_TEST(number, name, f, fi) ROW_X(uint8_t, RUN_TEST, name##_y, 1, fi)
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) ROW_ABC(T, RUN_MAP, name##_y, 3, fi)
#define GRU_COMPARE(number, name, f) ROW_ABC(uint8_t, RUN_TEST, name##_y, 3, f)
#define GRU_TERNARY(number, name, f, da, db, dc) ROW_ABC(T, RUN_MAP, name##_y, 7, f)
#else
#define GRU_UNARY_TEST(number, name, f, fi) ROW_X(uint8_t, RUN_TEST, name##_y, 1, fi)
#define GRU_COMPARE(number, name, f) ROW_ABC(uint8_t, RUN_TEST, name##_y, 3, f)
#define GRU_LOGICAL(number, name, f) ROW_ABC(uint8_t, RUN_TEST, name##_y, 3, f)
#define GRU_TERNARY(number, name, f, da, db, dc) ROW_ABC(T, RUN_MAP, name##_y, 7, f)
#endif
#include "ops.def"

/* ---- the table --------------------------------------------------------------------- */

#define ENTRY(weight, id, used) \
  { ROW_PASTE(run_##id, SUFFIX), used, weight }
#define ENTRY_Y(weight, name, used) ENTRY(weight, name##_y, used)
#define ENTRY_D(weight, id) ENTRY(weight, id, id##_used)

#if IS_FLOAT
#define GRU_UNARY_FLOAT(number, name, f, dx) \
  [number] = {ENTRY_Y(HEAVY, name, 1), ENTRY_D(HEAVY, name##_da)},
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) \
  [number] = {ENTRY_Y(LIGHT, name, 1), ENTRY_D(LIGHT, name##_da)},
#define GRU_UNARY_TEST(number, name, f, fi) [number] = {ENTRY_Y(LIGHT, name, 1)},
#define GRU_BINARY_FLOAT(number, name, f, da, db) \
  [number] = {ENTRY_Y(WEIGHT(number), name, 3), ENTRY_D(WEIGHT(number), name##_da), \
              ENTRY_D(WEIGHT(number), name##_db)},
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) GRU_BINARY_FLOAT(number, name, f, da, db)
#define GRU_COMPARE(number, name, f) [number] = {ENTRY_Y(LIGHT, name, 3)},
#define GRU_TERNARY(number, name, f, da, db, dc) \
  [number] = {ENTRY_Y(LIGHT, name, 7), ENTRY_D(LIGHT, name##_da), ENTRY_D(LIGHT, name##_db), \
              ENTRY_D(LIGHT, name##_dc)},
#elif !IS_BOOL
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) [number] = {ENTRY_Y(LIGHT, name, 1)},
#define GRU_UNARY_TEST(number, name, f, fi) [number] = {ENTRY_Y(LIGHT, name, 1)},
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) \
  [number] = {ENTRY_Y(WEIGHT(number), name, 3)},
#define GRU_COMPARE(number, name, f) [number] = {ENTRY_Y(LIGHT, name, 3)},
#define GRU_TERNARY(number, name, f, da, db, dc) [number] = {ENTRY_Y(LIGHT, name, 7)},
#else
#define GRU_UNARY_TEST(number, name, f, fi) [number] = {ENTRY_Y(LIGHT, name, 1)},
#define GRU_COMPARE(number, name, f) [number] = {ENTRY_Y(LIGHT, name, 3)},
#define GRU_LOGICAL(number, name, f) [number] = {ENTRY_Y(LIGHT, name, 3)},
#define GRU_TERNARY(number, name, f, da, db, dc) [number] = {ENTRY_Y(LIGHT, name, 7)},
#endif

static const entry ROW_PASTE(table, SUFFIX)[ROWS][VARIANTS] = {
#include "ops.def"
};

#undef ENTRY_D
#undef ENTRY_Y
#undef ENTRY
#undef ROW_ABC
#undef ROW_X
#undef LOOPS_OF
#undef RUN_TEST
#undef RUN_MAP
#undef IS_BOOL
#undef IS_FLOAT
#undef SUFFIX
#undef T

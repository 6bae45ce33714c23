/* elementwise.cuh - the elementwise rows of ops.def as kernels for one dtype; elementwise_f32.cu and
** its siblings include it with
**   ELEMENT    the C type
**   IS_FLOAT   1: float texts and gradients; 0: int64 texts, no gradients
**   IS_BOOL    1: tests, comparisons, logic and rows with three inputs
**   FIND       the name of the function that finds a launcher
**
** Each row is a struct with the function `at`; one kernel template runs it.
*/
#include "cuda/elementwise_launch.cuh"

#include "core/math.h"

#include "core/math_words.h"

/* ---- rows ------------------------------------------------------------------------------------ */

/* id: name and variant, such as tanh_da; the first input is called x or a. */
#define ROW(R, first, id, text) \
  struct id { \
    typedef R result; \
    GRUI_CUDA_FN R at(ELEMENT first, ELEMENT b, ELEMENT c, ELEMENT y, ELEMENT g) { \
      (void)first, (void)b, (void)c, (void)y, (void)g; \
      return (R)(text); \
    } \
  };

namespace {

#if IS_FLOAT
#define GRU_UNARY_FLOAT(number, name, f, dx) \
  ROW(ELEMENT, x, name##_y, f) ROW(ELEMENT, x, name##_da, dx)
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) \
  ROW(ELEMENT, x, name##_y, f) ROW(ELEMENT, x, name##_da, dx)
#define GRU_UNARY_TEST(number, name, f, fi) ROW(uint8_t, x, name##_y, f)
#define GRU_BINARY_FLOAT(number, name, f, da, db) \
  ROW(ELEMENT, a, name##_y, f) ROW(ELEMENT, a, name##_da, da) ROW(ELEMENT, a, name##_db, db)
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) GRU_BINARY_FLOAT(number, name, f, da, db)
#define GRU_COMPARE(number, name, f) ROW(uint8_t, a, name##_y, f)
#define GRU_TERNARY(number, name, f, da, db, dc) \
  GRU_BINARY_FLOAT(number, name, f, da, db) ROW(ELEMENT, a, name##_dc, dc)
#elif !IS_BOOL
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) ROW(ELEMENT, x, name##_y, fi)
#define GRU_UNARY_TEST(number, name, f, fi) ROW(uint8_t, x, name##_y, fi)
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) ROW(ELEMENT, a, name##_y, fi)
#define GRU_COMPARE(number, name, f) ROW(uint8_t, a, name##_y, f)
#define GRU_TERNARY(number, name, f, da, db, dc) ROW(ELEMENT, a, name##_y, f)
#else
#define GRU_UNARY_TEST(number, name, f, fi) ROW(uint8_t, x, name##_y, fi)
#define GRU_COMPARE(number, name, f) ROW(uint8_t, a, name##_y, f)
#define GRU_LOGICAL(number, name, f) ROW(uint8_t, a, name##_y, f)
#define GRU_TERNARY(number, name, f, da, db, dc) ROW(ELEMENT, a, name##_y, f)
#endif
#include "ops.def"

}  // namespace

/* ---- the way to them ---------------------------------------------------------------------------- */

/* clang-format off */
#define ENTRY(variant, id) case variant: return gruI_cuda_run_row<id, ELEMENT>;
#define CASE(number, entries) case number: switch (variant) { entries } return NULL;
/* clang-format on */

gruI_cuda_row_launcher *FIND(int op, int variant) {
  switch (op) {
#if IS_FLOAT
#define GRU_UNARY_FLOAT(number, name, f, dx) CASE(number, ENTRY(0, name##_y) ENTRY(1, name##_da))
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) GRU_UNARY_FLOAT(number, name, f, dx)
#define GRU_UNARY_TEST(number, name, f, fi) CASE(number, ENTRY(0, name##_y))
#define GRU_BINARY_FLOAT(number, name, f, da, db) \
  CASE(number, ENTRY(0, name##_y) ENTRY(1, name##_da) ENTRY(2, name##_db))
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) GRU_BINARY_FLOAT(number, name, f, da, db)
#define GRU_COMPARE(number, name, f) CASE(number, ENTRY(0, name##_y))
#define GRU_TERNARY(number, name, f, da, db, dc) \
  CASE(number, ENTRY(0, name##_y) ENTRY(1, name##_da) ENTRY(2, name##_db) ENTRY(3, name##_dc))
#elif !IS_BOOL
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) CASE(number, ENTRY(0, name##_y))
#define GRU_UNARY_TEST(number, name, f, fi) CASE(number, ENTRY(0, name##_y))
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) CASE(number, ENTRY(0, name##_y))
#define GRU_COMPARE(number, name, f) CASE(number, ENTRY(0, name##_y))
#define GRU_TERNARY(number, name, f, da, db, dc) CASE(number, ENTRY(0, name##_y))
#else
#define GRU_UNARY_TEST(number, name, f, fi) CASE(number, ENTRY(0, name##_y))
#define GRU_COMPARE(number, name, f) CASE(number, ENTRY(0, name##_y))
#define GRU_LOGICAL(number, name, f) CASE(number, ENTRY(0, name##_y))
#define GRU_TERNARY(number, name, f, da, db, dc) CASE(number, ENTRY(0, name##_y))
#endif
#include "ops.def"
    default: return NULL;
  }
}

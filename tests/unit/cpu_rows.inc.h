/* cpu_rows.inc.h - a function EVAL(op, variant, in) that computes one element of a row of
** ops.def, included with T, FIELD (of value), EVAL, and IS_FLOAT or IS_BOOL as 0 or 1.
*/
#define GIVE(number, variant, field, text) \
  case (number)*4 + (variant): \
    out.field = (text); \
    break;
#if IS_FLOAT
#define GRU_UNARY_FLOAT(number, name, f, dx) GIVE(number, 0, FIELD, f) GIVE(number, 1, FIELD, dx)
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) GRU_UNARY_FLOAT(number, name, f, dx)
#define GRU_UNARY_TEST(number, name, f, fi) GIVE(number, 0, b8, (uint8_t)(f))
#define GRU_BINARY_FLOAT(number, name, f, da, db) \
  GIVE(number, 0, FIELD, f) GIVE(number, 1, FIELD, da) GIVE(number, 2, FIELD, db)
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) GRU_BINARY_FLOAT(number, name, f, da, db)
#define GRU_TERNARY(number, name, f, da, db, dc) \
  GRU_BINARY_FLOAT(number, name, f, da, db) GIVE(number, 3, FIELD, dc)
#else
#define GRU_UNARY_TEST(number, name, f, fi) GIVE(number, 0, b8, (uint8_t)(fi))
#define GRU_TERNARY(number, name, f, da, db, dc) GIVE(number, 0, FIELD, (T)(f))
#if IS_BOOL
#define GRU_LOGICAL(number, name, f) GIVE(number, 0, b8, (uint8_t)(f))
#else
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) GIVE(number, 0, FIELD, fi)
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) GIVE(number, 0, FIELD, fi)
#endif
#endif
#define GRU_COMPARE(number, name, f) GIVE(number, 0, b8, (uint8_t)(f))

static value EVAL(int op, int variant, const value *in) {
  const T a = in[0].FIELD, b = in[1].FIELD, c = in[2].FIELD;
  const T y = in[3].FIELD, g = in[4].FIELD, x = a;
  value out = {.i64 = 0};
  (void)y, (void)g;
  switch (op * 4 + variant) {
#include "ops.def"
  }
  return out;
}

#undef GIVE
#undef T
#undef FIELD
#undef EVAL
#undef IS_FLOAT
#undef IS_BOOL

/* elementwise_rows.c - the rows of ops.def as data: class, and what each gradient costs.
**
** The dx texts are expanded here as constants, twice: as a bit mask of the slots that they
** name, which is what the tape has to save, and as the number of ops that they would call.
*/
#include "ops/rules.h"

/* First reading: a name is its slot's bit, and a word joins the bits of its arguments. */
enum { x = 1, a = 1, b = 2, c = 4, y = 1 << GRUI_SLOT_Y, g = 1 << GRUI_SLOT_G };

#define ONE_(p) (p)
#define TWO_(p, q) ((p) | (q))
#define THREE_(p, q, r) ((p) | (q) | (r))
#define C(v) 0
#define zero(p) 0
#define neg ONE_
#define exp ONE_
#define log ONE_
#define sin ONE_
#define cos ONE_
#define sign ONE_
#define sigmoid ONE_
#define add TWO_
#define sub TWO_
#define mul TWO_
#define div TWO_
#define pow TWO_
#define floor_divide TWO_
#define gt TWO_
#define ge TWO_
#define lt TWO_
#define le TWO_
#define eq TWO_
#define where THREE_

#define GRU_UNARY_FLOAT(number, name, f, dx) enum { USES_A_##number = dx };
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) GRU_UNARY_FLOAT(number, name, f, dx)
#define GRU_BINARY_FLOAT(number, name, f, da, db) \
  enum { USES_A_##number = da, USES_B_##number = db };
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) GRU_BINARY_FLOAT(number, name, f, da, db)
#define GRU_TERNARY(number, name, f, da, db, dc) \
  enum { USES_A_##number = da, USES_B_##number = db, USES_C_##number = dc };
#include "ops.def"

/* Second reading: a name is nothing, and a word counts one. */
#undef ONE_
#undef TWO_
#undef THREE_
#undef zero
#define x 0
#define a 0
#define b 0
#define c 0
#define y 0
#define g 0
#define zero(p) 1
#define ONE_(p) (1 + (p))
#define TWO_(p, q) (1 + (p) + (q))
#define THREE_(p, q, r) (1 + (p) + (q) + (r))

#define GRU_UNARY_FLOAT(number, name, f, dx) enum { WORDS_A_##number = dx };
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) GRU_UNARY_FLOAT(number, name, f, dx)
#define GRU_BINARY_FLOAT(number, name, f, da, db) \
  enum { WORDS_A_##number = da, WORDS_B_##number = db };
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) GRU_BINARY_FLOAT(number, name, f, da, db)
#define GRU_TERNARY(number, name, f, da, db, dc) \
  enum { WORDS_A_##number = da, WORDS_B_##number = db, WORDS_C_##number = dc };
#include "ops.def"

#undef add
#undef sub
#undef mul
#undef div
#undef pow
#undef neg
#undef exp
#undef log
#undef sin
#undef cos
#undef sign
#undef sigmoid
#undef floor_divide
#undef gt
#undef ge
#undef lt
#undef le
#undef eq
#undef where
#undef zero
#undef x
#undef a
#undef b
#undef c
#undef y
#undef g

#define ROW1(number, name, class) \
  [number] = {GRUI_CLASS_##class, {USES_A_##number}, {WORDS_A_##number}, {gruI_##name##_da}},
#define ROW2(number, name, class) \
  [number] = {GRUI_CLASS_##class, \
              {USES_A_##number, USES_B_##number}, \
              {WORDS_A_##number, WORDS_B_##number}, \
              {gruI_##name##_da, gruI_##name##_db}},
#define GRU_UNARY_FLOAT(number, name, f, dx) ROW1(number, name, UNARY_FLOAT)
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) ROW1(number, name, UNARY_NUMERIC)
#define GRU_UNARY_TEST(number, name, f, fi) [number] = {.class = GRUI_CLASS_UNARY_TEST},
#define GRU_BINARY_FLOAT(number, name, f, da, db) ROW2(number, name, BINARY_FLOAT)
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) ROW2(number, name, BINARY_NUMERIC)
#define GRU_COMPARE(number, name, f) [number] = {.class = GRUI_CLASS_COMPARE},
#define GRU_LOGICAL(number, name, f) [number] = {.class = GRUI_CLASS_LOGICAL},
#define GRU_TERNARY(number, name, f, da, db, dc) \
  [number] = {GRUI_CLASS_TERNARY, \
              {USES_A_##number, USES_B_##number, USES_C_##number}, \
              {WORDS_A_##number, WORDS_B_##number, WORDS_C_##number}, \
              {gruI_##name##_da, gruI_##name##_db, gruI_##name##_dc}},

const gruI_row gruI_rows_table[GRU_OP_COUNT_] = {
#include "ops.def"
};

/* table.c - the op table: every row of ops.def with its rules. */
#include "ops/rules.h"

#define ELEMENTWISE(number, row_name, n, rule) \
  [number] = {#row_name, (gru_op)number, n, GRU_ELEMENTWISE, gruI_elementwise_forward, rule},
#define GRU_UNARY_FLOAT(number, name, f, dx) ELEMENTWISE(number, name, 1, gruI_elementwise_vjp)
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) \
  ELEMENTWISE(number, name, 1, gruI_elementwise_vjp)
#define GRU_UNARY_TEST(number, name, f, fi) ELEMENTWISE(number, name, 1, NULL)
#define GRU_BINARY_FLOAT(number, name, f, da, db) ELEMENTWISE(number, name, 2, gruI_elementwise_vjp)
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) \
  ELEMENTWISE(number, name, 2, gruI_elementwise_vjp)
#define GRU_COMPARE(number, name, f) ELEMENTWISE(number, name, 2, NULL)
#define GRU_LOGICAL(number, name, f) ELEMENTWISE(number, name, 2, NULL)
#define GRU_TERNARY(number, name, f, da, db, dc) ELEMENTWISE(number, name, 3, gruI_elementwise_vjp)
/* A row that says GRU_NO_GRAD has no gradient rule to link to. */
#define VJP_0(name) gruI_##name##_vjp
#define VJP_GRU_VIEW(name) gruI_##name##_vjp
#define VJP_GRU_NO_GRAD(name) NULL
#define GRU_OP(number, name, n, flags) \
  [number] = {#name, (gru_op)number, n, flags, gruI_##name##_forward, VJP_##flags(name)},

const gruI_op gruI_op_table[GRU_OP_COUNT_] = {
#include "ops.def"
};

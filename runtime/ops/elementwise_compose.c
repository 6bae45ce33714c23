/* elementwise_compose.c - the dx texts of ops.def as op calls: the gradient that can itself
** be differentiated, and the cheapest one where the text is a single word. */
#include "ops/rules.h"

#define CALL1(op, p) gruI_expr_call(e, GRU_OP_##op, NULL, 1, (gru_tensor *const[]){p})
#define CALL2(op, p, q) gruI_expr_call(e, GRU_OP_##op, NULL, 2, (gru_tensor *const[]){p, q})
#define CALL3(op, p, q, r) gruI_expr_call(e, GRU_OP_##op, NULL, 3, (gru_tensor *const[]){p, q, r})
#define C(v) gruI_expr_number(e, v)
#define zero(p) gruI_expr_zeros(e, p)
#define neg(p) CALL1(NEG, p)
#define exp(p) CALL1(EXP, p)
#define log(p) CALL1(LOG, p)
#define sin(p) CALL1(SIN, p)
#define cos(p) CALL1(COS, p)
#define sign(p) CALL1(SIGN, p)
#define sigmoid(p) CALL1(SIGMOID, p)
#define add(p, q) CALL2(ADD, p, q)
#define sub(p, q) CALL2(SUB, p, q)
#define mul(p, q) CALL2(MUL, p, q)
#define div(p, q) CALL2(DIV, p, q)
#define pow(p, q) CALL2(POW, p, q)
#define floor_divide(p, q) CALL2(FLOOR_DIVIDE, p, q)
#define gt(p, q) CALL2(GT, p, q)
#define ge(p, q) CALL2(GE, p, q)
#define lt(p, q) CALL2(LT, p, q)
#define le(p, q) CALL2(LE, p, q)
#define eq(p, q) CALL2(EQ, p, q)
#define where(p, q, r) CALL3(WHERE, p, q, r)

#define RULE(name, which, text) \
  gru_tensor *gruI_##name##_##which(gruI_expression *e, gru_tensor *const *in) { \
    gru_tensor *const a = in[0], *const b = in[1], *const c = in[2], *const x = in[0]; \
    gru_tensor *const y = in[GRUI_SLOT_Y], *const g = in[GRUI_SLOT_G]; \
    (void)e, (void)a, (void)b, (void)c, (void)x, (void)y, (void)g; \
    return text; \
  }

#define GRU_UNARY_FLOAT(number, name, f, t) RULE(name, da, t)
#define GRU_UNARY_NUMERIC(number, name, f, fi, t) RULE(name, da, t)
#define GRU_BINARY_FLOAT(number, name, f, t, u) RULE(name, da, t) RULE(name, db, u)
#define GRU_BINARY_NUMERIC(number, name, f, fi, t, u) RULE(name, da, t) RULE(name, db, u)
#define GRU_TERNARY(number, name, f, t, u, w) RULE(name, da, t) RULE(name, db, u) RULE(name, dc, w)
#include "ops.def"

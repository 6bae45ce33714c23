/* elementwise_used.inc.h - the slots that each gradient of ops.def reads, as a bit mask: its
** text with every word an "or" and every name its bit.  Gives constants such as tanh_da_used.
*/
#define add(p, q) ((p) | (q))
#define sub(p, q) ((p) | (q))
#define mul(p, q) ((p) | (q))
#define div(p, q) ((p) | (q))
#define pow(p, q) ((p) | (q))
#define floor_divide(p, q) ((p) | (q))
#define gt(p, q) ((p) | (q))
#define ge(p, q) ((p) | (q))
#define lt(p, q) ((p) | (q))
#define le(p, q) ((p) | (q))
#define eq(p, q) ((p) | (q))
#define where(p, q, r) ((p) | (q) | (r))
#define neg(p) (p)
#define exp(p) (p)
#define log(p) (p)
#define sin(p) (p)
#define cos(p) (p)
#define sigmoid(p) (p)
#define sign(p) (p)
#define C(v) 0
#define zero(p) 0
#define x 1
#define a 1
#define b 2
#define c 4
#define y 8
#define g 16

#define GRU_UNARY_FLOAT(number, name, f, dx) name##_da_used = (dx),
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) name##_da_used = (dx),
#define GRU_BINARY_FLOAT(number, name, f, da, db) name##_da_used = (da), name##_db_used = (db),
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) GRU_BINARY_FLOAT(number, name, f, da, db)
#define GRU_TERNARY(number, name, f, da, db, dc) \
  name##_da_used = (da), name##_db_used = (db), name##_dc_used = (dc),
enum {
#include "ops.def"
  used_end
};

#undef g
#undef y
#undef c
#undef b
#undef a
#undef x
#undef zero
#undef C
#undef sign
#undef sigmoid
#undef cos
#undef sin
#undef log
#undef exp
#undef neg
#undef where
#undef eq
#undef le
#undef lt
#undef ge
#undef gt
#undef floor_divide
#undef pow
#undef div
#undef mul
#undef sub
#undef add

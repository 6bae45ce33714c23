/* rules.h - what the files of ops/ share: elementwise rows as data, and the rules by name. */
#ifndef GRUI_RULES_H
#define GRUI_RULES_H

#include "core/tape.h"

typedef enum gruI_class {
  GRUI_CLASS_NONE,
  GRUI_CLASS_UNARY_FLOAT,
  GRUI_CLASS_UNARY_NUMERIC,
  GRUI_CLASS_UNARY_TEST,
  GRUI_CLASS_BINARY_FLOAT,
  GRUI_CLASS_BINARY_NUMERIC,
  GRUI_CLASS_COMPARE,
  GRUI_CLASS_LOGICAL,
  GRUI_CLASS_TERNARY
} gruI_class;

/* An expression over tensors: the dx text of a row, expanded as op calls, builds one.  A
** failure sticks; the temporaries go at the end. */
enum { GRUI_MAX_TERMS = 48 };
typedef struct gruI_expression {
  gru_runtime *rt;
  gru_status status;
  int count;
  gru_tensor *terms[GRUI_MAX_TERMS];
} gruI_expression;

/* `t` joins the temporaries; NULL where `status` says that it was not made. */
gru_tensor *gruI_expr_keep(gruI_expression *e, gru_status status, gru_tensor *t);
/* An op over terms (borrowed), a number, zeros like a term; NULL once the expression has failed. */
gru_tensor *gruI_expr_call(gruI_expression *e, gru_op op, const gru_attrs *attrs, int n,
                           gru_tensor *const *in);
gru_tensor *gruI_expr_number(gruI_expression *e, double value);
gru_tensor *gruI_expr_zeros(gruI_expression *e, const gru_tensor *like);
/* Ends it: *out is a new reference to `result`, the temporaries are released. */
gru_status gruI_expr_end(gruI_expression *e, gru_tensor *result, gru_tensor **out);

/* An op without attributes: GRUI_EXPR(e, MUL, a, b). */
#define GRUI_EXPR(e, op, ...) \
  gruI_expr_call(e, GRU_OP_##op, NULL, \
                 (int)(sizeof((gru_tensor *[]){__VA_ARGS__}) / sizeof(gru_tensor *)), \
                 (gru_tensor *const[]){__VA_ARGS__})

/* in: the inputs of the op in 0 .. 2, y in GRUI_SLOT_Y, g in GRUI_SLOT_G. Borrowed result. */
typedef gru_tensor *(*gruI_compose)(gruI_expression *e, gru_tensor *const *in);

/* A row of ops.def as data; one gradient per input. */
typedef struct gruI_row {
  gruI_class class;
  uint32_t uses[3]; /* bits 1 << slot, see device.h */
  int words[3];     /* how many ops the text would call */
  gruI_compose compose[3];
} gruI_row;

extern const gruI_row gruI_rows_table[GRU_OP_COUNT_];

/* The texts as op calls, in elementwise_compose.c. */
#define GRUI_DECLARE(name) gru_tensor *gruI_##name##_da(gruI_expression *, gru_tensor *const *);
#define GRUI_DECLARE2(name) \
  GRUI_DECLARE(name) \
  gru_tensor *gruI_##name##_db(gruI_expression *, gru_tensor *const *);
#define GRUI_DECLARE3(name) \
  GRUI_DECLARE2(name) \
  gru_tensor *gruI_##name##_dc(gruI_expression *, gru_tensor *const *);
#define GRU_UNARY_FLOAT(number, name, f, dx) GRUI_DECLARE(name)
#define GRU_UNARY_NUMERIC(number, name, f, fi, dx) GRUI_DECLARE(name)
#define GRU_BINARY_FLOAT(number, name, f, da, db) GRUI_DECLARE2(name)
#define GRU_BINARY_NUMERIC(number, name, f, fi, da, db) GRUI_DECLARE2(name)
#define GRU_TERNARY(number, name, f, da, db, dc) GRUI_DECLARE3(name)
#define GRU_OP(number, name, inputs, flags) \
  gru_status gruI_##name##_forward(gruI_call *call); \
  gru_status gruI_##name##_vjp(gruI_vjp *vjp);
#include "ops.def"

gru_status gruI_elementwise_forward(gruI_call *call);
gru_status gruI_elementwise_vjp(gruI_vjp *vjp);

/* The dims a reduction works on: attrs.dims made positive, in rising order, all when none are
** named.  `*n` of them. */
gru_status gruI_reduced_dims(gru_runtime *rt, const char *op, const gru_attrs *attrs, int ndim,
                             int *n, int *dims);

/* The lines of a tensor along attrs.dims[0]: contiguous it is (outer, n, inner). */
typedef struct gruI_line {
  int dim;
  int64_t outer, n, inner;
} gruI_line;
gru_status gruI_lines(gru_runtime *rt, const char *op, const gru_attrs *attrs, const gru_tensor *t,
                      gruI_line *out);

/* The gradient of max, min and median. */
gru_status gruI_extreme_vjp(gruI_vjp *v);

/* Folds all dims but the last: (..., n) becomes (rows, n). */
gru_status gruI_fold_rows(gru_tensor *t, gru_tensor **out);

/* Requires an int64 tensor of ids, or fails with the op's name. */
gru_status gruI_check_ids(const gruI_call *call, const gru_tensor *ids);

/* A kernel's GRU_ERROR_INDEX in words: "embedding: id 0 at position 3 is outside 1 .. 10". */
gru_status gruI_position_failed(gru_runtime *rt, const char *op, gruI_device *device,
                                gru_status status, int64_t base, int64_t size);

#endif

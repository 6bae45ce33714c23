/* recurrence_compose.c - recurrent layers spelt step by step with other ops.
**
** The equations stand in core/device.h; G gates of H hidden units.
*/
#include <stdlib.h>

#include "ops/recurrence.h"

/* A part of the last dim: gate `k` of `gates`. */
static gru_tensor *gate(gruI_expression *e, gru_tensor *x, int64_t k, int64_t gates) {
  if (!x) return NULL;
  int64_t H = x->shape[x->ndim - 1] / gates;
  gru_attrs part = {.dims = {-1}, .ndims = 1, .start = k * H, .stop = (k + 1) * H, .step = 1};
  return gruI_expr_call(e, GRU_OP_NARROW, &part, 1, &x);
}

/* The weights and biases of the recurrent part, transposed and cut once. */
typedef struct weights {
  gru_tensor *w, *b;     /* (H, G H), (G H) or NULL */
  gru_tensor *w_n, *b_n; /* those of a GRU's n */
  gru_tensor *w_rz, *b_rz;
} weights;

static gru_tensor *affine(gruI_expression *e, gru_tensor *h, gru_tensor *w, gru_tensor *b) {
  gru_tensor *y = GRUI_EXPR(e, MATMUL, h, w);
  return b ? GRUI_EXPR(e, ADD, y, b) : y;
}

/* n + z (h - n) */
static gru_tensor *mix(gruI_expression *e, gru_tensor *n, gru_tensor *z, gru_tensor *h) {
  return GRUI_EXPR(e, ADD, n, GRUI_EXPR(e, MUL, z, GRUI_EXPR(e, SUB, h, n)));
}

static gru_tensor *gru_after(gruI_expression *e, const weights *w, gru_tensor *x, gru_tensor *h) {
  gru_tensor *a = affine(e, h, w->w, w->b);
  gru_tensor *r = GRUI_EXPR(e, SIGMOID, GRUI_EXPR(e, ADD, gate(e, x, 0, 3), gate(e, a, 0, 3)));
  gru_tensor *z = GRUI_EXPR(e, SIGMOID, GRUI_EXPR(e, ADD, gate(e, x, 1, 3), gate(e, a, 1, 3)));
  gru_tensor *a_n = GRUI_EXPR(e, MUL, r, gate(e, a, 2, 3));
  return mix(e, GRUI_EXPR(e, TANH, GRUI_EXPR(e, ADD, gate(e, x, 2, 3), a_n)), z, h);
}

static gru_tensor *gru_before(gruI_expression *e, const weights *w, gru_tensor *x, gru_tensor *h) {
  gru_tensor *a = affine(e, h, w->w_rz, w->b_rz);
  gru_tensor *r = GRUI_EXPR(e, SIGMOID, GRUI_EXPR(e, ADD, gate(e, x, 0, 3), gate(e, a, 0, 2)));
  gru_tensor *z = GRUI_EXPR(e, SIGMOID, GRUI_EXPR(e, ADD, gate(e, x, 1, 3), gate(e, a, 1, 2)));
  gru_tensor *a_n = affine(e, GRUI_EXPR(e, MUL, r, h), w->w_n, w->b_n);
  return mix(e, GRUI_EXPR(e, TANH, GRUI_EXPR(e, ADD, gate(e, x, 2, 3), a_n)), z, h);
}

static gru_tensor *lstm(gruI_expression *e, const weights *w, gru_tensor *x, gru_tensor *h,
                        gru_tensor *c, gru_tensor **c_next) {
  gru_tensor *a = GRUI_EXPR(e, ADD, x, affine(e, h, w->w, w->b));
  gru_tensor *i = GRUI_EXPR(e, SIGMOID, gate(e, a, 0, 4));
  gru_tensor *f = GRUI_EXPR(e, SIGMOID, gate(e, a, 1, 4));
  gru_tensor *g = GRUI_EXPR(e, TANH, gate(e, a, 2, 4));
  gru_tensor *o = GRUI_EXPR(e, SIGMOID, gate(e, a, 3, 4));
  *c_next = GRUI_EXPR(e, ADD, GRUI_EXPR(e, MUL, f, c), GRUI_EXPR(e, MUL, i, g));
  return GRUI_EXPR(e, MUL, o, GRUI_EXPR(e, TANH, *c_next));
}

static gru_tensor *rnn(gruI_expression *e, const weights *w, gruI_cell cell, gru_tensor *x,
                       gru_tensor *h) {
  gru_tensor *a = GRUI_EXPR(e, ADD, x, affine(e, h, w->w, w->b));
  return cell == GRUI_RNN_RELU ? GRUI_EXPR(e, RELU, a) : GRUI_EXPR(e, TANH, a);
}

static weights cut_weights(gruI_expression *e, gruI_cell cell, gru_tensor *const *in) {
  gru_attrs swap = {.dims = {0, 1}, .ndims = 2};
  weights w = {.b = in[IN_B_HH]};
  w.w = gruI_expr_call(e, GRU_OP_TRANSPOSE, &swap, 1, &in[IN_W]);
  if (cell != GRUI_GRU_BEFORE || !w.w) return w;
  gru_attrs rz = {.dims = {-1}, .ndims = 1, .stop = w.w->shape[1] / 3 * 2, .step = 1};
  w.w_rz = gruI_expr_call(e, GRU_OP_NARROW, &rz, 1, &w.w);
  w.w_n = gate(e, w.w, 2, 3);
  if (w.b) w.b_rz = gruI_expr_call(e, GRU_OP_NARROW, &rz, 1, &w.b);
  w.b_n = gate(e, w.b, 2, 3);
  return w;
}

/* The states while the walk goes on; all owned. */
typedef struct walk {
  gru_runtime *rt;
  gruI_cell cell;
  weights w;
  gru_tensor *gx, *lengths; /* borrowed */
  gru_tensor *h, *c;
  gru_tensor **y, **y_c; /* of every step */
} walk;

/* *state = new where the row goes on, else as it is; *y the same with zeros. */
static gru_status keep(gruI_expression *e, gru_tensor *mask, gru_tensor *new, gru_tensor **state,
                       gru_tensor **y) {
  gru_tensor *shown = new;
  if (mask) {
    shown = GRUI_EXPR(e, WHERE, mask, new, gruI_expr_number(e, 0));
    new = GRUI_EXPR(e, WHERE, mask, new, *state);
  }
  if (e->status != GRU_OK) return e->status;
  gru_tensor_release(*state);
  *state = gru_tensor_retain(new);
  *y = gru_tensor_retain(shown);
  return GRU_OK;
}

static gru_status step(walk *s, int64_t t) {
  gruI_expression e = {.rt = s->rt};
  gru_attrs at = {.dims = {0}, .ndims = 1, .start = t}, last = {.dims = {1}, .ndims = 1};
  gru_tensor *x = gruI_expr_call(&e, GRU_OP_SELECT, &at, 1, &s->gx);
  gru_tensor *mask = NULL, *h = NULL, *c = NULL, *number = NULL;
  if (s->lengths) {
    gru_status status = gru_tensor_integer(s->rt, t, &number);
    number = gruI_expr_keep(&e, status, number);
    mask = GRUI_EXPR(&e, GT, s->lengths, number);
    mask = gruI_expr_call(&e, GRU_OP_UNSQUEEZE, &last, 1, &mask);
  }
  switch (s->cell) {
    case GRUI_LSTM: h = lstm(&e, &s->w, x, s->h, s->c, &c); break;
    case GRUI_GRU_AFTER: h = gru_after(&e, &s->w, x, s->h); break;
    case GRUI_GRU_BEFORE: h = gru_before(&e, &s->w, x, s->h); break;
    default: h = rnn(&e, &s->w, s->cell, x, s->h); break;
  }
  keep(&e, mask, h, &s->h, &s->y[t]);
  if (c) keep(&e, mask, c, &s->c, &s->y_c[t]);
  gru_tensor *end;
  gru_status status = gruI_expr_end(&e, h, &end);
  if (status == GRU_OK) gru_tensor_release(end);
  return status;
}

static gru_tensor *stack(gruI_expression *e, gru_tensor **list, int64_t n) {
  gru_attrs first = {.dims = {0}, .ndims = 1};
  return gruI_expr_call(e, GRU_OP_STACK, &first, (int)n, list);
}

gru_status gruI_recurrence_compose(gru_runtime *rt, gruI_cell cell, int reverse,
                                   gru_tensor *const *in, gru_tensor **out) {
  gruI_expression e = {.rt = rt};
  int64_t L = in[IN_GX]->shape[0];
  walk s = {.rt = rt, .cell = cell, .gx = in[IN_GX], .lengths = in[IN_LENGTHS]};
  if (in[IN_B_IH]) s.gx = GRUI_EXPR(&e, ADD, s.gx, in[IN_B_IH]);
  s.w = cut_weights(&e, cell, in);
  s.h = gru_tensor_retain(in[IN_H]);
  if (in[IN_C]) s.c = gru_tensor_retain(in[IN_C]);
  gru_tensor **list = calloc((size_t)L * 2, sizeof *list);
  s.y = list, s.y_c = list + L;
  gru_status status = list ? e.status : gruI_fail(rt, GRU_ERROR_MEMORY, "backward: out of memory");
  for (int64_t i = 0; i < L && status == GRU_OK; i++) status = step(&s, reverse ? L - 1 - i : i);
  if (status != GRU_OK) e.status = status;
  gru_tensor *y = stack(&e, s.y, L);
  if (cell == GRUI_LSTM) y = stack(&e, (gru_tensor *[]){y, stack(&e, s.y_c, L)}, 2);
  for (int64_t i = 0; list && i < 2 * L; i++) gru_tensor_release(list[i]);
  free(list);
  gru_tensor_release(s.h);
  gru_tensor_release(s.c);
  return gruI_expr_end(&e, y, out);
}

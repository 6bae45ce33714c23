/* elementwise.c - the rule that all rows of ops.def share: promote, broadcast, allocate, run;
** and backward, by the row's own kernel or by its text as op calls. */
#include <string.h>

#include "core/pending.h"
#include "ops/rules.h"

/* ---- dtypes ---------------------------------------------------------------------------------- */

/* What a call computes in, and what its result is. */
typedef struct plan {
  const gruI_row *row;
  gru_dtype compute, result;
} plan;

static bool is_test(gruI_class class) {
  return class == GRUI_CLASS_UNARY_TEST || class == GRUI_CLASS_COMPARE ||
         class == GRUI_CLASS_LOGICAL;
}

/* Ops on bools alone: PyTorch's, which has no minus for them. */
static gru_status plan_bool(gruI_call *c, plan *p) {
  p->compute = GRU_INT64;
  switch (c->op->id) {
    case GRU_OP_ADD:
    case GRU_OP_MUL:
    case GRU_OP_MAXIMUM:
    case GRU_OP_MINIMUM:
    case GRU_OP_WHERE:
    case GRU_OP_CLAMP: p->result = GRU_BOOL; return GRU_OK;
    case GRU_OP_POW:
    case GRU_OP_REMAINDER:
    case GRU_OP_FLOOR_DIVIDE: p->result = GRU_INT64; return GRU_OK;
    default:
      return gruI_fail(c->rt, GRU_ERROR_DTYPE,
                       "%s: not defined for bool; convert with :long() or :float(), or use "
                       "logical_not, logical_xor",
                       c->name);
  }
}

static gru_status want_floats(gruI_call *c) {
  for (int i = 0; i < c->n; i++)
    if (!gruI_is_number(c->in[i]) && !gruI_is_float((gru_dtype)c->in[i]->dtype))
      return gruI_fail(c->rt, GRU_ERROR_DTYPE, "%s: wants floats, got %s; convert with :float()",
                       c->name, gru_dtype_name((gru_dtype)c->in[i]->dtype));
  return GRU_OK;
}

static gru_status make_plan(gruI_call *c, plan *p) {
  p->row = &gruI_rows_table[c->op->id];
  gruI_class class = p->row->class;
  gru_dtype dtype = gruI_promote(c->in, c->n, c->op->id == GRU_OP_WHERE ? 1 : 0);
  p->compute = p->result = dtype;
  if (c->op->id == GRU_OP_LERP) GRUI_TRY(want_floats(c));
  if (class == GRUI_CLASS_LOGICAL)
    p->compute = GRU_BOOL;
  else if (class == GRUI_CLASS_UNARY_FLOAT || class == GRUI_CLASS_BINARY_FLOAT)
    p->compute = p->result = gruI_is_float(dtype) ? dtype : c->rt->default_dtype;
  else if (dtype == GRU_BOOL && !is_test(class))
    return plan_bool(c, p);
  if (is_test(class)) p->result = GRU_BOOL;
  return GRU_OK;
}

/* ---- shapes -------------------------------------------------------------------------------------- */

static gru_status broadcast_all(gruI_call *c, int *ndim, int64_t *shape) {
  *ndim = 0;
  for (int i = 0; i < c->n; i++) {
    const gru_tensor *t = c->in[i];
    int64_t joined[GRU_MAX_DIMS];
    if (!gruI_broadcast(*ndim, shape, t->ndim, t->shape, ndim, joined)) {
      const gru_tensor *other = c->in[i == 1 || c->n == 2 ? 0 : i - 1];
      return gruI_fail(c->rt, GRU_ERROR_SHAPE,
                       "%s: shapes do not broadcast: %s and %s; sizes must be equal or 1, from the "
                       "last dim on",
                       c->name, gruI_tensor_text(other).s, gruI_tensor_text(t).s);
    }
    memcpy(shape, joined, sizeof joined);
  }
  return GRU_OK;
}

/* A result takes over the memory order of its operands where they agree on one. */
static void adopt_strides(gru_tensor *out, gru_tensor *const *in, int n) {
  const gru_tensor *model = NULL;
  for (int i = 0; i < n; i++) {
    if (!in[i]->ndim || !gruI_same_shape(in[i], out)) continue;
    if (model && memcmp(model->stride, in[i]->stride, (size_t)out->ndim * sizeof(int64_t)) != 0)
      return;
    model = in[i];
  }
  if (model && gruI_is_dense(model))
    memcpy(out->stride, model->stride, (size_t)out->ndim * sizeof(int64_t));
}

/* ---- running a kernel ------------------------------------------------------------------------------ */

typedef union immediate {
  uint8_t b;
  int64_t i;
  float f;
  double d;
} immediate;

static immediate immediate_of(const gru_tensor *number, gru_dtype dtype) {
  immediate v = {.i = 0};
  bool integer = number->dtype != GRU_FLOAT64;
  double f = integer ? (double)number->number.i : number->number.f;
  switch (dtype) {
    case GRU_BOOL: v.b = f != 0; break;
    case GRU_INT64: v.i = integer ? number->number.i : (int64_t)f; break;
    case GRU_FLOAT32: v.f = (float)f; break;
    case GRU_FLOAT64: v.d = f; break;
  }
  return v;
}

/* Runs variant `variant` of the row over the tensors in `slots` (NULL where unused), which hold
** `dtype` or are numbers and broadcast to `out`. */
static gru_status run(const char *name, gru_op op, int variant, gru_dtype dtype,
                      gru_tensor *const *slots, gru_tensor *out) {
  gruI_elementwise call = {.op = op, .variant = variant, .dtype = dtype, .ndim = out->ndim};
  immediate numbers[GRUI_SLOTS];
  if (out->numel == 0) return GRU_OK;
  int64_t *strides[GRUI_SLOTS + 1] = {call.out_stride};
  int used = 1;
  bool flat = gruI_is_contiguous(out);
  for (int i = 0; i < GRUI_SLOTS; i++) {
    const gru_tensor *t = slots[i];
    if (!t) continue;
    if (gruI_is_number(t)) {
      numbers[i] = immediate_of(t, dtype);
      call.in[i] = &numbers[i];
      call.host[i] = 1;
    } else {
      flat = flat && (t->ndim == 0 || (gruI_same_shape(t, out) && gruI_is_contiguous(t)));
    }
    strides[used++] = call.in_stride[i];
  }
  if (flat) { /* the usual case: one loop over everything */
    call.ndim = 1;
    call.shape[0] = out->numel;
    call.out_stride[0] = 1;
    for (int i = 0; i < GRUI_SLOTS; i++)
      call.in_stride[i][0] = slots[i] && !call.host[i] && slots[i]->ndim > 0;
  } else {
    memcpy(call.shape, out->shape, sizeof call.shape);
    memcpy(call.out_stride, out->stride, sizeof call.out_stride);
    for (int i = 0; i < GRUI_SLOTS; i++)
      if (slots[i] && !call.host[i])
        gruI_broadcast_strides(slots[i], out->ndim, out->shape, call.in_stride[i]);
    call.ndim = gruI_coalesce(call.ndim, call.shape, used, strides);
  }
  if (variant == GRUI_FORWARD && gruI_pending_elementwise(&call, slots, out)) return GRU_OK;
  for (int i = 0; i < GRUI_SLOTS; i++)
    if (slots[i] && !call.host[i]) call.in[i] = gruI_data(slots[i]);
  call.out = gruI_data(out);
  gruI_device *device = gruI_device_of(out);
  return gruI_kernel_failed(out->rt, name, device, device->k->elementwise(device, &call));
}

/* ---- forward ------------------------------------------------------------------------------------------ */

/* int64 has no infinity: `//` and `%` by zero are errors. */
static gru_status check_divisor(gruI_call *c, gru_dtype dtype) {
  gru_op op = c->op->id;
  if (dtype != GRU_INT64 || (op != GRU_OP_REMAINDER && op != GRU_OP_FLOOR_DIVIDE)) return GRU_OK;
  gru_tensor *b = c->in[1], *zero, *is_zero = NULL, *any = NULL;
  int64_t found = 0;
  GRUI_TRY(gru_tensor_integer(c->rt, 0, &zero));
  gru_status status = gruI_is_number(b) ? GRU_OK : gruI_call2(GRU_OP_EQ, b, zero, NULL, &is_zero);
  if (is_zero && status == GRU_OK) status = gruI_call1(GRU_OP_ANY, is_zero, NULL, &any);
  if (any && status == GRU_OK) status = gru_tensor_item_integer(any, &found);
  if (gruI_is_number(b)) found = b->number.i == 0;
  gru_tensor_release(zero);
  gru_tensor_release(is_zero);
  gru_tensor_release(any);
  if (status == GRU_OK && found)
    status = gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "%s: int64 division by zero", c->name);
  return status;
}

static bool same_memory(const gru_tensor *a, const gru_tensor *b) {
  return a->offset == b->offset && gruI_same_shape(a, b) &&
         memcmp(a->stride, b->stride, (size_t)a->ndim * sizeof(int64_t)) == 0;
}

/* The operands in the compute dtype; one that overlaps the output in another order is copied. */
static gru_status prepare(gruI_call *c, gru_dtype dtype, gru_tensor **slots) {
  for (int i = 0; i < c->n; i++) {
    gru_tensor *t = c->in[i];
    if (gruI_is_number(t))
      slots[i] = gru_tensor_retain(t);
    else if (c->op->id == GRU_OP_WHERE && i == 0) /* any condition means x != 0 */
      GRUI_TRY(gruI_cast(t, GRU_BOOL, NULL, &slots[i]));
    else if (c->over && t->storage == c->over->storage && !same_memory(t, c->over))
      GRUI_TRY(gruI_call1(GRU_OP_CLONE, t, NULL, &slots[i]));
    if (!slots[i]) GRUI_TRY(gruI_cast(t, dtype, NULL, &slots[i]));
    if (slots[i]->dtype != dtype && !gruI_is_number(slots[i])) {
      gru_tensor *cast;
      GRUI_TRY(gruI_cast(slots[i], dtype, NULL, &cast));
      gru_tensor_release(slots[i]);
      slots[i] = cast;
    }
  }
  return GRU_OK;
}

/* May the result be written over c->over? */
static gru_status check_over(gruI_call *c, const plan *p, int ndim, const int64_t *shape) {
  gru_tensor *over = c->over;
  if (ndim != over->ndim || memcmp(shape, over->shape, (size_t)ndim * sizeof *shape) != 0)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE, "%s_: the result has shape %s, it is written over %s",
                     c->name, gruI_shape_text(ndim, shape).s, gruI_tensor_text(over).s);
  bool fits = p->result <= over->dtype ||
              (gruI_is_float(p->result) && gruI_is_float((gru_dtype)over->dtype));
  if (!fits)
    return gruI_fail(c->rt, GRU_ERROR_DTYPE, "%s_: a %s result cannot be written over %s; use %s",
                     c->name, gru_dtype_name(p->result), gru_dtype_name((gru_dtype)over->dtype),
                     c->name);
  return gruI_tensor_settle(over);
}

/* Where the result goes: over, or new memory.  New reference. */
static gru_status make_out(gruI_call *c, gru_tensor *const *slots, int ndim, const int64_t *shape,
                           gru_dtype dtype, gru_tensor **out) {
  if (c->over && c->over->dtype == dtype) {
    *out = gru_tensor_retain(c->over);
    return GRU_OK;
  }
  gruI_place *place = c->rt->places[0];
  for (int i = 0; i < c->n; i++)
    if (!gruI_is_number(c->in[i])) place = gruI_place_of(c->in[i]);
  GRUI_TRY(gruI_tensor_new(c->rt, c->name, dtype, ndim, shape, place, out));
  adopt_strides(*out, slots, c->n);
  return GRU_OK;
}

static gru_status forward_into(gruI_call *c, const plan *p, gru_tensor *const *slots, int ndim,
                               const int64_t *shape) {
  /* The kernel writes bool for tests and the compute dtype for the rest. */
  gru_dtype written = is_test(p->row->class) ? GRU_BOOL : p->compute;
  gru_tensor *out;
  GRUI_TRY(make_out(c, slots, ndim, shape, written, &out));
  gru_status status = run(c->name, c->op->id, GRUI_FORWARD, p->compute, slots, out);
  if (status == GRU_OK && c->over && out != c->over) {
    status = gruI_copy_over(c->over, out, c->name);
  } else if (status == GRU_OK && !c->over && written != p->result) {
    gru_tensor *cast;
    status = gruI_cast(out, p->result, NULL, &cast);
    if (status == GRU_OK) {
      gru_tensor_release(out);
      out = cast;
    }
  }
  if (status == GRU_OK && !c->over)
    c->out[0] = out;
  else
    gru_tensor_release(out);
  return status;
}

gru_status gruI_elementwise_forward(gruI_call *c) {
  plan p;
  int64_t shape[GRU_MAX_DIMS];
  int ndim;
  gru_tensor *slots[GRUI_SLOTS] = {NULL};
  GRUI_TRY(make_plan(c, &p));
  GRUI_TRY(broadcast_all(c, &ndim, shape));
  if (c->over) GRUI_TRY(check_over(c, &p, ndim, shape));
  GRUI_TRY(check_divisor(c, p.compute));
  for (int k = 0; k < c->n; k++)
    c->uses[k] =
        (p.row->uses[k] & 7u) | ((p.row->uses[k] >> GRUI_SLOT_Y & 1u) ? GRUI_USES_Y(0) : 0);
  gru_status status = prepare(c, p.compute, slots);
  if (status == GRU_OK) status = forward_into(c, &p, slots, ndim, shape);
  for (int i = 0; i < c->n; i++) gru_tensor_release(slots[i]);
  return status;
}

/* ---- backward ------------------------------------------------------------------------------------------- */

static gru_status by_kernel(gruI_vjp *v, int k, gru_tensor *const *in, gru_tensor **out) {
  gru_tensor *slots[GRUI_SLOTS] = {NULL};
  uint32_t uses = gruI_rows_table[v->node->op->id].uses[k];
  gru_dtype dtype = v->node->dtype;
  gru_status status = GRU_OK;
  for (int i = 0; i < GRUI_SLOTS && status == GRU_OK; i++) {
    if (!(uses & 1u << i) || !in[i]) continue;
    status = gruI_is_number(in[i]) ? (slots[i] = gru_tensor_retain(in[i]), GRU_OK)
                                   : gruI_cast(in[i], dtype, NULL, &slots[i]);
  }
  if (status == GRU_OK)
    status =
        gruI_tensor_new(v->rt, v->name, dtype, v->g->ndim, v->g->shape, gruI_place_of(v->g), out);
  if (status == GRU_OK) {
    if (gruI_is_dense(v->g)) memcpy((*out)->stride, v->g->stride, sizeof v->g->stride);
    status = run(v->name, v->node->op->id, GRUI_DA + k, dtype, slots, *out);
    if (status != GRU_OK) gru_tensor_release(*out);
  }
  for (int i = 0; i < GRUI_SLOTS; i++) gru_tensor_release(slots[i]);
  return status;
}

static gru_status by_calls(gruI_vjp *v, int k, gru_tensor *const *in, gru_tensor **out) {
  gruI_expression e = {.rt = v->rt};
  gru_tensor *terms[GRUI_SLOTS];
  for (int i = 0; i < GRUI_SLOTS; i++) {
    terms[i] = in[i];
    if (!v->composing || !in[i] || !gruI_is_number(in[i])) continue;
    /* Numbers alone would make the default dtype: b - 1 of x ^ b must keep b's digits. */
    gru_status status = gruI_cast(in[i], v->node->dtype, gruI_place_of(v->g), &terms[i]);
    terms[i] = gruI_expr_keep(&e, status, status == GRU_OK ? terms[i] : NULL);
  }
  gru_tensor *result = gruI_rows_table[v->node->op->id].compose[k](&e, terms);
  return gruI_expr_end(&e, result, out);
}

gru_status gruI_elementwise_vjp(gruI_vjp *v) {
  const gruI_row *row = &gruI_rows_table[v->node->op->id];
  gru_tensor *in[GRUI_SLOTS] = {v->x[0], v->x[1], v->x[2]};
  in[GRUI_SLOT_Y] = v->y[0];
  in[GRUI_SLOT_G] = v->g;
  for (int k = 0; k < v->node->ninputs; k++) {
    if (!gruI_wants(v, k)) continue;
    const gruI_input *input = &v->node->in[k];
    gru_tensor *d = NULL;
    GRUI_TRY((v->composing || row->words[k] <= 1 ? by_calls : by_kernel)(v, k, in, &d));
    gru_status status =
        gruI_sum_to(d, input->ndim, input->shape, (gru_dtype)input->dtype, &v->dx[k]);
    gru_tensor_release(d);
    if (status != GRU_OK) return status;
  }
  return GRU_OK;
}

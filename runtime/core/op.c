/* op.c - calling ops, and the helpers that their rules share. */
#include "core/op.h"

#include <string.h>

#include "core/graph.h"
#include "core/pending.h"
#include "core/profile.h"
#include "core/tape.h"

/* ---- the table, asked from outside ------------------------------------------------------- */

static const gruI_op *lookup(gru_op op) {
  return (unsigned)op < GRU_OP_COUNT_ && gruI_op_table[op].name ? &gruI_op_table[op] : NULL;
}

const char *gru_op_name(gru_op op) {
  return (unsigned)op < GRU_OP_COUNT_ ? gruI_op_table[op].name : NULL;
}

int gru_op_find(const char *name) {
  for (int i = 0; i < GRU_OP_COUNT_; i++)
    if (gruI_op_table[i].name && strcmp(gruI_op_table[i].name, name) == 0) return i;
  return -1;
}

int gru_op_inputs(gru_op op) { return lookup(op) ? lookup(op)->inputs : 0; }

int gru_op_is_elementwise(gru_op op) {
  return lookup(op) && (lookup(op)->flags & GRU_ELEMENTWISE) != 0;
}

int gru_op_is_differentiable(gru_op op) { return lookup(op) && lookup(op)->vjp != NULL; }

/* ---- calling -------------------------------------------------------------------------------- */

static const gru_attrs no_attrs;

/* All tensors of a call on one device?  Left-out inputs and numbers fit any. */
static gru_status check_devices(gruI_call *c) {
  const gruI_place *place = NULL;
  for (int i = 0; i < c->n; i++) {
    const gru_tensor *t = c->in[i];
    if (!t || !t->storage) continue;
    GRUI_GRAPH_NOT_VOID(t, c->name);
    if (!place) {
      place = t->storage->place;
      GRUI_GRAPH_HERE(c->rt, place, c->name);
    } else if (place != t->storage->place) {
      return gruI_fail(c->rt, GRU_ERROR_DEVICE,
                       "%s: tensors on %s and %s; move one with :to(\"%s\")", c->name,
                       place->device.name, gru_tensor_device(t), place->device.name);
    }
  }
  return GRU_OK;
}

static gru_status check_inputs(gruI_call *c) {
  const gruI_op *op = c->op;
  if (op->inputs >= 0 && c->n > op->inputs)
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "%s: %d inputs, it takes %d", c->name, c->n,
                     op->inputs);
  if (c->n < 1 || !c->in[0])
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "%s: needs at least one tensor", c->name);
  if ((op->flags & GRU_ELEMENTWISE) && c->n < op->inputs)
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "%s: %d inputs, it takes %d", c->name, c->n,
                     op->inputs);
  return check_devices(c);
}

/* Views of something that was written in place learn of it before they are used. */
static gru_status refresh(gruI_call *c) {
  if (!c->rt->grad_enabled) return GRU_OK;
  for (int i = 0; i < c->n; i++)
    if (c->in[i] && gruI_inplace_is_stale(c->in[i])) GRUI_TRY(gruI_inplace_refresh(c->in[i]));
  return GRU_OK;
}

static bool any_requires_grad(const gruI_call *c) {
  for (int i = 0; i < c->n; i++)
    if (c->in[i] && gruI_requires_grad(c->in[i])) return true;
  return false;
}

static void release_extras(gruI_call *c) {
  for (int i = 0; i < GRUI_MAX_EXTRAS; i++) gru_tensor_release(c->extra[i]);
}

static void release_results(gruI_call *c) {
  for (int i = 0; i < GRU_MAX_OUTPUTS; i++) gru_tensor_release(c->out[i]);
}

/* A view remembers whose storage it looks at. */
static void note_base(gruI_call *c) {
  gru_tensor *out = c->out[0], *in = c->in[0];
  if (out != in && out->storage == in->storage) {
    out->base = gru_tensor_retain(in->base ? in->base : in);
    out->seen = out->base->history;
  }
}

static gru_status call_op(gru_runtime *rt, gru_op id, gru_tensor *const *inputs, int n,
                          const gru_attrs *attrs, gru_tensor **outputs);

/* Family ops want tensors: a number among the inputs becomes a 0-d one. */
static gru_status call_with_numbers(gruI_call *c, gru_tensor **outputs) {
  enum { MANY = 16 };
  gru_tensor *in[MANY];
  gruI_place *place = c->rt->places[0];
  if (c->n > MANY)
    return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "%s: takes tensors, got a number", c->name);
  for (int i = 0; i < c->n; i++)
    if (c->in[i] && c->in[i]->storage) place = gruI_place_of(c->in[i]);
  gru_status status = GRU_OK;
  for (int i = 0; i < c->n; i++) {
    in[i] = c->in[i];
    if (!in[i] || in[i]->storage) continue;
    gru_dtype dtype = in[i]->dtype == GRU_FLOAT64 ? c->rt->default_dtype : (gru_dtype)in[i]->dtype;
    if (status == GRU_OK) status = gruI_cast(c->in[i], dtype, place, &in[i]);
  }
  if (status == GRU_OK) status = call_op(c->rt, c->op->id, in, c->n, c->attrs, outputs);
  for (int i = 0; i < c->n; i++)
    if (in[i] != c->in[i]) gru_tensor_release(in[i]);
  return status;
}

static gru_status call_op(gru_runtime *rt, gru_op id, gru_tensor *const *inputs, int n,
                          const gru_attrs *attrs, gru_tensor **outputs) {
  const gruI_op *op = lookup(id);
  if (!op) return gruI_fail(rt, GRU_ERROR_ARGUMENT, "there is no op number %d", (int)id);
  gruI_call c = {.rt = rt,
                 .op = op,
                 .name = op->name,
                 .in = inputs,
                 .n = n,
                 .attrs = attrs ? attrs : &no_attrs};
  GRUI_TRY(check_inputs(&c));
  GRUI_TRY(refresh(&c));
  if (!(op->flags & GRU_ELEMENTWISE))
    for (int i = 0; i < n; i++)
      if (inputs[i] && !inputs[i]->storage) return call_with_numbers(&c, outputs);
  c.recording = rt->grad_enabled && op->vjp && any_requires_grad(&c);
  gru_status status = op->forward(&c);
  if (status == GRU_OK && (op->flags & GRU_VIEW)) note_base(&c);
  if (status == GRU_OK && c.recording && c.out[0] != inputs[0] &&
      gruI_is_float((gru_dtype)c.out[0]->dtype))
    status = gruI_tape_record(&c);
  release_extras(&c);
  if (status != GRU_OK) {
    release_results(&c);
    return status;
  }
  for (int i = 0; i < GRU_MAX_OUTPUTS; i++) outputs[i] = c.out[i];
  return GRU_OK;
}

static gru_status call_op_(gru_runtime *rt, gru_op id, gru_tensor *self, gru_tensor *const *others,
                           int nothers) {
  const gruI_op *op = lookup(id);
  gru_tensor *in[GRUI_MAX_INPUTS] = {self};
  if (!op || !(op->flags & GRU_ELEMENTWISE) || nothers + 1 != op->inputs)
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "%s_: there is no such in-place op",
                     op ? op->name : "?");
  for (int i = 0; i < nothers; i++) in[i + 1] = others[i];
  gruI_call c = {.rt = rt,
                 .op = op,
                 .name = op->name,
                 .in = in,
                 .n = op->inputs,
                 .attrs = &no_attrs,
                 .over = self};
  GRUI_TRY(check_devices(&c));
  GRUI_TRY(refresh(&c));
  c.recording = rt->grad_enabled && op->vjp && any_requires_grad(&c);
  GRUI_TRY(gruI_inplace_check(self, op->name, rt->grad_enabled && any_requires_grad(&c)));
  gruI_pending_settle(rt);
  gru_tensor *before[GRUI_MAX_INPUTS] = {NULL};
  gru_status status = GRU_OK;
  for (int i = 0; c.recording && i < c.n && status == GRU_OK; i++)
    if (in[i]->storage == self->storage) { /* the value before, for a gradient that uses it */
      status = gruI_call1(GRU_OP_CLONE, in[i], NULL, &before[i]);
      if (status == GRU_OK) in[i] = before[i];
    }
  if (status == GRU_OK) status = op->forward(&c);
  self->storage->version++;
  if (status == GRU_OK && rt->grad_enabled)
    status = gruI_inplace_record(c.recording ? &c : NULL, self);
  for (int i = 0; i < GRUI_MAX_INPUTS; i++) gru_tensor_release(before[i]);
  return status;
}

static const char *span_name(gru_op op) { return lookup(op) ? lookup(op)->name : "?"; }

/* Out of line, so that a call while no profile is on is one branch more. */
__attribute__((noinline, cold)) static gru_status profiled_call(gru_runtime *rt, gru_op id,
                                                                gru_tensor *const *inputs, int n,
                                                                const gru_attrs *attrs,
                                                                gru_tensor **outputs) {
  gru_status status;
  GRUI_SPAN(rt, span_name(id), GRU_SPAN_CALL, status, call_op(rt, id, inputs, n, attrs, outputs));
  return status;
}

gru_status gru_op_call(gru_runtime *rt, gru_op id, gru_tensor *const *inputs, int n,
                       const gru_attrs *attrs, gru_tensor **outputs) {
  return rt->profile ? profiled_call(rt, id, inputs, n, attrs, outputs)
                     : call_op(rt, id, inputs, n, attrs, outputs);
}

gru_status gru_op_call_(gru_runtime *rt, gru_op id, gru_tensor *self, gru_tensor *const *others,
                        int nothers) {
  gru_status status;
  GRUI_SPAN(rt, span_name(id), GRU_SPAN_CALL, status, call_op_(rt, id, self, others, nothers));
  return status;
}

gru_status gruI_call1(gru_op op, gru_tensor *a, const gru_attrs *attrs, gru_tensor **out) {
  gru_tensor *results[GRU_MAX_OUTPUTS];
  GRUI_TRY(gru_op_call(a->rt, op, &a, 1, attrs, results));
  gru_tensor_release(results[1]);
  *out = results[0];
  return GRU_OK;
}

gru_status gruI_call2(gru_op op, gru_tensor *a, gru_tensor *b, const gru_attrs *attrs,
                      gru_tensor **out) {
  gru_tensor *in[] = {a, b}, *results[GRU_MAX_OUTPUTS];
  GRUI_TRY(gru_op_call(a->rt, op, in, 2, attrs, results));
  gru_tensor_release(results[1]);
  *out = results[0];
  return GRU_OK;
}

/* ---- promotion and conversion ------------------------------------------------------------------ */

static int category(gru_dtype dtype) { return dtype == GRU_BOOL ? 0 : dtype == GRU_INT64 ? 1 : 2; }

gru_dtype gruI_promote(gru_tensor *const *in, int n, int skip) {
  int dims = -1, scalars = -1, numbers = -1; /* the widest dtype of each rank */
  for (int i = skip; i < n; i++) {
    const gru_tensor *t = in[i];
    if (!t) continue;
    int *rank = gruI_is_number(t) ? &numbers : t->ndim ? &dims : &scalars;
    int dtype = gruI_is_number(t) && t->dtype == GRU_FLOAT64 ? (int)t->rt->default_dtype : t->dtype;
    if (dtype > *rank) *rank = dtype;
  }
  int result = dims;
  if (scalars >= 0 && (result < 0 || category((gru_dtype)scalars) > category((gru_dtype)result)))
    result = scalars;
  if (numbers >= 0 && (result < 0 || category((gru_dtype)numbers) > category((gru_dtype)result)))
    result = numbers;
  return (gru_dtype)result;
}

gru_status gruI_copy_over(gru_tensor *dst, gru_tensor *src, const char *op) {
  gruI_copy call = {
      .in_dtype = (gru_dtype)src->dtype, .out_dtype = (gru_dtype)dst->dtype, .ndim = dst->ndim};
  GRUI_TRY(gruI_tensor_settle(src));
  GRUI_TRY(gruI_tensor_settle(dst));
  if (dst->numel == 0) return GRU_OK;
  memcpy(call.shape, dst->shape, sizeof call.shape);
  memcpy(call.out_stride, dst->stride, sizeof call.out_stride);
  gruI_broadcast_strides(src, dst->ndim, dst->shape, call.in_stride);
  call.ndim =
      gruI_coalesce(call.ndim, call.shape, 2, (int64_t *[]){call.out_stride, call.in_stride});
  call.in = gruI_data(src);
  call.out = gruI_data(dst);
  gruI_device *device = gruI_device_of(dst);
  return gruI_kernel_failed(dst->rt, op, device, device->k->copy(device, &call));
}

/* A number as a 0-d tensor of `dtype`. */
static gru_status settle_number(gru_tensor *t, gru_dtype dtype, gruI_place *place,
                                gru_tensor **out) {
  union {
    uint8_t b;
    int64_t i;
    float f;
    double d;
  } v = {.i = 0};
  double f = t->dtype == GRU_INT64 ? (double)t->number.i : t->number.f;
  switch (dtype) {
    case GRU_BOOL: v.b = f != 0; break;
    case GRU_INT64: v.i = t->dtype == GRU_INT64 ? t->number.i : (int64_t)f; break;
    case GRU_FLOAT32: v.f = (float)f; break;
    case GRU_FLOAT64: v.d = f; break;
  }
  gru_tensor *r;
  GRUI_TRY(gruI_tensor_new(t->rt, "number", dtype, 0, NULL, place, &r));
  gru_status status =
      place->device.backend->upload(&place->device, gruI_data(r), &v, gru_dtype_size(dtype));
  *out = r;
  return gruI_kernel_failed(t->rt, "number", &place->device, status);
}

static gru_status convert(gru_tensor *t, gru_dtype dtype, gruI_place *place, bool contiguous,
                          gru_tensor **out) {
  if (gruI_is_number(t)) return settle_number(t, dtype, place, out);
  GRUI_TRY(gruI_tensor_settle(t));
  if (t->dtype == dtype && (!contiguous || gruI_is_contiguous(t))) {
    *out = gru_tensor_retain(t);
    return GRU_OK;
  }
  gru_tensor *copy;
  GRUI_TRY(gruI_tensor_new(t->rt, "to", dtype, t->ndim, t->shape, gruI_place_of(t), &copy));
  gru_status status = gruI_copy_over(copy, t, "to");
  if (status == GRU_OK)
    *out = copy;
  else
    gru_tensor_release(copy);
  return status;
}

gru_status gruI_cast(gru_tensor *t, gru_dtype dtype, gruI_place *place, gru_tensor **out) {
  return convert(t, dtype, place, false, out);
}

gru_status gruI_pack(gru_tensor *t, gru_dtype dtype, gruI_place *place, gru_tensor **out) {
  return convert(t, dtype, place, true, out);
}

gru_status gruI_zeros(gru_runtime *rt, const char *op, gru_dtype dtype, int ndim,
                      const int64_t *shape, gruI_place *place, gru_tensor **out) {
  gru_tensor *t, *zero;
  GRUI_TRY(gruI_tensor_new(rt, op, dtype, ndim, shape, place, &t));
  gru_status status = gru_tensor_integer(rt, 0, &zero);
  if (status == GRU_OK) {
    gru_tensor *z = NULL;
    status = gruI_cast(zero, dtype, place, &z);
    if (status == GRU_OK) status = gruI_copy_over(t, z, op);
    gru_tensor_release(z);
    gru_tensor_release(zero);
  }
  if (status == GRU_OK)
    *out = t;
  else
    gru_tensor_release(t);
  return status;
}

/* ---- sums of broadcast gradients ------------------------------------------------------------------ */

gru_status gruI_sum_to(gru_tensor *t, int ndim, const int64_t *shape, gru_dtype dtype,
                       gru_tensor **out) {
  gru_attrs sum = {.keepdim = 1}, view = {.ndims = ndim}, to = {.dtype = dtype, .has_dtype = 1};
  int lead = t->ndim - ndim;
  for (int d = 0; d < t->ndim; d++)
    if (d < lead || (shape[d - lead] == 1 && t->shape[d] != 1)) sum.dims[sum.ndims++] = d;
  gru_tensor *r = gru_tensor_retain(t), *next;
  gru_status status = GRU_OK;
  if (sum.ndims > 0 && (status = gruI_call1(GRU_OP_SUM, r, &sum, &next)) == GRU_OK) {
    gru_tensor_release(r);
    r = next;
  }
  if (status == GRU_OK && lead > 0) {
    for (int d = 0; d < ndim; d++) view.dims[d] = shape[d];
    if ((status = gruI_call1(GRU_OP_RESHAPE, r, &view, &next)) == GRU_OK) {
      gru_tensor_release(r);
      r = next;
    }
  }
  if (status == GRU_OK && r->dtype != dtype &&
      (status = gruI_call1(GRU_OP_TO, r, &to, &next)) == GRU_OK) {
    gru_tensor_release(r);
    r = next;
  }
  if (status == GRU_OK)
    *out = r;
  else
    gru_tensor_release(r);
  return status;
}

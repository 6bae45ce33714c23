/* inplace.c - writing in place while gradients are recorded.
**
** A tensor that is written takes over the history of the call that wrote it.  Where it is a view,
** its base has changed, too: the base becomes put(base as it was, view), and every other view of
** the base is stale until it is used again; then it becomes pick(base).  Which elements of the base
** a view shows is kept as a tensor of positions, so that both are spelt with ordinary ops.
*/
#include <string.h>

#include "core/tape.h"

gru_status gruI_inplace_check(gru_tensor *self, const char *name, bool recording) {
  gru_runtime *rt = self->rt;
  if (gruI_is_number(self))
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "%s_: a number cannot be changed in place", name);
  for (int d = 0; d < self->ndim; d++)
    if (self->stride[d] == 0 && self->shape[d] > 1)
      return gruI_fail(
          rt, GRU_ERROR_ARGUMENT,
          "%s_: several elements of an expanded tensor share memory; :clone() it first", name);
  if (recording && (self->leaf_grad || (self->base && self->base->leaf_grad)))
    return gruI_fail(rt, GRU_ERROR_AUTOGRAD,
                     "%s_: a leaf that requires grad is changed in place; do it under no_grad()",
                     name);
  return GRU_OK;
}

/* ---- positions ----------------------------------------------------------------------------------- */

static const gru_attrs flat = {.dims = {-1}, .ndims = 1}, rows = {.dims = {0}, .ndims = 1};

/* t seen as `shape`. */
static gru_status shaped(gru_tensor *t, int ndim, const int64_t *shape, gru_tensor **out) {
  gru_attrs attrs = {.ndims = ndim};
  memcpy(attrs.dims, shape, (size_t)ndim * sizeof *shape);
  return gruI_call1(GRU_OP_RESHAPE, t, &attrs, out);
}

/* Row-major positions in `base` of the elements of `view`: int64, of the shape of view. */
static gru_status positions(gru_tensor *base, gru_tensor *view, gru_tensor **out) {
  gru_runtime *rt = base->rt;
  gruI_place *place = gruI_place_of(base);
  int64_t whole = (int64_t)(base->storage->bytes / gru_dtype_size((gru_dtype)base->dtype));
  gru_tensor *map, *count = NULL, *counted = NULL, *seen = NULL, *shown = NULL;
  GRUI_TRY(gruI_tensor_new(rt, "view", GRU_INT64, 1, &whole, place, &map));
  gru_status status = gruI_count_up(rt, "view", base->numel, place, &count);
  if (status == GRU_OK) status = shaped(count, base->ndim, base->shape, &counted);
  if (status == GRU_OK)
    status = gruI_tensor_alias(map, base->ndim, base->shape, base->stride, base->offset, &seen);
  if (status == GRU_OK) status = gruI_copy_over(seen, counted, "view");
  if (status == GRU_OK)
    status = gruI_tensor_alias(map, view->ndim, view->shape, view->stride, view->offset, &shown);
  if (status == GRU_OK) status = gruI_call1(GRU_OP_CLONE, shown, NULL, out);
  gru_tensor_release(map);
  gru_tensor_release(count);
  gru_tensor_release(counted);
  gru_tensor_release(seen);
  gru_tensor_release(shown);
  return status;
}

/* The elements of `whole` at `ids`, in the shape of ids. */
static gru_status pick(gru_tensor *whole, gru_tensor *ids, gru_tensor **out) {
  gru_tensor *line, *list = NULL, *picked = NULL;
  GRUI_TRY(gruI_call1(GRU_OP_RESHAPE, whole, &flat, &line));
  gru_status status = gruI_call1(GRU_OP_RESHAPE, ids, &flat, &list);
  if (status == GRU_OK) status = gruI_call2(GRU_OP_INDEX_SELECT, line, list, &rows, &picked);
  if (status == GRU_OK) status = shaped(picked, ids->ndim, ids->shape, out);
  gru_tensor_release(line);
  gru_tensor_release(list);
  gru_tensor_release(picked);
  return status;
}

/* `whole` with zeros at `ids`. */
static gru_status without(gru_tensor *whole, gru_tensor *ids, gru_tensor **out) {
  gru_tensor *line, *list = NULL, *zeros = NULL, *results[GRU_MAX_OUTPUTS] = {NULL};
  GRUI_TRY(gruI_call1(GRU_OP_RESHAPE, whole, &flat, &line));
  gru_status status = gruI_call1(GRU_OP_RESHAPE, ids, &flat, &list);
  if (status == GRU_OK)
    status = gruI_zeros(whole->rt, "put", (gru_dtype)whole->dtype, 1, list->shape,
                        gruI_place_of(whole), &zeros);
  if (status == GRU_OK)
    status = gru_op_call(whole->rt, GRU_OP_SCATTER, (gru_tensor *[]){line, list, zeros}, 3, &rows,
                         results);
  if (status == GRU_OK) status = shaped(results[0], whole->ndim, whole->shape, out);
  gru_tensor_release(line);
  gru_tensor_release(list);
  gru_tensor_release(zeros);
  gru_tensor_release(results[0]);
  return status;
}

/* ---- put: the base once one of its views has been written ------------------------------------------- */

/* The base's elements that were overwritten have no gradient; the view's is that of its part. */
static gru_status put_vjp(gruI_vjp *v) {
  if (gruI_wants(v, 0)) GRUI_TRY(without(v->g, v->extra[0], &v->dx[0]));
  return gruI_wants(v, 1) ? pick(v->g, v->extra[0], &v->dx[1]) : GRU_OK;
}

static const gruI_op put_op = {.name = "put", .inputs = 2, .vjp = put_vjp};

/* base = put(base, view) */
static gru_status record_base(gru_tensor *view) {
  static const gru_attrs none;
  gru_tensor *base = view->base;
  if (!base->node && !view->node) return GRU_OK;
  gruI_call call = {.rt = view->rt,
                    .op = &put_op,
                    .name = put_op.name,
                    .attrs = &none,
                    .n = 2,
                    .in = (gru_tensor *[]){base, view},
                    .recording = true,
                    .uses = {GRUI_USES_EXTRA, GRUI_USES_EXTRA}};
  GRUI_TRY(positions(base, view, &call.extra[0]));
  gru_status status = gruI_tape_rebase(&call, base);
  gru_tensor_release(call.extra[0]);
  return status;
}

gru_status gruI_inplace_record(gruI_call *call, gru_tensor *self) {
  if (call)
    GRUI_TRY(gruI_tape_rebase(call, self));
  else
    gruI_tape_cut(self);
  if (!self->base) {
    self->history++;
    return GRU_OK;
  }
  gru_status status = record_base(self);
  self->seen = ++self->base->history;
  return status;
}

gru_status gruI_inplace_refresh(gru_tensor *view) {
  gru_tensor *base = view->base, *ids, *picked;
  view->seen = base->history;
  if (!base->node) {
    gruI_tape_cut(view);
    return GRU_OK;
  }
  GRUI_TRY(positions(base, view, &ids));
  int mode = gru_set_grad_enabled(view->rt, 1);
  gru_status status = pick(base, ids, &picked);
  gru_set_grad_enabled(view->rt, mode);
  gru_tensor_release(ids);
  if (status != GRU_OK) return status;
  gruI_tape_cut(view);
  view->node = picked->node;
  view->output = picked->output;
  picked->node = NULL; /* handed over */
  if (view->retains_grad && view->node) view->node->retained[view->output] = view;
  gru_tensor_release(picked);
  return GRU_OK;
}

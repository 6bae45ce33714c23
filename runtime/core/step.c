/* step.c - steps of optimisers, norms and scaling over lists of tensors. */
#include <math.h>
#include <stdlib.h>

#include "core/graph.h"
#include "core/list.h"
#include "core/op.h"

/* `scale` as one element of `dtype` on `place`: a new reference, NULL for NULL. */
static gru_status scale_for(gru_runtime *rt, const char *op, gru_tensor *scale, gru_dtype dtype,
                            gruI_place *place, gru_tensor **out) {
  *out = NULL;
  if (!scale) return GRU_OK;
  if (scale->numel != 1)
    return gruI_fail(rt, GRU_ERROR_SHAPE, "%s: the scale must be one number, its shape is %s", op,
                     gruI_tensor_text(scale).s);
  if (!gruI_is_number(scale) && gruI_place_of(scale) != place)
    return gruI_fail(rt, GRU_ERROR_DEVICE, "%s: the scale is on %s, a tensor on %s", op,
                     gru_tensor_device(scale), place->device.name);
  return gruI_cast(scale, dtype, place, out);
}

/* ---- steps ------------------------------------------------------------------------------- */

typedef struct step {
  gru_runtime *rt;
  const char *op;
  const gru_sgd_options *sgd;
  const gru_adam_options *adam;
  gru_tensor *scale;
  int64_t number; /* in the graph that is being captured */
} step;

static gru_status run_sgd(const step *s, gruI_device *device, const gruI_list *list,
                          const void *scale) {
  gruI_sgd call = {.list = *list, .options = *s->sgd, .scale = scale};
  if (s->rt->capture) GRUI_TRY(gruI_graph_sgd(s->rt->capture, s->number, &call));
  return gruI_kernel_failed(s->rt, s->op, device, device->k->sgd(device, &call));
}

static gru_status run_adam(const step *s, gruI_device *device, const gruI_list *list,
                           const void *scale) {
  gruI_adam call = {.list = *list, .options = *s->adam, .scale = scale};
  if (s->rt->capture) GRUI_TRY(gruI_graph_adam(s->rt->capture, s->number, &call));
  return gruI_kernel_failed(s->rt, s->op, device, device->k->adam(device, &call));
}

static gru_status run_step(void *context, gruI_place *place, const gruI_list *list) {
  const step *s = context;
  gruI_device *device = &place->device;
  gru_tensor *scale;
  GRUI_TRY(scale_for(s->rt, s->op, s->scale, list->dtype, place, &scale));
  const void *at = scale ? gruI_data(scale) : NULL;
  gru_status status = s->sgd ? run_sgd(s, device, list, at) : run_adam(s, device, list, at);
  gru_tensor_release(scale);
  return status;
}

/* Item `i` as the lists want it, `states` of its states needed. */
static gru_status check_step_item(step *s, int64_t i, const gru_step_item *from, int states,
                                  gruI_item *to) {
  if (!from->p || from->step < 1)
    return gruI_fail(
        s->rt, GRU_ERROR_ARGUMENT,
        "%s: item %lld: a parameter and a step of 1 or more expected, got %s, step %lld", s->op,
        (long long)i + 1, from->p ? "one" : "none", (long long)from->step);
  for (int k = 0; k < states; k++)
    if (!from->state[k])
      return gruI_fail(s->rt, GRU_ERROR_ARGUMENT, "%s: item %lld: state %d is missing", s->op,
                       (long long)i + 1, k + 1);
  *to = (gruI_item){
      {from->p, from->g, from->state[0], from->state[1], from->state[2]}, from->step, i};
  return GRU_OK;
}

static gru_status run_items(step *s, int64_t n, const gru_step_item *items, int states) {
  gruI_item *list = calloc(n > 0 ? (size_t)n : 1, sizeof *list);
  if (!list) return gruI_fail(s->rt, GRU_ERROR_MEMORY, "%s: out of memory", s->op);
  gru_status status = GRU_OK;
  int64_t count = 0;
  for (int64_t i = 0; i < n && status == GRU_OK; i++)
    if (items[i].g) status = check_step_item(s, i, &items[i], states, &list[count++]);
  if (s->sgd && states == 0)
    for (int64_t i = 0; i < count; i++) list[i].t[2] = NULL;
  if (s->sgd)
    for (int64_t i = 0; i < count; i++) list[i].t[3] = list[i].t[4] = NULL;
  gruI_work work = {s->op, 1u | 4u | 8u | 16u, run_step, s};
  s->number = gruI_graph_next_step(s->rt);
  if (status == GRU_OK) status = gruI_list_run(s->rt, count, list, &work);
  free(list);
  return status;
}

gru_status gru_sgd_step(gru_runtime *rt, int64_t n, const gru_step_item *items,
                        const gru_sgd_options *options, gru_tensor *scale) {
  step s = {rt, "sgd_step", options, NULL, scale, 0};
  return run_items(&s, n, items, options->momentum != 0);
}

gru_status gru_adam_step(gru_runtime *rt, int64_t n, const gru_step_item *items,
                         const gru_adam_options *options, gru_tensor *scale) {
  const gru_adam_options *o = options;
  if (!(o->beta1 >= 0 && o->beta1 < 1 && o->beta2 >= 0 && o->beta2 < 1))
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "adam_step: betas must be in [0, 1), got %g and %g",
                     o->beta1, o->beta2);
  step s = {rt, "adam_step", NULL, options, scale, 0};
  return run_items(&s, n, items, 2);
}

/* ---- norms and scaling --------------------------------------------------------------------- */

/* The tensors as items of one vector each, from malloc. */
static gru_status items_of(gru_runtime *rt, const char *op, int64_t n, gru_tensor *const *tensors,
                           gruI_item **out) {
  gruI_item *items = calloc(n > 0 ? (size_t)n : 1, sizeof *items);
  if (!items) return gruI_fail(rt, GRU_ERROR_MEMORY, "%s: out of memory", op);
  for (int64_t i = 0; i < n; i++) items[i].t[0] = tensors[i];
  *out = items;
  return GRU_OK;
}

typedef struct norm {
  gruI_clip_norm call;
  gru_runtime *rt;
} norm;

static gru_status run_norm(void *context, gruI_place *place, const gruI_list *list) {
  norm *c = context;
  gruI_device *device = &place->device;
  c->call.list = *list;
  return gruI_kernel_failed(c->rt, "clip_norm", device, device->k->clip_norm(device, &c->call));
}

/* One list: tensors of one dtype on one device. */
static gru_status check_uniform(gru_runtime *rt, int64_t n, gru_tensor *const *tensors) {
  if (n < 1) return gruI_fail(rt, GRU_ERROR_ARGUMENT, "clip_norm: needs at least one tensor");
  for (int64_t i = 0; i < n; i++) {
    const gru_tensor *t = tensors[i], *first = tensors[0];
    if (gruI_is_number(t) || !gruI_is_float((gru_dtype)t->dtype))
      return gruI_fail(
          rt, GRU_ERROR_DTYPE, "clip_norm: tensor %lld: float32 or float64 expected, got %s",
          (long long)i + 1, gruI_is_number(t) ? "a number" : gru_dtype_name((gru_dtype)t->dtype));
    if (t->dtype != first->dtype || gruI_place_of(t) != gruI_place_of(first))
      return gruI_fail(rt, GRU_ERROR_DTYPE, "clip_norm: %s on %s and %s on %s in one list",
                       gru_dtype_name((gru_dtype)first->dtype), gru_tensor_device(first),
                       gru_dtype_name((gru_dtype)t->dtype), gru_tensor_device(t));
  }
  return GRU_OK;
}

gru_status gru_clip_norm(gru_runtime *rt, int64_t n, gru_tensor *const *tensors, double norm_type,
                         double max_norm, double eps, gru_tensor **total, gru_tensor **scale) {
  norm c = {.rt = rt, .call = {.largest = isinf(norm_type), .max_norm = max_norm, .eps = eps}};
  GRUI_TRY(check_uniform(rt, n, tensors));
  if (norm_type != 2 && !(isinf(norm_type) && norm_type > 0))
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "clip_norm: the norm must be 2 or infinity, got %g",
                     norm_type);
  gru_dtype dtype = (gru_dtype)tensors[0]->dtype;
  gruI_place *place = gruI_place_of(tensors[0]);
  gru_tensor *results[2] = {NULL, NULL};
  gruI_item *items = NULL;
  gru_status status = items_of(rt, "clip_norm", n, tensors, &items);
  for (int i = 0; i < 2 && status == GRU_OK; i++)
    status = gruI_tensor_new(rt, "clip_norm", dtype, 0, NULL, place, &results[i]);
  if (status == GRU_OK) {
    c.call.total = gruI_data(results[0]);
    c.call.scale = gruI_data(results[1]);
    status = gruI_list_run(rt, n, items, &(gruI_work){"clip_norm", 0, run_norm, &c});
  }
  free(items);
  gru_tensor **out[2] = {total, scale};
  for (int i = 0; i < 2; i++)
    if (status == GRU_OK && out[i])
      *out[i] = results[i];
    else
      gru_tensor_release(results[i]);
  return status;
}

static gru_status run_scale(void *context, gruI_place *place, const gruI_list *list) {
  const step *s = context;
  gruI_device *device = &place->device;
  gru_tensor *scale;
  GRUI_TRY(scale_for(s->rt, s->op, s->scale, list->dtype, place, &scale));
  gru_status status = device->k->scale(device, &(gruI_scale){*list, gruI_data(scale)});
  gru_tensor_release(scale);
  return gruI_kernel_failed(s->rt, s->op, device, status);
}

gru_status gru_scale_(gru_runtime *rt, int64_t n, gru_tensor *const *tensors, gru_tensor *scale) {
  step s = {.rt = rt, .op = "scale_", .scale = scale};
  gruI_item *items = NULL;
  GRUI_TRY(items_of(rt, s.op, n, tensors, &items));
  gru_status status = gruI_list_run(rt, n, items, &(gruI_work){s.op, 1u, run_scale, &s});
  free(items);
  return status;
}

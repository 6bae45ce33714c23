/* storage.c - counted blocks of device memory, and the one-hot layout of one. */
#include "core/graph.h"
#include "core/pending.h"

static gru_status no_room(gru_runtime *rt, const gruI_place *place, size_t bytes, const char *op) {
  const gruI_cache *cache = &place->cache;
  const char *fault = place->device.fault.text;
  if (*fault) return gruI_fail(rt, GRU_ERROR_DEVICE, "%s: %s", op, fault);
  int is_host = place->device.backend == &gruI_builtin_backend;
  return gruI_fail(rt, GRU_ERROR_MEMORY,
                   "%s: out of memory on %s: %zu bytes wanted, %zu in use, limit %zu; "
                   "release tensors, use smaller batches, or %s",
                   op, place->device.name, bytes, cache->live, cache->limit,
                   is_host ? "raise --max-memory" : "end other programs that use the device");
}

/* Where its memory comes from. */
static gruI_cache *cache_of(const gruI_storage *s) {
  return s->memory ? &s->memory->cache : &s->place->cache;
}

gru_status gruI_storage_new(gru_runtime *rt, gruI_place *place, size_t bytes, const char *op,
                            gruI_storage **out) {
  gruI_storage *s = gruI_object_new(rt, sizeof *s);
  if (!s) return gruI_fail(rt, GRU_ERROR_MEMORY, "%s: out of memory", op);
  s->place = place;
  s->bytes = bytes;
  s->refs = 1;
  s->serial = ++rt->storages;
  s->memory = gruI_graph_memory(rt, place);
  if (bytes > 0 && !(s->data = gruI_cache_alloc(cache_of(s), bytes))) {
    gruI_memory_release(s->memory);
    gruI_object_free(rt, s, sizeof *s);
    return no_room(rt, place, bytes, op);
  }
  *out = s;
  return GRU_OK;
}

gruI_storage *gruI_storage_retain(gruI_storage *s) {
  s->refs++;
  return s;
}

static void drop_hot(gruI_storage *s) {
  if (!s->hot) return;
  gruI_storage_release(s->hot->ids);
  gruI_object_free(s->place->rt, s->hot, sizeof *s->hot);
  s->hot = NULL;
}

void gruI_storage_release(gruI_storage *s) {
  if (!s || --s->refs > 0) return;
  if (s->pending) gruI_pending_drop(s);
  drop_hot(s);
  if (s->data) gruI_cache_free(cache_of(s), s->data, s->bytes);
  gruI_memory_release(s->memory);
  gruI_object_free(s->place->rt, s, sizeof *s);
}

gru_status gruI_tensor_hot(gru_tensor *ids, gru_dtype dtype, int ndim, const int64_t *shape,
                           int64_t base, gru_tensor **out) {
  gru_runtime *rt = ids->rt;
  int64_t classes = shape[ndim - 1];
  gruI_storage *s = NULL;
  GRUI_TRY(gruI_storage_new(rt, gruI_place_of(ids), 0, "one_hot", &s));
  s->hot = gruI_object_new(rt, sizeof *s->hot);
  gru_tensor *t = gruI_object_new(rt, sizeof *t);
  if (!s->hot || !t) {
    if (t) gruI_object_free(rt, t, sizeof *t);
    if (s->hot) gruI_object_free(rt, s->hot, sizeof *s->hot);
    s->hot = NULL;
    gruI_storage_release(s);
    return gruI_fail(rt, GRU_ERROR_MEMORY, "one_hot: out of memory");
  }
  *s->hot = (gruI_hot){gruI_storage_retain(ids->storage), ids->numel, classes, base, dtype};
  s->bytes = (size_t)ids->numel * (size_t)classes * gru_dtype_size(dtype);
  t->rt = rt;
  t->storage = s;
  t->refs = 1;
  t->dtype = (uint8_t)dtype;
  t->ndim = (uint8_t)ndim;
  t->numel = ids->numel * classes;
  for (int d = 0; d < ndim; d++) t->shape[d] = shape[d];
  gruI_strides(ndim, t->shape, t->stride);
  *out = t;
  return GRU_OK;
}

bool gruI_tensor_is_hot(const gru_tensor *t, const int64_t **ids, int64_t *stride) {
  const gruI_hot *hot = t->storage ? t->storage->hot : NULL;
  int last = t->ndim - 1;
  if (!hot || last < 0 || t->shape[last] != hot->classes) return false;
  if (t->offset % hot->classes != 0 || (t->stride[last] != 1 && hot->classes > 1)) return false;
  for (int d = 0; d < last; d++)
    if (t->stride[d] % hot->classes != 0) return false;
  if (ids && t->rt->capture) gruI_graph_touch(t->rt->capture, hot->ids);
  if (ids) *ids = (const int64_t *)hot->ids->data + t->offset / hot->classes;
  if (stride)
    for (int d = 0; d < last; d++) stride[d] = t->stride[d] / hot->classes;
  return true;
}

gru_status gruI_tensor_hot_ids(gru_tensor *t, gru_tensor **out) {
  gru_tensor *ids = gruI_object_new(t->rt, sizeof *ids);
  if (!ids) return gruI_fail(t->rt, GRU_ERROR_MEMORY, "one_hot: out of memory");
  ids->rt = t->rt;
  ids->storage = gruI_storage_retain(t->storage->hot->ids);
  ids->offset = t->offset / t->storage->hot->classes;
  ids->refs = 1;
  ids->dtype = GRU_INT64;
  ids->ndim = (uint8_t)(t->ndim - 1);
  ids->numel = 1;
  gruI_tensor_is_hot(t, NULL, ids->stride);
  for (int d = 0; d < ids->ndim; d++) ids->numel *= ids->shape[d] = t->shape[d];
  *out = ids;
  return GRU_OK;
}

/* Blocks that wait in a graph's memory belong to its runs. */
static void leave_graph(gruI_storage *s) {
  gruI_memory_release(s->memory);
  s->memory = NULL;
}

gru_status gruI_tensor_settle(gru_tensor *t) {
  gruI_storage *s = t->storage;
  if (!s || !s->hot) return GRU_OK;
  if (!s->place->rt->capture) leave_graph(s);
  if (s->place->rt->capture && !s->memory)
    GRUI_GRAPH_REFUSE(s->place->rt, s->place,
                      "a one-hot tensor of before is written out; use it before the call, too");
  gruI_cache *cache = cache_of(s);
  void *data = NULL;
  if (s->bytes > 0) {
    if (s->place->rt->capture) gruI_graph_touch(s->place->rt->capture, s->hot->ids);
    if (!(data = gruI_cache_alloc(cache, s->bytes)))
      return no_room(s->place->rt, s->place, s->bytes, "one_hot");
    gruI_one_hot call = {s->hot->dtype, s->hot->count,     s->hot->classes,
                         s->hot->base,  s->hot->ids->data, data};
    gru_status status = s->place->device.k->one_hot(&s->place->device, &call);
    if (status != GRU_OK) {
      gruI_cache_free(cache, data, s->bytes);
      return gruI_kernel_failed(s->place->rt, "one_hot", &s->place->device, status);
    }
  }
  s->data = data;
  drop_hot(s);
  return GRU_OK;
}

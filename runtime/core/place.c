/* place.c - devices by name: opening them, counting them, what they are. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/graph.h"
#include "core/pending.h"
#include "core/plugin.h"
#include "core/runtime.h"

enum { REASON_BYTES = 600 };

/* Splits "cuda:1" into backend and index; "cpu" and "cuda" mean index 0. */
static int parse_name(const char *name, char *backend, size_t size, int *index) {
  size_t length = strcspn(name, ":");
  if (length == 0 || length >= size) return 0;
  memcpy(backend, name, length);
  backend[length] = '\0';
  *index = 0;
  for (const char *c = backend; *c; c++)
    if (!islower((unsigned char)*c)) return 0;
  if (name[length] == '\0') return 1;
  char *end;
  long n = strtol(name + length + 1, &end, 10);
  *index = (int)n;
  return isdigit((unsigned char)name[length + 1]) && *end == '\0' && n >= 0 && n < 1024;
}

static gru_status open_place(gru_runtime *rt, gruI_place *place, const gruI_backend *backend) {
  gruI_device *device = &place->device;
  device->backend = backend;
  device->k = backend->kernels;
  device->pool = rt->pool;
  device->keep_blas_threads = rt->config.keep_blas_threads;
  device->precision = rt->precision;
  const char *cache = getenv("GRU_MEMORY_CACHE");
  device->uncached = cache && strcmp(cache, "0") == 0;
  device->host_alloc = rt->config.alloc;
  device->host_free = rt->config.free;
  device->host_context = rt->config.alloc_context;
  gru_status status = backend->open(device);
  if (status != GRU_OK)
    return gruI_fail(rt, status, "device '%s': %s", device->name, device->fault.text);
  int is_host = backend == &gruI_builtin_backend;
  place->cache.device = device;
  place->cache.limit =
      is_host && rt->config.max_memory ? rt->config.max_memory : backend->memory_limit(device);
  place->open = 1;
  return GRU_OK;
}

/* The backend, and how many devices it has; NULL with a reason where there are none. */
static const gruI_backend *find_devices(const char *kind, int *count, char *reason) {
  const gruI_backend *backend = gruI_plugin_find(kind, reason, REASON_BYTES);
  if (!backend) return NULL;
  snprintf(reason, REASON_BYTES, "there are no %s devices", kind);
  *count = backend->count(reason, REASON_BYTES);
  return *count > 0 ? backend : NULL;
}

static gru_status no_such_index(gru_runtime *rt, const char *full, const char *kind, int count) {
  if (count == 1)
    return gruI_fail(rt, GRU_ERROR_DEVICE, "device '%s': there is one %s device, %s:0", full, kind,
                     kind);
  return gruI_fail(rt, GRU_ERROR_DEVICE, "device '%s': there are %d %s devices, %s:0 to %s:%d",
                   full, count, kind, kind, kind, count - 1);
}

static gru_status not_a_name(gru_runtime *rt, const char *name) {
  return gruI_fail(rt, GRU_ERROR_DEVICE,
                   "device '%.40s': expected a name such as \"cpu\" or \"cuda:0\"", name);
}

/* The open place of that name, or NULL. */
static gruI_place *find_open(const gru_runtime *rt, const char *name) {
  for (int i = 0; i < rt->nplaces; i++)
    if (strcmp(rt->places[i]->device.name, name) == 0) return rt->places[i];
  return NULL;
}

gru_status gruI_place_find(gru_runtime *rt, const char *name, gruI_place **out) {
  char kind[16], full[24], reason[REASON_BYTES];
  int index;
  if (!name) name = "cpu";
  if ((*out = find_open(rt, name))) return GRU_OK;
  if (!parse_name(name, kind, sizeof kind, &index)) return not_a_name(rt, name);
  int is_host = strcmp(kind, "cpu") == 0;
  snprintf(full, sizeof full, is_host ? "%s" : "%s:%d", kind, index);
  if ((*out = find_open(rt, full))) return GRU_OK;
  int count;
  const gruI_backend *backend = find_devices(kind, &count, reason);
  if (!backend) return gruI_fail(rt, GRU_ERROR_DEVICE, "device '%s': %s", full, reason);
  if (index >= count) return no_such_index(rt, full, kind, count);
  if (rt->nplaces == GRUI_MAX_DEVICES)
    return gruI_fail(rt, GRU_ERROR_DEVICE, "device '%s': %d devices are in use, no more fit", full,
                     rt->nplaces);
  gruI_place *place = calloc(1, sizeof *place);
  if (!place) return gruI_fail(rt, GRU_ERROR_MEMORY, "device '%s': out of memory", full);
  snprintf(place->device.name, sizeof place->device.name, "%s", full);
  place->rt = rt;
  place->device.index = index;
  gru_status status = open_place(rt, place, backend);
  if (status != GRU_OK) {
    free(place);
    return status;
  }
  rt->places[rt->nplaces++] = *out = place;
  return GRU_OK;
}

gru_status gru_device_check(gru_runtime *rt, const char *name) {
  gruI_place *place;
  return gruI_place_find(rt, name, &place);
}

gru_status gru_device_count(gru_runtime *rt, const char *kind, int *out) {
  char name[16], reason[REASON_BYTES];
  int index;
  if (!parse_name(kind, name, sizeof name, &index) || strchr(kind, ':'))
    return not_a_name(rt, kind);
  if (!find_devices(name, out, reason))
    return gruI_fail(rt, GRU_ERROR_DEVICE, "%s: %s", name, reason);
  return GRU_OK;
}

gru_status gru_device_properties(gru_runtime *rt, const char *name, gru_properties *out) {
  char kind[16], reason[REASON_BYTES];
  int count;
  gruI_device device = {.index = 0}, *of = &device; /* one that is not open will do */
  if (!parse_name(name, kind, sizeof kind, &device.index)) return not_a_name(rt, name);
  snprintf(device.name, sizeof device.name, "%s:%d", kind, device.index);
  for (int i = 0; i < rt->nplaces; i++)
    if (strcmp(rt->places[i]->device.name, device.name) == 0) of = &rt->places[i]->device;
  device.backend = of == &device ? find_devices(kind, &count, reason) : of->backend;
  if (!device.backend)
    return gruI_fail(rt, GRU_ERROR_DEVICE, "device '%s': %s", device.name, reason);
  if (!device.backend->properties)
    return gruI_fail(rt, GRU_ERROR_DEVICE, "device '%s': nothing is known of it", name);
  if (of == &device && device.index >= count) return no_such_index(rt, device.name, kind, count);
  gru_properties found;
  gru_status status = device.backend->properties(of, &found);
  if (status != GRU_OK)
    return gruI_fail(rt, status, "device '%s': %s", device.name, of->fault.text);
  *out = found;
  return GRU_OK;
}

gru_status gru_synchronize(gru_runtime *rt, const char *name) {
  gruI_place *place;
  GRUI_TRY(gruI_place_find(rt, name, &place));
  gruI_device *device = &place->device;
  GRUI_GRAPH_REFUSE(rt, place, "synchronize waits for the device; call it after the step");
  gruI_pending_settle(rt);
  if (!device->backend->synchronize) return GRU_OK;
  return gruI_kernel_failed(rt, "synchronize", device, device->backend->synchronize(device));
}

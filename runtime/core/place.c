/* place.c - finding devices by name: the built-in backend, and plugins.
**
** A backend "x" that is not built in is looked for as libgru_x.so: in the file that
** $GRU_X_PLUGIN names, beside the executable, and in ../lib/gru from there.  It
** exports one symbol, gru_backend_init, and is never unloaded.
*/
#define _GNU_SOURCE
#include <ctype.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/runtime.h"

enum { PATH_BYTES = 1024, REASON_BYTES = 320 };

typedef const gruI_backend *(*init_function)(uint32_t abi);

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

/* Opens one plugin file; NULL with a reason. */
static const gruI_backend *open_plugin(const char *path, char *reason) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(reason, REASON_BYTES, "%s", dlerror());
    return NULL;
  }
  init_function init;
  *(void **)&init = dlsym(library, "gru_backend_init");
  const gruI_backend *backend = init ? init(GRUI_DEVICE_ABI) : NULL;
  if (!backend || backend->abi != GRUI_DEVICE_ABI || backend->size < sizeof *backend) {
    snprintf(reason, REASON_BYTES, "%.250s is a plugin of another version", path);
    return NULL;
  }
  return backend;
}

/* The i-th place to look for a plugin; 0 when there are no more. */
static int candidate(const char *name, int i, char *path) {
  char variable[64] = "GRU_", here[PATH_BYTES - 64];
  if (i == 0) {
    size_t n = strlen(variable);
    for (const char *c = name; *c && n < 40; c++) variable[n++] = (char)toupper((unsigned char)*c);
    snprintf(variable + n, sizeof variable - n, "_PLUGIN");
    const char *set = getenv(variable);
    snprintf(path, PATH_BYTES, "%s", set ? set : "");
    return 1;
  }
  ssize_t length = readlink("/proc/self/exe", here, sizeof here - 1);
  here[length > 0 ? length : 0] = '\0';
  char *slash = strrchr(here, '/');
  if (slash) *slash = '\0';
  if (i == 1) snprintf(path, PATH_BYTES, "%s/libgru_%s.so", here, name);
  if (i == 2) snprintf(path, PATH_BYTES, "%s/../lib/gru/libgru_%s.so", here, name);
  return i <= 2;
}

static const gruI_backend *find_backend(const char *name, char *reason) {
  if (strcmp(name, gruI_builtin_backend.name) == 0) return &gruI_builtin_backend;
  char path[PATH_BYTES];
  for (int i = 0; candidate(name, i, path); i++)
    if (*path && (i == 0 || access(path, F_OK) == 0)) return open_plugin(path, reason);
  snprintf(reason, REASON_BYTES, "the %s backend is not built (no libgru_%s.so beside the program)",
           name, name);
  return NULL;
}

static gru_status open_place(gru_runtime *rt, gruI_place *place, const gruI_backend *backend) {
  gruI_device *device = &place->device;
  device->backend = backend;
  device->k = backend->kernels;
  device->pool = rt->pool;
  device->keep_blas_threads = rt->config.keep_blas_threads;
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

gru_status gruI_place_find(gru_runtime *rt, const char *name, gruI_place **out) {
  char kind[16], full[24], reason[REASON_BYTES];
  int index;
  if (!name) name = "cpu";
  if (!parse_name(name, kind, sizeof kind, &index))
    return gruI_fail(rt, GRU_ERROR_DEVICE,
                     "device '%.40s': expected a name such as \"cpu\" or \"cuda:0\"", name);
  int is_host = strcmp(kind, "cpu") == 0;
  snprintf(full, sizeof full, is_host ? "%s" : "%s:%d", kind, index);
  for (int i = 0; i < rt->nplaces; i++)
    if (strcmp(rt->places[i]->device.name, full) == 0) {
      *out = rt->places[i];
      return GRU_OK;
    }
  const gruI_backend *backend = find_backend(kind, reason);
  if (!backend) return gruI_fail(rt, GRU_ERROR_DEVICE, "device '%s': %s", full, reason);
  int count = backend->count(reason, sizeof reason);
  if (count <= 0) return gruI_fail(rt, GRU_ERROR_DEVICE, "device '%s': %s", full, reason);
  if (index >= count || rt->nplaces == GRUI_MAX_DEVICES)
    return gruI_fail(rt, GRU_ERROR_DEVICE, "device '%s': there %s %d %s device%s", name,
                     count == 1 ? "is" : "are", count, kind, count == 1 ? "" : "s");
  gruI_place *place = calloc(1, sizeof *place);
  if (!place) return gruI_fail(rt, GRU_ERROR_MEMORY, "device '%s': out of memory", full);
  snprintf(place->device.name, sizeof place->device.name, "%s", full);
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

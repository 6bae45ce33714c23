/* runtime.c - making and ending a runtime, messages, threads, memory figures. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "core/runtime.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pending.h"

enum { MAX_THREADS = 256, OBJECT_LOG_STEP = 6 /* objects begin with a cache line */ };

const char *gru_status_name(gru_status status) {
  static const char *const names[] = {"ok",     "argument", "shape",       "dtype",
                                      "device", "index",    "memory",      "autograd",
                                      "io",     "format",   "interrupted", "callback"};
  size_t i = (size_t)status;
  return i < sizeof names / sizeof *names ? names[i] : "unknown";
}

gru_status gruI_fail(gru_runtime *rt, gru_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(rt->error, sizeof rt->error, format, args);
  va_end(args);
  return status;
}

gru_status gru_runtime_fail(gru_runtime *rt, gru_status status, const char *message) {
  return gruI_fail(rt, status, "%s", message);
}

void gruI_warn(gru_runtime *rt, const char *format, ...) {
  if (!rt->config.log) return;
  char line[512];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  rt->config.log(rt->config.log_context, line);
}

const char *gru_runtime_error(const gru_runtime *rt) { return rt->error; }

gru_status gruI_kernel_failed(gru_runtime *rt, const char *op, gruI_device *device,
                              gru_status status) {
  switch (status) {
    case GRU_OK: return GRU_OK;
    case GRU_ERROR_INTERRUPTED: return gruI_fail(rt, status, "interrupted!");
    case GRU_ERROR_MEMORY:
      return gruI_fail(rt, status, "%s: out of scratch memory on %s", op, device->name);
    default: return gruI_fail(rt, status, "%s: %s", op, device->fault.text);
  }
}

/* ---- life ------------------------------------------------------------------------- */

static int cores(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    int n = CPU_COUNT(&set);
    if (n > 0) return n < MAX_THREADS ? n : MAX_THREADS;
  }
  return 1;
}

/* Frees a runtime of which nothing is alive. */
static void free_runtime(gru_runtime *rt) {
  for (int i = 0; i < rt->nplaces; i++) {
    gruI_place *place = rt->places[i];
    if (place->open) {
      gruI_cache_destroy(&place->cache);
      place->device.backend->close(&place->device);
    }
    free(place);
  }
  gruI_slab_destroy(&rt->slab);
  gruI_pool_destroy(rt->pool);
  free(rt);
}

gru_status gru_runtime_create(const gru_runtime_config *config, gru_runtime **out) {
  gru_runtime *rt = calloc(1, sizeof *rt);
  if (!rt) return GRU_ERROR_MEMORY;
  if (config) rt->config = *config;
  if (rt->config.threads == 0) rt->config.threads = cores();
  if (rt->config.threads < 1 || rt->config.threads > MAX_THREADS) {
    free(rt);
    return GRU_ERROR_ARGUMENT;
  }
  gruI_slab_init(&rt->slab, OBJECT_LOG_STEP);
  rt->grad_enabled = 1;
  rt->default_dtype = GRU_FLOAT32;
  rt->pool =
      gruI_pool_create(rt->config.threads, rt->config.should_abort, rt->config.abort_context);
  gruI_place *cpu;
  gru_status status = rt->pool ? gruI_place_find(rt, "cpu", &cpu) : GRU_ERROR_MEMORY;
  if (status != GRU_OK) {
    free_runtime(rt);
    return status;
  }
  gruI_rng_seed(&rt->rng, 0, GRU_PHILOX);
  *out = rt;
  return GRU_OK;
}

void gru_runtime_destroy(gru_runtime *rt) {
  if (!rt) return;
  rt->closing = 1;
  if (rt->objects == 0) free_runtime(rt);
}

void *gruI_object_new(gru_runtime *rt, size_t bytes) {
  void *object = gruI_slab_alloc(&rt->slab, bytes);
  if (!object) return NULL;
  rt->objects++;
  return memset(object, 0, bytes);
}

void gruI_object_free(gru_runtime *rt, void *object, size_t bytes) {
  gruI_slab_free(&rt->slab, object, bytes);
  if (--rt->objects == 0 && rt->closing) free_runtime(rt);
}

/* ---- threads and memory ------------------------------------------------------------ */

gru_status gru_set_threads(gru_runtime *rt, int threads) {
  if (threads < 1 || threads > MAX_THREADS)
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "set_num_threads: expected 1 to %d, got %d",
                     MAX_THREADS, threads);
  if (gruI_pool_set_threads(rt->pool, threads) != GRU_OK)
    return gruI_fail(rt, GRU_ERROR_MEMORY, "set_num_threads: cannot start %d threads", threads);
  return GRU_OK;
}

int gru_get_threads(const gru_runtime *rt) { return gruI_pool_threads(rt->pool); }

gru_status gru_memory(gru_runtime *rt, const char *device, gru_memory_info *out) {
  gruI_place *place;
  GRUI_TRY(gruI_place_find(rt, device, &place));
  gruI_pending_settle(rt); /* what is pending keeps its operands */
  const gruI_cache *cache = &place->cache;
  *out = (gru_memory_info){cache->live, cache->peak, cache->reserved, cache->limit};
  return GRU_OK;
}

size_t gru_memory_live(const gru_runtime *rt) {
  size_t live = 0;
  for (int i = 0; i < rt->nplaces; i++) live += rt->places[i]->cache.live;
  return live;
}

uint64_t gru_memory_taken(const gru_runtime *rt) {
  uint64_t taken = 0;
  for (int i = 0; i < rt->nplaces; i++) taken += rt->places[i]->cache.taken;
  return taken;
}

gru_status gru_reset_peak(gru_runtime *rt, const char *device) {
  gruI_place *place;
  GRUI_TRY(gruI_place_find(rt, device, &place));
  place->cache.peak = place->cache.live;
  return GRU_OK;
}

void gru_empty_cache(gru_runtime *rt) {
  for (int i = 0; i < rt->nplaces; i++)
    if (rt->places[i]->open) gruI_cache_empty(&rt->places[i]->cache);
}

int gru_grad_enabled(const gru_runtime *rt) { return rt->grad_enabled; }

int gru_set_grad_enabled(gru_runtime *rt, int enabled) {
  int old = rt->grad_enabled;
  rt->grad_enabled = enabled != 0;
  return old;
}

void gru_set_origin(gru_runtime *rt, const char *chunk, int line) {
  rt->origin = chunk;
  rt->origin_line = line;
}

void gru_set_anomaly(gru_runtime *rt, char *(*trace)(void *context), void *context) {
  rt->trace = trace;
  rt->trace_context = context;
}

gru_status gru_set_default_dtype(gru_runtime *rt, gru_dtype dtype) {
  if (dtype != GRU_FLOAT32 && dtype != GRU_FLOAT64)
    return gruI_fail(rt, GRU_ERROR_DTYPE, "set_default_dtype: float32 or float64, got %s",
                     gru_dtype_name(dtype));
  rt->default_dtype = dtype;
  return GRU_OK;
}

gru_dtype gru_default_dtype(const gru_runtime *rt) { return rt->default_dtype; }

gru_status gru_set_precision(gru_runtime *rt, gru_precision precision) {
  if (precision != GRU_FP32 && precision != GRU_TF32)
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "set_precision: fp32 or tf32, got number %d",
                     (int)precision);
  rt->precision = precision;
  for (int i = 0; i < rt->nplaces; i++) rt->places[i]->device.precision = precision;
  return GRU_OK;
}

gru_precision gru_get_precision(const gru_runtime *rt) { return rt->precision; }

/* random.c - in-place fills from the runtime's generator. */
#include <stdlib.h>

#include "core/graph.h"
#include "core/pending.h"
#include "core/philox.h"
#include "core/profile.h"
#include "core/tape.h"

void gruI_rng_seed(gruI_rng *rng, uint64_t seed, gru_generator kind) {
  rng->kind = kind;
  rng->seed = seed;
  rng->counter = 0;
  if (kind == GRU_TORCH) gruI_mt19937_seed(&rng->mt, seed);
}

void gru_seed(gru_runtime *rt, uint64_t seed, gru_generator generator) {
  gruI_rng_seed(&rt->rng, seed, generator);
}

/* Draws for `n` elements are taken in whole groups of four, so that no two fills share one. */
static uint64_t take_counter(gruI_rng *rng, int64_t n) {
  uint64_t at = rng->counter;
  rng->counter += ((uint64_t)n + 3) / 4 * 4;
  return at;
}

/* The torch generator runs on the host, element after element. */
static void fill_torch(gruI_mt19937 *mt, const gruI_random *c) {
  switch (c->kind) {
    case GRUI_UNIFORM:
      if (c->dtype == GRU_FLOAT32)
        gruI_mt19937_uniform_f32(mt, c->out, c->count, c->a, c->b);
      else
        gruI_mt19937_uniform_f64(mt, c->out, c->count, c->a, c->b);
      break;
    case GRUI_NORMAL:
      if (c->dtype == GRU_FLOAT32)
        gruI_mt19937_normal_f32(mt, c->out, c->count, c->a, c->b);
      else
        gruI_mt19937_normal_f64(mt, c->out, c->count, c->a, c->b);
      break;
    case GRUI_BERNOULLI:
      switch (c->dtype) {
        case GRU_BOOL: gruI_mt19937_bernoulli_u8(mt, c->out, c->count, c->a); break;
        case GRU_INT64: gruI_mt19937_bernoulli_i64(mt, c->out, c->count, c->a); break;
        case GRU_FLOAT32: gruI_mt19937_bernoulli_f32(mt, c->out, c->count, c->a); break;
        case GRU_FLOAT64: gruI_mt19937_bernoulli_f64(mt, c->out, c->count, c->a); break;
      }
      break;
    case GRUI_RANDINT:
      switch (c->dtype) {
        case GRU_BOOL: gruI_mt19937_randint_u8(mt, c->out, c->count, c->low, c->high); break;
        case GRU_INT64: gruI_mt19937_randint_i64(mt, c->out, c->count, c->low, c->high); break;
        case GRU_FLOAT32: gruI_mt19937_randint_f32(mt, c->out, c->count, c->low, c->high); break;
        case GRU_FLOAT64: gruI_mt19937_randint_f64(mt, c->out, c->count, c->low, c->high); break;
      }
      break;
  }
}

/* Fills a contiguous tensor. */
static gru_status fill_packed(gru_tensor *t, gruI_random *call, const char *op) {
  gruI_rng *rng = &t->rt->rng;
  gruI_device *device = gruI_device_of(t);
  call->count = t->numel;
  call->dtype = (gru_dtype)t->dtype;
  call->out = gruI_data(t);
  if (t->numel == 0) return GRU_OK;
  GRUI_GRAPH_HERE(t->rt, gruI_place_of(t), op);
  if (rng->kind == GRU_PHILOX) {
    call->seed = rng->seed;
    call->counter = take_counter(rng, t->numel);
    if (t->rt->capture) gruI_graph_draw(t->rt->capture, call);
    return gruI_kernel_failed(t->rt, op, device, device->k->random(device, call));
  }
  if (device->backend == &gruI_builtin_backend) {
    fill_torch(&rng->mt, call);
    return GRU_OK;
  }
  GRUI_GRAPH_REFUSE(t->rt, NULL,
                    "the torch generator draws on the host; use gru.manual_seed(seed, \"philox\")");
  size_t bytes = (size_t)t->numel * gru_dtype_size((gru_dtype)t->dtype);
  void *host = malloc(bytes);
  if (!host) return gruI_fail(t->rt, GRU_ERROR_MEMORY, "%s: out of memory", op);
  call->out = host;
  fill_torch(&rng->mt, call);
  gru_status status = device->backend->upload(device, gruI_data(t), host, bytes);
  free(host);
  return gruI_kernel_failed(t->rt, op, device, status);
}

/* Fills `t` in the order of its elements, whatever its strides. */
static gru_status fill_any(gru_tensor *t, gruI_random *call, const char *op) {
  gru_runtime *rt = t->rt;
  if (gruI_is_number(t)) return gruI_fail(rt, GRU_ERROR_ARGUMENT, "%s: not a tensor", op);
  if (rt->grad_enabled && gruI_requires_grad(t))
    return gruI_fail(rt, GRU_ERROR_AUTOGRAD,
                     "%s: a tensor that requires grad is changed in place; do it under no_grad()",
                     op);
  GRUI_TRY(gruI_tensor_settle(t));
  gruI_pending_settle(rt);
  gru_status status;
  if (gruI_is_contiguous(t)) {
    status = fill_packed(t, call, op);
  } else {
    gru_tensor *packed;
    GRUI_TRY(
        gruI_tensor_new(rt, op, (gru_dtype)t->dtype, t->ndim, t->shape, gruI_place_of(t), &packed));
    status = fill_packed(packed, call, op);
    if (status == GRU_OK) status = gruI_copy_over(t, packed, op);
    gru_tensor_release(packed);
  }
  t->storage->version++;
  return status;
}

static gru_status fill(gru_tensor *t, gruI_random *call, const char *op) {
  gru_status status;
  GRUI_SPAN(t->rt, op, GRU_SPAN_CALL, status, fill_any(t, call, op));
  return status;
}

static gru_status want_float(gru_tensor *t, const char *op) {
  if (gruI_is_float((gru_dtype)t->dtype)) return GRU_OK;
  return gruI_fail(t->rt, GRU_ERROR_DTYPE, "%s: wants a float tensor, got %s", op,
                   gru_dtype_name((gru_dtype)t->dtype));
}

gru_status gru_uniform_(gru_tensor *t, double low, double high) {
  GRUI_TRY(want_float(t, "uniform_"));
  if (!(low <= high) || high - low > 1e300)
    return gruI_fail(t->rt, GRU_ERROR_ARGUMENT, "uniform_: no numbers from %g to %g", low, high);
  gruI_random call = {.kind = GRUI_UNIFORM, .a = low, .b = high};
  return fill(t, &call, "uniform_");
}

gru_status gru_normal_(gru_tensor *t, double mean, double std) {
  GRUI_TRY(want_float(t, "normal_"));
  if (!(std >= 0))
    return gruI_fail(t->rt, GRU_ERROR_ARGUMENT, "normal_: std must not be negative, got %g", std);
  gruI_random call = {.kind = GRUI_NORMAL, .a = mean, .b = std};
  return fill(t, &call, "normal_");
}

gru_status gru_bernoulli_(gru_tensor *t, double p) {
  if (!(p >= 0 && p <= 1))
    return gruI_fail(t->rt, GRU_ERROR_ARGUMENT, "bernoulli_: a chance lies in 0 .. 1, got %g", p);
  gruI_random call = {.kind = GRUI_BERNOULLI, .a = p};
  return fill(t, &call, "bernoulli_");
}

gru_status gru_randint_(gru_tensor *t, int64_t low, int64_t high) {
  if (low >= high)
    return gruI_fail(t->rt, GRU_ERROR_ARGUMENT,
                     "randint: no integers from %lld up to, not including, %lld", (long long)low,
                     (long long)high);
  gruI_random call = {.kind = GRUI_RANDINT, .low = low, .high = high};
  return fill(t, &call, "randint");
}

gru_status gru_randperm(gru_runtime *rt, int64_t n, int64_t base, gru_tensor **out) {
  gru_tensor *t;
  if (n < 0) return gruI_fail(rt, GRU_ERROR_ARGUMENT, "randperm: %lld positions", (long long)n);
  GRUI_GRAPH_REFUSE(rt, NULL, "randperm draws on the host; draw before the call, and pass it");
  GRUI_TRY(gruI_tensor_new(rt, "randperm", GRU_INT64, 1, &n, rt->places[0], &t));
  int64_t *p = gruI_data(t);
  if (rt->rng.kind == GRU_TORCH) {
    gruI_mt19937_randperm(&rt->rng.mt, p, n, base);
  } else { /* Fisher-Yates */
    uint64_t counter = take_counter(&rt->rng, n);
    for (int64_t i = 0; i < n; i++) p[i] = base + i;
    for (int64_t i = 0; i + 1 < n; i++) {
      uint64_t word = gruI_philox_word64(rt->rng.seed, counter + (uint64_t)i);
      int64_t j = i + (int64_t)(((unsigned __int128)word * (uint64_t)(n - i)) >> 64);
      int64_t swap = p[i];
      p[i] = p[j], p[j] = swap;
    }
  }
  *out = t;
  return GRU_OK;
}

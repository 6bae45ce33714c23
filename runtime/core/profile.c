/* profile.c - spans: when they start and end, and what they took. */
#include "core/profile.h"

#include <time.h>

void gru_set_profile(gru_runtime *rt, gru_profile profile, void *context) {
  rt->profile = profile;
  rt->profile_context = context;
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Bytes that tensors have taken so far, on all devices. */
static uint64_t taken(const gru_runtime *rt) {
  uint64_t bytes = 0;
  for (int i = 0; i < rt->nplaces; i++) bytes += rt->places[i]->cache.taken;
  return bytes;
}

void gruI_span_open(gru_runtime *rt, gru_span *span, const char *name, gru_span_kind kind) {
  *span = (gru_span){.name = name,
                     .kind = kind,
                     .in_backward = kind != GRU_SPAN_CALL || (rt->span && rt->span->in_backward),
                     .chunk = rt->origin,
                     .line = rt->origin ? rt->origin_line : 0,
                     .outer = rt->span,
                     .bytes = taken(rt)};
  rt->span = span;
  span->start = now();
}

void gruI_span_close(gru_runtime *rt, gru_span *span) {
  span->stop = now();
  span->bytes = taken(rt) - span->bytes;
  gru_span *outer = (gru_span *)span->outer; /* read-only for who is told of it alone */
  rt->span = outer;
  if (outer) {
    outer->inner += span->stop - span->start;
    outer->inner_bytes += span->bytes;
  }
  if (rt->profile) rt->profile(rt->profile_context, span);
}

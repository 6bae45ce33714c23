/* runtime.h - the context that everything else hangs on. */
#ifndef GRUI_RUNTIME_H
#define GRUI_RUNTIME_H

#include <stdbool.h>

#include "core/cache.h"
#include "core/pool.h"
#include "core/rng.h"
#include "core/slab.h"

enum { GRUI_MAX_DEVICES = 17 }; /* the CPU and 16 others */

/* A device with its allocator. */
typedef struct gruI_place {
  gru_runtime *rt;
  gruI_device device;
  gruI_cache cache;
  int open;
} gruI_place;

struct gru_runtime {
  gru_runtime_config config;
  gruI_pool *pool;
  gruI_place *places[GRUI_MAX_DEVICES]; /* places[0] is the CPU */
  int nplaces;
  gruI_slab slab;
  int64_t objects; /* tensors, storages and nodes alive */
  int closing;     /* destroyed; freed with the last object */
  int grad_enabled;
  gru_dtype default_dtype;
  gru_precision precision;
  const char *origin; /* where the script stands, for messages */
  int origin_line;
  char *(*trace)(void *context); /* anomaly mode: the way to here */
  void *trace_context;
  gru_profile profile; /* NULL: off */
  void *profile_context;
  gru_span *span;             /* the innermost one open */
  uint64_t sequence;          /* of tape nodes */
  uint64_t storages;          /* made so far */
  uint64_t next_hook;         /* handle */
  uint32_t graphs;            /* captured so far */
  uint64_t moves;             /* calls of gru_tensor_set_data */
  gru_graph *capture;         /* the graph that is being captured, or NULL */
  struct gruI_place *watched; /* where a capture or its rehearsal goes on, or NULL */
  gru_graph *doomed;          /* graphs to be freed when the capture is over */
  char refused[256]; /* what the rehearsal has seen that cannot be captured; "" for nothing */
  struct gruI_pending *pending, *last_pending; /* what is still being made, see pending.h */
  int waiting;                                 /* how many these are */
  int in_backward;                             /* how deep */
  struct gruI_node *dying;                     /* tape nodes waiting to be freed, see tape.c */
  bool releasing;
  gruI_rng rng;
  char error[1024];
};

/* Sets the message and returns `status`. */
gru_status gruI_fail(gru_runtime *rt, gru_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Passes a warning to the log hook. */
void gruI_warn(gru_runtime *rt, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A small zeroed object that counts as alive, and its end. */
void *gruI_object_new(gru_runtime *rt, size_t bytes);
void gruI_object_free(gru_runtime *rt, void *object, size_t bytes);

/* The place called `name` (NULL: "cpu"), opened when first asked for. */
gru_status gruI_place_find(gru_runtime *rt, const char *name, gruI_place **out);

/* Turns a kernel's failure into the runtime's message, with the op's name. */
gru_status gruI_kernel_failed(gru_runtime *rt, const char *op, gruI_device *device,
                              gru_status status);

#define GRUI_TRY(expression) \
  do { \
    gru_status try_status_ = (expression); \
    if (try_status_ != GRU_OK) return try_status_; \
  } while (0)

#endif

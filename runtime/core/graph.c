/* graph.c - calls captured into a graph, and run again. */
#include "core/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/op.h"

/* What captured calls reach and what was there before. */
typedef struct kept {
  gruI_storage *storage;
  uint64_t version; /* before the capture */
  bool written;     /* by it */
} kept;

/* A leaf whose .grad a captured call, or the script, read or set. */
typedef struct gradient {
  gru_tensor *leaf;
  gru_tensor *before, *after; /* the capture: owned, NULL for none */
  bool read;                  /* what was there before, and not overwritten first */
  bool wanted;                /* did the leaf require grad as the capture ended? */
} gradient;

struct gru_graph {
  gru_runtime *rt;
  gruI_place *place;
  gru_graph *next; /* in rt->doomed */
  void *exec;      /* the backend's */
  int64_t nodes, steps;
  gruI_memory *memory;
  gruI_numbers *numbers;
  kept *kept;
  int64_t kept_count, kept_room;
  gradient *gradients;
  int64_t gradient_count, gradient_room;
  bool out_of_memory;
  uint32_t mark;               /* of the storages in `kept` */
  uint64_t seed, first, drawn; /* of the generator: where it stood, and how far it went */
  uint64_t moves;              /* rt->moves at the capture */
  gru_precision precision;
};

/* ---- memory -------------------------------------------------------------------------------- */

static gruI_memory *new_memory(gru_runtime *rt, gruI_place *place) {
  gruI_memory *memory = gruI_object_new(rt, sizeof *memory);
  if (!memory) return NULL;
  memory->rt = rt;
  memory->cache.device = &place->device;
  memory->cache.whole = &place->cache;
  memory->refs = 1;
  return memory;
}

void gruI_memory_release(gruI_memory *memory) {
  if (!memory || --memory->refs > 0) return;
  gruI_cache_destroy(&memory->cache);
  gruI_object_free(memory->rt, memory, sizeof *memory);
}

gruI_memory *gruI_graph_memory(gru_runtime *rt, const gruI_place *place) {
  gru_graph *graph = rt->capture;
  if (!graph || graph->place != place) return NULL;
  graph->memory->refs++;
  return graph->memory;
}

/* Room for one more of `size` bytes in a list. */
static void *reserve(gru_graph *graph, void *list, int64_t count, int64_t *room, size_t size) {
  if (count < *room) return list;
  int64_t more = *room ? *room * 2 : 64;
  void *grown = realloc(list, (size_t)more * size);
  if (grown)
    *room = more;
  else
    graph->out_of_memory = true;
  return grown;
}

void gruI_graph_touch(gru_graph *graph, gruI_storage *s) {
  if (s->place != graph->place || s->memory == graph->memory || s->mark == graph->mark) return;
  kept *list = reserve(graph, graph->kept, graph->kept_count, &graph->kept_room, sizeof *list);
  if (!list) return;
  graph->kept = list;
  list[graph->kept_count++] = (kept){gruI_storage_retain(s), s->version, false};
  s->mark = graph->mark;
}

/* ---- gradients of leaves -------------------------------------------------------------------- */

void gruI_graph_note_grad(gru_tensor *t, bool reads) {
  gru_graph *graph = t->rt->capture;
  if (gruI_is_number(t) || t->storage->memory == graph->memory) return; /* made in the capture */
  for (int64_t i = 0; i < graph->gradient_count; i++)
    if (graph->gradients[i].leaf == t) return;
  gradient *list =
      reserve(graph, graph->gradients, graph->gradient_count, &graph->gradient_room, sizeof *list);
  if (!list) return;
  graph->gradients = list;
  list[graph->gradient_count++] = (gradient){
      gru_tensor_retain(t), t->grad ? gru_tensor_retain(t->grad) : NULL, NULL, reads, false};
}

static void set_grad(gru_tensor *leaf, gru_tensor *grad) {
  if (leaf->grad == grad) return;
  if (grad) gru_tensor_retain(grad);
  gru_tensor_release(leaf->grad);
  leaf->grad = grad;
}

/* ---- what cannot be captured ------------------------------------------------------------------ */

gru_status gruI_graph_refuse(gru_runtime *rt, const gruI_place *place, const char *format, ...) {
  char text[240];
  va_list args;
  if (!rt->watched || (place && place != rt->watched)) return GRU_OK;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (rt->capture) return gruI_fail(rt, GRU_ERROR_DEVICE, "graph: %s", text);
  if (!rt->refused[0]) snprintf(rt->refused, sizeof rt->refused, "graph: %s", text);
  return GRU_OK;
}

gru_status gruI_graph_elsewhere(gru_runtime *rt, const gruI_place *place, const char *op) {
  return gruI_graph_refuse(rt, NULL,
                           "%s works on %s, where it would not be done again; move the tensor to "
                           "%s before the call",
                           op, place->device.name, rt->watched->device.name);
}

gru_status gruI_graph_is_void(const gru_tensor *t, const char *op) {
  return gruI_fail(t->rt, GRU_ERROR_DEVICE,
                   "%s: a tensor of shape %s was made in a step that could not be captured, and "
                   "never computed; pass what goes from step to step as arguments and results",
                   op, gruI_tensor_text(t).s);
}

gru_status gru_graph_refuse(gru_runtime *rt, const char *reason) {
  return gruI_graph_refuse(rt, NULL, "%s", reason);
}

gru_status gru_graph_rehearse(gru_runtime *rt, const char *device) {
  gruI_place *place;
  GRUI_TRY(gruI_place_find(rt, device, &place));
  if (rt->watched)
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "graph: another step is captured, or rehearsed");
  rt->watched = place;
  rt->refused[0] = '\0';
  return GRU_OK;
}

const char *gru_graph_rehearsed(gru_runtime *rt) {
  if (!rt->capture) rt->watched = NULL;
  return rt->refused[0] ? rt->refused : NULL;
}

int gru_graph_is_capturing(const gru_runtime *rt) { return rt->capture != NULL; }

/* ---- capturing -------------------------------------------------------------------------------- */

static void destroy(gru_graph *graph) {
  gru_runtime *rt = graph->rt;
  gruI_device *device = &graph->place->device;
  if (graph->exec) device->backend->graph_free(device, graph->exec);
  for (int64_t i = 0; i < graph->gradient_count; i++) {
    gru_tensor_release(graph->gradients[i].leaf);
    gru_tensor_release(graph->gradients[i].before);
    gru_tensor_release(graph->gradients[i].after);
  }
  for (int64_t i = 0; i < graph->kept_count; i++) gruI_storage_release(graph->kept[i].storage);
  free(graph->gradients);
  free(graph->kept);
  gruI_numbers_free(graph->numbers);
  gruI_memory_release(graph->memory);
  gruI_object_free(rt, graph, sizeof *graph);
}

void gru_graph_free(gru_graph *graph) {
  if (!graph) return;
  if (graph->rt->capture) { /* the device cannot be waited for now */
    graph->next = graph->rt->doomed;
    graph->rt->doomed = graph;
    return;
  }
  destroy(graph);
}

/* A capture is over: frees what could not be freed before. */
static void end_watch(gru_runtime *rt) {
  rt->capture = NULL;
  rt->watched = NULL;
  for (gru_graph *graph; (graph = rt->doomed);) {
    rt->doomed = graph->next;
    destroy(graph);
  }
}

gru_status gru_graph_begin(gru_runtime *rt, const char *name) {
  gruI_place *place;
  GRUI_TRY(gruI_place_find(rt, name, &place));
  gruI_device *device = &place->device;
  if (!device->backend->capture_begin)
    return gruI_fail(rt, GRU_ERROR_DEVICE, "graph: device '%s' has no graphs", device->name);
  if (device->uncached)
    return gruI_fail(rt, GRU_ERROR_DEVICE, "graph: GRU_MEMORY_CACHE=0 keeps no memory for graphs");
  if (rt->watched)
    return gruI_fail(rt, GRU_ERROR_ARGUMENT, "graph: another step is captured, or rehearsed");
  gru_graph *graph = gruI_object_new(rt, sizeof *graph);
  if (!graph) return gruI_fail(rt, GRU_ERROR_MEMORY, "graph: out of memory");
  graph->rt = rt;
  graph->place = place;
  graph->mark = ++rt->graphs;
  graph->seed = rt->rng.seed;
  graph->first = rt->rng.counter;
  graph->moves = rt->moves;
  graph->precision = rt->precision;
  graph->memory = new_memory(rt, place);
  graph->numbers = graph->memory ? gruI_numbers_new(graph->memory) : NULL;
  gru_status status = GRU_OK;
  if (!graph->numbers)
    status = gruI_fail(rt, GRU_ERROR_MEMORY, "graph: out of memory");
  else
    status = gruI_kernel_failed(rt, "graph", device, device->backend->capture_begin(device));
  if (status != GRU_OK) {
    destroy(graph);
    return status;
  }
  rt->capture = graph;
  rt->watched = place;
  return GRU_OK;
}

/* Ends the capture in the backend, and puts the host where it was before. */
static gru_status end_capture(gru_graph *graph) {
  gruI_device *device = &graph->place->device;
  gru_runtime *rt = graph->rt;
  gru_status status = gruI_kernel_failed(
      rt, "graph", device, device->backend->capture_end(device, &graph->exec, &graph->nodes));
  graph->drawn = rt->rng.counter - graph->first;
  rt->rng.counter = graph->first;
  if (status == GRU_OK && graph->out_of_memory)
    status = gruI_fail(rt, GRU_ERROR_MEMORY, "graph: out of memory");
  return status;
}

/* Nothing of what was captured will ever run. */
static void drop(gru_graph *graph) {
  gru_runtime *rt = graph->rt;
  for (int64_t i = 0; i < graph->gradient_count; i++)
    set_grad(graph->gradients[i].leaf, graph->gradients[i].before);
  graph->memory->failed = true;
  end_watch(rt);
  destroy(graph);
}

void gru_graph_cancel(gru_runtime *rt) {
  char message[sizeof rt->error];
  if (!rt->capture) return;
  snprintf(message, sizeof message, "%s", rt->error);
  end_capture(rt->capture);
  drop(rt->capture);
  snprintf(rt->error, sizeof rt->error, "%s", message); /* of what went wrong before */
}

gru_status gru_graph_end(gru_runtime *rt, gru_graph **out) {
  gru_graph *graph = rt->capture;
  if (!graph) return gruI_fail(rt, GRU_ERROR_ARGUMENT, "graph: nothing is being captured");
  gru_status status = end_capture(graph);
  if (status != GRU_OK) {
    drop(graph);
    return status;
  }
  for (int64_t i = 0; i < graph->gradient_count; i++) {
    gradient *g = &graph->gradients[i];
    g->after = g->leaf->grad ? gru_tensor_retain(g->leaf->grad) : NULL;
    g->wanted = g->leaf->leaf_grad;
    set_grad(g->leaf, g->before); /* up to the first run */
    if (g->read) continue;
    gru_tensor_release(g->before);
    g->before = NULL;
  }
  for (int64_t i = 0; i < graph->kept_count; i++)
    graph->kept[i].written = graph->kept[i].storage->version != graph->kept[i].version;
  end_watch(rt);
  *out = graph;
  return GRU_OK;
}

/* ---- running ---------------------------------------------------------------------------------- */

gru_graph_state gru_graph_look(const gru_graph *graph) {
  const gru_runtime *rt = graph->rt;
  if (graph->moves != rt->moves || graph->precision != rt->precision) return GRU_GRAPH_STALE;
  if (graph->drawn > 0 && (rt->rng.kind != GRU_PHILOX || rt->rng.seed != graph->seed))
    return GRU_GRAPH_STALE;
  for (int64_t i = 0; i < graph->gradient_count; i++) {
    const gradient *g = &graph->gradients[i];
    if (g->leaf->leaf_grad != g->wanted) return GRU_GRAPH_OTHER;
    if (g->read && !g->before != !g->leaf->grad) return GRU_GRAPH_OTHER;
  }
  return GRU_GRAPH_READY;
}

/* Gradients that were there before the capture, and are read, stand where they stood then. */
static gru_status bring_gradients(gru_graph *graph) {
  for (int64_t i = 0; i < graph->gradient_count; i++) {
    gradient *g = &graph->gradients[i];
    gru_tensor *now = g->leaf->grad;
    if (!g->read || !g->before || now->storage == g->before->storage) continue;
    GRUI_TRY(gruI_copy_over(g->before, now, "graph"));
    g->before->storage->version++;
  }
  return GRU_OK;
}

gru_status gru_graph_run(gru_graph *graph) {
  gru_runtime *rt = graph->rt;
  gruI_device *device = &graph->place->device;
  if (rt->watched)
    return gruI_fail(rt, GRU_ERROR_DEVICE, "graph: a graph cannot be run while one is captured");
  if (gru_graph_look(graph) != GRU_GRAPH_READY)
    return gruI_fail(
        rt, GRU_ERROR_DEVICE,
        "graph: since the capture the generator was seeded, the precision set, tensors "
        "were moved or frozen, or gradients came or went; capture it again");
  GRUI_TRY(bring_gradients(graph));
  if (graph->drawn > 0 || graph->steps > 0)
    GRUI_TRY(gruI_numbers_write(graph->numbers, rt->rng.counter));
  GRUI_TRY(
      gruI_kernel_failed(rt, "graph", device, device->backend->graph_run(device, graph->exec)));
  rt->rng.counter += graph->drawn;
  for (int64_t i = 0; i < graph->gradient_count; i++)
    set_grad(graph->gradients[i].leaf, graph->gradients[i].after);
  for (int64_t i = 0; i < graph->kept_count; i++)
    if (graph->kept[i].written) graph->kept[i].storage->version++;
  return GRU_OK;
}

int64_t gru_graph_nodes(const gru_graph *graph) { return graph->nodes; }

/* ---- numbers ------------------------------------------------------------------------------------ */

int64_t gru_graph_steps(const gru_runtime *rt) { return rt->capture ? rt->capture->steps : 0; }

int64_t gruI_graph_next_step(gru_runtime *rt) { return rt->capture ? rt->capture->steps++ : 0; }

gru_status gruI_graph_sgd(gru_graph *graph, int64_t number, gruI_sgd *call) {
  return gruI_numbers_sgd(graph->numbers, number, call);
}

gru_status gruI_graph_adam(gru_graph *graph, int64_t number, gruI_adam *call) {
  return gruI_numbers_adam(graph->numbers, number, call);
}

void gruI_graph_draw(gru_graph *graph, gruI_random *call) {
  call->counter -= graph->first;
  call->counter_at = gruI_numbers_counter(graph->numbers);
}

static gru_status set(gru_graph *graph, int64_t number, const gru_sgd_options *sgd,
                      const gru_adam_options *adam, int64_t n, const int64_t *steps) {
  if (gruI_numbers_set(graph->numbers, number, sgd, adam, n, steps)) return GRU_OK;
  return gruI_fail(graph->rt, GRU_ERROR_ARGUMENT, "graph: step %lld is no such step of %lld items",
                   (long long)number + 1, (long long)n);
}

gru_status gru_graph_set_sgd(gru_graph *graph, int64_t number, int64_t n, const int64_t *steps,
                             const gru_sgd_options *options) {
  return set(graph, number, options, NULL, n, steps);
}

gru_status gru_graph_set_adam(gru_graph *graph, int64_t number, int64_t n, const int64_t *steps,
                              const gru_adam_options *options) {
  return set(graph, number, NULL, options, n, steps);
}

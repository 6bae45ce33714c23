/* graph.h - what the core does while calls are captured into a graph.
**
** Captured kernels run again with the addresses they were given.  So
**   - tensors made during a capture take their memory from a cache of the graph's own, whose blocks
**     serve nobody else as long as the graph or one of those tensors lives;
**   - the storages that were there before and that captured calls reach are kept;
**   - what changes from run to run (the place in the generator's stream, numbers of optimisers) stands
**     in device memory, and is written there before each run;
**   - .grad of the leaves is after every run what it was after the capture.
** What cannot be done again without the host is refused: a status while capturing, a note while
** rehearsing.
*/
#ifndef GRUI_GRAPH_H
#define GRUI_GRAPH_H

#include "core/tensor.h"

/* The memory of a graph: counted, one for the graph and one for each storage in it. */
typedef struct gruI_memory {
  gru_runtime *rt;
  gruI_cache cache;
  int64_t refs;
  bool failed; /* what was to be computed in it never will be */
} gruI_memory;

void gruI_memory_release(gruI_memory *memory); /* NULL is allowed */

/* The memory that a new storage on `place` is to come from, a new reference; NULL: the place's own. */
gruI_memory *gruI_graph_memory(gru_runtime *rt, const gruI_place *place);

/* `t`, a leaf, is about to have its .grad read, or overwritten. */
void gruI_graph_note_grad(gru_tensor *t, bool reads);
static inline void gruI_graph_sees_grad(gru_tensor *t, bool reads) {
  if (t->rt->capture && !t->node) gruI_graph_note_grad(t, reads);
}

/* Refuses what cannot be captured: GRU_OK where nothing is watched, or `place` (NULL: all of them)
** is not, and while rehearsing. */
gru_status gruI_graph_refuse(gru_runtime *rt, const gruI_place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define GRUI_GRAPH_REFUSE(rt, place, ...) \
  do { \
    if ((rt)->watched) GRUI_TRY(gruI_graph_refuse((rt), (place), __VA_ARGS__)); \
  } while (0)

/* Refuses work on another place than the one that is watched: it would not be done again. */
gru_status gruI_graph_elsewhere(gru_runtime *rt, const gruI_place *place, const char *op);
#define GRUI_GRAPH_HERE(rt, place, op) \
  do { \
    if ((rt)->watched && (rt)->watched != (place)) \
      GRUI_TRY(gruI_graph_elsewhere((rt), (place), (op))); \
  } while (0)

/* Fails for a tensor whose elements were never computed, since its capture failed. */
gru_status gruI_graph_is_void(const gru_tensor *t, const char *op);
#define GRUI_GRAPH_NOT_VOID(t, op) \
  do { \
    if ((t)->storage->memory && (t)->storage->memory->failed) \
      return gruI_graph_is_void((t), (op)); \
  } while (0)

/* Of a captured call of gru_sgd_step or gru_adam_step: its number, and what its kernels are given. */
int64_t gruI_graph_next_step(gru_runtime *rt);
gru_status gruI_graph_sgd(gru_graph *graph, int64_t number, gruI_sgd *call);
gru_status gruI_graph_adam(gru_graph *graph, int64_t number, gruI_adam *call);
/* Of a captured call of the kernel `random`. */
void gruI_graph_draw(gru_graph *graph, gruI_random *call);

/* ---- numbers that change from run to run (graph_numbers.c) --------------------------------------- */

typedef struct gruI_numbers gruI_numbers;

/* NULL without memory.  The numbers live in device memory of `memory`. */
gruI_numbers *gruI_numbers_new(gruI_memory *memory);
void gruI_numbers_free(gruI_numbers *numbers); /* NULL is allowed */

/* Where the generator's counter stands, in device memory. */
const uint64_t *gruI_numbers_counter(const gruI_numbers *numbers);

/* Puts addresses into a captured call of a kernel: `number` says which call of gru_sgd_step or
** gru_adam_step it belongs to, from 0 on. */
gru_status gruI_numbers_sgd(gruI_numbers *numbers, int64_t number, gruI_sgd *call);
gru_status gruI_numbers_adam(gruI_numbers *numbers, int64_t number, gruI_adam *call);

/* Sets options, one of the two, and steps[i] of item i. False where `number` is no such call, or has not `n` items. */
bool gruI_numbers_set(gruI_numbers *numbers, int64_t number, const gru_sgd_options *sgd,
                      const gru_adam_options *adam, int64_t n, const int64_t *steps);

/* Writes them to the device, `counter` among them; steps move on by one for the next time. */
gru_status gruI_numbers_write(gruI_numbers *numbers, uint64_t counter);

#endif

/* graph_numbers.c - numbers of a graph that change from run to run, in device memory.
**
** They stand in blocks, each with a copy on the host: one small upload a block, before each run.  The
** first eight bytes of the first block are the generator's counter.
*/
#include <stdlib.h>
#include <string.h>

#include "core/graph.h"
#include "core/pace.h"

enum { BLOCK = 16 << 10, GRAIN = 16 };

typedef struct block {
  struct block *next;
  char *device, *host;
  size_t size, used;
} block;

/* One call of the kernel sgd or adam. */
typedef struct record {
  struct record *next;
  int64_t number, n;    /* of parts */
  gru_sgd_options *sgd; /* on the host, in a block; one of the two */
  gru_adam_options *adam;
  int64_t *steps_out;        /* likewise: SGD */
  gruI_adam_pace *paces_out; /* Adam */
  int64_t *steps, *items;    /* of the parts; from malloc, one block */
} record;

struct gruI_numbers {
  gruI_memory *memory; /* borrowed */
  block *blocks;       /* the one with the counter is the last */
  const uint64_t *counter;
  uint64_t *counter_host;
  record *records;
};

static block *new_block(gruI_numbers *numbers, size_t bytes) {
  block *b = calloc(1, sizeof *b);
  if (!b) return NULL;
  b->size = bytes > BLOCK ? bytes : (size_t)BLOCK;
  b->host = calloc(1, b->size);
  b->device = gruI_cache_alloc(&numbers->memory->cache, b->size);
  if (!b->host || !b->device) {
    if (b->device) gruI_cache_free(&numbers->memory->cache, b->device, b->size);
    free(b->host);
    free(b);
    return NULL;
  }
  b->next = numbers->blocks;
  numbers->blocks = b;
  return b;
}

/* Room for `bytes`: its address on the host, and in *at that on the device; NULL without memory. */
static void *take(gruI_numbers *numbers, size_t bytes, const void **at) {
  block *b = numbers->blocks;
  bytes = (bytes + GRAIN - 1) / GRAIN * GRAIN;
  if ((!b || b->used + bytes > b->size) && !(b = new_block(numbers, bytes))) return NULL;
  size_t used = b->used;
  b->used += bytes;
  *at = b->device + used;
  return b->host + used;
}

gruI_numbers *gruI_numbers_new(gruI_memory *memory) {
  gruI_numbers *numbers = calloc(1, sizeof *numbers);
  const void *at;
  if (!numbers) return NULL;
  numbers->memory = memory;
  numbers->counter_host = take(numbers, sizeof *numbers->counter_host, &at);
  if (!numbers->counter_host) {
    free(numbers);
    return NULL;
  }
  numbers->counter = at;
  return numbers;
}

void gruI_numbers_free(gruI_numbers *numbers) {
  if (!numbers) return;
  for (block *b = numbers->blocks, *next; b; b = next) {
    next = b->next;
    gruI_cache_free(&numbers->memory->cache, b->device, b->size);
    free(b->host);
    free(b);
  }
  for (record *r = numbers->records, *next; r; r = next) {
    next = r->next;
    free(r->steps);
    free(r);
  }
  free(numbers);
}

const uint64_t *gruI_numbers_counter(const gruI_numbers *numbers) { return numbers->counter; }

static record *new_record(gruI_numbers *numbers, int64_t number, const gruI_list *list) {
  record *r = calloc(1, sizeof *r);
  size_t n = (size_t)list->n;
  if (!r || !(r->steps = malloc((2 * n + 1) * sizeof *r->steps))) {
    free(r);
    return NULL;
  }
  r->items = r->steps + n;
  r->number = number;
  r->n = list->n;
  for (size_t i = 0; i < n; i++) {
    r->steps[i] = list->parts[i].step;
    r->items[i] = list->parts[i].item;
  }
  r->next = numbers->records;
  numbers->records = r;
  return r;
}

static gru_status no_memory(gruI_numbers *numbers) {
  return gruI_fail(numbers->memory->rt, GRU_ERROR_MEMORY, "graph: out of memory for its numbers");
}

gru_status gruI_numbers_sgd(gruI_numbers *numbers, int64_t number, gruI_sgd *call) {
  const void *options_at = NULL, *steps_at = NULL;
  record *r = new_record(numbers, number, &call->list);
  if (!r || !(r->sgd = take(numbers, sizeof *r->sgd, &options_at)) ||
      !(r->steps_out = take(numbers, (size_t)r->n * sizeof *r->steps_out, &steps_at)))
    return no_memory(numbers);
  *r->sgd = call->options;
  call->options_at = options_at;
  call->steps_at = steps_at;
  return GRU_OK;
}

gru_status gruI_numbers_adam(gruI_numbers *numbers, int64_t number, gruI_adam *call) {
  const void *options_at = NULL, *paces_at = NULL;
  record *r = new_record(numbers, number, &call->list);
  if (!r || !(r->adam = take(numbers, sizeof *r->adam, &options_at)) ||
      !(r->paces_out = take(numbers, (size_t)r->n * sizeof *r->paces_out, &paces_at)))
    return no_memory(numbers);
  *r->adam = call->options;
  call->options_at = options_at;
  call->paces_at = paces_at;
  return GRU_OK;
}

bool gruI_numbers_set(gruI_numbers *numbers, int64_t number, const gru_sgd_options *sgd,
                      const gru_adam_options *adam, int64_t n, const int64_t *steps) {
  bool found = false;
  for (record *r = numbers->records; r; r = r->next) {
    if (r->number != number) continue;
    if ((r->sgd != NULL) != (sgd != NULL)) return false;
    for (int64_t i = 0; i < r->n; i++) {
      if (r->items[i] >= n) return false;
      r->steps[i] = steps[r->items[i]];
    }
    if (sgd)
      *r->sgd = *sgd;
    else
      *r->adam = *adam;
    found = true;
  }
  return found;
}

static void write_out(record *r) {
  for (int64_t i = 0; i < r->n; i++) {
    if (r->steps_out)
      r->steps_out[i] = r->steps[i];
    else
      r->paces_out[i] = i > 0 && r->steps[i] == r->steps[i - 1]
                            ? r->paces_out[i - 1]
                            : gruI_adam_pace_of(r->adam, r->steps[i]);
  }
  for (int64_t i = 0; i < r->n; i++) r->steps[i]++;
}

gru_status gruI_numbers_write(gruI_numbers *numbers, uint64_t counter) {
  gruI_device *device = numbers->memory->cache.device;
  *numbers->counter_host = counter;
  for (record *r = numbers->records; r; r = r->next) write_out(r);
  for (block *b = numbers->blocks; b; b = b->next) {
    gru_status status = device->backend->upload(device, b->device, b->host, b->used);
    if (status != GRU_OK) return gruI_kernel_failed(numbers->memory->rt, "graph", device, status);
  }
  return GRU_OK;
}

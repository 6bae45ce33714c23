/* slab.c - free lists of small blocks. */
#include "core/slab.h"

#include <stdlib.h>
#include <string.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* as GCC says it */
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
static const size_t lists = 0;
#else
static const size_t lists = GRUI_SLAB_CLASSES;
#endif
enum { CHUNK_BYTES = 64 * 1024 };

static size_t class_of(const gruI_slab *slab, size_t bytes) {
  return (bytes - 1) >> slab->log_step;
}

void gruI_slab_init(gruI_slab *slab, int log_step) {
  memset(slab, 0, sizeof *slab);
  slab->log_step = log_step;
}

bool gruI_slab_is_large(const gruI_slab *slab, size_t bytes) {
  return class_of(slab, bytes) >= lists;
}

bool gruI_slab_same_list(const gruI_slab *slab, size_t bytes, size_t others) {
  return class_of(slab, bytes) == class_of(slab, others) && !gruI_slab_is_large(slab, bytes);
}

/* Cuts a block of `size` bytes from the newest chunk, or from a new one. */
static void *cut(gruI_slab *slab, size_t size) {
  if (slab->fresh_bytes < size) {
    size_t header = (size_t)1 << slab->log_step;
    char *chunk = aligned_alloc(header, CHUNK_BYTES);
    if (!chunk) return NULL;
    *(void **)(void *)chunk = slab->chunks;
    slab->chunks = chunk;
    slab->fresh = chunk + header;
    slab->fresh_bytes = CHUNK_BYTES - header;
  }
  void *block = slab->fresh;
  slab->fresh += size;
  slab->fresh_bytes -= size;
  return block;
}

void *gruI_slab_alloc(gruI_slab *slab, size_t bytes) {
  size_t class = class_of(slab, bytes);
  if (class >= lists) return malloc(bytes);
  void *block = slab->free[class];
  if (!block) return cut(slab, (class + 1) << slab->log_step);
  slab->free[class] = *(void **)block;
  __builtin_prefetch(slab->free[class], 1); /* the next one, whose link will be read */
  return block;
}

void gruI_slab_free(gruI_slab *slab, void *block, size_t bytes) {
  if (!block) return;
  size_t class = class_of(slab, bytes);
  if (class >= lists) {
    free(block);
    return;
  }
  *(void **)block = slab->free[class];
  slab->free[class] = block;
}

void gruI_slab_destroy(gruI_slab *slab) {
  for (void *chunk = slab->chunks, *next; chunk; chunk = next) {
    next = *(void **)chunk;
    free(chunk);
  }
  gruI_slab_init(slab, slab->log_step);
}

/* slab.c - free lists of small objects. */
#include "core/slab.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define SLAB_PASS_THROUGH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_PASS_THROUGH 1
#endif
#endif

#ifdef SLAB_PASS_THROUGH

void *gruI_slab_alloc(gruI_slab *slab, size_t bytes) {
  (void)slab;
  return calloc(1, bytes);
}

void gruI_slab_free(gruI_slab *slab, void *object, size_t bytes) {
  (void)slab, (void)bytes;
  free(object);
}

void gruI_slab_destroy(gruI_slab *slab) { (void)slab; }

#else

enum { CHUNK_BYTES = 64 * 1024, CHUNK_HEADER = GRUI_SLAB_STEP };

static size_t class_of(size_t bytes) { return (bytes - 1) / GRUI_SLAB_STEP; }

/* Cuts an object of `size` bytes from the newest chunk, or from a new one. */
static void *cut(gruI_slab *slab, size_t size) {
  if (slab->fresh_bytes < size) {
    char *chunk = aligned_alloc(GRUI_SLAB_STEP, CHUNK_BYTES);
    if (!chunk) return NULL;
    *(void **)(void *)chunk = slab->chunks;
    slab->chunks = chunk;
    slab->fresh = chunk + CHUNK_HEADER;
    slab->fresh_bytes = CHUNK_BYTES - CHUNK_HEADER;
  }
  void *object = slab->fresh;
  slab->fresh += size;
  slab->fresh_bytes -= size;
  return object;
}

void *gruI_slab_alloc(gruI_slab *slab, size_t bytes) {
  size_t class = class_of(bytes);
  if (class >= GRUI_SLAB_CLASSES) return calloc(1, bytes);
  void *object = slab->free[class];
  if (object)
    slab->free[class] = *(void **)object;
  else if (!(object = cut(slab, (class + 1) * GRUI_SLAB_STEP)))
    return NULL;
  return memset(object, 0, bytes);
}

void gruI_slab_free(gruI_slab *slab, void *object, size_t bytes) {
  if (!object) return;
  size_t class = class_of(bytes);
  if (class >= GRUI_SLAB_CLASSES) {
    free(object);
    return;
  }
  *(void **)object = slab->free[class];
  slab->free[class] = object;
}

void gruI_slab_destroy(gruI_slab *slab) {
  for (void *chunk = slab->chunks, *next; chunk; chunk = next) {
    next = *(void **)chunk;
    free(chunk);
  }
  memset(slab, 0, sizeof *slab);
}

#endif

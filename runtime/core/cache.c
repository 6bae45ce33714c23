/* cache.c - size classes, lists of waiting blocks, accounting. */
#include "core/cache.h"

#include <stdlib.h>

enum { SMALL_STEP = 64, SMALL_MAX = 1024, CACHED_MIN = 64 << 20 };

/* Small sizes: class = multiple of 64.  Above 1 KiB: the power of two below, and the
** three bits after the leading one. */
static int class_of(size_t bytes, size_t *rounded) {
  if (bytes <= SMALL_MAX) {
    size_t steps = (bytes + SMALL_STEP - 1) / SMALL_STEP;
    *rounded = steps * SMALL_STEP;
    return (int)steps - 1;
  }
  int log = 63 - __builtin_clzll((unsigned long long)(bytes - 1)); /* 2^log < bytes */
  size_t step = (size_t)1 << (log - 3);
  size_t eighth = (bytes - ((size_t)1 << log) + step - 1) / step; /* 1 .. 8 */
  *rounded = ((size_t)1 << log) + eighth * step;
  return 16 + (log - 10) * 8 + (int)eighth - 1;
}

size_t gruI_cache_round(size_t bytes) {
  size_t rounded;
  class_of(bytes, &rounded);
  return rounded;
}

void *gruI_cache_alloc(gruI_cache *cache, size_t bytes) {
  if (bytes > cache->limit || cache->live > cache->limit - bytes || bytes > SIZE_MAX / 4)
    return NULL;
  size_t rounded;
  gruI_cache_list *list = &cache->lists[class_of(bytes, &rounded)];
  void *block;
  if (list->count > 0) {
    block = list->blocks[--list->count];
    cache->cached -= rounded;
  } else {
    const gruI_backend *backend = cache->device->backend;
    if (!(block = backend->alloc(cache->device, rounded))) {
      gruI_cache_empty(cache);
      if (!(block = backend->alloc(cache->device, rounded))) return NULL;
    }
    cache->reserved += rounded;
  }
  cache->live += bytes;
  cache->taken += bytes;
  if (cache->live > cache->peak) cache->peak = cache->live;
  return block;
}

/* Room for one more block in the list; 0 when there is no memory for it. */
static int grow(gruI_cache_list *list) {
  if (list->count < list->capacity) return 1;
  int32_t capacity = list->capacity ? list->capacity * 2 : 8;
  void **blocks = realloc(list->blocks, (size_t)capacity * sizeof *blocks);
  if (!blocks) return 0;
  list->blocks = blocks;
  list->capacity = capacity;
  return 1;
}

void gruI_cache_free(gruI_cache *cache, void *block, size_t bytes) {
  size_t rounded;
  gruI_cache_list *list = &cache->lists[class_of(bytes, &rounded)];
  cache->live -= bytes;
  /* Keep as much as lives now, and 64 MB at least; a program whose sizes change gives
  ** the old ones back. */
  size_t in_use = cache->reserved - cache->cached;
  size_t keep = in_use > CACHED_MIN ? in_use : (size_t)CACHED_MIN;
  if (cache->cached + rounded <= keep && grow(list)) {
    list->blocks[list->count++] = block;
    cache->cached += rounded;
  } else {
    cache->device->backend->free(cache->device, block, rounded);
    cache->reserved -= rounded;
  }
}

/* The size of the blocks in list `class`: the inverse of class_of. */
static size_t size_of(int class) {
  if (class < 16) return (size_t)(class + 1) * SMALL_STEP;
  int log = (class - 16) / 8 + 10;
  return ((size_t)1 << log) + (size_t)((class - 16) % 8 + 1) * ((size_t)1 << (log - 3));
}

void gruI_cache_empty(gruI_cache *cache) {
  for (int class = 0; class < GRUI_CACHE_CLASSES; class ++) {
    gruI_cache_list *list = &cache->lists[class];
    size_t size = size_of(class);
    while (list->count > 0) {
      cache->device->backend->free(cache->device, list->blocks[--list->count], size);
      cache->cached -= size;
      cache->reserved -= size;
    }
  }
}

void gruI_cache_destroy(gruI_cache *cache) {
  gruI_cache_empty(cache);
  for (int class = 0; class < GRUI_CACHE_CLASSES; class ++) free(cache->lists[class].blocks);
}

/* cache.c - size classes, lists of waiting blocks, accounting. */
#include "core/cache.h"

#include <stdlib.h>

enum {
  SMALL_STEP = 64,
  SMALL_MAX = 1024,
  CACHED_MIN = 64 << 20,
  TURNOVER = 3 /* times what may wait is asked for between two sweeps for room */
};
static const size_t LARGEST = (size_t)1 << 50;

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

/* The size of the blocks in list `class`: the inverse of class_of. */
static size_t size_of(int class) {
  if (class < 16) return (size_t)(class + 1) * SMALL_STEP;
  int log = (class - 16) / 8 + 10;
  return ((size_t)1 << log) + (size_t)((class - 16) % 8 + 1) * ((size_t)1 << (log - 3));
}

/* Gives the block on top of list `class` back to the device. */
static void give_back(gruI_cache *cache, int class) {
  gruI_cache_list *list = &cache->lists[class];
  size_t size = size_of(class);
  cache->device->backend->free(cache->device, list->blocks[--list->count], size);
  if (list->idle > list->count) list->idle = list->count;
  cache->cached -= size;
  cache->reserved -= size;
  if (cache->whole) cache->whole->reserved -= size;
}

/* Gives waiting blocks back, large ones first, until no more than `most` bytes are reserved. */
static void shrink(gruI_cache *cache, size_t most) {
  for (int i = GRUI_CACHE_CLASSES - 1; i >= 0 && cache->cached > 0; i--)
    while (cache->lists[i].count > 0 && cache->reserved > most) give_back(cache, i);
}

/* Gives back what no list has needed since the last sweep. */
static void sweep(gruI_cache *cache) {
  for (int i = 0; i < GRUI_CACHE_CLASSES; i++) {
    gruI_cache_list *list = &cache->lists[i];
    for (int32_t n = list->idle; n > 0; n--) give_back(cache, i);
    list->idle = list->count;
  }
  cache->last_high = cache->high;
  cache->high = cache->reserved - cache->cached;
  cache->frees = 0;
  cache->swept = cache->taken;
}

/* A block from the device, after what waits where there is no room beside it. */
static void *take_new(gruI_cache *cache, size_t rounded) {
  const gruI_backend *backend = cache->device->backend;
  cache->device->fault.text[0] = '\0';
  if (cache->cached > 0 && cache->reserved + rounded > cache->limit)
    shrink(cache, cache->limit > rounded ? cache->limit - rounded : 0);
  void *block = backend->alloc(cache->device, rounded);
  if (!block && (cache->cached > 0 || backend->trim)) {
    gruI_cache_empty(cache);
    block = backend->alloc(cache->device, rounded);
  }
  if (block) cache->reserved += rounded;
  return block;
}

/* Room for `count` + 1 blocks in the list; 0 when there is no memory for it. */
static int grow(gruI_cache_list *list, int32_t count) {
  if (count < list->capacity) return 1;
  int32_t capacity = list->capacity ? list->capacity * 2 : 8;
  void **blocks = realloc(list->blocks, (size_t)capacity * sizeof *blocks);
  if (!blocks) return 0;
  list->blocks = blocks;
  list->capacity = capacity;
  return 1;
}

/* A new block of a part, with room in the list for the day when it waits. */
static void *take_part(gruI_cache *part, gruI_cache_list *list, size_t rounded) {
  void *block = grow(list, list->idle) ? take_new(part->whole, rounded) : NULL;
  if (!block) return NULL;
  list->idle++;
  part->reserved += rounded;
  return block;
}

void *gruI_cache_alloc(gruI_cache *cache, size_t bytes) {
  gruI_cache *whole = cache->whole ? cache->whole : cache;
  if (bytes > whole->limit || whole->live > whole->limit - bytes || bytes > LARGEST) {
    whole->device->fault.text[0] = '\0';
    return NULL;
  }
  size_t rounded;
  gruI_cache_list *list = &cache->lists[class_of(bytes, &rounded)];
  void *block;
  if (whole->device->uncached) {
    if (!(block = take_new(whole, bytes))) return NULL;
  } else if (list->count > 0) {
    block = list->blocks[--list->count];
    if (whole == cache && list->idle > list->count) list->idle = list->count;
    cache->cached -= rounded;
  } else if (!(block =
                   whole == cache ? take_new(cache, rounded) : take_part(cache, list, rounded))) {
    return NULL;
  }
  whole->live += bytes;
  whole->taken += bytes;
  if (whole->live > whole->peak) whole->peak = whole->live;
  if (whole->reserved - whole->cached > whole->high) whole->high = whole->reserved - whole->cached;
  return block;
}

/* The most that may wait. */
static size_t most_waiting(const gruI_cache *cache) {
  size_t most = cache->high > cache->last_high ? cache->high : cache->last_high;
  return most > CACHED_MIN ? most : (size_t)CACHED_MIN;
}

void gruI_cache_free(gruI_cache *cache, void *block, size_t bytes) {
  if (cache->device->uncached) {
    cache->live -= bytes;
    cache->reserved -= bytes;
    cache->device->backend->free(cache->device, block, bytes);
    return;
  }
  size_t rounded, keep = most_waiting(cache);
  gruI_cache_list *list = &cache->lists[class_of(bytes, &rounded)];
  if (cache->whole) {
    cache->whole->live -= bytes;
    list->blocks[list->count++] = block; /* take_part has made the room */
    cache->cached += rounded;
    return;
  }
  cache->live -= bytes;
  if (cache->cached + rounded > keep && cache->taken - cache->swept > TURNOVER * keep) sweep(cache);
  if (cache->cached + rounded <= keep && cache->reserved <= cache->limit &&
      grow(list, list->count)) {
    list->blocks[list->count++] = block;
    cache->cached += rounded;
  } else {
    cache->device->backend->free(cache->device, block, rounded);
    cache->reserved -= rounded;
  }
  if (++cache->frees == GRUI_CACHE_SWEEP) sweep(cache);
}

void gruI_cache_empty(gruI_cache *cache) {
  const gruI_backend *backend = cache->device->backend;
  shrink(cache, 0);
  if (backend->trim) backend->trim(cache->device);
}

void gruI_cache_destroy(gruI_cache *cache) {
  shrink(cache, 0);
  for (int i = 0; i < GRUI_CACHE_CLASSES; i++) free(cache->lists[i].blocks);
}

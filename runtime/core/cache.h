/* cache.h - the caching allocator of one device: tensor memory in size classes.
**
** A block given back waits in the list of its class for the next tensor of that size;
** the system is asked only when the list is empty.  The lists never read or write the
** blocks, so the same code serves device memory.
**
** What waits is bounded.  It is no more than was in use at once lately, or 64 MB; with what is in use
** it does not pass the limit; and now and then, sooner where there is no room for more, every list gives
** back the blocks that it has not needed since the last time.  So a step that is repeated asks the
** system for nothing, and a spike, or a step of other sizes, is forgotten.
*/
#ifndef GRUI_CACHE_H
#define GRUI_CACHE_H

#include "core/device.h"

enum {
  GRUI_CACHE_CLASSES = 16 + 8 * 40, /* the last one is for 2^50 bytes */
  GRUI_CACHE_SWEEP = 1 << 16        /* blocks given back between two sweeps of the lists */
};

typedef struct gruI_cache_list {
  void **blocks;
  int32_t count, capacity;
  int32_t idle; /* blocks that have waited since the last sweep: the least that count has been; of a
                ** part: all of its blocks, waiting or not */
} gruI_cache_list;

typedef struct gruI_cache gruI_cache;
struct gruI_cache {
  gruI_device *device;
  gruI_cache *whole; /* the cache that this one is part of, or NULL */
  gruI_cache_list lists[GRUI_CACHE_CLASSES];
  size_t live, peak; /* bytes asked for */
  size_t reserved;   /* bytes taken from the device */
  size_t cached;     /* of those, waiting in lists */
  size_t high;       /* the most that was in use (reserved, not waiting) since the last sweep ... */
  size_t last_high;  /* ... and between the two before */
  size_t limit;      /* of live */
  int32_t frees;     /* since the last sweep */
  uint64_t taken;    /* bytes asked for, ever */
  uint64_t swept;    /* of those, before the last sweep */
};

/* The size of the class that `bytes` falls into: a multiple of 64 up to 1 KiB, then
** eight sizes between powers of two (at most 12.5 % more than asked for). */
size_t gruI_cache_round(size_t bytes);

/* A block of at least `bytes` (> 0), of just so many where the device is `uncached`, or NULL when the limit or the device's memory is reached.  Where
** it is the device that failed, its fault.text says so; it is empty otherwise. */
void *gruI_cache_alloc(gruI_cache *cache, size_t bytes);
void gruI_cache_free(gruI_cache *cache, void *block, size_t bytes);
/* Gives waiting blocks back to the device, and has it give the system what it can do without. */
void gruI_cache_empty(gruI_cache *cache);
/* Gives waiting blocks back, and the lists themselves. */
void gruI_cache_destroy(gruI_cache *cache);

#endif

/* cache_test.c - the caching allocator over a device that counts: size classes, figures, limits, what
** is kept and what is given back.
*/
#include "core/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define MB ((size_t)1 << 20)

/* ---- a device without memory: blocks are numbers ------------------------------------- */

static size_t given, room; /* bytes that it has given out, and may */
static int64_t calls;      /* of its alloc */

static void *count_alloc(gruI_device *device, size_t bytes) {
  (void)device;
  calls++;
  if (given + bytes > room) return NULL;
  given += bytes;
  return (void *)(uintptr_t)(calls * 64);
}

static void count_free(gruI_device *device, void *block, size_t bytes) {
  (void)device, (void)block;
  given -= bytes;
}

static const gruI_backend backend = {.alloc = count_alloc, .free = count_free};
static gruI_device device = {.backend = &backend};

static gruI_cache new_cache(size_t limit) {
  given = 0;
  calls = 0;
  room = SIZE_MAX / 2;
  return (gruI_cache){.device = &device, .limit = limit};
}

static void right(const gruI_cache *cache) {
  CHECK(cache->reserved == given);
  CHECK(cache->cached <= cache->reserved && cache->live <= cache->reserved - cache->cached);
  CHECK(cache->live <= cache->peak && cache->live <= cache->limit);
}

/* ---- tests ----------------------------------------------------------------------------- */

static void classes(void) {
  for (size_t bytes = 1; bytes < 40 * MB; bytes += bytes / 97 + 1) {
    size_t rounded = gruI_cache_round(bytes);
    CHECK(rounded >= bytes && rounded % 64 == 0 && gruI_cache_round(rounded) == rounded);
    CHECK(rounded - bytes < 64 || rounded - bytes <= bytes / 8);
  }
  gruI_cache cache = new_cache(SIZE_MAX);
  void *largest = gruI_cache_alloc(&cache, (size_t)1 << 50);
  CHECK(largest != NULL);
  gruI_cache_free(&cache, largest, (size_t)1 << 50);
  CHECK(gruI_cache_alloc(&cache, ((size_t)1 << 50) + 1) == NULL);
  CHECK(gruI_cache_alloc(&cache, SIZE_MAX) == NULL);
  right(&cache);
  gruI_cache_destroy(&cache);
  CHECK(given == 0);
}

static void figures(void) {
  gruI_cache cache = new_cache(10 * MB);
  void *a = gruI_cache_alloc(&cache, 100), *b = gruI_cache_alloc(&cache, 3000);
  CHECK(cache.live == 3100 && cache.peak == 3100 && cache.reserved == 128 + 3072);
  gruI_cache_free(&cache, a, 100);
  CHECK(cache.live == 3000 && cache.peak == 3100 && cache.cached == 128);
  CHECK(gruI_cache_alloc(&cache, 70) == a); /* of the same class */
  CHECK(cache.live == 3070 && cache.reserved == 128 + 3072 && calls == 2);
  CHECK(cache.taken == 3170);
  CHECK(gruI_cache_alloc(&cache, 10 * MB - 3069) == NULL); /* one byte too many */
  CHECK(cache.live == 3070 && cache.peak == 3100);
  gruI_cache_free(&cache, a, 70);
  gruI_cache_free(&cache, b, 3000);
  CHECK(cache.live == 0);
  right(&cache);
  gruI_cache_empty(&cache);
  CHECK(cache.reserved == 0 && cache.cached == 0 && given == 0);
  gruI_cache_destroy(&cache);
}

/* A step that is repeated asks the device for nothing, whatever its blocks are. */
static void steady(void) {
  enum { BLOCKS = 300 };
  void *blocks[BLOCKS];
  gruI_cache cache = new_cache(4096 * MB);
  int64_t after_two = 0;
  for (int step = 0; step < 700; step++) { /* more than three sweeps */
    for (size_t i = 0; i < BLOCKS; i++) blocks[i] = gruI_cache_alloc(&cache, (i + 1) * 10000);
    for (size_t i = 0; i < BLOCKS; i++) gruI_cache_free(&cache, blocks[i], (i + 1) * 10000);
    if (step == 1) after_two = calls;
  }
  CHECK(after_two == calls);
  right(&cache);
  gruI_cache_destroy(&cache);
}

/* What a spike took goes back as the program goes on. */
static void spike(void) {
  enum { BLOCKS = 200 };
  void *blocks[BLOCKS];
  gruI_cache cache = new_cache(4096 * MB);
  for (size_t i = 0; i < BLOCKS; i++) blocks[i] = gruI_cache_alloc(&cache, 5 * MB);
  CHECK(cache.reserved >= 1000 * MB);
  for (size_t i = 0; i < BLOCKS; i++) gruI_cache_free(&cache, blocks[i], 5 * MB);
  for (int step = 0; step < 3 * GRUI_CACHE_SWEEP; step++)
    gruI_cache_free(&cache, gruI_cache_alloc(&cache, 1000), 1000);
  CHECK(cache.reserved < 2000);
  right(&cache);
  /* sizes that never come again do not pile up, either */
  for (size_t i = 0; i < 4000; i++) {
    size_t bytes = (i * 7919) % 4000 * 4096 + 1;
    gruI_cache_free(&cache, gruI_cache_alloc(&cache, bytes), bytes);
    CHECK(cache.reserved <= 64 * MB + 18 * MB);
  }
  right(&cache);
  gruI_cache_destroy(&cache);
  CHECK(given == 0);
}

/* A step of 40 blocks of `bytes`; returns how often it asked the device. */
static int64_t step_of(gruI_cache *cache, size_t bytes) {
  enum { BLOCKS = 40 };
  void *blocks[BLOCKS];
  int64_t before = calls;
  for (size_t i = 0; i < BLOCKS; i++) blocks[i] = gruI_cache_alloc(cache, bytes);
  for (size_t i = 0; i < BLOCKS; i++) gruI_cache_free(cache, blocks[i], bytes);
  return calls - before;
}

/* What a step of other sizes has left makes room for the one that is repeated now. */
static void other_sizes(void) {
  gruI_cache cache = new_cache(4096 * MB);
  size_t sizes[] = {4 * MB, 5 * MB, 3 * MB, 6 * MB};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (int step = 0; step < 8; step++) step_of(&cache, sizes[i]);
    CHECK(step_of(&cache, sizes[i]) == 0);
    CHECK(cache.reserved <= 2 * 40 * 6 * MB);
    right(&cache);
  }
  gruI_cache_destroy(&cache);
  CHECK(given == 0);
}

/* What waits counts against the limit, and is given up when the device has no more. */
static void limits(void) {
  gruI_cache cache = new_cache(100 * MB);
  for (size_t n = 1; n < 90; n++) gruI_cache_free(&cache, gruI_cache_alloc(&cache, n * MB), n * MB);
  CHECK(cache.reserved <= 113 * MB); /* the limit and its rounding */
  void *all = gruI_cache_alloc(&cache, 100 * MB);
  CHECK(all != NULL && cache.reserved <= 113 * MB);
  gruI_cache_free(&cache, all, 100 * MB);
  right(&cache);
  gruI_cache_destroy(&cache);

  cache = new_cache(1000 * MB);
  room = 100 * MB;
  gruI_cache_free(&cache, gruI_cache_alloc(&cache, 60 * MB), 60 * MB);
  CHECK(cache.cached == 60 * MB);
  CHECK((all = gruI_cache_alloc(&cache, 96 * MB)) != NULL && cache.cached == 0);
  CHECK(gruI_cache_alloc(&cache, 60 * MB) == NULL);
  gruI_cache_free(&cache, all, 96 * MB);
  right(&cache);
  gruI_cache_destroy(&cache);
}

/* A device that keeps what it is given, as CUDA's does, until it is told to trim. */
static size_t kept;
static int trims;

static void *keep_alloc(gruI_device *d, size_t bytes) {
  if (given + kept + bytes > room) return NULL;
  return count_alloc(d, bytes);
}

static void keep_free(gruI_device *d, void *block, size_t bytes) {
  kept += bytes;
  count_free(d, block, bytes);
}

static void keep_trim(gruI_device *d) {
  (void)d;
  trims++;
  kept = 0;
}

static void trimming(void) {
  static const gruI_backend keeper = {.alloc = keep_alloc, .free = keep_free, .trim = keep_trim};
  gruI_device device_that_keeps = {.backend = &keeper};
  gruI_cache cache = new_cache(1000 * MB);
  cache.device = &device_that_keeps;
  room = 100 * MB;
  gruI_cache_free(&cache, gruI_cache_alloc(&cache, 60 * MB), 60 * MB);
  CHECK(cache.cached == 60 * MB && trims == 0);
  void *all = gruI_cache_alloc(&cache, 96 * MB); /* empties, trims, asks again */
  CHECK(all != NULL && trims == 1 && kept == 0);
  CHECK(gruI_cache_alloc(&cache, 60 * MB) == NULL && trims == 2);
  gruI_cache_free(&cache, all, 96 * MB);
  kept = 4 * MB; /* nothing waits, but the device has something */
  gruI_cache_empty(&cache);
  CHECK(trims == 3 && kept == 0 && cache.reserved == 0);
  kept = 50 * MB;
  CHECK((all = gruI_cache_alloc(&cache, 96 * MB)) != NULL && trims == 4);
  gruI_cache_free(&cache, all, 96 * MB);
  right(&cache);
  gruI_cache_destroy(&cache);
  CHECK(given == 0);
}

/* Blocks of the CPU are aligned, and of their own. */
static void blocks_of_the_cpu(void) {
  gruI_device cpu = {.backend = &gruI_builtin_backend};
  gruI_cache cache = {.device = &cpu, .limit = 1000 * MB};
  static const size_t sizes[] = {1, 64, 65, 1000, 4096, 100000, (1 << 20) - 1, 1 << 20, 9000000};
  enum { SIZES = sizeof sizes / sizeof *sizes };
  unsigned char *blocks[SIZES];
  CHECK(cpu.backend->open(&cpu) == GRU_OK);
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < SIZES; i++) {
      blocks[i] = gruI_cache_alloc(&cache, sizes[i]);
      CHECK(blocks[i] != NULL && (uintptr_t)blocks[i] % 64 == 0);
      memset(blocks[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < SIZES; i++) {
      CHECK(blocks[i][0] == i + 1 && blocks[i][sizes[i] - 1] == i + 1);
      gruI_cache_free(&cache, blocks[i], sizes[i]);
    }
    if (round == 0) gruI_cache_empty(&cache);
  }
  gruI_cache_destroy(&cache);
  cpu.backend->close(&cpu);
}

/* A part counts in the whole, keeps what it has to its end, and shares nothing. */
static void parts(void) {
  enum { BLOCKS = 30 };
  void *blocks[BLOCKS];
  gruI_cache whole = new_cache(100 * MB), part = {.device = &device, .whole = &whole};
  void *own = gruI_cache_alloc(&whole, 3 * MB);
  for (size_t i = 0; i < BLOCKS; i++) blocks[i] = gruI_cache_alloc(&part, MB);
  CHECK(whole.live == 33 * MB && whole.reserved == 33 * MB && part.reserved == 30 * MB);
  CHECK(gruI_cache_alloc(&part, 68 * MB) == NULL); /* the limit is that of the whole */
  for (size_t i = 0; i < BLOCKS; i++) gruI_cache_free(&part, blocks[i], MB);
  gruI_cache_free(&whole, own, 3 * MB);
  gruI_cache_empty(&whole);
  CHECK(whole.live == 0 && given == 30 * MB && whole.reserved == 30 * MB);
  void *other = gruI_cache_alloc(&whole, MB);
  for (size_t i = 0; i < BLOCKS; i++) CHECK(other != blocks[i]);
  int64_t before = calls;
  for (size_t i = 0; i < BLOCKS; i++) blocks[i] = gruI_cache_alloc(&part, MB);
  CHECK(calls == before); /* those of before */
  for (size_t i = 0; i < BLOCKS; i++) gruI_cache_free(&part, blocks[i], MB);
  gruI_cache_destroy(&part);
  gruI_cache_free(&whole, other, MB);
  gruI_cache_destroy(&whole);
  CHECK(given == 0 && whole.reserved == 0);
}

/* Blocks of just the size that was asked for, which nothing keeps. */
static void uncached(void) {
  gruI_cache cache = new_cache(10 * MB);
  device.uncached = 1;
  void *a = gruI_cache_alloc(&cache, 1), *b = gruI_cache_alloc(&cache, 1001);
  CHECK(given == 1002 && cache.reserved == 1002 && cache.live == 1002);
  gruI_cache_free(&cache, a, 1);
  CHECK(given == 1001 && cache.live == 1001 && cache.cached == 0);
  CHECK(gruI_cache_alloc(&cache, 10 * MB - 1000) == NULL);
  gruI_cache_free(&cache, b, 1001);
  CHECK(given == 0 && cache.reserved == 0 && cache.peak == 1002);
  gruI_cache_destroy(&cache);
  device.uncached = 0;
}

int main(void) {
  parts();
  classes();
  figures();
  steady();
  spike();
  other_sizes();
  limits();
  trimming();
  uncached();
  blocks_of_the_cpu();
  return report();
}

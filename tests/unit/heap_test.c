/* heap_test.c - the heap of a Lua state: contents, reuse, and blocks that cannot be moved. */
#include "heap.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/slab.h"

/* ---- a C library that has no memory left ------------------------------------------------ */

static int is_empty, calls;
static char *newest; /* what aligned_alloc gave last: the slab's newest chunk */
static size_t newest_bytes;

void *__real_malloc(size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

void *__wrap_malloc(size_t bytes) {
  calls++;
  return is_empty ? NULL : __real_malloc(bytes);
}

void *__wrap_realloc(void *block, size_t bytes) {
  calls++;
  return is_empty ? NULL : __real_realloc(block, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes) {
  calls++;
  char *chunk = is_empty ? NULL : __real_aligned_alloc(alignment, bytes);
  newest = chunk, newest_bytes = chunk ? bytes : 0;
  return chunk;
}

/* ---- tests -------------------------------------------------------------------------------- */

enum { BLOCKS = 400, ROUNDS = 200000, LARGEST = 700 };

typedef struct block {
  unsigned char *at;
  size_t bytes;
  unsigned char value; /* of each of them */
} block;

static uint32_t state = 1;

static uint32_t draw(uint32_t below) {
  state = state * 1664525 + 1013904223;
  return (uint32_t)(((uint64_t)state * below) >> 32);
}

static int is_filled(const block *b, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if (b->at[i] != b->value) return 0;
  return 1;
}

/* Blocks are made, resized and freed at random; what is in each stays, so no two of them overlap. */
static void test_contents(gruI_slab *slab) {
  static block blocks[BLOCKS];
  int spoilt = 0, missing = 0, crooked = 0;
  for (int round = 0; round < ROUNDS; round++) {
    block *b = &blocks[draw(BLOCKS)];
    size_t bytes = draw(4) ? 1 + draw(LARGEST) : 0;
    spoilt += !is_filled(b, b->bytes);
    void *moved = gruI_heap_alloc(slab, b->at, b->at ? b->bytes : 5 /* a kind of object */, bytes);
    missing += !moved != !bytes;
    crooked += (uintptr_t)moved % 16 != 0;
    b->at = moved;
    spoilt += !is_filled(b, b->bytes < bytes ? b->bytes : bytes);
    b->bytes = bytes;
    b->value = (unsigned char)draw(256);
    if (moved) memset(moved, b->value, bytes);
  }
  for (int i = 0; i < BLOCKS; i++) {
    spoilt += !is_filled(&blocks[i], blocks[i].bytes);
    gruI_heap_alloc(slab, blocks[i].at, blocks[i].bytes, 0);
    blocks[i] = (block){NULL, 0, 0};
  }
  CHECK(spoilt == 0);
  CHECK(missing == 0);
  CHECK(crooked == 0);
}

/* What was freed last comes back first, and the C library is not asked. */
static void test_reuse(gruI_slab *slab) {
  void *first = gruI_heap_alloc(slab, NULL, 0, 40), *second = gruI_heap_alloc(slab, NULL, 0, 40);
  int before = calls;
  CHECK(gruI_heap_alloc(slab, first, 40, 48) == first);
  gruI_heap_alloc(slab, first, 48, 0);
  gruI_heap_alloc(slab, second, 40, 0);
  CHECK(gruI_heap_alloc(slab, NULL, 0, 33) == second);
  CHECK(gruI_heap_alloc(slab, NULL, 0, 48) == first);
  CHECK(calls == before);
  gruI_heap_alloc(slab, first, 48, 0);
  gruI_heap_alloc(slab, second, 33, 0);
}

/* Whatever their size, new blocks lie inside of a chunk, up to its very end. */
static void test_edges(void) {
  for (size_t bytes = 1; bytes <= 256; bytes += 15) {
    gruI_slab slab;
    int outside = 0;
    gruI_slab_init(&slab, GRUI_HEAP_LOG_STEP);
    for (int i = 0; i < 10000; i++) {
      char *at = gruI_heap_alloc(&slab, NULL, 0, bytes);
      outside += at < newest || at + bytes > newest + newest_bytes;
    }
    CHECK(outside == 0);
    gruI_slab_destroy(&slab);
  }
}

/* Lua trusts that a block can be made smaller. */
static void test_no_memory(gruI_slab *slab) {
  enum { MANY = 4096 };
  static void *taken[MANY];
  unsigned char *large = gruI_heap_alloc(slab, NULL, 0, 1000), *small;
  memset(large, 7, 1000);
  is_empty = 1;
  CHECK(gruI_heap_alloc(slab, NULL, 0, 1000) == NULL);
  int count = 0;
  while (count < MANY && (taken[count] = gruI_heap_alloc(slab, NULL, 0, 200))) count++;
  CHECK(count < MANY);
  CHECK(gruI_heap_alloc(slab, large, 1000, 2000) == NULL);
  small = gruI_heap_alloc(slab, large, 1000, 200);
  CHECK(small && small[0] == 7 && small[199] == 7);
  gruI_heap_alloc(slab, small, 200, 0);
  CHECK(gruI_heap_alloc(slab, NULL, 0, 200) == small);
  is_empty = 0;
  gruI_heap_alloc(slab, small, 200, 0);
  for (int i = 0; i < count; i++) gruI_heap_alloc(slab, taken[i], 200, 0);
}

int main(void) {
  gruI_slab slab;
  gruI_slab_init(&slab, GRUI_HEAP_LOG_STEP);
  test_contents(&slab);
  if (!gruI_slab_is_large(&slab, 1)) { /* not under the address sanitizer */
    test_reuse(&slab);
    test_edges();
    test_no_memory(&slab);
  }
  gruI_slab_destroy(&slab);
  return report();
}

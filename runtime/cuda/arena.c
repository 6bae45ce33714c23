/* arena.c - slabs, their blocks, lists of free ones, and the blocks that are given out by address. */
#include "cuda/arena.h"

#include <stdint.h>
#include <stdlib.h>

/* What a slab is made of, in the order of addresses.  Two neighbours are never both free. */
typedef struct block {
  char *at;
  size_t bytes;
  struct block *before, *after; /* in the slab */
  struct block *last, *next;    /* in the list of its class, or in its bucket (next alone) */
  int is_free;
} block;

typedef struct slab {
  block *first; /* neighbours join the one before them, so it stays the first */
  size_t bytes;
  struct slab *next;
} slab;

/* Class of n grains: 1 .. 15 stand alone, then eight classes between powers of two. */
enum { EIGHTHS = 8, ALONE = 16, CLASSES = ALONE + EIGHTHS * 60, WORD = 64 };
enum { WORDS = (CLASSES + WORD - 1) / WORD, LOOKS = 32 };
enum { ROUND_LARGE = 2 << 20, FIRST_BUCKETS = 256 };

struct gruI_arena {
  gruI_arena_source source;
  slab *slabs;
  size_t reserved, used;
  block *lists[CLASSES];
  uint64_t filled[WORDS]; /* bit i: list i has blocks */
  block **buckets;        /* of blocks that are given out, by address */
  size_t nbuckets, given;
};

static size_t round_up(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

/* ---- free blocks ------------------------------------------------------------------------- */

/* The class whose blocks have at least as many grains as any in a lower one. */
static int class_of(size_t bytes) {
  size_t grains = bytes / GRUI_ARENA_GRAIN;
  if (grains < ALONE) return (int)grains;
  int log = 63 - __builtin_clzll((unsigned long long)grains);
  return ALONE + (log - 4) * EIGHTHS + (int)(grains >> (log - 3) & (EIGHTHS - 1));
}

static void list_add(gruI_arena *arena, block *b) {
  int class = class_of(b->bytes);
  b->is_free = 1;
  b->last = NULL;
  b->next = arena->lists[class];
  if (b->next) b->next->last = b;
  arena->lists[class] = b;
  arena->filled[class / WORD] |= (uint64_t)1 << class % WORD;
}

static void list_remove(gruI_arena *arena, block *b) {
  int class = class_of(b->bytes);
  b->is_free = 0;
  if (b->next) b->next->last = b->last;
  if (b->last)
    b->last->next = b->next;
  else if (!(arena->lists[class] = b->next))
    arena->filled[class / WORD] &= ~((uint64_t)1 << class % WORD);
}

/* The smallest that has room, of those that were freed last. */
static block *best_of(block *b, size_t bytes) {
  block *best = NULL;
  for (int looks = 0; b && looks < LOOKS; looks++, b = b->next)
    if (b->bytes >= bytes && (!best || b->bytes < best->bytes)) best = b;
  return best;
}

/* The first class from `class` on that has blocks; CLASSES where there is none. */
static int next_filled(const gruI_arena *arena, int class) {
  uint64_t bits = arena->filled[class / WORD] & ~(uint64_t)0 << class % WORD;
  int word = class / WORD;
  while (!bits && ++word < WORDS) bits = arena->filled[word];
  return bits ? word * WORD + __builtin_ctzll(bits) : CLASSES;
}

/* A free block with room: of the class itself, else of the next one, where all have it. */
static block *find_free(const gruI_arena *arena, size_t bytes) {
  int class = class_of(bytes);
  block *b = best_of(arena->lists[class], bytes);
  if (b) return b;
  class = next_filled(arena, class + 1);
  return class < CLASSES ? best_of(arena->lists[class], bytes) : NULL;
}

/* ---- blocks that are given out -------------------------------------------------------------- */

static block **bucket_of(block **buckets, size_t count, const void *at) {
  uint64_t grain = (uint64_t)(uintptr_t)at / GRUI_ARENA_GRAIN;
  return &buckets[grain * 0x9E3779B97F4A7C15u >> 32 & (count - 1)];
}

/* Twice the buckets; without memory for them chains grow longer. */
static void more_buckets(gruI_arena *arena) {
  size_t count = arena->nbuckets * 2;
  block **buckets = calloc(count, sizeof(block *));
  if (!buckets) return;
  for (size_t i = 0; i < arena->nbuckets; i++)
    for (block *b = arena->buckets[i], *next; b; b = next) {
      block **to = bucket_of(buckets, count, b->at);
      next = b->next;
      b->next = *to;
      *to = b;
    }
  free(arena->buckets);
  arena->buckets = buckets;
  arena->nbuckets = count;
}

static void give_out(gruI_arena *arena, block *b) {
  if (arena->given == arena->nbuckets) more_buckets(arena);
  block **bucket = bucket_of(arena->buckets, arena->nbuckets, b->at);
  b->next = *bucket;
  *bucket = b;
  arena->given++;
  arena->used += b->bytes;
}

static block *take_back(gruI_arena *arena, const void *at) {
  block **link = bucket_of(arena->buckets, arena->nbuckets, at);
  while (*link && (*link)->at != at) link = &(*link)->next;
  block *b = *link;
  if (!b) return NULL;
  *link = b->next;
  arena->given--;
  arena->used -= b->bytes;
  return b;
}

/* ---- slabs ------------------------------------------------------------------------------------ */

/* A slab of `bytes` from the source, as one free block. */
static block *new_slab(gruI_arena *arena, size_t bytes) {
  slab *s = malloc(sizeof *s);
  block *b = malloc(sizeof *b);
  char *at = s && b ? arena->source.alloc(arena->source.context, bytes) : NULL;
  if (!at) {
    free(s);
    free(b);
    return NULL;
  }
  *b = (block){.at = at, .bytes = bytes};
  *s = (slab){b, bytes, arena->slabs};
  arena->slabs = s;
  arena->reserved += bytes;
  list_add(arena, b);
  return b;
}

/* The same with room for `bytes`: where the source has no whole slab, after what is free here went
** back to it, or else as little as will do. */
static block *grow(gruI_arena *arena, size_t bytes) {
  size_t least = bytes > ROUND_LARGE ? round_up(bytes, ROUND_LARGE) : bytes;
  size_t whole = least > GRUI_ARENA_SLAB ? least : (size_t)GRUI_ARENA_SLAB;
  size_t reserved = arena->reserved;
  block *b = new_slab(arena, whole);
  if (b) return b;
  gruI_arena_trim(arena);
  if (arena->reserved < reserved && (b = new_slab(arena, whole))) return b;
  return least < whole ? new_slab(arena, least) : NULL;
}

gruI_arena *gruI_arena_create(gruI_arena_source source) {
  gruI_arena *arena = calloc(1, sizeof *arena);
  block **buckets = calloc(FIRST_BUCKETS, sizeof(block *));
  if (!arena || !buckets) {
    free(arena);
    free(buckets);
    return NULL;
  }
  arena->source = source;
  arena->buckets = buckets;
  arena->nbuckets = FIRST_BUCKETS;
  return arena;
}

void gruI_arena_destroy(gruI_arena *arena) {
  if (!arena) return;
  for (slab *s = arena->slabs, *next; s; s = next) {
    next = s->next;
    arena->source.free(arena->source.context, s->first->at, s->bytes);
    for (block *b = s->first, *after; b; b = after) {
      after = b->after;
      free(b);
    }
    free(s);
  }
  free(arena->buckets);
  free(arena);
}

void gruI_arena_trim(gruI_arena *arena) {
  for (slab **link = &arena->slabs; *link;) {
    slab *s = *link;
    block *b = s->first;
    if (!b->is_free || b->after) {
      link = &s->next;
      continue;
    }
    list_remove(arena, b);
    arena->source.free(arena->source.context, b->at, s->bytes);
    arena->reserved -= s->bytes;
    *link = s->next;
    free(b);
    free(s);
  }
}

/* ---- blocks -------------------------------------------------------------------------------------- */

/* Leaves `bytes` in the block, which is in no list; the rest becomes a free one. */
static int split(gruI_arena *arena, block *b, size_t bytes) {
  if (b->bytes == bytes) return 1;
  block *rest = malloc(sizeof *rest);
  if (!rest) return 0;
  *rest = (block){.at = b->at + bytes, .bytes = b->bytes - bytes, .before = b, .after = b->after};
  if (rest->after) rest->after->before = rest;
  b->after = rest;
  b->bytes = bytes;
  list_add(arena, rest);
  return 1;
}

/* Joins the neighbour `b->after`, which is in no list. */
static void join(block *b) {
  block *gone = b->after;
  b->bytes += gone->bytes;
  b->after = gone->after;
  if (b->after) b->after->before = b;
  free(gone);
}

void *gruI_arena_alloc(gruI_arena *arena, size_t bytes) {
  if (bytes > SIZE_MAX / 4) return NULL;
  bytes = round_up(bytes, GRUI_ARENA_GRAIN);
  block *b = find_free(arena, bytes);
  if (!b && !(b = grow(arena, bytes))) return NULL;
  list_remove(arena, b);
  if (!split(arena, b, bytes)) {
    list_add(arena, b);
    return NULL;
  }
  give_out(arena, b);
  return b->at;
}

void gruI_arena_free(gruI_arena *arena, void *at, size_t bytes) {
  (void)bytes;
  block *b = take_back(arena, at);
  if (!b) return;
  if (b->after && b->after->is_free) {
    list_remove(arena, b->after);
    join(b);
  }
  if (b->before && b->before->is_free) {
    b = b->before;
    list_remove(arena, b);
    join(b);
  }
  list_add(arena, b);
}

size_t gruI_arena_reserved(const gruI_arena *arena) { return arena->reserved; }
size_t gruI_arena_used(const gruI_arena *arena) { return arena->used; }

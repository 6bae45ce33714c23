#include "cuda/arena.h"
#include <stdlib.h>
struct gruI_arena {
  gruI_arena_source source;
  size_t used;
};
gruI_arena *gruI_arena_create(gruI_arena_source source) {
  gruI_arena *a = calloc(1, sizeof *a);
  if (a) a->source = source;
  return a;
}
void gruI_arena_destroy(gruI_arena *arena) { free(arena); }
void *gruI_arena_alloc(gruI_arena *arena, size_t bytes) {
  void *b = arena->source.alloc(arena->source.context, bytes);
  if (b) arena->used += bytes;
  return b;
}
void gruI_arena_free(gruI_arena *arena, void *block, size_t bytes) {
  arena->used -= bytes;
  arena->source.free(arena->source.context, block, bytes);
}
void gruI_arena_trim(gruI_arena *arena) { (void)arena; }
size_t gruI_arena_reserved(const gruI_arena *arena) { return arena->used; }
size_t gruI_arena_used(const gruI_arena *arena) { return arena->used; }

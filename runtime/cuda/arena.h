/* arena.h - the memory of a device in slabs: few large blocks of the system's, cut up here.
**
** The system is asked for slabs (cudaMalloc may wait for the whole device); what is given back goes to
** a list and never to the system, so that a finaliser of Lua's costs no call of CUDA's, until
** gruI_arena_trim.  A request is cut from the best of the free blocks of about its size, or else of a
** larger one; free neighbours become one block again.  Both take a time that does not grow with the
** number of blocks.  What is known of a block stands in host memory, the blocks themselves are never
** touched: the same code serves device memory and, in its test, addresses without memory.
*/
#ifndef GRUI_CUDA_ARENA_H
#define GRUI_CUDA_ARENA_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GRUI_ARENA_GRAIN = 512, GRUI_ARENA_SLAB = 32 << 20 };

typedef struct gruI_arena gruI_arena;

/* Raw blocks, aligned to GRUI_ARENA_GRAIN; NULL when there are none. */
typedef struct gruI_arena_source {
  void *context;
  void *(*alloc)(void *context, size_t bytes);
  void (*free)(void *context, void *block, size_t bytes);
} gruI_arena_source;

/* NULL when there is no memory. */
gruI_arena *gruI_arena_create(gruI_arena_source source);
/* Gives all slabs back. */
void gruI_arena_destroy(gruI_arena *arena);

/* `bytes` > 0, aligned to GRUI_ARENA_GRAIN; NULL when the source has none, even after all that is
** wholly free went back to it, or when there is no host memory. */
void *gruI_arena_alloc(gruI_arena *arena, size_t bytes);
/* The size is that of gruI_arena_alloc. */
void gruI_arena_free(gruI_arena *arena, void *block, size_t bytes);
/* Gives the slabs that are wholly free back to the source. */
void gruI_arena_trim(gruI_arena *arena);

/* Bytes in slabs, and in blocks that are given out (whole grains). */
size_t gruI_arena_reserved(const gruI_arena *arena);
size_t gruI_arena_used(const gruI_arena *arena);

#ifdef __cplusplus
}
#endif

#endif

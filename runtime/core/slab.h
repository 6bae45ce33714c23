/* slab.h - free lists of small blocks, one list a size, last in first out.
**
** A training step makes and drops thousands of small objects (tensors, storages, tape nodes; in Lua their
** boxes, tables, closures); a list costs a few nanoseconds where malloc costs fifty, and more after a
** collection, which frees hundreds at once: malloc merges them, then cuts them apart one by one.  The
** memory is given back when the slab ends.  Under the address sanitizer every block is a malloc of its own.
*/
#ifndef GRUI_SLAB_H
#define GRUI_SLAB_H

#include <stdbool.h>
#include <stddef.h>

enum { GRUI_SLAB_CLASSES = 16 };

typedef struct gruI_slab {
  int log_step; /* sizes are multiples of 1 << log_step, and blocks are aligned to it; 4 or more */
  void *free[GRUI_SLAB_CLASSES]; /* free blocks of i + 1 steps, linked through their first word */
  void *chunks;                  /* every chunk, linked likewise */
  char *fresh;                   /* unused rest of the newest chunk */
  size_t fresh_bytes;
} gruI_slab;

void gruI_slab_init(gruI_slab *slab, int log_step);
/* Are two blocks of so many bytes, 1 or more, of the same list? */
bool gruI_slab_same_list(const gruI_slab *slab, size_t bytes, size_t others);
/* Is a block of so many bytes in no list, but malloc's? */
bool gruI_slab_is_large(const gruI_slab *slab, size_t bytes);
/* Memory of `bytes`, 1 or more, or NULL. */
void *gruI_slab_alloc(gruI_slab *slab, size_t bytes);
/* Gives it back; `bytes` as at alloc.  NULL is allowed. */
void gruI_slab_free(gruI_slab *slab, void *block, size_t bytes);
/* Gives every chunk back. */
void gruI_slab_destroy(gruI_slab *slab);

#endif

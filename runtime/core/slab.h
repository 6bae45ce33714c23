/* slab.h - small host objects (tensors, storages, tape nodes) of one runtime.
**
** A training step makes and drops thousands of them; a free list per size class costs
** a few nanoseconds where malloc costs fifty.  Under the address sanitizer every
** object is a malloc of its own.
*/
#ifndef GRUI_SLAB_H
#define GRUI_SLAB_H

#include <stddef.h>

enum { GRUI_SLAB_STEP = 64, GRUI_SLAB_CLASSES = 16 };

typedef struct gruI_slab {
  void *free[GRUI_SLAB_CLASSES]; /* free objects, linked through their first word */
  void *chunks;                  /* every chunk, linked likewise */
  char *fresh;                   /* unused rest of the newest chunk */
  size_t fresh_bytes;
} gruI_slab;

/* Zeroed memory of `bytes`, or NULL. */
void *gruI_slab_alloc(gruI_slab *slab, size_t bytes);
/* Gives it back; `bytes` as at alloc.  NULL is allowed. */
void gruI_slab_free(gruI_slab *slab, void *object, size_t bytes);
/* Gives every chunk back. */
void gruI_slab_destroy(gruI_slab *slab);

#endif

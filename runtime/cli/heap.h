/* heap.h - memory for a Lua state: small blocks from free lists, the others from malloc. */
#ifndef GRUI_HEAP_H
#define GRUI_HEAP_H

#include <stddef.h>

enum { GRUI_HEAP_LOG_STEP = 4 }; /* of the gruI_slab that is the heap */

/* A lua_Alloc.  It is given the slab. */
void *gruI_heap_alloc(void *slab, void *block, size_t old_bytes, size_t bytes);

#endif

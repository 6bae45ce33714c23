/* heap.c - a lua_Alloc on top of core/slab.h.
**
** Lua trusts that a block can be made smaller.  One that cannot be moved, for want of memory, stays where it
** is; once free it joins the list of the smaller size.
*/
#include "heap.h"

#include <stdlib.h>
#include <string.h>

#include "core/slab.h"

static void *resize(gruI_slab *slab, void *block, size_t old_bytes, size_t bytes) {
  if (gruI_slab_same_list(slab, old_bytes, bytes)) return block;
  if (gruI_slab_is_large(slab, old_bytes) && gruI_slab_is_large(slab, bytes))
    return realloc(block, bytes);
  void *moved = gruI_slab_alloc(slab, bytes);
  if (!moved) return bytes <= old_bytes ? block : NULL;
  memcpy(moved, block, bytes < old_bytes ? bytes : old_bytes);
  gruI_slab_free(slab, block, old_bytes);
  return moved;
}

void *gruI_heap_alloc(void *slab, void *block, size_t old_bytes, size_t bytes) {
  if (!block)
    return bytes ? gruI_slab_alloc(slab, bytes) : NULL; /* old_bytes is a kind of object */
  if (bytes) return resize(slab, block, old_bytes, bytes);
  gruI_slab_free(slab, block, old_bytes);
  return NULL;
}

/* list.h - tensors of any layout as the lists that kernels take (gruI_list).
**
** A tensor that is not contiguous is worked on in a copy, and written back; tensors of one device and
** dtype go to the kernel together; items that share memory go one after the other.
*/
#ifndef GRUI_LIST_H
#define GRUI_LIST_H

#include "core/tensor.h"

typedef struct gruI_item {
  gru_tensor *t[GRUI_PART_VECTORS]; /* NULL where there is none; t[0] is always there */
  int64_t step;
  int64_t number; /* what gruI_part.item is to be */
} gruI_item;

/* What is to be done with the items: `kernel` is called for every list. */
typedef struct gruI_work {
  const char *op;
  unsigned written; /* bit k: t[k] is */
  gru_status (*kernel)(void *context, gruI_place *place, const gruI_list *list);
  void *context;
} gruI_work;

/* Checks the items (floats, the tensors of one alike, those that are written no expanded ones), and
** does the work.  Nothing is recorded; versions of what is written go up, unless it
** fails before anything is written. */
gru_status gruI_list_run(gru_runtime *rt, int64_t n, const gruI_item *items, const gruI_work *work);

#endif

/* list.h - the loops over a piece of one part of a list, one table per instruction set.
**
** list.c cuts the list into blocks and chooses the set; list_rows.c holds the loops, and is
** compiled once per set (-DGRUI_ISA=...), for each float type from list_rows.inc.h.
*/
#ifndef GRUI_CPU_LIST_H
#define GRUI_CPU_LIST_H

#include "cpu/cpu.h"

/* Elements first .. last - 1 of a part. */
typedef struct gruI_list_rows {
  void (*sgd)(const gruI_sgd *call, const gruI_part *part, int64_t first, int64_t last);
  void (*adam)(const gruI_adam *call, const gruI_part *part, int64_t first, int64_t last);
  void (*scale)(const gruI_scale *call, const gruI_part *part, int64_t first, int64_t last);
  /* sum x^2, and max |x| */
  double (*squares)(gru_dtype dtype, const void *x, int64_t first, int64_t last);
  double (*largest)(gru_dtype dtype, const void *x, int64_t first, int64_t last);
} gruI_list_rows;

#endif

/* loss.h - softmax and cross-entropy of a range of rows, one table per instruction set.
**
** loss.c checks, divides the rows and chooses the set; loss_rows.c holds the loops, and is
** compiled once per set (-DGRUI_ISA=...), for each float type from loss_rows.inc.h.
*/
#ifndef GRUI_CPU_LOSS_H
#define GRUI_CPU_LOSS_H

#include "cpu/cpu.h"

/* Rows first .. last - 1 of a call whose ids have been checked. */
typedef struct gruI_loss_rows {
  void (*softmax)(const gruI_softmax *call, int64_t first, int64_t last);
  void (*softmax_grad)(const gruI_softmax_grad *call, int64_t first, int64_t last);
  void (*cross_entropy)(const gruI_cross_entropy *call, int64_t first, int64_t last);
  void (*cross_entropy_grad)(const gruI_cross_entropy *call, int64_t first, int64_t last);
} gruI_loss_rows;

#endif

/* recurrence.h - what is elementwise in a step of a recurrent layer, one table per instruction set.
**
** recurrence.c packs the weights, divides the batch, walks through time and multiplies;
** recurrence_rows.c holds the gates, and is compiled once per set (-DGRUI_ISA=...), for each float
** type from recurrence_rows.inc.h.
*/
#ifndef GRUI_CPU_RECURRENCE_H
#define GRUI_CPU_RECURRENCE_H

#include "cpu/cpu.h"

/* Rows first .. last - 1 of the batch at time t.  H = hidden, G and S as in device.h. */
typedef struct gruI_step {
  const gruI_recurrence *call;
  int64_t t, first, last;
  const void *b_x, *b_h; /* (G H): b_ih and b_hh, or zeros */
  const void *h, *c;     /* (batch, H): the state before the step */
  void *h_next, *c_next; /* forward: after it */
  void *sums;            /* (rows, G H) of these rows alone: W_hh h; see below for backward */
  void *gates;           /* (rows, S H) of these rows alone */
} gruI_step;

/* Forward, given sums = W_hh h: writes gates, h_next, c_next, y, y_c.  GRU_BEFORE has two phases:
** phase 0 makes r, z and r (.) h from the sums of r and z; then the caller writes W_hn (r (.) h) to
** the sums of n, and phase 1 does the rest.  The other cells have phase 0 alone.
**
** Backward, given dh and dc of the state after the step: phase 0 writes dgx, da_n, and what reaches
** dh and dc without the weights; the caller adds what comes through them.  GRU_BEFORE: phase 0
** leaves dgx of r; the caller writes dgx_n W_hn to the first H columns of sums; phase 1 makes dgx of
** r and adds to dh. */
typedef struct gruI_recurrence_rows {
  void (*forward)(const gruI_step *step, int phase);
  void (*backward)(const gruI_step *step, int phase);
} gruI_recurrence_rows;

#endif

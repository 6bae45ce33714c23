/* recurrence.h - recurrent layers: what the op's rules and their composed form share. */
#ifndef GRUI_OPS_RECURRENCE_H
#define GRUI_OPS_RECURRENCE_H

#include "ops/rules.h"

/* The inputs, in this order. */
enum { IN_GX, IN_H, IN_W, IN_B_IH, IN_B_HH, IN_LENGTHS, IN_C, INPUTS };

/* The cell of an op with these attributes. */
gruI_cell gruI_cell_of(gru_op op, const gru_attrs *attrs);

/* The op spelt with other ops, recorded: for gradients that are themselves differentiated.  `in` are
** INPUTS tensors, NULL where left out. */
gru_status gruI_recurrence_compose(gru_runtime *rt, gruI_cell cell, int reverse,
                                   gru_tensor *const *in, gru_tensor **out);

#endif

/* gemv.h - products of a matrix with a few vectors, which read the matrix once: their speed is that
** of memory.
*/
#ifndef GRUI_CPU_GEMV_H
#define GRUI_CPU_GEMV_H

#include "cpu/cpu.h"

enum { GRUI_GEMV_VECTORS = 4 };

/* y[v][o] = or += sum over p of x[v][p] w(p, o) for `vectors` vectors v.  Strides in elements. */
typedef struct gruI_gemv {
  gru_dtype dtype; /* a float dtype */
  int vectors;     /* 1 .. GRUI_GEMV_VECTORS */
  int64_t outputs, terms;
  const void *w; /* by_rows: (outputs, terms), else (terms, outputs); its rows are ldw apart */
  int by_rows;
  int64_t ldw;
  const void *x;
  int64_t x_vector, x_term;
  void *y;
  int64_t y_vector, y_output;
  int accumulate;
} gruI_gemv;

/* The bits of an element depend on `terms` and by_rows alone. */
typedef void (*gruI_gemv_function)(const gruI_gemv *call);

#endif

/* panel.h - products with a matrix that is packed once and used many times.
**
** c (rows, n) = or += a (rows, k) b (k, n).  BLAS packs b at every call, which at 32 rows costs half
** as much as the product; the weights of a recurrence are the same at every step.
**
** b is cut into panels of GRUI_PANEL_VECTORS vectors of columns (the last one may be narrower, its
** missing columns are zeros), each stored row by row.  An element of c is one chain of fused
** multiply-adds in the order of k: its bits depend neither on `rows` nor on who computes it.
*/
#ifndef GRUI_CPU_PANEL_H
#define GRUI_CPU_PANEL_H

#include "cpu/cpu.h"

typedef struct gruI_panels {
  gru_dtype dtype; /* a float dtype */
  int64_t k, n;
  void *data; /* gruI_panel_kernels.bytes, aligned to 64 */
} gruI_panels;

/* The functions of one instruction set. */
typedef struct gruI_panel_kernels {
  /* Room for a packed (k, n). */
  size_t (*bytes)(gru_dtype dtype, int64_t k, int64_t n);
  int64_t (*count)(gru_dtype dtype, int64_t n); /* how many panels */
  /* Packs panels first .. last - 1 of b, whose element (p, j) is b[p * row + j * col]; one of the
  ** strides is 1. */
  void (*pack)(const gruI_panels *to, const void *b, int64_t row, int64_t col, int64_t first,
               int64_t last);
  /* Strides in elements. */
  void (*multiply)(const gruI_panels *b, int64_t rows, const void *a, int64_t lda, void *c,
                   int64_t ldc, int accumulate);
} gruI_panel_kernels;

#endif

/* panel.h - products with a matrix that is packed once and used many times.
**
** c (rows, n) = or += a (rows, k) b (k, n).  BLAS packs b at every call, which at 32 rows costs half
** as much as the product; the weights of a recurrence are the same at every step.
**
** b is cut into panels of GRUI_PANEL_VECTORS vectors of columns (the last one may be narrower, its
** missing columns are zeros), each stored row by row.  A transposed a may be cut into strips of
** GRUI_STRIP columns, stored one after the other: rows of a itself may lie a page apart, those of a
** strip are neighbours.  An element of c is one chain of fused multiply-adds in the order of k: its bits
** depend neither on `rows` nor on who computes it.
*/
#ifndef GRUI_CPU_PANEL_H
#define GRUI_CPU_PANEL_H

#include "cpu/cpu.h"

enum { GRUI_STRIP = 16 };

typedef struct gruI_panels {
  gru_dtype dtype; /* a float dtype */
  int64_t k, n;
  void *data; /* gruI_panel_kernels.bytes, aligned to 64 */
} gruI_panels;

/* Memory that is fetched into the second cache on the way; no bytes: none. */
typedef struct gruI_region {
  const void *at;
  int64_t bytes;
} gruI_region;

/* c (rows, n) = or += op(a) (rows, k) b (k, n), the columns that panels first .. last - 1 give.
** Strides in elements. */
typedef struct gruI_panel_call {
  const gruI_panels *b;
  int64_t ldb; /* 0: b is packed; else b->data is b as it lies, with this row stride, and n a
               ** multiple of `lanes` */
  int64_t first, last;
  int descending; /* takes them from the last to the first, where b is packed */
  int64_t rows;
  const void *a; /* (rows, k), or (k, rows) where trans_a is set */
  int64_t lda;
  int trans_a, strips; /* strips: a lies in strips of b->k rows (trans_a, lda == GRUI_STRIP) */
  void *c;             /* its column 0 */
  int64_t ldc;
  int accumulate;
  const void *bias;    /* (n), added last to every row of c; NULL: none */
  gruI_region next[2]; /* what the caller reads or writes after this */
} gruI_panel_call;

/* The functions of one instruction set. */
typedef struct gruI_panel_kernels {
  /* Room for a packed (k, n). */
  size_t (*bytes)(gru_dtype dtype, int64_t k, int64_t n);
  int64_t (*count)(gru_dtype dtype, int64_t n); /* how many panels */
  int64_t (*lanes)(gru_dtype dtype);            /* columns of a vector */
  /* Packs panels first .. last - 1 of b, whose element (p, j) is b[p * row + j * col]; one of the
  ** strides is 1. */
  void (*pack)(const gruI_panels *to, const void *b, int64_t row, int64_t col, int64_t first,
               int64_t last);
  void (*multiply)(const gruI_panel_call *call);
  /* Packs rows first .. first + rows - 1, into all panels, from where row `first` lies; rows are `row`
  ** apart, columns neighbours. */
  void (*pack_rows)(const gruI_panels *to, int64_t first, int64_t rows, const void *b, int64_t row);
  /* Writes rows first .. first + rows - 1 of strips of k rows, from where row `first` of `cols` columns
  ** lies; rows are `row` apart. */
  void (*pack_strips)(gru_dtype dtype, void *strips, int64_t k, int64_t first, int64_t rows,
                      const void *a, int64_t row, int64_t cols);
} gruI_panel_kernels;

#endif

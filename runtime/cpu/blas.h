/* blas.h - what the CPU backend uses of OpenBLAS.
**
** The library is opened at the first product that needs it, so that programs that multiply
** nothing run without it; its headers are not needed to build.
*/
#ifndef GRUI_BLAS_H
#define GRUI_BLAS_H

#include "core/device.h"

/* CBLAS's names for layouts and transposes. */
enum { GRUI_BLAS_ROW_MAJOR = 101, GRUI_BLAS_PLAIN = 111, GRUI_BLAS_TRANS = 112 };

/* c = alpha op(a) op(b) + beta c;  y = alpha op(a) x + beta y.  CBLAS's interface. */
typedef struct gruI_blas {
  void (*sgemm)(int layout, int trans_a, int trans_b, int m, int n, int k, float alpha,
                const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);
  void (*dgemm)(int layout, int trans_a, int trans_b, int m, int n, int k, double alpha,
                const double *a, int lda, const double *b, int ldb, double beta, double *c,
                int ldc);
  void (*sgemv)(int layout, int trans, int m, int n, float alpha, const float *a, int lda,
                const float *x, int incx, float beta, float *y, int incy);
  void (*dgemv)(int layout, int trans, int m, int n, double alpha, const double *a, int lda,
                const double *x, int incx, double beta, double *y, int incy);
} gruI_blas;

/* The library, opened at the first call; borrowed.  It is told to use one thread, unless
** the device keeps BLAS threads.  Callable from any thread.  GRU_ERROR_DEVICE with
** fault.text where it cannot be opened. */
gru_status gruI_blas_get(gruI_device *device, const gruI_blas **out);

#endif

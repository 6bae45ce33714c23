/* blas.c - the only file that knows which BLAS there is: OpenBLAS, opened with dlopen.
**
** A library is one a process, and so are this file's variables; they are written once.
*/
#include "cpu/blas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "cpu/cpu.h"

#ifndef GRU_OPENBLAS_SONAME
#define GRU_OPENBLAS_SONAME "libopenblas.so.0"
#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;
static gruI_blas blas;
static gruI_blas library_blas; /* the library's own, where `blas` guards them */
static void (*set_threads)(int);
static char reason[128];  /* why there is none; empty when there is one */
static atomic_int single; /* the library is to use one thread */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void keep_reason(void) {
  const char *text = dlerror();
  snprintf(reason, sizeof reason, "%s", text != NULL ? text : "unknown error");
}

/* *slot = the function called `name`, through memcpy as ISO C has no such conversion. */
static int resolve(void *library, const char *name, void *slot) {
  void *symbol = dlsym(library, name);
  if (symbol == NULL) {
    keep_reason();
    return 0;
  }
  memcpy(slot, &symbol, sizeof symbol);
  return 1;
}

/* ---- flavours ---------------------------------------------------------------------- */

/* OpenBLAS comes in three: only the one with POSIX threads may be called from several threads just
** so.  The sequential one has no locks at all: one call at a time.  The one with OpenMP asks OpenMP
** how many threads to use, and that is a setting of every thread that calls. */
enum { SEQUENTIAL = 0, POSIX_THREADS = 1, OPENMP = 2 }; /* openblas_get_parallel() */
static int flavour;

static void set_single(void) {
  pthread_mutex_lock(&lock);
  set_threads(1);
  pthread_mutex_unlock(&lock);
}

static void enter(void) {
  static _Thread_local int told;
  if (flavour == SEQUENTIAL) {
    pthread_mutex_lock(&lock);
  } else if (!told && atomic_load(&single)) {
    set_single();
    told = 1;
  }
}

static void leave(void) {
  if (flavour == SEQUENTIAL) pthread_mutex_unlock(&lock);
}

#define GUARDED(name, parameters, arguments) \
  static void guarded_##name parameters { \
    enter(); \
    library_blas.name arguments; \
    leave(); \
  }
GUARDED(sgemm,
        (int layout, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a,
         int lda, const float *b, int ldb, float beta, float *c, int ldc),
        (layout, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc))
GUARDED(dgemm,
        (int layout, int trans_a, int trans_b, int m, int n, int k, double alpha, const double *a,
         int lda, const double *b, int ldb, double beta, double *c, int ldc),
        (layout, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc))
GUARDED(sgemv,
        (int layout, int trans, int m, int n, float alpha, const float *a, int lda, const float *x,
         int incx, float beta, float *y, int incy),
        (layout, trans, m, n, alpha, a, lda, x, incx, beta, y, incy))
GUARDED(dgemv,
        (int layout, int trans, int m, int n, double alpha, const double *a, int lda,
         const double *x, int incx, double beta, double *y, int incy),
        (layout, trans, m, n, alpha, a, lda, x, incx, beta, y, incy))

/* ---- the library -------------------------------------------------------------------- */

static void load(void) {
  int (*get_parallel)(void);
  void *library = dlopen(GRU_OPENBLAS_SONAME, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    keep_reason();
    return;
  }
  if (!resolve(library, "cblas_sgemm", &blas.sgemm) ||
      !resolve(library, "cblas_dgemm", &blas.dgemm) ||
      !resolve(library, "cblas_sgemv", &blas.sgemv) ||
      !resolve(library, "cblas_dgemv", &blas.dgemv) ||
      !resolve(library, "openblas_set_num_threads", &set_threads) ||
      !resolve(library, "openblas_get_parallel", &get_parallel)) {
    dlclose(library);
    return;
  }
  flavour = get_parallel();
  if (flavour == POSIX_THREADS) return;
  library_blas = blas;
  blas = (gruI_blas){guarded_sgemm, guarded_dgemm, guarded_sgemv, guarded_dgemv};
}

gru_status gruI_blas_get(gruI_device *device, const gruI_blas **out) {
  pthread_once(&once, load);
  if (reason[0] != '\0')
    return gruI_cpu_fail(device, GRU_ERROR_DEVICE,
                         "cannot load %s: %s; install libopenblas (make deps)", GRU_OPENBLAS_SONAME,
                         reason);
  if (!device->keep_blas_threads && !atomic_exchange(&single, 1)) set_single();
  *out = &blas;
  return GRU_OK;
}

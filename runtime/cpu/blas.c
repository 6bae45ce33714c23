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
static void (*set_threads)(int);
static char reason[128]; /* why there is none; empty when there is one */
static atomic_flag threads_are_set = ATOMIC_FLAG_INIT;

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

static void load(void) {
  void *library = dlopen(GRU_OPENBLAS_SONAME, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    keep_reason();
    return;
  }
  if (!resolve(library, "cblas_sgemm", &blas.sgemm) ||
      !resolve(library, "cblas_dgemm", &blas.dgemm) ||
      !resolve(library, "cblas_sgemv", &blas.sgemv) ||
      !resolve(library, "cblas_dgemv", &blas.dgemv) ||
      !resolve(library, "openblas_set_num_threads", &set_threads))
    dlclose(library);
}

gru_status gruI_blas_get(gruI_device *device, const gruI_blas **out) {
  pthread_once(&once, load);
  if (reason[0] != '\0')
    return gruI_cpu_fail(device, GRU_ERROR_DEVICE,
                         "cannot load %s: %s; install libopenblas (make deps)", GRU_OPENBLAS_SONAME,
                         reason);
  if (!device->keep_blas_threads && !atomic_flag_test_and_set(&threads_are_set)) set_threads(1);
  *out = &blas;
  return GRU_OK;
}

/* file.h - a regular file of known size, read at places, and the messages about it. */
#ifndef GRU_IO_FILE_H
#define GRU_IO_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "../gru.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "safetensors and npy are written as they lie in memory: little-endian hosts only");

typedef struct gruI_file {
  gru_runtime *rt;
  const char *op;   /* "load": what a message begins with */
  const char *path; /* the caller's */
  int fd;           /* -1 when closed */
  uint64_t size;
} gruI_file;

enum { GRUI_NAME_SHOWN = 80 }; /* room for the name of a tensor in a message */

/* Opens a regular file, anything else is refused; `path` must outlive it.  On failure
** nothing is left open. */
gru_status gruI_file_open(gruI_file *f, gru_runtime *rt, const char *op, const char *path);

/* Reads exactly `n` bytes from byte `at` on; the caller has compared both with the size. */
gru_status gruI_file_read(const gruI_file *f, uint64_t at, void *buffer, size_t n);

/* A second call does nothing. */
void gruI_file_close(gruI_file *f);

/* Sets the message "OP: PATH: ..." and returns `status`. */
gru_status gruI_file_fail(const gruI_file *f, gru_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* GRU_ERROR_INTERRUPTED when the runtime's abort check says so: ask between blocks. */
gru_status gruI_file_poll(gru_runtime *rt);

/* The failure of a call that needs both a path and a place for its result. */
gru_status gruI_file_misused(gru_runtime *rt, const char *op);

#endif

/* file.c - a regular file of known size, read at places, and the messages about it. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/runtime.h"
#include "source.h"

enum {
  PATH_SHOWN = 200,   /* bytes of a path in a message, with the NUL */
  MESSAGE_SIZE = 800, /* of a message */
  BLOCK = 16 << 20    /* read between two looks at the abort check */
};

gru_status gruI_file_fail(const gruI_file *f, gru_status status, const char *format, ...) {
  char shown[PATH_SHOWN];
  char detail[MESSAGE_SIZE - PATH_SHOWN];
  va_list args;
  va_start(args, format);
  vsnprintf(detail, sizeof detail, format, args);
  va_end(args);
  gruI_source_show(shown, sizeof shown, f->path);
  return gruI_fail(f->rt, status, "%s: %s: %s", f->op, shown, detail);
}

gru_status gruI_file_misused(gru_runtime *rt, const char *op) {
  return gruI_fail(rt, GRU_ERROR_ARGUMENT, "%s: a path and a place for the result are needed", op);
}

gru_status gruI_file_poll(gru_runtime *rt) {
  const gru_runtime_config *config = &rt->config;
  if (config->should_abort != NULL && config->should_abort(config->abort_context)) {
    return gruI_fail(rt, GRU_ERROR_INTERRUPTED, "interrupted!");
  }
  return GRU_OK;
}

/* Opens f->path and learns its size.  A pipe must not make open() wait for a writer. */
static gru_status open_regular(gruI_file *f) {
  struct stat info;
  f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (f->fd < 0 || fstat(f->fd, &info) != 0) {
    return gruI_file_fail(f, GRU_ERROR_IO, "%s", strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) return gruI_file_fail(f, GRU_ERROR_IO, "%s", strerror(EISDIR));
  if (!S_ISREG(info.st_mode)) {
    return gruI_file_fail(f, GRU_ERROR_IO, "not a regular file; its size must be known");
  }
  f->size = (uint64_t)info.st_size;
  return GRU_OK;
}

gru_status gruI_file_open(gruI_file *f, gru_runtime *rt, const char *op, const char *path) {
  *f = (gruI_file){.rt = rt, .op = op, .path = path, .fd = -1};
  gru_status status = open_regular(f);
  if (status != GRU_OK) gruI_file_close(f);
  return status;
}

gru_status gruI_file_read(const gruI_file *f, uint64_t at, void *buffer, size_t n) {
  char *to = buffer;
  while (n > 0) {
    gru_status status = gruI_file_poll(f->rt);
    if (status != GRU_OK) return status;
    ssize_t got = pread(f->fd, to, n < BLOCK ? n : BLOCK, (off_t)at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return gruI_file_fail(f, GRU_ERROR_IO, "cannot read: %s", strerror(errno));
    if (got == 0) {
      return gruI_file_fail(f, GRU_ERROR_IO,
                            "became shorter while it was read: it ends at byte %llu",
                            (unsigned long long)at);
    }
    to += got;
    at += (uint64_t)got;
    n -= (size_t)got;
  }
  return GRU_OK;
}

void gruI_file_close(gruI_file *f) {
  if (f->fd >= 0) close(f->fd);
  f->fd = -1;
}

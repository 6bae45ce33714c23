/* atomic_file.c - a file that is there whole or not at all. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
  ATTEMPTS = 100,  /* at a name for the temporary file that is free */
  NAME_ROOM = 64,  /* bytes of such a name */
  BLOCK = 16 << 20 /* written between two looks at the abort check */
};

static gru_status fail_errno(const gruI_atomic_file *f, const char *what) {
  int code = errno;
  return gruI_file_fail(&f->file, GRU_ERROR_IO, "%s%s", what, strerror(code));
}

static gru_status fail_memory(const gruI_atomic_file *f) {
  return gruI_file_fail(&f->file, GRU_ERROR_MEMORY, "no memory left");
}

/* Finds the file that is to be replaced, or made: at the end of symbolic links. */
static gru_status find_target(gruI_atomic_file *f) {
  struct stat info;
  f->target = realpath(f->file.path, NULL);
  if (f->target == NULL) {
    if (errno == ENOMEM) return fail_memory(f);
    if (errno != ENOENT || lstat(f->file.path, &info) == 0) return fail_errno(f, "");
    f->target = strdup(f->file.path); /* a new file */
    return f->target != NULL ? GRU_OK : fail_memory(f);
  }
  if (stat(f->target, &info) != 0) return fail_errno(f, "");
  if (S_ISDIR(info.st_mode)) {
    errno = EISDIR;
    return fail_errno(f, "");
  }
  if (!S_ISREG(info.st_mode)) {
    return gruI_file_fail(&f->file, GRU_ERROR_IO, "not a regular file; it is left alone");
  }
  return GRU_OK;
}

/* Makes f->temp in the folder of the target, and f->directory. */
static gru_status make_temp(gruI_atomic_file *f) {
  const char *slash = strrchr(f->target, '/');
  size_t folder = slash != NULL ? (size_t)(slash - f->target) + 1 : 0;
  char *temp = malloc(folder + NAME_ROOM);
  struct timespec now;
  if (temp == NULL) return fail_memory(f);
  memcpy(temp, f->target, folder);
  clock_gettime(CLOCK_REALTIME, &now);
  for (int i = 0; i < ATTEMPTS && f->file.fd < 0; i++) {
    snprintf(temp + folder, NAME_ROOM, ".gru-%ld-%lx-%d.tmp", (long)getpid(),
             (unsigned long)now.tv_nsec, i);
    f->file.fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f->file.fd < 0 && errno != EEXIST) break;
  }
  if (f->file.fd < 0) {
    gru_status status = fail_errno(f, "cannot make a file beside it: ");
    free(temp);
    return status;
  }
  f->temp = strdup(temp);
  if (f->temp == NULL) unlink(temp);
  temp[folder] = '\0';
  f->directory = open(folder > 0 ? temp : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(temp);
  return f->temp != NULL ? GRU_OK : fail_memory(f);
}

/* Closes and frees all; a temporary file goes. */
static void drop(gruI_atomic_file *f) {
  gruI_file_close(&f->file);
  if (f->temp != NULL) unlink(f->temp);
  if (f->directory >= 0) close(f->directory);
  free(f->temp);
  free(f->target);
  f->temp = f->target = NULL;
  f->directory = -1;
}

gru_status gruI_atomic_file_begin(gruI_atomic_file *f, gru_runtime *rt, const char *op,
                                  const char *path) {
  *f = (gruI_atomic_file){.directory = -1};
  f->file = (gruI_file){.rt = rt, .op = op, .path = path, .fd = -1};
  gru_status status = find_target(f);
  if (status == GRU_OK) status = make_temp(f);
  if (status != GRU_OK) drop(f);
  return status;
}

gru_status gruI_atomic_file_write(gruI_atomic_file *f, const void *bytes, size_t n) {
  const char *from = bytes;
  while (n > 0) {
    gru_status status = gruI_file_poll(f->file.rt);
    if (status != GRU_OK) return status;
    ssize_t put = write(f->file.fd, from, n < BLOCK ? n : BLOCK);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno(f, "cannot write: ");
    from += put;
    n -= (size_t)put;
  }
  return GRU_OK;
}

/* Brings the bytes to the disk and gives them the target's name. */
static gru_status commit(gruI_atomic_file *f) {
  int closed;
  if (fsync(f->file.fd) != 0) return fail_errno(f, "cannot write to the disk: ");
  closed = close(f->file.fd);
  f->file.fd = -1;
  if (closed != 0) return fail_errno(f, "cannot write to the disk: ");
  if (rename(f->temp, f->target) != 0) return fail_errno(f, "cannot replace it: ");
  free(f->temp);
  f->temp = NULL;
  /* The name must last as well.  Some filesystems sync no directory: EINVAL. */
  if (f->directory >= 0 && fsync(f->directory) != 0 && errno != EINVAL) {
    return fail_errno(f, "is written, but its folder cannot be brought to the disk: ");
  }
  return GRU_OK;
}

gru_status gruI_atomic_file_end(gruI_atomic_file *f, gru_status status) {
  if (status == GRU_OK) status = commit(f);
  drop(f);
  return status;
}

/* source.c - the bytes of a text: a plain file, or the one text inside a zip. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef GRU_HAVE_LIBZIP
#include <zip.h>
#endif

/* ---- messages ------------------------------------------------------------------- */

enum {
  PATH_SHOWN = 200,  /* bytes of a path in a message, with the NUL */
  ENTRY_SHOWN = 80,  /* of the name of an entry */
  MESSAGE_SIZE = 800 /* of a message; a path and three entries fit */
};

void gruI_source_show(char *out, size_t size, const char *name) {
  size_t length = strlen(name);
  size_t at = 0;
  if (length >= size) {
    memcpy(out, "...", 3);
    at = 3;
    name += length - (size - 4);
    while (((unsigned char)*name & 0xC0) == 0x80) name++; /* not amid a character */
  }
  for (; *name != '\0'; name++) {
    unsigned char c = (unsigned char)*name;
    out[at++] = (char)(c < 0x20 || c == 0x7F ? '?' : c);
  }
  out[at] = '\0';
}

gru_status gruI_source_fail(gru_runtime *rt, gru_status status, const char *path,
                            const char *format, ...) {
  char shown[PATH_SHOWN];
  char detail[MESSAGE_SIZE - PATH_SHOWN - 16];
  char message[MESSAGE_SIZE];
  va_list args;
  va_start(args, format);
  vsnprintf(detail, sizeof detail, format, args);
  va_end(args);
  gruI_source_show(shown, sizeof shown, path);
  snprintf(message, sizeof message, "text: %s: %s", shown, detail);
  return gru_runtime_fail(rt, status, message);
}

/* ---- plain files ---------------------------------------------------------------- */

/* Sets the message for a file that does not open; `code` is an errno. */
static gru_status fail_open(const gruI_source *s, int code) {
  char shown[PATH_SHOWN];
  char message[MESSAGE_SIZE];
  gruI_source_show(shown, sizeof shown, s->path);
  snprintf(message, sizeof message, "text: cannot open '%s': %s", shown, strerror(code));
  return gru_runtime_fail(s->rt, GRU_ERROR_IO, message);
}

/* Opens s->path into s->fd.  Directories are refused here; pipes and devices may pass. */
static gru_status open_file(gruI_source *s) {
  struct stat info;
  s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
  if (s->fd < 0) return fail_open(s, errno);
  if (fstat(s->fd, &info) != 0) return fail_open(s, errno);
  if (S_ISDIR(info.st_mode)) return fail_open(s, EISDIR);
  return GRU_OK;
}

/* read(), begun again when a signal cuts it short. */
static gru_status read_file(gruI_source *s, void *buffer, size_t capacity, size_t *got) {
  ssize_t n;
  do {
    n = read(s->fd, buffer, capacity);
  } while (n < 0 && errno == EINTR);
  if (n < 0) {
    return gruI_source_fail(s->rt, GRU_ERROR_IO, s->path, "cannot read: %s", strerror(errno));
  }
  *got = (size_t)n;
  return GRU_OK;
}

/* Reads s->head: four bytes, fewer only when the file is shorter. */
static gru_status read_head(gruI_source *s) {
  while (s->nhead < sizeof s->head) {
    size_t got = 0;
    gru_status status = read_file(s, s->head + s->nhead, sizeof s->head - s->nhead, &got);
    if (status != GRU_OK) return status;
    if (got == 0) break;
    s->nhead += got;
  }
  return GRU_OK;
}

/* An entry, or the end record that an empty archive consists of. */
static int is_zip(const gruI_source *s) {
  return s->nhead == 4 && (memcmp(s->head, "PK\3\4", 4) == 0 || memcmp(s->head, "PK\5\6", 4) == 0);
}

/* ---- zip ------------------------------------------------------------------------ */

#ifdef GRU_HAVE_LIBZIP

/* What a failure of libzip is in our terms. */
static gru_status zip_status(zip_error_t *error) {
  switch (zip_error_code_zip(error)) {
    case ZIP_ER_MEMORY: return GRU_ERROR_MEMORY;
    case ZIP_ER_ZLIB: /* its own code stands behind it; -4 is Z_MEM_ERROR */
      return zip_error_code_system(error) == -4 ? GRU_ERROR_MEMORY : GRU_ERROR_FORMAT;
    case ZIP_ER_OPEN:
    case ZIP_ER_READ:
    case ZIP_ER_SEEK:
    case ZIP_ER_TELL: return GRU_ERROR_IO;
    default: return GRU_ERROR_FORMAT;
  }
}

/* The name of an entry, fit for a message. */
static void show_entry(const gruI_source *s, uint64_t index, char shown[ENTRY_SHOWN]) {
  const char *name = zip_get_name(s->archive, index, 0);
  gruI_source_show(shown, ENTRY_SHOWN, name != NULL ? name : "?");
}

/* Is the entry no part of the content: a folder, or what a Finder or an editor leaves
** behind (__MACOSX/, .DS_Store, folder/._lyrics.txt)?  A leading "./" hides nothing. */
static int is_ignored(const char *name) {
  size_t length = strlen(name);
  while (strncmp(name, "./", 2) == 0) {
    name += 2;
    length -= 2;
  }
  if (length == 0 || name[length - 1] == '/') return 1;
  return strncmp(name, "__MACOSX/", 9) == 0 || name[0] == '.' || strstr(name, "/.") != NULL;
}

static int is_text(const char *name) {
  size_t length = strlen(name);
  return length >= 4 && strcasecmp(name + length - 4, ".txt") == 0;
}

enum { NAMED = 3 }; /* texts that the message about several names */

/* Sets the message for an archive with `count` texts, of which `first` are the first. */
static gru_status fail_several(const gruI_source *s, uint64_t count, const uint64_t first[NAMED]) {
  char names[NAMED * (ENTRY_SHOWN + 4)];
  char more[40] = "";
  size_t at = 0;
  for (uint64_t i = 0; i < count && i < NAMED; i++) {
    char shown[ENTRY_SHOWN];
    show_entry(s, first[i], shown);
    at += (size_t)snprintf(names + at, sizeof names - at, "%s'%s'", i > 0 ? ", " : "", shown);
  }
  if (count > NAMED) {
    snprintf(more, sizeof more, " and %llu more", (unsigned long long)(count - NAMED));
  }
  return gruI_source_fail(s->rt, GRU_ERROR_FORMAT, s->path,
                          "holds several texts (%s%s): unpack it and open one of them", names,
                          more);
}

/* Puts the number of the only text into s->index. */
static gru_status choose_entry(gruI_source *s) {
  zip_int64_t total = zip_get_num_entries(s->archive, 0);
  uint64_t first[NAMED] = {0};
  uint64_t count = 0;
  for (zip_int64_t i = 0; i < total; i++) {
    const char *name = zip_get_name(s->archive, (zip_uint64_t)i, 0);
    if (name == NULL || is_ignored(name) || !is_text(name)) continue;
    if (count < NAMED) first[count] = (uint64_t)i;
    count++;
  }
  if (count == 0) {
    return gruI_source_fail(s->rt, GRU_ERROR_FORMAT, s->path, "holds no .txt");
  }
  if (count > 1) return fail_several(s, count, first);
  s->index = first[0];
  return GRU_OK;
}

/* Opens entry s->index, and learns the size it declares. */
static gru_status open_entry(gruI_source *s) {
  const zip_uint64_t wanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD;
  char shown[ENTRY_SHOWN];
  zip_stat_t info;
  zip_error_t *error;
  show_entry(s, s->index, shown);
  if (zip_stat_index(s->archive, s->index, 0, &info) != 0 || (info.valid & wanted) != wanted) {
    return gruI_source_fail(s->rt, GRU_ERROR_FORMAT, s->path,
                            "says no size of '%s': the archive is damaged", shown);
  }
  if ((info.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && info.encryption_method != ZIP_EM_NONE) {
    return gruI_source_fail(s->rt, GRU_ERROR_FORMAT, s->path, "'%s' is encrypted: unpack it first",
                            shown);
  }
  s->declared = info.size;
  s->entry = zip_fopen_index(s->archive, s->index, 0);
  if (s->entry != NULL) return GRU_OK;
  error = zip_get_error(s->archive);
  if (zip_error_code_zip(error) == ZIP_ER_COMPNOTSUPP) {
    return gruI_source_fail(s->rt, GRU_ERROR_FORMAT, s->path,
                            "'%s' has compression method %d, which this libzip cannot "
                            "read: unpack it first",
                            shown, (int)info.comp_method);
  }
  return gruI_source_fail(s->rt, zip_status(error), s->path, "cannot read '%s': %s", shown,
                          zip_error_strerror(error));
}

/* Makes a zip of the open file: s->fd passes to s->archive. */
static gru_status open_zip(gruI_source *s) {
  int code = 0;
  gru_status status;
  if (lseek(s->fd, 0, SEEK_SET) != 0) {
    return gruI_source_fail(s->rt, GRU_ERROR_IO, s->path,
                            "a zip cannot be read from a pipe: unpack it first");
  }
  s->archive = zip_fdopen(s->fd, 0, &code);
  if (s->archive == NULL) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    status = gruI_source_fail(s->rt, zip_status(&error), s->path, "cannot be read as a zip: %s",
                              zip_error_strerror(&error));
    zip_error_fini(&error);
    return status;
  }
  s->fd = -1;
  status = choose_entry(s);
  return status == GRU_OK ? open_entry(s) : status;
}

static gru_status read_zip(gruI_source *s, void *buffer, size_t capacity, size_t *got) {
  zip_int64_t n = zip_fread(s->entry, buffer, capacity);
  char shown[ENTRY_SHOWN];
  if (n > 0 && (uint64_t)n <= s->declared - s->delivered) {
    s->delivered += (uint64_t)n;
    *got = (size_t)n;
    return GRU_OK;
  }
  if (n == 0 && s->delivered == s->declared) {
    *got = 0;
    return GRU_OK;
  }
  show_entry(s, s->index, shown);
  if (n < 0) {
    zip_error_t *error = zip_file_get_error(s->entry);
    return gruI_source_fail(s->rt, zip_status(error), s->path, "cannot read '%s': %s", shown,
                            zip_error_strerror(error));
  }
  return gruI_source_fail(s->rt, GRU_ERROR_FORMAT, s->path,
                          "'%s' unpacks to %s than the %llu bytes it declares: the "
                          "archive is damaged",
                          shown, n > 0 ? "more" : "fewer", (unsigned long long)s->declared);
}

static void close_zip(gruI_source *s) {
  if (s->entry != NULL) zip_fclose(s->entry);
  if (s->archive != NULL) zip_discard(s->archive);
  s->entry = NULL;
  s->archive = NULL;
}

#else

static gru_status open_zip(gruI_source *s) {
  return gruI_source_fail(s->rt, GRU_ERROR_IO, s->path,
                          "is a zip, and this build lacks libzip: install it (Debian: "
                          "libzip-dev) and build again, or unpack the file");
}

/* Not reached: open_zip never opens an archive. */
static gru_status read_zip(gruI_source *s, void *buffer, size_t capacity, size_t *got) {
  (void)buffer, (void)capacity, (void)got;
  return open_zip(s);
}

static void close_zip(gruI_source *s) { (void)s; }

#endif

/* ---- both ----------------------------------------------------------------------- */

gru_status gruI_source_open(gruI_source *s, gru_runtime *rt, const char *path) {
  gru_status status;
  memset(s, 0, sizeof *s);
  s->rt = rt;
  s->path = path;
  status = open_file(s);
  if (status == GRU_OK) status = read_head(s);
  if (status == GRU_OK && is_zip(s)) status = open_zip(s);
  if (status != GRU_OK) gruI_source_close(s);
  return status;
}

gru_status gruI_source_read(gruI_source *s, void *buffer, size_t capacity, size_t *got) {
  size_t left = s->nhead - s->head_used;
  if (s->archive != NULL) return read_zip(s, buffer, capacity, got);
  if (left == 0) return read_file(s, buffer, capacity, got);
  if (left > capacity) left = capacity;
  memcpy(buffer, s->head + s->head_used, left);
  s->head_used += left;
  *got = left;
  return GRU_OK;
}

void gruI_source_close(gruI_source *s) {
  close_zip(s);
  if (s->fd >= 0) close(s->fd);
  s->fd = -1;
}

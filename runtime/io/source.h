/* source.h - the bytes of a text: a plain file, or the one text inside a zip.
**
** What a file is, its first bytes say, not its name.  A zip is read through libzip where
** the build defines GRU_HAVE_LIBZIP; elsewhere it is refused with a message that says so.
*/
#ifndef GRU_IO_SOURCE_H
#define GRU_IO_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "../gru.h"

struct zip;      /* libzip's zip_t */
struct zip_file; /* libzip's zip_file_t */

typedef struct gruI_source {
  gru_runtime *rt;
  const char *path;       /* the caller's */
  int fd;                 /* plain file, -1 elsewhere */
  unsigned char head[4];  /* the first bytes of a plain file, read to see what it is */
  size_t nhead;           /* how many there are ... */
  size_t head_used;       /* ... and how many were handed out */
  struct zip *archive;    /* zip, NULL elsewhere */
  struct zip_file *entry; /* the text inside, open */
  uint64_t index;         /* its number */
  uint64_t declared;      /* the size that the archive declares for it */
  uint64_t delivered;     /* what was handed out of it */
} gruI_source;

/* Opens the text at `path`, which must outlive the source.  On failure nothing is left
** open. */
gru_status gruI_source_open(gruI_source *s, gru_runtime *rt, const char *path);

/* Reads at most `capacity` bytes and sets *got; 0 is the end.  A zip's checksum and size
** are checked there, and more bytes than it declares are never handed out. */
gru_status gruI_source_read(gruI_source *s, void *buffer, size_t capacity, size_t *got);

/* Closes what is open; a second call does nothing. */
void gruI_source_close(gruI_source *s);

/* Writes `name` to `out` fit for a message: one line, and if it is longer than `size` its
** end behind "...", cut between characters.  `size` is at least 8. */
void gruI_source_show(char *out, size_t size, const char *name);

/* Sets the message "text: PATH: ..." and returns `status`. */
gru_status gruI_source_fail(gru_runtime *rt, gru_status status, const char *path,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

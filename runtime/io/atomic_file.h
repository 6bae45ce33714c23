/* atomic_file.h - a file that is there whole or not at all.
**
** The bytes go to a new file beside the target, which takes its name once they have reached
** the disk.  Until then, and after any failure, the target is what it was before.
*/
#ifndef GRU_IO_ATOMIC_FILE_H
#define GRU_IO_ATOMIC_FILE_H

#include <stddef.h>

#include "file.h"

typedef struct gruI_atomic_file {
  gruI_file file; /* the temporary file, under the target's path as the caller gave it */
  char *target;   /* the path with symbolic links followed */
  char *temp;     /* NULL when there is no temporary file */
  int directory;  /* open, to be synced; -1 where that cannot be */
} gruI_atomic_file;

/* Begins to write `path`, which must outlive the file.  A directory, device or pipe of that
** name is refused.  On failure nothing is left behind. */
gru_status gruI_atomic_file_begin(gruI_atomic_file *f, gru_runtime *rt, const char *op,
                                  const char *path);

gru_status gruI_atomic_file_write(gruI_atomic_file *f, const void *bytes, size_t n);

/* Ends the file: with `status` GRU_OK it takes the target's name, else it is removed.
** Returns `status`, or why the former failed. */
gru_status gruI_atomic_file_end(gruI_atomic_file *f, gru_status status);

#endif

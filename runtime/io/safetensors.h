/* safetensors.h - what the files of the format share.
**
**   u64 n, little-endian | n bytes of JSON, from '{' on, padded with spaces | data
**
** The JSON maps names to {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]};
** offsets count from the first byte of data.  "__metadata__" maps strings to strings.
*/
#ifndef GRU_IO_SAFETENSORS_H
#define GRU_IO_SAFETENSORS_H

#include <cJSON.h>

#include "elements.h"

#define GRUI_SAFETENSORS_METADATA "__metadata__"

enum {
  GRUI_SAFETENSORS_PREFIX = 8,            /* bytes of n */
  GRUI_SAFETENSORS_MAX_HEADER = 100000000 /* the most that n may be */
};

/* One tensor of a header. */
typedef struct gruI_safetensor {
  const cJSON *node;   /* node->string is its name */
  const cJSON *shape;  /* an array of at most GRU_MAX_DIMS sizes */
  const char *dtype;   /* as the format calls it */
  uint64_t begin, end; /* in the data */
  gruI_element element;
} gruI_safetensor;

/* A checked header: every tensor is well formed, and together they fill the data exactly. */
typedef struct gruI_safetensors {
  cJSON *root;              /* owns all strings */
  uint64_t data;            /* where the data begin in the file */
  gruI_safetensor *tensors; /* by place in the data */
  int64_t count, room;
  const cJSON **metadata; /* strings, by key */
  int64_t metadata_count;
} gruI_safetensors;

/* Reads the header of `f` into *h, which the caller has zeroed, and ends with
** gruI_safetensors_free, also after a failure. */
gru_status gruI_safetensors_read(const gruI_file *f, gruI_safetensors *h);
void gruI_safetensors_free(gruI_safetensors *h);

/* Its shape; returns the number of dims. */
int gruI_safetensors_shape(const gruI_safetensor *t, int64_t shape[GRU_MAX_DIMS]);

#endif

/* elements.h - the element types of files, and what they become in a tensor. */
#ifndef GRU_IO_ELEMENTS_H
#define GRU_IO_ELEMENTS_H

#include <stdbool.h>

#include "file.h"

/* Everything below GRU_ELEMENT_UNREADABLE can be read. */
typedef enum gruI_element {
  GRU_ELEMENT_BOOL, /* one byte, nonzero is true */
  GRU_ELEMENT_I8,
  GRU_ELEMENT_U8,
  GRU_ELEMENT_I16,
  GRU_ELEMENT_U16,
  GRU_ELEMENT_I32,
  GRU_ELEMENT_U32,
  GRU_ELEMENT_I64,
  GRU_ELEMENT_U64, /* where it fits into int64 */
  GRU_ELEMENT_F16,
  GRU_ELEMENT_BF16,
  GRU_ELEMENT_F32,
  GRU_ELEMENT_F64,
  GRU_ELEMENT_UNREADABLE
} gruI_element;

size_t gruI_element_size(gruI_element e);     /* bytes in a file */
gru_dtype gruI_element_dtype(gruI_element e); /* what it is read as */

/* Elements in a file; name NULL where the file has one tensor only. */
typedef struct gruI_elements {
  const char *name;
  gruI_element type;
  uint64_t at; /* the first byte */
  int ndim;
  int64_t shape[GRU_MAX_DIMS];
} gruI_elements;

/* The product of the sizes times `bits`, in whole bytes: false where it, or the product of
** the sizes other than 0, passes what can be addressed, or a byte would be left half full. */
bool gruI_elements_bytes(int ndim, const int64_t *shape, unsigned bits, uint64_t *out);

/* Reads them, row-major, into a new tensor on `device` (NULL: "cpu").  The caller has
** compared their bytes with the file's size.  New reference. */
gru_status gruI_elements_read(const gruI_file *f, const gruI_elements *e, const char *device,
                              gru_tensor **out);

/* The elements of `t` as they are written: *out is a new reference to a contiguous tensor on
** the CPU (`t` itself where it is one), *data its bytes. */
gru_status gruI_elements_settle(gru_tensor *t, gru_tensor **out, const void **data, size_t *bytes);

#endif

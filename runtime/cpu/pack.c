/* pack.c - moving strided elements into and out of contiguous buffers. */
#include "cpu/map.h"

/* Writes the position of element `first` to at[] and returns the offset of its place. */
int64_t gruI_cpu_locate(int ndim, const int64_t *shape, const int64_t *stride, int64_t first,
                        int64_t *at) {
  int64_t offset = 0;
  for (int d = ndim - 1; d > 0; d--) {
    at[d] = first % shape[d];
    first /= shape[d];
    offset += at[d] * stride[d];
  }
  at[0] = first;
  return offset + first * stride[0];
}

/* Moves at[] to the start of the next row, and returns by how much the place moves. `last` is
** the number of dims outside a row. Past the last row at[0] is shape[0]. */
static inline int64_t next_row(int last, const int64_t *shape, const int64_t *stride, int64_t *at) {
  int64_t moved = -at[last] * stride[last];
  int d = last;
  at[last] = 0;
  while (d > 0) {
    d--;
    moved += stride[d];
    if (++at[d] < shape[d] || d == 0) break;
    moved -= shape[d] * stride[d];
    at[d] = 0;
  }
  return moved;
}

/* ---- packing ----------------------------------------------------------------------- */

typedef uint8_t unit_1;
typedef uint32_t __attribute__((may_alias)) unit_4;
typedef uint64_t __attribute__((may_alias)) unit_8;

#define PACK_NAME_(name, suffix) name##_##suffix
#define PACK_NAME(name, suffix) PACK_NAME_(name, suffix)

#define UNIT unit_1
#define SUFFIX 1
#include "cpu/pack.inc.h"
#define UNIT unit_4
#define SUFFIX 4
#include "cpu/pack.inc.h"
#define UNIT unit_8
#define SUFFIX 8
#include "cpu/pack.inc.h"

void gruI_cpu_pack(size_t size, int ndim, const int64_t *shape, const int64_t *stride,
                   const void *from, int64_t first, int64_t n, void *to) {
  if (n <= 0) return;
  if (size == 4)
    pack_4(ndim, shape, stride, from, first, n, to);
  else if (size == 8)
    pack_8(ndim, shape, stride, from, first, n, to);
  else
    pack_1(ndim, shape, stride, from, first, n, to);
}

void gruI_cpu_unpack(size_t size, int ndim, const int64_t *shape, const int64_t *stride, void *to,
                     int64_t first, int64_t n, const void *from) {
  if (n <= 0) return;
  if (size == 4)
    unpack_4(ndim, shape, stride, to, first, n, from);
  else if (size == 8)
    unpack_8(ndim, shape, stride, to, first, n, from);
  else
    unpack_1(ndim, shape, stride, to, first, n, from);
}

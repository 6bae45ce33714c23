/* map.h - walks strided operands and hands contiguous runs of them to a loop.
**
** An elementwise kernel, or a converting copy, is a loop that knows contiguous operands and
** hoisted scalars only.  gruI_cpu_map brings any shape into that form: directly where the
** rows are long enough, else by packing small tiles, so that a loop has few variants, short
** rows still fill vectors, and strides are dealt with in one place.
*/
#ifndef GRUI_CPU_MAP_H
#define GRUI_CPU_MAP_H

#include "cpu/cpu.h"

/* out[i] (=) f(in[0][i], in[1][i], ...) for i in 0 .. n - 1.  Bit s of `scalars` says that in[s]
** is one element for all i.  `out` may be one of the inputs that are no scalars. */
typedef void (*gruI_map_loop)(int64_t n, const void *const *in, unsigned scalars, void *out);

typedef struct gruI_map {
  gruI_map_loop loop;
  unsigned used;  /* bit s: the loop reads in[s] */
  size_t in_size; /* bytes of an element of any input */
  size_t out_size;
  int64_t block; /* elements of a block of the pool; a few run as one */
  int ndim;      /* at least 1 */
  const int64_t *shape;
  const void *const *in;
  const int64_t (*in_stride)[GRU_MAX_DIMS];
  void *out;
  const int64_t *out_stride;
} gruI_map;

/* Has a loop that reads `used` a form for these scalars?  One scalar beside something that
** is none, or the second and third of three. */
static inline int gruI_map_accepts(unsigned used, unsigned scalars) {
  if (scalars == 0) return 1;
  if ((scalars & ~used) != 0 || scalars == used) return 0;
  return (scalars & (scalars - 1)) == 0 || scalars == 6;
}

/* Work of that many blocks, about 10 us, is not worth waking threads for. */
enum { GRUI_SERIAL_BLOCKS = 4 };

/* Runs the loop over the whole shape, large ones on the pool. */
gru_status gruI_cpu_map(gruI_device *device, const gruI_map *map);

/* Copies elements first .. first + n - 1, in row-major order of `shape`, from strided `from` to
** contiguous `to`, and back.  `size` is 1, 4 or 8 bytes. */
void gruI_cpu_pack(size_t size, int ndim, const int64_t *shape, const int64_t *stride,
                   const void *from, int64_t first, int64_t n, void *to);
void gruI_cpu_unpack(size_t size, int ndim, const int64_t *shape, const int64_t *stride, void *to,
                     int64_t first, int64_t n, const void *from);

/* A tile of a transposed operand is packed into rows of GRUI_BAND_COLS (gruI_cpu_isa.transpose). */
enum { GRUI_BAND_ROWS = 16, GRUI_BAND_COLS = 64 };

/* Writes the position of element `first` to at[] and returns the offset of its place. */
int64_t gruI_cpu_locate(int ndim, const int64_t *shape, const int64_t *stride, int64_t first,
                        int64_t *at);

/* Product of the sizes. */
static inline int64_t gruI_cpu_count(int ndim, const int64_t *shape) {
  int64_t count = 1;
  for (int d = 0; d < ndim; d++) count *= shape[d];
  return count;
}

#endif

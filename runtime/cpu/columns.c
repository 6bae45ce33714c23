/* columns.c - TAKE and PUT of a matrix that lies transposed: its rows are columns in memory.
**
** A weight W (out, in) multiplies one-hot rows as W^T, so ids name columns of W.  Element by element
** that touches a cache line for each.  Here a strip, some rows of memory, is transposed into a block
** that stays in the second cache and has a row of whole lines for every id; those are moved, or added
** to in the order of the ids, and PUT transposes the block back.
*/
#include <string.h>

#include "cpu/cpu.h"

enum {
  ROW = 128,             /* bytes of a block's row */
  BLOCK_BYTES = 1 << 19, /* of a block, at most */
  ROWS_PER_ID = 4,       /* with fewer ids the transposing would cost more than it saves */
  AHEAD = 8, /* ids: their part of `packed`, a row apart, is fetched before it is needed */
  LINE = 64
};

typedef struct columns {
  const gruI_rows *call;
  const gruI_cpu_isa *isa;
  int put;
  int64_t width; /* of a strip, and of a block's rows */
  char *blocks;  /* one a worker */
  size_t bytes;  /* of each */
} columns;

int gruI_cpu_lies_transposed(const gruI_rows *r) {
  int64_t size = (int64_t)gru_dtype_size(r->dtype);
  return r->outer == 1 && r->x_row == 1 && r->x_inner >= r->size && r->dtype != GRU_BOOL &&
         r->inner * size >= ROW && r->size <= BLOCK_BYTES / ROW &&
         r->count >= r->size / ROWS_PER_ID;
}

/* `width` elements of `packed` for each id: from the block, or added to it. */
#define LINES(T, name) \
  static inline void move_##name(const gruI_rows *r, int put, void *block, void *packed, \
                                 int64_t width) { \
    enum { WIDTH = ROW / sizeof(T) }; \
    for (int64_t j = 0; j < r->count; j++) { \
      T *x = (T *)block + (r->ids[j * r->id_stride] - r->base) * WIDTH; \
      T *p = (T *)packed + j * r->inner; \
      for (int64_t i = AHEAD * r->inner, end = i + width; i < end; i += LINE / (int64_t)sizeof(T)) \
        put ? __builtin_prefetch(p + i) : __builtin_prefetch(p + i, 1); \
      if (!put) \
        memcpy(p, x, (size_t)width * sizeof(T)); \
      else \
        for (int64_t i = 0; i < width; i++) x[i] += p[i]; \
    } \
  } \
  static void lines_##name(const gruI_rows *r, int put, void *block, void *packed, \
                           int64_t width) { \
    if (width == ROW / sizeof(T)) /* nearly always: a constant */ \
      put ? move_##name(r, 1, block, packed, ROW / sizeof(T)) \
          : move_##name(r, 0, block, packed, ROW / sizeof(T)); \
    else \
      move_##name(r, put, block, packed, width); \
  }

LINES(float, float32)
LINES(double, float64)
LINES(uint64_t, int64)

static void strip(void *context, int64_t index, int worker) {
  const columns *c = context;
  const gruI_rows *r = c->call;
  size_t size = gru_dtype_size(r->dtype);
  int64_t first = index * c->width, width = gruI_cpu_min(c->width, r->inner - first);
  char *x = (char *)r->x + (size_t)(first * r->x_inner) * size;
  char *packed = (char *)r->packed + (size_t)first * size;
  char *block = c->blocks + (size_t)worker * c->bytes;
  if (c->put && r->fresh)
    memset(block, 0, c->bytes);
  else
    c->isa->transpose(size, x, r->x_inner, r->size, width, block, c->width);
  switch (r->dtype) {
    case GRU_FLOAT32: lines_float32(r, c->put, block, packed, width); break;
    case GRU_FLOAT64: lines_float64(r, c->put, block, packed, width); break;
    default: lines_int64(r, c->put, block, packed, width); break;
  }
  if (c->put) c->isa->transpose(size, block, c->width, width, r->size, x, r->x_inner);
}

gru_status gruI_cpu_columns(gruI_device *device, const gruI_rows *call, int put) {
  size_t threads = device->pool != NULL ? (size_t)gruI_pool_threads(device->pool) : 1;
  columns c = {.call = call, .isa = gruI_cpu_isa_of(device), .put = put};
  c.bytes = (size_t)call->size * ROW;
  c.width = ROW / (int64_t)gru_dtype_size(call->dtype);
  c.blocks = gruI_cpu_scratch(device, GRUI_SCRATCH_PRODUCT, threads * c.bytes);
  if (c.blocks == NULL) return GRU_ERROR_MEMORY;
  gru_status status = gruI_cpu_parallel(device, gruI_cpu_blocks(call->inner, c.width), strip, &c);
  gruI_cpu_scratch_done(device, GRUI_SCRATCH_PRODUCT);
  return status;
}

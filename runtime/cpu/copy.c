/* copy.c - strided copies and conversions between dtypes.
**
** Compiled once per instruction set (GRUI_ISA).
*/
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/map.h"

enum {
  BLOCK = 65536, /* elements of a block of the pool */
  LONG_ROW = 24, /* rows from here on are moved as such */
  PACK = 512     /* elements that pass through the stack at a time */
};

/* ---- conversions ------------------------------------------------------------------- */

/* Truncates towards zero; NaN and what does not fit become INT64_MIN, as on x86. */
static inline int64_t int_of_f32(float x) {
  return x >= -0x1p63f && x < 0x1p63f ? (int64_t)x : INT64_MIN;
}

static inline int64_t int_of_f64(double x) {
  return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN;
}

#define CONVERT(name, from_type, to_type, value) \
  static void name(int64_t n, const void *const *in, unsigned scalars, void *out) { \
    const from_type *from = in[0]; \
    to_type *to = out; \
    (void)scalars; \
    for (int64_t i = 0; i < n; i++) { \
      from_type x = from[i]; \
      to[i] = (to_type)(value); \
    } \
  }
CONVERT(b8_to_i64, uint8_t, int64_t, x)
CONVERT(b8_to_f32, uint8_t, float, x)
CONVERT(b8_to_f64, uint8_t, double, x)
CONVERT(i64_to_b8, int64_t, uint8_t, x != 0)
CONVERT(i64_to_f32, int64_t, float, x)
CONVERT(i64_to_f64, int64_t, double, x)
CONVERT(f32_to_b8, float, uint8_t, x != 0)
CONVERT(f32_to_i64, float, int64_t, int_of_f32(x))
CONVERT(f32_to_f64, float, double, x)
CONVERT(f64_to_b8, double, uint8_t, x != 0)
CONVERT(f64_to_i64, double, int64_t, int_of_f64(x))
CONVERT(f64_to_f32, double, float, x)

#define MOVE(name, size) \
  static void name(int64_t n, const void *const *in, unsigned scalars, void *out) { \
    (void)scalars; \
    memcpy(out, in[0], (size_t)n *(size)); \
  }
MOVE(move_1, 1)
MOVE(move_4, 4)
MOVE(move_8, 8)

/* [from][to] */
static const gruI_map_loop converters[4][4] = {
    [GRU_BOOL] = {move_1, b8_to_i64, b8_to_f32, b8_to_f64},
    [GRU_INT64] = {i64_to_b8, move_8, i64_to_f32, i64_to_f64},
    [GRU_FLOAT32] = {f32_to_b8, f32_to_i64, move_4, f32_to_f64},
    [GRU_FLOAT64] = {f64_to_b8, f64_to_i64, f64_to_f32, move_8},
};

static size_t size_of(gru_dtype dtype) {
  return dtype == GRU_BOOL ? 1 : dtype == GRU_FLOAT32 ? 4 : 8;
}

/* ---- the same dtype, strided ------------------------------------------------------- */

typedef struct move {
  const gruI_copy *call;
  size_t size;
  int64_t count, block;
  int in_flat, out_flat;
} move;

static int is_flat(int ndim, const int64_t *shape, const int64_t *stride) {
  int64_t expected = 1;
  for (int d = ndim - 1; d >= 0; d--) {
    if (shape[d] != 1 && stride[d] != expected) return 0;
    expected *= shape[d];
  }
  return 1;
}

/* One side is packed straight into, or unpacked straight from, the other where that is flat. */
static void move_block(void *context, int64_t block, int worker) {
  const move *m = context;
  const gruI_copy *call = m->call;
  unsigned char packed[PACK * 8];
  int64_t first = block * m->block, end = gruI_cpu_min(first + m->block, m->count);
  int64_t at = first * (int64_t)m->size;
  (void)worker;
  if (m->out_flat) {
    gruI_cpu_pack(m->size, call->ndim, call->shape, call->in_stride, call->in, first, end - first,
                  (char *)call->out + at);
    return;
  }
  if (m->in_flat) {
    gruI_cpu_unpack(m->size, call->ndim, call->shape, call->out_stride, call->out, first,
                    end - first, (const char *)call->in + at);
    return;
  }
  for (; first < end; first += PACK) {
    int64_t n = gruI_cpu_min(PACK, end - first);
    gruI_cpu_pack(m->size, call->ndim, call->shape, call->in_stride, call->in, first, n, packed);
    gruI_cpu_unpack(m->size, call->ndim, call->shape, call->out_stride, call->out, first, n,
                    packed);
  }
}

/* ---- calls ------------------------------------------------------------------------- */

static gru_status copy_by_map(gruI_device *device, const gruI_copy *call) {
  const void *in[GRUI_SLOTS] = {call->in};
  gruI_map map = {
      .loop = converters[call->in_dtype][call->out_dtype],
      .used = 1,
      .in_size = size_of(call->in_dtype),
      .out_size = size_of(call->out_dtype),
      .block = BLOCK,
      .ndim = call->ndim,
      .shape = call->shape,
      .in = in,
      .in_stride = &call->in_stride,
      .out = call->out,
      .out_stride = call->out_stride,
  };
  return gruI_cpu_map(device, &map);
}

/* Is the input contiguous along another dim than the output? */
static int is_transposed(const gruI_copy *call) {
  int last = call->ndim - 1;
  if (call->in_stride[last] <= 1 || call->out_stride[last] != 1) return 0;
  for (int d = last - 1; d >= 0; d--)
    if (call->in_stride[d] == 1) return 1;
  return 0;
}

gru_status GRUI_ISA_NAME(gruI_cpu_copy)(gruI_device *device, const gruI_copy *call) {
  int last = call->ndim - 1;
  int64_t count = gruI_cpu_count(call->ndim, call->shape);
  if (count == 0) return GRU_OK;
  if (count == 1) { /* of no dims, perhaps */
    converters[call->in_dtype][call->out_dtype](1, &call->in, 0, call->out);
    return GRU_OK;
  }
  int is_rows =
      call->in_stride[last] == 1 && call->out_stride[last] == 1 && call->shape[last] >= LONG_ROW;
  if (call->in_dtype != call->out_dtype || is_rows || is_transposed(call))
    return copy_by_map(device, call);
  move m = {.call = call,
            .size = size_of(call->in_dtype),
            .count = count,
            .block = count <= BLOCK * GRUI_SERIAL_BLOCKS ? count : BLOCK,
            .in_flat = is_flat(call->ndim, call->shape, call->in_stride),
            .out_flat = is_flat(call->ndim, call->shape, call->out_stride)};
  return gruI_cpu_parallel(device, gruI_cpu_blocks(count, m.block), move_block, &m);
}

/* map.c - strided operands for contiguous loops. */
#include "cpu/map.h"

#include <string.h>

enum {
  TILE = 512,    /* elements packed at a time */
  LONG_ROW = 24, /* rows from here on are not packed */
  LONG_BAND = 8  /* nor are transpositions of fewer rows done in bands */
};

/* ---- the plan ---------------------------------------------------------------------- */

/* How the elements are walked. */
enum {
  BY_ROWS,  /* rows as they lie */
  BY_BANDS, /* rows, of which some operands are transposed: packed a band of rows at a time */
  BY_TILES  /* TILE elements at a time, packed where need be */
};

/* How a tile of an operand is had; by bands it is one of the first three. */
enum {
  UNUSED,
  DIRECT,     /* in place */
  TRANSPOSED, /* packed for every tile of a band */
  SCALAR,     /* one element, and the loop takes it */
  PERIODIC,   /* repeats after `period` elements: packed once a block */
  PACKED      /* packed for every tile */
};

typedef struct plan {
  const gruI_map *map;
  const gruI_cpu_isa *isa;
  int64_t count, block; /* elements */
  unsigned scalars;
  int walk;
  int mode[GRUI_SLOTS];
  int band_dim;         /* along which transposed operands are contiguous */
  int64_t bands, group; /* along it, and in a block */
  int64_t period[GRUI_SLOTS];
  int out_flat;
  int64_t jump[GRUI_SLOTS + 1][GRU_MAX_DIMS]; /* of rows, in bytes; the output's last */
} plan;

static int is_flat(int ndim, const int64_t *shape, const int64_t *stride) {
  int64_t expected = 1;
  for (int d = ndim - 1; d >= 0; d--) {
    if (shape[d] != 1 && stride[d] != expected) return 0;
    expected *= shape[d];
  }
  return 1;
}

/* Elements after which an operand repeats itself. */
static int64_t period_of(int ndim, const int64_t *shape, const int64_t *stride) {
  int64_t period = 1;
  int d = 0;
  while (d < ndim && (stride[d] == 0 || shape[d] == 1)) d++;
  for (; d < ndim; d++) period *= shape[d];
  return period;
}

/* Can the loop run on the rows as they lie? */
static int plan_rows(plan *p) {
  const gruI_map *map = p->map;
  int last = map->ndim - 1;
  unsigned scalars = 0;
  if (map->shape[last] < LONG_ROW || map->out_stride[last] != 1) return 0;
  for (int s = 0; s < GRUI_SLOTS; s++) {
    if (!(map->used >> s & 1)) continue;
    if (map->in_stride[s][last] == 0)
      scalars |= 1u << s;
    else if (map->in_stride[s][last] != 1)
      return 0;
  }
  p->scalars = scalars;
  return gruI_map_accepts(map->used, scalars);
}

/* Are they rows but for operands that are contiguous along another dim? */
static int plan_bands(plan *p) {
  const gruI_map *map = p->map;
  int last = map->ndim - 1;
  unsigned scalars = 0;
  p->band_dim = -1;
  if (map->shape[last] < LONG_BAND || map->out_stride[last] != 1) return 0;
  for (int s = 0; s < GRUI_SLOTS; s++) {
    int d = last - 1;
    p->mode[s] = map->used >> s & 1 ? DIRECT : UNUSED;
    if (p->mode[s] == UNUSED || map->in_stride[s][last] == 1) continue;
    if (map->in_stride[s][last] == 0) {
      scalars |= 1u << s;
      continue;
    }
    while (d >= 0 && (map->in_stride[s][d] != 1 || map->shape[d] < LONG_BAND)) d--;
    if (d < 0 || (p->band_dim >= 0 && p->band_dim != d)) return 0;
    p->band_dim = d;
    p->mode[s] = TRANSPOSED;
  }
  if (p->band_dim < 0 || !gruI_map_accepts(map->used, scalars)) return 0;
  p->scalars = scalars;
  p->bands = gruI_cpu_blocks(map->shape[p->band_dim], GRUI_BAND_ROWS);
  p->group = p->block / (GRUI_BAND_ROWS * map->shape[last]);
  if (p->group < 1) p->group = 1;
  return 1;
}

static void plan_tiles(plan *p) {
  const gruI_map *map = p->map;
  unsigned scalars = 0;
  for (int s = 0; s < GRUI_SLOTS; s++) {
    p->mode[s] = UNUSED;
    if (!(map->used >> s & 1)) continue;
    p->period[s] = period_of(map->ndim, map->shape, map->in_stride[s]);
    if (p->period[s] == 1) scalars |= 1u << s;
    if (is_flat(map->ndim, map->shape, map->in_stride[s]))
      p->mode[s] = DIRECT;
    else
      p->mode[s] = p->period[s] <= TILE ? PERIODIC : PACKED;
  }
  p->scalars = gruI_map_accepts(map->used, scalars) ? scalars : 0;
  for (int s = 0; s < GRUI_SLOTS; s++)
    if (p->scalars >> s & 1) p->mode[s] = SCALAR;
  p->out_flat = is_flat(map->ndim, map->shape, map->out_stride);
}

/* ---- blocks ------------------------------------------------------------------------ */

/* Advances at[] to the next row and returns the dim that counted up. */
static inline int next_row_dim(int last, const int64_t *shape, int64_t *at) {
  int d = last - 1;
  while (d > 0 && at[d] + 1 == shape[d]) at[d--] = 0;
  at[d]++;
  return d;
}

/* Bytes from the start of a row to the start of the next, where dim d counts up. */
static void fill_jumps(const gruI_map *map, const int64_t *stride, size_t size, int64_t *jump) {
  int64_t back = 0;
  for (int d = map->ndim - 2; d >= 0; d--) {
    jump[d] = (stride[d] - back) * (int64_t)size;
    back += (map->shape[d] - 1) * stride[d];
  }
}

/* Elements first .. end - 1, row by row. */
static void run_rows(const plan *p, int64_t first, int64_t end) {
  const gruI_map *map = p->map;
  int last = map->ndim - 1, slots = 0, slot[GRUI_SLOTS];
  int64_t at[GRU_MAX_DIMS], left = end - first, skip;
  const char *in[GRUI_SLOTS] = {NULL};
  int64_t in_size = (int64_t)map->in_size, out_size = (int64_t)map->out_size;
  char *out = map->out;
  out += gruI_cpu_locate(map->ndim, map->shape, map->out_stride, first, at) * out_size;
  for (int s = 0; s < GRUI_SLOTS; s++)
    if (map->used >> s & 1) {
      slot[slots++] = s;
      in[s] = map->in[s];
      in[s] += gruI_cpu_locate(map->ndim, map->shape, map->in_stride[s], first, at) * in_size;
    }
  skip = at[last]; /* a block may begin inside a row; later rows are whole */
  for (;;) {
    int64_t run = gruI_cpu_min(map->shape[last] - skip, left);
    map->loop(run, (const void *const *)in, p->scalars, out);
    left -= run;
    if (left == 0) return;
    int d = next_row_dim(last, map->shape, at);
    for (int i = 0; i < slots; i++) {
      int s = slot[i];
      in[s] += p->jump[s][d];
      if (skip != 0 && !(p->scalars >> s & 1)) in[s] -= skip * in_size;
    }
    out += p->jump[GRUI_SLOTS][d] - skip * out_size;
    skip = 0;
  }
}

/* Elements first .. end - 1, tile by tile. */
static void run_tiles(const plan *p, int64_t first, int64_t end) {
  const gruI_map *map = p->map;
  _Alignas(64) unsigned char packed[GRUI_SLOTS][2 * TILE * 8];
  _Alignas(64) unsigned char result[TILE * 8];
  const void *in[GRUI_SLOTS] = {NULL};
  for (int s = 0; s < GRUI_SLOTS; s++) {
    if (p->mode[s] == SCALAR) in[s] = map->in[s];
    if (p->mode[s] != PERIODIC) continue;
    gruI_cpu_pack(map->in_size, map->ndim, map->shape, map->in_stride[s], map->in[s], 0,
                  gruI_cpu_min(TILE + p->period[s], p->count), packed[s]);
  }
  for (int64_t lo = first; lo < end; lo += TILE) {
    int64_t n = gruI_cpu_min(TILE, end - lo);
    char *out = (char *)map->out + lo * (int64_t)map->out_size;
    for (int s = 0; s < GRUI_SLOTS; s++) {
      if (p->mode[s] == DIRECT)
        in[s] = (const char *)map->in[s] + lo * (int64_t)map->in_size;
      else if (p->mode[s] == PERIODIC)
        in[s] = packed[s] + (size_t)(lo % p->period[s]) * map->in_size;
      else if (p->mode[s] == PACKED) {
        gruI_cpu_pack(map->in_size, map->ndim, map->shape, map->in_stride[s], map->in[s], lo, n,
                      packed[s]);
        in[s] = packed[s];
      }
    }
    map->loop(n, in, p->scalars, p->out_flat ? (void *)out : (void *)result);
    if (!p->out_flat)
      gruI_cpu_unpack(map->out_size, map->ndim, map->shape, map->out_stride, map->out, lo, n,
                      result);
  }
}

/* Rows first .. first + rows - 1 along the band's dim, at `offset` of the other outer dims;
** offsets are those of the slots and, last, of the output, in elements. */
static void run_band(const plan *p, int64_t rows, const int64_t *offset) {
  const gruI_map *map = p->map;
  int last = map->ndim - 1, d = p->band_dim;
  _Alignas(64) unsigned char packed[GRUI_SLOTS][GRUI_BAND_ROWS * GRUI_BAND_COLS * 8];
  int64_t size = (int64_t)map->in_size, out_size = (int64_t)map->out_size;
  for (int64_t c = 0; c < map->shape[last]; c += GRUI_BAND_COLS) {
    int64_t cols = gruI_cpu_min(GRUI_BAND_COLS, map->shape[last] - c);
    const char *in[GRUI_SLOTS] = {NULL};
    int64_t step[GRUI_SLOTS] = {0};
    for (int s = 0; s < GRUI_SLOTS; s++) {
      if (p->mode[s] == UNUSED) continue;
      in[s] = (const char *)map->in[s] + (offset[s] + c * map->in_stride[s][last]) * size;
      step[s] = map->in_stride[s][d] * size;
      if (p->mode[s] != TRANSPOSED) continue;
      p->isa->transpose(map->in_size, in[s], map->in_stride[s][last], rows, cols, packed[s],
                        GRUI_BAND_COLS);
      in[s] = (const char *)packed[s];
      step[s] = GRUI_BAND_COLS * size;
    }
    char *out = (char *)map->out + (offset[GRUI_SLOTS] + c) * out_size;
    for (int64_t r = 0; r < rows; r++) {
      map->loop(cols, (const void *const *)in, p->scalars, out);
      for (int s = 0; s < GRUI_SLOTS; s++)
        if (p->mode[s] != UNUSED) in[s] += step[s];
      out += map->out_stride[d] * out_size;
    }
  }
}

/* Bands first .. end - 1, in row-major order of the outer dims. */
static void run_bands(const plan *p, int64_t first, int64_t end) {
  const gruI_map *map = p->map;
  for (int64_t band = first; band < end; band++) {
    int64_t offset[GRUI_SLOTS + 1] = {0}, rest = band, rows = 0;
    for (int d = map->ndim - 2; d >= 0; d--) {
      int64_t size = d == p->band_dim ? p->bands : map->shape[d], at = rest % size;
      rest /= size;
      if (d == p->band_dim) {
        at *= GRUI_BAND_ROWS;
        rows = gruI_cpu_min(GRUI_BAND_ROWS, map->shape[d] - at);
      }
      for (int s = 0; s < GRUI_SLOTS; s++)
        if (p->mode[s] != UNUSED) offset[s] += at * map->in_stride[s][d];
      offset[GRUI_SLOTS] += at * map->out_stride[d];
    }
    run_band(p, rows, offset);
  }
}

static void run_block(void *context, int64_t block, int worker) {
  const plan *p = context;
  int64_t first = block * p->block, end = gruI_cpu_min(first + p->block, p->count);
  (void)worker;
  if (p->walk == BY_ROWS)
    run_rows(p, first, end);
  else
    run_tiles(p, first, end);
}

static void run_band_block(void *context, int64_t block, int worker) {
  const plan *p = context;
  const gruI_map *map = p->map;
  int64_t band = map->shape[p->band_dim] * map->shape[map->ndim - 1];
  int64_t bands = p->count / band * p->bands;
  (void)worker;
  run_bands(p, block * p->group, gruI_cpu_min((block + 1) * p->group, bands));
}

gru_status gruI_cpu_map(gruI_device *device, const gruI_map *map) {
  plan p;
  p.map = map;
  p.isa = gruI_cpu_isa_of(device);
  p.count = gruI_cpu_count(map->ndim, map->shape);
  if (p.count == 0) return GRU_OK;
  p.block = p.count <= map->block * GRUI_SERIAL_BLOCKS ? p.count : map->block;
  p.walk = plan_rows(&p) ? BY_ROWS : plan_bands(&p) ? BY_BANDS : BY_TILES;
  if (p.walk == BY_BANDS) {
    int64_t outer = p.count / (map->shape[p.band_dim] * map->shape[map->ndim - 1]);
    return gruI_cpu_parallel(device, gruI_cpu_blocks(outer * p.bands, p.group), run_band_block, &p);
  }
  if (p.walk == BY_ROWS) {
    for (int s = 0; s < GRUI_SLOTS; s++)
      if (map->used >> s & 1) fill_jumps(map, map->in_stride[s], map->in_size, p.jump[s]);
    fill_jumps(map, map->out_stride, map->out_size, p.jump[GRUI_SLOTS]);
  } else {
    plan_tiles(&p);
  }
  return gruI_cpu_parallel(device, gruI_cpu_blocks(p.count, p.block), run_block, &p);
}

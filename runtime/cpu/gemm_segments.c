/* gemm_segments.c - one product of matrices whose rows lie in several places.
**
** Both sides are packed straight from where they lie, b into panels and a into strips (panel.h).  As in
** gemm_panels.c an element of c is one chain of fused multiply-adds a block of k, and the bits depend on
** the shapes of the segments alone.
**
** For later, the same is two offers (core/offers.h): packing, then multiplying, in blocks so small that a
** job which needs the thread does not wait long.
*/
#include <string.h>

#include "core/pool.h"
#include "cpu/cpu.h"
#include "cpu/panel.h"

enum {
  K_BYTES = 4096,
  PACKED_BYTES = 4 << 20,
  ROWS = 64,             /* of a block of c */
  UNIT = 64,             /* rows that one job packs */
  JOBS = 8,              /* that are enough */
  SMALL_WORK = 1 << 18,  /* multiplications that one thread does */
  LATER_WORK = 1 << 20,  /* that are worth an offer */
  LATER_BYTES = 16 << 20 /* of packed b, at most */
};

typedef struct product {
  const gruI_segments *call;
  const gruI_panel_kernels *panel;
  size_t size;
  int64_t k, cols;       /* of a block */
  int64_t groups, group; /* the panels of a block: how many groups, of how many panels */
  /* The block under way: rows p0 .. of the segments below each other, columns j .. */
  int64_t p0, j, panels;
  char *strips;
  gruI_panels block;
} product;

/* ---- packing --------------------------------------------------------------------------- */

/* Rows first .. first + rows - 1 of segment `s` become rows `to` .. of the block. */
static void pack_piece(const product *p, const gruI_segment *s, int64_t first, int64_t rows,
                       int64_t to) {
  const gruI_segments *g = p->call;
  const char *b = (const char *)s->b + (size_t)(first * s->ldb + p->j) * p->size;
  p->panel->pack_rows(&p->block, to, rows, b, s->ldb);
  if (p->j > 0) return; /* the strips are there */
  const char *a = (const char *)s->a + (size_t)(first * s->lda) * p->size;
  p->panel->pack_strips(g->dtype, p->strips, p->block.k, to, rows, a, s->lda, g->m);
}

static void pack_unit(void *context, int64_t index, int worker) {
  const product *p = context;
  int64_t from = p->p0 + index * UNIT;
  int64_t end = gruI_cpu_min(from + UNIT, p->p0 + p->block.k), start = 0;
  (void)worker;
  for (int64_t i = 0; i < p->call->count && start < end; i++) {
    const gruI_segment *s = &p->call->list[i];
    int64_t first = from > start ? from - start : 0, last = gruI_cpu_min(s->rows, end - start);
    if (first < last) pack_piece(p, s, first, last - first, start + first - p->p0);
    start += s->rows;
  }
}

/* ---- multiplying ----------------------------------------------------------------------- */

static void multiply_block(void *context, int64_t index, int worker) {
  const product *p = context;
  const gruI_segments *g = p->call;
  int64_t row = index / p->groups * ROWS, first = index % p->groups * p->group;
  (void)worker;
  p->panel->multiply(&(gruI_panel_call){.b = &p->block,
                                        .first = first,
                                        .last = gruI_cpu_min(first + p->group, p->panels),
                                        .rows = gruI_cpu_min(ROWS, g->m - row),
                                        .a = p->strips + (size_t)(row * p->block.k) * p->size,
                                        .lda = GRUI_STRIP,
                                        .trans_a = 1,
                                        .strips = 1,
                                        .c = (char *)g->c + (size_t)(row * g->ldc + p->j) * p->size,
                                        .ldc = g->ldc,
                                        .accumulate = g->accumulate || p->p0 > 0});
}

/* Runs jobs 0 .. count - 1: on the pool, or (device NULL) here. */
static gru_status each(gruI_device *device, int64_t count, gruI_job job, product *p) {
  if (device != NULL) return gruI_cpu_parallel(device, count, job, p);
  for (int64_t i = 0; i < count; i++) job(p, i, 0);
  return GRU_OK;
}

static gru_status block(gruI_device *device, product *p) {
  int64_t blocks = gruI_cpu_blocks(p->call->m, ROWS);
  p->panels = p->panel->count(p->block.dtype, p->block.n);
  p->group = gruI_cpu_blocks(p->panels, gruI_cpu_min(gruI_cpu_blocks(JOBS, blocks), p->panels));
  p->groups = gruI_cpu_blocks(p->panels, p->group);
  gru_status status = each(device, gruI_cpu_blocks(p->block.k, UNIT), pack_unit, p);
  if (status != GRU_OK) return status;
  return each(device, blocks * p->groups, multiply_block, p);
}

/* ---- a call ------------------------------------------------------------------------------ */

static int64_t rows_of(const gruI_segments *g) {
  int64_t k = 0;
  for (int64_t i = 0; i < g->count; i++) k += g->list[i].rows;
  return k;
}

/* The product, in blocks of how many terms. */
static product product_of(gruI_device *device, const gruI_segments *g, int64_t k) {
  product p = {
      .call = g, .panel = gruI_cpu_isa_of(device)->panel, .size = gru_dtype_size(g->dtype)};
  int64_t most = K_BYTES / (int64_t)p.size;
  p.k = gruI_cpu_blocks(k, gruI_cpu_blocks(k, most + most / 4));
  p.block.dtype = g->dtype;
  return p;
}

/* Room for a block of b. */
static size_t packed_bytes(const product *p) {
  return (p->panel->bytes(p->call->dtype, p->k, p->cols) + 63) & ~(size_t)63;
}

/* Room for all strips of a block. */
static size_t strip_bytes(const product *p) {
  return (size_t)(gruI_cpu_blocks(p->call->m, GRUI_STRIP) * GRUI_STRIP * p->k) * p->size;
}

/* Where the kernels of panel.h pay. */
static int suits_panels(const gruI_device *device, const gruI_segments *g) {
  int is_float = g->dtype == GRU_FLOAT32 || g->dtype == GRU_FLOAT64;
  return is_float && gruI_cpu_isa_of(device)->panel->lanes(GRU_FLOAT32) >= 8;
}

static gru_status multiply(gruI_device *device, const gruI_segments *g, int64_t k) {
  product p = product_of(device, g, k);
  int64_t lanes = p.panel->lanes(g->dtype);
  int64_t fits = PACKED_BYTES / (int64_t)p.size / p.k / lanes * lanes;
  int64_t parts = gruI_cpu_blocks(g->n, fits);
  p.cols = gruI_cpu_blocks(gruI_cpu_blocks(g->n, parts), lanes) * lanes;
  size_t packed = packed_bytes(&p);
  size_t strips = strip_bytes(&p);
  char *scratch = gruI_cpu_scratch(device, GRUI_SCRATCH_PRODUCT, packed + strips);
  if (scratch == NULL) return GRU_ERROR_MEMORY;
  p.strips = scratch + packed;
  p.block.data = scratch;
  int small = (double)g->m * (double)g->n * (double)k < (double)SMALL_WORK;
  gru_status status = GRU_OK;
  for (p.p0 = 0; p.p0 < k && status == GRU_OK; p.p0 += p.k) {
    p.block.k = gruI_cpu_min(p.k, k - p.p0);
    for (p.j = 0; p.j < g->n && status == GRU_OK; p.j += p.cols) {
      p.block.n = gruI_cpu_min(p.cols, g->n - p.j);
      status = block(small ? NULL : device, &p);
    }
  }
  gruI_cpu_scratch_done(device, GRUI_SCRATCH_PRODUCT);
  return status;
}

/* The rows of a (or b) of all segments, `width` elements each, below each other. */
static void join(const gruI_segments *g, int want_b, int64_t width, char *out) {
  size_t size = gru_dtype_size(g->dtype), bytes = (size_t)width * size;
  for (int64_t i = 0; i < g->count; i++) {
    const gruI_segment *s = &g->list[i];
    const char *from = want_b ? s->b : s->a;
    size_t step = (size_t)(want_b ? s->ldb : s->lda) * size;
    for (int64_t r = 0; r < s->rows; r++, out += bytes) memcpy(out, from + (size_t)r * step, bytes);
  }
}

/* The same where the kernels of panel.h do not pay. */
static gru_status multiply_joined(gruI_device *device, const gruI_segments *g, int64_t k) {
  size_t size = gru_dtype_size(g->dtype), bytes = (size_t)(k * g->m) * size;
  char *a = gruI_cpu_scratch(device, GRUI_SCRATCH_LAYER, bytes + (size_t)(k * g->n) * size + 64);
  if (a == NULL) return GRU_ERROR_MEMORY;
  join(g, 0, g->m, a);
  join(g, 1, g->n, a + bytes);
  gruI_gemm call = {.dtype = g->dtype,
                    .trans_a = 1,
                    .accumulate = g->accumulate,
                    .batch = 1,
                    .m = g->m,
                    .n = g->n,
                    .k = k,
                    .a = a,
                    .b = a + bytes,
                    .c = g->c,
                    .lda = g->m,
                    .ldb = g->n,
                    .ldc = g->ldc};
  gru_status status = gruI_cpu_gemm(device, &call);
  gruI_cpu_scratch_done(device, GRUI_SCRATCH_LAYER);
  return status;
}

gru_status gruI_cpu_gemm_segments(gruI_device *device, const gruI_segments *call) {
  int64_t k = rows_of(call);
  if (call->m <= 0 || call->n <= 0 || call->count <= 0) return GRU_OK;
  if (k == 0 || !suits_panels(device, call)) return multiply_joined(device, call, k);
  return multiply(device, call, k);
}

/* ---- for later --------------------------------------------------------------------------- */

/* What lies in the room, and behind it the list, the packed b and the strips. */
typedef struct later {
  gruI_offer pack, multiply;
  product product;
  gruI_segments call;
} later;

typedef struct places {
  size_t list, b, strips, end;
} places;

static size_t rounded(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

/* Where things lie in the room of a product of k terms. */
static places places_of(const product *p, int64_t k) {
  const gruI_segments *g = p->call;
  places at = {.list = rounded(sizeof(later))};
  at.b = at.list + rounded((size_t)g->count * sizeof *g->list);
  at.strips = at.b + rounded(p->panel->bytes(g->dtype, k, g->n));
  at.end = at.strips + strip_bytes(p);
  return at;
}

size_t gruI_cpu_later_bytes(gruI_device *device, const gruI_segments *call) {
  int64_t k = rows_of(call);
  double work = (double)call->m * (double)call->n * (double)k;
  if (device->pool == NULL || work < (double)LATER_WORK || !suits_panels(device, call)) return 0;
  product p = product_of(device, call, k);
  if (p.k != k || p.panel->bytes(call->dtype, k, call->n) > LATER_BYTES) return 0;
  return places_of(&p, k).end;
}

void gruI_cpu_later_begin(gruI_device *device, const gruI_segments *call, void *room) {
  later *l = room;
  int64_t k = rows_of(call);
  product p = product_of(device, call, k);
  places at = places_of(&p, k);
  l->call = *call;
  l->call.list =
      memcpy((char *)room + at.list, call->list, (size_t)call->count * sizeof *call->list);
  p.call = &l->call;
  p.cols = p.block.n = call->n;
  p.block.k = k;
  p.block.data = (char *)room + at.b;
  p.strips = (char *)room + at.strips;
  p.panels = p.groups = p.panel->count(call->dtype, call->n);
  p.group = 1;
  l->product = p;
  l->pack =
      (gruI_offer){.job = pack_unit, .context = &l->product, .blocks = gruI_cpu_blocks(k, UNIT)};
  l->multiply = (gruI_offer){.job = multiply_block,
                             .context = &l->product,
                             .blocks = gruI_cpu_blocks(call->m, ROWS) * p.groups};
  gruI_pool_offer(device->pool, &l->pack);
  gruI_pool_offer(device->pool, &l->multiply);
}

int gruI_cpu_later_is_done(const void *room) {
  return gruI_offer_is_done(&((const later *)room)->multiply);
}

gru_status gruI_cpu_later_end(gruI_device *device, void *room, int withdraw) {
  later *l = room;
  gru_status status = withdraw ? GRU_OK : gruI_pool_finish(device->pool, &l->multiply);
  if (status != GRU_OK) gruI_cpu_fail(device, status, "interrupted!");
  if (withdraw || status != GRU_OK) {
    gruI_pool_withdraw(device->pool, &l->multiply);
    gruI_pool_withdraw(device->pool, &l->pack);
  }
  return status;
}

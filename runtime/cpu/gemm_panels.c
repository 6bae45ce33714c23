/* gemm_panels.c - products of float matrices with the kernels of panel.h.
**
** c is made in blocks of k and of columns, whose part of b is packed (or, where few rows would not
** pay for that, used as it lies), and within them in blocks of rows and panels, which the pool
** shares out.  An element of c is one chain of fused multiply-adds a block of k, and these depend on
** the shape alone; so do the bits, whatever the blocks of rows and panels.
*/
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/pack_cache.h"
#include "cpu/panel.h"

enum {
  K_BYTES = 4096,         /* of a row of a in a block of k; a quarter more rather than two blocks */
  PACKED_BYTES = 4 << 20, /* of a packed block of b, at most; it lies in the last cache */
  ROWS = 32,              /* of a block of c */
  DIRECT_ROWS = 96,       /* up to these whole vectors of b's columns are not packed, ... */
  DIRECT_BYTES = 1 << 19, /* ... unless b is large and its rows lie multiples of ... */
  ALIASED = 512,          /* ... these bytes apart: they would push each other out of the cache */
  JOBS = 32,              /* that are enough */
  SMALL_WORK = 1 << 18    /* multiplications that one thread does: about 2 us */
};

typedef struct product {
  const gruI_gemm *call;
  const char *bias; /* NULL: none */
  const gruI_panel_kernels *panel;
  int64_t k, cols;       /* of a block */
  int64_t direct;        /* columns from 0 on that are used as they lie */
  int64_t groups, group; /* the panels of a block: how many groups, of how many panels */
  size_t bytes;          /* of packed b */
  /* The block under way. */
  const char *a, *b;
  char *c;
  int64_t j, p0;
  int is_direct, is_packed; /* as it lies; before */
  gruI_panels block;
  int64_t panels;
} product;

static size_t size_of(const product *p) { return gru_dtype_size(p->call->dtype); }

static const char *at(const product *p, const char *base, int64_t i) {
  return base + (size_t)i * size_of(p);
}

/* ---- a block of k and columns ---------------------------------------------------------- */

static void pack_panel(void *context, int64_t index, int worker) {
  const product *p = context;
  const gruI_gemm *g = p->call;
  (void)worker;
  p->panel->pack(&p->block, p->b, g->trans_b ? 1 : g->ldb, g->trans_b ? g->ldb : 1, index,
                 index + 1);
}

/* Rows and panels number `index`. */
static void multiply_block(void *context, int64_t index, int worker) {
  const product *p = context;
  const gruI_gemm *g = p->call;
  int64_t row = index / p->groups * ROWS, rows = gruI_cpu_min(ROWS, g->m - row);
  int64_t first = index % p->groups * p->group, last = gruI_cpu_min(first + p->group, p->panels);
  int is_last = p->p0 + p->block.k == g->k; /* of the blocks that an element of c is a sum of */
  (void)worker;
  p->panel->multiply(&(gruI_panel_call){.b = &p->block,
                                        .ldb = p->is_direct ? g->ldb : 0,
                                        .first = first,
                                        .last = last,
                                        .rows = rows,
                                        .a = at(p, p->a, g->trans_a ? row : row * g->lda),
                                        .lda = g->lda,
                                        .trans_a = g->trans_a,
                                        .c = (char *)(uintptr_t)at(p, p->c, row * g->ldc),
                                        .ldc = g->ldc,
                                        .accumulate = g->accumulate || p->p0 > 0,
                                        .bias = is_last && p->bias ? at(p, p->bias, p->j) : NULL});
}

/* Panels together, so that there are some jobs where there are few rows. */
static void share_out(product *p) {
  int64_t blocks = gruI_cpu_blocks(p->call->m, ROWS);
  int64_t groups = gruI_cpu_min(gruI_cpu_blocks(JOBS, blocks), p->panels);
  p->group = gruI_cpu_blocks(p->panels, groups);
  p->groups = gruI_cpu_blocks(p->panels, p->group);
}

/* Runs jobs 0 .. count - 1: on the pool, or (device NULL) here. */
static gru_status each(gruI_device *device, int64_t count, gruI_job job, product *p) {
  if (device != NULL) return gruI_cpu_parallel(device, count, job, p);
  for (int64_t i = 0; i < count; i++) job(p, i, 0);
  return GRU_OK;
}

static gru_status block(gruI_device *device, product *p) {
  p->panels = p->panel->count(p->call->dtype, p->block.n);
  share_out(p);
  gru_status status = GRU_OK;
  if (!p->is_direct && !p->is_packed) status = each(device, p->panels, pack_panel, p);
  if (status != GRU_OK) return status;
  return each(device, gruI_cpu_blocks(p->call->m, ROWS) * p->groups, multiply_block, p);
}

/* One product of the batch, with `packed` to pack into. */
static gru_status multiply(gruI_device *device, product p, int64_t item, char *packed) {
  const gruI_gemm *g = p.call;
  const char *a = at(&p, g->a, item * g->batch_a), *b = at(&p, g->b, item * g->batch_b);
  const char *c = at(&p, g->c, item * g->batch_c);
  gru_status status = GRU_OK;
  p.block.dtype = g->dtype;
  for (int64_t j = 0, cols; j < g->n; j += cols) {
    p.j = j;
    p.is_direct = j < p.direct;
    cols = p.is_direct ? p.direct : gruI_cpu_min(p.cols, g->n - j);
    for (p.p0 = 0; p.p0 < g->k && status == GRU_OK; p.p0 += p.k) {
      p.block.k = gruI_cpu_min(p.k, g->k - p.p0);
      p.block.n = cols;
      p.a = at(&p, a, g->trans_a ? p.p0 * g->lda : p.p0);
      p.b = at(&p, b, g->trans_b ? j * g->ldb + p.p0 : p.p0 * g->ldb + j);
      p.c = (char *)(uintptr_t)at(&p, c, j);
      p.block.data = p.is_direct ? (char *)(uintptr_t)p.b : packed;
      p.is_packed = 0;
      if (!p.is_direct && device != NULL && p.k >= g->k && j + cols == g->n) { /* b in one piece */
        void *kept = gruI_pack_cache_find(device, g, j, p.bytes, &p.is_packed);
        if (kept != NULL) p.block.data = kept;
      }
      status = block(device, &p);
    }
  }
  if (status != GRU_OK && device != NULL)
    gruI_pack_cache_drop(device); /* one may be half written */
  return status;
}

/* ---- a call ------------------------------------------------------------------------------ */

static void choose_blocks(product *p) {
  const gruI_gemm *g = p->call;
  int64_t lanes = p->panel->lanes(g->dtype), size = (int64_t)size_of(p);
  int64_t most = K_BYTES / size, parts = gruI_cpu_blocks(g->k, most + most / 4);
  p->k = gruI_cpu_blocks(g->k, parts);
  double bytes = (double)g->k * (double)(g->ldb * size);
  int aliased = bytes > DIRECT_BYTES && g->ldb * size % ALIASED == 0;
  if (!g->trans_b && g->m <= DIRECT_ROWS && !aliased) p->direct = g->n / lanes * lanes;
  p->cols = g->n - p->direct;
  int64_t fits = PACKED_BYTES / size / p->k / lanes * lanes;
  if (p->cols > fits) {
    parts = gruI_cpu_blocks(p->cols, fits);
    p->cols = gruI_cpu_blocks(gruI_cpu_blocks(p->cols, parts), lanes) * lanes;
  }
  p->bytes = (p->panel->bytes(g->dtype, p->k, p->cols) + 63) & ~(size_t)63;
}

typedef struct batch {
  product product;
  char *packed; /* product.bytes a worker */
} batch;

static void multiply_item(void *context, int64_t index, int worker) {
  const batch *b = context;
  char *packed = b->packed + (size_t)worker * b->product.bytes;
  (void)multiply(NULL, b->product, index, packed);
}

gru_status gruI_cpu_gemm_panels(gruI_device *device, const gruI_gemm *call, const void *bias) {
  batch b = {.product = {.call = call, .bias = bias, .panel = gruI_cpu_isa_of(device)->panel}};
  choose_blocks(&b.product);
  size_t threads = device->pool != NULL ? (size_t)gruI_pool_threads(device->pool) : 1;
  double work = (double)call->m * (double)call->n * (double)call->k;
  int small = work < (double)SMALL_WORK;
  int by_item = call->batch > 1 && work < JOBS * (double)SMALL_WORK;
  size_t packed = b.product.bytes * (by_item ? threads : 1);
  b.packed = gruI_cpu_scratch(device, GRUI_SCRATCH_PRODUCT, packed + 64);
  if (b.packed == NULL) return GRU_ERROR_MEMORY;
  gru_status status = GRU_OK;
  if (by_item)
    status = gruI_cpu_parallel(device, call->batch, multiply_item, &b);
  else
    for (int64_t i = 0; i < call->batch && status == GRU_OK; i++)
      status = multiply(small ? NULL : device, b.product, i, b.packed);
  gruI_cpu_scratch_done(device, GRUI_SCRATCH_PRODUCT);
  return status;
}

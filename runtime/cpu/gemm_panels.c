/* gemm_panels.c - products of float matrices with the kernels of panel.h.
**
** c is made in blocks of k and of columns, whose part of b is packed (or, where few rows would not
** pay for that, used as it lies), and within them in blocks of rows and panels, which the pool
** shares out.  A transposed a is cut into strips, block by block, by the thread that multiplies it.  An
** element of c is one chain of fused multiply-adds a block of k, and these depend on the shape alone; so
** do the bits, whatever the blocks of rows and panels.
*/
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/pack_cache.h"
#include "cpu/panel.h"

enum {
  K_BYTES = 4096,         /* of a row of a in a block of k; a quarter more rather than two blocks */
  STRIP_K_BYTES = 2048,   /* the same where a is cut into strips */
  PACKED_BYTES = 4 << 20, /* of a packed block of b, at most; it lies in the last cache */
  ROWS = 32,              /* of a block of c, ... */
  NEAR_BYTES =
      3 << 19,       /* ... unless packed b is larger, and so not in the second cache: then ... */
  FAR_ROWS = 128,    /* ... what is fetched of it serves more rows */
  STRIP_ROWS = 64,   /* where a is cut into strips */
  STRIP_LEAST = 128, /* columns of c and terms of k for which strips pay */
  STRIP_COLS = 256,  /* of c for which they are cut anew, so that there are blocks enough */
  DIRECT_ROWS = 96,  /* up to these whole vectors of b's columns are not packed, ... */
  DIRECT_BYTES =
      1 << 19,         /* ... unless b comes again, or is large and its rows lie multiples of ... */
  ALIASED = 512,       /* ... these bytes apart: they would push each other out of the cache */
  JOBS = 32,           /* that are enough, ... */
  STRIP_JOBS = 4,      /* ... and that a thread needs where each of them cuts strips */
  SMALL_WORK = 1 << 18 /* multiplications that one thread does: about 2 us */
};

typedef struct product {
  const gruI_gemm *call;
  const char *bias; /* NULL: none */
  const gruI_panel_kernels *panel;
  int64_t k, cols;       /* of a block */
  int64_t direct;        /* columns from 0 on that are used as they lie */
  int64_t rows;          /* of a block of c */
  int64_t groups, group; /* the panels of a block: how many groups, of how many panels */
  int64_t threads;
  size_t bytes;       /* of packed b */
  size_t strip_bytes; /* of a block of rows in strips; 0: a is used as it lies */
  char *strips;       /* room for them, a worker */
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
  int64_t row = index / p->groups * p->rows, rows = gruI_cpu_min(p->rows, g->m - row);
  int64_t first = index % p->groups * p->group, last = gruI_cpu_min(first + p->group, p->panels);
  int is_last = p->p0 + p->block.k == g->k; /* of the blocks that an element of c is a sum of */
  const char *a = at(p, p->a, g->trans_a ? row : row * g->lda);
  char *strips = p->strip_bytes > 0 ? p->strips + (size_t)worker * p->strip_bytes : NULL;
  if (strips != NULL)
    p->panel->pack_strips(g->dtype, strips, p->block.k, 0, p->block.k, a, g->lda, rows);
  p->panel->multiply(&(gruI_panel_call){.b = &p->block,
                                        .ldb = p->is_direct ? g->ldb : 0,
                                        .first = first,
                                        .last = last,
                                        .rows = rows,
                                        .a = strips != NULL ? strips : a,
                                        .lda = strips != NULL ? GRUI_STRIP : g->lda,
                                        .trans_a = g->trans_a,
                                        .strips = strips != NULL,
                                        .c = (char *)(uintptr_t)at(p, p->c, row * g->ldc),
                                        .ldc = g->ldc,
                                        .accumulate = g->accumulate || p->p0 > 0,
                                        .bias = is_last && p->bias ? at(p, p->bias, p->j) : NULL});
}

/* Panels together, so that there are some jobs where there are few rows.  Strips are cut once a group,
** so that there are no more of these than the threads need. */
static void share_out(product *p) {
  int64_t jobs = p->strip_bytes > 0 ? gruI_cpu_min(STRIP_JOBS * p->threads, JOBS) : JOBS;
  int64_t most = p->strip_bytes > 0 ? gruI_cpu_blocks(p->block.n, STRIP_COLS) : p->panels;
  int64_t groups = gruI_cpu_blocks(jobs, gruI_cpu_blocks(p->call->m, p->rows));
  groups = gruI_cpu_min(gruI_cpu_min(groups, most), p->panels);
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
  return each(device, gruI_cpu_blocks(p->call->m, p->rows) * p->groups, multiply_block, p);
}

/* One product of the batch.  `room`: for packed b (unless `kept` has it, or is to), and for strips. */
static gru_status multiply(gruI_device *device, product p, int64_t item, char *room, void *kept) {
  const gruI_gemm *g = p.call;
  const char *a = at(&p, g->a, item * g->batch_a), *b = at(&p, g->b, item * g->batch_b);
  const char *c = at(&p, g->c, item * g->batch_c);
  gru_status status = GRU_OK;
  p.block.dtype = g->dtype;
  p.strips = room + p.bytes;
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
      p.block.data = p.is_direct ? (char *)(uintptr_t)p.b : kept != NULL ? kept : room;
      status = block(device, &p);
    }
  }
  return status;
}

/* ---- a call ------------------------------------------------------------------------------ */

static size_t rounded(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

/* The columns that are packed in blocks. */
static void choose_cols(product *p) {
  int64_t lanes = p->panel->lanes(p->call->dtype);
  int64_t fits = PACKED_BYTES / (int64_t)size_of(p) / p->k / lanes * lanes;
  p->cols = p->call->n - p->direct;
  if (p->cols > fits) {
    int64_t parts = gruI_cpu_blocks(p->cols, fits);
    p->cols = gruI_cpu_blocks(gruI_cpu_blocks(p->cols, parts), lanes) * lanes;
  }
  p->bytes = rounded(p->panel->bytes(p->call->dtype, p->k, p->cols));
}

static void choose_blocks(product *p) {
  const gruI_gemm *g = p->call;
  int64_t size = (int64_t)size_of(p);
  int cut = g->trans_a && g->n >= STRIP_LEAST && g->k >= STRIP_LEAST;
  int64_t most = (cut ? STRIP_K_BYTES : K_BYTES) / size;
  p->k = gruI_cpu_blocks(g->k, gruI_cpu_blocks(g->k, most + most / 4));
  choose_cols(p);
  p->rows = cut ? STRIP_ROWS : p->bytes > NEAR_BYTES ? FAR_ROWS : ROWS;
  if (cut) p->strip_bytes = rounded((size_t)(STRIP_ROWS * p->k * size));
}

/* With few rows b is used as it lies. */
static void choose_direct(product *p) {
  const gruI_gemm *g = p->call;
  int64_t lanes = p->panel->lanes(g->dtype), stride = g->ldb * (int64_t)size_of(p);
  int aliased = (double)g->k * (double)stride > DIRECT_BYTES && stride % ALIASED == 0;
  if (g->trans_b || g->m > DIRECT_ROWS || aliased) return;
  p->direct = g->n / lanes * lanes;
  choose_cols(p);
}

int gruI_cpu_gemm_panels_offer(gruI_device *device, const gruI_gemm *call, gruI_offer *offer,
                               void *room) {
  _Static_assert(sizeof(product) <= GRUI_GEMM_ROOM, "the room holds a product");
  product *p = room;
  *p = (product){.call = call, .panel = gruI_cpu_isa_of(device)->panel, .threads = 1};
  if (call->batch != 1) return 0;
  choose_blocks(p);
  if (p->strip_bytes > 0 || p->k < call->k || p->cols < call->n) return 0;
  p->block = (gruI_panels){call->dtype, call->k, call->n, gruI_pack_cache_ready(device, call)};
  if (p->block.data == NULL) return 0;
  p->a = call->a, p->c = call->c;
  p->panels = p->groups = p->panel->count(call->dtype, call->n);
  p->group = 1;
  offer->job = multiply_block;
  offer->context = p;
  offer->blocks = gruI_cpu_blocks(call->m, p->rows) * p->groups;
  return 1;
}

typedef struct batch {
  product product;
  char *room; /* for packed b and for strips, a worker */
} batch;

static void multiply_item(void *context, int64_t index, int worker) {
  const batch *b = context;
  size_t each = b->product.bytes + b->product.strip_bytes;
  (void)multiply(NULL, b->product, index, b->room + (size_t)worker * each, NULL);
}

gru_status gruI_cpu_gemm_panels(gruI_device *device, const gruI_gemm *call, const void *bias) {
  batch b = {.product = {.call = call, .bias = bias, .panel = gruI_cpu_isa_of(device)->panel}};
  product *p = &b.product;
  p->threads = device->pool != NULL ? gruI_pool_threads(device->pool) : 1;
  double work = (double)call->m * (double)call->n * (double)call->k;
  int small = work < (double)SMALL_WORK;
  int by_item = call->batch > 1 && work < JOBS * (double)SMALL_WORK;
  choose_blocks(p);
  void *kept = NULL;
  if (!small && !by_item && p->k >= call->k && p->cols >= call->n) /* b in one piece */
    kept = gruI_pack_cache_find(device, call, p->bytes, &p->is_packed);
  if (kept == NULL) choose_direct(p);
  size_t rooms = by_item ? (size_t)p->threads : 1;
  size_t bytes = p->bytes * rooms + p->strip_bytes * (size_t)p->threads;
  b.room = gruI_cpu_scratch(device, GRUI_SCRATCH_PRODUCT, bytes + 64);
  gru_status status = b.room != NULL ? GRU_OK : GRU_ERROR_MEMORY;
  if (status == GRU_OK && by_item)
    status = gruI_cpu_parallel(device, call->batch, multiply_item, &b);
  else
    for (int64_t i = 0; i < call->batch && status == GRU_OK; i++)
      status = multiply(small ? NULL : device, *p, i, b.room, kept);
  if (status != GRU_OK && kept != NULL) gruI_pack_cache_drop(device); /* it may be half written */
  if (b.room != NULL) gruI_cpu_scratch_done(device, GRUI_SCRATCH_PRODUCT);
  return status;
}

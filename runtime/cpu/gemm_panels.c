/* gemm_panels.c - products of float matrices with the kernels of panel.h.
**
** c is made in blocks of k and of columns.  A pass packs b for as many of them as there is room for (or,
** where few rows would not pay for that, uses it as it lies), and multiplies them in blocks of rows and
** panels, which the pool shares out.  A transposed a is cut into strips, block by block, by the thread
** that multiplies it.  An element of c is one chain of fused multiply-adds a block of k, and these depend
** on the shape alone; so do the bits, whatever the passes and the blocks of rows and panels.
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
  PACK_ROWS = 32,    /* of b, packed in one job */
  DIRECT_ROWS = 96,  /* up to these whole vectors of b's columns are not packed, ... */
  DIRECT_BYTES =
      1 << 19,         /* ... unless b comes again, or is large and its rows lie multiples of ... */
  ALIASED = 512,       /* ... these bytes apart: they would push each other out of the cache */
  TILE_ROWS = 8,       /* the kernels' tiles have no more */
  JOBS = 32,           /* that are enough, ... */
  STRIP_JOBS = 4,      /* ... and that a thread needs where each of them cuts strips */
  LEAST_JOBS = 5,      /* a thread: with fewer it would wait long for the others' last one */
  SMALL_WORK = 1 << 18 /* multiplications that one thread does: about 2 us */
};

typedef struct product {
  const gruI_gemm *call;
  const char *bias; /* NULL: none */
  const gruI_panel_kernels *panel;
  int64_t k, depth, cols; /* terms of a block, blocks of a pass, columns of either */
  int64_t direct;         /* columns from 0 on that are used as they lie */
  int64_t down;           /* blocks of the rows of c */
  int64_t whole;          /* of them a thread has so many, the last in halves; 0: all alike */
  int64_t groups, group;  /* the panels of a pass: how many groups, of how many panels */
  int64_t threads;
  size_t bytes;       /* of a packed block of b */
  size_t strip_bytes; /* of a block of rows in strips; 0: a is used as it lies */
  char *strips;       /* room for them, a worker */
  /* The pass under way: terms p0 .. p1 - 1, columns j .. j + n - 1. */
  const char *a, *b;
  char *c, *packed;
  int64_t p0, p1, j, n, panels;
  int is_direct, is_packed; /* as it lies; before */
} product;

static size_t size_of(const product *p) { return gru_dtype_size(p->call->dtype); }

static const char *at(const product *p, const char *base, int64_t i) {
  return base + (size_t)i * size_of(p);
}

static size_t rounded(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

/* Room for what is packed in a pass. */
static size_t packed_bytes(const product *p) { return p->bytes * (size_t)p->depth; }

/* ---- a pass: some blocks of k, and of columns --------------------------------------------- */

/* Where row `row` of op(x) starts, or its column. */
static int64_t offset(int64_t row, int64_t col, int trans, int64_t ld) {
  return trans ? col * ld + row : row * ld + col;
}

/* Where block `index` of the pass lies in b. */
static const char *source_of(const product *p, int64_t index) {
  return at(p, p->b, offset(p->p0 + index * p->k, p->j, p->call->trans_b, p->call->ldb));
}

/* Block `index` of the pass. */
static gruI_panels block_of(const product *p, int64_t index) {
  const char *data = p->is_direct ? source_of(p, index) : p->packed + (size_t)index * p->bytes;
  return (gruI_panels){.dtype = p->call->dtype,
                       .k = gruI_cpu_min(p->k, p->p1 - p->p0 - index * p->k),
                       .n = p->n,
                       .data = (char *)(uintptr_t)data};
}

static int64_t blocks(const product *p) { return gruI_cpu_blocks(p->p1 - p->p0, p->k); }

/* Runs jobs 0 .. count - 1: on the pool, or (device NULL) here. */
static gru_status each(gruI_device *device, int64_t count, gruI_job job, product *p) {
  if (device != NULL) return gruI_cpu_parallel(device, count, job, p);
  for (int64_t i = 0; i < count; i++) job(p, i, 0);
  return GRU_OK;
}

static void pack_panel(void *context, int64_t index, int worker) {
  const product *p = context;
  int64_t which = index / p->panels, panel = index % p->panels;
  gruI_panels block = block_of(p, which);
  (void)worker;
  p->panel->pack(&block, source_of(p, which), 1, p->call->ldb, panel, panel + 1);
}

/* Rows of b that lie side by side are packed some at a time, into all panels: read in the order in which they
** lie, where panel by panel each row would be read in pieces. */
static void pack_some_rows(void *context, int64_t index, int worker) {
  const product *p = context;
  int64_t pieces = gruI_cpu_blocks(p->k, PACK_ROWS);
  int64_t which = index / pieces, first = index % pieces * PACK_ROWS;
  gruI_panels block = block_of(p, which);
  int64_t rows = gruI_cpu_min(PACK_ROWS, block.k - first);
  const char *from = source_of(p, which);
  (void)worker;
  if (rows > 0)
    p->panel->pack_rows(&block, first, rows, at(p, from, first * p->call->ldb), p->call->ldb);
}

static gru_status pack(gruI_device *device, product *p) {
  if (p->call->trans_b) return each(device, blocks(p) * p->panels, pack_panel, p);
  return each(device, blocks(p) * gruI_cpu_blocks(p->k, PACK_ROWS), pack_some_rows, p);
}

/* Where block `index` of the rows of c starts: all have as many, but for a tile, and for the halves at the end
** of a thread's share.  Those are there for whoever is done first, who waits for the last one begun. */
static int64_t row_at(const product *p, int64_t index) {
  int64_t tiles = gruI_cpu_blocks(p->call->m, TILE_ROWS), at = index, of = p->down;
  if (p->whole > 0) { /* counted in halves */
    int64_t share = index / (p->whole + 1), i = index % (p->whole + 1);
    at = 2 * (share * p->whole + i) - (i == p->whole);
    of = 2 * p->whole * p->threads;
  }
  return gruI_cpu_min(at * tiles / of * TILE_ROWS, p->call->m);
}

/* The rows of a that the thread which makes block `index` most likely reads next, if they lie close together.
** (Of a transposed a it would be pieces of many rows, each in a page of its own: asking for those early costs
** more than it saves.) */
static gruI_region rows_ahead(const product *p, int64_t index) {
  const gruI_gemm *g = p->call;
  int64_t block = index / p->groups, next = (index + 1) / p->groups;
  int64_t row = row_at(p, next), rows = row_at(p, next + 1) - row;
  if (next == block || rows == 0 || g->trans_a || g->lda > 2 * (p->p1 - p->p0))
    return (gruI_region){.bytes = 0};
  return (gruI_region){at(p, p->a, row * g->lda + p->p0), rows * g->lda * (int64_t)size_of(p)};
}

/* Rows and panels number `index`. */
static void multiply_block(void *context, int64_t index, int worker) {
  const product *p = context;
  const gruI_gemm *g = p->call;
  int64_t row = row_at(p, index / p->groups), rows = row_at(p, index / p->groups + 1) - row;
  int64_t first = index % p->groups * p->group, last = gruI_cpu_min(first + p->group, p->panels);
  char *strips = p->strip_bytes > 0 ? p->strips + (size_t)worker * p->strip_bytes : NULL;
  gruI_region ahead = rows_ahead(p, index), none = {.bytes = 0};
  for (int64_t i = 0, p0 = p->p0; p0 < p->p1; i++, p0 += p->k) {
    gruI_panels b = block_of(p, i);
    int is_last = p0 + b.k == g->k; /* of the blocks that an element of c is a sum of */
    const char *a = at(p, p->a, offset(row, p0, g->trans_a, g->lda));
    if (strips != NULL) p->panel->pack_strips(g->dtype, strips, b.k, 0, b.k, a, g->lda, rows);
    p->panel->multiply(&(gruI_panel_call){.b = &b,
                                          .ldb = p->is_direct ? g->ldb : 0,
                                          .first = first,
                                          .last = last,
                                          .rows = rows,
                                          .a = strips != NULL ? strips : a,
                                          .lda = strips != NULL ? GRUI_STRIP : g->lda,
                                          .trans_a = g->trans_a,
                                          .strips = strips != NULL,
                                          .c = (char *)(uintptr_t)at(p, p->c, row * g->ldc + p->j),
                                          .ldc = g->ldc,
                                          .accumulate = g->accumulate || p0 > 0,
                                          .bias = is_last && p->bias ? at(p, p->bias, p->j) : NULL,
                                          .next = {p0 + b.k == p->p1 ? ahead : none}});
  }
}

/* Panels together, so that there are some jobs where there are few rows.  Strips are cut once a group,
** so that there are no more of these than the threads need. */
static void share_out(product *p) {
  int64_t jobs = p->strip_bytes > 0 ? gruI_cpu_min(STRIP_JOBS * p->threads, JOBS) : JOBS;
  int64_t most = p->strip_bytes > 0 ? gruI_cpu_blocks(p->n, STRIP_COLS) : p->panels;
  int64_t groups = gruI_cpu_min(gruI_cpu_min(gruI_cpu_blocks(jobs, p->down), most), p->panels);
  p->group = gruI_cpu_blocks(p->panels, groups);
  p->groups = gruI_cpu_blocks(p->panels, p->group);
}

static gru_status pass(gruI_device *device, product *p) {
  p->panels = p->panel->count(p->call->dtype, p->n);
  share_out(p);
  gru_status status = GRU_OK;
  if (!p->is_direct && !p->is_packed) status = pack(device, p);
  if (status != GRU_OK) return status;
  return each(device, p->down * p->groups, multiply_block, p);
}

/* One product of the batch.  `room`: for packed b (unless `kept` has it, or is to), and for strips. */
static gru_status multiply(gruI_device *device, product p, int64_t item, char *room, void *kept) {
  const gruI_gemm *g = p.call;
  gru_status status = GRU_OK;
  p.a = at(&p, g->a, item * g->batch_a), p.b = at(&p, g->b, item * g->batch_b);
  p.c = (char *)(uintptr_t)at(&p, g->c, item * g->batch_c);
  p.packed = kept != NULL ? kept : room;
  p.strips = room + packed_bytes(&p);
  for (p.j = 0; p.j < g->n; p.j += p.n) {
    p.is_direct = p.j < p.direct;
    p.n = p.is_direct ? p.direct : gruI_cpu_min(p.cols, g->n - p.j);
    for (p.p0 = 0; p.p0 < g->k && status == GRU_OK; p.p0 = p.p1) {
      p.p1 = gruI_cpu_min(p.p0 + p.depth * p.k, g->k);
      status = pass(device, &p);
    }
  }
  return status;
}

/* ---- a call ------------------------------------------------------------------------------ */

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
  int64_t all = gruI_cpu_blocks(p->call->k, p->k);
  int64_t fit = p->bytes > 0 ? PACKED_BYTES / (int64_t)p->bytes : all;
  p->depth = gruI_cpu_min(all, fit > 1 ? fit : 1);
}

/* Rows of c, up to `most` in a block, and where there are several one for each thread, two, ...; fewer
** where there are few panels, too.  Where they are many the last block of each thread is cut in halves. */
static void choose_rows(product *p, int64_t most) {
  int64_t tiles = gruI_cpu_blocks(p->call->m, TILE_ROWS);
  int64_t panels = p->panel->count(p->call->dtype, p->cols);
  p->down = gruI_cpu_blocks(p->call->m, most);
  if (p->down > 1) p->down = gruI_cpu_blocks(p->down, p->threads) * p->threads;
  while (p->threads > 1 && p->down * panels < LEAST_JOBS * p->threads && p->down < tiles)
    p->down *= 2;
  if (p->down > tiles) p->down = tiles;
  if (p->threads == 1 || p->down % p->threads != 0) return;
  if (p->down < 2 * p->threads || 2 * p->down > tiles) return;
  p->whole = p->down / p->threads;
  p->down += p->threads;
}

static void choose_blocks(product *p) {
  const gruI_gemm *g = p->call;
  int64_t size = (int64_t)size_of(p);
  int cut = g->trans_a && g->n >= STRIP_LEAST && g->k >= STRIP_LEAST;
  int64_t most = (cut ? STRIP_K_BYTES : K_BYTES) / size;
  p->k = gruI_cpu_blocks(g->k, gruI_cpu_blocks(g->k, most + most / 4));
  choose_cols(p);
  choose_rows(p, cut ? STRIP_ROWS : packed_bytes(p) > NEAR_BYTES ? FAR_ROWS : ROWS);
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
  p->packed = gruI_pack_cache_ready(device, call);
  if (p->packed == NULL) return 0;
  p->a = call->a, p->c = call->c;
  p->p1 = call->k, p->n = call->n;
  p->panels = p->groups = p->panel->count(call->dtype, call->n);
  p->group = 1;
  offer->job = multiply_block;
  offer->context = p;
  offer->blocks = p->down * p->groups;
  return 1;
}

typedef struct batch {
  product product;
  char *room; /* for packed b and for strips, a worker */
} batch;

static void multiply_item(void *context, int64_t index, int worker) {
  const batch *b = context;
  size_t each = packed_bytes(&b->product) + b->product.strip_bytes;
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
  size_t bytes = packed_bytes(p) * rooms + p->strip_bytes * (size_t)p->threads;
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

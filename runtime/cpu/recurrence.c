/* recurrence.c - recurrent layers over whole sequences: the walk through time.
**
** Rows of the batch do not depend on each other, so each thread takes some of them through all
** steps without waiting for the others, and then takes over what others have left (handover.h).
** So each reads all weights at every step, which takes longer than to multiply where the weights are large
** and a thread's rows few; then the threads share out the columns of each product instead.
** The weights are packed once (panel.h), which pays from a few steps on; short sequences, and a few
** rows of wide layers, call the ordinary product instead, whole batch by whole batch.  Whether they are packed
** follows from the sizes alone, and packed products give the same bits whatever the rows and the columns:
** results do not depend on the number of threads.
*/
#include "cpu/recurrence.h"

#include <stdio.h>
#include <string.h>

#include "cpu/handover.h"
#include "cpu/panel.h"

enum {
  FEW_STEPS = 3, /* below that packing does not pay */
  FEW_ROWS = 4,  /* below that, and from WIDE on, the ordinary product uses all threads */
  WIDE = 512,
  ROWS_UNIT = 4, /* a thread's rows are a multiple */
  ROW_BYTES =
      640 << 10, /* of weights, for each of a thread's rows, from which on columns are shared out */
  GROUPS = 2,    /* of columns, a thread */
  SEGMENT_WORK = 1 << 30 /* multiplications between two looks at the abort check */
};

/* The weights as one matrix, or as those of r and z and that of n. */
typedef struct part {
  int64_t row, rows; /* of W_hh */
  gruI_panels panels;
} part;

typedef struct walk {
  const gruI_recurrence *call;
  const gruI_cpu_isa *isa;
  int backward, packed;
  int parts;
  part part[2];
  int64_t rows;     /* of the batch a block */
  int64_t from, to; /* the steps of this segment, counted in the order of the walk */
  char *b_x, *b_h, *sums, *gates;
  int64_t t; /* of the step under way, where not packed */
  int phase;
  gruI_handover handover;
} walk;

static int64_t gates_of(const walk *w) { return gruI_cell_gates(w->call->cell); }
static int64_t saved_of(const walk *w) { return gruI_cell_saved(w->call->cell); }
static size_t size_of(const walk *w) { return gru_dtype_size(w->call->dtype); }

/* Element `i` of an array of the call's dtype. */
static char *at(const walk *w, const void *p, int64_t i) {
  return (char *)(uintptr_t)p + (size_t)i * size_of(w);
}

/* ---- one step ---------------------------------------------------------------------- */

/* Step number `i` of the walk, for rows first .. last - 1. */
static gruI_step describe(const walk *w, int64_t i, int64_t first, int64_t last) {
  const gruI_recurrence *call = w->call;
  int64_t H = call->hidden, state = call->batch * H;
  int64_t t = call->reverse != w->backward ? call->steps - 1 - i : i;
  int64_t before = call->reverse ? t + 1 : t, after = call->reverse ? t : t + 1;
  gruI_step step = {
      .call = call, .t = t, .first = first, .last = last, .b_x = w->b_x, .b_h = w->b_h};
  step.h = at(w, call->h, before * state);
  step.h_next = at(w, call->h, after * state);
  if (call->c != NULL) step.c = at(w, call->c, before * state);
  if (call->c != NULL) step.c_next = at(w, call->c, after * state);
  step.sums = at(w, w->sums, first * gates_of(w) * H);
  step.gates = call->gates != NULL ? at(w, call->gates, (t * call->batch + first) * saved_of(w) * H)
                                   : at(w, w->gates, first * saved_of(w) * H);
  return step;
}

/* What a product of a step reads and writes; rows `step->first` on. */
typedef struct operands {
  int part;
  const char *a;
  char *c;
  int64_t lda, ldc;
  int accumulate;
} operands;

/* Forward, before phase `phase`: sums of part `phase`. */
static operands sums_of(const walk *w, const gruI_step *step, int phase) {
  int64_t H = w->call->hidden, G = gates_of(w), S = saved_of(w);
  operands x = {.part = phase, .lda = H, .ldc = G * H};
  x.a = at(w, step->h, step->first * H);
  if (phase == 1) x.a = at(w, step->gates, 3 * H), x.lda = S * H;
  x.c = at(w, step->sums, w->part[phase].row);
  return x;
}

/* Backward, after phase `phase`: dh of part `part` of the weights, or, for GRU_BEFORE's n, q. */
static operands gradient_of(const walk *w, const gruI_step *step, int which) {
  const gruI_recurrence *call = w->call;
  int64_t H = call->hidden, G = gates_of(w), row = step->t * call->batch + step->first;
  operands x = {.part = which, .lda = G * H, .ldc = H, .accumulate = 1};
  x.a = at(w, call->dgx, row * G * H + w->part[which].row);
  x.c = at(w, call->dh, step->first * H);
  if (which == 1 && call->cell == GRUI_GRU_AFTER) x.a = at(w, call->da_n, row * H), x.lda = H;
  if (which == 1 && call->cell == GRUI_GRU_BEFORE)
    x.c = step->sums, x.ldc = G * H, x.accumulate = 0;
  return x;
}

/* `elements` elements of an array of the call's dtype, from number `first` on. */
static gruI_region region(const walk *w, const void *p, int64_t first, int64_t elements) {
  return (gruI_region){at(w, p, first), elements * (int64_t)size_of(w)};
}

/* What the gates of the step after number `i` read and write, to be fetched during this step's products: the
** first one's part, and, backward, that of the second where a step has two (GRU). */
static void look_ahead(const walk *w, int64_t i, int64_t first, int64_t last,
                       gruI_region ahead[2][2]) {
  const gruI_recurrence *call = w->call;
  int64_t H = call->hidden, G = gates_of(w), S = saved_of(w), rows = last - first;
  if (i + 1 >= w->to) return;
  gruI_step next = describe(w, i + 1, first, last);
  int64_t row = next.t * call->batch + first;
  if (w->backward) {
    ahead[0][0] = region(w, next.gates, 0, rows * S * H);
    ahead[0][1] = region(w, call->dy, row * H, rows * H);
    if (w->parts < 2) return;
    ahead[1][0] = region(w, call->dgx, row * G * H, rows * G * H);
    ahead[1][1] = region(w, next.h, first * H, rows * H);
  } else {
    ahead[0][0] = region(w, call->gx, row * G * H, rows * G * H);
    if (call->gates != NULL) ahead[0][1] = region(w, next.gates, 0, rows * S * H);
  }
}

/* The product of `rows` rows, with all panels. */
static gruI_panel_call product_of(const walk *w, operands x, int64_t rows) {
  const gruI_panels *b = &w->part[x.part].panels;
  return (gruI_panel_call){.b = b,
                           .last = w->isa->panel->count(b->dtype, b->n),
                           .rows = rows,
                           .a = x.a,
                           .lda = x.lda,
                           .c = x.c,
                           .ldc = x.ldc,
                           .accumulate = x.accumulate};
}

/* Steps take the panels up and down by turns: with weights larger than the second cache, those that came last
** in one step are still there when they come first in the next. */
static void multiply_packed(const walk *w, const gruI_step *step, operands x,
                            const gruI_region *ahead) {
  gruI_panel_call call = product_of(w, x, step->last - step->first);
  call.descending = step->t % 2 != 0;
  call.next[0] = ahead[0], call.next[1] = ahead[1];
  w->isa->panel->multiply(&call);
}

/* Step number `i` of the walk for some rows. */
static void packed_step(const walk *w, int64_t i, int64_t first, int64_t last) {
  const gruI_recurrence_rows *rows = w->isa->recurrence_rows;
  gruI_step step = describe(w, i, first, last);
  gruI_region ahead[2][2] = {{{.bytes = 0}}};
  look_ahead(w, i, first, last, ahead);
  if (!w->backward) {
    for (int phase = 0; phase < w->parts; phase++) {
      multiply_packed(w, &step, sums_of(w, &step, phase), ahead[phase]);
      rows->forward(&step, phase);
    }
  } else if (w->call->cell == GRUI_GRU_BEFORE) {
    rows->backward(&step, 0);
    multiply_packed(w, &step, gradient_of(w, &step, 1), ahead[1]);
    rows->backward(&step, 1);
    multiply_packed(w, &step, gradient_of(w, &step, 0), ahead[0]);
  } else {
    rows->backward(&step, 0);
    for (int which = 0; which < w->parts; which++)
      multiply_packed(w, &step, gradient_of(w, &step, which), ahead[which]);
  }
}

/* The steps of this segment for a block of rows, and then for what other threads give away. */
static void packed_block(void *context, int64_t index, int worker) {
  walk *w = context;
  int64_t first = index * w->rows;
  gruI_stretch mine = {first, gruI_cpu_min(first + w->rows, w->call->batch), w->from};
  (void)worker;
  gruI_handover_begin(&w->handover);
  do {
    for (int64_t i = mine.from; i < w->to; i++) {
      packed_step(w, i, mine.first, mine.last);
      int64_t half = gruI_cpu_blocks(mine.last - mine.first, 2 * ROWS_UNIT) * ROWS_UNIT;
      gruI_stretch rest = {mine.first + half, mine.last, i + 1};
      if (gruI_handover_wanted(&w->handover) && rest.first < rest.last && rest.from < w->to &&
          gruI_handover_give(&w->handover, rest))
        mine.last = rest.first;
    }
  } while (gruI_handover_next(&w->handover, &mine));
}

/* ---- the same with products that threads share ----------------------------------------------- */

static void phase_block(void *context, int64_t index, int worker) {
  const walk *w = context;
  int64_t first = index * w->rows, last = gruI_cpu_min(first + w->rows, w->call->batch);
  gruI_step step = describe(w, w->from, first, last);
  (void)worker;
  if (w->backward)
    w->isa->recurrence_rows->backward(&step, w->phase);
  else
    w->isa->recurrence_rows->forward(&step, w->phase);
}

static gru_status phase(gruI_device *device, walk *w, int number) {
  w->phase = number;
  return gruI_cpu_parallel(device, gruI_cpu_blocks(w->call->batch, w->rows), phase_block, w);
}

typedef struct columns {
  const walk *w;
  gruI_panel_call whole;
  int64_t group; /* panels of a block */
} columns;

static void columns_block(void *context, int64_t index, int worker) {
  const columns *c = context;
  gruI_panel_call call = c->whole;
  (void)worker;
  call.first = index * c->group;
  call.last = gruI_cpu_min(call.first + c->group, call.last);
  c->w->isa->panel->multiply(&call);
}

/* A thread gets the same columns at every step: its own cache has them. */
static gru_status multiply_columns(gruI_device *device, const walk *w, operands x) {
  columns c = {.w = w, .whole = product_of(w, x, w->call->batch)};
  c.group = gruI_cpu_blocks(c.whole.last, GROUPS * gruI_pool_threads(device->pool));
  return gruI_cpu_parallel(device, gruI_cpu_blocks(c.whole.last, c.group), columns_block, &c);
}

static gru_status multiply(gruI_device *device, const walk *w, operands x) {
  const gruI_recurrence *call = w->call;
  if (w->packed) return multiply_columns(device, w, x);
  const part *p = &w->part[x.part];
  gruI_gemm gemm = {.dtype = call->dtype, .trans_b = !w->backward, .accumulate = x.accumulate};
  gemm.batch = 1, gemm.m = call->batch;
  gemm.n = w->backward ? call->hidden : p->rows;
  gemm.k = w->backward ? p->rows : call->hidden;
  gemm.a = x.a, gemm.lda = x.lda;
  gemm.b = at(w, call->w_hh, p->row * call->hidden), gemm.ldb = call->hidden;
  gemm.c = x.c, gemm.ldc = x.ldc;
  return gruI_cpu_gemm(device, &gemm);
}

static gru_status forward_step(gruI_device *device, walk *w) {
  gruI_step step = describe(w, w->from, 0, w->call->batch);
  gru_status status = GRU_OK;
  for (int number = 0; number < w->parts && status == GRU_OK; number++) {
    status = multiply(device, w, sums_of(w, &step, number));
    if (status == GRU_OK) status = phase(device, w, number);
  }
  return status;
}

static gru_status backward_step(gruI_device *device, walk *w) {
  gruI_step step = describe(w, w->from, 0, w->call->batch);
  gru_status status = phase(device, w, 0);
  if (w->call->cell == GRUI_GRU_BEFORE) {
    if (status == GRU_OK) status = multiply(device, w, gradient_of(w, &step, 1));
    if (status == GRU_OK) status = phase(device, w, 1);
    return status == GRU_OK ? multiply(device, w, gradient_of(w, &step, 0)) : status;
  }
  for (int which = 0; which < w->parts && status == GRU_OK; which++)
    status = multiply(device, w, gradient_of(w, &step, which));
  return status;
}

/* ---- a whole call ---------------------------------------------------------------------- */

typedef struct pack_job {
  const walk *w;
  int64_t panels[2]; /* of each part */
} pack_job;

static void pack_block(void *context, int64_t index, int worker) {
  const pack_job *job = context;
  const walk *w = job->w;
  int which = index >= job->panels[0];
  const part *p = &w->part[which];
  int64_t panel = which ? index - job->panels[0] : index, H = w->call->hidden;
  const char *from = at(w, w->call->w_hh, p->row * H);
  (void)worker;
  if (w->backward)
    w->isa->panel->pack(&p->panels, from, H, 1, panel, panel + 1);
  else
    w->isa->panel->pack(&p->panels, from, 1, H, panel, panel + 1);
}

static gru_status pack(gruI_device *device, const walk *w) {
  pack_job job = {w, {0}};
  for (int i = 0; i < w->parts; i++)
    job.panels[i] = w->isa->panel->count(w->call->dtype, w->part[i].panels.n);
  return gruI_cpu_parallel(device, job.panels[0] + job.panels[1], pack_block, &job);
}

/* The weights used apart: by GRU_BEFORE in two products of a step, in GRU_AFTER's gradient with
** factors that do not lie side by side. */
static void divide_weights(walk *w) {
  int64_t H = w->call->hidden, rows = gates_of(w) * H;
  gruI_cell cell = w->call->cell;
  w->parts = cell == GRUI_GRU_BEFORE || (cell == GRUI_GRU_AFTER && w->backward) ? 2 : 1;
  w->part[0].rows = w->parts == 2 ? 2 * H : rows;
  w->part[1].row = 2 * H, w->part[1].rows = H;
  for (int i = 0; i < w->parts; i++) {
    gruI_panels *panels = &w->part[i].panels;
    panels->dtype = w->call->dtype;
    panels->k = w->backward ? w->part[i].rows : H;
    panels->n = w->backward ? H : w->part[i].rows;
  }
}

/* One block of memory, cut into the parts that the walk needs, each aligned to 64 bytes. */
static gru_status allocate(gruI_device *device, walk *w) {
  const gruI_recurrence *call = w->call;
  int64_t H = call->hidden, G = gates_of(w);
  size_t size = size_of(w), bytes[6] = {0}, total = 0;
  for (int i = 0; i < w->parts && w->packed; i++)
    bytes[i] = w->isa->panel->bytes(call->dtype, w->part[i].panels.k, w->part[i].panels.n);
  bytes[2] = bytes[3] = (size_t)(G * H) * size;
  bytes[4] = (size_t)(call->batch * G * H) * size;
  if (call->gates == NULL) bytes[5] = (size_t)(call->batch * saved_of(w) * H) * size;
  for (int i = 0; i < 6; i++) total += (bytes[i] + 63) & ~(size_t)63;
  char *p = gruI_cpu_scratch(device, GRUI_SCRATCH_LAYER, total);
  if (p == NULL) return GRU_ERROR_MEMORY;
  char **slots[] = {NULL, NULL, &w->b_x, &w->b_h, &w->sums, &w->gates};
  for (int i = 0; i < 6; i++) {
    if (i < 2)
      w->part[i].panels.data = p;
    else
      *slots[i] = p;
    p += (bytes[i] + 63) & ~(size_t)63;
  }
  if (call->b_ih != NULL)
    memcpy(w->b_x, call->b_ih, bytes[2]);
  else
    memset(w->b_x, 0, bytes[2]);
  if (call->b_hh != NULL)
    memcpy(w->b_h, call->b_hh, bytes[3]);
  else
    memset(w->b_h, 0, bytes[3]);
  return GRU_OK;
}

/* Rows of the batch a block: as many blocks as there are threads. */
static int64_t rows_a_block(const gruI_device *device, int64_t batch) {
  int64_t threads = device->pool != NULL ? gruI_pool_threads(device->pool) : 1;
  int64_t rows = gruI_cpu_blocks(batch, threads);
  return gruI_cpu_blocks(rows, ROWS_UNIT) * ROWS_UNIT;
}

static gru_status walk_packed(gruI_device *device, walk *w) {
  const gruI_recurrence *call = w->call;
  double work = (double)w->rows * (double)(gates_of(w) * call->hidden) * (double)call->hidden;
  int64_t segment = work < SEGMENT_WORK ? (int64_t)(SEGMENT_WORK / work) : 1;
  gru_status status = GRU_OK;
  for (w->from = 0; w->from < call->steps && status == GRU_OK; w->from = w->to) {
    w->to = gruI_cpu_min(w->from + segment, call->steps);
    status = gruI_cpu_parallel(device, gruI_cpu_blocks(call->batch, w->rows), packed_block, w);
  }
  return status;
}

static int is_packed(const gruI_recurrence *call) {
  return call->steps >= FEW_STEPS && (call->batch >= FEW_ROWS || call->hidden < WIDE);
}

/* Do threads share out columns? */
static int is_shared(const gruI_device *device, const gruI_recurrence *call) {
  double bytes = (double)(gruI_cell_gates(call->cell) * call->hidden) * (double)call->hidden;
  bytes *= (double)gru_dtype_size(call->dtype);
  return device->pool != NULL && gruI_pool_threads(device->pool) > 1 && is_packed(call) &&
         bytes >= (double)ROW_BYTES * (double)rows_a_block(device, call->batch);
}

static gru_status run(gruI_device *device, const gruI_recurrence *call, int backward) {
  walk w = {.call = call, .isa = gruI_cpu_isa_of(device), .backward = backward};
  if (call->steps <= 0 || call->batch <= 0 || call->hidden <= 0) return GRU_OK;
  w.packed = is_packed(call);
  w.rows = rows_a_block(device, call->batch);
  divide_weights(&w);
  gru_status status = allocate(device, &w);
  if (status == GRU_OK && w.packed) status = pack(device, &w);
  if (status == GRU_OK && w.packed && !is_shared(device, call))
    status = walk_packed(device, &w);
  else
    for (w.from = 0; w.from < call->steps && status == GRU_OK; w.from++)
      status = backward ? backward_step(device, &w) : forward_step(device, &w);
  gruI_cpu_scratch_done(device, GRUI_SCRATCH_LAYER);
  return status;
}

gru_status gruI_cpu_recurrence(gruI_device *device, const gruI_recurrence *call) {
  return run(device, call, 0);
}

gru_status gruI_cpu_recurrence_grad(gruI_device *device, const gruI_recurrence *call) {
  size_t bytes = (size_t)(call->batch * call->hidden) * gru_dtype_size(call->dtype);
  if (bytes > 0) memset(call->dh, 0, bytes);
  if (bytes > 0 && call->dc != NULL) memset(call->dc, 0, bytes);
  return run(device, call, 1);
}

void gruI_cpu_explain(gruI_device *device, const gruI_recurrence *call, char *text, size_t size) {
  const gruI_cpu_isa *isa = gruI_cpu_isa_of(device);
  int64_t blocks = gruI_cpu_blocks(call->batch, rows_a_block(device, call->batch));
  if (is_shared(device, call))
    snprintf(text, size,
             "one op for all steps, the weights packed once, the columns of each product on %d "
             "threads (%s)",
             gruI_pool_threads(device->pool), isa->name);
  else if (is_packed(call))
    snprintf(text, size,
             "one op for all steps, the weights packed once, the rows on %lld thread%s (%s)",
             (long long)blocks, blocks == 1 ? "" : "s", isa->name);
  else if (call->steps < FEW_STEPS)
    snprintf(text, size,
             "a product and the gates each step (%s); not packed: below %d steps that does not pay",
             isa->name, FEW_STEPS);
  else
    snprintf(
        text, size,
        "a product and the gates each step (%s); not packed: with fewer than %d rows and H %d or "
        "more all threads share each product",
        isa->name, FEW_ROWS, WIDE);
}

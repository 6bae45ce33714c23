/* list.c - checking, packing and grouping the tensors of a list. */
#include "core/list.h"

#include <stdlib.h>
#include <string.h>

#include "core/graph.h"
#include "core/op.h"
#include "core/pending.h"
#include "core/profile.h"

enum { VECTORS = GRUI_PART_VECTORS };

static bool is_written(const gruI_work *work, int k) { return work->written >> k & 1; }

/* ---- checks ------------------------------------------------------------------------------ */

static gru_status check_item(gru_runtime *rt, const gruI_item *item, int64_t i,
                             const gruI_work *work) {
  const gru_tensor *first = item->t[0];
  for (int k = 0; k < VECTORS; k++) {
    gru_tensor *t = item->t[k];
    if (!t) continue;
    if (gruI_is_number(t) || !gruI_is_float((gru_dtype)t->dtype))
      return gruI_fail(rt, GRU_ERROR_DTYPE, "%s: tensor %lld: float32 or float64 expected, got %s",
                       work->op, (long long)i + 1,
                       gruI_is_number(t) ? "a number" : gru_dtype_name((gru_dtype)t->dtype));
    if (t->dtype != first->dtype || !gruI_same_shape(t, first))
      return gruI_fail(rt, GRU_ERROR_SHAPE, "%s: %s %s does not fit %s %s of tensor %lld", work->op,
                       gru_dtype_name((gru_dtype)t->dtype), gruI_tensor_text(t).s,
                       gru_dtype_name((gru_dtype)first->dtype), gruI_tensor_text(first).s,
                       (long long)i + 1);
    GRUI_GRAPH_NOT_VOID(t, work->op);
    GRUI_GRAPH_HERE(rt, gruI_place_of(t), work->op);
    if (gruI_place_of(t) != gruI_place_of(first))
      return gruI_fail(rt, GRU_ERROR_DEVICE, "%s: tensor %lld: one is on %s, another on %s",
                       work->op, (long long)i + 1, gru_tensor_device(t), gru_tensor_device(first));
    for (int d = 0; d < t->ndim && is_written(work, k); d++)
      if (t->stride[d] == 0 && t->shape[d] > 1)
        return gruI_fail(rt, GRU_ERROR_ARGUMENT,
                         "%s: tensor %lld: several elements of an expanded tensor share memory; "
                         ":clone() it first",
                         work->op, (long long)i + 1);
    GRUI_TRY(gruI_tensor_settle(t));
  }
  return GRU_OK;
}

/* ---- shared memory ------------------------------------------------------------------------ */

typedef struct span {
  uintptr_t first, end; /* bytes */
  int64_t item;
} span;

static span span_of(const gru_tensor *t, int64_t item) {
  int64_t low = 0, high = 0, size = (int64_t)gru_dtype_size((gru_dtype)t->dtype);
  for (int d = 0; d < t->ndim; d++)
    *(t->stride[d] < 0 ? &low : &high) += (t->shape[d] - 1) * t->stride[d];
  uintptr_t data = (uintptr_t)gruI_data(t);
  return (span){data + (uintptr_t)(low * size), data + (uintptr_t)((high + 1) * size), item};
}

static int by_address(const void *a, const void *b) {
  const span *p = a, *q = b;
  return p->first < q->first ? -1 : p->first > q->first;
}

/* Does an item touch memory of another one?  `spans` has room for all tensors. */
static bool share_memory(int64_t n, const gruI_item *items, span *spans) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++)
    for (int k = 0; k < VECTORS; k++)
      if (items[i].t[k] && items[i].t[k]->numel > 0) spans[count++] = span_of(items[i].t[k], i);
  qsort(spans, (size_t)count, sizeof *spans, by_address);
  for (int64_t s = 1, reach = 0; s < count; s++) { /* reach: the span that ends last so far */
    if (spans[s].first < spans[reach].end && spans[s].item != spans[reach].item) return true;
    if (spans[s].end > spans[reach].end) reach = s;
  }
  return false;
}

/* ---- packing ------------------------------------------------------------------------------ */

/* Is what is read here among what the item writes? */
static bool is_rewritten(const gruI_item *item, int k, const gruI_work *work) {
  for (int j = 0; j < VECTORS; j++)
    if (j != k && item->t[j] && is_written(work, j) && item->t[j]->storage == item->t[k]->storage)
      return true;
  return false;
}

/* The item with every tensor as it lies in memory: itself, or a contiguous copy.  New references. */
static gru_status pack_item(const gruI_item *item, const gruI_work *work, gruI_item *packed) {
  const gru_tensor *first = item->t[0];
  bool alike = gruI_is_dense(first);
  for (int k = 1; k < VECTORS; k++)
    for (int d = 0; item->t[k] && d < first->ndim; d++)
      if (first->shape[d] > 1 && item->t[k]->stride[d] != first->stride[d]) alike = false;
  for (int k = 0; k < VECTORS; k++) {
    gru_tensor *t = item->t[k];
    if (!t) continue;
    bool as_it_is = alike || gruI_is_contiguous(t);
    if (as_it_is && (is_written(work, k) || !is_rewritten(item, k, work))) {
      packed->t[k] = gru_tensor_retain(t);
      continue;
    }
    GRUI_TRY(gruI_tensor_new(t->rt, work->op, (gru_dtype)t->dtype, t->ndim, t->shape,
                             gruI_place_of(t), &packed->t[k]));
    if (alike) memcpy(packed->t[k]->stride, t->stride, sizeof t->stride);
    GRUI_TRY(gruI_copy_over(packed->t[k], t, work->op));
  }
  return GRU_OK;
}

/* What was written goes back where it came from. */
static gru_status unpack_item(const gruI_item *item, const gruI_work *work,
                              const gruI_item *packed) {
  for (int k = 0; k < VECTORS; k++)
    if (item->t[k] && is_written(work, k) && packed->t[k] != item->t[k])
      GRUI_TRY(gruI_copy_over(item->t[k], packed->t[k], work->op));
  return GRU_OK;
}

/* ---- running ------------------------------------------------------------------------------ */

/* One kernel call for the items of the device and dtype of item `at`; those are then done. */
static gru_status run_alike(int64_t n, const gruI_item *packed, int64_t at, bool *done,
                            gruI_part *parts, const gruI_work *work) {
  const gru_tensor *model = packed[at].t[0];
  gruI_list list = {.dtype = (gru_dtype)model->dtype, .parts = parts};
  for (int64_t i = at; i < n; i++) {
    const gru_tensor *first = packed[i].t[0];
    if (done[i] || first->dtype != model->dtype || gruI_place_of(first) != gruI_place_of(model))
      continue;
    done[i] = true;
    if (first->numel == 0) continue;
    gruI_part *part = &parts[list.n++];
    *part = (gruI_part){.start = list.total,
                        .count = first->numel,
                        .step = packed[i].step,
                        .item = packed[i].number};
    for (int k = 0; k < VECTORS; k++)
      part->at[k] = packed[i].t[k] ? gruI_data(packed[i].t[k]) : NULL;
    list.total += first->numel;
  }
  return work->kernel(work->context, gruI_place_of(model), &list);
}

/* Room for one run, in one block. */
typedef struct room {
  gruI_item *packed; /* zeroed */
  gruI_part *parts;
  span *spans;
  bool *done;
} room;

static void *make_room(int64_t n, room *r) {
  size_t count = (size_t)n, bytes = sizeof *r->packed + sizeof *r->parts + sizeof(bool);
  bytes += VECTORS * sizeof *r->spans;
  char *block = calloc(count ? count : 1, bytes);
  if (!block) return NULL;
  r->packed = (void *)block;
  r->parts = (void *)(block + count * sizeof *r->packed);
  r->spans = (void *)((char *)r->parts + count * sizeof *r->parts);
  r->done = (void *)((char *)r->spans + count * VECTORS * sizeof *r->spans);
  return block;
}

static gru_status run_together(int64_t n, const gruI_item *items, const gruI_work *work, room *r) {
  gru_status status = GRU_OK;
  memset(r->packed, 0, (size_t)n * sizeof *r->packed);
  memset(r->done, 0, (size_t)n * sizeof *r->done);
  for (int64_t i = 0; i < n && status == GRU_OK; i++) {
    r->packed[i].step = items[i].step;
    r->packed[i].number = items[i].number;
    status = pack_item(&items[i], work, &r->packed[i]);
  }
  bool begun = status == GRU_OK;
  for (int64_t i = 0; i < n && status == GRU_OK; i++)
    if (!r->done[i]) status = run_alike(n, r->packed, i, r->done, r->parts, work);
  for (int64_t i = 0; i < n && status == GRU_OK; i++)
    status = unpack_item(&items[i], work, &r->packed[i]);
  for (int64_t i = 0; i < n; i++)
    for (int k = 0; k < VECTORS; k++) {
      gru_tensor_release(r->packed[i].t[k]);
      if (begun && items[i].t[k] && is_written(work, k)) items[i].t[k]->storage->version++;
    }
  return status;
}

static gru_status run_list(gru_runtime *rt, int64_t n, const gruI_item *items,
                           const gruI_work *work) {
  room r;
  for (int64_t i = 0; i < n; i++) GRUI_TRY(check_item(rt, &items[i], i, work));
  void *block = make_room(n, &r);
  if (!block) return gruI_fail(rt, GRU_ERROR_MEMORY, "%s: out of memory", work->op);
  if (work->written != 0) gruI_pending_settle(rt);
  gru_status status = GRU_OK;
  if (n > 1 && work->written != 0 && share_memory(n, items, r.spans))
    for (int64_t i = 0; i < n && status == GRU_OK; i++)
      status = run_together(1, &items[i], work, &r);
  else
    status = run_together(n, items, work, &r);
  free(block);
  return status;
}

gru_status gruI_list_run(gru_runtime *rt, int64_t n, const gruI_item *items,
                         const gruI_work *work) {
  gru_status status;
  GRUI_SPAN(rt, work->op, GRU_SPAN_CALL, status, run_list(rt, n, items, work));
  return status;
}

/* pending.c - results that are still being made while the script goes on. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "core/pending.h"

#include <stdlib.h>
#include <string.h>

#include "core/process.h"

enum {
  LEAST_WORK = 1 << 22,    /* multiplications of a product: what costs less is done at once */
  MOST_ROWS = 96,          /* of a product: large ones are shared out, and are no use by halves */
  MOST_ELEMENTS = 1 << 16, /* of an elementwise op, which one thread does */
  MOST_WAITING = 256,      /* results, whose operands are kept */
  AT_ONCE = 64             /* products of a weight to be done at once when one was in a hurry */
};

struct gruI_pending {
  gruI_offer offer;
  gruI_pending *next;
  gruI_storage *out;            /* not owned: it knows of us, and drops us when it goes */
  gruI_storage *in[GRUI_SLOTS]; /* owned */
  gruI_storage *weight;         /* in[1] of a product */
  int64_t blocks;               /* as offered */
  int owner;                    /* the process that has offered */
  gruI_device *device;
  union {
    struct {
      gruI_gemm call;
      _Alignas(64) char room[GRUI_GEMM_ROOM];
    } gemm;
    struct {
      gruI_elementwise call;
      uint64_t numbers[GRUI_SLOTS]; /* those of the script */
    } elementwise;
  } work;
};

/* ---- the queue: in the order of the offers, which is that in which they are done ---------------- */

static void take_out(gru_runtime *rt, gruI_pending *pending) {
  gruI_pending **link = &rt->pending, *before = NULL;
  for (; *link != pending; link = &(*link)->next) before = *link;
  *link = pending->next;
  if (rt->last_pending == pending) rt->last_pending = before;
  rt->waiting--;
}

/* It is done, or given up. */
static void end(gru_runtime *rt, gruI_pending *pending) {
  take_out(rt, pending);
  pending->out->pending = NULL;
  for (int i = 0; i < GRUI_SLOTS; i++) gruI_storage_release(pending->in[i]);
  free(pending);
}

/* Ends what is done. */
static void sweep(gru_runtime *rt) {
  while (rt->pending && gruI_offer_is_done(&rt->pending->offer)) end(rt, rt->pending);
}

/* Does what is left of the first.  In the child of a fork nobody else will. */
static void complete_first(gru_runtime *rt) {
  gruI_pending *first = rt->pending;
  if (first->owner == gruI_process())
    gruI_pool_join(rt->pool, &first->offer);
  else
    for (int64_t i = 0; i < first->blocks; i++) first->offer.job(first->offer.context, i, 0);
  end(rt, first);
}

void gruI_pending_finish(gruI_storage *storage) {
  gru_runtime *rt = storage->place->rt;
  while (storage->pending) complete_first(rt);
  sweep(rt);
}

void gruI_pending_hurry(const gruI_storage *storage) {
  const gruI_pending *pending = storage->pending;
  if (!pending || gruI_offer_is_done(&pending->offer)) return;
  if (pending->weight) {
    pending->weight->at_once = AT_ONCE;
    return;
  }
  for (int i = 0; i < GRUI_SLOTS; i++)
    if (pending->in[i]) gruI_pending_hurry(pending->in[i]);
}

void gruI_pending_settle(gru_runtime *rt) {
  while (rt->pending) complete_first(rt);
}

void gruI_pending_drop(gruI_storage *storage) {
  gru_runtime *rt = storage->place->rt;
  gruI_pending *pending = storage->pending;
  if (pending->owner == gruI_process()) gruI_pool_withdraw(rt->pool, &pending->offer);
  end(rt, pending);
}

/* ---- offering ------------------------------------------------------------------------------------ */

static bool is_allowed(const gru_runtime *rt) {
  return !rt->in_backward && !rt->profile && !rt->trace && !rt->capture &&
         rt->waiting < MOST_WAITING && gruI_pool_threads(rt->pool) > 1;
}

static gruI_pending *begin(gru_tensor *out) {
  void *block = NULL;
  if (posix_memalign(&block, 64, sizeof(gruI_pending)) != 0) return NULL;
  gruI_pending *pending = block;
  memset(pending, 0, offsetof(gruI_pending, work));
  pending->out = out->storage;
  pending->device = gruI_device_of(out);
  pending->owner = gruI_process();
  return pending;
}

static void offer(gru_runtime *rt, gruI_pending *pending) {
  sweep(rt);
  pending->blocks = pending->offer.blocks;
  pending->out->pending = pending;
  if (rt->pending)
    rt->last_pending->next = pending;
  else
    rt->pending = pending;
  rt->last_pending = pending;
  rt->waiting++;
  gruI_pool_offer(rt->pool, &pending->offer);
}

bool gruI_pending_gemm(const gruI_gemm *call, const gru_tensor *a, const gru_tensor *b,
                       gru_tensor *out) {
  gruI_device *device = gruI_device_of(out);
  double work = (double)call->m * (double)call->n * (double)call->k;
  if (!device->k->gemm_offer || call->m > MOST_ROWS || work < (double)LEAST_WORK ||
      !is_allowed(out->rt) || a->storage->serial == 0 || b->storage->serial == 0)
    return false;
  if (b->storage->at_once > 0) {
    b->storage->at_once--;
    return false;
  }
  gruI_pending *pending = begin(out);
  if (!pending) return false;
  pending->work.gemm.call = *call;
  if (!device->k->gemm_offer(device, &pending->work.gemm.call, &pending->offer,
                             pending->work.gemm.room)) {
    free(pending);
    return false;
  }
  pending->in[0] = gruI_storage_retain(a->storage);
  pending->in[1] = pending->weight = gruI_storage_retain(b->storage);
  offer(out->rt, pending);
  return true;
}

static void run_elementwise(void *context, int64_t block, int worker) {
  gruI_pending *pending = context;
  (void)block, (void)worker;
  /* It cannot fail: the row is there, as the same call by the caller's thread would have found. */
  (void)pending->device->k->elementwise(pending->device, &pending->work.elementwise.call);
}

bool gruI_pending_elementwise(const gruI_elementwise *call, gru_tensor *const *slots,
                              gru_tensor *out) {
  bool waits = false;
  if (!out->rt->pending || out->storage->pending) return false;
  int self = gruI_process();
  for (int i = 0; i < GRUI_SLOTS; i++) {
    const gru_tensor *t = slots[i];
    if (!t || gruI_is_number(t)) continue;
    if (t->storage->serial == 0 || t->storage == out->storage) return false;
    const gruI_pending *operand = t->storage->pending;
    if (operand && operand->owner != self) return false; /* left by a parent: no helper makes it */
    waits |= operand != NULL;
  }
  if (!waits || out->numel > MOST_ELEMENTS || !gruI_is_float((gru_dtype)out->dtype) ||
      !gruI_is_float(call->dtype) || !is_allowed(out->rt))
    return false;
  gruI_pending *pending = begin(out);
  if (!pending) return false;
  gruI_elementwise *kept = &pending->work.elementwise.call;
  *kept = *call;
  kept->out = gruI_address(out);
  for (int i = 0; i < GRUI_SLOTS; i++) {
    if (!slots[i]) continue;
    if (call->host[i]) {
      memcpy(&pending->work.elementwise.numbers[i], call->in[i], gru_dtype_size(call->dtype));
      kept->in[i] = &pending->work.elementwise.numbers[i];
    } else {
      kept->in[i] = gruI_address(slots[i]);
      pending->in[i] = gruI_storage_retain(slots[i]->storage);
    }
  }
  pending->offer.job = run_elementwise;
  pending->offer.context = pending;
  pending->offer.blocks = 1;
  offer(out->rt, pending);
  return true;
}

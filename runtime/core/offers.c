/* offers.c - a queue of work for idle threads. */
#include "core/offers.h"

#include <stddef.h>

void gruI_offers_init(gruI_offers *offers) {
  pthread_mutex_init(&offers->mutex, NULL);
  offers->first = NULL;
  atomic_init(&offers->ready, 0);
}

void gruI_offers_destroy(gruI_offers *offers) { pthread_mutex_destroy(&offers->mutex); }

/* Under the lock: what may begin. */
static void note_ready(gruI_offers *offers) {
  const gruI_offer *first = offers->first;
  atomic_store(&offers->ready, first != NULL ? first->blocks - first->begun : 0);
}

/* Under the lock: an offer whose blocks have all ended leaves the queue.  Its owner, who looks at `done`
** without the lock, may free it as soon as that is set. */
static void leave_if_done(gruI_offers *offers, gruI_offer *offer) {
  if (offer->ended < offer->blocks) return;
  gruI_offer **link = &offers->first;
  while (*link != offer) link = &(*link)->after;
  *link = offer->after;
  note_ready(offers);
  atomic_store_explicit(&offer->done, 1, memory_order_release);
}

void gruI_offers_add(gruI_offers *offers, gruI_offer *offer) {
  offer->begun = offer->ended = 0;
  offer->after = NULL;
  atomic_store(&offer->done, 0);
  pthread_mutex_lock(&offers->mutex);
  gruI_offer **link = &offers->first;
  while (*link != NULL) link = &(*link)->after;
  *link = offer;
  leave_if_done(offers, offer); /* one of no blocks */
  note_ready(offers);
  pthread_mutex_unlock(&offers->mutex);
}

int gruI_offers_run_one(gruI_offers *offers, int worker) {
  /* Who waits for blocks that others have begun looks again and again: without the lock. */
  if (atomic_load(&offers->ready) <= 0) return 0;
  pthread_mutex_lock(&offers->mutex);
  gruI_offer *offer = offers->first;
  if (offer == NULL || offer->begun == offer->blocks) {
    pthread_mutex_unlock(&offers->mutex);
    return 0;
  }
  int64_t block = offer->begun++;
  note_ready(offers);
  pthread_mutex_unlock(&offers->mutex);
  offer->job(offer->context, block, worker);
  pthread_mutex_lock(&offers->mutex);
  offer->ended++;
  leave_if_done(offers, offer);
  pthread_mutex_unlock(&offers->mutex);
  return 1;
}

void gruI_offers_withdraw(gruI_offers *offers, gruI_offer *offer) {
  pthread_mutex_lock(&offers->mutex);
  if (!atomic_load(&offer->done)) {
    offer->blocks = offer->begun;
    note_ready(offers);
    leave_if_done(offers, offer);
  }
  pthread_mutex_unlock(&offers->mutex);
}

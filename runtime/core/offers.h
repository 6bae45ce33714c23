/* offers.h - work that nobody waits for yet.
**
** An offer is a number of independent blocks, as a job of the pool is: the pool's first helper takes
** them before it helps with a job, the others while no job is open, and whoever wants the result does the
** rest.  Offers
** are done in the order in which they were made, each wholly before the next one begins; so one may
** read, or add to, what another has written.
*/
#ifndef GRUI_OFFERS_H
#define GRUI_OFFERS_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/pool.h"

/* The first offers in order; `ready` blocks of the very first have not begun. */
typedef struct gruI_offers {
  pthread_mutex_t mutex;
  gruI_offer *first;
  _Atomic int64_t ready;
} gruI_offers;

void gruI_offers_init(gruI_offers *offers);
void gruI_offers_destroy(gruI_offers *offers);

void gruI_offers_add(gruI_offers *offers, gruI_offer *offer);

/* Runs one block as `worker`; 0 when there is none that may begin now. */
int gruI_offers_run_one(gruI_offers *offers, int worker);

/* Is anything not done? */
static inline int gruI_offers_are_left(gruI_offers *offers) {
  pthread_mutex_lock(&offers->mutex);
  int left = offers->first != NULL;
  pthread_mutex_unlock(&offers->mutex);
  return left;
}

/* No more blocks of it begin. */
void gruI_offers_withdraw(gruI_offers *offers, gruI_offer *offer);

#endif

/* pool.h - the runtime's own threads.
**
** A job is a number of independent blocks; how many there are, and what each one does,
** must depend on the shapes alone, so that results do not depend on the thread count.
** Threads spin for a moment after a job and then park.
*/
#ifndef GRUI_POOL_H
#define GRUI_POOL_H

#include <stdatomic.h>

#include "gru.h"

typedef struct gruI_pool gruI_pool;

/* Work of block `block`; `worker` is 0 .. threads - 1, for scratch memory. */
typedef void (*gruI_job)(void *context, int64_t block, int worker);

/* A pool of `threads` (>= 1) workers, the caller of run counted in.  Threads are
** started at the first job that has use for them.  NULL when out of memory. */
gruI_pool *gruI_pool_create(int threads, int (*should_abort)(void *), void *abort_context);
void gruI_pool_destroy(gruI_pool *pool);

/* Between jobs only. */
gru_status gruI_pool_set_threads(gruI_pool *pool, int threads);
int gruI_pool_threads(const gruI_pool *pool);

/* Runs job(context, b, worker) for b in 0 .. blocks - 1 and returns when all have run.
** GRU_ERROR_INTERRUPTED when the abort check (asked by the calling thread between its blocks)
** said to stop; blocks not begun are then left out. */
gru_status gruI_pool_run(gruI_pool *pool, int64_t blocks, gruI_job job, void *context);

/* ---- work for later --------------------------------------------------------------------------- */

/* A job that helpers may work on beside others, see offers.h.  The first three fields are the
** caller's, and the whole is his to keep until it is done. */
typedef struct gruI_offer {
  gruI_job job;
  void *context;
  int64_t blocks;
  int64_t begun, ended;
  _Atomic int done;
  struct gruI_offer *after;
} gruI_offer;

/* Offers work; where there is one thread alone, does it.  The child of a fork has no offers: what was
** offered before is not done there, see pending.c. */
void gruI_pool_offer(gruI_pool *pool, gruI_offer *offer);
static inline int gruI_offer_is_done(const gruI_offer *offer) {
  return atomic_load_explicit(&((gruI_offer *)(uintptr_t)offer)->done, memory_order_acquire);
}

/* Does what is left of an offer, and of those made before it.  GRU_ERROR_INTERRUPTED as of
** gruI_pool_run; the offer is withdrawn then. */
gru_status gruI_pool_finish(gruI_pool *pool, gruI_offer *offer);

/* The same, whatever the abort check says. */
void gruI_pool_join(gruI_pool *pool, gruI_offer *offer);

/* Gives an offer up: on return none of its blocks runs, nor will. */
void gruI_pool_withdraw(gruI_pool *pool, gruI_offer *offer);

/* Does all that has been offered, before foreign code runs: that may fork, or change what is read. */
void gruI_pool_settle(gruI_pool *pool);

#endif

/* pool.c - the runtime's own threads.
**
** One word says it all: `state` holds the epoch in its upper half (odd while a job is open) and
** in its lower half how many helpers are inside.  A helper enters an open job by adding one;
** the caller closes the job by making the epoch even, after which nobody can enter, and waits
** for those who did.  So a helper that sleeps through a short job costs nothing, and the
** fields of a job are written only while nobody is inside.
**
** A job's blocks are cut into a share for each thread, which takes those first and then what is left of
** the others'.  So a thread meets in its own cache what it met there in the last job of the same shape.
**
** The first helper does what has been offered before it helps with a job.  Two threads that share a small
** product wait for lines of memory which the other one has just written; with work of its own, each finds
** them in its own cache.  The other helpers, as the first where nothing is on offer, help with the job.
*/
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "core/pool.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/offers.h"
#include "core/process.h"
#include "core/spin.h"

enum {
  SPINS = 3000, /* looks at `state` before parking: about 100 microseconds */
  MAX_THREADS = 256,
  MAX_SHARES = 16 /* looking through all of them must stay cheap */
};

#define EPOCH_ONE (UINT64_C(1) << 32)
#define INSIDE_MASK (EPOCH_ONE - 1)

/* Blocks next .. end - 1 have not begun. */
typedef struct share {
  _Alignas(64) _Atomic int64_t next;
  int64_t end;
} share;

typedef struct helper {
  gruI_pool *pool;
  pthread_t thread;
  int worker; /* 1 .. threads - 1 */
} helper;

struct gruI_pool {
  int threads; /* wanted, the caller counted in */
  int started; /* helpers that run */
  int spins;
  int owner; /* the process that the helpers live in */
  helper *helpers;
  int (*should_abort)(void *);
  void *abort_context;

  /* The job; written while it is closed and nobody is inside. */
  gruI_job job;
  void *context;
  int64_t blocks;
  int shares;
  share share[MAX_SHARES];

  _Alignas(64) _Atomic uint64_t state;
  _Alignas(64) _Atomic int sleepers; /* helpers that are parked or about to */
  _Atomic int waiting;               /* the caller is parked or about to */
  _Atomic int stop;
  pthread_mutex_t mutex;
  pthread_cond_t wake; /* a job is open, or stop */
  pthread_cond_t done; /* the last helper has left */
  gruI_offers offers;
};

/* The pool whose job this thread is in, and as which worker. */
static _Thread_local const gruI_pool *inside_pool;
static _Thread_local int inside_worker;

/* ---- blocks ------------------------------------------------------------------------ */

/* The next block of the share that nobody has; -1: none. */
static int64_t take(share *s) {
  if (atomic_load_explicit(&s->next, memory_order_relaxed) >= s->end) return -1;
  int64_t block = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);
  return block < s->end ? block : -1;
}

/* No more blocks begin. */
static void give_up(gruI_pool *pool) {
  for (int i = 0; i < pool->shares; i++)
    atomic_store_explicit(&pool->share[i].next, pool->share[i].end, memory_order_relaxed);
}

/* Takes blocks until there are none. Only the caller asks whether to abort: `ask`. */
static gru_status run_blocks(gruI_pool *pool, int worker, int ask) {
  const gruI_pool *outer_pool = inside_pool;
  int outer_worker = inside_worker;
  gru_status status = GRU_OK;
  inside_pool = pool;
  inside_worker = worker;
  for (int i = 0; i < pool->shares && status == GRU_OK; i++) {
    share *from = &pool->share[(worker + i) % pool->shares];
    for (int64_t block; status == GRU_OK && (block = take(from)) >= 0;) {
      pool->job(pool->context, block, worker);
      if (ask && pool->should_abort != NULL && block + 1 < pool->blocks &&
          pool->should_abort(pool->abort_context))
        status = GRU_ERROR_INTERRUPTED;
    }
  }
  if (status != GRU_OK) give_up(pool);
  inside_pool = outer_pool;
  inside_worker = outer_worker;
  return status;
}

/* All blocks on this thread; `ask` is unset within a job. */
static gru_status run_inline(gruI_pool *pool, int64_t blocks, gruI_job job, void *context,
                             int ask) {
  const gruI_pool *outer_pool = inside_pool;
  int outer_worker = inside_worker;
  int worker = outer_pool == pool ? outer_worker : 0;
  gru_status status = GRU_OK;
  inside_pool = pool;
  inside_worker = worker;
  for (int64_t block = 0; block < blocks; block++) {
    if (block > 0 && ask && pool->should_abort != NULL && pool->should_abort(pool->abort_context)) {
      status = GRU_ERROR_INTERRUPTED;
      break;
    }
    job(context, block, worker);
  }
  inside_pool = outer_pool;
  inside_worker = outer_worker;
  return status;
}

/* ---- helpers ----------------------------------------------------------------------- */

static int is_open(uint64_t state, uint64_t seen) {
  return ((state >> 32) & 1) != 0 && (state >> 32) != seen;
}

/* Waits, spinning and then parked, for a job other than `seen`, an offer, or stop. */
static void wait_for_work(gruI_pool *pool, uint64_t seen) {
  for (int i = 0; i < pool->spins; i++) {
    if (is_open(atomic_load_explicit(&pool->state, memory_order_relaxed), seen) ||
        atomic_load_explicit(&pool->offers.ready, memory_order_relaxed) > 0 ||
        atomic_load_explicit(&pool->stop, memory_order_relaxed))
      return;
    gruI_spin(i);
  }
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->sleepers, 1);
  while (!is_open(atomic_load(&pool->state), seen) && atomic_load(&pool->offers.ready) <= 0 &&
         !atomic_load(&pool->stop))
    pthread_cond_wait(&pool->wake, &pool->mutex);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->mutex);
}

/* Enters the open job and works on it; returns without if it has closed meanwhile. */
static void help(gruI_pool *pool, int worker, uint64_t *seen) {
  uint64_t state = atomic_load(&pool->state);
  do {
    if (!is_open(state, *seen)) return;
  } while (!atomic_compare_exchange_weak(&pool->state, &state, state + 1));
  *seen = state >> 32;
  run_blocks(pool, worker, 0);
  state = atomic_fetch_sub(&pool->state, 1) - 1;
  if ((state & INSIDE_MASK) == 0 && atomic_load(&pool->waiting)) {
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_signal(&pool->done);
    pthread_mutex_unlock(&pool->mutex);
  }
}

/* Wakes as many helpers as have use for `blocks` blocks. */
static void wake_helpers(gruI_pool *pool, int64_t blocks) {
  int asleep = atomic_load(&pool->sleepers);
  if (asleep == 0) return;
  pthread_mutex_lock(&pool->mutex);
  if (blocks < asleep)
    for (int64_t i = 0; i < blocks; i++) pthread_cond_signal(&pool->wake);
  else
    pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
}

/* A block of what has been offered, by this thread; 0 when there is none. */
static int run_offered(gruI_pool *pool, int worker) {
  const gruI_pool *outer_pool = inside_pool;
  int outer_worker = inside_worker;
  inside_pool = pool;
  inside_worker = worker;
  int ran = gruI_offers_run_one(&pool->offers, worker);
  inside_pool = outer_pool;
  inside_worker = outer_worker;
  int64_t ready = ran ? atomic_load(&pool->offers.ready) : 0;
  if (ready > 0) wake_helpers(pool, ready); /* the next offer may begin: some may be asleep */
  return ran;
}

static void *helper_main(void *argument) {
  const helper *self = argument;
  gruI_pool *pool = self->pool;
  uint64_t seen = 0; /* the epoch of the job last helped with; even ones are never open */
  while (!atomic_load(&pool->stop)) {
    wait_for_work(pool, seen);
    if (self->worker == 1 && run_offered(pool, 1)) continue;
    help(pool, self->worker, &seen);
    if (atomic_load_explicit(&pool->offers.ready, memory_order_relaxed) > 0 &&
        !is_open(atomic_load_explicit(&pool->state, memory_order_relaxed), seen))
      run_offered(pool, self->worker);
  }
  return NULL;
}

/* Starts the helpers that are missing. Signals stay with the program's own threads.
** A thread that does not start is done without. */
static void start_helpers(gruI_pool *pool) {
  sigset_t all, old;
  if (pool->helpers == NULL) pool->helpers = calloc((size_t)pool->threads, sizeof *pool->helpers);
  if (pool->helpers == NULL) return;
  pool->owner = gruI_process();
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  while (pool->started < pool->threads - 1) {
    helper *h = &pool->helpers[pool->started];
    h->pool = pool;
    h->worker = pool->started + 1;
    if (pthread_create(&h->thread, NULL, helper_main, h) != 0) break;
    pool->started++;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void init_sync(gruI_pool *pool) {
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pthread_cond_init(&pool->done, NULL);
  atomic_init(&pool->state, 0);
  atomic_init(&pool->sleepers, 0);
  atomic_init(&pool->waiting, 0);
  atomic_init(&pool->stop, 0);
}

static int is_forked(const gruI_pool *pool) {
  return pool->started > 0 && pool->owner != gruI_process();
}

/* In a forked child: the helpers are not there, and a lock may be held by one of them. */
static void forget_helpers(gruI_pool *pool) {
  pool->started = 0;
  init_sync(pool);
  gruI_offers_init(&pool->offers); /* whoever made them knows, see pending.c */
}

static void stop_helpers(gruI_pool *pool) {
  if (is_forked(pool)) forget_helpers(pool);
  if (pool->started > 0) {
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->stop, 1);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->started; i++) pthread_join(pool->helpers[i].thread, NULL);
    pool->started = 0;
    atomic_store(&pool->stop, 0);
  }
  free(pool->helpers);
  pool->helpers = NULL;
}

/* ---- the pool ---------------------------------------------------------------------- */

/* Spinning is for cores that nobody else wants: none where there are fewer than threads. */
static int choose_spins(int threads) {
#ifdef __linux__
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0)
    return threads <= CPU_COUNT(&cores) ? SPINS : 0;
#endif
  return threads <= sysconf(_SC_NPROCESSORS_ONLN) ? SPINS : 0;
}

gruI_pool *gruI_pool_create(int threads, int (*should_abort)(void *), void *abort_context) {
  void *block = NULL;
  gruI_pool *pool;
  if (!gruI_process_watch() || posix_memalign(&block, 64, sizeof *pool) != 0) return NULL;
  pool = block;
  pool->threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
  pool->started = 0;
  pool->spins = choose_spins(pool->threads);
  pool->owner = 0;
  pool->helpers = NULL;
  pool->should_abort = should_abort;
  pool->abort_context = abort_context;
  pool->job = NULL;
  pool->context = NULL;
  pool->blocks = pool->shares = 0;
  init_sync(pool);
  gruI_offers_init(&pool->offers);
  return pool;
}

void gruI_pool_destroy(gruI_pool *pool) {
  if (pool == NULL) return;
  stop_helpers(pool);
  pthread_cond_destroy(&pool->done);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  gruI_offers_destroy(&pool->offers);
  free(pool);
}

gru_status gruI_pool_set_threads(gruI_pool *pool, int threads) {
  if (threads < 1 || threads > MAX_THREADS || inside_pool == pool) return GRU_ERROR_ARGUMENT;
  if (threads == pool->threads) return GRU_OK;
  stop_helpers(pool);
  pool->threads = threads;
  pool->spins = choose_spins(threads);
  return GRU_OK;
}

int gruI_pool_threads(const gruI_pool *pool) { return pool->threads; }

static void open_job(gruI_pool *pool, int64_t blocks, gruI_job job, void *context) {
  pool->job = job;
  pool->context = context;
  pool->blocks = blocks;
  pool->shares = pool->threads < MAX_SHARES ? pool->threads : MAX_SHARES;
  for (int64_t i = 0; i < pool->shares; i++) {
    atomic_store_explicit(&pool->share[i].next, blocks * i / pool->shares, memory_order_relaxed);
    pool->share[i].end = blocks * (i + 1) / pool->shares;
  }
  atomic_fetch_add(&pool->state, EPOCH_ONE);
  wake_helpers(pool, blocks - 1);
}

/* Closes the job and waits for the helpers inside. */
static void close_job(gruI_pool *pool) {
  uint64_t state = atomic_fetch_add(&pool->state, EPOCH_ONE) + EPOCH_ONE;
  for (int i = 0; i < pool->spins && (state & INSIDE_MASK) != 0; i++) {
    gruI_spin(i);
    state = atomic_load_explicit(&pool->state, memory_order_acquire);
  }
  if ((state & INSIDE_MASK) == 0) return;
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->waiting, 1);
  while ((atomic_load(&pool->state) & INSIDE_MASK) != 0)
    pthread_cond_wait(&pool->done, &pool->mutex);
  atomic_store(&pool->waiting, 0);
  pthread_mutex_unlock(&pool->mutex);
}

gru_status gruI_pool_run(gruI_pool *pool, int64_t blocks, gruI_job job, void *context) {
  gru_status status;
  int nested = inside_pool == pool;
  if (nested || blocks <= 1 || pool->threads == 1)
    return run_inline(pool, blocks, job, context, !nested);
  if (is_forked(pool)) forget_helpers(pool);
  if (pool->started < pool->threads - 1) start_helpers(pool);
  open_job(pool, blocks, job, context);
  status = run_blocks(pool, 0, 1);
  close_job(pool);
  return status;
}

/* ---- offers ------------------------------------------------------------------------ */

/* As which worker this thread does what others have offered. */
static int worker_of(const gruI_pool *pool) { return inside_pool == pool ? inside_worker : 0; }

void gruI_pool_offer(gruI_pool *pool, gruI_offer *offer) {
  int64_t blocks = offer->blocks;
  if (is_forked(pool)) forget_helpers(pool);
  gruI_offers_add(&pool->offers, offer);
  if (pool->threads == 1) {
    while (run_offered(pool, worker_of(pool))) continue;
    return;
  }
  if (pool->started < pool->threads - 1) start_helpers(pool);
  wake_helpers(pool, blocks);
}

void gruI_pool_withdraw(gruI_pool *pool, gruI_offer *offer) {
  gruI_offers_withdraw(&pool->offers, offer);
  for (int i = 0; !gruI_offer_is_done(offer); i++) gruI_spin(i);
}

void gruI_pool_join(gruI_pool *pool, gruI_offer *offer) {
  for (int i = 0; !gruI_offer_is_done(offer); i++)
    if (!run_offered(pool, worker_of(pool))) gruI_spin(i);
}

gru_status gruI_pool_finish(gruI_pool *pool, gruI_offer *offer) {
  int ask = inside_pool != pool && pool->should_abort != NULL;
  for (int i = 0; !gruI_offer_is_done(offer); i++) {
    if (ask && pool->should_abort(pool->abort_context)) {
      gruI_pool_withdraw(pool, offer);
      return GRU_ERROR_INTERRUPTED;
    }
    if (!run_offered(pool, worker_of(pool))) gruI_spin(i);
  }
  return GRU_OK;
}

void gruI_pool_settle(gruI_pool *pool) {
  if (is_forked(pool)) forget_helpers(pool);
  for (int i = 0; gruI_offers_are_left(&pool->offers); i++)
    if (!run_offered(pool, worker_of(pool))) gruI_spin(i);
}

/* pool_test.c - the thread pool: every block once, nested jobs, aborts, resizing, forks. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "core/pool.h"

enum { MOST_BLOCKS = 300 };

typedef struct work {
  gruI_pool *pool;
  int threads;
  atomic_int runs[MOST_BLOCKS];
  int plain[MOST_BLOCKS]; /* each written by one block: a race here is a race in the pool */
  atomic_int bad_worker;
  atomic_int nested_runs;
  pthread_t seen[256];
  atomic_int has_seen[256];
  atomic_int moved; /* a worker that was two threads */
} work;

static void touch(void *context, int64_t block, int worker) {
  work *w = context;
  atomic_fetch_add(&w->runs[block], 1);
  w->plain[block] = (int)block + 1;
  if (worker < 0 || worker >= w->threads) {
    atomic_store(&w->bad_worker, 1);
    return;
  }
  if (!atomic_exchange(&w->has_seen[worker], 1))
    w->seen[worker] = pthread_self();
  else if (!pthread_equal(w->seen[worker], pthread_self()))
    atomic_store(&w->moved, 1);
}

/* All blocks of a job ran once, and their plain writes are visible. */
static int ran_once(work *w, int64_t blocks) {
  int good = 1;
  for (int64_t b = 0; b < MOST_BLOCKS; b++) {
    if (atomic_load(&w->runs[b]) != (b < blocks)) good = 0;
    if (w->plain[b] != (b < blocks ? b + 1 : 0)) good = 0;
    atomic_store(&w->runs[b], 0);
    w->plain[b] = 0;
  }
  return good;
}

static void test_many_jobs(int threads) {
  static work w;
  memset(&w, 0, sizeof w);
  w.threads = threads;
  w.pool = gruI_pool_create(threads, NULL, NULL);
  CHECK(w.pool != NULL);
  CHECK(gruI_pool_threads(w.pool) == threads);
  int good = 1;
  for (int job = 0; job < 3000; job++) {
    int64_t blocks = job % 7 == 0 ? job % MOST_BLOCKS : job % 9;
    if (gruI_pool_run(w.pool, blocks, touch, &w) != GRU_OK) good = 0;
    if (!ran_once(&w, blocks)) good = 0;
    if (job % 500 == 0) usleep(2000); /* helpers park */
  }
  CHECK(good);
  CHECK(!atomic_load(&w.bad_worker));
  CHECK(!atomic_load(&w.moved));
  gruI_pool_destroy(w.pool);
}

static void count_nested(void *context, int64_t block, int worker) {
  work *w = context;
  (void)block;
  if (worker < 0 || worker >= w->threads) atomic_store(&w->bad_worker, 1);
  atomic_fetch_add(&w->nested_runs, 1);
}

static void run_nested(void *context, int64_t block, int worker) {
  work *w = context;
  (void)block, (void)worker;
  if (gruI_pool_run(w->pool, 5, count_nested, w) != GRU_OK) atomic_store(&w->bad_worker, 1);
  if (gruI_pool_set_threads(w->pool, 1) == GRU_OK) atomic_store(&w->bad_worker, 1);
}

static void test_nested(void) {
  static work w;
  memset(&w, 0, sizeof w);
  w.threads = 3;
  w.pool = gruI_pool_create(3, NULL, NULL);
  for (int i = 0; i < 100; i++) CHECK(gruI_pool_run(w.pool, 8, run_nested, &w) == GRU_OK);
  CHECK(atomic_load(&w.nested_runs) == 100 * 8 * 5);
  CHECK(!atomic_load(&w.bad_worker));
  gruI_pool_destroy(w.pool);
}

/* ---- aborts ------------------------------------------------------------------------ */

typedef struct stopper {
  int asked, stop_at;
  pthread_t caller;
  int other_thread;
} stopper;

static int should_abort(void *context) {
  stopper *s = context;
  if (!pthread_equal(s->caller, pthread_self())) s->other_thread = 1;
  return ++s->asked == s->stop_at;
}

static void slow(void *context, int64_t block, int worker) {
  (void)block, (void)worker;
  atomic_fetch_add((atomic_int *)context, 1);
  usleep(200);
}

static void test_abort(int threads) {
  stopper s = {.stop_at = 3, .caller = pthread_self()};
  atomic_int runs = 0;
  gruI_pool *pool = gruI_pool_create(threads, should_abort, &s);
  CHECK(gruI_pool_run(pool, 10000, slow, &runs) == GRU_ERROR_INTERRUPTED);
  CHECK(atomic_load(&runs) < 10000);
  CHECK(s.asked == 3);
  CHECK(!s.other_thread);
  atomic_store(&runs, 0);
  CHECK(gruI_pool_run(pool, 20, slow, &runs) == GRU_OK);
  CHECK(atomic_load(&runs) == 20);
  gruI_pool_destroy(pool);
}

/* ---- offers ------------------------------------------------------------------------ */

enum { OFFERS = 5 };

typedef struct offered {
  gruI_offer offer;
  work *w;
  const struct offered *before; /* which must be done before this begins */
  atomic_int runs;
  atomic_int early, bad_worker;
} offered;

static void run_one_offered(void *context, int64_t block, int worker) {
  offered *o = context;
  (void)block;
  if (o->before != NULL && !gruI_offer_is_done(&o->before->offer)) atomic_store(&o->early, 1);
  if (worker < 0 || worker >= o->w->threads) atomic_store(&o->bad_worker, 1);
  for (volatile int i = 0; i < 300; i++) continue;
  atomic_fetch_add(&o->runs, 1);
}

static void make_offers(offered *list, work *w) {
  for (int i = 0; i < OFFERS; i++) {
    offered *o = &list[i];
    memset(o, 0, sizeof *o);
    o->w = w, o->before = i > 0 ? &list[i - 1] : NULL;
    o->offer.job = run_one_offered, o->offer.context = o, o->offer.blocks = (i * 7) % 20;
    gruI_pool_offer(w->pool, &o->offer);
  }
}

/* Each block of each offer runs once, in the order of the offers, while jobs come and go. */
static void test_offers(int threads) {
  static work w;
  static offered list[OFFERS];
  memset(&w, 0, sizeof w);
  w.threads = threads;
  w.pool = gruI_pool_create(threads, NULL, NULL);
  int good = 1;
  for (int round = 0; round < 400; round++) {
    make_offers(list, &w);
    if (threads == 1 && !gruI_offer_is_done(&list[OFFERS - 1].offer)) good = 0;
    for (int job = 0; job < round % 4; job++)
      if (gruI_pool_run(w.pool, 6, touch, &w) != GRU_OK || !ran_once(&w, 6)) good = 0;
    if (round % 50 == 0) usleep(1500); /* helpers do all of it, and park */
    if (round % 3 == 0)
      gruI_pool_settle(w.pool);
    else if (gruI_pool_finish(w.pool, &list[round % OFFERS].offer) != GRU_OK)
      good = 0;
    for (int i = OFFERS - 1; i >= 0; i--) { /* the last first: it waits for the others */
      offered *o = &list[i];
      if (gruI_pool_finish(w.pool, &o->offer) != GRU_OK || atomic_load(&o->early) ||
          atomic_load(&o->bad_worker) || atomic_load(&o->runs) != (i * 7) % 20)
        good = 0;
    }
  }
  CHECK(good);
  CHECK(!atomic_load(&w.bad_worker));
  gruI_pool_destroy(w.pool);
}

/* What is withdrawn does not run any more, and does not keep what follows. */
static void test_withdraw(int threads) {
  static work w;
  static offered list[OFFERS];
  memset(&w, 0, sizeof w);
  w.threads = threads;
  w.pool = gruI_pool_create(threads, NULL, NULL);
  int good = 1;
  for (int round = 0; round < 200; round++) {
    make_offers(list, &w);
    int first = round % OFFERS, second = (round + 2) % OFFERS;
    gruI_pool_withdraw(w.pool, &list[first].offer);
    int runs = atomic_load(&list[first].runs);
    gruI_pool_withdraw(w.pool, &list[second].offer);
    gruI_pool_settle(w.pool);
    if (atomic_load(&list[first].runs) != runs) good = 0;
    for (int i = 0; i < OFFERS; i++) {
      if (!gruI_offer_is_done(&list[i].offer)) good = 0;
      if (i != first && i != second && atomic_load(&list[i].runs) != (i * 7) % 20) good = 0;
    }
  }
  CHECK(good);
  gruI_pool_destroy(w.pool);
}

static void test_interrupted_offer(int threads) {
  stopper s = {.stop_at = 1, .caller = pthread_self()};
  atomic_int runs = 0;
  gruI_pool *pool = gruI_pool_create(threads, should_abort, &s);
  gruI_offer offer = {.job = slow, .context = &runs, .blocks = 1000};
  gruI_pool_offer(pool, &offer);
  CHECK(gruI_pool_finish(pool, &offer) == GRU_ERROR_INTERRUPTED);
  CHECK(gruI_offer_is_done(&offer) && atomic_load(&runs) < 1000);
  CHECK(!s.other_thread);
  int before = atomic_load(&runs);
  usleep(1000);
  CHECK(atomic_load(&runs) == before);
  gruI_pool_destroy(pool);
}

/* ---- sizes, processes, several pools ----------------------------------------------- */

static void test_set_threads(void) {
  static work w;
  int good = 1;
  memset(&w, 0, sizeof w);
  w.threads = 4;
  w.pool = gruI_pool_create(1, NULL, NULL);
  for (int i = 0; i < 60; i++) {
    int threads = i % 4 + 1;
    CHECK(gruI_pool_set_threads(w.pool, threads) == GRU_OK);
    CHECK(gruI_pool_threads(w.pool) == threads);
    memset(w.has_seen, 0, sizeof w.has_seen);
    if (gruI_pool_run(w.pool, 40, touch, &w) != GRU_OK || !ran_once(&w, 40)) good = 0;
  }
  CHECK(good);
  CHECK(!atomic_load(&w.moved));
  CHECK(gruI_pool_set_threads(w.pool, 0) == GRU_ERROR_ARGUMENT);
  CHECK(gruI_pool_set_threads(w.pool, 257) == GRU_ERROR_ARGUMENT);
  gruI_pool_destroy(w.pool);
  gruI_pool_destroy(gruI_pool_create(4, NULL, NULL)); /* never used */
  gruI_pool_destroy(NULL);
}

/* A child of a process with helpers can use the pool, and destroy it. */
static void test_fork(void) {
#ifndef __SANITIZE_THREAD__
  static work w;
  memset(&w, 0, sizeof w);
  w.threads = 3;
  w.pool = gruI_pool_create(3, NULL, NULL);
  CHECK(gruI_pool_run(w.pool, 50, touch, &w) == GRU_OK && ran_once(&w, 50));
  for (int use = 0; use < 2; use++) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      int good = 1;
      memset(w.has_seen, 0, sizeof w.has_seen);
      alarm(20);
      if (use) good = gruI_pool_run(w.pool, 50, touch, &w) == GRU_OK && ran_once(&w, 50);
      gruI_pool_destroy(w.pool);
      _exit(good ? 0 : 1);
    }
    int status = 1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  CHECK(gruI_pool_run(w.pool, 50, touch, &w) == GRU_OK && ran_once(&w, 50));
  gruI_pool_destroy(w.pool);
#endif
}

static void *own_pool(void *argument) {
  static _Thread_local work w;
  int *good = argument;
  memset(&w, 0, sizeof w);
  w.threads = 2;
  w.pool = gruI_pool_create(2, NULL, NULL);
  for (int i = 0; i < 300; i++)
    if (gruI_pool_run(w.pool, 20, touch, &w) != GRU_OK || !ran_once(&w, 20)) *good = 0;
  gruI_pool_destroy(w.pool);
  return NULL;
}

static void test_two_pools(void) {
  pthread_t threads[3];
  int good[3] = {1, 1, 1};
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, own_pool, &good[i]);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  CHECK(good[0] && good[1] && good[2]);
}

int main(void) {
  for (int threads = 1; threads <= 4; threads++) test_many_jobs(threads);
  test_many_jobs(19); /* more than there are shares */
  test_nested();
  test_abort(1);
  test_abort(3);
  for (int threads = 1; threads <= 4; threads++) test_offers(threads), test_withdraw(threads);
  test_interrupted_offer(2);
  test_interrupted_offer(3);
  test_set_threads();
  test_fork();
  test_two_pools();
  return report();
}

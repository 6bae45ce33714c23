/* handover_test.c - rows that threads hand to each other: each goes through every step once, in order. */
#include "cpu/handover.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "check.h"

enum { ROWS = 48, STEPS = 40, MOST_THREADS = 6 };

/* A walk as recurrence.c makes it. */
typedef struct walk {
  gruI_handover handover;
  int64_t done[ROWS];         /* steps */
  int walker[ROWS][STEPS];    /* who made the step */
  _Atomic int disorder;       /* a step that was not the next one */
  _Atomic int given, refused; /* how often somebody gave */
  int64_t first[MOST_THREADS + 1];
  int slow; /* this walker takes a while for each step; -1: none */
} walk;

typedef struct walker {
  walk *walk;
  int number;
} walker;

static void rest(long microseconds) {
  struct timespec time = {.tv_nsec = 1000 * microseconds};
  nanosleep(&time, NULL);
}

static void *go(void *argument) {
  walk *w = ((walker *)argument)->walk;
  int me = ((walker *)argument)->number;
  gruI_stretch mine = {w->first[me], w->first[me + 1], 0};
  gruI_handover_begin(&w->handover);
  do {
    for (int64_t i = mine.from; i < STEPS; i++) {
      for (int64_t r = mine.first; r < mine.last; r++) {
        if (w->done[r]++ != i) w->disorder = 1;
        w->walker[r][i] = me;
      }
      if (me == w->slow) rest(500);
      gruI_stretch half = {(mine.first + mine.last + 1) / 2, mine.last, i + 1};
      if (half.first == half.last || i + 1 == STEPS || !gruI_handover_wanted(&w->handover))
        continue;
      if (gruI_handover_give(&w->handover, half))
        mine.last = half.first, w->given++;
      else
        w->refused++;
    }
  } while (gruI_handover_next(&w->handover, &mine));
  return NULL;
}

/* `first` of w gives each thread its rows. */
static void run(walk *w, int threads) {
  pthread_t thread[MOST_THREADS];
  walker walkers[MOST_THREADS];
  for (int i = 0; i < threads; i++) {
    walkers[i] = (walker){w, i};
    CHECK(pthread_create(&thread[i], NULL, go, &walkers[i]) == 0);
  }
  for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
  int whole = 1;
  for (int r = 0; r < ROWS; r++) whole &= w->done[r] == STEPS;
  CHECK(whole);
  CHECK(!w->disorder);
  CHECK(w->handover.asking == 0 && w->handover.under_way == 0 && w->handover.slot == 0);
}

/* One thread is slow, and the other one has next to nothing: it gets rows, and makes their last steps. */
static void test_slow_thread(void) {
  walk w = {.first = {0, ROWS - 1, ROWS}, .slow = 0};
  run(&w, 2);
  int steps = 0;
  for (int r = 0; r < ROWS - 1; r++)
    for (int i = 0; i < STEPS; i++) steps += w.walker[r][i] == 1;
  CHECK(w.given > 0);
  CHECK(steps > 0);
  CHECK(w.walker[0][STEPS - 1] == 0); /* half stays with the giver, from the first row on */
}

static void test_many_threads(void) {
  for (int threads = 1; threads <= MOST_THREADS; threads++)
    for (int slow = -1; slow < threads; slow++) {
      walk w = {.slow = slow};
      for (int i = 0; i <= threads; i++) w.first[i] = ROWS * i / threads;
      run(&w, threads);
      if (threads == 1) CHECK(w.given == 0);
    }
}

/* One slot: the second stretch stays with whom it belongs to until the first one is taken. */
static void test_one_slot(void) {
  gruI_handover h;
  gruI_stretch taken = {0, 0, 0};
  memset(&h, 0, sizeof h);
  CHECK(!gruI_handover_wanted(&h));
  gruI_handover_begin(&h);
  CHECK(gruI_handover_give(&h, (gruI_stretch){8, 12, 3}));
  CHECK(!gruI_handover_give(&h, (gruI_stretch){4, 8, 3}));
  CHECK(gruI_handover_next(&h, &taken)); /* whoever gave it takes it back where nobody else did */
  CHECK(taken.first == 8 && taken.last == 12 && taken.from == 3);
  CHECK(gruI_handover_give(&h, (gruI_stretch){10, 12, 5}));
  CHECK(gruI_handover_next(&h, &taken));
  CHECK(taken.first == 10);
  CHECK(!gruI_handover_next(&h, &taken)); /* all are done: it does not wait */
}

int main(void) {
  test_slow_thread();
  test_many_threads();
  test_one_slot();
  return report();
}

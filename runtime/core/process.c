/* process.c - a count of the forks that led here. */
#include "core/process.h"

#include <pthread.h>

int gruI_process_generation; /* written by a child's only thread */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int watches;

static void count_fork(void) { gruI_process_generation++; }

static void watch(void) { watches = pthread_atfork(NULL, NULL, count_fork) == 0; }

int gruI_process_watch(void) {
  pthread_once(&once, watch);
  return watches;
}

/* spin.h - waiting for another thread that will be done in a moment. */
#ifndef GRUI_SPIN_H
#define GRUI_SPIN_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>

enum { GRUI_YIELD_EVERY = 64 }; /* looks after which others may have the core: two microseconds */

/* Pauses after look `i`. A core that somebody else wants, the one waited for perhaps, is given away now
** and then: without that, a helper woken on the caller's own core spins in its place. */
static inline void gruI_spin(int i) {
  if (i % GRUI_YIELD_EVERY == GRUI_YIELD_EVERY - 1) {
    sched_yield();
    return;
  }
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

#endif

/* handover.h - rows that threads hand to each other on a walk through time.
**
** Each thread takes rows of its own through all steps, in equal shares.  Cores are seldom equally fast: one
** shares its execution units with a stranger, or its memory.  So a thread that has come to the end asks, and
** one that is still under way looks, between two steps, whether somebody asks, and gives half of its rows
** away from there on.  Rows do not depend on each other: who walks with them shows in no result.
*/
#ifndef GRUI_CPU_HANDOVER_H
#define GRUI_CPU_HANDOVER_H

#include <stdatomic.h>
#include <stdint.h>

/* Rows first .. last - 1, from step `from` on. */
typedef struct gruI_stretch {
  int64_t first, last, from;
} gruI_stretch;

/* All zeros before the first thread begins. */
typedef struct gruI_handover {
  _Alignas(64) _Atomic int asking; /* threads that have nothing left */
  _Atomic int under_way;           /* stretches that are not done, the one on offer among them */
  _Atomic int slot; /* whether `given` holds a stretch, or is being written or read */
  gruI_stretch given;
} gruI_handover;

/* Once for each stretch that was not given by another thread, before its first step. */
static inline void gruI_handover_begin(gruI_handover *h) { atomic_fetch_add(&h->under_way, 1); }

/* Does somebody ask? */
static inline int gruI_handover_wanted(gruI_handover *h) {
  return atomic_load_explicit(&h->asking, memory_order_relaxed) > 0;
}

/* Offers a stretch, which the caller then leaves alone; 0: not possible now, the stretch stays the
** caller's. */
int gruI_handover_give(gruI_handover *h, gruI_stretch stretch);

/* After the last step of a stretch: waits for another one.  0: all are done, or held by threads that have
** not begun. */
int gruI_handover_next(gruI_handover *h, gruI_stretch *stretch);

#endif

/* handover.c - giving and taking, by way of one slot. */
#include "cpu/handover.h"

#include "core/spin.h"

enum { EMPTY, BUSY, FULL };

int gruI_handover_give(gruI_handover *h, gruI_stretch stretch) {
  int expected = EMPTY;
  if (!atomic_compare_exchange_strong(&h->slot, &expected, BUSY)) return 0;
  h->given = stretch;
  atomic_fetch_add(&h->under_way, 1);
  atomic_store(&h->slot, FULL);
  return 1;
}

/* A stretch whose taker has gone off with another one is taken by the giver, when that comes here. */
int gruI_handover_next(gruI_handover *h, gruI_stretch *stretch) {
  int found = 0;
  atomic_fetch_sub(&h->under_way, 1);
  atomic_fetch_add(&h->asking, 1);
  for (int i = 0; !found && atomic_load(&h->under_way) > 0; i++) {
    int expected = FULL;
    found =
        atomic_load(&h->slot) == FULL && atomic_compare_exchange_strong(&h->slot, &expected, BUSY);
    if (!found) gruI_spin(i);
  }
  atomic_fetch_sub(&h->asking, 1);
  if (!found) return 0;
  *stretch = h->given;
  atomic_store(&h->slot, EMPTY);
  return 1;
}

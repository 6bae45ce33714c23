/* pending.h - results that are still being made while the script goes on.
**
** A recurrence keeps one thread busy: small ops, and the script between them.  What it computes beside,
** such as an output layer at every step, nobody reads before the sequence is over.  So a product of few
** rows with a weight that is kept packed, and elementwise ops on its result, are left to the pool's helpers
** (core/offers.h).  Their storage is pending: gruI_data waits for it, and whoever
** wrote, in place, what a pending result is made from would change it, so that all of them are settled
** before.  Who computes, and when, changes no bit.
**
** None are begun during backward, which has its own use for helpers (core/pairs.c), in a profile, with
** one thread, or with a weight of whose products one was, of late, in a hurry: the next product of the
** recurrence, say, needed it.  All threads should share such products.
*/
#ifndef GRUI_PENDING_H
#define GRUI_PENDING_H

#include "core/device.h"
#include "core/tensor.h"

/* Leaves out = a b to helpers; false: the caller has to do it. */
bool gruI_pending_gemm(const gruI_gemm *call, const gru_tensor *a, const gru_tensor *b,
                       gru_tensor *out);

/* The same for an elementwise op, where one of its operands (NULL where unused) is pending. */
bool gruI_pending_elementwise(const gruI_elementwise *call, gru_tensor *const *slots,
                              gru_tensor *out);

/* A product is about to read the storage.  What it is waiting for was in a hurry. */
void gruI_pending_hurry(const gruI_storage *storage);

/* Settles whatever is pending, before something is changed in place. */
void gruI_pending_settle(gru_runtime *rt);

/* Nobody wants the result: its memory is about to be freed. */
void gruI_pending_drop(gruI_storage *storage);

#endif

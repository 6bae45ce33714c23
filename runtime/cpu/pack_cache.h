/* pack_cache.h - packed right operands of products that come again and again.
**
** A recurrence written step by step multiplies by the same weights at every step, and so does its
** way back; with few rows, packing costs as much as a third of the product.  What is used a second
** time with the same elements is kept packed until it changes or others push it out.
*/
#ifndef GRUI_CPU_PACK_CACHE_H
#define GRUI_CPU_PACK_CACHE_H

#include "cpu/panel.h"

/* The packed b of `call`, whole, or room for it.  NULL: not to be kept.  *ready says whether the
** elements are there; the caller writes them otherwise, at once. */
void *gruI_pack_cache_find(gruI_device *device, const gruI_gemm *call, size_t bytes, int *ready);

/* The same where the elements are there already; NULL: they are not. */
void *gruI_pack_cache_ready(gruI_device *device, const gruI_gemm *call);

/* Frees everything: when the device is closed. */
void gruI_pack_cache_drop(gruI_device *device);

#endif

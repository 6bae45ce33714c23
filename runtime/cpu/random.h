/* random.h - fills with Philox draws, one function per instruction set.
**
** random.c divides a fill and chooses the set; random_fill.c holds the loops, and is compiled
** once per set (-DGRUI_ISA=...).
*/
#ifndef GRUI_CPU_RANDOM_H
#define GRUI_CPU_RANDOM_H

#include "cpu/cpu.h"

/* Elements first .. last - 1 of a call. */
void gruI_random_fill_baseline(const gruI_random *call, int64_t first, int64_t last);
void gruI_random_fill_avx2(const gruI_random *call, int64_t first, int64_t last);

#endif

/* process.h - telling a forked child from its parent, without a system call. */
#ifndef GRUI_PROCESS_H
#define GRUI_PROCESS_H

/* Begins to watch for forks, once; 0 where there is no memory for it. */
int gruI_process_watch(void);

extern int gruI_process_generation;

/* A number of this process that none of its ancestors has had. */
static inline int gruI_process(void) { return gruI_process_generation; }

#endif

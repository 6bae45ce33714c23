/* check.h - what a C test of one file counts, and says at its end. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

static int passed, failed;

/* Counts; prints the first failures. */
static inline void check_at(int holds, const char *file, int line, const char *what) {
  enum { MOST_PRINTED = 20 };
  passed += holds;
  failed += !holds;
  if (!holds && failed <= MOST_PRINTED) printf("%s:%d: %s\n", file, line, what);
}

#define CHECK(condition) check_at((condition) ? 1 : 0, __FILE__, __LINE__, #condition)

/* The exit status of main. */
static inline int report(void) {
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}

#endif

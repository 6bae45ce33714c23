/* refuse.h - GRU_EMULATOR_REFUSE: failures of calls that tests ask for. */
#ifndef GRU_EMULATOR_REFUSE_H
#define GRU_EMULATOR_REFUSE_H

#include <stdlib.h>
#include <string.h>

/* The error that `call` is to fail with, or 0: of "call=error" each time, of "call=error@n" the n-th. */
static inline int gru_emulator_refusal(const char *call) {
  static const char *const list = getenv("GRU_EMULATOR_REFUSE");
  static int made[16]; /* calls of the entries with a number */
  size_t length = strlen(call), entry = 0;
  for (const char *at = list; at != NULL && *at != '\0'; entry++) {
    size_t end = strcspn(at, " ");
    if (strncmp(at, call, length) == 0 && at[length] == '=') {
      char *rest;
      int error = (int)strtol(at + length + 1, &rest, 10);
      if (*rest != '@') return error;
      if (entry < sizeof made / sizeof *made && ++made[entry] == atoi(rest + 1)) return error;
    }
    at += end + strspn(at + end, " ");
  }
  return 0;
}

#endif

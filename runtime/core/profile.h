/* profile.h - spans, which the profile callback is told of.
**
** Where a profile is off, a call costs one look at rt->profile.  A span stands on the C stack of
** the function that it times; it may only be left open by nothing.
*/
#ifndef GRUI_PROFILE_H
#define GRUI_PROFILE_H

#include "core/runtime.h"

/* Starts a span inside the one that is open; `name` is static. */
void gruI_span_open(gru_runtime *rt, gru_span *span, const char *name, gru_span_kind kind);

/* Ends it, and tells of it when the profile is still on. */
void gruI_span_close(gru_runtime *rt, gru_span *span);

/* Runs `expression`, a gru_status, and puts it into `status`; inside a span of its own where the profile
** is on. */
#define GRUI_SPAN(rt, name, kind, status, expression) \
  do { \
    if (!(rt)->profile) { \
      (status) = (expression); \
    } else { \
      gru_span span_; \
      gruI_span_open((rt), &span_, (name), (kind)); \
      (status) = (expression); \
      gruI_span_close((rt), &span_); \
    } \
  } while (0)

#endif

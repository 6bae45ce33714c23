/* json.h - strict JSON from outside, through cJSON.
**
** cJSON lets pass what is no JSON: control characters, numbers such as 01, anything up to a
** space as white space.  A first walk over the text refuses that, and bounds what a hostile
** text can make cJSON allocate.
*/
#ifndef GRU_IO_JSON_H
#define GRU_IO_JSON_H

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRUI_JSON_DEPTH = 16, GRUI_JSON_VALUES = 1 << 22 }; /* the most that is taken */

typedef struct gruI_json_fault {
  const char *reason; /* such as "a string without an end" */
  size_t at;          /* byte of the text */
} gruI_json_fault;

/* Parses text[0 .. n); text[n] must be 0.  Numbers must be whole, and 0 or more.  The caller
** ends the result with cJSON_Delete.  NULL and a fault when it is refused. */
cJSON *gruI_json_parse(const char *text, size_t n, gruI_json_fault *fault);

/* The value of a number up to 2^53 - 1 (doubles hold no further ones exactly), or false. */
bool gruI_json_integer(const cJSON *value, int64_t *out);

#endif

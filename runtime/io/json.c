/* json.c - strict JSON from outside, through cJSON. */
#include "json.h"

#include <ctype.h>
#include <string.h>

#include "utf8.h"

/* A walk over the text, which only has to find what cJSON would not. */
typedef struct walk {
  const unsigned char *text;
  size_t n, at;
} walk;

/* Decodes it all.  Returns what is wrong with the UTF-8, at w->at. */
static const char *check_utf8(walk *w) {
  gruI_utf8 decoder;
  gruI_utf8_fault fault = GRU_UTF8_OK;
  uint32_t codes[512];
  size_t ncodes, room = sizeof codes / sizeof *codes;
  gruI_utf8_init(&decoder);
  for (size_t at = 0; at < w->n && fault == GRU_UTF8_OK; at += room) {
    size_t some = w->n - at < room ? w->n - at : room;
    fault = gruI_utf8_decode(&decoder, w->text + at, some, codes, &ncodes);
  }
  if (fault == GRU_UTF8_OK) fault = gruI_utf8_finish(&decoder);
  if (fault == GRU_UTF8_OK) return NULL;
  w->at = (size_t)decoder.start;
  return fault == GRU_UTF8_NUL ? "a NUL character" : "not UTF-8";
}

/* From behind the opening quote to behind the closing one. */
static const char *walk_string(walk *w) {
  while (w->at < w->n) {
    unsigned char c = w->text[w->at];
    if (c < ' ') return "a control character in a string";
    w->at++;
    if (c == '"') return NULL;
    if (c != '\\' || w->at == w->n) continue;
    if (w->text[w->at] == 'u') { /* cJSON takes any four bytes that are no digits for 0000 */
      size_t digits = 0;
      while (digits < 4 && isxdigit(w->text[w->at + 1 + digits])) digits++;
      if (digits < 4) return "a \\u without four digits";
      if (memcmp(w->text + w->at, "u0000", 5) == 0) return "a NUL character in a string";
    }
    w->at++; /* what is escaped, maybe a quote */
  }
  return "a string without an end";
}

static bool is_digit(const walk *w, size_t at) {
  return at < w->n && w->text[at] >= '0' && w->text[at] <= '9';
}

/* From the first digit to behind the last. */
static const char *walk_number(walk *w) {
  size_t start = w->at;
  while (is_digit(w, w->at)) w->at++;
  if (w->text[start] == '0' && w->at - start > 1) return "a number with a leading 0";
  if (w->at - start > 20) return "a number with more than 20 digits";
  if (w->at < w->n && strchr(".eE", w->text[w->at]) != NULL) return "a number that is not whole";
  return NULL;
}

/* Every byte outside strings and numbers.  Their order is left to cJSON. */
static const char *walk_text(walk *w) {
  int depth = 0, values = 1;
  while (w->at < w->n) {
    const char *reason = NULL;
    unsigned char c = w->text[w->at];
    if (c == '-') return "a negative number";
    if (is_digit(w, w->at)) {
      reason = walk_number(w);
    } else {
      w->at++;
      if (c == '"') reason = walk_string(w);
      if (c == '{' || c == '[') depth++, values++;
      if (c == '}' || c == ']') depth--;
      if (c == ',') values++;
      if (strchr("\"{}[]:, \t\n\rtruefalsnl", c) == NULL) {
        w->at--;
        return "a character that has no place there";
      }
    }
    if (reason != NULL) return reason;
    if (depth > GRUI_JSON_DEPTH) return "too many levels";
    if (values > GRUI_JSON_VALUES) return "more than 4194304 values";
  }
  return NULL;
}

cJSON *gruI_json_parse(const char *text, size_t n, gruI_json_fault *fault) {
  walk w = {(const unsigned char *)text, n, 0};
  const char *end = text;
  cJSON *root;
  fault->reason = check_utf8(&w);
  if (fault->reason == NULL) fault->reason = walk_text(&w);
  fault->at = w.at;
  if (fault->reason != NULL) return NULL;
  root = cJSON_ParseWithLengthOpts(text, n, &end, 0);
  if (root != NULL) end += strspn(end, " \t\n\r");
  if (root != NULL && end == text + n) return root;
  /* cJSON does not tell a fault from a lack of memory. */
  fault->at = (size_t)(end - text);
  fault->reason = root != NULL ? "text behind the end" : "a syntax error (or no memory left)";
  cJSON_Delete(root);
  return NULL;
}

bool gruI_json_integer(const cJSON *value, int64_t *out) {
  if (!cJSON_IsNumber(value) || value->valuedouble >= 9007199254740992.0) return false;
  *out = (int64_t)value->valuedouble;
  return true;
}

/* utf8.c - a strict, incremental UTF-8 decoder for texts.
**
** Well-formed sequences (Unicode, table 3-7).  Only the second byte of some rows is
** bound closer than 80..BF; those bounds are what keeps out overlong forms (E0, F0),
** surrogates (ED) and what lies past U+10FFFF (F4).
**
**   00..7F
**   C2..DF  80..BF
**   E0      A0..BF  80..BF
**   E1..EF  80..BF  80..BF            (ED: 80..9F)
**   F0      90..BF  80..BF  80..BF
**   F1..F4  80..BF  80..BF  80..BF    (F4: 80..8F)
*/
#include "utf8.h"

#include <string.h>

void gruI_utf8_init(gruI_utf8 *d) {
  memset(d, 0, sizeof *d);
  d->line = 1;
}

/* Takes the first byte of a longer character. */
static gruI_utf8_fault take_lead(gruI_utf8 *d, unsigned char byte) {
  if (byte < 0xC0) return GRU_UTF8_LEAD;
  if (byte < 0xC2) return GRU_UTF8_OVERLONG;
  if (byte > 0xF7) return GRU_UTF8_LEAD;
  if (byte > 0xF4) return GRU_UTF8_RANGE;
  d->need = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  d->code = byte & (0x3Fu >> d->need);
  d->lead = byte;
  d->low = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
  d->high = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
  return GRU_UTF8_OK;
}

/* Takes a further byte of the unfinished character. */
static gruI_utf8_fault take_continuation(gruI_utf8 *d, unsigned char byte) {
  if ((byte & 0xC0) != 0x80) return GRU_UTF8_CONTINUATION;
  if (byte < d->low) return GRU_UTF8_OVERLONG;
  if (byte > d->high) return d->lead == 0xED ? GRU_UTF8_SURROGATE : GRU_UTF8_RANGE;
  d->code = d->code << 6 | (byte & 0x3Fu);
  d->need--;
  d->low = 0x80;
  d->high = 0xBF;
  return GRU_UTF8_OK;
}

/* Takes the first byte of a character, which lies at d->start.  A line ends with CR, LF
** or both. */
static gruI_utf8_fault take_first(gruI_utf8 *d, unsigned char byte) {
  if (byte >= 0x80) return take_lead(d, byte);
  if (byte == 0) return GRU_UTF8_NUL;
  d->code = byte;
  if (byte == '\r' || (byte == '\n' && d->last != '\r')) d->line++;
  return GRU_UTF8_OK;
}

/* Copies the run of plain ASCII that `bytes` begin with; returns its length. */
static size_t take_ascii(const unsigned char *bytes, size_t n, uint32_t *codes) {
  size_t i = 0;
  while (i < n && bytes[i] >= ' ' && bytes[i] < 0x80) {
    codes[i] = bytes[i];
    i++;
  }
  return i;
}

gruI_utf8_fault gruI_utf8_decode(gruI_utf8 *d, const unsigned char *bytes, size_t n,
                                 uint32_t *codes, size_t *ncodes) {
  gruI_utf8_fault fault = GRU_UTF8_OK;
  size_t made = 0;
  for (size_t i = 0; i < n; i++) {
    if (d->need > 0) {
      fault = take_continuation(d, bytes[i]);
    } else {
      size_t run = take_ascii(bytes + i, n - i, codes + made);
      if (run > 0) {
        i += run;
        made += run;
        d->last = codes[made - 1];
        if (i == n) break;
      }
      d->start = d->offset + i;
      fault = take_first(d, bytes[i]);
    }
    if (fault != GRU_UTF8_OK) break;
    if (d->need == 0) codes[made++] = d->last = d->code;
  }
  d->offset += n;
  *ncodes = made;
  return fault;
}

gruI_utf8_fault gruI_utf8_finish(const gruI_utf8 *d) {
  return d->need > 0 ? GRU_UTF8_TRUNCATED : GRU_UTF8_OK;
}

const char *gruI_utf8_describe(gruI_utf8_fault fault) {
  switch (fault) {
    case GRU_UTF8_OK: return "no fault";
    case GRU_UTF8_NUL: return "a NUL character";
    case GRU_UTF8_LEAD: return "a byte that starts no character";
    case GRU_UTF8_CONTINUATION: return "a character that is broken off";
    case GRU_UTF8_OVERLONG: return "an overlong form";
    case GRU_UTF8_SURROGATE: return "a surrogate";
    case GRU_UTF8_RANGE: return "a code point past U+10FFFF";
    case GRU_UTF8_TRUNCATED: return "the text ends within a character";
  }
  return "an unknown fault";
}

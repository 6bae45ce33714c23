/* utf8.h - a strict, incremental UTF-8 decoder for texts.
**
** Bytes come in blocks of any size; a character may lie across blocks.  Refused are
** overlong forms, surrogates, code points past U+10FFFF, stray bytes, a character that
** the text ends in, and NUL, which no text holds.
*/
#ifndef GRU_IO_UTF8_H
#define GRU_IO_UTF8_H

#include <stddef.h>
#include <stdint.h>

typedef enum gruI_utf8_fault {
  GRU_UTF8_OK = 0,
  GRU_UTF8_NUL,          /* U+0000: well formed, but this is a binary file */
  GRU_UTF8_LEAD,         /* a byte that starts no character */
  GRU_UTF8_CONTINUATION, /* a character broken off by another byte */
  GRU_UTF8_OVERLONG,     /* more bytes than the code point needs */
  GRU_UTF8_SURROGATE,    /* U+D800 .. U+DFFF */
  GRU_UTF8_RANGE,        /* past U+10FFFF */
  GRU_UTF8_TRUNCATED     /* the text ends within a character */
} gruI_utf8_fault;

typedef struct gruI_utf8 {
  uint64_t start;          /* after a fault: where its first byte is, from 0 */
  uint64_t line;           /* the line of `start`, from 1; LF, CR, CR LF end one each */
  uint64_t offset;         /* bytes taken so far */
  uint32_t code;           /* bits of the unfinished character */
  uint32_t last;           /* the last complete character */
  int need;                /* bytes that the unfinished character still wants */
  unsigned char lead;      /* its first byte */
  unsigned char low, high; /* what its next byte may be */
} gruI_utf8;

void gruI_utf8_init(gruI_utf8 *d);

/* Decodes `bytes[0 .. n)` into `codes`, which has room for n, and sets *ncodes.  On a
** fault *ncodes counts what came before it, start and line say where it is, and the
** decoder may not be used again. */
gruI_utf8_fault gruI_utf8_decode(gruI_utf8 *d, const unsigned char *bytes, size_t n,
                                 uint32_t *codes, size_t *ncodes);

/* Tells the decoder that the text ends here: GRU_UTF8_OK or GRU_UTF8_TRUNCATED. */
gruI_utf8_fault gruI_utf8_finish(const gruI_utf8 *d);

/* What is wrong, such as "an overlong form".  Never NULL. */
const char *gruI_utf8_describe(gruI_utf8_fault fault);

#endif

/* text.c - a text as ids of its characters (the part 'text' of gru.h).
**
** Bytes come in blocks from a gruI_source, become code points in a gruI_utf8, and each
** code point becomes an id: its number in the order of first appearance.  Newlines are
** spaces: CR and LF become one each, so that "\r\n" gives two, as in the tutorial's
** replace('\n', ' ').replace('\r', ' ').  A byte order mark at the start is skipped.
** While it reads, a text takes 4 bytes a character (at most doubled for room to grow) and
** half a megabyte besides; what grew too large is given back at the end.
*/
#include "../gru.h"

#include <stdlib.h>

#include "source.h"
#include "utf8.h"

enum {
  BLOCK = 64 * 1024, /* bytes read at a time */
  PAGE = 256,        /* code points in a page of the table */
  PAGES = 0x110000 / PAGE,
  BYTE_ORDER_MARK = 0xFEFF
};

struct gru_text {
  int64_t length;
  int32_t vocab_size;
  int32_t *ids;    /* (length) */
  uint32_t *vocab; /* (vocab_size) */
};

/* What is needed only while a text is read. */
typedef struct reader {
  gruI_source source;
  gruI_utf8 utf8;
  gru_text *text;
  size_t ids_room, vocab_room; /* elements allocated */
  int32_t *pages[PAGES];       /* code point -> id + 1, 0 where it has none yet */
  unsigned char bytes[BLOCK];
  uint32_t codes[BLOCK];
} reader;

/* Makes *block, of *room elements of 4 bytes, hold `wanted` of them.  Returns 0 when
** there is no memory; the block then stands as it was. */
static int reserve(void **block, size_t *room, size_t wanted) {
  size_t grown = *room;
  void *moved;
  if (wanted <= *room) return 1;
  if (wanted > SIZE_MAX / 8) return 0;
  if (grown == 0) grown = 1024;
  while (grown < wanted) grown *= 2;
  moved = realloc(*block, grown * 4);
  if (moved == NULL) return 0;
  *block = moved;
  *room = grown;
  return 1;
}

static int reserve_ids(reader *r, size_t more) {
  void *block = r->text->ids;
  int done = reserve(&block, &r->ids_room, (size_t)r->text->length + more);
  r->text->ids = block;
  return done;
}

/* Gives `code` the next id and puts id + 1 into *slot. */
static int add_to_vocab(reader *r, uint32_t code, int32_t *slot) {
  gru_text *text = r->text;
  void *block = text->vocab;
  int done = reserve(&block, &r->vocab_room, (size_t)text->vocab_size + 1);
  text->vocab = block;
  if (!done) return 0;
  text->vocab[text->vocab_size++] = code;
  *slot = text->vocab_size;
  return 1;
}

/* Where the id of `code` stands (plus 1; 0 for none), or NULL when there is no memory. */
static inline int32_t *find_slot(reader *r, uint32_t code) {
  int32_t **page = &r->pages[code / PAGE];
  if (*page == NULL) *page = calloc(PAGE, sizeof **page);
  return *page != NULL ? &(*page)[code % PAGE] : NULL;
}

/* Appends the ids of `codes[0 .. n)`.  Returns 0 when there is no memory. */
static int append(reader *r, const uint32_t *codes, size_t n) {
  int32_t *ids;
  if (n == 0) return 1;
  if (!reserve_ids(r, n)) return 0;
  ids = r->text->ids + r->text->length;
  for (size_t i = 0; i < n; i++) {
    uint32_t code = codes[i] == '\n' || codes[i] == '\r' ? ' ' : codes[i];
    int32_t *slot = find_slot(r, code);
    if (slot == NULL || (*slot == 0 && !add_to_vocab(r, code, slot))) return 0;
    ids[i] = *slot - 1;
  }
  r->text->length += (int64_t)n;
  return 1;
}

/* Sets the message for a fault of the decoder, which knows the place. */
static gru_status fail_fault(const reader *r, gruI_utf8_fault fault) {
  unsigned long long byte = r->utf8.start, line = r->utf8.line;
  if (fault == GRU_UTF8_NUL) {
    return gruI_source_fail(r->source.rt, GRU_ERROR_FORMAT, r->source.path,
                            "NUL character at byte %llu (line %llu): not a text but a "
                            "binary file; bytes count from 0",
                            byte, line);
  }
  return gruI_source_fail(r->source.rt, GRU_ERROR_FORMAT, r->source.path,
                          "invalid UTF-8 at byte %llu (line %llu): %s; bytes count "
                          "from 0",
                          byte, line, gruI_utf8_describe(fault));
}

static gru_status fail_memory(gru_runtime *rt, const char *path, int64_t length) {
  return gruI_source_fail(rt, GRU_ERROR_MEMORY, path, "no memory left after %lld characters",
                          (long long)length);
}

/* Reads one block and appends it.  Clears *more at the end of the text or after
** `max_chars`; what lies behind those, well formed or not, does not matter. */
static gru_status read_block(reader *r, uint64_t max_chars, int *more) {
  const uint32_t *codes = r->codes;
  int first = r->utf8.offset < 3; /* the mark takes three bytes */
  size_t got = 0, n = 0;
  gruI_utf8_fault fault;
  gru_status status = gruI_source_read(&r->source, r->bytes, sizeof r->bytes, &got);
  if (status != GRU_OK) return status;
  if (got == 0) {
    *more = 0;
    fault = gruI_utf8_finish(&r->utf8);
  } else {
    fault = gruI_utf8_decode(&r->utf8, r->bytes, got, r->codes, &n);
  }
  if (first && n > 0 && r->text->length == 0 && codes[0] == BYTE_ORDER_MARK) {
    codes++;
    n--;
  }
  if (max_chars > 0 && n >= max_chars - (uint64_t)r->text->length) {
    n = (size_t)(max_chars - (uint64_t)r->text->length);
    *more = 0;
    fault = GRU_UTF8_OK;
  }
  if (!append(r, codes, n)) {
    return fail_memory(r->source.rt, r->source.path, r->text->length);
  }
  return fault == GRU_UTF8_OK ? GRU_OK : fail_fault(r, fault);
}

/* Gives back what `block` has beyond `used` elements of 4 bytes; never fails. */
static void *trim(void *block, size_t used) {
  void *moved = realloc(block, used * 4);
  return moved != NULL ? moved : block;
}

/* Reads the text at `path` into r->text. */
static gru_status read_text(reader *r, gru_runtime *rt, const char *path, uint64_t max_chars) {
  int more = 1;
  gru_status status = gruI_source_open(&r->source, rt, path);
  if (status != GRU_OK) return status;
  gruI_utf8_init(&r->utf8);
  while (more && status == GRU_OK) status = read_block(r, max_chars, &more);
  gruI_source_close(&r->source);
  if (status != GRU_OK) return status;
  if (r->text->length == 0) {
    return gruI_source_fail(rt, GRU_ERROR_FORMAT, path, "the text is empty");
  }
  r->text->ids = trim(r->text->ids, (size_t)r->text->length);
  r->text->vocab = trim(r->text->vocab, (size_t)r->text->vocab_size);
  return GRU_OK;
}

gru_status gru_text_open(gru_runtime *rt, const char *path, uint64_t max_chars, gru_text **out) {
  gru_status status;
  gru_text *text;
  reader *r;
  if (path == NULL || out == NULL) {
    return gru_runtime_fail(rt, GRU_ERROR_ARGUMENT,
                            "text: a path and a place for the result are needed");
  }
  text = calloc(1, sizeof *text);
  r = calloc(1, sizeof *r);
  if (text == NULL || r == NULL) {
    status = fail_memory(rt, path, 0);
  } else {
    r->text = text;
    status = read_text(r, rt, path, max_chars);
    for (size_t i = 0; i < PAGES; i++) free(r->pages[i]);
  }
  free(r);
  if (status != GRU_OK) {
    gru_text_close(text);
  } else {
    *out = text;
  }
  return status;
}

void gru_text_close(gru_text *text) {
  if (text == NULL) return;
  free(text->ids);
  free(text->vocab);
  free(text);
}

int64_t gru_text_length(const gru_text *text) { return text->length; }

const int32_t *gru_text_ids(const gru_text *text) { return text->ids; }

int32_t gru_text_vocab_size(const gru_text *text) { return text->vocab_size; }

const uint32_t *gru_text_vocab(const gru_text *text) { return text->vocab; }

/* text_fuzz.c - fuzzes the text reader, and checks what it says against a second, plain
** reading of the same bytes.
**
** With clang: link with -fsanitize=fuzzer and run on a folder of texts and zips.
** With any compiler: -DGRU_FUZZ_STANDALONE adds a main for CI:
**
**   text_fuzz [iterations [file...]]   mutates the seeds below and the files
**
** It is deterministic.  A property that fails aborts, after a line that says which.
*/
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../runtime/gru.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(x) ((x) ? (void)0 : fail(__LINE__, #x))

static gru_runtime *rt;
static int file = -1; /* a file in memory, and its path */
static char path[40];
static uint8_t known[0x110000]; /* code points that have an id; all 0 between calls */

static void fail(int line, const char *what) {
  fprintf(stderr, "text_fuzz.c:%d: does not hold: %s\n", line, what);
  if (rt != NULL) fprintf(stderr, "last message: %s\n", gru_runtime_error(rt));
  abort();
}

static void begin(void) {
  if (file >= 0) return;
  file = memfd_create("text_fuzz", MFD_CLOEXEC);
  HOLDS(file >= 0);
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  HOLDS(gru_runtime_create(NULL, &rt) == GRU_OK);
}

/* ---- the second reading --------------------------------------------------------- */

/* The code point at `p`, of `left` bytes; its size in *size, or 0 where there is none. */
static uint32_t decode(const uint8_t *p, size_t left, size_t *size) {
  static const uint32_t least[] = {0, 1, 0x80, 0x800, 0x10000};
  size_t n = p[0] < 0x80 ? 1 : p[0] < 0xC0 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
  uint32_t code = n == 1 ? p[0] : p[0] & (0xFFu >> (n + 1));
  *size = 0;
  if (n == 0 || n > left || p[0] >= 0xF8) return 0;
  for (size_t i = 1; i < n; i++) {
    if ((p[i] & 0xC0) != 0x80) return 0;
    code = code << 6 | (p[i] & 0x3Fu);
  }
  if (code < least[n] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return 0;
  *size = n;
  return code;
}

/* Do the ids of `text` spell data[0 .. size), up to `max_chars`?  Or, where text is NULL,
** is there a reason to refuse it? */
static void compare(const gru_text *text, const uint8_t *data, size_t size, uint64_t max_chars) {
  size_t at = size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
  int64_t n = 0;
  int32_t seen = 0;
  while (at < size && (max_chars == 0 || (uint64_t)n < max_chars)) {
    size_t step;
    uint32_t code = decode(data + at, size - at, &step);
    char where[60];
    if (step == 0) {
      snprintf(where, sizeof where, "at byte %zu (line ", at);
      HOLDS(text == NULL && strstr(gru_runtime_error(rt), where) != NULL);
      return;
    }
    at += step;
    if (code == '\n' || code == '\r') code = ' ';
    if (text != NULL) {
      int32_t id;
      HOLDS(n < gru_text_length(text));
      id = gru_text_ids(text)[n];
      HOLDS(id >= 0 && id <= seen && id < gru_text_vocab_size(text));
      HOLDS(gru_text_vocab(text)[id] == code);
      HOLDS(known[code] == (id < seen)); /* a new id for a new character, and only then */
      known[code] = 1;
      if (id == seen) seen++;
    }
    n++;
  }
  HOLDS((text == NULL) == (n == 0));
  if (text == NULL) {
    HOLDS(strstr(gru_runtime_error(rt), "the text is empty") != NULL);
  } else {
    HOLDS(n == gru_text_length(text) && seen == gru_text_vocab_size(text));
    for (int32_t i = 0; i < seen; i++) known[gru_text_vocab(text)[i]] = 0;
  }
}

/* ---- the reader ----------------------------------------------------------------- */

/* Opens the bytes as a file.  Returns NULL on a failure that is in order. */
static gru_text *open_bytes(const uint8_t *data, size_t size, uint64_t max_chars) {
  gru_text *text = NULL;
  gru_status status;
  HOLDS(ftruncate(file, 0) == 0);
  HOLDS(pwrite(file, data, size, 0) == (ssize_t)size);
  status = gru_text_open(rt, path, max_chars, &text);
  HOLDS((status == GRU_OK) == (text != NULL));
  if (status != GRU_OK) {
    HOLDS(strncmp(gru_runtime_error(rt), "text: /proc/", 12) == 0);
    HOLDS(strpbrk(gru_runtime_error(rt), "\r\n") == NULL);
  }
  return text;
}

static int is_zip(const uint8_t *data, size_t size) {
  return size >= 4 && (memcmp(data, "PK\3\4", 4) == 0 || memcmp(data, "PK\5\6", 4) == 0);
}

/* Reads the bytes, as they are, as a plain text. */
static void try_plain(const uint8_t *data, size_t size, uint64_t max_chars) {
  gru_text *text;
  if (is_zip(data, size)) return;
  text = open_bytes(data, size, max_chars);
  compare(text, data, size, max_chars);
  gru_text_close(text);
}

/* Reads the bytes as a zip, whatever they are: the first four say so. */
static void try_zip(const uint8_t *data, size_t size, uint64_t max_chars) {
  uint8_t *copy = malloc(size + 4);
  gru_text *text;
  HOLDS(copy != NULL);
  if (size > 0) memcpy(copy, data, size);
  if (!is_zip(copy, size)) memcpy(copy, "PK\3\4", 4);
  text = open_bytes(copy, size < 4 ? 4 : size, max_chars);
  if (text != NULL) HOLDS(gru_text_length(text) > 0);
  gru_text_close(text);
  free(copy);
}

#ifdef GRU_HAVE_LIBZIP

static uint32_t crc32_of(const uint8_t *data, size_t size) {
  uint32_t crc = 0xFFFFFFFF;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

/* Writes the low `size` bytes of `value` and returns what follows them. */
static uint8_t *put(uint8_t *out, uint32_t value, int size) {
  for (int i = 0; i < size; i++) *out++ = (uint8_t)(value >> 8 * i);
  return out;
}

/* What the local and the central record share: version 10, no flags, stored, no time. */
static uint8_t *put_entry(uint8_t *out, const uint8_t *data, uint32_t size) {
  out = put(out, 10, 4), out = put(out, 0, 2), out = put(out, 0, 4);
  out = put(out, crc32_of(data, size), 4);
  out = put(out, size, 4), out = put(out, size, 4);
  return put(out, 5, 4); /* sizes of the name and of the extra field */
}

/* A sound zip with the bytes, stored, as a.txt must read as the bytes do. */
static void try_wrapped(const uint8_t *data, size_t size, uint64_t max_chars) {
  uint8_t *zip = malloc(size + 200), *out = zip, *central;
  gru_text *text;
  HOLDS(zip != NULL);
  memcpy(out, "PK\3\4", 4);
  out = put_entry(out + 4, data, (uint32_t)size);
  memcpy(out, "a.txt", 5), out += 5;
  if (size > 0) memcpy(out, data, size);
  out += size;
  central = out;
  memcpy(out, "PK\1\2\12\0", 6);
  out = put_entry(out + 6, data, (uint32_t)size);
  memset(out, 0, 14), out += 14; /* comment, disk, attributes, offset */
  memcpy(out, "a.txt", 5), out += 5;
  memcpy(out, "PK\5\6\0\0\0\0\1\0\1\0", 12);
  out = put(out + 12, 51, 4);
  out = put(out, (uint32_t)(central - zip), 4);
  out = put(out, 0, 2);
  text = open_bytes(zip, (size_t)(out - zip), max_chars);
  compare(text, data, size, max_chars);
  gru_text_close(text);
  free(zip);
}

#else

static void try_wrapped(const uint8_t *data, size_t size, uint64_t max_chars) {
  (void)data, (void)size, (void)max_chars;
}

#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint64_t limits[2] = {0, 1};
  if (size > 0) limits[1] = 1 + data[size - 1] % (size > 200 ? 200 : size);
  begin();
  for (int i = 0; i < 2; i++) {
    try_plain(data, size, limits[i]);
    try_zip(data, size, limits[i]);
    try_wrapped(data, size, limits[i]);
  }
  return 0;
}

/* ---- without libFuzzer ---------------------------------------------------------- */

#ifdef GRU_FUZZ_STANDALONE

enum { MAX_SEEDS = 64, MAX_SIZE = 1 << 20 };

typedef struct seed {
  uint8_t *bytes;
  size_t size;
} seed;

static seed seeds[MAX_SEEDS];
static int nseeds;

/* A zip of a.txt, deflated: "la la la, la la la\r\n", U+60F3 U+8981, "\n". */
static const uint8_t zipped[] = {
    0x50, 0x4B, 0x03, 0x04, 0x14, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0x27,
    0x52, 0x0E, 0x7A, 0x15, 0x00, 0x00, 0x00, 0x1B, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00,
    0x61, 0x2E, 0x74, 0x78, 0x74, 0xCB, 0x49, 0x54, 0xC8, 0x01, 0x21, 0x1D, 0x08, 0x05, 0x44,
    0xBC, 0x5C, 0xCF, 0x9A, 0x37, 0xBF, 0x58, 0xD6, 0xC8, 0x05, 0x00, 0x50, 0x4B, 0x01, 0x02,
    0x14, 0x00, 0x14, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0x27, 0x52, 0x0E,
    0x7A, 0x15, 0x00, 0x00, 0x00, 0x1B, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x01, 0x00, 0x00, 0x00, 0x00, 0x61, 0x2E, 0x74,
    0x78, 0x74, 0x50, 0x4B, 0x05, 0x06, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x33,
    0x00, 0x00, 0x00, 0x38, 0x00, 0x00, 0x00, 0x00, 0x00};

static const char *const texts[] = {
    "x",
    "plain\ntext\r\nof lines\r",
    "\xEF\xBB\xBFmarked",
    "\xE6\x83\xB3\xE8\xA6\x81 \xC3\xA9 \xF0\x9F\x8E\xB5 \xF4\x8F\xBF\xBF \xEE\x80\x80",
    "\xED\x9F\xBF \xEF\xBF\xBD \xE0\xA0\x80 \xF0\x90\x80\x80 \xC2\x80",
    "over\xC0\x80 \xED\xA0\x80 \xF4\x90\x80\x80 \xFF",
};

/* The bytes that the reader's decisions hang on. */
static const uint8_t telling[] = {0x00, '\n', '\r', ' ',  0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0,
                                  0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF};

static uint64_t state = 1; /* xorshift64* */

static size_t below(size_t n) {
  state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
  return (size_t)(state * 0x2545F4914F6CDD1D >> 32) % n;
}

/* Changes the `size` bytes in `room` bytes of space; returns their new size. */
static size_t mutate(uint8_t *bytes, size_t size, size_t room) {
  size_t at = size > 0 ? below(size) : 0;
  size_t n = 1 + below(8);
  if (size == 0 || (below(6) == 0 && size + n <= room)) { /* insert */
    memmove(bytes + at + n, bytes + at, size - at);
    for (size_t i = 0; i < n; i++) bytes[at + i] = telling[below(sizeof telling)];
    return size + n;
  }
  switch (below(5)) {
    case 0: bytes[at] = (uint8_t)below(256); break;
    case 1: bytes[at] = telling[below(sizeof telling)]; break;
    case 2: bytes[at] ^= (uint8_t)(1 << below(8)); break;
    case 3: /* leave out */
      if (n > size - at) n = size - at;
      memmove(bytes + at, bytes + at + n, size - at - n);
      return size - n;
    default: /* copy a piece over another */
      if (n > size - at) n = size - at;
      memmove(bytes + below(size - n + 1), bytes + at, n);
  }
  return size;
}

static void add_seed(const void *bytes, size_t size) {
  seed *s = &seeds[nseeds];
  if (nseeds == MAX_SEEDS) return;
  s->bytes = malloc(size + 1);
  HOLDS(s->bytes != NULL);
  memcpy(s->bytes, bytes, size);
  s->size = size;
  nseeds++;
}

/* Runs over the file, and keeps it as a seed; a longer one is cut. */
static int add_file(const char *name) {
  uint8_t *bytes = malloc(MAX_SIZE);
  FILE *f = fopen(name, "rb");
  if (bytes == NULL || f == NULL) {
    fprintf(stderr, "text_fuzz: cannot open '%s'\n", name);
    if (f != NULL) fclose(f);
    free(bytes);
    return 0;
  }
  add_seed(bytes, fread(bytes, 1, MAX_SIZE, f));
  fclose(f);
  free(bytes);
  return 1;
}

int main(int argc, char **argv) {
  unsigned long iterations = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
  uint8_t *bytes = malloc(MAX_SIZE + 64);
  HOLDS(bytes != NULL);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    add_seed(texts[i], strlen(texts[i]));
  }
  add_seed(zipped, sizeof zipped);
  for (int i = 2; i < argc; i++) {
    if (!add_file(argv[i])) return 1;
  }
  for (int i = 0; i < nseeds; i++) LLVMFuzzerTestOneInput(seeds[i].bytes, seeds[i].size);
  LLVMFuzzerTestOneInput(bytes, 0);
  for (unsigned long i = 0; i < iterations; i++) {
    const seed *s = &seeds[below((size_t)nseeds)];
    size_t size = s->size;
    memcpy(bytes, s->bytes, size);
    for (size_t n = 1 + below(6); n > 0; n--) size = mutate(bytes, size, MAX_SIZE + 64);
    LLVMFuzzerTestOneInput(bytes, size);
  }
  for (int i = 0; i < nseeds; i++) free(seeds[i].bytes);
  free(bytes);
  gru_runtime_destroy(rt);
  close(file);
  printf("text_fuzz: %d seeds, %lu mutations\n", nseeds, iterations);
  return 0;
}

#endif

/* text_test.c - the text reader (runtime/io/text.c and what is below it) by its public
** functions.
**
** Files are made in a folder of its own under TMPDIR, zips with libzip where the build
** has it.  What libzip would not write (wrong sizes, other methods) is patched into the
** bytes.
*/
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef GRU_HAVE_LIBZIP
#include <zip.h>
#endif

#include "../../runtime/gru.h"

/* ---- checks --------------------------------------------------------------------- */

static int passed, failed;
static gru_runtime *rt;
static char folder[PATH_MAX];

static int check(int holds, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int check(int holds, int line, const char *format, ...) {
  va_list args;
  if (holds) {
    passed++;
    return 1;
  }
  failed++;
  printf("text_test.c:%d: ", line);
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  printf("\n");
  return 0;
}

#define CHECK(x) check((x) ? 1 : 0, __LINE__, "%s", #x)

static void die(const char *what) {
  perror(what);
  exit(2);
}

/* ---- files ---------------------------------------------------------------------- */

/* The path of `name` in the folder; good until the fourth call from here. */
static const char *in_folder(const char *name) {
  static char paths[4][PATH_MAX + 300];
  static int turn;
  char *path = paths[turn++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

/* Writes a file and returns its path. */
static const char *file_of(const char *name, const void *bytes, size_t n) {
  const char *path = in_folder(name);
  FILE *f = fopen(path, "wb");
  if (f == NULL) die(path);
  if (fwrite(bytes, 1, n, f) != n || fclose(f) != 0) die(path);
  return path;
}

/* The same from a string literal, whose NULs inside count. */
#define FILE_OF(name, literal) file_of((name), (literal), sizeof(literal) - 1)

/* ---- expectations --------------------------------------------------------------- */

#define OPENS(path, max_chars, want) opens((path), (max_chars), (want), __LINE__)
#define FAILS(path, max_chars, status, part) fails((path), (max_chars), (status), (part), __LINE__)

/* Opens the text or counts a failure and returns NULL. */
static gru_text *open_text(const char *path, uint64_t max_chars, int line) {
  gru_text *text = NULL;
  gru_status status = gru_text_open(rt, path, max_chars, &text);
  if (!check(status == GRU_OK && text != NULL, line, "does not open: %s",
             status == GRU_OK ? "no text" : gru_runtime_error(rt))) {
    return NULL;
  }
  return text;
}

/* The text must be the ASCII string `want`, with ids in order of first appearance. */
static void opens(const char *path, uint64_t max_chars, const char *want, int line) {
  gru_text *text = open_text(path, max_chars, line);
  int64_t n = (int64_t)strlen(want);
  int32_t seen = 0;
  if (text == NULL) return;
  if (check(gru_text_length(text) == n, line, "%lld characters, not %lld",
            (long long)gru_text_length(text), (long long)n)) {
    int ok = 1;
    for (int64_t i = 0; i < n && ok; i++) {
      int32_t id = gru_text_ids(text)[i];
      ok = id >= 0 && id <= seen && id < gru_text_vocab_size(text);
      if (ok && id == seen) seen++;
      ok = ok && gru_text_vocab(text)[id] == (unsigned char)want[i];
    }
    check(ok && seen == gru_text_vocab_size(text), line, "other ids than of '%s'", want);
  }
  gru_text_close(text);
}

/* The text must be refused with `status` and a one-line message that contains `part`. */
static void fails(const char *path, uint64_t max_chars, gru_status want, const char *part,
                  int line) {
  gru_text *untouched = (gru_text *)&passed;
  gru_text *text = untouched;
  gru_status status = gru_text_open(rt, path, max_chars, &text);
  const char *message = gru_runtime_error(rt);
  if (!check(status != GRU_OK, line, "opens, but should fail: %s", part)) {
    gru_text_close(text);
    return;
  }
  check(status == want, line, "status %d, not %d: %s", (int)status, (int)want, message);
  check(text == untouched, line, "the result was touched");
  check(strstr(message, part) != NULL, line, "'%s' does not say '%s'", message, part);
  check(strncmp(message, "text: ", 6) == 0, line, "'%s' lacks 'text: '", message);
  check(strlen(message) < 800, line, "a message of %zu bytes", strlen(message));
  check(strpbrk(message, "\r\n") == NULL, line, "'%s' has several lines", message);
}

/* ---- plain texts ---------------------------------------------------------------- */

static void test_ids(void) {
  const char *path = FILE_OF("ids.txt",
                             "\xE6\x83\xB3\xE8\xA6\x81 a"
                             "\xE6\x83\xB3\xF0\x9F\x8E\xB5");
  const int32_t ids[] = {0, 1, 2, 3, 0, 4};
  const uint32_t vocab[] = {0x60F3, 0x8981, ' ', 'a', 0x1F3B5};
  gru_text *text = open_text(path, 0, __LINE__);
  if (text == NULL) return;
  CHECK(gru_text_length(text) == 6);
  CHECK(gru_text_vocab_size(text) == 5);
  CHECK(memcmp(gru_text_ids(text), ids, sizeof ids) == 0);
  CHECK(memcmp(gru_text_vocab(text), vocab, sizeof vocab) == 0);
  gru_text_close(text);
  gru_text_close(NULL);
}

static void test_plain(void) {
  OPENS(FILE_OF("one.txt", "x"), 0, "x");
  OPENS(FILE_OF("newlines.txt", "a\nb\r\nc\rd\n"), 0, "a b  c d ");
  OPENS(FILE_OF("tabs.txt", "a\tb\x01\x7F"), 0, "a\tb\x01\x7F");
  OPENS(FILE_OF("bom.txt", "\xEF\xBB\xBFhello"), 0, "hello");
  OPENS(FILE_OF("bom.txt", "\xEF\xBB\xBFhello"), 2, "he");
  OPENS(FILE_OF("noname", "PK, but no zip"), 0, "PK, but no zip");
  OPENS(FILE_OF("notazip.zip", "plain text"), 0, "plain text");
}

static void test_bom(void) {
  const char *path = FILE_OF("boms.txt", "\xEF\xBB\xBF\xEF\xBB\xBFx\xEF\xBB\xBF");
  gru_text *text = open_text(path, 0, __LINE__);
  if (text == NULL) return;
  CHECK(gru_text_length(text) == 3); /* only the first one is a mark */
  CHECK(gru_text_vocab(text)[0] == 0xFEFF);
  gru_text_close(text);
}

static void test_max_chars(void) {
  const char *path = FILE_OF("max.txt", "abc\xFF");
  OPENS(path, 1, "a");
  OPENS(path, 3, "abc");
  FAILS(path, 4, GRU_ERROR_FORMAT, "invalid UTF-8 at byte 3 (line 1)");
  FAILS(path, 0, GRU_ERROR_FORMAT, "invalid UTF-8 at byte 3 (line 1)");
  OPENS(FILE_OF("max.txt", "abc"), 3, "abc");
  OPENS(path, 4, "abc");
  OPENS(path, UINT64_MAX, "abc");
  OPENS(FILE_OF("max.txt", "ab\xE6\x83"), 2, "ab");
  OPENS(FILE_OF("max.txt", "ab\0c"), 2, "ab");
}

static void test_not_texts(void) {
  FAILS(FILE_OF("empty.txt", ""), 0, GRU_ERROR_FORMAT, "empty.txt: the text is empty");
  FAILS(FILE_OF("empty.txt", ""), 5, GRU_ERROR_FORMAT, "the text is empty");
  FAILS(FILE_OF("bom.txt", "\xEF\xBB\xBF"), 0, GRU_ERROR_FORMAT, "the text is empty");
  FAILS(FILE_OF("nul.txt", "ab\ncd\0ef"), 0, GRU_ERROR_FORMAT,
        "nul.txt: NUL character at byte 5 (line 2)");
  FAILS(FILE_OF("utf16.txt", "\xFF\xFEh\0i\0"), 0, GRU_ERROR_FORMAT,
        "invalid UTF-8 at byte 0 (line 1)");
}

static void test_paths(void) {
  char deep[PATH_MAX], name[256];
  size_t length;
  FAILS(in_folder("missing.txt"), 0, GRU_ERROR_IO, "missing.txt': No such file");
  FAILS(in_folder("missing.txt"), 0, GRU_ERROR_IO, "text: cannot open '/");
  FAILS("", 0, GRU_ERROR_IO, "cannot open '': No such file");
  FAILS(folder, 0, GRU_ERROR_IO, "text: cannot open '/");
  FAILS(folder, 0, GRU_ERROR_IO, "': Is a directory");
  if (symlink("loop", in_folder("loop")) != 0) die("symlink");
  FAILS(in_folder("loop"), 0, GRU_ERROR_IO, "loop': Too many levels");
  if (geteuid() != 0) {
    FILE_OF("secret.txt", "x");
    if (chmod(in_folder("secret.txt"), 0) != 0) die("chmod");
    FAILS(in_folder("secret.txt"), 0, GRU_ERROR_IO, "secret.txt': Permission denied");
  }
  FAILS("/nowhere/two\nlines\x1B", 0, GRU_ERROR_IO, "'/nowhere/two?lines?'");

  /* Long paths: the end is what tells files apart. */
  memset(name, 'n', sizeof name);
  memcpy(name + 200, "end.txt", 8);
  FAILS(file_of(name, "", 0), 0, GRU_ERROR_FORMAT, "nend.txt: the text is empty");
  FAILS(in_folder(name), 0, GRU_ERROR_FORMAT, "text: ...nnn");
  length = sizeof deep - 1;
  memset(deep, 'd', length);
  for (size_t n = 190; n < 210; n++) { /* about the length from which they are cut */
    deep[n] = '\0';
    FAILS(deep, 0, GRU_ERROR_IO, "ddd': No such file");
    CHECK((strstr(gru_runtime_error(rt), "'...d") != NULL) == (n >= 200));
    deep[n] = 'd';
  }
  deep[length] = '\0';
  FAILS(deep, 0, GRU_ERROR_IO, "File name too long");
  for (size_t i = 0; i + 3 <= length; i += 3) memcpy(deep + i, "\xE6\x83\xB3", 3);
  FAILS(deep, 0, GRU_ERROR_IO, "'...\xE6\x83\xB3");
  memmove(deep, deep + 1, length);
  FAILS(deep, 0, GRU_ERROR_IO, "'...\xE6\x83\xB3");

  FAILS(NULL, 0, GRU_ERROR_ARGUMENT, "a path");
  CHECK(gru_text_open(rt, "x", 0, NULL) == GRU_ERROR_ARGUMENT);
}

/* A descriptor's reading end, holding `bytes`; the path is /dev/fd's. */
static int pipe_of(const void *bytes, size_t n, char path[40]) {
  int ends[2];
  if (pipe(ends) != 0 || write(ends[1], bytes, n) != (ssize_t)n) die("pipe");
  close(ends[1]);
  snprintf(path, 40, "/dev/fd/%d", ends[0]);
  return ends[0];
}

static void test_pipes(void) {
  char path[40];
  int fd = pipe_of("piped\n", 6, path);
  OPENS(path, 0, "piped ");
  close(fd);
  fd = pipe_of("PK\3\4....", 8, path);
  FAILS(path, 0, GRU_ERROR_IO, "zip");
  close(fd);
}

/* ---- UTF-8 ---------------------------------------------------------------------- */

static void test_faults(void) {
  static const struct {
    const char *bytes, *part;
  } rows[] = {
      {"ok\x80", "at byte 2 (line 1): a byte that starts no character"},
      {"\xBF", "at byte 0 (line 1): a byte that starts no character"},
      {"\xC0\xAF", "at byte 0 (line 1): an overlong form"},
      {"\xC1\xBF", "at byte 0 (line 1): an overlong form"},
      {"\xE0\x9F\xBF", "at byte 0 (line 1): an overlong form"},
      {"\xF0\x8F\xBF\xBF", "at byte 0 (line 1): an overlong form"},
      {"x\xED\xA0\x80", "at byte 1 (line 1): a surrogate"},
      {"x\xED\xBF\xBF", "at byte 1 (line 1): a surrogate"},
      {"\xF4\x90\x80\x80", "at byte 0 (line 1): a code point past U+10FFFF"},
      {"\xF5\x80\x80\x80", "at byte 0 (line 1): a code point past U+10FFFF"},
      {"\xF8\x88\x80\x80\x80", "at byte 0 (line 1): a byte that starts no character"},
      {"\xFF", "at byte 0 (line 1): a byte that starts no character"},
      {"\xE6\x83x", "at byte 0 (line 1): a character that is broken off"},
      {"\xE6\xE6\x83\xB3", "at byte 0 (line 1): a character that is broken off"},
      {"\xF0\x9F\x8E\n", "at byte 0 (line 1): a character that is broken off"},
      {"ab\xC3", "at byte 2 (line 1): the text ends within a character"},
      {"ab\xE6\x83", "at byte 2 (line 1): the text ends within a character"},
      {"ab\xF0\x9F\x8E", "at byte 2 (line 1): the text ends within a character"},
      {"a\nb\n\nc\xFF", "at byte 6 (line 4)"},
      {"a\r\nb\r\n\r\nc\xFF", "at byte 9 (line 4)"},
      {"a\rb\r\rc\xFF", "at byte 6 (line 4)"},
      {"\n\xE6\x83\n", "at byte 1 (line 2)"},
      {"\n\r\xFF", "at byte 2 (line 3)"},
      {"a\rb\nc\xFF", "at byte 5 (line 3)"},
      {"\xEF\xBB\xBFx\xFF", "at byte 4 (line 1)"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *path = file_of("bad.txt", rows[i].bytes, strlen(rows[i].bytes));
    FAILS(path, 0, GRU_ERROR_FORMAT, rows[i].part);
    FAILS(path, 0, GRU_ERROR_FORMAT, "bytes count from 0");
  }
}

/* Is the sequence lead, second, 80 ... of `size` bytes well formed? */
static int is_well_formed(unsigned lead, unsigned second, int size) {
  uint32_t code = size == 2 ? lead & 0x1F : size == 3 ? lead & 0x0F : lead & 0x07;
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if ((second & 0xC0) != 0x80 || lead < 0xC0 || lead > 0xF7) return 0;
  code = code << 6 | (second & 0x3F);
  if (size >= 3) code <<= 6;
  if (size == 4) code <<= 6;
  return code >= least[size] && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
}

/* Every first byte with second bytes from the edges of the table. */
static void test_edges(void) {
  static const unsigned char seconds[] = {0x01, 0x7F, 0x80, 0x8F, 0x90,
                                          0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
  for (unsigned lead = 0x80; lead <= 0xFF; lead++) {
    int size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    for (size_t i = 0; i < sizeof seconds; i++) {
      unsigned char bytes[] = {(unsigned char)lead, seconds[i], 0x80, 0x80};
      gru_text *text = NULL;
      gru_status status = gru_text_open(rt, file_of("edge.txt", bytes, (size_t)size), 0, &text);
      int want = is_well_formed(lead, seconds[i], size);
      check((status == GRU_OK) == want, __LINE__, "%02X %02X: %s", lead, seconds[i],
            want ? gru_runtime_error(rt) : "taken");
      if (want && text != NULL) CHECK(gru_text_length(text) == 1);
      gru_text_close(text);
    }
  }
}

/* Puts `code` in UTF-8 at `out`; returns its bytes. */
static size_t encode(uint32_t code, unsigned char *out) {
  size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (size_t i = size; i-- > 1; code >>= 6) {
    out[i] = (unsigned char)(0x80 | (code & 0x3F));
  }
  out[0] = (unsigned char)(marks[size] | code);
  return size;
}

/* Every code point there is, in falling order, twice. */
static void test_all_code_points(void) {
  unsigned char *bytes = malloc(2 * 4 * 0x110000);
  const int32_t kinds = 0x110000 - 0x800 - 3; /* no surrogates, NUL, CR; LF is space */
  int64_t n = 0;
  size_t size = 0;
  gru_text *text;
  if (bytes == NULL) die("malloc");
  for (int round = 0; round < 2; round++) {
    for (uint32_t code = 0x10FFFF; code > 0; code--) {
      if (code >= 0xD800 && code <= 0xDFFF) continue;
      size += encode(code, bytes + size);
      n++;
    }
  }
  text = open_text(file_of("all.txt", bytes, size), 0, __LINE__);
  free(bytes);
  if (text == NULL) return;
  CHECK(gru_text_length(text) == n);
  CHECK(gru_text_vocab_size(text) == kinds);
  if (gru_text_length(text) == n && gru_text_vocab_size(text) == kinds) {
    const int32_t *ids = gru_text_ids(text);
    const uint32_t *vocab = gru_text_vocab(text);
    CHECK(vocab[0] == 0x10FFFF && vocab[kinds - 1] == 1);
    CHECK(ids[n - 1] == kinds - 1);
    CHECK(memcmp(ids, ids + n / 2, (size_t)(n / 2) * sizeof *ids) == 0);
    CHECK(vocab[ids[n - ' ']] == ' ' && vocab[ids[n - '\n']] == ' ');
  }
  gru_text_close(text);
}

/* Characters of every size across the ends of blocks, and faults behind them. */
static void test_blocks(void) {
  static const char *const marks[] = {"\xC3\xA9", "\xE6\x83\xB3", "\xF0\x9F\x8E\xB5"};
  static const uint32_t codes[] = {0xE9, 0x60F3, 0x1F3B5};
  const size_t block = 64 * 1024;
  char *bytes = malloc(2 * block), part[80];
  if (bytes == NULL) die("malloc");
  for (size_t m = 0; m < 3; m++) {
    for (size_t at = block - 4; at <= block + 8; at++) {
      size_t size = strlen(marks[m]);
      gru_text *text;
      memset(bytes, 'x', 2 * block);
      bytes[100] = '\n';
      memcpy(bytes + at, marks[m], size);
      text = open_text(file_of("block.txt", bytes, 2 * block), 0, __LINE__);
      if (text == NULL) continue;
      CHECK(gru_text_length(text) == (int64_t)(2 * block - size + 1));
      CHECK(gru_text_vocab_size(text) == 3);
      CHECK(gru_text_ids(text)[at] == 2 && gru_text_ids(text)[at + 1] == 0);
      CHECK(gru_text_vocab(text)[2] == codes[m]);
      gru_text_close(text);
      FAILS(file_of("block.txt", bytes, at + 1), 0, GRU_ERROR_FORMAT, "ends within");
      snprintf(part, sizeof part, "byte %zu (line 2)", at);
      bytes[at + size - 1] = 'x';
      FAILS(file_of("block.txt", bytes, 2 * block), 0, GRU_ERROR_FORMAT, part);
    }
  }
  free(bytes);
}

/* "\r\n" across the end of a block is one line, and two spaces. */
static void test_line_across_blocks(void) {
  const size_t block = 64 * 1024;
  char *bytes = malloc(block + 10);
  if (bytes == NULL) die("malloc");
  for (size_t at = block - 2; at <= block + 6; at++) {
    memset(bytes, 'x', block + 10);
    bytes[at] = '\r';
    bytes[at + 1] = '\n';
    bytes[block + 9] = '\xFF';
    FAILS(file_of("cr.txt", bytes, block + 10), 0, GRU_ERROR_FORMAT, "(line 2)");
  }
  free(bytes);
}

/* ---- zip ------------------------------------------------------------------------ */

#ifdef GRU_HAVE_LIBZIP

typedef struct entry {
  const char *name; /* a folder when it ends with '/' */
  const char *bytes;
} entry;

/* Writes a zip of `n` entries with a compression method of libzip; returns its path. */
static const char *zip_of(const char *name, const entry *entries, size_t n, int method) {
  const char *path = in_folder(name);
  int code = 0;
  zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (z == NULL) die(path);
  for (size_t i = 0; i < n; i++) {
    const entry *e = &entries[i];
    zip_int64_t at;
    if (e->name[strlen(e->name) - 1] == '/') {
      at = zip_dir_add(z, e->name, 0);
    } else {
      zip_source_t *source = zip_source_buffer(z, e->bytes, strlen(e->bytes), 0);
      at = zip_file_add(z, e->name, source, 0);
      if (at >= 0) zip_set_file_compression(z, (zip_uint64_t)at, method, 0);
    }
    if (at < 0) die(zip_strerror(z));
  }
  if (zip_close(z) != 0) die(zip_strerror(z));
  return path;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ZIP_OF(name, entries) zip_of((name), (entries), COUNT(entries), ZIP_CM_DEFLATE)

static void test_zip(void) {
  const entry one[] = {{"lyrics.txt",
                        "\xEF\xBB\xBF"
                        "a\nb\r\nc"}};
  const entry deep[] = {{"a/", NULL}, {"a/b/", NULL}, {"a/b/Lyrics.TXT", "deep"}};
  const entry clutter[] = {{"__MACOSX/", NULL},          {"__MACOSX/._lyrics.txt", "junk"},
                           {".DS_Store", "junk"},        {".hidden.txt", "junk"},
                           {"sub/._lyrics.txt", "junk"}, {"sub/lyrics.txt", "kept"}};
  const entry others[] = {{"README.md", "me"}, {"lyrics.txt", "text"}, {"x.png", "x"}};
  const entry dotted[] = {{"./lyrics.txt", "dot"}};
  OPENS(ZIP_OF("one.zip", one), 0, "a b  c");
  OPENS(in_folder("one.zip"), 3, "a b");
  OPENS(zip_of("stored.zip", one, 1, ZIP_CM_STORE), 0, "a b  c");
  OPENS(ZIP_OF("named.txt", one), 0, "a b  c");
  OPENS(ZIP_OF("deep.zip", deep), 0, "deep");
  OPENS(ZIP_OF("clutter.zip", clutter), 0, "kept");
  OPENS(ZIP_OF("others.zip", others), 0, "text");
  OPENS(ZIP_OF("dotted.zip", dotted), 0, "dot");
}

static void test_zip_entries(void) {
  const entry none[] = {{"a/", NULL}, {"README.md", "read me"}, {"txt", "x"}};
  const entry folder_named[] = {{"x.txt/", NULL}};
  const entry hidden[] = {{"__MACOSX/x.txt", "x"}, {".x.txt", "x"}};
  const entry two[] = {{"a.txt", "a"}, {"b.txt", "b"}};
  const entry many[] = {{"a.txt", "a"}, {"b.txt", "b"}, {"c.txt", "c"},
                        {"d.txt", "d"}, {"e.TXT", "e"}, {"f.md", "f"}};
  const entry empty[] = {{"a.txt", ""}};
  const entry bad[] = {{"a.txt", "ab\ncd\xFF"}};
  char long_name[300];
  entry longs[4];
  FAILS(FILE_OF("void.zip", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 0, GRU_ERROR_FORMAT,
        "void.zip: holds no .txt");
  FAILS(ZIP_OF("none.zip", none), 0, GRU_ERROR_FORMAT, "none.zip: holds no .txt");
  FAILS(ZIP_OF("dir.zip", folder_named), 0, GRU_ERROR_FORMAT, "holds no .txt");
  FAILS(ZIP_OF("hidden.zip", hidden), 0, GRU_ERROR_FORMAT, "holds no .txt");
  FAILS(ZIP_OF("two.zip", two), 0, GRU_ERROR_FORMAT,
        "two.zip: holds several texts ('a.txt', 'b.txt'): unpack it");
  FAILS(ZIP_OF("many.zip", many), 0, GRU_ERROR_FORMAT,
        "holds several texts ('a.txt', 'b.txt', 'c.txt' and 2 more): unpack it");
  FAILS(ZIP_OF("empty.zip", empty), 0, GRU_ERROR_FORMAT, "empty.zip: the text is empty");
  FAILS(ZIP_OF("bad.zip", bad), 0, GRU_ERROR_FORMAT, "bad.zip: invalid UTF-8 at byte 5 (line 2)");
  OPENS(in_folder("bad.zip"), 5, "ab cd");

  for (size_t i = 0; i < COUNT(longs); i++) {
    static char names[COUNT(longs)][sizeof long_name];
    memset(names[i], 'a' + (char)i, sizeof names[i] - 1);
    memcpy(names[i] + sizeof names[i] - 6, "\n.txt", 6);
    longs[i] = (entry){names[i], "x"};
  }
  FAILS(ZIP_OF("longs.zip", longs), 0, GRU_ERROR_FORMAT, "ccc?.txt' and 1 more): unpack");
}

/* Reads a whole file; the caller frees. */
static unsigned char *bytes_of(const char *path, size_t *n) {
  FILE *f = fopen(path, "rb");
  unsigned char *bytes = malloc(1 << 20);
  if (f == NULL || bytes == NULL) die(path);
  *n = fread(bytes, 1, 1 << 20, f);
  fclose(f);
  return bytes;
}

/* Writes `size` bytes of `value`, little end first, `offset` past the first `magic`. */
static void patch(unsigned char *bytes, size_t n, const char *magic, size_t offset, uint32_t value,
                  size_t size) {
  for (size_t i = 0; i + 46 <= n; i++) {
    if (memcmp(bytes + i, magic, 4) != 0) continue;
    for (size_t k = 0; k < size; k++, value >>= 8) {
      bytes[i + offset + k] = (unsigned char)value;
    }
    return;
  }
  die("patch: no such record");
}

#define LOCAL "PK\3\4"   /* flags at 6, method 8, crc 14, packed size 18, size 22 */
#define CENTRAL "PK\1\2" /* flags at 8, method 10, crc 16, packed size 20, size 24 */

/* Makes a zip of 20,000 characters in damaged.zip with a field changed in both records;
** with `central` 0 only what is `local` bytes past the start. */
static const char *damaged(int method, size_t local, size_t central, uint32_t value, size_t size) {
  char text[20001];
  entry e = {"lyrics.txt", text};
  unsigned char *bytes;
  const char *path;
  size_t n;
  for (size_t i = 0; i < 20000; i++) text[i] = (char)('a' + i * i % 23);
  text[20000] = '\0';
  bytes = bytes_of(zip_of("damaged.zip", &e, 1, method), &n);
  patch(bytes, n, LOCAL, local, value, size);
  if (central > 0) patch(bytes, n, CENTRAL, central, value, size);
  path = file_of("damaged.zip", bytes, n);
  free(bytes);
  return path;
}

static void test_zip_damage(void) {
  static const int methods[] = {ZIP_CM_DEFLATE, ZIP_CM_STORE};
  FAILS(damaged(ZIP_CM_DEFLATE, 6, 8, 1, 2), 0, GRU_ERROR_FORMAT,
        "damaged.zip: 'lyrics.txt' is encrypted: unpack it first");
  FAILS(damaged(ZIP_CM_DEFLATE, 8, 10, 97, 2), 0, GRU_ERROR_FORMAT,
        "'lyrics.txt' has compression method 97, which this libzip cannot read");
  for (size_t i = 0; i < 2; i++) {
    FAILS(damaged(methods[i], 14, 16, 0x12345678, 4), 0, GRU_ERROR_FORMAT,
          "damaged.zip: cannot read 'lyrics.txt': CRC error");
    OPENS(in_folder("damaged.zip"), 5, "abejq"); /* it never comes to the check */
    FAILS(in_folder("damaged.zip"), 20001, GRU_ERROR_FORMAT, "CRC error");
    FAILS(damaged(methods[i], 22, 24, 100, 4), 0, GRU_ERROR_FORMAT,
          "'lyrics.txt' unpacks to more than the 100 bytes it declares");
    FAILS(damaged(methods[i], 22, 24, 30000, 4), 0, GRU_ERROR_FORMAT, "damaged.zip: ");
  }
  FAILS(damaged(ZIP_CM_DEFLATE, 40, 0, 0xFFFFFFFF, 4), 0, GRU_ERROR_FORMAT,
        "damaged.zip: cannot read 'lyrics.txt': ");
}

/* Whatever is cut off, the answer is a message. */
static void test_zip_truncated(void) {
  const entry one[] = {{"lyrics.txt", "some text, some text, some text"}};
  size_t n;
  unsigned char *bytes = bytes_of(ZIP_OF("whole.zip", one), &n);
  for (size_t keep = 4; keep < n; keep++) {
    FAILS(file_of("cut.zip", bytes, keep), 0, GRU_ERROR_FORMAT,
          "cut.zip: cannot be read as a zip: ");
  }
  free(bytes);
}

/* A zip of 64 MB of one letter: 64 kB that unpack in blocks. */
static void test_zip_large(void) {
  const size_t size = 64u << 20;
  char *bytes = malloc(size + 1);
  entry e = {"large.txt", bytes};
  gru_text *text;
  if (bytes == NULL) die("malloc");
  memset(bytes, 'x', size);
  bytes[size] = '\0';
  zip_of("large.zip", &e, 1, ZIP_CM_DEFLATE);
  free(bytes);
  OPENS(in_folder("large.zip"), 3, "xxx");
  text = open_text(in_folder("large.zip"), 0, __LINE__);
  if (text == NULL) return;
  CHECK(gru_text_length(text) == (int64_t)size);
  CHECK(gru_text_vocab_size(text) == 1);
  gru_text_close(text);
}

static void test_zips(void) {
  test_zip();
  test_zip_entries();
  test_zip_damage();
  test_zip_truncated();
  test_zip_large();
}

#else

static void test_zips(void) {
  FAILS(FILE_OF("a.zip", "PK\3\4...."), 0, GRU_ERROR_IO,
        "a.zip: is a zip, and this build lacks libzip: install it (Debian: libzip-dev)");
  FAILS(FILE_OF("a.txt", "PK\5\6...."), 0, GRU_ERROR_IO, "lacks libzip");
}

#endif

/* ---- all ------------------------------------------------------------------------ */

/* Descriptors that are open. */
static int count_open(void) {
  int n = 0;
  for (int fd = 0; fd < 1024; fd++) n += fcntl(fd, F_GETFD) != -1;
  return n;
}

static void remove_folder(void) {
  DIR *dir = opendir(folder);
  struct dirent *item;
  if (dir == NULL) die(folder);
  while ((item = readdir(dir)) != NULL) {
    if (item->d_name[0] != '.') unlink(in_folder(item->d_name));
  }
  closedir(dir);
  if (rmdir(folder) != 0) printf("%s is left behind\n", folder);
}

int main(void) {
  const char *base = getenv("TMPDIR");
  int before;
  snprintf(folder, sizeof folder, "%s/gru_text_XXXXXX", base != NULL ? base : "/tmp");
  if (mkdtemp(folder) == NULL) die(folder);
  if (gru_runtime_create(NULL, &rt) != GRU_OK) die("gru_runtime_create");
  before = count_open();
  test_ids();
  test_plain();
  test_bom();
  test_max_chars();
  test_not_texts();
  test_paths();
  test_pipes();
  test_faults();
  test_edges();
  test_all_code_points();
  test_blocks();
  test_line_across_blocks();
  test_zips();
  CHECK(count_open() == before);
  gru_runtime_destroy(rt);
  remove_folder();
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}

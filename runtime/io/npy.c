/* npy.c - NumPy's file of one array.
**
**   "\x93NUMPY" | major, minor | size of the header: u16 (version 1) or u32 (2, 3),
**   little-endian | header | elements
**
** The header is the text of a Python dict with the keys 'descr', 'fortran_order' and 'shape',
** padded with spaces so that the elements begin at a multiple of 64.  It is read here by a
** parser for exactly that; nothing is evaluated.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomic_file.h"
#include "core/tensor.h"
#include "elements.h"
#include "source.h"

enum {
  MAX_HEADER = 1 << 16, /* much more than eight dims of numbers need */
  GROWTH = 21           /* digits that NumPy leaves room for in the first size */
};

static const char magic[] = "\x93NUMPY";

/* NumPy's names; `order` stands before them. */
static const struct type {
  const char *name;
  gruI_element element;
} types[] = {
    {"b1", GRU_ELEMENT_BOOL}, {"i1", GRU_ELEMENT_I8},  {"u1", GRU_ELEMENT_U8},
    {"i2", GRU_ELEMENT_I16},  {"u2", GRU_ELEMENT_U16}, {"i4", GRU_ELEMENT_I32},
    {"u4", GRU_ELEMENT_U32},  {"i8", GRU_ELEMENT_I64}, {"u8", GRU_ELEMENT_U64},
    {"f2", GRU_ELEMENT_F16},  {"f4", GRU_ELEMENT_F32}, {"f8", GRU_ELEMENT_F64},
};

/* What a header says, and where the parser is in it. */
typedef struct header {
  const gruI_file *file;
  const char *text; /* ends with a 0 */
  size_t size, at;
  uint64_t data; /* where the elements begin in the file */
  gruI_elements elements;
  bool fortran, seen[3]; /* descr, fortran_order, shape */
} header;

/* ---- the parser --------------------------------------------------------------------- */

static gru_status fail(const header *h, const char *expected) {
  return gruI_file_fail(h->file, GRU_ERROR_FORMAT,
                        "the header is not one of npy: %s expected at byte %llu", expected,
                        (unsigned long long)(h->data - h->size + h->at));
}

static void skip_space(header *h) { h->at += strspn(h->text + h->at, " \t\r\n"); }

/* Is `c` next, behind spaces?  Then moves on. */
static bool take(header *h, char c) {
  skip_space(h);
  if (c == '\0' || h->text[h->at] != c) return false;
  h->at++;
  return true;
}

/* A string without escapes, in either quotes, into out[0 .. size). */
static gru_status take_string(header *h, char *out, size_t size) {
  char quote = take(h, '\'') ? '\'' : take(h, '"') ? '"' : '\0';
  if (quote == '\0') return fail(h, "a string");
  const char *start = h->text + h->at, *end = strchr(start, quote);
  if (end == NULL) return fail(h, "the end of the string");
  size_t length = (size_t)(end - start);
  if (length >= size || memchr(start, '\\', length) != NULL) return fail(h, "a plain short string");
  memcpy(out, start, length);
  out[length] = '\0';
  h->at += length + 1;
  return GRU_OK;
}

/* 'descr': "<f4". */
static gru_status take_descr(header *h) {
  char text[32], shown[32];
  if (take(h, '[')) {
    return gruI_file_fail(h->file, GRU_ERROR_FORMAT,
                          "records cannot be loaded; save each field by itself");
  }
  GRUI_TRY(take_string(h, text, sizeof text));
  gruI_source_show(shown, sizeof shown, text);
  const char *name = text[0] != '\0' ? text + 1 : text;
  if (text[0] == 'O' || name[0] == 'O') {
    return gruI_file_fail(h->file, GRU_ERROR_FORMAT,
                          "dtype '%s' is Python objects, whose pickle can run code: "
                          "they are not loaded",
                          shown);
  }
  if (text[0] == '>') {
    return gruI_file_fail(h->file, GRU_ERROR_FORMAT, "dtype '%s' is big-endian; save it as '<%s'",
                          shown, shown + 1);
  }
  h->elements.type = GRU_ELEMENT_UNREADABLE;
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    bool one_byte = gruI_element_size(types[i].element) == 1;
    if (strcmp(name, types[i].name) == 0 && (text[0] == '<' || (text[0] == '|' && one_byte))) {
      h->elements.type = types[i].element;
    }
  }
  if (h->elements.type != GRU_ELEMENT_UNREADABLE) return GRU_OK;
  return gruI_file_fail(h->file, GRU_ERROR_FORMAT,
                        "dtype '%s' cannot be loaded; there are b1, i1 to i8, u1 to "
                        "u8, f2, f4, f8, little-endian",
                        shown);
}

/* 'fortran_order': False. */
static gru_status take_fortran(header *h) {
  skip_space(h);
  h->fortran = strncmp(h->text + h->at, "True", 4) == 0;
  if (!h->fortran && strncmp(h->text + h->at, "False", 5) != 0) return fail(h, "True or False");
  h->at += h->fortran ? 4 : 5;
  return GRU_OK;
}

static gru_status take_size(header *h, int64_t *out) {
  const char *start = h->text + h->at;
  size_t digits = strspn(start, "0123456789");
  int64_t n = 0;
  if (digits == 0 || (start[0] == '0' && digits > 1)) return fail(h, "a size");
  if (digits > 18) return gruI_file_fail(h->file, GRU_ERROR_FORMAT, "a size of %zu digits", digits);
  for (size_t i = 0; i < digits; i++) n = n * 10 + (start[i] - '0');
  h->at += digits;
  *out = n;
  return GRU_OK;
}

/* 'shape': (), (2,), (2, 3). */
static gru_status take_shape(header *h) {
  gruI_elements *e = &h->elements;
  bool comma = true; /* may another size follow? */
  if (!take(h, '(')) return fail(h, "'('");
  while (!take(h, ')')) {
    if (!comma) return fail(h, "',' or ')'");
    if (e->ndim == GRU_MAX_DIMS) {
      return gruI_file_fail(h->file, GRU_ERROR_FORMAT, "more than %d dims", GRU_MAX_DIMS);
    }
    GRUI_TRY(take_size(h, &e->shape[e->ndim++]));
    comma = take(h, ',');
  }
  if (e->ndim == 1 && !comma) return fail(h, "a tuple: ',' before ')'");
  return GRU_OK;
}

static gru_status take_member(header *h) {
  static const char *const keys[] = {"descr", "fortran_order", "shape"};
  static gru_status (*const takes[])(header *) = {take_descr, take_fortran, take_shape};
  char key[32];
  int k = 0;
  GRUI_TRY(take_string(h, key, sizeof key));
  while (k < 3 && strcmp(key, keys[k]) != 0) k++;
  if (k == 3) return fail(h, "'descr', 'fortran_order' or 'shape' and no other key");
  if (h->seen[k])
    return gruI_file_fail(h->file, GRU_ERROR_FORMAT, "the key '%s' appears twice", key);
  h->seen[k] = true;
  if (!take(h, ':')) return fail(h, "':'");
  return takes[k](h);
}

static gru_status parse(header *h) {
  bool comma = true;
  if (!take(h, '{')) return fail(h, "'{'");
  while (!take(h, '}')) {
    if (!comma) return fail(h, "',' or '}'");
    GRUI_TRY(take_member(h));
    comma = take(h, ',');
  }
  skip_space(h);
  if (h->at != h->size) return fail(h, "nothing but spaces behind '}'");
  if (!h->seen[0]) return fail(h, "the key 'descr' before the end");
  if (!h->seen[1]) return fail(h, "the key 'fortran_order' before the end");
  if (!h->seen[2]) return fail(h, "the key 'shape' before the end");
  return GRU_OK;
}

/* ---- reading -------------------------------------------------------------------------- */

/* Reads what stands before the header: sets h->size and h->data. */
static gru_status read_prefix(header *h) {
  const gruI_file *f = h->file;
  unsigned char head[12];
  size_t prefix = 10;
  if (f->size < prefix) {
    return gruI_file_fail(f, GRU_ERROR_FORMAT,
                          "too short for npy: %llu bytes, at least 10 expected",
                          (unsigned long long)f->size);
  }
  GRUI_TRY(gruI_file_read(f, 0, head, prefix));
  if (memcmp(head, magic, 6) != 0) {
    return gruI_file_fail(f, GRU_ERROR_FORMAT, "not npy: it does not begin with \\x93NUMPY%s",
                          memcmp(head, "PK\3\4", 4) == 0 ? "; it is a zip (.npz?): unpack it" : "");
  }
  if (head[6] < 1 || head[6] > 3 || head[7] != 0) {
    return gruI_file_fail(f, GRU_ERROR_FORMAT, "npy version %d.%d, there are 1.0, 2.0 and 3.0",
                          head[6], head[7]);
  }
  h->size = head[8] | (size_t)head[9] << 8;
  if (head[6] > 1) {
    if (f->size < 12)
      return gruI_file_fail(f, GRU_ERROR_FORMAT, "truncated: it ends before the header");
    GRUI_TRY(gruI_file_read(f, 10, head + 10, 2));
    h->size |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
    prefix = 12;
  }
  h->data = prefix + h->size;
  if (h->data > f->size) {
    return gruI_file_fail(f, GRU_ERROR_FORMAT,
                          "truncated: the header ends at byte %llu, the file at %llu",
                          (unsigned long long)h->data, (unsigned long long)f->size);
  }
  if (h->size > MAX_HEADER) {
    return gruI_file_fail(f, GRU_ERROR_FORMAT, "a header of %zu bytes, at most %d are taken",
                          h->size, MAX_HEADER);
  }
  return GRU_OK;
}

/* Reads the header of h->file and holds it against the size of the file. */
static gru_status read_header(header *h) {
  const gruI_file *f = h->file;
  const gruI_elements *e = &h->elements;
  uint64_t bytes, size;
  GRUI_TRY(read_prefix(h));
  char *text = malloc(h->size + 1);
  if (text == NULL) return gruI_file_fail(f, GRU_ERROR_MEMORY, "no memory left for the header");
  text[h->size] = '\0';
  h->text = text;
  gru_status status = gruI_file_read(f, h->data - h->size, text, h->size);
  if (status == GRU_OK) status = parse(h);
  free(text);
  h->text = NULL;
  if (status != GRU_OK) return status;
  h->elements.at = h->data;
  size = f->size - h->data;
  if (!gruI_elements_bytes(e->ndim, e->shape, (unsigned)gruI_element_size(e->type) * 8, &bytes)) {
    return gruI_file_fail(f, GRU_ERROR_FORMAT, "shape %s is more than can be addressed",
                          gruI_shape_text(e->ndim, e->shape).s);
  }
  if (bytes == size) return GRU_OK;
  return gruI_file_fail(
      f, GRU_ERROR_FORMAT, "%s: shape %s takes %llu bytes, the file has %llu for it",
      bytes > size ? "truncated" : "too long", gruI_shape_text(e->ndim, e->shape).s,
      (unsigned long long)bytes, (unsigned long long)size);
}

/* Column-major elements: read as row-major ones of the reversed shape, which a view then turns
** round. */
static gru_status read_fortran(header *h, const char *device, gru_tensor **out) {
  gruI_elements *e = &h->elements;
  int64_t shape[GRU_MAX_DIMS], stride[GRU_MAX_DIMS];
  gru_tensor *t;
  memcpy(shape, e->shape, sizeof shape);
  for (int d = 0; d < e->ndim; d++) e->shape[d] = shape[e->ndim - 1 - d];
  GRUI_TRY(gruI_elements_read(h->file, e, device, &t));
  for (int d = 0; d < e->ndim; d++) stride[d] = t->stride[e->ndim - 1 - d];
  gru_status status = gruI_tensor_alias(t, e->ndim, shape, stride, 0, out);
  gru_tensor_release(t);
  return status;
}

gru_status gru_load_npy(gru_runtime *rt, const char *path, const char *device, gru_tensor **out) {
  gruI_file file;
  header h = {.file = &file};
  if (path == NULL || out == NULL) return gruI_file_misused(rt, "load_npy");
  GRUI_TRY(gruI_file_open(&file, rt, "load_npy", path));
  gru_status status = read_header(&h);
  if (status == GRU_OK) {
    status = h.fortran && h.elements.ndim > 1 ? read_fortran(&h, device, out)
                                              : gruI_elements_read(&file, &h.elements, device, out);
  }
  gruI_file_close(&file);
  return status;
}

/* ---- writing -------------------------------------------------------------------------- */

/* The header of `t`, byte for byte as NumPy writes it, with what stands before it.  Returns its
** size, a multiple of 64. */
static size_t format_header(const gru_tensor *t, char *out, size_t room) {
  static const char *const descr[] = {
      [GRU_BOOL] = "|b1", [GRU_INT64] = "<i8", [GRU_FLOAT32] = "<f4", [GRU_FLOAT64] = "<f8"};
  size_t at = 10, size, first = 0;
  at += (size_t)snprintf(out + at, room - at, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                         descr[t->dtype]);
  for (int d = 0; d < t->ndim; d++) {
    size_t digits = (size_t)snprintf(out + at, room - at, "%lld", (long long)t->shape[d]);
    if (d == 0) first = digits;
    at += digits;
    at += (size_t)snprintf(out + at, room - at, "%s",
                           t->ndim == 1      ? ","
                           : d < t->ndim - 1 ? ", "
                                             : "");
  }
  at += (size_t)snprintf(out + at, room - at, "), }");
  size = at + (t->ndim > 0 ? GROWTH - first : 0) + 1;
  size += 64 - size % 64; /* at least one more, as NumPy has it */
  memset(out + at, ' ', size - at);
  out[size - 1] = '\n';
  memcpy(out, magic, 6);
  memcpy(out + 6, "\1\0", 2);
  out[8] = (char)((size - 10) & 0xFF);
  out[9] = (char)((size - 10) >> 8);
  return size;
}

gru_status gru_save_npy(gru_runtime *rt, const char *path, gru_tensor *t) {
  char head[512];
  gruI_atomic_file file;
  gru_tensor *settled;
  const void *data;
  size_t bytes;
  if (path == NULL || t == NULL) return gruI_file_misused(rt, "save_npy");
  GRUI_TRY(gruI_elements_settle(t, &settled, &data, &bytes));
  gru_status status = gruI_atomic_file_begin(&file, rt, "save_npy", path);
  if (status == GRU_OK) {
    status = gruI_atomic_file_write(&file, head, format_header(t, head, sizeof head));
    if (status == GRU_OK) status = gruI_atomic_file_write(&file, data, bytes);
    status = gruI_atomic_file_end(&file, status);
  }
  gru_tensor_release(settled);
  return status;
}

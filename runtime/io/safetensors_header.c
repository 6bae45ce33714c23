/* safetensors_header.c - the header, read and held against the file's size. */
#include <stdlib.h>
#include <string.h>

#include "core/tensor.h"
#include "json.h"
#include "safetensors.h"
#include "source.h"

/* ---- element types -------------------------------------------------------------- */

typedef struct type {
  const char *name;
  unsigned bits;
  gruI_element element;
} type;

static const type types[] = {
    {"BOOL", 8, GRU_ELEMENT_BOOL},
    {"U8", 8, GRU_ELEMENT_U8},
    {"I8", 8, GRU_ELEMENT_I8},
    {"I16", 16, GRU_ELEMENT_I16},
    {"U16", 16, GRU_ELEMENT_U16},
    {"F16", 16, GRU_ELEMENT_F16},
    {"BF16", 16, GRU_ELEMENT_BF16},
    {"I32", 32, GRU_ELEMENT_I32},
    {"U32", 32, GRU_ELEMENT_U32},
    {"F32", 32, GRU_ELEMENT_F32},
    {"I64", 64, GRU_ELEMENT_I64},
    {"U64", 64, GRU_ELEMENT_U64},
    {"F64", 64, GRU_ELEMENT_F64},
    {"C64", 64, GRU_ELEMENT_UNREADABLE},
    {"F8_E5M2", 8, GRU_ELEMENT_UNREADABLE},
    {"F8_E4M3", 8, GRU_ELEMENT_UNREADABLE},
    {"F8_E8M0", 8, GRU_ELEMENT_UNREADABLE},
    {"F8_E4M3FNUZ", 8, GRU_ELEMENT_UNREADABLE},
    {"F8_E5M2FNUZ", 8, GRU_ELEMENT_UNREADABLE},
    {"F6_E2M3", 6, GRU_ELEMENT_UNREADABLE},
    {"F6_E3M2", 6, GRU_ELEMENT_UNREADABLE},
    {"F4", 4, GRU_ELEMENT_UNREADABLE},
};

static const type *find_type(const char *name) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if (strcmp(types[i].name, name) == 0) return &types[i];
  }
  return NULL;
}

/* ---- the prefix and the JSON ------------------------------------------------------ */

static gru_status fail_memory(const gruI_file *f) {
  return gruI_file_fail(f, GRU_ERROR_MEMORY, "no memory left for the header");
}

/* What a file is that begins like another format, or NULL. */
static const char *other_format(const unsigned char *head) {
  if (memcmp(head, "\x93NUMPY", 6) == 0) return "a .npy file: read it with gru.load_npy";
  if (memcmp(head, "PK\3\4", 4) == 0 || (head[0] == 0x80 && head[1] >= 2 && head[1] <= 5)) {
    return "a zip or a pickle, as PyTorch's .pt, which can run code: convert it in "
           "Python with "
           "safetensors.torch.save_file(torch.load(\"x.pt\"), \"x.safetensors\")";
  }
  return NULL;
}

/* Reads the prefix and checks it: sets *n to the size of the header. */
static gru_status read_prefix(const gruI_file *f, size_t *n) {
  unsigned char head[GRUI_SAFETENSORS_PREFIX];
  uint64_t size;
  if (f->size < sizeof head) {
    return gruI_file_fail(f, GRU_ERROR_FORMAT,
                          "too short for safetensors: %llu bytes, at least 8 expected",
                          (unsigned long long)f->size);
  }
  GRUI_TRY(gruI_file_read(f, 0, head, sizeof head));
  memcpy(&size, head, sizeof size);
  if (size > GRUI_SAFETENSORS_MAX_HEADER || size > f->size - sizeof head) {
    const char *other = other_format(head);
    if (other != NULL) {
      return gruI_file_fail(f, GRU_ERROR_FORMAT, "not safetensors but %s", other);
    }
    if (size > GRUI_SAFETENSORS_MAX_HEADER) {
      return gruI_file_fail(f, GRU_ERROR_FORMAT,
                            "not safetensors: a header of %llu bytes, at most "
                            "100000000 are allowed",
                            (unsigned long long)size);
    }
    return gruI_file_fail(f, GRU_ERROR_FORMAT,
                          "truncated: the header ends at byte %llu, the file at %llu",
                          (unsigned long long)size + sizeof head, (unsigned long long)f->size);
  }
  *n = (size_t)size;
  return GRU_OK;
}

/* Reads the JSON into h->root. */
static gru_status read_json(const gruI_file *f, gruI_safetensors *h) {
  size_t n = 0;
  gruI_json_fault fault;
  GRUI_TRY(read_prefix(f, &n));
  char *text = malloc(n + 1);
  if (text == NULL) return fail_memory(f);
  text[n] = '\0';
  h->data = GRUI_SAFETENSORS_PREFIX + n;
  gru_status status = gruI_file_read(f, GRUI_SAFETENSORS_PREFIX, text, n);
  if (status == GRU_OK && text[0] != '{') {
    status = gruI_file_fail(f, GRU_ERROR_FORMAT, "the header does not begin with '{'");
  } else if (status == GRU_OK && (h->root = gruI_json_parse(text, n, &fault)) == NULL) {
    status = gruI_file_fail(f, GRU_ERROR_FORMAT, "the header is no JSON: %s, at byte %llu",
                            fault.reason, (unsigned long long)fault.at + GRUI_SAFETENSORS_PREFIX);
  }
  free(text);
  return status;
}

/* ---- tensors ------------------------------------------------------------------------ */

/* A failure that names the tensor. */
#define FAIL(f, node, format, ...) \
  do { \
    char shown_[GRUI_NAME_SHOWN]; \
    gruI_source_show(shown_, sizeof shown_, (node)->string); \
    return gruI_file_fail(f, GRU_ERROR_FORMAT, "tensor '%s': " format, shown_, __VA_ARGS__); \
  } while (0)

/* Puts the members of `node` into out[0 .. 3): "dtype", "shape", "data_offsets".  Others
** may stand beside them, as the reference implementation has it. */
static gru_status find_members(const gruI_file *f, const cJSON *node, const cJSON *out[3]) {
  static const char *const keys[] = {"dtype", "shape", "data_offsets"};
  if (!cJSON_IsObject(node)) FAIL(f, node, "%s expected, got something else", "an object");
  for (int k = 0; k < 3; k++) {
    out[k] = NULL;
    for (const cJSON *c = node->child; c != NULL; c = c->next) {
      if (strcmp(c->string, keys[k]) != 0) continue;
      if (out[k] != NULL) FAIL(f, node, "the key '%s' appears twice", keys[k]);
      out[k] = c;
    }
    if (out[k] == NULL) FAIL(f, node, "the key '%s' is missing", keys[k]);
  }
  return GRU_OK;
}

/* The sizes of `node` in shape[0 .. *ndim). */
static gru_status read_shape(const gruI_file *f, const cJSON *node, const cJSON *sizes,
                             int64_t *shape, int *ndim) {
  *ndim = 0;
  if (!cJSON_IsArray(sizes)) FAIL(f, node, "the shape is not %s", "an array");
  for (const cJSON *c = sizes->child; c != NULL; c = c->next) {
    if (*ndim == GRU_MAX_DIMS) FAIL(f, node, "more than %d dims", GRU_MAX_DIMS);
    if (!gruI_json_integer(c, &shape[(*ndim)++])) {
      FAIL(f, node, "size %d of the shape is not a whole number below 2^53", *ndim);
    }
  }
  return GRU_OK;
}

static gru_status read_offsets(const gruI_file *f, const cJSON *node, const cJSON *offsets,
                               gruI_safetensor *e) {
  int64_t values[2];
  int n = 0;
  if (!cJSON_IsArray(offsets)) FAIL(f, node, "the data_offsets are not %s", "an array");
  for (const cJSON *c = offsets->child; c != NULL; c = c->next, n++) {
    if (n < 2 && !gruI_json_integer(c, &values[n])) {
      FAIL(f, node, "data offset %d is not a whole number below 2^53", n + 1);
    }
  }
  if (n != 2) FAIL(f, node, "two data_offsets expected, got %d", n);
  if (values[0] > values[1]) {
    FAIL(f, node, "the data end at %lld, before they begin at %lld", (long long)values[1],
         (long long)values[0]);
  }
  e->begin = (uint64_t)values[0];
  e->end = (uint64_t)values[1];
  return GRU_OK;
}

/* Checks the description of one tensor by itself. */
static gru_status read_tensor(const gruI_file *f, const cJSON *node, gruI_safetensor *e) {
  const cJSON *members[3];
  int64_t shape[GRU_MAX_DIMS];
  uint64_t bytes;
  int ndim;
  const type *t;
  GRUI_TRY(find_members(f, node, members));
  if (!cJSON_IsString(members[0])) FAIL(f, node, "the dtype is not %s", "a string");
  e->node = node;
  e->shape = members[1];
  t = find_type(members[0]->valuestring);
  if (t == NULL) {
    char dtype[24];
    gruI_source_show(dtype, sizeof dtype, members[0]->valuestring);
    FAIL(f, node, "unknown dtype '%s'", dtype);
  }
  e->dtype = t->name;
  e->element = t->element;
  GRUI_TRY(read_shape(f, node, members[1], shape, &ndim));
  GRUI_TRY(read_offsets(f, node, members[2], e));
  if (!gruI_elements_bytes(ndim, shape, t->bits, &bytes)) {
    FAIL(f, node, "%s %s is too large, or no whole number of bytes", t->name,
         gruI_shape_text(ndim, shape).s);
  }
  if (bytes != e->end - e->begin) {
    FAIL(f, node, "%s %s takes %llu bytes, its data_offsets hold %llu", t->name,
         gruI_shape_text(ndim, shape).s, (unsigned long long)bytes,
         (unsigned long long)(e->end - e->begin));
  }
  return GRU_OK;
}

/* Room for one more gruI_safetensor. */
static gru_status reserve(const gruI_file *f, gruI_safetensors *h) {
  if (h->count < h->room) return GRU_OK;
  int64_t room = h->room > 0 ? h->room * 3 / 2 : 2;
  gruI_safetensor *moved = realloc(h->tensors, (size_t)room * sizeof *moved);
  if (moved == NULL) return fail_memory(f);
  h->tensors = moved;
  h->room = room;
  return GRU_OK;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const gruI_safetensor *)a)->node->string,
                ((const gruI_safetensor *)b)->node->string);
}

static int by_place(const void *a, const void *b) {
  const gruI_safetensor *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  if (x->end != y->end) return x->end < y->end ? -1 : 1;
  return by_name(a, b);
}

/* Do the tensors fill the data, one after the other? */
static gru_status check_layout(const gruI_file *f, gruI_safetensors *h) {
  uint64_t at = 0, size = f->size - h->data;
  if (h->count > 0) qsort(h->tensors, (size_t)h->count, sizeof *h->tensors, by_name);
  for (int64_t i = 1; i < h->count; i++) {
    const cJSON *node = h->tensors[i].node;
    if (by_name(&h->tensors[i - 1], &h->tensors[i]) == 0) FAIL(f, node, "%s", "appears twice");
  }
  if (h->count > 0) qsort(h->tensors, (size_t)h->count, sizeof *h->tensors, by_place);
  for (int64_t i = 0; i < h->count; i++) {
    const gruI_safetensor *e = &h->tensors[i];
    if (e->begin != at) {
      FAIL(f, e->node, "the data begin at %llu, %s the data before them end at %llu",
           (unsigned long long)e->begin,
           e->begin < at ? "an overlap:" : "a hole:", (unsigned long long)at);
    }
    at = e->end;
  }
  if (at > size) {
    return gruI_file_fail(f, GRU_ERROR_FORMAT,
                          "truncated: the tensors take %llu bytes, the file "
                          "has %llu for them",
                          (unsigned long long)at, (unsigned long long)size);
  }
  if (at < size) {
    return gruI_file_fail(f, GRU_ERROR_FORMAT, "%llu bytes behind the last tensor",
                          (unsigned long long)(size - at));
  }
  return GRU_OK;
}

/* ---- metadata ------------------------------------------------------------------------ */

static int by_key(const void *a, const void *b) {
  return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

static gru_status read_metadata(const gruI_file *f, const cJSON *node, gruI_safetensors *h) {
  int64_t count = 0;
  if (h->metadata != NULL)
    return gruI_file_fail(f, GRU_ERROR_FORMAT, "'__metadata__' appears twice");
  if (!cJSON_IsObject(node)) {
    return gruI_file_fail(f, GRU_ERROR_FORMAT, "'__metadata__' is not an object");
  }
  for (const cJSON *c = node->child; c != NULL; c = c->next) {
    char shown[GRUI_NAME_SHOWN];
    gruI_source_show(shown, sizeof shown, c->string);
    if (!cJSON_IsString(c)) {
      return gruI_file_fail(f, GRU_ERROR_FORMAT, "'__metadata__': '%s' is not a string", shown);
    }
    count++;
  }
  h->metadata = malloc((size_t)(count + 1) * sizeof *h->metadata);
  if (h->metadata == NULL) return fail_memory(f);
  for (const cJSON *c = node->child; c != NULL; c = c->next) h->metadata[h->metadata_count++] = c;
  if (count > 0) qsort(h->metadata, (size_t)count, sizeof *h->metadata, by_key);
  for (int64_t i = 1; i < count; i++) {
    char shown[GRUI_NAME_SHOWN];
    if (strcmp(h->metadata[i - 1]->string, h->metadata[i]->string) != 0) continue;
    gruI_source_show(shown, sizeof shown, h->metadata[i]->string);
    return gruI_file_fail(f, GRU_ERROR_FORMAT, "'__metadata__': '%s' appears twice", shown);
  }
  return GRU_OK;
}

/* ---- all of it ----------------------------------------------------------------------- */

gru_status gruI_safetensors_read(const gruI_file *f, gruI_safetensors *h) {
  GRUI_TRY(read_json(f, h));
  for (const cJSON *node = h->root->child; node != NULL; node = node->next) {
    if (strcmp(node->string, GRUI_SAFETENSORS_METADATA) == 0) {
      GRUI_TRY(read_metadata(f, node, h));
      continue;
    }
    GRUI_TRY(reserve(f, h));
    GRUI_TRY(read_tensor(f, node, &h->tensors[h->count]));
    h->count++;
  }
  return check_layout(f, h);
}

void gruI_safetensors_free(gruI_safetensors *h) {
  cJSON_Delete(h->root);
  free(h->tensors);
  free(h->metadata);
}

int gruI_safetensors_shape(const gruI_safetensor *t, int64_t shape[GRU_MAX_DIMS]) {
  int ndim = 0;
  for (const cJSON *c = t->shape->child; c != NULL && ndim < GRU_MAX_DIMS; c = c->next) {
    gruI_json_integer(c, &shape[ndim++]);
  }
  return ndim;
}

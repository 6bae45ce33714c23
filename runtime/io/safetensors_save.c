/* safetensors_save.c - writing the format, as the reference implementation lays it out: wide
** elements first, so that everything is aligned, then by name; the header padded to 8. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomic_file.h"
#include "core/tensor.h"
#include "safetensors.h"
#include "source.h"
#include "utf8.h"

/* Names in the format, and their rank there; by gru_dtype. */
static const struct {
  const char *name;
  int rank;
} dtypes[] = {[GRU_BOOL] = {"BOOL", 0},
              [GRU_FLOAT32] = {"F32", 1},
              [GRU_FLOAT64] = {"F64", 2},
              [GRU_INT64] = {"I64", 3}};

typedef struct saving {
  gru_runtime *rt;
  const char *path;
  gru_named_tensor *tensors; /* a copy, in the order of the file */
  size_t n;
  gru_named_text *metadata; /* a copy, by key */
  size_t nmetadata;
} saving;

static gru_status fail(const saving *s, gru_status status, const char *what, const char *name) {
  char shown[GRUI_NAME_SHOWN];
  gruI_file file = {.rt = s->rt, .op = "save", .path = s->path};
  gruI_source_show(shown, sizeof shown, name);
  return gruI_file_fail(&file, status, "'%s' %s", shown, what);
}

static gru_status fail_memory(const saving *s) {
  return gruI_fail(s->rt, GRU_ERROR_MEMORY, "save: no memory left for the header of %zu tensors",
                   s->n);
}

/* ---- what may be saved ------------------------------------------------------------ */

static gru_status check_text(const saving *s, const char *text, const char *name) {
  gruI_utf8 decoder;
  gruI_utf8_fault fault = GRU_UTF8_OK;
  uint32_t codes[256];
  size_t n = strlen(text), ncodes;
  gruI_utf8_init(&decoder);
  for (size_t at = 0; at < n && fault == GRU_UTF8_OK; at += 256) {
    size_t some = n - at < 256 ? n - at : 256;
    fault = gruI_utf8_decode(&decoder, (const unsigned char *)text + at, some, codes, &ncodes);
  }
  if (fault == GRU_UTF8_OK) fault = gruI_utf8_finish(&decoder);
  if (fault == GRU_UTF8_OK) return GRU_OK;
  return fail(s, GRU_ERROR_ARGUMENT,
              text == name ? "is not UTF-8" : "has a value that is not UTF-8", name);
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const gru_named_tensor *)a)->name, ((const gru_named_tensor *)b)->name);
}

static int by_key(const void *a, const void *b) {
  return strcmp(((const gru_named_text *)a)->key, ((const gru_named_text *)b)->key);
}

static int by_place(const void *a, const void *b) {
  const gru_named_tensor *x = a, *y = b;
  int order = dtypes[y->tensor->dtype].rank - dtypes[x->tensor->dtype].rank;
  return order != 0 ? order : by_name(a, b);
}

/* Checks the names and puts everything into its order. */
static gru_status arrange(saving *s) {
  if (s->n > 0) qsort(s->tensors, s->n, sizeof *s->tensors, by_name);
  for (size_t i = 0; i < s->n; i++) {
    const char *name = s->tensors[i].name;
    GRUI_TRY(check_text(s, name, name));
    if (strcmp(name, GRUI_SAFETENSORS_METADATA) == 0) {
      return fail(s, GRU_ERROR_ARGUMENT, "is the format's own name, not one for a tensor", name);
    }
    if (i > 0 && strcmp(s->tensors[i - 1].name, name) == 0) {
      return fail(s, GRU_ERROR_ARGUMENT, "names two tensors", name);
    }
  }
  if (s->n > 0) qsort(s->tensors, s->n, sizeof *s->tensors, by_place);
  if (s->nmetadata > 0) qsort(s->metadata, s->nmetadata, sizeof *s->metadata, by_key);
  for (size_t i = 0; i < s->nmetadata; i++) {
    const char *key = s->metadata[i].key;
    GRUI_TRY(check_text(s, key, key));
    GRUI_TRY(check_text(s, s->metadata[i].value, key));
    if (i > 0 && strcmp(s->metadata[i - 1].key, key) == 0) {
      return fail(s, GRU_ERROR_ARGUMENT, "is a key of two metadata", key);
    }
  }
  return GRU_OK;
}

/* ---- the header -------------------------------------------------------------------- */

/* {"dtype": ..., "shape": ..., "data_offsets": ...}, or NULL.  Numbers go in as text: cJSON
** writes large ones with an exponent. */
static cJSON *describe(const gru_tensor *t, uint64_t begin, uint64_t end) {
  char shape[GRU_MAX_DIMS * 21 + 3] = "[", offsets[48];
  size_t at = 1;
  cJSON *node = cJSON_CreateObject();
  for (int d = 0; d < t->ndim; d++) {
    at += (size_t)snprintf(shape + at, sizeof shape - at, d > 0 ? ",%lld" : "%lld",
                           (long long)t->shape[d]);
  }
  snprintf(shape + at, sizeof shape - at, "]");
  snprintf(offsets, sizeof offsets, "[%llu,%llu]", (unsigned long long)begin,
           (unsigned long long)end);
  if (node != NULL && cJSON_AddStringToObject(node, "dtype", dtypes[t->dtype].name) != NULL &&
      cJSON_AddRawToObject(node, "shape", shape) != NULL &&
      cJSON_AddRawToObject(node, "data_offsets", offsets) != NULL) {
    return node;
  }
  cJSON_Delete(node);
  return NULL;
}

/* Adds `item`, which may be NULL; it is gone after a failure. */
static bool add(cJSON *object, const char *name, cJSON *item) {
  if (item != NULL && cJSON_AddItemToObject(object, name, item)) return true;
  cJSON_Delete(item);
  return false;
}

/* Fills the object of the header; false when memory runs out. */
static bool fill_header(const saving *s, cJSON *root) {
  uint64_t at = 0;
  if (s->nmetadata > 0) {
    cJSON *metadata = cJSON_AddObjectToObject(root, GRUI_SAFETENSORS_METADATA);
    for (size_t i = 0; i < s->nmetadata && metadata != NULL; i++) {
      const gru_named_text *m = &s->metadata[i];
      if (cJSON_AddStringToObject(metadata, m->key, m->value) == NULL) metadata = NULL;
    }
    if (metadata == NULL) return false;
  }
  for (size_t i = 0; i < s->n; i++) {
    const gru_tensor *t = s->tensors[i].tensor;
    uint64_t end = at + (uint64_t)t->numel * gru_dtype_size((gru_dtype)t->dtype);
    if (!add(root, s->tensors[i].name, describe(t, at, end))) return false;
    at = end;
  }
  return true;
}

static gru_status write_header(const saving *s, gruI_atomic_file *f) {
  static const char spaces[] = "        ";
  cJSON *root = cJSON_CreateObject();
  char *text = root != NULL && fill_header(s, root) ? cJSON_PrintUnformatted(root) : NULL;
  cJSON_Delete(root);
  if (text == NULL) return fail_memory(s);
  size_t n = strlen(text), padding = (8 - n % 8) % 8;
  uint64_t size = n + padding;
  gru_status status;
  if (size > GRUI_SAFETENSORS_MAX_HEADER) {
    status = gruI_file_fail(&f->file, GRU_ERROR_ARGUMENT,
                            "the header takes %zu bytes, at most "
                            "100000000 are allowed: shorter names, or several files",
                            n);
  } else {
    status = gruI_atomic_file_write(f, &size, sizeof size);
    if (status == GRU_OK) status = gruI_atomic_file_write(f, text, n);
    if (status == GRU_OK) status = gruI_atomic_file_write(f, spaces, padding);
  }
  cJSON_free(text);
  return status;
}

/* ---- all of it --------------------------------------------------------------------- */

static gru_status write_tensor(gruI_atomic_file *f, gru_tensor *t) {
  gru_tensor *settled;
  const void *data;
  size_t bytes;
  GRUI_TRY(gruI_elements_settle(t, &settled, &data, &bytes));
  gru_status status = gruI_atomic_file_write(f, data, bytes);
  gru_tensor_release(settled);
  return status;
}

static gru_status save(saving *s) {
  gruI_atomic_file file;
  GRUI_TRY(arrange(s));
  GRUI_TRY(gruI_atomic_file_begin(&file, s->rt, "save", s->path));
  gru_status status = write_header(s, &file);
  for (size_t i = 0; i < s->n && status == GRU_OK; i++) {
    status = write_tensor(&file, s->tensors[i].tensor);
  }
  return gruI_atomic_file_end(&file, status);
}

gru_status gru_save(gru_runtime *rt, const char *path, size_t n, const gru_named_tensor *tensors,
                    size_t nmetadata, const gru_named_text *metadata) {
  saving s = {.rt = rt, .path = path, .n = n, .nmetadata = nmetadata};
  if (path == NULL) return gruI_file_misused(rt, "save");
  s.tensors = calloc(n + 1, sizeof *s.tensors);
  s.metadata = calloc(nmetadata + 1, sizeof *s.metadata);
  gru_status status;
  if (s.tensors == NULL || s.metadata == NULL) {
    status = fail_memory(&s);
  } else {
    if (n > 0) memcpy(s.tensors, tensors, n * sizeof *tensors);
    if (nmetadata > 0) memcpy(s.metadata, metadata, nmetadata * sizeof *metadata);
    status = save(&s);
  }
  free(s.tensors);
  free(s.metadata);
  return status;
}

/* safetensors.c - reading tensors out of a file of the format. */
#include "safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "core/runtime.h"
#include "source.h"

struct gru_tensor_file {
  gruI_file file;
  gruI_safetensors header;
  char path[]; /* what file.path is */
};

gru_status gru_tensor_file_open(gru_runtime *rt, const char *path, gru_tensor_file **out) {
  if (path == NULL || out == NULL) return gruI_file_misused(rt, "load");
  size_t size = strlen(path) + 1;
  gru_tensor_file *f = calloc(1, sizeof *f + size);
  if (f == NULL) return gruI_fail(rt, GRU_ERROR_MEMORY, "load: no memory left");
  memcpy(f->path, path, size);
  gru_status status = gruI_file_open(&f->file, rt, "load", f->path);
  if (status == GRU_OK) status = gruI_safetensors_read(&f->file, &f->header);
  if (status == GRU_OK) {
    *out = f;
  } else {
    gru_tensor_file_close(f);
  }
  return status;
}

void gru_tensor_file_close(gru_tensor_file *f) {
  if (f == NULL) return;
  gruI_file_close(&f->file);
  gruI_safetensors_free(&f->header);
  free(f);
}

int64_t gru_tensor_file_count(const gru_tensor_file *f) { return f->header.count; }

const char *gru_tensor_file_name(const gru_tensor_file *f, int64_t i) {
  return f->header.tensors[i].node->string;
}

gru_status gru_tensor_file_read(gru_tensor_file *f, int64_t i, const char *device,
                                gru_tensor **out) {
  const gruI_safetensor *t = &f->header.tensors[i];
  gruI_elements e = {.name = t->node->string, .type = t->element, .at = f->header.data + t->begin};
  if (e.type == GRU_ELEMENT_UNREADABLE) {
    char shown[GRUI_NAME_SHOWN];
    gruI_source_show(shown, sizeof shown, e.name);
    return gruI_file_fail(&f->file, GRU_ERROR_FORMAT,
                          "tensor '%s' has dtype %s, which cannot be loaded; save it as F32", shown,
                          t->dtype);
  }
  e.ndim = gruI_safetensors_shape(t, e.shape);
  return gruI_elements_read(&f->file, &e, device, out);
}

int64_t gru_tensor_file_metadata_count(const gru_tensor_file *f) {
  return f->header.metadata_count;
}

const char *gru_tensor_file_metadata(const gru_tensor_file *f, int64_t i, const char **value) {
  *value = f->header.metadata[i]->valuestring;
  return f->header.metadata[i]->string;
}

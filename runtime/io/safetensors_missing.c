/* safetensors_missing.c - stands in for the format where the build found no cJSON. */
#include "../gru.h"

#define MISSING \
  ": this build lacks cJSON, which safetensors needs: install it (Debian: " \
  "libcjson-dev) and build again, or use save_npy and load_npy"

gru_status gru_tensor_file_open(gru_runtime *rt, const char *path, gru_tensor_file **out) {
  (void)path, (void)out;
  return gru_runtime_fail(rt, GRU_ERROR_ARGUMENT, "load" MISSING);
}

gru_status gru_save(gru_runtime *rt, const char *path, size_t n, const gru_named_tensor *tensors,
                    size_t nmetadata, const gru_named_text *metadata) {
  (void)path, (void)n, (void)tensors, (void)nmetadata, (void)metadata;
  return gru_runtime_fail(rt, GRU_ERROR_ARGUMENT, "save" MISSING);
}

/* Not reached: no file is ever open. */
void gru_tensor_file_close(gru_tensor_file *f) { (void)f; }

int64_t gru_tensor_file_count(const gru_tensor_file *f) {
  (void)f;
  return 0;
}

const char *gru_tensor_file_name(const gru_tensor_file *f, int64_t i) {
  (void)f, (void)i;
  return "";
}

gru_status gru_tensor_file_read(gru_tensor_file *f, int64_t i, const char *device,
                                gru_tensor **out) {
  (void)f, (void)i, (void)device, (void)out;
  return GRU_ERROR_ARGUMENT;
}

int64_t gru_tensor_file_metadata_count(const gru_tensor_file *f) {
  (void)f;
  return 0;
}

const char *gru_tensor_file_metadata(const gru_tensor_file *f, int64_t i, const char **value) {
  (void)f, (void)i;
  *value = "";
  return "";
}

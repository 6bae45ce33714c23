/* info.c - versions and devices. */
#include "info.h"

#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"

/* Makes a runtime that lives no longer than its question; NULL after saying why not. */
static gru_runtime *open_runtime(const gruL_options *options) {
  gru_runtime *rt = NULL;
  gru_status status = gru_runtime_create(&options->runtime, &rt);
  if (status == GRU_OK) return rt;
  char text[128];
  snprintf(text, sizeof text, "cannot start the tensor runtime (%s)", gru_status_name(status));
  gruI_call_message(text);
  return NULL;
}

static void print_cuda(gru_runtime *rt) {
  int count = 0;
  if (gru_device_count(rt, "cuda", &count) != GRU_OK) puts(gru_runtime_error(rt));
  for (int i = 0; i < count; i++) {
    char name[24];
    gru_properties p;
    snprintf(name, sizeof name, "cuda:%d", i);
    if (gru_device_properties(rt, name, &p) == GRU_OK)
      printf("%s: %s, compute capability %d.%d, %.0f GiB\n", name, p.name, p.major, p.minor,
             (double)p.total_memory / (1 << 30));
    else
      puts(gru_runtime_error(rt));
  }
}

int gruI_info_version(const gruL_options *options) {
  printf("gru-lua %s (%s)\n", GRU_VERSION, LUA_RELEASE);
  gru_runtime *rt = open_runtime(options);
  if (rt == NULL) return EXIT_FAILURE;
  int threads = gru_get_threads(rt);
  printf("cpu: %d thread%s\n", threads, threads == 1 ? "" : "s");
  print_cuda(rt);
  gru_runtime_destroy(rt);
  fflush(stdout);
  return EXIT_SUCCESS;
}

int gruI_info_check_device(const gruL_options *options) {
  if (options->device == NULL || strcmp(options->device, "cpu") == 0) return EXIT_SUCCESS;
  gru_runtime *rt = open_runtime(options);
  if (rt == NULL) return EXIT_FAILURE;
  int found = gru_device_check(rt, options->device) == GRU_OK;
  if (!found) gruI_call_message(gru_runtime_error(rt));
  gru_runtime_destroy(rt);
  return found ? EXIT_SUCCESS : EXIT_FAILURE;
}

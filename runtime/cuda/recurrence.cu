/* recurrence.cu - recurrent layers: which way a call takes, and why. */
#include "cuda/recurrence.cuh"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The fastest first; the last can run every call that fits the device. */
static const gruI_cuda_path *const paths[] = {&gruI_cuda_path_fused, &gruI_cuda_path_step};
enum { PATHS = sizeof paths / sizeof *paths, WHY = 160 };

static const char *forced(void) {
  const char *name = getenv("GRU_CUDA_RECURRENCE");
  return name != NULL && *name != '\0' ? name : NULL;
}

/* Would the call take this way, if it came to it?  If not, `why` says so. */
static int suits(gruI_device *device, const gruI_cuda_path *path, const gruI_recurrence *call,
                 char *why) {
  const char *name = forced();
  if (!path->can(device, call, why, WHY)) return 0;
  if (name == NULL || path == paths[PATHS - 1]) return path->pays(device, call, why, WHY);
  if (strcmp(name, path->name) == 0) return 1;
  snprintf(why, WHY, "GRU_CUDA_RECURRENCE is %.40s", name);
  return 0;
}

static gru_status run(gruI_device *device, const gruI_recurrence *call, int backward) {
  char why[WHY] = "";
  for (int i = 0; i < PATHS; i++)
    if (suits(device, paths[i], call, why)) return paths[i]->run(device, call, backward);
  return gruI_cuda_fail(device, GRU_ERROR_DEVICE, "recurrence: %s", why);
}

gru_status gruI_cuda_recurrence(gruI_device *device, const gruI_recurrence *call) {
  if (call->steps <= 0 || call->batch <= 0 || call->hidden <= 0) return GRU_OK;
  return run(device, call, 0);
}

gru_status gruI_cuda_recurrence_grad(gruI_device *device, const gruI_recurrence *call) {
  if (call->steps <= 0 || call->batch <= 0 || call->hidden <= 0) return GRU_OK;
  return run(device, call, 1);
}

void gruI_cuda_explain(gruI_device *device, const gruI_recurrence *call, char *text, size_t size) {
  char why[PATHS][WHY];
  int taken = 0, before = call->cell == GRUI_GRU_BEFORE;
  while (taken < PATHS && !suits(device, paths[taken], call, why[taken])) taken++;
  size_t at = 0;
  if (size == 0) return;
  if (taken < PATHS) at += (size_t)snprintf(text, size, "%s", paths[taken]->what[before]);
  for (int i = taken - 1; i >= 0 && at < size; i--)
    at += (size_t)snprintf(text + at, size - at, "%snot %s: %s", at > 0 ? "; " : "",
                           paths[i]->what[before], why[i]);
}

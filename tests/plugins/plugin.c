/* plugin.c - a backend "cuda" that does not work, in the way that FAULT names: tests/plugin_spec.lua
** has gru-lua open each.
*/
#include <stdio.h>
#include <string.h>

#include "core/device.h"

enum { SYMBOL = 1, REFUSED, VERSION, SHORT, OTHER, NONE, UNSAID, UNOPENED };

static int count(char *reason, size_t size) {
  if (FAULT == NONE) snprintf(reason, size, "all devices are at lunch");
  return FAULT == UNOPENED ? 2 : 0;
}

static gru_status open_device(gruI_device *device) {
  snprintf(device->fault.text, sizeof device->fault.text, "the lid of %d is stuck", device->index);
  return GRU_ERROR_DEVICE;
}

static const gruI_backend backend = {
    .abi = FAULT == VERSION ? 999 : GRUI_DEVICE_ABI,
    .size = FAULT == SHORT ? 80 : sizeof(gruI_backend),
    .name = FAULT == OTHER ? "abacus" : "cuda",
    .count = count,
    .open = open_device,
};

#if FAULT == 1
#define gru_backend_init another_name
#endif
GRU_API const gruI_backend *gru_backend_init(uint32_t abi);

const gruI_backend *gru_backend_init(uint32_t abi) {
  return FAULT == REFUSED && abi == GRUI_DEVICE_ABI ? NULL : &backend;
}

/* plugin.h - finding a backend by its name. */
#ifndef GRUI_PLUGIN_H
#define GRUI_PLUGIN_H

#include "core/device.h"

/* The backend "cpu", or one of a plugin; NULL with a reason in `text`. */
const gruI_backend *gruI_plugin_find(const char *name, char *text, size_t size);

#endif

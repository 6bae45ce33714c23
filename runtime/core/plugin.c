/* plugin.c - finding a backend by its name: the built-in one, and plugins.
**
** A backend "x" that is not built in is a file, libgru_x.so.  It is looked for in this order:
**   1. the file that $GRU_X_PLUGIN names; nowhere else where that is set
**   2. the directory of the executable, and ../lib/gru from there (an installed gru-lua)
**   3. that of the shared object that has this code in it, gru/core.so under a stock lua5.4: its
**      directory, ../.. (the build folder), and ../../../gru (an installed module)
** The file exports one symbol, gru_backend_init, and is never unloaded.  What went wrong is not
** remembered: asking again costs the attempt to open one file.
*/
#define _GNU_SOURCE
#include "core/plugin.h"

#include <ctype.h>
#include <dlfcn.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, NAME_BYTES = 64 };

typedef const gruI_backend *(*init_function)(uint32_t abi);

typedef struct reason {
  char *text;
  size_t size;
} reason;

static const gruI_backend *refuse(reason why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const gruI_backend *refuse(reason why, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(why.text, why.size, format, args);
  va_end(args);
  return NULL;
}

static const gruI_backend *open_plugin(const char *path, const char *name, reason why) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return refuse(why, "%s", dlerror());
  init_function init;
  *(void **)&init = dlsym(library, "gru_backend_init");
  if (!init) return refuse(why, "%s is no plugin of gru-lua: it has no gru_backend_init", path);
  const gruI_backend *backend = init(GRUI_DEVICE_ABI);
  if (!backend)
    return refuse(why, "%s does not know version %u of the device interface: build it anew", path,
                  GRUI_DEVICE_ABI);
  if (backend->abi != GRUI_DEVICE_ABI)
    return refuse(why, "%s has version %u of the device interface, wanted is %u: build it anew",
                  path, backend->abi, GRUI_DEVICE_ABI);
  if (backend->size < sizeof *backend)
    return refuse(why, "%s has a table of %u bytes, wanted are %zu: build it anew", path,
                  backend->size, sizeof *backend);
  if (strcmp(backend->name, name) != 0)
    return refuse(why, "%s is the plugin of '%.20s', wanted is '%s'", path, backend->name, name);
  return backend;
}

/* $GRU_X_PLUGIN, or NULL; its name in `variable`. */
static const char *named_plugin(const char *name, char variable[NAME_BYTES]) {
  int n = snprintf(variable, NAME_BYTES, "GRU_%.40s_PLUGIN", name);
  for (int i = 0; i < n; i++) variable[i] = (char)toupper((unsigned char)variable[i]);
  const char *set = getenv(variable);
  return set && *set ? set : NULL;
}

/* The file that this code is part of, where that is not the executable. */
static int own_object(char path[PATH_BYTES]) {
  Dl_info info;
  struct link_map *map = NULL;
  if (!dladdr1((void *)&gruI_builtin_backend, &info, (void **)&map, RTLD_DL_LINKMAP) || !map ||
      map->l_name[0] == '\0')
    return 0;
  char *full = realpath(map->l_name, NULL);
  int fits = full && strlen(full) < PATH_BYTES;
  if (fits) strcpy(path, full);
  free(full);
  return fits;
}

static int executable(char path[PATH_BYTES]) {
  ssize_t length = readlink("/proc/self/exe", path, PATH_BYTES - 1);
  path[length > 0 ? length : 0] = '\0';
  return length > 0;
}

/* Is there a libgru_<name>.so in one of the folders beside the file `of`? */
static int look_beside(const char *of, const char *const *folders, const char *name,
                       char path[PATH_BYTES]) {
  const char *slash = strrchr(of, '/');
  for (; slash && *folders; folders++) {
    int n =
        snprintf(path, PATH_BYTES, "%.*s/%slibgru_%s.so", (int)(slash - of), of, *folders, name);
    if (n < PATH_BYTES && access(path, F_OK) == 0) return 1;
  }
  return 0;
}

const gruI_backend *gruI_plugin_find(const char *name, char *text, size_t size) {
  static const char *const of_program[] = {"", "../lib/gru/", "../" GRU_LIBDIR "/gru/", NULL};
  static const char *const of_module[] = {"", "../../", "../../../gru/", NULL};
  char variable[NAME_BYTES], of[PATH_BYTES], path[PATH_BYTES];
  reason why = {text, size};
  if (strcmp(name, gruI_builtin_backend.name) == 0) return &gruI_builtin_backend;
  const char *set = named_plugin(name, variable);
  if (set) { /* a path; dlopen would look elsewhere for a name without a slash */
    snprintf(path, sizeof path, "%s%s", strchr(set, '/') ? "" : "./", set);
    if (access(path, F_OK) != 0) return refuse(why, "%s=%s: there is no such file", variable, set);
    return open_plugin(path, name, why);
  }
  if (executable(of) && look_beside(of, of_program, name, path))
    return open_plugin(path, name, why);
  if (own_object(of) && look_beside(of, of_module, name, path)) return open_plugin(path, name, why);
  return refuse(why,
                "its plugin, libgru_%s.so, is neither beside the program nor installed; where it "
                "is elsewhere, %s names the file",
                name, variable);
}

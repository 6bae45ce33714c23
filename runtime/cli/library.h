/* library.h - the Lua library that is part of the executable. */
#ifndef GRU_CLI_LIBRARY_H
#define GRU_CLI_LIBRARY_H

#include <lua.h>
#include <stddef.h>

typedef struct gru_library_module {
  const char *name;          /* "gru.nn"; NULL ends the list */
  const char *chunk_name;    /* "@gru/nn/init.lua" */
  const unsigned char *data; /* the text of the file */
  size_t size;               /* in bytes */
} gru_library_module;

/* Every file of lua/gru; the source is written by embed.cmake. */
extern const gru_library_module gruI_library_modules[];

/* Lets `require` find those modules, and "gru.core", through package.preload.  Nothing is
** loaded yet. */
void gruI_library_preload(lua_State *L);

#endif

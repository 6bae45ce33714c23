/* exports.c - the symbol that stock `lua5.4` looks for in gru/core.so. */
#include "gru_lua.h"

/* Naming the loader here is what makes the linker keep it. */
extern lua_CFunction const gruL_exported_loader;
lua_CFunction const gruL_exported_loader = luaopen_gru_core;

/* library.c - package.preload entries for the embedded modules. */
#include "library.h"

#include <lauxlib.h>

#include "gru_lua.h"

/* The loader of one module (upvalue 1): runs its chunk as a searcher of files would, with
** the module's name and the file's. */
static int load_module(lua_State *L) {
  const gru_library_module *module = lua_touserdata(L, lua_upvalueindex(1));
  int status =
      luaL_loadbufferx(L, (const char *)module->data, module->size, module->chunk_name, "t");
  if (status != LUA_OK) return lua_error(L);
  lua_pushstring(L, module->name);
  lua_pushstring(L, module->chunk_name + 1);
  lua_call(L, 2, 1);
  return 1;
}

void gruI_library_preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_gru_core);
  lua_setfield(L, -2, "gru.core");
  for (const gru_library_module *m = gruI_library_modules; m->name != NULL; m++) {
    lua_pushlightuserdata(L, (void *)m);
    lua_pushcclosure(L, load_module, 1);
    lua_setfield(L, -2, m->name);
  }
  lua_pop(L, 1);
}

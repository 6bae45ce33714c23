/* scope.c - gru.scope and anomaly mode: what the binding knows of the boxes and calls under way.
**
** While a scope is open, every box that is made is put into its table.  At the end the Lua library
** takes out what is to live on, and the rest is released at once, ahead of the collector.
*/
#include <stdlib.h>
#include <string.h>

#include "binding.h"

static const char registry_scopes; /* its address is the key: a list of tables, box -> true */
static int open_scopes(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_scopes) != LUA_TTABLE) {
    lua_pop(L, 1);
    return 0;
  }
  return 1;
}

void gruL_note(lua_State *L) {
  if (!open_scopes(L)) return;
  lua_rawgeti(L, -1, (lua_Integer)lua_rawlen(L, -1)); /* the innermost */
  lua_pushvalue(L, -3);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_pop(L, 2);
}

/* core.scope_open() */
static int scope_open(lua_State *L) {
  if (!open_scopes(L)) {
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_scopes);
  }
  lua_newtable(L);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  return 0;
}

/* core.scope_close() -> the boxes of the innermost scope, a table box -> true */
static int scope_close(lua_State *L) {
  if (!open_scopes(L)) return luaL_error(L, "scope: none is open");
  lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
  lua_rawgeti(L, -1, n);
  lua_pushnil(L);
  lua_rawseti(L, -3, n);
  if (n == 1) { /* none is open any more: making a box costs nothing again */
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_scopes);
  }
  return 1;
}

/* core.keep(x): x outlives the scopes that are open now; returns it. */
static int keep(lua_State *L) {
  gruL_check(L, 1);
  lua_settop(L, 1);
  if (open_scopes(L))
    for (lua_Integer i = (lua_Integer)lua_rawlen(L, 2); i > 0; i--) {
      lua_rawgeti(L, 2, i);
      lua_pushvalue(L, 1);
      lua_pushnil(L);
      lua_rawset(L, -3);
      lua_pop(L, 1);
    }
  lua_settop(L, 1);
  return 1;
}

/* core.note(x): the innermost open scope, if any, releases x at its end. */
static int note(lua_State *L) {
  gruL_check(L, 1);
  lua_settop(L, 1);
  gruL_note(L);
  return 0;
}

/* ---- anomaly mode ----------------------------------------------------------------------------- */

/* The Lua stack as text, in memory of the core's. */
static char *trace(void *context) {
  gruL_state *s = context;
  lua_State *L = s->current;
  if (!L || !lua_checkstack(L, 8)) return NULL;
  luaL_traceback(L, L, NULL, 1);
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  char *copy = malloc(length + 1);
  if (copy) memcpy(copy, text, length + 1);
  lua_pop(L, 1);
  return copy;
}

/* gru.set_anomaly_mode(on) */
static int set_anomaly_mode(lua_State *L) {
  gruL_state *s = gruL_self(L);
  luaL_checktype(L, 1, LUA_TBOOLEAN);
  s->anomaly = lua_toboolean(L, 1);
  gru_set_anomaly(s->rt, s->anomaly ? trace : NULL, s);
  return 0;
}

static int is_anomaly_mode(lua_State *L) {
  lua_pushboolean(L, gruL_self(L)->anomaly);
  return 1;
}

void gruL_open_scope(lua_State *L) {
  static const luaL_Reg functions[] = {{"scope_open", scope_open},
                                       {"scope_close", scope_close},
                                       {"keep", keep},
                                       {"note", note},
                                       {"set_anomaly_mode", set_anomaly_mode},
                                       {"is_anomaly_mode", is_anomaly_mode},
                                       {NULL, NULL}};
  gruL_register(L, functions);
}

/* profile.c - gru-lua --profile, around whatever the command line runs. */
#include "profile.h"

#include <stdlib.h>

#include "call.h"

/* Stack: the trace or nil.  Leaves the function that ends the profile. */
static int begin(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "gru.profile");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "program");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 2);
  if (lua_isnil(L, -2)) return lua_error(L); /* with the reason */
  lua_pop(L, 1);
  return 1;
}

int gruI_profile_begin(lua_State *L, const char *trace) {
  lua_pushcfunction(L, begin);
  if (trace != NULL)
    lua_pushstring(L, trace);
  else
    lua_pushnil(L);
  int status = lua_pcall(L, 1, 1, 0);
  return gruI_call_report(L, status);
}

void gruI_profile_end(lua_State *L) {
  int status = lua_pcall(L, 0, 0, 0);
  gruI_call_report(L, status);
}

/* call.c - protected calls, their messages and exit statuses. */
#include "call.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"

static const char *program_name = "gru-lua";

const char *gruI_call_set_name(const char *name) {
  const char *old = program_name;
  program_name = name;
  return old;
}

void gruI_call_message(const char *text) {
  if (program_name != NULL) fprintf(stderr, "%s: ", program_name);
  fprintf(stderr, "%s\n", text);
  fflush(stderr);
}

int gruI_call_report(lua_State *L, int status) {
  if (status == LUA_OK) return EXIT_SUCCESS;
  const char *message = lua_tostring(L, -1);
  if (message == NULL) message = "(error message not a string)";
  int exit_status = gruI_interrupt_caused(message) ? GRU_INTERRUPT_EXIT : EXIT_FAILURE;
  gruI_call_message(message);
  lua_pop(L, 1);
  return exit_status;
}

/* Message handler: turns the error object into text and adds the traceback.  An object
** with a `__tostring` speaks for itself. */
static int add_traceback(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (message == NULL) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  luaL_traceback(L, L, message, 1);
  return 1;
}

int gruI_call_protected(lua_State *L, int arguments, int results) {
  int handler = lua_gettop(L) - arguments; /* goes below the function */
  lua_pushcfunction(L, add_traceback);
  lua_insert(L, handler);
  gruI_interrupt_begin(L);
  int status = lua_pcall(L, arguments, results, handler);
  gruI_interrupt_end();
  lua_remove(L, handler);
  return status;
}

/* Calls the chunk that a load left on the stack. */
static int finish(lua_State *L, int status) {
  if (status == LUA_OK) status = gruI_call_protected(L, 0, 0);
  return gruI_call_report(L, status);
}

int gruI_call_file(lua_State *L, const char *path) { return finish(L, luaL_loadfile(L, path)); }

int gruI_call_string(lua_State *L, const char *text, const char *chunk_name) {
  return finish(L, luaL_loadbuffer(L, text, strlen(text), chunk_name));
}

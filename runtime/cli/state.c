/* state.c - a Lua state with a heap, warnings and last words of its own. */
#include "state.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/slab.h"
#include "heap.h"

/* The program has one. */
static struct {
  gruI_slab slab;
  bool warns;     /* since "@on" */
  bool continues; /* what comes is the rest of a message */
} state;

/* A lua_WarnFunction as the one of luaL_newstate: parts of a message, or a control message "@on", "@off". */
static void warn(void *context, const char *text, int to_continue) {
  (void)context;
  if (!state.continues && !to_continue && text[0] == '@') {
    if (strcmp(text, "@on") == 0) state.warns = true;
    if (strcmp(text, "@off") == 0) state.warns = false;
    return;
  }
  if (state.warns)
    fprintf(stderr, "%s%s%s", state.continues ? "" : "Lua warning: ", text,
            to_continue ? "" : "\n");
  state.continues = to_continue;
  fflush(stderr);
}

/* An error outside of any protected call; Lua aborts behind it. */
static int panic(lua_State *L) {
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "PANIC: unprotected error in call to Lua API (%s)\n",
          message ? message : "error object is not a string");
  fflush(stderr);
  return 0;
}

lua_State *gruI_state_new(void) {
  gruI_slab_init(&state.slab, GRUI_HEAP_LOG_STEP);
  lua_State *L = lua_newstate(gruI_heap_alloc, &state.slab);
  if (!L) {
    gruI_slab_destroy(&state.slab);
    return NULL;
  }
  lua_atpanic(L, panic);
  lua_setwarnf(L, warn, NULL);
  return L;
}

void gruI_state_close(lua_State *L) {
  lua_close(L);
  gruI_slab_destroy(&state.slab);
}

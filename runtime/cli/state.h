/* state.h - the program's Lua state. */
#ifndef GRUI_STATE_H
#define GRUI_STATE_H

#include <lua.h>

/* What luaL_newstate makes, warnings off, with memory from heap.h; NULL where there is none.  One at a
** time. */
lua_State *gruI_state_new(void);

/* Closes the state and gives its memory back. */
void gruI_state_close(lua_State *L);

#endif

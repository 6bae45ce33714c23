/* profile.h - gru-lua --profile. */
#ifndef GRU_CLI_PROFILE_H
#define GRU_CLI_PROFILE_H

#include <lua.h>

/* Starts a profile, with a trace into the file `trace` unless that is NULL, and leaves one value on the
** stack for gruI_profile_end.  Returns an exit status; the value is there on success only. */
int gruI_profile_begin(lua_State *L, const char *trace);

/* Ends it and shows its tables; takes the value, which is on top of the stack. */
void gruI_profile_end(lua_State *L);

#endif

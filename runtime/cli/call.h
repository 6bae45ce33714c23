/* call.h - runs Lua code under a traceback and Ctrl-C, and reports what went wrong. */
#ifndef GRU_CLI_CALL_H
#define GRU_CLI_CALL_H

#include <lua.h>

/* Sets the name that messages begin with (borrowed; NULL for none).  Returns the old. */
const char *gruI_call_set_name(const char *name);

/* Writes "name: text" to stderr. */
void gruI_call_message(const char *text);

/* Pops and writes the error message of a failed call.  Returns the exit status that
** `status` stands for: 0, 1, or 130 after an interruption. */
int gruI_call_report(lua_State *L, int status);

/* lua_pcall with a traceback in the message; Ctrl-C raises an error meanwhile. */
int gruI_call_protected(lua_State *L, int arguments, int results);

/* Run a file (NULL: stdin) or a string, without arguments or results.  They report an
** error themselves and return an exit status. */
int gruI_call_file(lua_State *L, const char *path);
int gruI_call_string(lua_State *L, const char *text, const char *chunk_name);

#endif

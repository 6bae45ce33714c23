/* repl.h - the interactive mode. */
#ifndef GRU_CLI_REPL_H
#define GRU_CLI_REPL_H

#include <lua.h>

/* Is stdin a terminal? */
int gruI_repl_wanted(void);

/* Reads, runs and prints until the end of stdin.  Errors are written without the name of
** the program; Ctrl-C comes back to the prompt.  Clears the stack. */
void gruI_repl_run(lua_State *L);

#endif

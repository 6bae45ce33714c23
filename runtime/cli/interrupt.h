/* interrupt.h - Ctrl-C becomes the Lua error "interrupted!". */
#ifndef GRU_CLI_INTERRUPT_H
#define GRU_CLI_INTERRUPT_H

#include <lua.h>

#define GRU_INTERRUPT_EXIT 130 /* exit status of a script that an interruption ended */

/* From now on SIGINT raises an error in `L`; a second one before gruI_interrupt_end()
** kills the process. */
void gruI_interrupt_begin(lua_State *L);

/* SIGINT kills the process again. */
void gruI_interrupt_end(void);

/* gru_runtime_config.should_abort: nonzero once after a SIGINT that Lua has not seen
** yet; it then belongs to the caller, and the error is not raised a second time. */
int gruI_interrupt_poll(void *context);

/* Since gruI_interrupt_begin(): was an interruption delivered, and is this its message? */
int gruI_interrupt_caused(const char *message);

#endif

/* interrupt.c - SIGINT, from the handler to the error.
**
** A pending interruption waits in two places: as a debug hook, which Lua code runs into
** at its next instruction, and as a flag, which a long op of the core polls.  Whichever
** comes first takes both away.
*/
#define _POSIX_C_SOURCE 200809L

#include "interrupt.h"

#include <lauxlib.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

/* A signal handler has no argument, hence the globals. */
static lua_State *target;               /* where the hook goes; set before the handler */
static volatile sig_atomic_t pending;   /* a SIGINT that nobody has taken yet */
static volatile sig_atomic_t delivered; /* one was taken, since gruI_interrupt_begin */

/* From now on `handler` takes SIGINT; slow system calls return early. */
static void set_handler(void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

/* Takes the pending interruption away. */
static void deliver(void) {
  lua_sethook(target, NULL, 0, 0);
  pending = 0;
  delivered = 1;
}

/* Debug hook. */
static void raise_error(lua_State *L, lua_Debug *event) {
  (void)event;
  deliver();
  luaL_error(L, "interrupted!");
}

/* lua_sethook is safe in a signal handler. */
static void on_signal(int number) {
  (void)number;
  set_handler(SIG_DFL); /* so that a second one kills */
  pending = 1;
  int every_event = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT;
  lua_sethook(target, raise_error, every_event, 1);
}

void gruI_interrupt_begin(lua_State *L) {
  target = L;
  delivered = 0;
  set_handler(on_signal);
}

void gruI_interrupt_end(void) { set_handler(SIG_DFL); }

int gruI_interrupt_poll(void *context) {
  (void)context;
  if (!pending) return 0;
  deliver();
  return 1;
}

int gruI_interrupt_caused(const char *message) {
  return delivered && strstr(message, "interrupted!") != NULL;
}

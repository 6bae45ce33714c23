/* gru_lua.h - how a C program puts the runtime into a Lua 5.4 state.
**
** `luaopen_gru_core` is the loader of the module "gru.core"; the Lua library
** `gru` (lua/gru/) stands on it.  Each Lua state owns one gru_runtime, made when
** the module is first loaded and released when the state is closed.
*/
#ifndef GRU_LUA_H
#define GRU_LUA_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

#include "gru.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens the module: pushes its table and returns 1 (a lua_CFunction). */
GRU_API int luaopen_gru_core(lua_State *L);

/* Settings for the runtime that `luaopen_gru_core` is going to make in `L`.  Call
** it before the module is loaded; a zeroed structure means the defaults of
** gru_runtime_config.  The structure is copied; strings and hooks must outlive
** the state.  `device` names the default device ("cpu", "cuda:0"; NULL is "cpu"),
** `has_seed` says that `seed` is to be used instead of one from the clock. */
typedef struct gruL_options {
  gru_runtime_config runtime;
  const char *device;
  uint64_t seed;
  int has_seed;
} gruL_options;

GRU_API void gruL_configure(lua_State *L, const gruL_options *options);

/* The runtime of `L` (borrowed), or NULL when the module is not loaded. */
GRU_API gru_runtime *gruL_runtime(lua_State *L);

/* The tensor at stack index `idx` (borrowed), or NULL when it is something else. */
GRU_API gru_tensor *gruL_totensor(lua_State *L, int idx);

/* Pushes `t` as a Lua object; the stack takes a reference of its own. */
GRU_API void gruL_pushtensor(lua_State *L, gru_tensor *t);

#ifdef __cplusplus
}
#endif

#endif

/* binding.h - what the files of the binding share.
**
** Every function of the module has the same first upvalues: the binding's state (a light
** userdata) and the metatable of tensors.  A function is three beats: check the arguments,
** one call of the core, push the result.  The box of a result is made before the call, so
** that running out of Lua memory loses nothing.
*/
#ifndef GRUL_BINDING_H
#define GRUL_BINDING_H

#include <lauxlib.h>
#include <stdbool.h>

#include "gru.h"
#include "gru_lua.h"

typedef struct gruL_profile gruL_profile;

/* One Lua state's use of the runtime. */
typedef struct gruL_state {
  gru_runtime *rt;
  lua_State *current; /* the coroutine whose grad mode rt has; anchored in the registry */
  lua_State *caller;  /* the one that called backward, where hooks run */
  const char *source; /* of the chunk that was looked up last, and our copy of its name */
  const char *chunk;
  int scopes; /* gru.scope calls under way */
  bool anomaly;
  gruL_profile *profile; /* the one that runs, or NULL */
  size_t base;           /* bytes live after the last full collection that the binding asked for */
  uint64_t swept;        /* bytes taken ever, at the last collection, of young objects at least */
  uint64_t calls;        /* of ops since then */
  uint64_t most_young;   /* bytes of young objects until the next one, where tensors are small */
  char device[24];       /* the default one */
  gru_dtype dtype;       /* the default float dtype */
} gruL_state;

enum { GRUL_UP_STATE = 1, GRUL_UP_META = 2, GRUL_UP_OWN = 3 }; /* upvalues */

static inline gruL_state *gruL_self(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(GRUL_UP_STATE));
}

/* Adds the functions of `list` to the table on top of the stack. */
void gruL_register(lua_State *L, const luaL_Reg *list);

/* Raises the runtime's message; never returns.  `int` so that `return gruL_raise(...)` reads well. */
int gruL_raise(lua_State *L, gruL_state *s, gru_status status);

/* Before a core call: the grad mode of this coroutine, the line that the script is at, and a
** collection when tensors that only the collector can free have piled up. */
void gruL_enter(lua_State *L, gruL_state *s);

/* After Lua code that the core called back: `L` is current again, in the core's mode `mode`. */
void gruL_return_to(lua_State *L, gruL_state *s, int mode);

/* After GRU_ERROR_MEMORY: collects, empties the caches.  True once: worth another try. */
bool gruL_recover(lua_State *L, gruL_state *s, gru_status status, int *tries);

/* ---- tensors on the stack (tensor.c) -------------------------------------------------- */

typedef struct gruL_box {
  gru_tensor *tensor; /* NULL until it is filled, and after gru.scope released it */
} gruL_box;

/* A new empty box on the stack. */
gruL_box *gruL_newbox(lua_State *L);
/* Puts a new reference into the box. */
void gruL_fill(gruL_box *box, gru_tensor *t);
/* Pushes the one box of a tensor that the core keeps (a gradient); takes no reference over. */
void gruL_push_kept(lua_State *L, gruL_state *s, gru_tensor *t);
/* Makes the box at `idx` findable for gruL_push_kept: call it when the core keeps its tensor. */
void gruL_remember(lua_State *L, int idx);

/* Calls the op and leaves its results on the stack.  `in` are borrowed from the stack; where the op gives
** one back, so does this: the object at `where[i]` of in[i], if `where` is not NULL (ops.c). */
int gruL_call(lua_State *L, gruL_state *s, gru_op op, gru_tensor *const *in, int n,
              const int *where, const gru_attrs *attrs);

/* ---- arguments (args.c) ------------------------------------------------------------------- */

/* The tensor at `idx`, or NULL when it is something else; raises for a released one. */
gru_tensor *gruL_test(lua_State *L, int idx);
/* The tensor at `idx`, or an error that names the argument. */
gru_tensor *gruL_check(lua_State *L, int idx);
/* A dim or position of a script, from 1 on or negative, as the core counts it. */
int64_t gruL_dim(lua_State *L, int idx, const char *what);
/* Raises unless there are at most `n` arguments. */
void gruL_at_most(lua_State *L, int n);
/* Sizes: integers from `idx` on, or one table of them.  Returns how many; moves on to the
** argument after them. */
int gruL_sizes(lua_State *L, int *idx, int64_t *out, bool dims);
/* Is there a dtype's name at `idx`? */
bool gruL_find_dtype(lua_State *L, int idx, gru_dtype *dtype);
/* The dtype whose name is at `idx`; raises where there is none. */
gru_dtype gruL_dtype(lua_State *L, int idx);
/* "number", "table", "tensor": what the argument is, for messages. */
const char *gruL_typename(lua_State *L, int idx);

/* The device named at `idx`: the default one where there is no name, and where a kind ("cuda") is named of
** which the default one is. */
const char *gruL_device(lua_State *L, const gruL_state *s, int idx);
/* Raises "bad argument #i to 'f' (... expected, got ...)". */
int gruL_expected(lua_State *L, int idx, const char *what);

/* The options of steps, by name, in the table at `idx` (step.c). */
gru_sgd_options gruL_sgd_options(lua_State *L, int idx);
gru_adam_options gruL_adam_options(lua_State *L, int idx);

/* ---- the topics: each adds its functions to the module table on top of the stack ------------ */

void gruL_open_ops(lua_State *L);
void gruL_open_layers(lua_State *L);
void gruL_open_tensor(lua_State *L);
void gruL_open_create(lua_State *L);
void gruL_open_elements(lua_State *L);
void gruL_open_autograd(lua_State *L);
void gruL_open_runtime(lua_State *L);
void gruL_open_text(lua_State *L);
void gruL_open_files(lua_State *L);
void gruL_open_scope(lua_State *L);
void gruL_open_step(lua_State *L);
void gruL_open_graph(lua_State *L);
void gruL_open_profile(lua_State *L);

/* A box was made: notes it where gru.scope is under way (scope.c). */
void gruL_note(lua_State *L);

/* Fills `where`, source and current line, with the innermost line that is the script's and not the
** library's; false where no Lua code runs (profile.c). */
bool gruL_profile_find_line(lua_State *L, const gruL_profile *p, lua_Debug *where);

#endif

/* autograd.c - backward, grad, hooks, and grad mode. */
#include <stdlib.h>
#include <string.h>

#include "binding.h"

/* ---- hooks ------------------------------------------------------------------------------ */

/* A Lua function that the tape holds; anchored in the registry until the hook goes. */
typedef struct lua_hook {
  lua_State *L; /* the main thread, which lives as long as the state */
  gruL_state *s;
  int function;
} lua_hook;

static void release_hook(void *context) {
  lua_hook *hook = context;
  luaL_unref(hook->L, LUA_REGISTRYINDEX, hook->function);
  free(hook);
}

/* Runs under lua_pcall: stack is function, lightuserdata of the gradient. */
static int call_hook(lua_State *L) {
  lua_hook *hook = lua_touserdata(L, 1);
  gru_tensor *grad = lua_touserdata(L, 2);
  lua_rawgeti(L, LUA_REGISTRYINDEX, hook->function);
  gruL_push_kept(L, hook->s, grad);
  lua_call(L, 1, 1);
  if (!lua_isnil(L, -1) && !luaL_testudata(L, -1, "gru.Tensor"))
    return luaL_error(L, "hook: it must return a tensor or nil, got %s", luaL_typename(L, -1));
  return 1;
}

static gru_status run_hook(void *context, gru_tensor *grad, gru_tensor **replacement) {
  lua_hook *hook = context;
  gruL_state *s = hook->s;
  lua_State *L = s->caller ? s->caller : hook->L;
  int mode = gru_grad_enabled(s->rt);
  if (!lua_checkstack(L, 8))
    return gru_runtime_fail(s->rt, GRU_ERROR_MEMORY, "hook: the Lua stack is full");
  lua_pushcfunction(L, call_hook);
  lua_pushlightuserdata(L, hook);
  lua_pushlightuserdata(L, grad);
  int result = lua_pcall(L, 2, 1, 0); /* the hook itself may be gone after this */
  gruL_return_to(L, s, mode);
  if (result != LUA_OK) {
    lua_setfield(L, LUA_REGISTRYINDEX, "gru.error"); /* raised again, unchanged */
    return gru_runtime_fail(s->rt, GRU_ERROR_CALLBACK, "hook: it raised an error");
  }
  gruL_box *box = lua_touserdata(L, -1);
  if (box && box->tensor != grad) *replacement = gru_tensor_retain(box->tensor);
  lua_pop(L, 1);
  return GRU_OK;
}

/* x:register_hook(f) -> id, for x:remove_hook(id).  The function is held until then, or until the
** tensor goes: one that names its own tensor keeps both alive, since the tape may need it when no
** script sees the tensor any more. */
static int register_hook(lua_State *L) {
  gruL_at_most(L, 2);
  gruL_state *s = gruL_self(L);
  gru_tensor *t = gruL_check(L, 1);
  uint64_t id;
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_hook *hook = malloc(sizeof *hook);
  if (!hook) return luaL_error(L, "register_hook: out of memory");
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  lua_State *main_thread = lua_tothread(L, -1);
  lua_pushvalue(L, 2);
  *hook = (lua_hook){main_thread, s, luaL_ref(L, LUA_REGISTRYINDEX)};
  gru_status status = gru_tensor_add_hook(t, run_hook, release_hook, hook, &id);
  if (status != GRU_OK) {
    release_hook(hook);
    return gruL_raise(L, s, status);
  }
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int remove_hook(lua_State *L) {
  gru_tensor_remove_hook(gruL_check(L, 1), (uint64_t)luaL_checkinteger(L, 2));
  return 0;
}

/* ---- functions with a gradient rule in Lua -------------------------------------------------------- */

/* Runs under lua_pcall: stack is lightuserdata of the rule's hook, of the gradient; leaves the table
** of gradients that the rule gave. */
static int call_rule(lua_State *L) {
  lua_hook *rule = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, rule->function);
  gruL_push_kept(L, rule->s, lua_touserdata(L, 2));
  lua_call(L, 1, 1);
  luaL_checktype(L, -1, LUA_TTABLE);
  return 1;
}

static gru_status run_rule(void *context, gru_tensor *grad, int ninputs, gru_tensor **dx) {
  lua_hook *rule = context;
  gruL_state *s = rule->s;
  lua_State *L = s->caller ? s->caller : rule->L;
  int mode = gru_grad_enabled(s->rt);
  if (!lua_checkstack(L, 8))
    return gru_runtime_fail(s->rt, GRU_ERROR_MEMORY, "Function: the Lua stack is full");
  lua_pushcfunction(L, call_rule);
  lua_pushlightuserdata(L, rule);
  lua_pushlightuserdata(L, grad);
  int result = lua_pcall(L, 2, 1, 0);
  gruL_return_to(L, s, mode);
  if (result != LUA_OK) {
    lua_setfield(L, LUA_REGISTRYINDEX, "gru.error"); /* raised again, unchanged */
    return gru_runtime_fail(s->rt, GRU_ERROR_CALLBACK, "Function: backward raised an error");
  }
  for (int k = 0; k < ninputs; k++) {
    lua_rawgeti(L, -1, k + 1);
    gru_tensor *d = lua_isuserdata(L, -1) ? ((gruL_box *)lua_touserdata(L, -1))->tensor : NULL;
    if (d) dx[k] = gru_tensor_retain(d);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return GRU_OK;
}

static gru_tensor **tensors(lua_State *L, const char *what, int idx, int n);

/* core.record(output, inputs, rule): rule(grad) -> table of gradients, by input */
static int record(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_tensor *output = gruL_check(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  int n = (int)lua_rawlen(L, 2);
  gru_tensor **inputs = tensors(L, "Function: input", 2, n);
  lua_hook *rule = malloc(sizeof *rule);
  if (!rule) return luaL_error(L, "Function: out of memory");
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  lua_State *main_thread = lua_tothread(L, -1);
  lua_pushvalue(L, 3);
  *rule = (lua_hook){main_thread, s, luaL_ref(L, LUA_REGISTRYINDEX)};
  gruL_enter(L, s);
  gru_status status = gru_tensor_record(output, n, inputs, run_rule, release_hook, rule);
  return status == GRU_OK ? 0 : gruL_raise(L, s, status);
}

/* ---- backward --------------------------------------------------------------------------------- */

static int flag(lua_State *L, int options, const char *name, int bit) {
  lua_getfield(L, options, name);
  int set = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return set ? bit : 0;
}

static int read_flags(lua_State *L, const char *name, int options) {
  static const char *const known[] = {"retain_graph", "create_graph", "allow_unused"};
  if (lua_isnoneornil(L, options)) return 0;
  luaL_checktype(L, options, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, options); lua_pop(L, 1)) {
    bool found = false;
    for (size_t i = 0; i < sizeof known / sizeof *known && !found; i++)
      found = lua_type(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -2), known[i]) == 0;
    if (!found)
      return luaL_error(
          L, "%s: unknown option '%s'; there are: retain_graph, create_graph, allow_unused", name,
          luaL_tolstring(L, -2, NULL));
  }
  return flag(L, options, "retain_graph", GRU_RETAIN_GRAPH) |
         flag(L, options, "create_graph", GRU_CREATE_GRAPH) |
         flag(L, options, "allow_unused", GRU_ALLOW_UNUSED);
}

/* x:backward([gradient] [, {retain_graph=, create_graph=}]) */
static int backward(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_tensor *t = gruL_check(L, 1), *grad = NULL;
  int options = 2;
  gruL_at_most(L, 3);
  if (lua_isnil(L, 2) || gruL_test(L, 2)) {
    grad = gruL_test(L, 2);
    options = 3;
  }
  int flags = read_flags(L, "backward", options);
  gruL_enter(L, s);
  lua_State *outer = s->caller;
  s->caller = L;
  gru_status status = gru_backward(s->rt, 1, &t, &grad, flags);
  s->caller = outer;
  return status == GRU_OK ? 0 : gruL_raise(L, s, status);
}

/* The tensors of the table at `idx`, in a userdata pushed on the stack; nil or false gives NULL. */
static gru_tensor **tensors(lua_State *L, const char *what, int idx, int n) {
  gru_tensor **list = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *list, 0);
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, idx, i + 1);
    list[i] = gruL_test(L, lua_gettop(L));
    if (!list[i] && lua_toboolean(L, -1))
      luaL_error(L, "%s %d: tensor expected, got %s", what, i + 1, luaL_typename(L, -1));
    lua_pop(L, 1);
  }
  return list;
}

/* core.grad(outputs, inputs, grad_outputs | nil, options | nil) -> table of results; false for an
** unused input */
static int grad(lua_State *L) {
  gruL_state *s = gruL_self(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 4);
  int n = (int)lua_rawlen(L, 1), ninputs = (int)lua_rawlen(L, 2);
  int flags = read_flags(L, "grad", 4);
  gru_tensor **outputs = tensors(L, "grad: output", 1, n), **grads = NULL;
  gru_tensor **inputs = tensors(L, "grad: input", 2, ninputs);
  if (n == 0) return luaL_error(L, "grad: no outputs");
  if (!lua_isnil(L, 3)) {
    luaL_checktype(L, 3, LUA_TTABLE);
    grads = tensors(L, "grad: grad_outputs", 3, n);
  }
  for (int i = 0; i < n; i++)
    if (!outputs[i]) return luaL_error(L, "grad: output %d is not a tensor", i + 1);
  for (int i = 0; i < ninputs; i++)
    if (!inputs[i]) return luaL_error(L, "grad: input %d is not a tensor", i + 1);
  gru_tensor **results = lua_newuserdatauv(L, ((size_t)ninputs + 1) * sizeof *results, 0);
  lua_createtable(L, ninputs, 0);
  int table = lua_gettop(L);
  for (int i = 0; i < ninputs; i++) { /* boxes first */
    gruL_newbox(L);
    lua_rawseti(L, table, i + 1);
  }
  gruL_enter(L, s);
  lua_State *outer = s->caller;
  s->caller = L;
  gru_status status = gru_grad(s->rt, n, outputs, grads, ninputs, inputs, results, flags);
  s->caller = outer;
  if (status != GRU_OK) return gruL_raise(L, s, status);
  for (int i = 0; i < ninputs; i++) {
    lua_rawgeti(L, table, i + 1);
    if (results[i]) gruL_fill(lua_touserdata(L, -1), results[i]);
    lua_pop(L, 1);
    if (results[i]) continue;
    lua_pushboolean(L, 0);
    lua_rawseti(L, table, i + 1);
  }
  return 1;
}

static int detach(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_tensor *t = gruL_check(L, 1), *out;
  gruL_at_most(L, 1);
  gruL_box *box = gruL_newbox(L);
  gru_status status = gru_tensor_detach(t, &out);
  if (status != GRU_OK) return gruL_raise(L, s, status);
  gruL_fill(box, out);
  return 1;
}

/* core.set_data(x, y): x stands for y's elements from now on */
static int set_data(lua_State *L) {
  gru_status status = gru_tensor_set_data(gruL_check(L, 1), gruL_check(L, 2));
  return status == GRU_OK ? 0 : gruL_raise(L, gruL_self(L), status);
}

static int requires_grad_(lua_State *L) {
  gruL_at_most(L, 2);
  gru_tensor *t = gruL_check(L, 1);
  if (!lua_isnoneornil(L, 2) && !lua_isboolean(L, 2)) gruL_expected(L, 2, "boolean");
  int on = lua_isnoneornil(L, 2) ? 1 : lua_toboolean(L, 2);
  gru_status status = gru_tensor_set_requires_grad(t, on);
  if (status != GRU_OK) return gruL_raise(L, gruL_self(L), status);
  lua_settop(L, 1);
  return 1;
}

static int retain_grad(lua_State *L) {
  gruL_at_most(L, 1);
  gru_status status = gru_tensor_retain_grad(gruL_check(L, 1));
  return status == GRU_OK ? 0 : gruL_raise(L, gruL_self(L), status);
}

/* core.set_grad_enabled(mode) -> the old mode, of this coroutine */
static int set_grad_enabled(lua_State *L) {
  gruL_state *s = gruL_self(L);
  luaL_checktype(L, 1, LUA_TBOOLEAN);
  gruL_enter(L, s);
  lua_pushboolean(L, gru_set_grad_enabled(s->rt, lua_toboolean(L, 1)));
  return 1;
}

static int is_grad_enabled(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gruL_enter(L, s);
  lua_pushboolean(L, gru_grad_enabled(s->rt));
  return 1;
}

void gruL_open_autograd(lua_State *L) {
  static const luaL_Reg functions[] = {{"grad", grad},
                                       {"set_data", set_data},
                                       {"record", record},
                                       {"set_grad_enabled", set_grad_enabled},
                                       {"is_grad_enabled", is_grad_enabled},
                                       {NULL, NULL}};
  static const luaL_Reg methods[] = {{"backward", backward},
                                     {"detach", detach},
                                     {"requires_grad_", requires_grad_},
                                     {"retain_grad", retain_grad},
                                     {"register_hook", register_hook},
                                     {"remove_hook", remove_hook},
                                     {NULL, NULL}};
  gruL_register(L, functions);
  lua_getfield(L, -1, "methods");
  gruL_register(L, methods);
  lua_pop(L, 1);
}

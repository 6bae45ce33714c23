/* graph.c - graphs for lua/gru/graph, which knows when to capture and when to run. */
#include <stdio.h>

#include "binding.h"

static const char graph_name[] = "gru.Graph";

typedef struct graph_box {
  gru_graph *graph; /* NULL until it is filled, and once it is freed */
} graph_box;

static gru_graph *check_graph(lua_State *L) {
  graph_box *box = luaL_checkudata(L, 1, graph_name);
  if (!box->graph) luaL_error(L, "graph: it has been freed");
  return box->graph;
}

static int finish(lua_State *L, gru_status status) {
  return status == GRU_OK ? 0 : gruL_raise(L, gruL_self(L), status);
}

/* core.graph_begin(device) */
static int graph_begin(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gruL_enter(L, s);
  return finish(L, gru_graph_begin(s->rt, luaL_checkstring(L, 1)));
}

/* core.graph_end() -> graph */
static int graph_end(lua_State *L) {
  graph_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->graph = NULL;
  luaL_setmetatable(L, graph_name);
  gru_status status = gru_graph_end(gruL_self(L)->rt, &box->graph);
  return status == GRU_OK ? 1 : gruL_raise(L, gruL_self(L), status);
}

/* core.graph_cancel() */
static int graph_cancel(lua_State *L) {
  gru_graph_cancel(gruL_self(L)->rt);
  return 0;
}

/* core.graph_capturing() -> boolean */
static int graph_capturing(lua_State *L) {
  lua_pushboolean(L, gru_graph_is_capturing(gruL_self(L)->rt));
  return 1;
}

/* core.graph_look(graph) -> "ready", "other" or "stale", as gru_graph_look has it */
static int graph_look(lua_State *L) {
  static const char *const names[] = {"ready", "other", "stale"};
  lua_pushstring(L, names[gru_graph_look(check_graph(L))]);
  return 1;
}

/* core.graph_run(graph) */
static int graph_run(lua_State *L) {
  gru_graph *graph = check_graph(L);
  gruL_enter(L, gruL_self(L));
  return finish(L, gru_graph_run(graph));
}

/* core.graph_free(graph) */
static int graph_free(lua_State *L) {
  graph_box *box = luaL_checkudata(L, 1, graph_name);
  gru_graph *graph = box->graph;
  box->graph = NULL;
  gru_graph_free(graph);
  return 0;
}

/* core.graph_nodes(graph) -> integer */
static int graph_nodes(lua_State *L) {
  lua_pushinteger(L, gru_graph_nodes(check_graph(L)));
  return 1;
}

/* core.graph_steps() -> how many steps of optimisers have been captured */
static int graph_steps(lua_State *L) {
  lua_pushinteger(L, gru_graph_steps(gruL_self(L)->rt));
  return 1;
}

/* The integers of the table at `idx`, in a userdata pushed on the stack. */
static int64_t *steps_at(lua_State *L, int idx, int64_t *n) {
  luaL_checktype(L, idx, LUA_TTABLE);
  *n = (int64_t)lua_rawlen(L, idx);
  int64_t *steps = lua_newuserdatauv(L, (size_t)*n * sizeof *steps + 1, 0);
  for (int64_t i = 0; i < *n; i++) {
    lua_rawgeti(L, idx, i + 1);
    steps[i] = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
  }
  return steps;
}

/* core.graph_set_sgd(graph, number, steps, options) */
static int graph_set_sgd(lua_State *L) {
  int64_t n, number = luaL_checkinteger(L, 2), *steps = steps_at(L, 3, &n);
  gru_sgd_options options = gruL_sgd_options(L, 4);
  return finish(L, gru_graph_set_sgd(check_graph(L), number, n, steps, &options));
}

/* core.graph_set_adam(graph, number, steps, options) */
static int graph_set_adam(lua_State *L) {
  int64_t n, number = luaL_checkinteger(L, 2), *steps = steps_at(L, 3, &n);
  gru_adam_options options = gruL_adam_options(L, 4);
  return finish(L, gru_graph_set_adam(check_graph(L), number, n, steps, &options));
}

/* core.graph_rehearse(device) */
static int graph_rehearse(lua_State *L) {
  return finish(L, gru_graph_rehearse(gruL_self(L)->rt, luaL_checkstring(L, 1)));
}

/* core.graph_rehearsed() -> what could not be captured, or nil */
static int graph_rehearsed(lua_State *L) {
  lua_pushstring(L, gru_graph_rehearsed(gruL_self(L)->rt));
  return 1;
}

/* core.graph_refuse(reason): raises it while a step is captured, notes it in a rehearsal. */
static int graph_refuse(lua_State *L) {
  return finish(L, gru_graph_refuse(gruL_self(L)->rt, luaL_checkstring(L, 1)));
}

/* core.tensor_key(x) -> dtype, shape and device in one string */
static int tensor_key(lua_State *L) {
  gru_tensor *t = gruL_check(L, 1);
  char key[GRU_MAX_DIMS * 21 + 64];
  size_t n = (size_t)snprintf(key, sizeof key, "%s", gru_dtype_name(gru_tensor_dtype(t)));
  for (int d = 0; d < gru_tensor_ndim(t); d++)
    n += (size_t)snprintf(key + n, sizeof key - n, ",%lld", (long long)gru_tensor_shape(t)[d]);
  n += (size_t)snprintf(key + n, sizeof key - n, ";%.32s", gru_tensor_device(t));
  lua_pushlstring(L, key, n);
  return 1;
}

/* core.shares_memory(a, b) -> boolean */
static int shares_memory(lua_State *L) {
  lua_pushboolean(L, gru_tensor_shares_memory(gruL_check(L, 1), gruL_check(L, 2)));
  return 1;
}

void gruL_open_graph(lua_State *L) {
  static const luaL_Reg functions[] = {{"graph_begin", graph_begin},
                                       {"graph_end", graph_end},
                                       {"graph_cancel", graph_cancel},
                                       {"graph_capturing", graph_capturing},
                                       {"graph_look", graph_look},
                                       {"graph_run", graph_run},
                                       {"graph_free", graph_free},
                                       {"graph_nodes", graph_nodes},
                                       {"graph_steps", graph_steps},
                                       {"graph_set_sgd", graph_set_sgd},
                                       {"graph_set_adam", graph_set_adam},
                                       {"graph_rehearse", graph_rehearse},
                                       {"graph_rehearsed", graph_rehearsed},
                                       {"graph_refuse", graph_refuse},
                                       {"tensor_key", tensor_key},
                                       {"shares_memory", shares_memory},
                                       {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", graph_free}, {NULL, NULL}};
  gruL_register(L, functions);
  luaL_newmetatable(L, graph_name);
  gruL_register(L, metamethods);
  lua_pop(L, 1);
}

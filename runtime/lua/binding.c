/* binding.c - state, errors, grad mode by coroutine, and the collector's view of tensor memory. */
#include "binding.h"

#include <string.h>

static const char registry_state; /* its address is the key of the state */
static const char registry_modes; /* weak table: coroutine -> its grad mode */
static const char registry_current;

enum {
  KB = 1 << 10,
  MB = 1 << 20,
  YOUNG_BYTES = MB,
  FLOOR_BYTES = 16 * MB,
  SMALL_TENSOR = 4 * KB,
  OBJECT_BYTES = 512, /* of a tensor, its storage and its box, roughly */
  LIBRARY_HEAP = MB,  /* this library and a vocabulary, roughly */
  LEAST_YOUNG = 192 * KB
};

void gruL_register(lua_State *L, const luaL_Reg *list) {
  lua_getfield(L, LUA_REGISTRYINDEX, "gru.upvalues"); /* {state, metatable} */
  int upvalues = lua_gettop(L);
  for (; list->name; list++) {
    lua_rawgeti(L, upvalues, GRUL_UP_STATE);
    lua_rawgeti(L, upvalues, GRUL_UP_META);
    lua_pushcclosure(L, list->func, 2);
    lua_setfield(L, upvalues - 1, list->name);
  }
  lua_settop(L, upvalues - 1);
}

int gruL_raise(lua_State *L, gruL_state *s, gru_status status) {
  if (status == GRU_ERROR_CALLBACK) { /* the hook's own error value, unchanged */
    lua_getfield(L, LUA_REGISTRYINDEX, "gru.error");
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "gru.error");
    return lua_error(L);
  }
  return luaL_error(L, "%s", gru_runtime_error(s->rt));
}

/* ---- grad mode --------------------------------------------------------------------------- */

/* Another coroutine runs: stores the mode of the last one and takes up its own.  One that is
** seen for the first time inherits. */
static void switch_coroutine(lua_State *L, gruL_state *s) {
  luaL_checkstack(L, 4, "grad mode");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_modes);
  if (s->current) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_current);
    lua_pushboolean(L, gru_grad_enabled(s->rt));
    lua_rawset(L, -3);
  }
  lua_pushthread(L);
  if (lua_rawget(L, -2) == LUA_TBOOLEAN) gru_set_grad_enabled(s->rt, lua_toboolean(L, -1));
  lua_pop(L, 2);
  lua_pushthread(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_current);
  s->current = L;
}

void gruL_return_to(lua_State *L, gruL_state *s, int mode) {
  if (s->current != L) {
    lua_pushthread(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_current);
    s->current = L;
  }
  gru_set_grad_enabled(s->rt, mode);
}

/* ---- the collector -------------------------------------------------------------------------- */

static size_t heap_bytes(lua_State *L) { return (size_t)lua_gc(L, LUA_GCCOUNT) * 1024; }

/* Notes what there is behind a collection. */
static void begin_anew(lua_State *L, gruL_state *s) {
  size_t heap = heap_bytes(L), most = heap > LIBRARY_HEAP ? 2 * (heap - LIBRARY_HEAP) : 0;
  s->swept = gru_memory_taken(s->rt);
  s->calls = 0;
  s->most_young = most > LEAST_YOUNG ? most : LEAST_YOUNG;
}

static void collect(lua_State *L, gruL_state *s) {
  lua_gc(L, LUA_GCCOLLECT);
  s->base = gru_memory_live(s->rt);
  begin_anew(L, s);
}

/* A step of the collector: where it is generational, as in gru-lua, it ends all young objects that
** nothing names any more, among them what an expression made on its way.  Their memory is used again
** while the caches still have it, for less than it costs to write to other memory. */
static void collect_young(lua_State *L, gruL_state *s) {
  if (lua_gc(L, LUA_GCISRUNNING)) lua_gc(L, LUA_GCSTEP, 0);
  begin_anew(L, s);
}

/* Are there so many young objects that a step pays?  Small tensors and their boxes should go round within
** the second level of the caches, a few hundred KB.  A step costs what it frees, and a walk through every
** table that was changed: waiting for twice the script's own heap keeps that walk to a few hundredths of
** the time, also where one table is all of the heap.  Large tensors fill the caches in any case, and many
** are named until a backward is over: with every step that they see they grow older, and what is old waits
** for a collection of everything.  They are left alone until there is a MB of them. */
static bool is_young_due(lua_State *L, const gruL_state *s) {
  uint64_t taken = gru_memory_taken(s->rt) - s->swept;
  if (taken < SMALL_TENSOR * s->calls) return taken + OBJECT_BYTES * s->calls > s->most_young;
  return taken > YOUNG_BYTES && taken > heap_bytes(L);
}

/* Lua sees a tensor as a few bytes; this sees its memory.  Collects all when half as much again lives
** as after the last time, with a floor that keeps small programs undisturbed and a share of the Lua
** heap that keeps collections of a large heap rare.  What lived then stays the measure when less does
** now: a training step that fills its tape anew is no reason to collect. */
static void account(lua_State *L, gruL_state *s) {
  if (gru_graph_is_capturing(s->rt)) return; /* lua/gru/graph stops the collector, too */
  s->calls++;
  if (is_young_due(L, s)) collect_young(L, s);
  size_t live = gru_memory_live(s->rt);
  size_t grown = live > s->base ? live - s->base : 0;
  if (grown > FLOOR_BYTES && grown > s->base / 2 && grown > 4 * heap_bytes(L)) collect(L, s);
}

/* The name of a chunk, kept as long as the state: nodes of the tape point to it. */
static const char *keep_name(lua_State *L, const char *name) {
  lua_getfield(L, LUA_REGISTRYINDEX, "gru.chunks"); /* name -> a userdata that holds it */
  if (lua_getfield(L, -1, name) == LUA_TNIL) {
    size_t bytes = strlen(name) + 1;
    lua_pop(L, 1);
    memcpy(lua_newuserdatauv(L, bytes, 0), name, bytes);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
  }
  const char *kept = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return kept;
}

/* Tells the core which line calls: only needed where the tape records, or a profile runs. */
static void note_origin(lua_State *L, gruL_state *s) {
  lua_Debug where;
  if (s->profile) {
    if (!gruL_profile_find_line(L, s->profile, &where)) {
      gru_set_origin(s->rt, NULL, 0);
      return;
    }
  } else {
    if (!gru_grad_enabled(s->rt) || !lua_getstack(L, 1, &where)) return;
    lua_getinfo(L, "Sl", &where);
  }
  if (where.source != s->source) {
    luaL_checkstack(L, 6, "origin");
    s->chunk = keep_name(L, where.short_src);
    s->source = where.source;
  }
  gru_set_origin(s->rt, where.currentline > 0 ? s->chunk : NULL, where.currentline);
}

void gruL_enter(lua_State *L, gruL_state *s) {
  if (s->current != L) switch_coroutine(L, s);
  note_origin(L, s);
  account(L, s);
}

bool gruL_recover(lua_State *L, gruL_state *s, gru_status status, int *tries) {
  if (status != GRU_ERROR_MEMORY || (*tries)++ > 0 || gru_graph_is_capturing(s->rt)) return false;
  collect(L, s);
  gru_empty_cache(s->rt);
  return true;
}

/* ---- life ---------------------------------------------------------------------------------------- */

static int close_state(lua_State *L) {
  gruL_state *s = lua_touserdata(L, 1);
  gru_runtime_destroy(s->rt);
  s->rt = NULL;
  return 0;
}

void gruL_configure(lua_State *L, const gruL_options *options) {
  gruL_options *copy = lua_newuserdatauv(L, sizeof *copy, 0);
  *copy = *options;
  lua_setfield(L, LUA_REGISTRYINDEX, "gru.options");
}

static gruL_state *find_state(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_state);
  gruL_state *s = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return s;
}

gru_runtime *gruL_runtime(lua_State *L) {
  gruL_state *s = find_state(L);
  return s ? s->rt : NULL;
}

/* Warnings of the core go to Lua's. */
static void warn(void *context, const char *line) {
  lua_State *L = context;
  lua_warning(L, "gru: ", 1);
  lua_warning(L, line, 0);
}

static void start_runtime(lua_State *L, gruL_state *s) {
  gruL_options options = {.device = "cpu"};
  lua_getfield(L, LUA_REGISTRYINDEX, "gru.options");
  if (lua_isuserdata(L, -1)) options = *(gruL_options *)lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (!options.runtime.log) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    options.runtime.log = warn;
    options.runtime.log_context = lua_tothread(L, -1);
    lua_pop(L, 1);
  }
  gru_status status = gru_runtime_create(&options.runtime, &s->rt);
  if (status != GRU_OK)
    luaL_error(L, "gru: cannot start the runtime (%s)", gru_status_name(status));
  if (options.has_seed) gru_seed(s->rt, options.seed, GRU_PHILOX);
  const char *device = options.device ? options.device : "cpu";
  if (gru_device_check(s->rt, device) != GRU_OK) gruL_raise(L, s, GRU_ERROR_DEVICE);
  size_t length = strlen(device);
  memcpy(s->device, device, length < sizeof s->device ? length + 1 : 0);
}

static void make_state(lua_State *L) {
  gruL_state *s = lua_newuserdatauv(L, sizeof *s, 0);
  memset(s, 0, sizeof *s);
  s->dtype = GRU_FLOAT32;
  s->most_young = LEAST_YOUNG;
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, close_state);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  start_runtime(L, s);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_state);
  lua_newtable(L); /* modes */
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_modes);
  lua_newtable(L);
  lua_setfield(L, LUA_REGISTRYINDEX, "gru.chunks");
  lua_createtable(L, 2, 0); /* upvalues of every function */
  lua_pushlightuserdata(L, s);
  lua_rawseti(L, -2, GRUL_UP_STATE);
  luaL_newmetatable(L, "gru.Tensor");
  lua_rawseti(L, -2, GRUL_UP_META);
  lua_setfield(L, LUA_REGISTRYINDEX, "gru.upvalues");
}

int luaopen_gru_core(lua_State *L) {
  luaL_checkversion(L);
  if (!find_state(L)) make_state(L);
  lua_newtable(L);
  gruL_open_tensor(L);
  gruL_open_ops(L);
  gruL_open_layers(L);
  gruL_open_create(L);
  gruL_open_elements(L);
  gruL_open_autograd(L);
  gruL_open_runtime(L);
  gruL_open_text(L);
  gruL_open_files(L);
  gruL_open_scope(L);
  gruL_open_step(L);
  gruL_open_graph(L);
  gruL_open_profile(L);
  lua_pushliteral(L, GRU_VERSION);
  lua_setfield(L, -2, "version");
  return 1;
}

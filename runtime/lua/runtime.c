/* runtime.c - seeds, threads, devices, memory. */
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "binding.h"

/* gru.manual_seed(seed [, "philox" | "torch"]) */
static int manual_seed(lua_State *L) {
  gruL_at_most(L, 2);
  static const char *const kinds[] = {"philox", "torch", NULL};
  lua_Integer seed = luaL_checkinteger(L, 1);
  gru_seed(gruL_self(L)->rt, (uint64_t)seed,
           (gru_generator)luaL_checkoption(L, 2, "philox", kinds));
  return 0;
}

/* gru.get_rng_state() -> int64 tensor */
static int get_rng_state(lua_State *L) {
  gruL_at_most(L, 0);
  gruL_state *s = gruL_self(L);
  gru_tensor *t = NULL;
  int tries = 0;
  gruL_enter(L, s);
  gruL_box *box = gruL_newbox(L);
  gru_status status;
  do {
    status = gru_get_rng_state(s->rt, &t);
  } while (gruL_recover(L, s, status, &tries));
  if (status != GRU_OK) return gruL_raise(L, s, status);
  gruL_fill(box, t);
  return 1;
}

/* gru.set_rng_state(state) */
static int set_rng_state(lua_State *L) {
  gruL_at_most(L, 1);
  gruL_state *s = gruL_self(L);
  gru_status status = gru_set_rng_state(s->rt, gruL_check(L, 1));
  return status == GRU_OK ? 0 : gruL_raise(L, s, status);
}

static int set_num_threads(lua_State *L) {
  gruL_at_most(L, 1);
  gruL_state *s = gruL_self(L);
  lua_Integer n = luaL_checkinteger(L, 1);
  if (n < 1 || n > INT_MAX)
    return luaL_error(L, "set_num_threads: expected 1 to 256, got %I", (LUAI_UACINT)n);
  gru_status status = gru_set_threads(s->rt, (int)n);
  return status == GRU_OK ? 0 : gruL_raise(L, s, status);
}

static int get_num_threads(lua_State *L) {
  gruL_at_most(L, 0);
  lua_pushinteger(L, gru_get_threads(gruL_self(L)->rt));
  return 1;
}

/* core.device_check(name) -> true, or nil and the reason */
static int device_check(lua_State *L) {
  gruL_state *s = gruL_self(L);
  if (gru_device_check(s->rt, luaL_checkstring(L, 1)) == GRU_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, gru_runtime_error(s->rt));
  return 2;
}

/* core.device_count(kind) -> how many; 0 and the reason where there are none */
static int device_count(lua_State *L) {
  gruL_state *s = gruL_self(L);
  int count;
  if (gru_device_count(s->rt, luaL_checkstring(L, 1), &count) == GRU_OK) {
    lua_pushinteger(L, count);
    return 1;
  }
  lua_pushinteger(L, 0);
  lua_pushstring(L, gru_runtime_error(s->rt));
  return 2;
}

static void set_integer(lua_State *L, const char *name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

/* 13010 is "13.1" */
static void set_version(lua_State *L, const char *name, int version) {
  lua_pushfstring(L, "%d.%d", version / 1000, version % 1000 / 10);
  lua_setfield(L, -2, name);
}

/* core.device_properties(name) -> a table, or nil and the reason */
static int device_properties(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_properties p;
  if (gru_device_properties(s->rt, luaL_checkstring(L, 1), &p) != GRU_OK) {
    lua_pushnil(L);
    lua_pushstring(L, gru_runtime_error(s->rt));
    return 2;
  }
  lua_createtable(L, 0, 8);
  lua_pushstring(L, p.name);
  lua_setfield(L, -2, "name");
  set_integer(L, "major", p.major);
  set_integer(L, "minor", p.minor);
  set_integer(L, "multi_processor_count", p.multiprocessors);
  set_integer(L, "total_memory", (lua_Integer)p.total_memory);
  set_integer(L, "free_memory", (lua_Integer)p.free_memory);
  set_version(L, "runtime_version", p.runtime_version);
  set_version(L, "driver_version", p.driver_version);
  return 1;
}

/* core.synchronize(name) */
static int synchronize(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_status status = gru_synchronize(s->rt, luaL_checkstring(L, 1));
  return status == GRU_OK ? 0 : gruL_raise(L, s, status);
}

static int set_default_device(lua_State *L) {
  gruL_at_most(L, 1);
  gruL_state *s = gruL_self(L);
  size_t length;
  const char *name = luaL_checklstring(L, 1, &length);
  gru_status status = gru_device_check(s->rt, name);
  if (status != GRU_OK) return luaL_error(L, "set_default_device: %s", gru_runtime_error(s->rt));
  if (length < sizeof s->device) memcpy(s->device, name, length + 1);
  return 0;
}

static int get_default_device(lua_State *L) {
  lua_pushstring(L, gruL_self(L)->device);
  return 1;
}

static int set_default_dtype(lua_State *L) {
  gruL_at_most(L, 1);
  gruL_state *s = gruL_self(L);
  gru_dtype dtype = gruL_dtype(L, 1);
  gru_status status = gru_set_default_dtype(s->rt, dtype);
  if (status != GRU_OK) return gruL_raise(L, s, status);
  s->dtype = dtype;
  return 0;
}

static int get_default_dtype(lua_State *L) {
  lua_pushstring(L, gru_dtype_name(gruL_self(L)->dtype));
  return 1;
}

/* gru.precision(["fp32" | "tf32"]) -> the one that holds from here on */
static int precision(lua_State *L) {
  gruL_at_most(L, 1);
  static const char *const names[] = {"fp32", "tf32", NULL}; /* in the order of gru_precision */
  gruL_state *s = gruL_self(L);
  if (!lua_isnoneornil(L, 1)) {
    gru_status status =
        gru_set_precision(s->rt, (gru_precision)luaL_checkoption(L, 1, NULL, names));
    if (status != GRU_OK) return gruL_raise(L, s, status);
  }
  lua_pushstring(L, names[gru_get_precision(s->rt)]);
  return 1;
}

/* core.explain(op, variant, device, dtype, steps, batch, hidden) -> text */
static int explain(lua_State *L) {
  char text[512];
  gruL_state *s = gruL_self(L);
  const char *op = luaL_checkstring(L, 1), *device = luaL_checkstring(L, 3);
  gru_layer layer = {.variant = (int32_t)luaL_checkinteger(L, 2),
                     .dtype = gruL_dtype(L, 4),
                     .steps = luaL_checkinteger(L, 5),
                     .batch = luaL_checkinteger(L, 6),
                     .hidden = luaL_checkinteger(L, 7)};
  gru_status status =
      gru_explain(s->rt, device, (gru_op)gru_op_find(op), &layer, text, sizeof text);
  if (status != GRU_OK) return gruL_raise(L, s, status);
  lua_pushstring(L, text);
  return 1;
}

/* gru.memory([device]) -> {live=, peak=, reserved=, limit=}, in bytes */
static int memory(lua_State *L) {
  gruL_at_most(L, 1);
  gruL_state *s = gruL_self(L);
  gru_memory_info info;
  gru_status status = gru_memory(s->rt, gruL_device(L, s, 1), &info);
  if (status != GRU_OK) return luaL_error(L, "memory: %s", gru_runtime_error(s->rt));
  lua_createtable(L, 0, 4);
  set_integer(L, "live", (lua_Integer)info.live);
  set_integer(L, "peak", (lua_Integer)info.peak);
  set_integer(L, "reserved", (lua_Integer)info.reserved);
  set_integer(L, "limit", (lua_Integer)info.limit);
  return 1;
}

/* gru.reset_peak_memory([device]) */
static int reset_peak_memory(lua_State *L) {
  gruL_at_most(L, 1);
  gruL_state *s = gruL_self(L);
  gru_status status = gru_reset_peak(s->rt, gruL_device(L, s, 1));
  if (status != GRU_OK) return luaL_error(L, "reset_peak_memory: %s", gru_runtime_error(s->rt));
  return 0;
}

static int empty_cache(lua_State *L) {
  gruL_at_most(L, 0);
  gru_empty_cache(gruL_self(L)->rt);
  return 0;
}

/* core.clock() -> seconds that pass, from an arbitrary start */
static int monotonic_clock(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (lua_Number)now.tv_sec + 1e-9 * (lua_Number)now.tv_nsec);
  return 1;
}

/* core.is_terminal(file) -> does what is written to the file go to a terminal? */
static int is_terminal(lua_State *L) {
  luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  lua_pushboolean(L, stream->closef != NULL && isatty(fileno(stream->f)));
  return 1;
}

/* core.parameters(f) -> how many arguments a Lua function names; nil where it takes any number, or
** is not Lua. */
static int parameters(lua_State *L) {
  lua_Debug f;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_getinfo(L, ">Su", &f);
  if (*f.what == 'C' || f.isvararg)
    lua_pushnil(L);
  else
    lua_pushinteger(L, f.nparams);
  return 1;
}

/* core.op_names() -> {{name=, inputs=, elementwise=, differentiable=}, ...}: the rows of ops.def */
static int op_names(lua_State *L) {
  lua_newtable(L);
  for (int op = 0, n = 0; op < GRU_OP_COUNT_; op++) {
    if (!gru_op_name((gru_op)op)) continue;
    lua_createtable(L, 0, 4);
    lua_pushstring(L, gru_op_name((gru_op)op));
    lua_setfield(L, -2, "name");
    lua_pushinteger(L, gru_op_inputs((gru_op)op));
    lua_setfield(L, -2, "inputs");
    lua_pushboolean(L, gru_op_is_elementwise((gru_op)op));
    lua_setfield(L, -2, "elementwise");
    lua_pushboolean(L, gru_op_is_differentiable((gru_op)op));
    lua_setfield(L, -2, "differentiable");
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

void gruL_open_runtime(lua_State *L) {
  static const luaL_Reg functions[] = {{"manual_seed", manual_seed},
                                       {"get_rng_state", get_rng_state},
                                       {"set_rng_state", set_rng_state},
                                       {"is_terminal", is_terminal},
                                       {"set_num_threads", set_num_threads},
                                       {"get_num_threads", get_num_threads},
                                       {"device_check", device_check},
                                       {"device_count", device_count},
                                       {"device_properties", device_properties},
                                       {"synchronize", synchronize},
                                       {"set_default_device", set_default_device},
                                       {"get_default_device", get_default_device},
                                       {"set_default_dtype", set_default_dtype},
                                       {"get_default_dtype", get_default_dtype},
                                       {"precision", precision},
                                       {"explain", explain},
                                       {"memory", memory},
                                       {"reset_peak_memory", reset_peak_memory},
                                       {"empty_cache", empty_cache},
                                       {"clock", monotonic_clock},
                                       {"op_names", op_names},
                                       {"parameters", parameters},
                                       {NULL, NULL}};
  gruL_register(L, functions);
}

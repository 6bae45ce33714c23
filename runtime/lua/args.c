/* args.c - checking arguments, and saying what was wrong with them. */
#include <stdio.h>
#include <string.h>

#include "binding.h"

static gruL_box *test_box(lua_State *L, int idx) {
  if (lua_type(L, idx) != LUA_TUSERDATA || !lua_getmetatable(L, idx)) return NULL;
  int same = lua_rawequal(L, -1, lua_upvalueindex(GRUL_UP_META));
  lua_pop(L, 1);
  return same ? lua_touserdata(L, idx) : NULL;
}

gru_tensor *gruL_test(lua_State *L, int idx) {
  gruL_box *box = test_box(L, idx);
  if (box && !box->tensor) luaL_argerror(L, idx, "the tensor has been released by gru.scope");
  return box ? box->tensor : NULL;
}

const char *gruL_typename(lua_State *L, int idx) {
  if (test_box(L, idx)) return "tensor";
  return lua_isnoneornil(L, idx) ? "nothing" : luaL_typename(L, idx);
}

/* The name of the running function as its caller knows it; where that is no Lua code (a
** metamethod of strings, pcall), the op that it is. */
static const char *function_name(lua_State *L, bool *known) {
  lua_Debug self;
  *known = lua_getstack(L, 0, &self) && lua_getinfo(L, "n", &self) && self.name;
  if (*known) return self.name;
  int own = lua_upvalueindex(GRUL_UP_OWN);
  return lua_isinteger(L, own) ? gru_op_name((gru_op)lua_tointeger(L, own)) : NULL;
}

int gruL_expected(lua_State *L, int idx, const char *what) {
  const char *got = gruL_typename(L, idx);
  bool known;
  const char *name = function_name(L, &known);
  if (name && !known)
    return luaL_error(L, "bad argument #%d to '%s' (%s expected, got %s)", idx, name, what, got);
  return luaL_argerror(L, idx, lua_pushfstring(L, "%s expected, got %s", what, got));
}

gru_tensor *gruL_check(lua_State *L, int idx) {
  gru_tensor *t = gruL_test(L, idx);
  if (!t) gruL_expected(L, idx, "tensor");
  return t;
}

static int64_t to_dim(lua_State *L, int arg, int64_t value, const char *what) {
  if (value == 0)
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "%s counts from 1, or from -1 backwards, got 0", what));
  return value > 0 ? value - 1 : value;
}

int64_t gruL_dim(lua_State *L, int idx, const char *what) {
  int is_integer;
  int64_t value = lua_tointegerx(L, idx, &is_integer);
  if (!is_integer || lua_type(L, idx) != LUA_TNUMBER) {
    char text[64]; /* not on the stack, where it would stand in for a missing argument */
    snprintf(text, sizeof text, "%s (an integer)", what);
    gruL_expected(L, idx, text);
  }
  return to_dim(L, idx, value, what);
}

void gruL_at_most(lua_State *L, int n) {
  if (lua_gettop(L) <= n) return;
  int given = lua_gettop(L);
  bool known;
  const char *name = function_name(L, &known);
  luaL_error(L, "%s: too many arguments: %d, at most %d expected", name ? name : "function", given,
             n);
}

/* The integer on top of the stack, popped. */
static int64_t pop_size(lua_State *L, int arg, bool dims) {
  int is_integer;
  int64_t value = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || lua_type(L, -1) != LUA_TNUMBER)
    luaL_argerror(
        L, arg,
        lua_pushfstring(L, "%s expected, got %s", dims ? "dims" : "sizes", luaL_typename(L, -1)));
  lua_pop(L, 1);
  return dims ? to_dim(L, arg, value, "dim") : value;
}

int gruL_sizes(lua_State *L, int *idx, int64_t *out, bool dims) {
  int n = 0, arg = *idx;
  if (lua_type(L, arg) == LUA_TTABLE) {
    lua_Unsigned count = lua_rawlen(L, arg);
    if (count > GRU_MAX_DIMS)
      luaL_argerror(L, arg,
                    lua_pushfstring(L, "at most %d %s, got %d", GRU_MAX_DIMS,
                                    dims ? "dims" : "sizes", (int)count));
    for (; n < (int)count; n++) {
      lua_rawgeti(L, arg, n + 1);
      out[n] = pop_size(L, arg, dims);
    }
    *idx = arg + 1;
    return n;
  }
  while (lua_type(L, arg + n) == LUA_TNUMBER) {
    if (n == GRU_MAX_DIMS)
      luaL_argerror(L, arg + n,
                    lua_pushfstring(L, "at most %d %s", GRU_MAX_DIMS, dims ? "dims" : "sizes"));
    lua_pushvalue(L, arg + n);
    out[n] = pop_size(L, arg + n, dims);
    n++;
  }
  *idx = arg + n;
  return n;
}

bool gruL_find_dtype(lua_State *L, int idx, gru_dtype *dtype) {
  static const struct {
    const char *name;
    gru_dtype dtype;
  } names[] = {{"bool", GRU_BOOL},       {"int64", GRU_INT64},   {"float32", GRU_FLOAT32},
               {"float64", GRU_FLOAT64}, {"float", GRU_FLOAT32}, {"double", GRU_FLOAT64},
               {"long", GRU_INT64}};
  const char *name = lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : NULL;
  for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i].name) == 0) {
      *dtype = names[i].dtype;
      return true;
    }
  return false;
}

gru_dtype gruL_dtype(lua_State *L, int idx) {
  gru_dtype dtype;
  if (gruL_find_dtype(L, idx, &dtype)) return dtype;
  if (lua_type(L, idx) == LUA_TSTRING)
    luaL_argerror(L, idx,
                  lua_pushfstring(L,
                                  "unknown dtype '%s'; there are float32, float64, "
                                  "int64, bool",
                                  lua_tostring(L, idx)));
  gruL_expected(L, idx, "dtype");
  return GRU_FLOAT32;
}

const char *gruL_device(lua_State *L, const gruL_state *s, int idx) {
  if (lua_isnoneornil(L, idx)) return s->device;
  const char *name = luaL_checkstring(L, idx);
  size_t n = strlen(name);
  bool is_kind = strncmp(s->device, name, n) == 0 && s->device[n] == ':';
  return is_kind ? s->device : name;
}

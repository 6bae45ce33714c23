/* elements.c - elements to and from Lua: tables, numbers, bytes. */
#include <string.h>

#include "binding.h"

/* ---- tables to tensors ----------------------------------------------------------------- */

/* The shape of a nested table, by its first elements; sets the dtype its leaves ask for. */
static int table_shape(lua_State *L, int idx, int64_t *shape) {
  int ndim = 0;
  lua_pushvalue(L, idx);
  while (lua_type(L, -1) == LUA_TTABLE) {
    if (ndim == GRU_MAX_DIMS)
      return luaL_error(L, "tensor: tables nested more than %d deep", GRU_MAX_DIMS);
    shape[ndim++] = (int64_t)lua_rawlen(L, -1);
    if (shape[ndim - 1] == 0) break;
    lua_rawgeti(L, -1, 1);
    lua_remove(L, -2);
  }
  lua_pop(L, 1);
  return ndim;
}

/* Widens *dtype to hold the leaf on top of the stack. */
static void see_leaf(lua_State *L, int *dtype, gru_dtype float_dtype) {
  int type = lua_type(L, -1), leaf;
  if (type == LUA_TBOOLEAN)
    leaf = GRU_BOOL;
  else if (type == LUA_TNUMBER)
    leaf = lua_isinteger(L, -1) ? GRU_INT64 : float_dtype;
  else {
    luaL_error(L, "tensor: an element is a %s; numbers or booleans expected", luaL_typename(L, -1));
    return;
  }
  if (leaf > *dtype) *dtype = leaf;
}

/* Walks the table on top of the stack: sees every leaf (data NULL), or writes it. */
typedef struct walk {
  int ndim, dtype;
  gru_dtype float_dtype;
  const int64_t *shape;
  char *data;
} walk;

static void write_leaf(lua_State *L, walk *w) {
  bool is_boolean = lua_type(L, -1) == LUA_TBOOLEAN;
  lua_Number f = is_boolean ? lua_toboolean(L, -1) : lua_tonumber(L, -1);
  switch ((gru_dtype)w->dtype) {
    case GRU_BOOL: *(uint8_t *)w->data = f != 0; break;
    case GRU_INT64: {
      int64_t i = is_boolean ? lua_toboolean(L, -1) : lua_tointeger(L, -1);
      if (!is_boolean && !lua_isinteger(L, -1))
        i = (f >= -9.2e18 && f <= 9.2e18) ? (int64_t)f : INT64_MIN;
      memcpy(w->data, &i, sizeof i);
      break;
    }
    case GRU_FLOAT32: {
      float v = (float)f;
      memcpy(w->data, &v, sizeof v);
      break;
    }
    case GRU_FLOAT64: memcpy(w->data, &f, sizeof f); break;
  }
  w->data += gru_dtype_size((gru_dtype)w->dtype);
}

static void walk_table(lua_State *L, walk *w, int depth) {
  if (depth == w->ndim) {
    if (lua_type(L, -1) == LUA_TTABLE) luaL_error(L, "tensor: tables of different depth");
    if (w->data)
      write_leaf(L, w);
    else
      see_leaf(L, &w->dtype, w->float_dtype);
    return;
  }
  if (lua_type(L, -1) != LUA_TTABLE || (int64_t)lua_rawlen(L, -1) != w->shape[depth])
    luaL_error(L,
               "tensor: rows of different size: dim %d has %I elements in one place, %s in another",
               depth + 1, (LUAI_UACINT)w->shape[depth],
               lua_type(L, -1) == LUA_TTABLE ? "another number" : "none");
  luaL_checkstack(L, 4, "tensor");
  for (int64_t i = 1; i <= w->shape[depth]; i++) {
    lua_rawgeti(L, -1, i);
    walk_table(L, w, depth + 1);
    lua_pop(L, 1);
  }
}

/* core.from_table(table | number | boolean, dtype | nil, device | nil) */
static int from_table(lua_State *L) {
  gruL_state *s = gruL_self(L);
  int64_t shape[GRU_MAX_DIMS], numel = 1;
  luaL_checkany(L, 1);
  lua_settop(L, 3);
  walk w = {.float_dtype = s->dtype, .dtype = -1, .shape = shape};
  w.ndim = table_shape(L, 1, shape);
  lua_pushvalue(L, 1);
  walk_table(L, &w, 0);
  for (int d = 0; d < w.ndim; d++) numel *= shape[d]; /* each is at most a table's length */
  if (w.dtype < 0) w.dtype = (int)s->dtype;           /* no elements */
  if (!lua_isnil(L, 2)) w.dtype = (int)gruL_dtype(L, 2);
  const char *device = gruL_device(L, s, 3);
  char few[64], *data = few;
  size_t bytes = (size_t)numel * gru_dtype_size((gru_dtype)w.dtype);
  if (bytes > sizeof few) data = lua_newuserdatauv(L, bytes, 0);
  w.data = data;
  lua_pushvalue(L, 1);
  walk_table(L, &w, 0);
  gru_tensor *t;
  gruL_enter(L, s);
  gruL_box *box = gruL_newbox(L);
  gru_status status =
      gru_tensor_from_data(s->rt, (gru_dtype)w.dtype, w.ndim, shape, device, data, &t);
  if (status != GRU_OK) return gruL_raise(L, s, status);
  gruL_fill(box, t);
  return 1;
}

/* ---- tensors to tables ------------------------------------------------------------------------ */

/* Pushes element `at` as a Lua boolean, integer or float. */
static void push_element(lua_State *L, gru_dtype dtype, const char *at) {
  union {
    int64_t i;
    float f;
    double d;
  } v;
  switch (dtype) {
    case GRU_BOOL: lua_pushboolean(L, *at != 0); break;
    case GRU_INT64: memcpy(&v.i, at, sizeof v.i), lua_pushinteger(L, v.i); break;
    case GRU_FLOAT32: memcpy(&v.f, at, sizeof v.f), lua_pushnumber(L, (lua_Number)v.f); break;
    case GRU_FLOAT64: memcpy(&v.d, at, sizeof v.d), lua_pushnumber(L, v.d); break;
  }
}

/* The elements of t in a userdata pushed on the stack. */
static const char *read_all(lua_State *L, gru_tensor *t) {
  size_t bytes = (size_t)gru_tensor_numel(t) * gru_dtype_size(gru_tensor_dtype(t));
  void *data = lua_newuserdatauv(L, bytes + 1, 0);
  gru_status status = gru_tensor_read(t, data, bytes);
  if (status != GRU_OK) gruL_raise(L, gruL_self(L), status);
  return data;
}

static const char *push_nested(lua_State *L, const gru_tensor *t, int depth, const char *at) {
  if (depth == gru_tensor_ndim(t)) {
    push_element(L, gru_tensor_dtype(t), at);
    return at + gru_dtype_size(gru_tensor_dtype(t));
  }
  int64_t n = gru_tensor_shape(t)[depth];
  luaL_checkstack(L, 4, "totable");
  lua_createtable(L, n < INT32_MAX ? (int)n : 0, 0);
  for (int64_t i = 1; i <= n; i++) {
    at = push_nested(L, t, depth + 1, at);
    lua_rawseti(L, -2, i);
  }
  return at;
}

static int totable(lua_State *L) {
  gru_tensor *t = gruL_check(L, 1);
  gruL_at_most(L, 1);
  push_nested(L, t, 0, read_all(L, t));
  return 1;
}

static int item(lua_State *L) {
  gru_tensor *t = gruL_check(L, 1);
  gruL_state *s = gruL_self(L);
  gru_dtype dtype = gru_tensor_dtype(t);
  double f = 0;
  int64_t i = 0;
  gruL_at_most(L, 1);
  gru_status status =
      dtype >= GRU_FLOAT32 ? gru_tensor_item(t, &f) : gru_tensor_item_integer(t, &i);
  if (status != GRU_OK) return gruL_raise(L, s, status);
  if (dtype == GRU_BOOL)
    lua_pushboolean(L, i != 0);
  else if (dtype == GRU_INT64)
    lua_pushinteger(L, i);
  else
    lua_pushnumber(L, f);
  return 1;
}

/* x:data(): the elements as a string of bytes, contiguous, in this machine's order. */
static int data(lua_State *L) {
  gruL_at_most(L, 1);
  gru_tensor *t = gruL_check(L, 1);
  const char *bytes = read_all(L, t);
  lua_pushlstring(L, bytes, (size_t)gru_tensor_numel(t) * gru_dtype_size(gru_tensor_dtype(t)));
  return 1;
}

/* core.from_data(sizes, dtype, bytes [, device]) */
static int from_data(lua_State *L) {
  gruL_state *s = gruL_self(L);
  int64_t sizes[GRU_MAX_DIMS];
  size_t length;
  int idx = 1;
  luaL_checktype(L, 1, LUA_TTABLE);
  int n = gruL_sizes(L, &idx, sizes, false);
  gru_dtype dtype = gruL_dtype(L, 2);
  const char *bytes = luaL_checklstring(L, 3, &length);
  const char *device = gruL_device(L, s, 4);
  gru_tensor *t;
  gruL_enter(L, s);
  gruL_box *box = gruL_newbox(L);
  gru_status status = gru_tensor_empty(s->rt, dtype, n, sizes, device, &t);
  if (status == GRU_OK) {
    gruL_fill(box, t);
    status = gru_tensor_write(t, bytes, length);
  }
  return status == GRU_OK ? 1 : gruL_raise(L, s, status);
}

void gruL_open_elements(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"from_table", from_table}, {"from_data", from_data}, {NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"totable", totable}, {"item", item}, {"data", data}, {NULL, NULL}};
  gruL_register(L, functions);
  lua_getfield(L, -1, "methods");
  gruL_register(L, methods);
  lua_pop(L, 1);
}

/* tensor.c - the box of a tensor: its life, identity and attributes. */
#include <string.h>

#include "binding.h"

static const char registry_boxes; /* weak table: tensor's address -> box */
static const char
    registry_meta; /* the metatable, under an address: found faster than by its name */

gruL_box *gruL_newbox(lua_State *L) {
  gruL_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->tensor = NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_meta);
  lua_setmetatable(L, -2);
  gruL_note(L);
  return box;
}

void gruL_fill(gruL_box *box, gru_tensor *t) {
  box->tensor = t;
  gru_tensor_set_tag(t, box);
}

void gruL_remember(lua_State *L, int idx) {
  gruL_box *box = lua_touserdata(L, idx);
  lua_pushvalue(L, idx);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_boxes);
  lua_insert(L, -2);
  lua_rawsetp(L, -2, box->tensor);
  lua_pop(L, 1);
}

void gruL_push_kept(lua_State *L, gruL_state *s, gru_tensor *t) {
  (void)s;
  if (!t) {
    lua_pushnil(L);
    return;
  }
  if (gru_tensor_tag(t)) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_boxes);
    lua_rawgetp(L, -1, t);
    lua_remove(L, -2);
    gruL_box *box = lua_touserdata(L, -1);
    if (box && box->tensor == t) return;
    lua_pop(L, 1);
  }
  gruL_box *box = gruL_newbox(L);
  gruL_fill(box, gru_tensor_retain(t));
  gruL_remember(L, lua_gettop(L));
}

gru_tensor *gruL_totensor(lua_State *L, int idx) {
  gruL_box *box = luaL_testudata(L, idx, "gru.Tensor");
  return box ? box->tensor : NULL;
}

void gruL_pushtensor(lua_State *L, gru_tensor *t) { gruL_push_kept(L, NULL, t); }

static void empty_box(gruL_box *box) {
  gru_tensor *t = box->tensor;
  box->tensor = NULL;
  if (!t) return;
  if (gru_tensor_tag(t) == box) gru_tensor_set_tag(t, NULL);
  gru_tensor_release(t);
}

static int collect_box(lua_State *L) {
  empty_box(lua_touserdata(L, 1));
  return 0;
}

/* core.release(x): what gru.scope does to the tensors it made; using x raises from then on. */
static int release(lua_State *L) {
  gruL_box *box = luaL_testudata(L, 1, "gru.Tensor"); /* one that was released before will do */
  if (!box) return gruL_expected(L, 1, "tensor");
  empty_box(box);
  return 0;
}

/* ---- attributes -------------------------------------------------------------------------------- */

static void push_sizes(lua_State *L, int n, const int64_t *sizes) {
  lua_createtable(L, n, 0);
  for (int d = 0; d < n; d++) {
    lua_pushinteger(L, sizes[d]);
    lua_rawseti(L, -2, d + 1);
  }
}

/* Pushes the attribute `name`; 0 when there is none. */
static int push_attribute(lua_State *L, gruL_state *s, gru_tensor *t, const char *name) {
  if (strcmp(name, "shape") == 0)
    push_sizes(L, gru_tensor_ndim(t), gru_tensor_shape(t));
  else if (strcmp(name, "ndim") == 0)
    lua_pushinteger(L, gru_tensor_ndim(t));
  else if (strcmp(name, "grad") == 0)
    gruL_push_kept(L, s, gru_tensor_grad(t));
  else if (strcmp(name, "dtype") == 0)
    lua_pushstring(L, gru_dtype_name(gru_tensor_dtype(t)));
  else if (strcmp(name, "device") == 0)
    lua_pushstring(L, gru_tensor_device(t));
  else if (strcmp(name, "requires_grad") == 0)
    lua_pushboolean(L, gru_tensor_requires_grad(t));
  else if (strcmp(name, "is_leaf") == 0)
    lua_pushboolean(L, gru_tensor_is_leaf(t));
  else if (strcmp(name, "grad_fn") == 0)
    lua_pushstring(L, gru_tensor_grad_op(t));
  else
    return 0;
  return 1;
}

/* x[i]: row i; nil for #x + 1, where ipairs ends. */
static int select_row(lua_State *L, gruL_state *s, gru_tensor *t) {
  int64_t i = lua_tointeger(L, 2), size = gru_tensor_ndim(t) ? gru_tensor_shape(t)[0] : 0;
  if (gru_tensor_ndim(t) && i == size + 1) return 0;
  if (i == 0 || (gru_tensor_ndim(t) && (i > size || i < -size)))
    return luaL_error(L,
                      "index: position %I is outside dim 1 of size %I; positions count from 1, "
                      "or from -1 backwards",
                      (LUAI_UACINT)i, (LUAI_UACINT)size);
  gru_attrs attrs = {.dims = {0}, .ndims = 1, .start = i > 0 ? i - 1 : i};
  gru_tensor *out[GRU_MAX_OUTPUTS];
  gruL_enter(L, s);
  gruL_box *box = gruL_newbox(L);
  gru_status status = gru_op_call(s->rt, GRU_OP_SELECT, &t, 1, &attrs, out);
  if (status != GRU_OK) return gruL_raise(L, s, status);
  gruL_fill(box, out[0]);
  return 1;
}

/* __index: a method, an attribute, a row, or what methods.__getitem makes of the key.  Upvalue
** GRUL_UP_OWN is the table of methods. */
static int index(lua_State *L) {
  gruL_state *s = gruL_self(L);
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(GRUL_UP_OWN)) != LUA_TNIL) return 1;
    gru_tensor *t = gruL_check(L, 1);
    const char *name = lua_tostring(L, 2);
    if (push_attribute(L, s, t, name)) return 1;
    if (strcmp(name, "T") == 0) {
      lua_getfield(L, lua_upvalueindex(GRUL_UP_OWN), "t");
      lua_pushvalue(L, 1);
      lua_call(L, 1, 1);
      return 1;
    }
    return luaL_error(L, "a tensor has no method or attribute '%s'", name);
  }
  gru_tensor *t = gruL_check(L, 1);
  if (lua_isinteger(L, 2)) return select_row(L, s, t);
  lua_getfield(L, lua_upvalueindex(GRUL_UP_OWN), "__getitem");
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

/* __newindex: x.grad and x.requires_grad; every other key is an assignment to elements. */
static int newindex(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_tensor *t = gruL_check(L, 1);
  if (lua_type(L, 2) == LUA_TSTRING) {
    const char *name = lua_tostring(L, 2);
    gru_status status = GRU_OK;
    if (strcmp(name, "grad") == 0) {
      if (!lua_isnil(L, 3) && !gruL_test(L, 3))
        return luaL_error(L, "grad: tensor or nil expected, got %s", gruL_typename(L, 3));
      gru_tensor *grad = lua_isnil(L, 3) ? NULL : gruL_check(L, 3);
      status = gru_tensor_set_grad(t, grad);
      if (grad && status == GRU_OK) gruL_remember(L, 3);
    } else if (strcmp(name, "requires_grad") == 0) {
      if (!lua_isboolean(L, 3))
        return luaL_error(L, "requires_grad: boolean expected, got %s", gruL_typename(L, 3));
      status = gru_tensor_set_requires_grad(t, lua_toboolean(L, 3));
    } else {
      return luaL_error(L, "a tensor has no attribute '%s' that can be set", name);
    }
    return status == GRU_OK ? 0 : gruL_raise(L, s, status);
  }
  lua_getfield(L, lua_upvalueindex(GRUL_UP_OWN), "__setitem");
  lua_insert(L, 1);
  lua_settop(L, 4);
  lua_call(L, 3, 0);
  return 0;
}

static int length(lua_State *L) {
  gru_tensor *t = gruL_check(L, 1);
  if (gru_tensor_ndim(t) == 0) return luaL_error(L, "#: a 0-d tensor has no length");
  lua_pushinteger(L, gru_tensor_shape(t)[0]);
  return 1;
}

/* ---- questions --------------------------------------------------------------------------------------- */

/* All of `values`, one a dim, in a table, or that of the dim at argument 2. */
static int sizes_or_one(lua_State *L, const char *name, const int64_t *values) {
  gru_tensor *t = gruL_check(L, 1);
  gruL_at_most(L, 2);
  int n = gru_tensor_ndim(t);
  if (lua_isnoneornil(L, 2)) {
    push_sizes(L, n, values);
    return 1;
  }
  int64_t d = gruL_dim(L, 2, "dim");
  if (d < 0) d += n;
  if (d < 0 || d >= n)
    return luaL_error(L, "%s: dim %I of a tensor with %d dims", name,
                      (LUAI_UACINT)lua_tointeger(L, 2), n);
  lua_pushinteger(L, values[d]);
  return 1;
}

/* x:size() -> table, x:size(d) -> integer. */
static int size(lua_State *L) {
  return sizes_or_one(L, "size", gru_tensor_shape(gruL_check(L, 1)));
}

/* x:stride() -> table, x:stride(d) -> integer, in elements. */
static int stride(lua_State *L) {
  return sizes_or_one(L, "stride", gru_tensor_strides(gruL_check(L, 1)));
}

static int dim(lua_State *L) {
  gruL_at_most(L, 1);
  lua_pushinteger(L, gru_tensor_ndim(gruL_check(L, 1)));
  return 1;
}

static int numel(lua_State *L) {
  gruL_at_most(L, 1);
  lua_pushinteger(L, gru_tensor_numel(gruL_check(L, 1)));
  return 1;
}

static int nbytes(lua_State *L) {
  gruL_at_most(L, 1);
  gru_tensor *t = gruL_check(L, 1);
  lua_pushinteger(L, gru_tensor_numel(t) * (lua_Integer)gru_dtype_size(gru_tensor_dtype(t)));
  return 1;
}

static int storage_offset(lua_State *L) {
  gruL_at_most(L, 1);
  lua_pushinteger(L, gru_tensor_offset(gruL_check(L, 1)));
  return 1;
}

static int is_contiguous(lua_State *L) {
  gruL_at_most(L, 1);
  lua_pushboolean(L, gru_tensor_is_contiguous(gruL_check(L, 1)));
  return 1;
}

static int is_one_hot(lua_State *L) {
  gruL_at_most(L, 1);
  lua_pushboolean(L, gru_tensor_is_one_hot(gruL_check(L, 1)));
  return 1;
}

static int version(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)gru_tensor_version(gruL_check(L, 1)));
  return 1;
}

static int data_ptr(lua_State *L) {
  gruL_at_most(L, 1);
  gru_tensor *t = gruL_check(L, 1);
  void *data;
  gru_status status = gru_tensor_data(t, &data);
  if (status != GRU_OK) return gruL_raise(L, gruL_self(L), status);
  lua_pushinteger(L, (lua_Integer)(intptr_t)data);
  return 1;
}

static int is_tensor(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, lua_getmetatable(L, 1) && lua_rawequal(L, -1, lua_upvalueindex(GRUL_UP_META)));
  return 1;
}

/* core.are_tensors(...) */
static int are_tensors(lua_State *L) {
  int n = lua_gettop(L), all = 1;
  for (int i = 1; i <= n && all; i++) {
    all = lua_getmetatable(L, i) && lua_rawequal(L, -1, lua_upvalueindex(GRUL_UP_META));
    lua_settop(L, n);
  }
  lua_pushboolean(L, all);
  return 1;
}

/* core.sizes(x) -> how many dims, then the size of each; nothing for what is no tensor. */
static int sizes(lua_State *L) {
  gru_tensor *t = gruL_test(L, 1);
  if (!t) return 0;
  int n = gru_tensor_ndim(t);
  luaL_checkstack(L, n + 1, "sizes");
  lua_pushinteger(L, n);
  for (int d = 0; d < n; d++) lua_pushinteger(L, gru_tensor_shape(t)[d]);
  return n + 1;
}

static const luaL_Reg methods[] = {{"size", size},
                                   {"stride", stride},
                                   {"dim", dim},
                                   {"numel", numel},
                                   {"nbytes", nbytes},
                                   {"storage_offset", storage_offset},
                                   {"is_contiguous", is_contiguous},
                                   {"is_one_hot", is_one_hot},
                                   {"_version", version},
                                   {"data_ptr", data_ptr},
                                   {NULL, NULL}};
static const luaL_Reg functions[] = {{"is_tensor", is_tensor},
                                     {"are_tensors", are_tensors},
                                     {"sizes", sizes},
                                     {"release", release},
                                     {NULL, NULL}};
static const luaL_Reg metamethods[] = {{"__gc", collect_box}, {"__len", length}, {NULL, NULL}};

/* A metamethod with the table of methods as an upvalue. */
static void with_methods(lua_State *L, const char *name, lua_CFunction function, int meta,
                         int table) {
  lua_getfield(L, LUA_REGISTRYINDEX, "gru.upvalues");
  lua_rawgeti(L, -1, GRUL_UP_STATE);
  lua_pushvalue(L, meta);
  lua_pushvalue(L, table);
  lua_pushcclosure(L, function, 3);
  lua_setfield(L, meta, name);
  lua_pop(L, 1);
}

void gruL_open_tensor(lua_State *L) {
  gruL_register(L, functions);
  lua_newtable(L); /* boxes */
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_boxes);
  lua_newtable(L); /* methods */
  gruL_register(L, methods);
  luaL_getmetatable(L, "gru.Tensor");
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_meta);
  gruL_register(L, metamethods);
  with_methods(L, "__index", index, lua_gettop(L), lua_gettop(L) - 1);
  with_methods(L, "__newindex", newindex, lua_gettop(L), lua_gettop(L) - 1);
  lua_setfield(L, -3, "metatable");
  lua_setfield(L, -2, "methods");
}

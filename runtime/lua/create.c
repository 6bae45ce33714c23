/* create.c - making tensors, and filling them from the generator.
**
** The Lua library reads positional sizes and option tables; here the arguments are plain:
**   core.empty(sizes, dtype | nil, device | nil)
*/
#include "binding.h"

/* The result of a core call that makes a tensor. */
static int push_result(lua_State *L, gruL_state *s, gruL_box *box, gru_status status,
                       gru_tensor *t) {
  if (status != GRU_OK) return gruL_raise(L, s, status);
  gruL_fill(box, t);
  return 1;
}

static int empty(lua_State *L) {
  gruL_state *s = gruL_self(L);
  int64_t sizes[GRU_MAX_DIMS];
  gru_tensor *t = NULL;
  int idx = 1, tries = 0;
  luaL_checktype(L, 1, LUA_TTABLE);
  int n = gruL_sizes(L, &idx, sizes, false);
  gru_dtype dtype = lua_isnoneornil(L, 2) ? s->dtype : gruL_dtype(L, 2);
  const char *device = gruL_device(L, s, 3);
  gruL_enter(L, s);
  gruL_box *box = gruL_newbox(L);
  gru_status status;
  do {
    status = gru_tensor_empty(s->rt, dtype, n, sizes, device, &t);
  } while (gruL_recover(L, s, status, &tries));
  return push_result(L, s, box, status, t);
}

/* core.randperm(n) -> positions 1 .. n */
static int randperm(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_tensor *t = NULL;
  lua_Integer n = luaL_checkinteger(L, 1);
  gruL_enter(L, s);
  gruL_box *box = gruL_newbox(L);
  gru_status status = gru_randperm(s->rt, n, 1, &t);
  return push_result(L, s, box, status, t);
}

/* core.range(start, step, count, dtype, device): integers make int64, floats the dtype. */
static int range(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_tensor *t = NULL;
  lua_Integer count = luaL_checkinteger(L, 3);
  gru_dtype dtype = gruL_dtype(L, 4);
  const char *device = gruL_device(L, s, 5);
  int tries = 0;
  gruL_enter(L, s);
  gruL_box *box = gruL_newbox(L);
  gru_status status;
  do {
    if (dtype == GRU_INT64)
      status = gru_tensor_range_integer(s->rt, count, luaL_checkinteger(L, 1),
                                        luaL_checkinteger(L, 2), device, &t);
    else
      status = gru_tensor_range(s->rt, dtype, count, luaL_checknumber(L, 1), luaL_checknumber(L, 2),
                                device, &t);
  } while (gruL_recover(L, s, status, &tries));
  return push_result(L, s, box, status, t);
}

/* core.linspace(first, last, count, dtype, device) */
static int linspace(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_tensor *t = NULL;
  double first = luaL_checknumber(L, 1), last = luaL_checknumber(L, 2);
  lua_Integer count = luaL_checkinteger(L, 3);
  gru_dtype dtype = gruL_dtype(L, 4);
  const char *device = gruL_device(L, s, 5);
  int tries = 0;
  gruL_enter(L, s);
  gruL_box *box = gruL_newbox(L);
  gru_status status;
  do {
    status = gru_tensor_linspace(s->rt, dtype, count, first, last, device, &t);
  } while (gruL_recover(L, s, status, &tries));
  return push_result(L, s, box, status, t);
}

/* The tensor that is to be filled, argument 1 of at most `most`. */
static gru_tensor *to_fill(lua_State *L, int most) {
  gruL_at_most(L, most);
  gru_tensor *t = gruL_check(L, 1);
  gruL_enter(L, gruL_self(L));
  return t;
}

static int filled(lua_State *L, gru_status status) {
  if (status != GRU_OK) return gruL_raise(L, gruL_self(L), status);
  lua_settop(L, 1);
  return 1;
}

static int uniform_(lua_State *L) {
  gru_tensor *t = to_fill(L, 3);
  return filled(L, gru_uniform_(t, luaL_optnumber(L, 2, 0), luaL_optnumber(L, 3, 1)));
}

static int normal_(lua_State *L) {
  gru_tensor *t = to_fill(L, 3);
  return filled(L, gru_normal_(t, luaL_optnumber(L, 2, 0), luaL_optnumber(L, 3, 1)));
}

static int bernoulli_(lua_State *L) {
  gru_tensor *t = to_fill(L, 2);
  return filled(L, gru_bernoulli_(t, luaL_optnumber(L, 2, 0.5)));
}

/* x:random_(low, high): integers from low on, high excluded. */
static int random_(lua_State *L) {
  gru_tensor *t = to_fill(L, 3);
  lua_Integer low = luaL_checkinteger(L, 2), high = luaL_checkinteger(L, 3);
  if (low >= high)
    return luaL_error(L, "random_: no integers from %I up to, not including, %I", (LUAI_UACINT)low,
                      (LUAI_UACINT)high);
  return filled(L, gru_randint_(t, low, high));
}

void gruL_open_create(lua_State *L) {
  static const luaL_Reg functions[] = {{"empty", empty},
                                       {"randperm", randperm},
                                       {"range", range},
                                       {"linspace", linspace},
                                       {NULL, NULL}};
  static const luaL_Reg methods[] = {{"uniform_", uniform_},
                                     {"normal_", normal_},
                                     {"bernoulli_", bernoulli_},
                                     {"random_", random_},
                                     {NULL, NULL}};
  gruL_register(L, functions);
  lua_getfield(L, -1, "methods");
  gruL_register(L, methods);
  lua_pop(L, 1);
}

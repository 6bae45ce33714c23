/* step.c - steps of optimisers and clipping, over lists of tensors.
**
** Items are tables {p, g, step, state ...}; options are those of gru.h, by name.
*/
#include "binding.h"

/* Field `name` of the options at `idx`, a number. */
static double number_of(lua_State *L, int idx, const char *op, const char *name) {
  lua_getfield(L, idx, name);
  if (lua_type(L, -1) != LUA_TNUMBER)
    luaL_error(L, "%s: %s must be a number, got %s", op, name, luaL_typename(L, -1));
  double value = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return value;
}

static int switch_of(lua_State *L, int idx, const char *name) {
  lua_getfield(L, idx, name);
  int set = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return set;
}

/* Element `i` of the table on top of the stack: a tensor, or NULL where it is not set. */
static gru_tensor *tensor_at(lua_State *L, const char *op, int i) {
  lua_rawgeti(L, -1, i);
  gru_tensor *t = gruL_test(L, lua_gettop(L));
  if (!t && lua_toboolean(L, -1))
    luaL_error(L, "%s: a tensor expected, got %s", op, luaL_typename(L, -1));
  lua_pop(L, 1);
  return t;
}

/* The items of the list at 1, in a userdata pushed on the stack. */
static gru_step_item *items_of(lua_State *L, const char *op, lua_Integer n) {
  gru_step_item *items = lua_newuserdatauv(L, (size_t)n * sizeof *items + 1, 0);
  for (lua_Integer i = 0; i < n; i++) {
    if (lua_rawgeti(L, 1, i + 1) != LUA_TTABLE)
      luaL_error(L, "%s: an item expected, got %s", op, luaL_typename(L, -1));
    items[i].p = tensor_at(L, op, 1);
    items[i].g = tensor_at(L, op, 2);
    lua_rawgeti(L, -1, 3);
    items[i].step = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    for (int k = 0; k < 3; k++) items[i].state[k] = tensor_at(L, op, 4 + k);
    lua_pop(L, 1);
  }
  return items;
}

static lua_Integer list_at_1(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  return (lua_Integer)lua_rawlen(L, 1);
}

/* What shows whether a call got as far as writing: the version of a tensor that it writes first. */
typedef struct mark {
  gru_tensor *t; /* NULL: nothing is written */
  uint64_t version;
} mark;

static mark mark_of(gru_tensor *t) { return (mark){t, t ? gru_tensor_version(t) : 0}; }

static mark mark_of_items(const gru_step_item *items, lua_Integer n) {
  for (lua_Integer i = 0; i < n; i++)
    if (items[i].g) return mark_of(items[i].p);
  return mark_of(NULL);
}

/* gruL_recover for a call that must not be done twice. */
static bool recover(lua_State *L, gruL_state *s, gru_status status, mark m, int *tries) {
  return m.t && gru_tensor_version(m.t) == m.version && gruL_recover(L, s, status, tries);
}

gru_sgd_options gruL_sgd_options(lua_State *L, int idx) {
  luaL_checktype(L, idx, LUA_TTABLE);
  return (gru_sgd_options){.lr = number_of(L, idx, "sgd_step", "lr"),
                           .momentum = number_of(L, idx, "sgd_step", "momentum"),
                           .dampening = number_of(L, idx, "sgd_step", "dampening"),
                           .weight_decay = number_of(L, idx, "sgd_step", "weight_decay"),
                           .nesterov = switch_of(L, idx, "nesterov"),
                           .maximize = switch_of(L, idx, "maximize")};
}

gru_adam_options gruL_adam_options(lua_State *L, int idx) {
  luaL_checktype(L, idx, LUA_TTABLE);
  return (gru_adam_options){.lr = number_of(L, idx, "adam_step", "lr"),
                            .beta1 = number_of(L, idx, "adam_step", "beta1"),
                            .beta2 = number_of(L, idx, "adam_step", "beta2"),
                            .eps = number_of(L, idx, "adam_step", "eps"),
                            .weight_decay = number_of(L, idx, "adam_step", "weight_decay"),
                            .decoupled = switch_of(L, idx, "decoupled"),
                            .maximize = switch_of(L, idx, "maximize")};
}

/* core.sgd_step(items, options [, scale]); items {p, g, step, buffer} */
static int sgd_step(lua_State *L) {
  gruL_state *s = gruL_self(L);
  lua_Integer n = list_at_1(L);
  gru_tensor *scale = gruL_test(L, 3);
  gru_sgd_options options = gruL_sgd_options(L, 2);
  gru_step_item *items = items_of(L, "sgd_step", n);
  mark before = mark_of_items(items, n);
  gruL_enter(L, s);
  gru_status status;
  int tries = 0;
  do {
    status = gru_sgd_step(s->rt, n, items, &options, scale);
  } while (recover(L, s, status, before, &tries));
  return status == GRU_OK ? 0 : gruL_raise(L, s, status);
}

/* core.adam_step(items, options [, scale]); items {p, g, step, m, v, w or nil} */
static int adam_step(lua_State *L) {
  gruL_state *s = gruL_self(L);
  lua_Integer n = list_at_1(L);
  gru_tensor *scale = gruL_test(L, 3);
  gru_adam_options options = gruL_adam_options(L, 2);
  gru_step_item *items = items_of(L, "adam_step", n);
  mark before = mark_of_items(items, n);
  gruL_enter(L, s);
  gru_status status;
  int tries = 0;
  do {
    status = gru_adam_step(s->rt, n, items, &options, scale);
  } while (recover(L, s, status, before, &tries));
  return status == GRU_OK ? 0 : gruL_raise(L, s, status);
}

/* The tensors of the list at 1, in a userdata pushed on the stack. */
static gru_tensor **tensors_of(lua_State *L, const char *op, lua_Integer n) {
  gru_tensor **tensors = lua_newuserdatauv(L, (size_t)n * sizeof *tensors + 1, 0);
  lua_pushvalue(L, 1);
  for (lua_Integer i = 0; i < n; i++)
    if (!(tensors[i] = tensor_at(L, op, (int)i + 1)))
      luaL_error(L, "%s: tensor %I is missing", op, (LUAI_UACINT)i + 1);
  lua_pop(L, 1);
  return tensors;
}

/* core.clip_norm(tensors, norm_type, max_norm, eps) -> total, scale */
static int clip_norm(lua_State *L) {
  gruL_state *s = gruL_self(L);
  lua_Integer n = list_at_1(L);
  double norm_type = luaL_checknumber(L, 2), max_norm = luaL_checknumber(L, 3),
         eps = luaL_checknumber(L, 4);
  gru_tensor **tensors = tensors_of(L, "clip_norm", n), *total = NULL, *scale = NULL;
  gruL_enter(L, s);
  gruL_box *boxes[2] = {gruL_newbox(L), gruL_newbox(L)};
  gru_status status;
  int tries = 0;
  do {
    status = gru_clip_norm(s->rt, n, tensors, norm_type, max_norm, eps, &total, &scale);
  } while (gruL_recover(L, s, status, &tries));
  if (status != GRU_OK) return gruL_raise(L, s, status);
  gruL_fill(boxes[0], total);
  gruL_fill(boxes[1], scale);
  return 2;
}

/* core.scale_(tensors, scale) */
static int scale_(lua_State *L) {
  gruL_state *s = gruL_self(L);
  lua_Integer n = list_at_1(L);
  gru_tensor *scale = gruL_check(L, 2);
  gru_tensor **tensors = tensors_of(L, "scale_", n);
  mark before = mark_of(n > 0 ? tensors[0] : NULL);
  gruL_enter(L, s);
  gru_status status;
  int tries = 0;
  do {
    status = gru_scale_(s->rt, n, tensors, scale);
  } while (recover(L, s, status, before, &tries));
  return status == GRU_OK ? 0 : gruL_raise(L, s, status);
}

void gruL_open_step(lua_State *L) {
  static const luaL_Reg functions[] = {{"sgd_step", sgd_step},
                                       {"adam_step", adam_step},
                                       {"clip_norm", clip_norm},
                                       {"scale_", scale_},
                                       {NULL, NULL}};
  gruL_register(L, functions);
}

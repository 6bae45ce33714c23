/* layers.c - the ops of layers and losses, which the Lua library wraps. */
#include "binding.h"

/* core.cross_entropy(logits, target, weight | nil, ignore_index | nil, reduction, smoothing) */
static int cross_entropy(lua_State *L) {
  static const char *const reductions[] = {"mean", "sum", "none", NULL};
  gru_tensor *in[] = {gruL_check(L, 1), gruL_check(L, 2),
                      lua_isnoneornil(L, 3) ? NULL : gruL_check(L, 3)};
  gru_attrs a = {.base = 1, .value = luaL_optnumber(L, 6, 0)};
  if (!lua_isnoneornil(L, 4)) {
    a.has_ignore = 1;
    a.ignore_index = luaL_checkinteger(L, 4);
  }
  a.reduction = luaL_checkoption(L, 5, "mean", reductions);
  return gruL_call(L, gruL_self(L), GRU_OP_CROSS_ENTROPY, in, 3, NULL, &a);
}

/* The op of a recurrent layer that is named at `idx`. */
static gru_op sequence_op(lua_State *L, int idx) {
  static const char *const names[] = {"rnn_sequence", "lstm_sequence", "gru_sequence", NULL};
  static const gru_op ops[] = {GRU_OP_RNN_SEQUENCE, GRU_OP_LSTM_SEQUENCE, GRU_OP_GRU_SEQUENCE};
  return ops[luaL_checkoption(L, idx, NULL, names)];
}

/* The tensor at `idx`, or NULL for nil. */
static gru_tensor *optional(lua_State *L, int idx) {
  return lua_isnoneornil(L, idx) ? NULL : gruL_check(L, idx);
}

/* core.recurrence(op, gx, h_0, w_hh, b_ih | nil, b_hh | nil, lengths | nil, c_0 | nil, reverse,
** variant): ops.def says what they are. */
static int recurrence(lua_State *L) {
  enum { INPUTS = 7 };
  gru_tensor *in[INPUTS];
  gru_op op = sequence_op(L, 1);
  for (int i = 0; i < INPUTS; i++) in[i] = optional(L, i + 2);
  gru_attrs a = {.step = lua_toboolean(L, INPUTS + 2) ? -1 : 0,
                 .count = luaL_optinteger(L, INPUTS + 3, 0)};
  return gruL_call(L, gruL_self(L), op, in, gru_op_inputs(op), NULL, &a);
}

/* core.recurrent_layer(op, x, h_0, at, w_ih, w_hh, b_ih | nil, b_hh | nil, lengths | nil, c_0 | nil,
** reverse, variant, alone) -> y, h [, c]: gru_recurrent_layer of states `at`, from 1 on, of h_0 and c_0;
** alone: h and c keep a first dim. */
static int recurrent_layer(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_op op = sequence_op(L, 1);
  gru_recurrent l = {.x = gruL_check(L, 2),
                     .h_0 = gruL_check(L, 3),
                     .w_ih = gruL_check(L, 5),
                     .w_hh = gruL_check(L, 6),
                     .b_ih = optional(L, 7),
                     .b_hh = optional(L, 8),
                     .lengths = optional(L, 9),
                     .c_0 = optional(L, 10)};
  gru_attrs a = {.start = gruL_dim(L, 4, "position"),
                 .step = lua_toboolean(L, 11) ? -1 : 0,
                 .count = luaL_optinteger(L, 12, 0),
                 .keepdim = lua_toboolean(L, 13)};
  gru_tensor *out[3] = {NULL};
  gruL_box *box[3];
  int n = op == GRU_OP_LSTM_SEQUENCE ? 3 : 2, tries = 0;
  gruL_enter(L, s);
  for (int i = 0; i < n; i++) box[i] = gruL_newbox(L);
  gru_status status;
  do {
    status = gru_recurrent_layer(s->rt, op, &l, &a, out);
  } while (gruL_recover(L, s, status, &tries));
  if (status != GRU_OK) return gruL_raise(L, s, status);
  for (int i = 0; i < n; i++) gruL_fill(box[i], out[i]);
  return n;
}

/* core.linear(x, weight, bias) */
static int linear(lua_State *L) {
  gru_tensor *in[] = {gruL_check(L, 1), gruL_check(L, 2), gruL_check(L, 3)};
  return gruL_call(L, gruL_self(L), GRU_OP_LINEAR, in, 3, NULL, NULL);
}

void gruL_open_layers(lua_State *L) {
  static const luaL_Reg functions[] = {{"cross_entropy", cross_entropy},
                                       {"linear", linear},
                                       {"recurrence", recurrence},
                                       {"recurrent_layer", recurrent_layer},
                                       {NULL, NULL}};
  gruL_register(L, functions);
}

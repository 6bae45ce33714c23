/* ops.c - the ops of ops.def as Lua functions, which are methods too.
**
** Elementwise rows become functions by themselves, with an in-place form `name_`.  Family ops
** have a signature below: one letter an argument.
**   t  tensor                     T  tensor or number          o  tensor or nil
**   d  dim                        D  dims, one or many, or nil (all): an integer or a table
**   S  sizes: integers or a table P  the same of dims
**   i  position, from 1           k  keepdim, a boolean or nil
**   L  a table of tensors         n  a count                   y  a dtype or a device
**   f  a flag, a boolean or nil: attrs.step
*/
#include <string.h>

#include "binding.h"

enum { MAX_LIST = 1 << 20 };

int gruL_call(lua_State *L, gruL_state *s, gru_op op, gru_tensor *const *in, int n,
              const int *where, const gru_attrs *attrs) {
  gru_tensor *out[GRU_MAX_OUTPUTS] = {NULL};
  int tries = 0;
  gruL_enter(L, s);
  gruL_box *box = gruL_newbox(L), *second = NULL;
  gru_status status;
  do {
    status = gru_op_call(s->rt, op, in, n, attrs, out);
  } while (gruL_recover(L, s, status, &tries));
  if (status != GRU_OK) return gruL_raise(L, s, status);
  for (int i = 0; where && i < n; i++)
    if (out[0] == in[i]) { /* the op gave its input back: so do we, the same object */
      gru_tensor_release(out[0]);
      lua_pushvalue(L, where[i]);
      return 1;
    }
  gruL_fill(box, out[0]);
  if (!out[1]) return 1;
  gru_tensor *index = out[1];
  second = gruL_newbox(L);
  gruL_fill(second, index);
  return 2;
}

/* A number at `idx` as an operand, owned by a box on the stack. */
static gru_tensor *number(lua_State *L, gruL_state *s, int idx) {
  gru_tensor *t = NULL;
  gruL_box *box = gruL_newbox(L);
  gru_status status;
  if (lua_isinteger(L, idx))
    status = gru_tensor_integer(s->rt, lua_tointeger(L, idx), &t);
  else if (lua_type(L, idx) == LUA_TBOOLEAN)
    status = gru_tensor_integer(s->rt, lua_toboolean(L, idx), &t);
  else
    status = gru_tensor_number(s->rt, lua_tonumber(L, idx), &t);
  if (status != GRU_OK) gruL_raise(L, s, status);
  box->tensor = t;
  return t;
}

static gru_tensor *operand(lua_State *L, gruL_state *s, int idx) {
  gru_tensor *t = gruL_test(L, idx);
  if (t) return t;
  int type = lua_type(L, idx);
  if (type != LUA_TNUMBER && type != LUA_TBOOLEAN) gruL_expected(L, idx, "tensor or number");
  return number(L, s, idx);
}

/* ---- elementwise ------------------------------------------------------------------------------- */

/* Makes number operands of the first `n` arguments; one of them must be a tensor. */
static void operands(lua_State *L, gruL_state *s, int n, gru_tensor **in) {
  bool any = false;
  for (int i = 0; i < n; i++)
    if ((in[i] = gruL_test(L, i + 1))) any = true;
  for (int i = 0; i < n; i++)
    if (!in[i]) in[i] = operand(L, s, i + 1);
  if (!any) gruL_expected(L, 1, "tensor");
}

static int elementwise(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_op op = (gru_op)lua_tointeger(L, lua_upvalueindex(GRUL_UP_OWN));
  int n = gru_op_inputs(op);
  gru_tensor *in[3];
  gruL_at_most(L, n);
  lua_settop(L, n);
  operands(L, s, n, in);
  return gruL_call(L, s, op, in, n, NULL, NULL);
}

/* Metamethods of unary operators get their operand twice. */
static int unary_metamethod(lua_State *L) {
  lua_settop(L, 1);
  return elementwise(L);
}

static int in_place(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_op op = (gru_op)lua_tointeger(L, lua_upvalueindex(GRUL_UP_OWN));
  int n = gru_op_inputs(op);
  gru_tensor *in[3];
  gruL_at_most(L, n);
  lua_settop(L, n);
  in[0] = gruL_check(L, 1);
  for (int i = 1; i < n; i++) in[i] = operand(L, s, i + 1);
  gruL_enter(L, s);
  gru_status status = gru_op_call_(s->rt, op, in[0], in + 1, n - 1);
  if (status != GRU_OK) return gruL_raise(L, s, status);
  lua_settop(L, 1);
  return 1;
}

/* ---- families ------------------------------------------------------------------------------------- */

static const struct {
  const char *name, *signature;
} signatures[] = {
    {"matmul", "tt"},
    {"sum", "tDk"},
    {"prod", "tDk"},
    {"mean", "tDk"},
    {"max", "tDk"},
    {"min", "tDk"},
    {"argmax", "tDk"},
    {"argmin", "tDk"},
    {"any", "tDk"},
    {"all", "tDk"},
    {"softmax", "td"},
    {"log_softmax", "td"},
    {"view", "tS"},
    {"reshape", "tS"},
    {"permute", "tP"},
    {"transpose", "tdd"},
    {"select", "tdi"},
    {"squeeze", "tD"},
    {"unsqueeze", "td"},
    {"expand", "tS"},
    {"clone", "t"},
    {"contiguous", "t"},
    {"to", "ty"},
    {"cat", "Ld"},
    {"stack", "Ld"},
    {"index_select", "tdt"},
    {"index_add", "tdtt"},
    {"embedding", "tt"},
    {"gather", "tdt"},
    {"scatter", "tdtt"},
    {"scatter_add", "tdtt"},
    {"one_hot", "tn"},
    {"cumsum", "td"},
    {"cumprod", "td"},
    {"amax", "tDk"},
    {"amin", "tDk"},
    {"median", "tDk"},
    {"sort", "tdf"},
    {"topk", "tndf"},
    {"nonzero", "t"},
    {"searchsorted", "ttf"},
};

static const char *signature_of(const char *name) {
  for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
    if (strcmp(signatures[i].name, name) == 0) return signatures[i].signature;
  return NULL;
}

/* What the arguments of a family op are read into. */
typedef struct reading {
  gru_tensor *few[3], **in; /* `in` is few, or a userdata on the stack */
  int where[3];             /* arguments that the tensors came from */
  int n;
  int given; /* how many arguments there are */
  gru_attrs attrs;
} reading;

static void read_list(lua_State *L, int arg, reading *r) {
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_Unsigned count = lua_rawlen(L, arg);
  if (count == 0 || count > MAX_LIST)
    luaL_argerror(L, arg, count ? "too many tensors" : "a table of at least one tensor expected");
  r->in = lua_newuserdatauv(L, (size_t)count * sizeof *r->in, 0);
  for (r->n = 0; r->n < (int)count; r->n++) {
    lua_rawgeti(L, arg, r->n + 1);
    if (!(r->in[r->n] = gruL_test(L, -1)))
      luaL_argerror(
          L, arg,
          lua_pushfstring(L, "element %d is a %s, not a tensor", r->n + 1, luaL_typename(L, -1)));
    lua_pop(L, 1);
  }
}

static void read_tensor(lua_State *L, int arg, reading *r) {
  r->where[r->n] = arg;
  r->in[r->n++] = gruL_check(L, arg);
}

/* Reads the argument at *arg as `letter` says and moves on. */
static void read_argument(lua_State *L, char letter, int *arg, reading *r) {
  gru_attrs *a = &r->attrs;
  int i = *arg;
  bool none = i > r->given || lua_isnoneornil(L, i);
  gru_dtype dtype;
  switch (letter) {
    case 't': read_tensor(L, i, r); break;
    case 'L': read_list(L, i, r); break;
    case 'd': a->dims[a->ndims++] = none && r->in != r->few ? 0 : gruL_dim(L, i, "dim"); break;
    case 'D':
      if (none) break;
      if (lua_type(L, i) == LUA_TTABLE)
        a->ndims = gruL_sizes(L, &(int){i}, a->dims, true);
      else
        a->dims[a->ndims++] = gruL_dim(L, i, "dim");
      break;
    case 'S': a->ndims = gruL_sizes(L, arg, a->dims, false); return;
    case 'P': a->ndims = gruL_sizes(L, arg, a->dims, true); return;
    case 'i': a->start = gruL_dim(L, i, "position"); break;
    case 'k':
      if (none) break;
      if (!lua_isboolean(L, i)) gruL_expected(L, i, "keepdim (a boolean)");
      a->keepdim = lua_toboolean(L, i);
      break;
    case 'f':
      if (none) break;
      if (!lua_isboolean(L, i)) gruL_expected(L, i, "boolean");
      a->step = lua_toboolean(L, i);
      break;
    case 'n':
      if (!lua_isinteger(L, i)) gruL_expected(L, i, "count (an integer)");
      a->count = lua_tointeger(L, i);
      break;
    case 'y': /* a dtype or a device */
      if (gruL_find_dtype(L, i, &dtype))
        a->dtype = dtype, a->has_dtype = 1;
      else
        a->device = luaL_checkstring(L, i);
      break;
    default: break;
  }
  ++*arg;
}

static int family(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_op op = (gru_op)lua_tointeger(L, lua_upvalueindex(GRUL_UP_OWN));
  const char *signature = lua_touserdata(L, lua_upvalueindex(GRUL_UP_OWN + 1));
  reading r = {.attrs = {.base = 1}, .given = lua_gettop(L)};
  int arg = 1;
  r.in = r.few;
  for (const char *c = signature; *c; c++) read_argument(L, *c, &arg, &r);
  if (r.given >= arg)
    return luaL_error(L, "%s: too many arguments: %d, at most %d expected", gru_op_name(op),
                      r.given, arg - 1);
  return gruL_call(L, s, op, r.in, r.n, r.in == r.few ? r.where : NULL, &r.attrs);
}

/* x:narrow(dim, start, length), and core.slice(x, dim, first, last, step): positions from 1,
** inclusive, negative from the end. */
static int narrow(lua_State *L) {
  gru_tensor *t = gruL_check(L, 1);
  gruL_at_most(L, 4);
  gru_attrs a = {.dims = {gruL_dim(L, 2, "dim")}, .ndims = 1, .step = 1};
  int ndim = gru_tensor_ndim(t);
  int64_t d = a.dims[0] < 0 ? a.dims[0] + ndim : a.dims[0];
  a.start = gruL_dim(L, 3, "position");
  if (a.start < 0 && d >= 0 && d < ndim) {
    int64_t size = gru_tensor_shape(t)[d];
    if (a.start < -size)
      return luaL_error(L, "narrow: position %I is outside dim %d of size %I", (LUAI_UACINT)a.start,
                        (int)d + 1, (LUAI_UACINT)size);
    a.start += size;
  }
  if (!lua_isinteger(L, 4)) gruL_expected(L, 4, "length (an integer)");
  if (__builtin_add_overflow(a.start, lua_tointeger(L, 4), &a.stop))
    return luaL_error(L, "narrow: a part of length %I does not fit in dim %I of the tensor",
                      (LUAI_UACINT)lua_tointeger(L, 4), (LUAI_UACINT)lua_tointeger(L, 2));
  return gruL_call(L, gruL_self(L), GRU_OP_NARROW, &t, 1, NULL, &a);
}

static int slice(lua_State *L) {
  gru_tensor *t = gruL_check(L, 1);
  gru_attrs a = {.dims = {luaL_checkinteger(L, 2) - 1}, .ndims = 1};
  lua_Integer bounds[3];
  lua_settop(L, 5);
  if (lua_isnil(L, 5)) {
    lua_pushinteger(L, 1);
    lua_replace(L, 5);
  }
  for (int i = 0; i < 3; i++) {
    int is_integer;
    bounds[i] = lua_tointegerx(L, i + 3, &is_integer);
    if (!is_integer)
      return luaL_error(
          L, "index: a range is {first, last} or {first, last, step}, in integers; got a %s",
          luaL_typename(L, i + 3));
  }
  int ndim = gru_tensor_ndim(t);
  if (a.dims[0] < 0 || a.dims[0] >= ndim)
    return luaL_error(L, "index: %d dims named, the tensor has %d", (int)a.dims[0] + 1, ndim);
  int64_t size = gru_tensor_shape(t)[a.dims[0]];
  a.start = bounds[0] < 0 ? bounds[0] + size : bounds[0] - (bounds[0] > 0);
  a.stop = bounds[1] < 0 ? bounds[1] + size + 1 : bounds[1];
  a.step = bounds[2];
  if (bounds[0] == 0 || bounds[1] == 0 || a.start < 0 || a.stop > size || a.start > a.stop ||
      a.step < 1)
    return luaL_error(
        L,
        "index: range {%I, %I, %I} is not in dim %d of size %I; positions count from 1, "
        "or from -1 backwards, both ends included",
        (LUAI_UACINT)bounds[0], (LUAI_UACINT)bounds[1], (LUAI_UACINT)bounds[2], (int)a.dims[0] + 1,
        (LUAI_UACINT)size);
  return gruL_call(L, gruL_self(L), GRU_OP_NARROW, &t, 1, NULL, &a);
}

/* x:copy_(y), x:fill_(value) */
static int copy_(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_tensor *self = gruL_check(L, 1), *from;
  gruL_at_most(L, 2);
  lua_settop(L, 2);
  from = operand(L, s, 2);
  gruL_enter(L, s);
  gru_status status = gru_tensor_copy_(self, from);
  if (status != GRU_OK) return gruL_raise(L, s, status);
  lua_settop(L, 1);
  return 1;
}

static int fill_(lua_State *L) {
  gruL_state *s = gruL_self(L);
  gru_tensor *self = gruL_check(L, 1), *value;
  gruL_at_most(L, 2);
  lua_settop(L, 2);
  value = operand(L, s, 2);
  gruL_enter(L, s);
  gru_status status = gru_tensor_fill_(self, value);
  if (status != GRU_OK) return gruL_raise(L, s, status);
  lua_settop(L, 1);
  return 1;
}

/* ---- opening --------------------------------------------------------------------------------------- */

/* Pushes `function` with op (and signature) as own upvalues. */
static void push_op(lua_State *L, lua_CFunction function, int op, const char *signature) {
  lua_getfield(L, LUA_REGISTRYINDEX, "gru.upvalues");
  int upvalues = lua_gettop(L);
  lua_rawgeti(L, upvalues, GRUL_UP_STATE);
  lua_rawgeti(L, upvalues, GRUL_UP_META);
  lua_pushinteger(L, op);
  lua_pushlightuserdata(L, (void *)(intptr_t)signature);
  lua_pushcclosure(L, function, 4);
  lua_remove(L, upvalues);
}

/* Adds the function on top of the stack, popped, to module.functions and to the methods. */
static void publish(lua_State *L, int functions, int methods, const char *name) {
  lua_pushvalue(L, -1);
  lua_setfield(L, functions, name);
  lua_setfield(L, methods, name);
}

static void open_elementwise(lua_State *L, int op, const char *name, int functions, int methods) {
  static const struct {
    int op;
    const char *name;
  } operators[] = {{GRU_OP_ADD, "__add"},           {GRU_OP_SUB, "__sub"},
                   {GRU_OP_MUL, "__mul"},           {GRU_OP_DIV, "__div"},
                   {GRU_OP_POW, "__pow"},           {GRU_OP_REMAINDER, "__mod"},
                   {GRU_OP_FLOOR_DIVIDE, "__idiv"}, {GRU_OP_NEG, "__unm"}};
  push_op(L, elementwise, op, NULL);
  publish(L, functions, methods, name);
  push_op(L, in_place, op, NULL);
  lua_pushfstring(L, "%s_", name);
  lua_insert(L, -2);
  lua_rawset(L, methods);
  luaL_getmetatable(L, "gru.Tensor");
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
    if (operators[i].op == op) {
      push_op(L, gru_op_inputs((gru_op)op) == 1 ? unary_metamethod : elementwise, op, NULL);
      lua_setfield(L, -2, operators[i].name);
    }
  lua_pop(L, 1);
}

void gruL_open_ops(lua_State *L) {
  static const luaL_Reg special[] = {
      {"narrow", narrow}, {"copy_", copy_}, {"fill_", fill_}, {NULL, NULL}};
  static const luaL_Reg internal[] = {{"slice", slice},

                                      {NULL, NULL}};
  gruL_register(L, internal);
  lua_getfield(L, -1, "methods");
  lua_newtable(L);
  int functions = lua_gettop(L), methods = functions - 1;
  for (int op = 0; op < GRU_OP_COUNT_; op++) {
    const char *name = gru_op_name((gru_op)op);
    const char *signature = name ? signature_of(name) : NULL;
    if (!name) continue;
    if (gru_op_is_elementwise((gru_op)op)) {
      open_elementwise(L, op, name, functions, methods);
    } else if (signature) {
      push_op(L, family, op, signature);
      publish(L, functions, methods, name);
    }
  }
  lua_pushvalue(L, methods);
  gruL_register(L, special);
  lua_pop(L, 1);
  lua_getfield(L, methods, "narrow");
  lua_setfield(L, functions, "narrow");
  lua_setfield(L, -3, "functions");
  lua_pop(L, 1);
}

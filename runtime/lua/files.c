/* files.c - tensors in files.
**
** A failure of the file comes back as nil and a message; wrong use, and what is no fault of the
** file (no memory, no such device, an interrupt), raises.
*/
#include <string.h>

#include "binding.h"

static int fail(lua_State *L, gruL_state *s, gru_status status) {
  if (status != GRU_ERROR_IO && status != GRU_ERROR_FORMAT) return gruL_raise(L, s, status);
  lua_pushnil(L);
  lua_pushstring(L, gru_runtime_error(s->rt));
  return 2;
}

/* A string that C can take, or an error. */
static const char *check_text(lua_State *L, int idx, int arg, const char *what) {
  size_t length;
  const char *text = lua_type(L, idx) == LUA_TSTRING ? lua_tolstring(L, idx, &length) : NULL;
  if (text == NULL) {
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "%s: string expected, got %s", what, gruL_typename(L, idx)));
    return NULL;
  }
  luaL_argcheck(L, strlen(text) == length, arg, lua_pushfstring(L, "%s: it holds a NUL", what));
  return text;
}

static const char *device_at(lua_State *L, gruL_state *s, int idx, const char *name) {
  const char *device = gruL_device(L, s, idx);
  if (gru_device_check(s->rt, device) != GRU_OK)
    luaL_error(L, "%s: %s", name, gru_runtime_error(s->rt));
  return device;
}

/* ---- safetensors ------------------------------------------------------------------- */

static int close_file(lua_State *L) {
  gru_tensor_file **box = lua_touserdata(L, 1);
  gru_tensor_file_close(*box);
  *box = NULL;
  return 0;
}

/* A file that is closed when the value goes, also when an error passes by. */
static gru_tensor_file **new_file_box(lua_State *L) {
  gru_tensor_file **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  if (luaL_newmetatable(L, "gru.TensorFile")) {
    lua_pushcfunction(L, close_file);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, close_file);
    lua_setfield(L, -2, "__close");
  }
  lua_setmetatable(L, -2);
  return box;
}

/* Puts tensor `i` of the file into the table on top of the stack, under its name. */
static gru_status load_tensor(lua_State *L, gruL_state *s, gru_tensor_file *file, int64_t i,
                              const char *device) {
  gru_status status;
  gru_tensor *t;
  int tries = 0;
  gruL_enter(L, s);
  lua_pushstring(L, gru_tensor_file_name(file, i));
  gruL_box *box = gruL_newbox(L);
  do {
    status = gru_tensor_file_read(file, i, device, &t);
  } while (gruL_recover(L, s, status, &tries));
  if (status != GRU_OK) return status;
  gruL_fill(box, t);
  lua_rawset(L, -3);
  return GRU_OK;
}

/* core.load(path [, device]) -> tensors by name, metadata; nil, message on failure */
static int load(lua_State *L) {
  gruL_state *s = gruL_self(L);
  const char *path = check_text(L, 1, 1, "path");
  const char *device = device_at(L, s, 2, "load");
  gruL_at_most(L, 2);
  gru_tensor_file **file = new_file_box(L);
  lua_toclose(L, -1);
  gru_status status = gru_tensor_file_open(s->rt, path, file);
  if (status != GRU_OK) return fail(L, s, status);
  int64_t count = gru_tensor_file_count(*file), nmetadata = gru_tensor_file_metadata_count(*file);
  lua_newtable(L);
  for (int64_t i = 0; i < count; i++) {
    status = load_tensor(L, s, *file, i, device);
    if (status != GRU_OK) return fail(L, s, status);
  }
  lua_newtable(L);
  for (int64_t i = 0; i < nmetadata; i++) {
    const char *value;
    lua_pushstring(L, gru_tensor_file_metadata(*file, i, &value));
    lua_pushstring(L, value);
    lua_rawset(L, -3);
  }
  return 2;
}

/* The string at index `i` of the list at `list`; the list keeps it alive. */
static const char *text_of(lua_State *L, int list, lua_Integer i, int arg, const char *what) {
  lua_rawgeti(L, list, i);
  const char *text = check_text(L, -1, arg, what);
  lua_pop(L, 1);
  return text;
}

/* Fills n named tensors from the lists of arguments 2 and 3. */
static void read_tensors(lua_State *L, gru_named_tensor *out, lua_Integer n) {
  for (lua_Integer i = 0; i < n; i++) {
    out[i].name = text_of(L, 2, i + 1, 2, "a name");
    lua_rawgeti(L, 3, i + 1);
    out[i].tensor = gruL_test(L, -1);
    if (out[i].tensor == NULL) {
      luaL_argerror(
          L, 2,
          lua_pushfstring(L, "'%s': tensor expected, got %s", out[i].name, gruL_typename(L, -1)));
    }
    lua_pop(L, 1);
  }
}

/* core.save(path, names, tensors, keys, values), four lists -> true; nil, message on failure */
static int save(lua_State *L) {
  gruL_state *s = gruL_self(L);
  const char *path = check_text(L, 1, 1, "path");
  for (int i = 2; i <= 5; i++) luaL_checktype(L, i, LUA_TTABLE);
  lua_Integer n = luaL_len(L, 2), m = luaL_len(L, 4);
  gru_named_tensor *tensors = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *tensors, 0);
  gru_named_text *metadata = lua_newuserdatauv(L, ((size_t)m + 1) * sizeof *metadata, 0);
  read_tensors(L, tensors, n);
  for (lua_Integer i = 0; i < m; i++) {
    metadata[i].key = text_of(L, 4, i + 1, 3, "a key of the metadata");
    metadata[i].value = text_of(L, 5, i + 1, 3, "a value of the metadata");
  }
  gruL_enter(L, s);
  gru_status status;
  int tries = 0;
  do {
    status = gru_save(s->rt, path, (size_t)n, tensors, (size_t)m, metadata);
  } while (gruL_recover(L, s, status, &tries));
  if (status != GRU_OK) return fail(L, s, status);
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- npy ------------------------------------------------------------------------------- */

static int load_npy(lua_State *L) {
  gruL_state *s = gruL_self(L);
  const char *path = check_text(L, 1, 1, "path");
  const char *device = device_at(L, s, 2, "load_npy");
  gru_status status;
  gru_tensor *t;
  int tries = 0;
  gruL_at_most(L, 2);
  gruL_enter(L, s);
  gruL_box *box = gruL_newbox(L);
  do {
    status = gru_load_npy(s->rt, path, device, &t);
  } while (gruL_recover(L, s, status, &tries));
  if (status != GRU_OK) return fail(L, s, status);
  gruL_fill(box, t);
  return 1;
}

static int save_npy(lua_State *L) {
  gruL_state *s = gruL_self(L);
  const char *path = check_text(L, 1, 1, "path");
  gru_tensor *t = gruL_check(L, 2);
  gru_status status;
  int tries = 0;
  gruL_at_most(L, 2);
  gruL_enter(L, s);
  do {
    status = gru_save_npy(s->rt, path, t);
  } while (gruL_recover(L, s, status, &tries));
  if (status != GRU_OK) return fail(L, s, status);
  lua_pushboolean(L, 1);
  return 1;
}

void gruL_open_files(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"load", load}, {"save", save}, {"load_npy", load_npy}, {"save_npy", save_npy}, {NULL, NULL}};
  gruL_register(L, functions);
}

/* text.c - a corpus file as an id tensor and its vocabulary. */
#include <string.h>

#include "binding.h"

/* Closes the text of a box, also when an error passes by. */
static int close_text(lua_State *L) {
  gru_text **box = lua_touserdata(L, 1);
  gru_text_close(*box);
  *box = NULL;
  return 0;
}

static gru_text **new_text_box(lua_State *L) {
  gru_text **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  if (luaL_newmetatable(L, "gru.Text")) {
    lua_pushcfunction(L, close_text);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return box;
}

/* Pushes the characters by id: a table of UTF-8 strings. */
static void push_vocab(lua_State *L, const gru_text *text) {
  int32_t size = gru_text_vocab_size(text);
  const uint32_t *vocab = gru_text_vocab(text);
  lua_createtable(L, size, 0);
  for (int32_t i = 0; i < size; i++) {
    lua_pushfstring(L, "%U", (unsigned long)vocab[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

/* core.read_text(path, max_chars) -> ids (int64, from 1), vocabulary; nil, message on failure */
static int read_text(lua_State *L) {
  gruL_state *s = gruL_self(L);
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, strlen(path) == length, 1, "the path has a NUL character");
  lua_Integer max_chars = luaL_optinteger(L, 2, 0);
  luaL_argcheck(L, max_chars >= 0, 2, "max_chars must not be negative");
  gruL_enter(L, s);
  gru_text **text = new_text_box(L);
  gru_status status = gru_text_open(s->rt, path, (uint64_t)max_chars, text);
  if (status != GRU_OK) {
    lua_pushnil(L);
    lua_pushstring(L, gru_runtime_error(s->rt));
    return 2;
  }
  int64_t n = gru_text_length(*text);
  gru_tensor *ids;
  void *data;
  gruL_box *box = gruL_newbox(L);
  status = gru_tensor_empty(s->rt, GRU_INT64, 1, &n, "cpu", &ids);
  if (status != GRU_OK) return gruL_raise(L, s, status);
  gruL_fill(box, ids);
  if (gru_tensor_data(ids, &data) == GRU_OK)
    for (int64_t i = 0; i < n; i++) ((int64_t *)data)[i] = gru_text_ids(*text)[i] + 1;
  push_vocab(L, *text);
  gru_text_close(*text);
  *text = NULL;
  return 2;
}

void gruL_open_text(lua_State *L) {
  static const luaL_Reg functions[] = {{"read_text", read_text}, {NULL, NULL}};
  gruL_register(L, functions);
}

/* embed.c - a C program that trains in Lua and reads the result back.
**
** It links the runtime, opens a Lua state of its own, puts the module "gru.core" into it, runs a
** short training script, and looks at the loss and the weights through gru.h.
**
**     cmake --build build --target embed && build/tests/embed lua
**
** The argument is the folder of the Lua library; LUA_PATH would do as well.
*/
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#include "gru.h"
#include "gru_lua.h"

/* Fits y = 3 x - 1 by gradient descent; returns the loss tensor and the weight. */
static const char script[] =
    "local gru = require 'gru'\n"
    "gru.manual_seed(0)\n"
    "local x = gru.randn(64, 1)\n"
    "local y = x * 3 - 1\n"
    "local model = gru.nn.Linear(1, 1)\n"
    "local optimizer = gru.optim.SGD(model:parameters(), {lr = 0.2})\n"
    "local loss\n"
    "for _ = 1, 100 do\n"
    "  optimizer:zero_grad()\n"
    "  loss = (model(x) - y):square():mean()\n"
    "  loss:backward()\n"
    "  optimizer:step()\n"
    "end\n"
    "return loss, model.weight\n";

static int fail(lua_State *L, const char *what) {
  fprintf(stderr, "embed: %s: %s\n", what, lua_tostring(L, -1));
  lua_close(L);
  return EXIT_FAILURE;
}

/* Reads a one-element tensor at stack index `idx`; 0 when that fails. */
static int read_number(lua_State *L, int idx, double *out) {
  gru_tensor *t = gruL_totensor(L, idx);
  return t && gru_tensor_item(t, out) == GRU_OK;
}

int main(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  double loss, weight;
  if (!L) return EXIT_FAILURE;
  luaL_openlibs(L);

  /* One thread is plenty here; every other setting is the default. */
  gruL_configure(L, &(gruL_options){.runtime = {.threads = 1}});
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_gru_core);
  lua_setfield(L, -2, "gru.core");
  lua_pop(L, 1);

  if (argc > 1) { /* where lua/gru stands */
    lua_getglobal(L, "package");
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", argv[1], argv[1]);
    lua_setfield(L, -2, "path");
    lua_pop(L, 1);
  }
  if (luaL_loadstring(L, script) != LUA_OK || lua_pcall(L, 0, 2, 0) != LUA_OK)
    return fail(L, "the script failed");
  if (!read_number(L, -2, &loss) || !read_number(L, -1, &weight)) {
    lua_pushstring(L, gru_runtime_error(gruL_runtime(L)));
    return fail(L, "the result cannot be read");
  }
  printf("loss %.6f, weight %.4f\n", loss, weight);
  lua_close(L);
  return EXIT_SUCCESS;
}

/* main.c - gru-lua: stock `lua` with the tensor runtime inside.
**
** Reading order: options (the command line), info (--version, --device), state (Lua's, on heap),
** then, inside a protected call: library (require "gru"), call (run and report), repl; interrupt
** serves Ctrl-C to all of them.
*/
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "info.h"
#include "interrupt.h"
#include "library.h"
#include "options.h"
#include "profile.h"
#include "repl.h"
#include "state.h"

/* A command line, for `run`. */
typedef struct gru_cli_start {
  int argc;
  char **argv;
  gru_cli_options options;
} gru_cli_start;

/* gru_runtime_config.log: warnings of the core are warnings of Lua. */
static void warn(void *L, const char *line) { lua_warning(L, line, 0); }

/* Tells the runtime, which a script may make later, what the command line said. */
static void configure_runtime(lua_State *L, const gruL_options *from) {
  gruL_options options = *from;
  options.runtime.should_abort = gruI_interrupt_poll;
  options.runtime.log = warn;
  options.runtime.log_context = L;
  gruL_configure(L, &options);
}

/* Sets the global `arg`: the script is 0, what follows it counts up, the rest is
** negative.  Without a script the program itself is 0. */
static void set_arg(lua_State *L, const gru_cli_start *start) {
  int zero = start->options.script < start->argc ? start->options.script : 0;
  lua_createtable(L, start->argc - zero, zero);
  for (int i = 0; i < start->argc; i++) {
    lua_pushstring(L, start->argv[i]);
    lua_rawseti(L, -2, i - zero);
  }
  lua_setglobal(L, "arg");
}

/* Runs LUA_INIT: code, or "@" and the name of a file.  LUA_INIT_5_4 comes before it. */
static int run_environment(lua_State *L) {
  static const char *const chunk_names[] = {"=LUA_INIT" LUA_VERSUFFIX, "=LUA_INIT"};
  for (int i = 0; i < 2; i++) {
    const char *code = getenv(chunk_names[i] + 1);
    if (code == NULL) continue;
    return code[0] == '@' ? gruI_call_file(L, code + 1) : gruI_call_string(L, code, chunk_names[i]);
  }
  return EXIT_SUCCESS;
}

/* Does "-l module" or "-l global=module". */
static int run_require(lua_State *L, const char *text) {
  const char *equals = strchr(text, '=');
  size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);
  const char *global = lua_pushlstring(L, text, length);
  lua_getglobal(L, "require");
  lua_pushstring(L, equals != NULL ? equals + 1 : text);
  int status = gruI_call_protected(L, 1, 1);
  if (status == LUA_OK) lua_setglobal(L, global);
  int exit_status = gruI_call_report(L, status);
  lua_pop(L, 1); /* the global's name */
  return exit_status;
}

/* Does -e, -l and -W in their order, up to the first that fails. */
static int run_options(lua_State *L, const gru_cli_start *start) {
  int at = 1, exit_status = EXIT_SUCCESS;
  while (at < start->options.script && exit_status == EXIT_SUCCESS) {
    const char *value;
    switch (gruI_options_next(start->argv, &at, &value)) {
      case GRU_OPTION_RUN: exit_status = gruI_call_string(L, value, "=(command line)"); break;
      case GRU_OPTION_REQUIRE: exit_status = run_require(L, value); break;
      case GRU_OPTION_WARN: lua_warning(L, "@on", 0); break;
      default: break;
    }
  }
  return exit_status;
}

/* Pushes the positive entries of the global `arg`, as it is by now. */
static int push_arguments(lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE) luaL_error(L, "'arg' is not a table");
  lua_Integer count = luaL_len(L, -1);
  if (count > INT_MAX - 3) luaL_error(L, "too many arguments to script");
  luaL_checkstack(L, (int)count + 3, "too many arguments to script");
  int table = lua_gettop(L);
  for (lua_Integer i = 1; i <= count; i++) lua_rawgeti(L, table, i);
  lua_remove(L, table);
  return count > 0 ? (int)count : 0;
}

/* Runs the script; "-" is stdin, but for a file of that name after "--". */
static int run_script(lua_State *L, const gru_cli_start *start) {
  char **script = start->argv + start->options.script;
  int is_stdin = strcmp(script[0], "-") == 0 && strcmp(script[-1], "--") != 0;
  int status = luaL_loadfile(L, is_stdin ? NULL : script[0]);
  if (status == LUA_OK) status = gruI_call_protected(L, push_arguments(L), 0);
  return gruI_call_report(L, status);
}

/* Writes the line that -v and the prompt begin with. */
static void write_lua_version(void) {
  printf("%s\n", LUA_COPYRIGHT);
  fflush(stdout);
}

/* What there is to do without a script: a prompt on a terminal, else the code in stdin,
** whose errors, as in stock `lua`, do not make the exit status. */
static int run_stdin(lua_State *L) {
  if (gruI_repl_wanted()) {
    write_lua_version();
    gruI_repl_run(L);
    return EXIT_SUCCESS;
  }
  int exit_status = gruI_call_file(L, NULL);
  return exit_status == GRU_INTERRUPT_EXIT ? exit_status : EXIT_SUCCESS;
}

/* Libraries, settings, and the state of the collector that stock `lua` runs under. */
static void open_state(lua_State *L, const gru_cli_start *start) {
  luaL_checkversion(L);
  if (start->options.no_env) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV"); /* the package library asks */
  }
  luaL_openlibs(L);
  gruI_library_preload(L);
  configure_runtime(L, &start->options.runtime);
  set_arg(L, start);
  lua_gc(L, LUA_GCGEN, 0, 0);
}

/* Does what the command line says to run, up to the first failure. */
static int run_work(lua_State *L, const gru_cli_start *start) {
  const gru_cli_options *options = &start->options;
  int has_script = options->script < start->argc;
  int exit_status = run_options(L, start);
  if (exit_status == EXIT_SUCCESS && has_script) exit_status = run_script(L, start);
  if (exit_status != EXIT_SUCCESS) return exit_status;
  if (options->interactive)
    gruI_repl_run(L);
  else if (!has_script && !options->has_run && !options->lua_version)
    return run_stdin(L);
  return EXIT_SUCCESS;
}

/* Does everything that the command line asks for, up to the first failure.  Returns an
** exit status. */
static int run_all(lua_State *L, const gru_cli_start *start) {
  const gru_cli_options *options = &start->options;
  int exit_status = EXIT_SUCCESS;
  if (!options->no_env) exit_status = run_environment(L);
  if (exit_status != EXIT_SUCCESS) return exit_status;
  if (!options->profile) return run_work(L, start);
  exit_status = gruI_profile_begin(L, options->trace);
  if (exit_status != EXIT_SUCCESS) return exit_status;
  exit_status = run_work(L, start);
  gruI_profile_end(L);
  return exit_status;
}

/* The program inside lua_pcall: takes a gru_cli_start, returns an exit status. */
static int run(lua_State *L) {
  const gru_cli_start *start = lua_touserdata(L, 1);
  if (start->options.lua_version) write_lua_version();
  open_state(L, start);
  int exit_status = run_all(L, start);
  lua_pushinteger(L, exit_status);
  return 1;
}

/* Writes what is wrong with the command line, and how it should be. */
static int fail_usage(const char *program, const char *problem) {
  gruI_call_message(problem);
  gruI_options_usage(stderr, program);
  return EXIT_FAILURE;
}

/* Runs Lua.  Returns an exit status. */
static int run_state(gru_cli_start *start) {
  lua_State *L = gruI_state_new();
  if (L == NULL) {
    gruI_call_message("cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, start);
  int status = lua_pcall(L, 1, 1, 0);
  int exit_status = status == LUA_OK ? (int)lua_tointeger(L, -1) : gruI_call_report(L, status);
  gruI_state_close(L);
  return exit_status;
}

int main(int argc, char **argv) {
  gru_cli_start start = {.argc = argc, .argv = argv};
  const char *program = argc > 0 && argv[0][0] != '\0' ? argv[0] : "gru-lua";
  char problem[512];
  gruI_call_set_name(program);
  if (!gruI_options_parse(argc, argv, &start.options, problem, sizeof problem))
    return fail_usage(program, problem);
  if (start.options.help) {
    gruI_options_usage(stdout, program);
    return EXIT_SUCCESS;
  }
  if (start.options.version) return gruI_info_version(&start.options.runtime);
  if (gruI_info_check_device(&start.options.runtime) != EXIT_SUCCESS) return EXIT_FAILURE;
  return run_state(&start);
}

/* repl.c - read, run, print.
**
** A line is tried as an expression first; a statement that ends too early asks for more
** lines.  Terminals get line editing where the build has libedit; everything else is read
** as it comes, with the prompts written to stdout.
*/
#define _POSIX_C_SOURCE 200809L

#include "repl.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

#define END_OF_INPUT (-1) /* beside the statuses of Lua */

int gruI_repl_wanted(void) { return isatty(STDIN_FILENO); }

/* ---- lines --------------------------------------------------------------------- */

/* Reads a line without editing.  New memory, or NULL at the end. */
static char *read_plain(const char *prompt) {
  fputs(prompt, stdout);
  fflush(stdout);
  char *line = NULL;
  size_t room = 0;
  if (getline(&line, &room, stdin) < 0) {
    free(line);
    return NULL;
  }
  line[strcspn(line, "\n")] = '\0';
  return line;
}

#ifdef GRU_HAVE_EDITLINE

#include <editline/readline.h>
#include <locale.h>

/* Prepares the terminal, if there is one. */
static void start_editing(void) {
  if (!gruI_repl_wanted()) return;
  setlocale(LC_CTYPE, ""); /* libedit reads multibyte characters by it */
  rl_readline_name = "gru-lua";
  rl_initialize();
  rl_bind_key('\t', rl_insert);
  using_history();
}

/* Reads a line, edited on a terminal.  New memory, or NULL at the end. */
static char *read_line(const char *prompt) {
  return gruI_repl_wanted() ? readline(prompt) : read_plain(prompt);
}

/* Puts a statement into the history. */
static void remember(const char *text) {
  if (*text != '\0' && gruI_repl_wanted()) add_history(text);
}

#else

static void start_editing(void) {}

static char *read_line(const char *prompt) { return read_plain(prompt); }

static void remember(const char *text) { (void)text; }

#endif

/* Pushes the prompt, which a script may set, as a string. */
static const char *push_prompt(lua_State *L, int first) {
  if (lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2") == LUA_TNIL)
    lua_pushstring(L, first ? "> " : ">> ");
  else
    luaL_tolstring(L, -1, NULL);
  lua_remove(L, -2);
  return lua_tostring(L, -1);
}

/* Pushes the next line; nothing, and 0, at the end of the input. */
static int push_line(lua_State *L, int first) {
  char *line = read_line(push_prompt(L, first));
  lua_pop(L, 1);
  if (line == NULL) return 0;
  if (first && line[0] == '=')
    lua_pushfstring(L, "return %s", line + 1); /* as Lua 5.2 and before wrote it */
  else
    lua_pushstring(L, line);
  free(line);
  return 1;
}

/* ---- statements ------------------------------------------------------------------ */

/* Pushes the chunk, or the message.  Returns a status of Lua. */
static int load(lua_State *L, const char *text) {
  return luaL_loadbuffer(L, text, strlen(text), "=stdin");
}

/* Tries the line at index 1 as an expression.  Pushes a chunk only if it is one. */
static int load_expression(lua_State *L) {
  int status = load(L, lua_pushfstring(L, "return %s;", lua_tostring(L, 1)));
  if (status == LUA_OK)
    lua_remove(L, -2); /* the text */
  else
    lua_pop(L, 2);
  return status;
}

/* Does the message on top say that the text ended too early? */
static int is_incomplete(lua_State *L, int status) {
  static const char mark[] = "<eof>";
  size_t length;
  if (status != LUA_ERRSYNTAX) return 0;
  const char *message = lua_tolstring(L, -1, &length);
  size_t from = sizeof mark - 1;
  return length >= from && strcmp(message + length - from, mark) == 0;
}

/* Loads the statement that begins with the line at index 1, reading on while it is
** incomplete.  Leaves the whole text at index 1 and pushes the chunk or the message. */
static int load_statement(lua_State *L) {
  int status = load(L, lua_tostring(L, 1));
  while (is_incomplete(L, status) && push_line(L, 0)) {
    lua_pushliteral(L, "\n");
    lua_replace(L, -3); /* over the message */
    lua_concat(L, 3);
    status = load(L, lua_tostring(L, 1));
  }
  return status;
}

/* Leaves the next chunk, or the message why there is none, alone on the stack. */
static int read_chunk(lua_State *L) {
  lua_settop(L, 0);
  if (!push_line(L, 1)) return END_OF_INPUT;
  int status = load_expression(L);
  if (status != LUA_OK) status = load_statement(L);
  remember(lua_tostring(L, 1));
  lua_remove(L, 1);
  return status;
}

/* Shows every value on the stack with the global `print`. */
static void print_results(lua_State *L) {
  int count = lua_gettop(L);
  if (count == 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, 1);
  if (lua_pcall(L, count, 0, 0) != LUA_OK) {
    const char *why = lua_tostring(L, -1);
    if (why == NULL) why = "error message not a string";
    gruI_call_message(lua_pushfstring(L, "error calling 'print' (%s)", why));
  }
}

void gruI_repl_run(lua_State *L) {
  const char *name = gruI_call_set_name(NULL);
  int status;
  start_editing();
  while ((status = read_chunk(L)) != END_OF_INPUT) {
    if (status == LUA_OK) status = gruI_call_protected(L, 0, LUA_MULTRET);
    if (status == LUA_OK)
      print_results(L);
    else
      gruI_call_report(L, status);
  }
  lua_settop(L, 0);
  putchar('\n');
  fflush(stdout);
  gruI_call_set_name(name);
}

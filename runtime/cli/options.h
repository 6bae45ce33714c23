/* options.h - the command line of gru-lua: the options of stock `lua`, and ours. */
#ifndef GRU_CLI_OPTIONS_H
#define GRU_CLI_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include "gru_lua.h"

/* What gruI_options_next() met.  Letters are those of stock `lua`. */
enum {
  GRU_OPTION_END = 0,       /* the script, or the end, is at *at */
  GRU_OPTION_UNKNOWN = -1,  /* no such option */
  GRU_OPTION_NO_VALUE = -2, /* an option without the value it needs */
  GRU_OPTION_RUN = 'e',
  GRU_OPTION_REQUIRE = 'l',
  GRU_OPTION_INTERACTIVE = 'i',
  GRU_OPTION_LUA_VERSION = 'v',
  GRU_OPTION_NO_ENV = 'E',
  GRU_OPTION_WARN = 'W',
  GRU_OPTION_DEVICE = 256,
  GRU_OPTION_THREADS,
  GRU_OPTION_SEED,
  GRU_OPTION_MAX_MEMORY,
  GRU_OPTION_PROFILE,
  GRU_OPTION_VERSION,
  GRU_OPTION_HELP
};

/* A whole command line. */
typedef struct gru_cli_options {
  int interactive;      /* -i */
  int lua_version;      /* -v, and -i which implies it */
  int no_env;           /* -E */
  int has_run;          /* at least one -e */
  int profile;          /* --profile */
  const char *trace;    /* its value, or NULL */
  int version;          /* --version */
  int help;             /* --help */
  int script;           /* position of the script in argv; argc when there is none */
  gruL_options runtime; /* --device --threads --seed --max-memory */
} gru_cli_options;

/* Reads the option at argv[*at] and moves *at past it; *value (borrowed from argv) is
** its value, or NULL.  Returns one of the numbers above; *at stays at a bad option. */
int gruI_options_next(char **argv, int *at, const char **value);

/* Reads every option before the script.  Returns nonzero; or 0, and says why in one line
** in `problem`. */
int gruI_options_parse(int argc, char **argv, gru_cli_options *out, char *problem,
                       size_t problem_size);

/* Writes how the program is called. */
void gruI_options_usage(FILE *out, const char *program);

#endif

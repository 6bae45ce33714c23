/* options.c - reads the command line, and says how it is written. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
  NO_VALUE,    /* the word is the option */
  SHORT_VALUE, /* "-eX" or "-e X" */
  LONG_VALUE,  /* "--name=X" or "--name X" */
  LONG_MAYBE   /* "--name=X" or "--name" alone */
};

static const struct option {
  const char *name;
  int id;
  int form;
} table[] = {
    {"-e", GRU_OPTION_RUN, SHORT_VALUE},
    {"-i", GRU_OPTION_INTERACTIVE, NO_VALUE},
    {"-l", GRU_OPTION_REQUIRE, SHORT_VALUE},
    {"-v", GRU_OPTION_LUA_VERSION, NO_VALUE},
    {"-E", GRU_OPTION_NO_ENV, NO_VALUE},
    {"-W", GRU_OPTION_WARN, NO_VALUE},
    {"--device", GRU_OPTION_DEVICE, LONG_VALUE},
    {"--threads", GRU_OPTION_THREADS, LONG_VALUE},
    {"--seed", GRU_OPTION_SEED, LONG_VALUE},
    {"--max-memory", GRU_OPTION_MAX_MEMORY, LONG_VALUE},
    {"--profile", GRU_OPTION_PROFILE, LONG_MAYBE},
    {"--version", GRU_OPTION_VERSION, NO_VALUE},
    {"--help", GRU_OPTION_HELP, NO_VALUE},
    {NULL, 0, 0},
};

void gruI_options_usage(FILE *out, const char *program) {
  fprintf(out,
          "usage: %s [options] [script [args]]\n"
          "Available options are:\n"
          "  -e stat   execute string 'stat'\n"
          "  -i        enter interactive mode after executing 'script'\n"
          "  -l mod    require library 'mod' into global 'mod'\n"
          "  -l g=mod  require library 'mod' into global 'g'\n"
          "  -v        show version information\n"
          "  -E        ignore environment variables\n"
          "  -W        turn warnings on\n"
          "  --        stop handling options\n"
          "  -         stop handling options and execute stdin\n"
          "Options of the tensor runtime (require \"gru\"):\n"
          "  --device NAME      make tensors there: cpu, cuda, cuda:1 (default cpu)\n"
          "  --threads N        CPU threads, 1 to 256 (default: the cores at hand)\n"
          "  --seed N           seed of the random generator (default: from the clock)\n"
          "  --max-memory SIZE  limit of tensor memory on the CPU, in bytes or with K, M\n"
          "                     or G (default: 80%% of the memory at hand)\n"
          "  --profile[=FILE]   show on stderr where the time went; a trace into FILE, in\n"
          "                     Chrome's trace event format\n"
          "  --version          show the versions and the devices, and exit\n"
          "  --help             show this text, and exit\n",
          program);
  fflush(out);
}

/* Does `word` spell `option`?  *value becomes a value joined to it, else NULL. */
static int matches(const struct option *option, const char *word, const char **value) {
  size_t length = strlen(option->name);
  if (strncmp(word, option->name, length) != 0) return 0;
  const char *rest = word + length;
  *value = NULL;
  if (*rest == '\0') return 1;
  switch (option->form) {
    case SHORT_VALUE: *value = rest; return 1;
    case LONG_VALUE:
    case LONG_MAYBE: *value = rest + 1; return *rest == '=';
    default: return 0;
  }
}

int gruI_options_next(char **argv, int *at, const char **value) {
  const char *word = argv[*at];
  *value = NULL;
  if (word == NULL || word[0] != '-' || word[1] == '\0') return GRU_OPTION_END;
  if (strcmp(word, "--") == 0) {
    (*at)++;
    return GRU_OPTION_END;
  }
  const struct option *option = table;
  while (option->name != NULL && !matches(option, word, value)) option++;
  if (option->name == NULL) return GRU_OPTION_UNKNOWN;
  int words = 1;
  bool takes_value = option->form == SHORT_VALUE || option->form == LONG_VALUE;
  if (takes_value && *value == NULL) { /* it is the next word */
    *value = argv[*at + 1];
    if (*value == NULL || **value == '-') return GRU_OPTION_NO_VALUE;
    words = 2;
  }
  bool is_long = option->form == LONG_VALUE || option->form == LONG_MAYBE;
  if (is_long && *value != NULL && **value == '\0') return GRU_OPTION_NO_VALUE;
  *at += words;
  return option->id;
}

/* Reads a whole number of decimal digits up to `end`; nonzero when it fits in 64 bits. */
static int read_number(const char *text, const char **end, uint64_t *out) {
  if (!isdigit((unsigned char)*text)) return 0;
  char *stop;
  errno = 0;
  unsigned long long number = strtoull(text, &stop, 10);
  *end = stop;
  *out = number;
  return errno == 0 && number <= UINT64_MAX;
}

/* Reads a number of threads; nonzero when it is one. */
static int read_threads(const char *text, int *out) {
  const char *end;
  uint64_t number;
  if (!read_number(text, &end, &number) || *end != '\0') return 0;
  if (number < 1 || number > 256) return 0;
  *out = (int)number;
  return 1;
}

/* Reads any unsigned 64-bit number. */
static int read_seed(const char *text, gruL_options *out) {
  const char *end;
  if (!read_number(text, &end, &out->seed) || *end != '\0') return 0;
  out->has_seed = 1;
  return 1;
}

/* Reads bytes with an optional K, M or G (powers of 1024). */
static int read_size(const char *text, size_t *out) {
  const char *end;
  uint64_t number;
  if (!read_number(text, &end, &number) || number == 0) return 0;
  int shift = 0;
  switch (*end) {
    case 'k':
    case 'K': shift = 10; break;
    case 'm':
    case 'M': shift = 20; break;
    case 'g':
    case 'G': shift = 30; break;
    default: break;
  }
  if (shift != 0) end++;
  if (*end != '\0' || number > (SIZE_MAX >> shift)) return 0;
  *out = (size_t)number << shift;
  return 1;
}

/* Puts one option into `out`.  Returns NULL, or what its value should have been. */
static const char *take(gru_cli_options *out, int id, const char *value) {
  switch (id) {
    case GRU_OPTION_RUN: out->has_run = 1; break;
    case GRU_OPTION_INTERACTIVE: out->interactive = out->lua_version = 1; break;
    case GRU_OPTION_LUA_VERSION: out->lua_version = 1; break;
    case GRU_OPTION_NO_ENV: out->no_env = 1; break;
    case GRU_OPTION_DEVICE: out->runtime.device = value; break;
    case GRU_OPTION_THREADS:
      if (!read_threads(value, &out->runtime.runtime.threads)) return "1 to 256";
      break;
    case GRU_OPTION_SEED:
      if (!read_seed(value, &out->runtime)) return "0 to 18446744073709551615";
      break;
    case GRU_OPTION_MAX_MEMORY:
      if (!read_size(value, &out->runtime.runtime.max_memory))
        return "bytes, such as 500000, 512K, 64M or 2G";
      break;
    case GRU_OPTION_PROFILE:
      out->profile = 1;
      out->trace = value;
      break;
    case GRU_OPTION_VERSION: out->version = 1; break;
    case GRU_OPTION_HELP: out->help = 1; break;
    default: break; /* -l and -W act later, in order */
  }
  return NULL;
}

int gruI_options_parse(int argc, char **argv, gru_cli_options *out, char *problem,
                       size_t problem_size) {
  memset(out, 0, sizeof *out);
  int at = argc > 0 ? 1 : 0;
  for (;;) {
    const char *word = argv[at];
    const char *value;
    int id = gruI_options_next(argv, &at, &value);
    switch (id) {
      case GRU_OPTION_END: out->script = at; return 1;
      case GRU_OPTION_UNKNOWN:
        snprintf(problem, problem_size, "unrecognized option '%s'", word);
        return 0;
      case GRU_OPTION_NO_VALUE:
        snprintf(problem, problem_size, "'%s' needs argument", word);
        return 0;
      default: break;
    }
    const char *wanted = take(out, id, value);
    if (wanted != NULL) {
      snprintf(problem, problem_size, "'%.*s' cannot be '%s' (wanted: %s)", (int)strcspn(word, "="),
               word, value, wanted);
      return 0;
    }
  }
}

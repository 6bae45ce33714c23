/* profile.c - gathers the spans of the core, for gru.profile.
**
** Spans are added up as they end, in a table by op, pass and line; single ones are kept only for a
** trace.  The Lua library (lua/gru/profile.lua) reads both when the profile has stopped.
*/
#include <stdlib.h>
#include <string.h>

#include "binding.h"

#define TYPE "gru.Profile"

/* What the spans of one op, in one pass, from one line come to. */
typedef struct row {
  const char *name, *chunk; /* compared by address; name NULL is an empty place */
  int line;
  bool in_backward, is_engine;
  int64_t calls, entries; /* but for calls inside calls of the op; from the script or the engine */
  int64_t total, self;    /* nanoseconds: of those calls; of all, but for what is inside */
  uint64_t bytes;
} row;

typedef struct event {
  const char *name, *chunk;
  int line;
  bool in_backward, is_engine;
  int64_t start, stop;
  uint64_t bytes;
} event;

struct gruL_profile {
  gruL_state *s;
  char *skip; /* sources that begin so are the library's; NULL: none */
  row *rows;  /* open addressing, a power of two */
  size_t nrows, size;
  event *events;
  size_t nevents, capacity, most;
  int64_t lost; /* spans without memory, or past the most events */
};

static const char registry_profile; /* its address is the key of the profile that runs */

/* ---- adding up ----------------------------------------------------------------------------- */

static size_t hash(const gru_span *span) {
  uint64_t h = (uintptr_t)span->name * 31 + (uintptr_t)span->chunk;
  h = (h + (uint64_t)span->line * 2 + (span->in_backward != 0)) * 0x9E3779B97F4A7C15u;
  return (size_t)(h >> 32);
}

static bool is_for(const row *r, const gru_span *span) {
  return r->name == span->name && r->chunk == span->chunk && r->line == span->line &&
         r->in_backward == (span->in_backward != 0);
}

/* The place of the span's row, which may be empty. */
static row *probe(row *rows, size_t size, const gru_span *span) {
  size_t i = hash(span) & (size - 1);
  while (rows[i].name && !is_for(&rows[i], span)) i = (i + 1) & (size - 1);
  return &rows[i];
}

static bool reserve(gruL_profile *p) {
  if (p->size > 0 && p->nrows < p->size / 2) return true;
  size_t size = p->size ? p->size * 2 : 256;
  row *rows = calloc(size, sizeof *rows);
  if (!rows) return false;
  for (size_t i = 0; i < p->size; i++) {
    const row *r = &p->rows[i];
    if (!r->name) continue;
    gru_span key = {
        .name = r->name, .chunk = r->chunk, .line = r->line, .in_backward = r->in_backward};
    *probe(rows, size, &key) = *r;
  }
  free(p->rows);
  p->rows = rows;
  p->size = size;
  return true;
}

/* Does it run inside another span of its op and pass? */
static bool is_nested(const gru_span *span) {
  for (const gru_span *o = span->outer; o; o = o->outer)
    if (o->name == span->name && o->in_backward == span->in_backward) return true;
  return false;
}

static bool add_row(gruL_profile *p, const gru_span *span) {
  if (!reserve(p)) return false;
  row *r = probe(p->rows, p->size, span);
  if (!r->name) {
    *r = (row){.name = span->name,
               .chunk = span->chunk,
               .line = span->line,
               .in_backward = span->in_backward != 0,
               .is_engine = span->kind == GRU_SPAN_BACKWARD};
    p->nrows++;
  }
  int64_t time = span->stop - span->start;
  bool is_call = span->kind != GRU_SPAN_LATER;
  if (!is_nested(span)) {
    r->calls += is_call;
    r->total += time;
  }
  if (is_call && (!span->outer || span->outer->kind == GRU_SPAN_BACKWARD)) r->entries++;
  r->self += time - span->inner;
  r->bytes += span->bytes - span->inner_bytes;
  return true;
}

static bool add_event(gruL_profile *p, const gru_span *span) {
  if (p->most == 0) return true;
  if (p->nevents == p->most) return false;
  if (p->nevents == p->capacity) {
    size_t capacity = p->capacity ? p->capacity * 2 : 1024;
    event *events = realloc(p->events, capacity * sizeof *events);
    if (!events) return false;
    p->events = events;
    p->capacity = capacity;
  }
  p->events[p->nevents++] = (event){.name = span->name,
                                    .chunk = span->chunk,
                                    .line = span->line,
                                    .in_backward = span->in_backward != 0,
                                    .is_engine = span->kind == GRU_SPAN_BACKWARD,
                                    .start = span->start,
                                    .stop = span->stop,
                                    .bytes = span->bytes};
  return true;
}

static void take(void *context, const gru_span *span) {
  gruL_profile *p = context;
  bool added = add_row(p, span);
  if (!add_event(p, span) || !added) p->lost++;
}

/* ---- where the script is ------------------------------------------------------------------- */

bool gruL_profile_find_line(lua_State *L, const gruL_profile *p, lua_Debug *where) {
  bool found = false;
  for (int level = 1; lua_getstack(L, level, where); level++) {
    lua_getinfo(L, "Sl", where);
    found = where->currentline > 0;
    if (found && !(p->skip && strncmp(where->source, p->skip, strlen(p->skip)) == 0)) return true;
  }
  /* the library all the way: its innermost line */
  for (int level = 1; found && lua_getstack(L, level, where); level++) {
    lua_getinfo(L, "Sl", where);
    if (where->currentline > 0) return true;
  }
  return false;
}

/* ---- starting and stopping ----------------------------------------------------------------- */

/* No more spans for `p`. */
static void detach(gruL_profile *p) {
  if (p->s->profile != p) return;
  p->s->profile = NULL;
  if (p->s->rt) gru_set_profile(p->s->rt, NULL, NULL);
}

static int collect(lua_State *L) {
  gruL_profile *p = luaL_checkudata(L, 1, TYPE);
  detach(p);
  free(p->skip);
  free(p->rows);
  free(p->events);
  p->skip = NULL;
  p->rows = NULL;
  p->events = NULL;
  return 0;
}

/* core.profile_start(skip | nil, most): sources that begin with `skip` are passed over in the search
** for the script's line; `most` events are kept. */
static int start(lua_State *L) {
  gruL_state *s = gruL_self(L);
  const char *skip = luaL_optstring(L, 1, NULL);
  lua_Integer most = luaL_checkinteger(L, 2);
  if (s->profile) return luaL_error(L, "profile: one is running already");
  gruL_profile *p = lua_newuserdatauv(L, sizeof *p, 0);
  *p = (gruL_profile){.s = s, .most = most > 0 ? (size_t)most : 0};
  if (luaL_newmetatable(L, TYPE)) {
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  if (skip && !(p->skip = strdup(skip))) return luaL_error(L, "profile: out of memory");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_profile);
  s->profile = p;
  gru_set_profile(s->rt, take, p);
  return 0;
}

/* core.profile_stop() -> what was gathered, or nil when none runs */
static int stop(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_profile) != LUA_TUSERDATA) return 1;
  detach(lua_touserdata(L, -1));
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_profile);
  return 1;
}

static int is_running(lua_State *L) {
  lua_pushboolean(L, gruL_self(L)->profile != NULL);
  return 1;
}

/* ---- reading ------------------------------------------------------------------------------- */

static void push_line(lua_State *L, const char *chunk, int line) {
  if (chunk)
    lua_pushfstring(L, "%s:%d", chunk, line);
  else
    lua_pushliteral(L, "?");
}

static const char *op_of(const char *name, bool is_engine) { return is_engine ? "(engine)" : name; }

static const char *pass_of(bool in_backward) { return in_backward ? "backward" : "forward"; }

static void set_integer(lua_State *L, const char *key, int64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, key);
}

/* core.profile_rows(gathered) -> {{op=, pass=, line=, calls=, entries=, total=, self=, bytes=}, ...},
** in nanoseconds; how many spans were lost */
static int rows(lua_State *L) {
  const gruL_profile *p = luaL_checkudata(L, 1, TYPE);
  lua_createtable(L, (int)p->nrows, 0);
  lua_Integer n = 0;
  for (size_t i = 0; i < p->size; i++) {
    const row *r = &p->rows[i];
    if (!r->name) continue;
    lua_createtable(L, 0, 8);
    lua_pushstring(L, op_of(r->name, r->is_engine));
    lua_setfield(L, -2, "op");
    lua_pushstring(L, pass_of(r->in_backward));
    lua_setfield(L, -2, "pass");
    push_line(L, r->chunk, r->line);
    lua_setfield(L, -2, "line");
    set_integer(L, "calls", r->calls);
    set_integer(L, "entries", r->entries);
    set_integer(L, "total", r->total);
    set_integer(L, "self", r->self);
    set_integer(L, "bytes", (int64_t)r->bytes);
    lua_rawseti(L, -2, ++n);
  }
  lua_pushinteger(L, p->lost);
  return 2;
}

/* core.profile_event(gathered, i) -> op, pass, line, start, stop (nanoseconds), bytes; nil past the
** last */
static int event_at(lua_State *L) {
  const gruL_profile *p = luaL_checkudata(L, 1, TYPE);
  lua_Integer i = luaL_checkinteger(L, 2);
  if (i < 1 || (lua_Unsigned)i > p->nevents) return 0;
  const event *e = &p->events[i - 1];
  lua_pushstring(L, op_of(e->name, e->is_engine));
  lua_pushstring(L, pass_of(e->in_backward));
  push_line(L, e->chunk, e->line);
  lua_pushinteger(L, e->start);
  lua_pushinteger(L, e->stop);
  lua_pushinteger(L, (lua_Integer)e->bytes);
  return 6;
}

void gruL_open_profile(lua_State *L) {
  static const luaL_Reg functions[] = {{"profile_start", start},     {"profile_stop", stop},
                                       {"is_profiling", is_running}, {"profile_rows", rows},
                                       {"profile_event", event_at},  {NULL, NULL}};
  gruL_register(L, functions);
}

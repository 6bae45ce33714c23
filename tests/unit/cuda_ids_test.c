/* cuda_ids_test.c - kernels of the CUDA backend within a graph, where nobody waits: ids that are out of
** range are left alone and told of later, what needs the host is refused, and draws go on from a
** counter on the device.  The plugin is the argument: the emulated one.
*/
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/device.h"

static int failed;

static void check(int holds, int line, const char *what) {
  if (holds) return;
  failed++;
  printf("line %d: %s\n", line, what);
}
#define CHECK(condition, what) check((condition) ? 1 : 0, __LINE__, what)

static gruI_device cuda;

static void *on_device(const void *from, size_t bytes) {
  void *to = cuda.backend->alloc(&cuda, bytes);
  if (to == NULL || cuda.backend->upload(&cuda, to, from, bytes) != GRU_OK) abort();
  return to;
}
#define ON_DEVICE(array) on_device(array, sizeof array)

static int holds(const void *at, const void *want, size_t bytes) {
  char got[1024];
  if (bytes > sizeof got || cuda.backend->download(&cuda, got, at, bytes) != GRU_OK) return 0;
  return memcmp(got, want, bytes) == 0;
}
#define HOLDS(at, array) holds(at, array, sizeof array)

static void *finish(void) {
  void *graph;
  int64_t nodes;
  CHECK(cuda.backend->capture_end(&cuda, &graph, &nodes) == GRU_OK && nodes > 0, "capture_end");
  return graph;
}

static void begin(void) { CHECK(cuda.backend->capture_begin(&cuda) == GRU_OK, "capture_begin"); }

/* Runs the graph, which meets the id `bad` at position `at`, counted from 1. */
static void run_with_bad_id(void *graph, int64_t bad, int at) {
  char told[64];
  CHECK(cuda.backend->graph_run(&cuda, graph) == GRU_OK, "graph_run");
  CHECK(cuda.backend->synchronize(&cuda) == GRU_ERROR_INDEX, "a bad id is told of");
  snprintf(told, sizeof told, "out of range: %lld at position %d,", (long long)bad, at);
  CHECK(strstr(cuda.fault.text, told) != NULL, cuda.fault.text);
  CHECK(cuda.backend->synchronize(&cuda) == GRU_OK, "once");
}

/* ---- rows ---------------------------------------------------------------------------------------- */

enum { ROWS = 3, WIDTH = 2, COUNT = 5 };
static const int64_t ids[COUNT] = {2, 9, 3, 0, 2}; /* from 1 on: 9 and 0 are bad */

static void test_take(void) {
  const float x[ROWS * WIDTH] = {1, 2, 3, 4, 5, 6};
  const float out[COUNT * WIDTH] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  const float want[COUNT * WIDTH] = {3, 4, -1, -1, 5, 6, -1, -1, 3, 4};
  gruI_rows call = {
      GRU_FLOAT32, 1,     COUNT, WIDTH,          ROWS, ON_DEVICE(ids), 1, 1, ON_DEVICE(x),
      0,           WIDTH, 1,     ON_DEVICE(out), 0};
  begin();
  CHECK(cuda.k->take(&cuda, &call) == GRU_OK, "take");
  void *graph = finish();
  run_with_bad_id(graph, 9, 2);
  CHECK(HOLDS(call.packed, want), "taken rows");
  cuda.backend->graph_free(&cuda, graph);
}

/* A target of `rows` rows, and `count` ids, the above over and over: of many, for many rows, the ids are
** sorted. */
static void test_put(gru_dtype dtype, int64_t rows, int64_t count) {
  size_t size = dtype == GRU_FLOAT32 ? 4 : 8, bytes = (size_t)(rows * WIDTH) * size;
  int64_t *some = malloc((size_t)count * sizeof *some), iwant[ROWS * WIDTH] = {0};
  char *src = malloc((size_t)(count * WIDTH) * size), *zeros = calloc(bytes, 1);
  float want[ROWS * WIDTH] = {0};
  if (some == NULL || src == NULL || zeros == NULL) abort();
  for (int64_t i = 0; i < count * WIDTH; i++) {
    int64_t id = i / WIDTH % COUNT == 1 ? rows + 6 : ids[i / WIDTH % COUNT];
    some[i / WIDTH] = id;
    if (dtype == GRU_FLOAT32)
      ((float *)src)[i] = 1 / (float)(i + 3);
    else
      ((int64_t *)src)[i] = i;
    if (id < 1 || id > ROWS) continue;
    want[(id - 1) * WIDTH + i % WIDTH] += 1 / (float)(i + 3);
    iwant[(id - 1) * WIDTH + i % WIDTH] += i;
  }
  gruI_rows call = {dtype, 1, count, WIDTH, rows, NULL, 1, 1, NULL, 0, WIDTH, 1, NULL, 0};
  call.ids = on_device(some, (size_t)count * sizeof *some);
  call.x = on_device(zeros, bytes);
  call.packed = on_device(src, (size_t)(count * WIDTH) * size);
  begin();
  CHECK(cuda.k->put(&cuda, &call) == GRU_OK, "put");
  void *graph = finish();
  run_with_bad_id(graph, rows + 6, 2);
  CHECK(dtype == GRU_FLOAT32 ? HOLDS(call.x, want) : HOLDS(call.x, iwant), "rows that were added");
  cuda.backend->graph_free(&cuda, graph);
  free(some), free(src), free(zeros);
}

/* ---- elements --------------------------------------------------------------------------------------- */

enum { LONG = 40 }; /* a line whose ids are sorted */

/* The first `count` of COUNT ids over and over, along one dim. */
static void test_along(gruI_along_kind kind, int count) {
  float x[ROWS] = {10, 20, 30}, other[LONG], want[LONG];
  int64_t many[LONG];
  for (int i = 0; i < LONG; i++) {
    many[i] = ids[i % COUNT];
    other[i] = (float)i;
    want[i] = kind == GRUI_GATHER && many[i] > 0 && many[i] < 4 ? x[many[i] - 1] : other[i];
  }
  gruI_along call = {
      kind, GRU_FLOAT32,      1,  0, {count}, ROWS, 1, ON_DEVICE(many), {1}, ON_DEVICE(x),
      {1},  ON_DEVICE(other), {1}};
  for (int i = 0; i < count; i++) {
    if (kind == GRUI_GATHER || many[i] < 1 || many[i] > ROWS) continue;
    x[many[i] - 1] = kind == GRUI_SCATTER ? other[i] : x[many[i] - 1] + other[i];
  }
  begin();
  CHECK(cuda.k->along(&cuda, &call) == GRU_OK, "along");
  void *graph = finish();
  run_with_bad_id(graph, 9, 2);
  CHECK(HOLDS(call.x, x), "elements of x");
  CHECK(holds(call.other, want, (size_t)count * sizeof *want), "gathered elements");
  cuda.backend->graph_free(&cuda, graph);
}

static void test_one_hot(void) {
  const float none[COUNT * ROWS] = {0};
  const float want[COUNT * ROWS] = {0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
  gruI_one_hot call = {GRU_FLOAT32, COUNT, ROWS, 1, ON_DEVICE(ids), ON_DEVICE(none)};
  begin();
  CHECK(cuda.k->one_hot(&cuda, &call) == GRU_OK, "one_hot");
  void *graph = finish();
  run_with_bad_id(graph, 9, 2);
  CHECK(HOLDS(call.out, want), "one-hot rows");
  cuda.backend->graph_free(&cuda, graph);
}

/* ---- values that the host wants, and counters ---------------------------------------------------------- */

static void test_nonzero(void) {
  const uint8_t in[4] = {0, 1, 1, 0};
  const int64_t want[2] = {1, 2};
  int64_t found = 7, none[2] = {0};
  gruI_nonzero call = {4, 1, {4}, 0, ON_DEVICE(in), &found, NULL};
  begin();
  CHECK(cuda.k->nonzero(&cuda, &call) == GRU_ERROR_DEVICE, "a count is refused");
  CHECK(strstr(cuda.fault.text, "graph: nonzero needs a value on the host") != NULL, "in words");
  call.found = NULL;
  call.out = ON_DEVICE(none);
  CHECK(cuda.k->nonzero(&cuda, &call) == GRU_OK, "positions are not");
  void *graph = finish();
  CHECK(cuda.backend->graph_run(&cuda, graph) == GRU_OK, "graph_run");
  CHECK(HOLDS(call.out, want), "positions");
  cuda.backend->graph_free(&cuda, graph);
}

static void test_random(void) {
  enum { N = 11 };
  float drawn[2][N] = {{0}};
  uint64_t at[1] = {0};
  gruI_random call = {.kind = GRUI_NORMAL, .dtype = GRU_FLOAT32, .count = N, .seed = 5, .b = 1};
  call.out = ON_DEVICE(drawn[0]);
  for (int i = 0; i < 2; i++) {
    call.counter = 3 + 8 * (uint64_t)i;
    CHECK(cuda.k->random(&cuda, &call) == GRU_OK, "random");
    CHECK(cuda.backend->download(&cuda, drawn[i], call.out, sizeof drawn[i]) == GRU_OK, "download");
  }
  uint64_t *counter = ON_DEVICE(at);
  call.counter = 3;
  call.counter_at = counter;
  begin();
  CHECK(cuda.k->random(&cuda, &call) == GRU_OK, "random");
  void *graph = finish();
  for (int i = 0; i < 2; i++) {
    at[0] = 8 * (uint64_t)i;
    CHECK(cuda.backend->upload(&cuda, counter, at, sizeof at) == GRU_OK, "upload");
    CHECK(cuda.backend->graph_run(&cuda, graph) == GRU_OK, "graph_run");
    CHECK(HOLDS(call.out, drawn[i]), "draws from the counter on");
  }
  cuda.backend->graph_free(&cuda, graph);
}

int main(int argc, char **argv) {
  void *plugin = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  const gruI_backend *(*init)(uint32_t) = NULL;
  if (plugin != NULL) *(void **)&init = dlsym(plugin, "gru_backend_init");
  if (init == NULL || (cuda.backend = init(GRUI_DEVICE_ABI)) == NULL) {
    const char *why = argc == 2 ? dlerror() : NULL;
    printf("%s\n", why != NULL ? why : "usage: cuda_ids_test libgru_cuda.so");
    return 1;
  }
  cuda.k = cuda.backend->kernels;
  strcpy(cuda.name, "cuda:0");
  if (cuda.backend->open(&cuda) != GRU_OK) return 1;
  test_take();
  test_put(GRU_FLOAT32, ROWS, COUNT);
  test_put(GRU_INT64, ROWS, COUNT);
  test_put(GRU_FLOAT32, 1 << 20, 2000);
  for (int kind = GRUI_GATHER; kind <= GRUI_SCATTER_ADD; kind++) {
    test_along((gruI_along_kind)kind, COUNT);
    test_along((gruI_along_kind)kind, LONG);
  }
  test_one_hot();
  test_nonzero();
  test_random();
  cuda.backend->close(&cuda);
  printf("%d failed\n", failed);
  return failed != 0;
}

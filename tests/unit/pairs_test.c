/* pairs_test.c - held pairs past 64 MB: backward fails when their product does, whether memory
** runs out or the program is interrupted, leaves no gradient behind, and can be called again.
*/
#include <stdio.h>
#include <stdlib.h>

#include "gru.h"

enum { FEW = 8, MANY = 300000, WIDTH = 32 }; /* MANY rows of x and g take 77 MB */

static int failed;

static void check(int holds, const char *what, int at) {
  if (holds) return;
  failed++;
  printf("failed: %s, at event %d\n", what, at);
}

/* What is asked for is counted; the one to fail is `at`, 1 or more. */
typedef struct events {
  int count, at, armed;
} events;

static int is_due(events *e) { return e->armed && ++e->count == e->at; }

/* The cache empties itself and asks again: both fail. */
static void *allocate(void *context, size_t bytes) {
  events *e = context;
  if (e->armed && e->count == e->at && e->at > 0) {
    e->armed = 0;
    return NULL;
  }
  return is_due(e) ? NULL : aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void give_back(void *context, void *block) {
  (void)context;
  free(block);
}

static int interrupt(void *context) { return is_due(context); }

static gru_tensor *need(gru_runtime *rt, gru_status status, gru_tensor *t) {
  if (status == GRU_OK) return t;
  printf("cannot prepare: %s\n", gru_runtime_error(rt));
  exit(1);
}

static gru_tensor *full(gru_runtime *rt, int64_t rows, double value) {
  gru_tensor *t = NULL;
  gru_status status =
      gru_tensor_full(rt, GRU_FLOAT32, 2, (int64_t[]){rows, WIDTH}, NULL, value, &t);
  return need(rt, status, t);
}

static gru_tensor *call(gru_runtime *rt, gru_op op, gru_tensor *a, gru_tensor *b) {
  gru_tensor *out[GRU_MAX_OUTPUTS] = {NULL};
  gru_status status = gru_op_call(rt, op, (gru_tensor *[]){a, b}, b ? 2 : 1, NULL, out);
  return need(rt, status, out[0]);
}

/* Is every element of dW the rows' sum, FEW + MANY? */
static int is_right(gru_tensor *w) {
  static float values[WIDTH * WIDTH];
  gru_tensor *g = gru_tensor_grad(w);
  if (!g || gru_tensor_read(g, values, sizeof values) != GRU_OK) return 0;
  for (int i = 0; i < WIDTH * WIDTH; i++)
    if (values[i] != (float)(FEW + MANY)) return 0;
  return 1;
}

/* Backward of sum(few W) + sum(many W) with one event failing.  Returns how many there were, or 0
** when the failing one was reached. */
static int run(const gru_runtime_config *config, events *e, gru_status expected) {
  gru_runtime *rt;
  if (gru_runtime_create(config, &rt) != GRU_OK) exit(1);
  gru_tensor *few = full(rt, FEW, 1), *many = full(rt, MANY, 1), *w = full(rt, WIDTH, 1);
  if (gru_tensor_set_requires_grad(w, 1) != GRU_OK) exit(1);
  gru_tensor *a = call(rt, GRU_OP_MATMUL, many, w), *b = call(rt, GRU_OP_MATMUL, few, w);
  gru_tensor *sa = call(rt, GRU_OP_SUM, a, NULL), *sb = call(rt, GRU_OP_SUM, b, NULL);
  gru_tensor *loss = call(rt, GRU_OP_ADD, sa, sb);
  gru_empty_cache(rt);
  e->count = 0;
  e->armed = 1;
  gru_status status = gru_backward(rt, 1, &loss, NULL, GRU_RETAIN_GRAPH);
  int reached = e->at > 0 && e->count >= e->at, count = reached ? 0 : e->count;
  e->armed = 0;
  check(status == (reached ? expected : GRU_OK), "the status of backward", e->at);
  if (reached) {
    check(gru_tensor_grad(w) == NULL, "a gradient after a failure", e->at);
    status = gru_backward(rt, 1, &loss, NULL, 0);
    check(status == GRU_OK, gru_runtime_error(rt), e->at);
  }
  check(is_right(w), "the gradient", e->at);
  gru_tensor *all[] = {few, many, w, a, b, sa, sb, loss};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) gru_tensor_release(all[i]);
  gru_runtime_destroy(rt);
  return count;
}

int main(void) {
  events e = {0};
  gru_runtime_config memory = {
      .threads = 1, .alloc = allocate, .free = give_back, .alloc_context = &e};
  int allocations = run(&memory, &e, GRU_OK);
  for (e.at = 1; e.at <= allocations; e.at++) run(&memory, &e, GRU_ERROR_MEMORY);
  e = (events){0};
  gru_runtime_config abort_check = {.threads = 1, .should_abort = interrupt, .abort_context = &e};
  int questions = run(&abort_check, &e, GRU_OK), step = questions / 40 + 1;
  for (e.at = 1; e.at <= questions; e.at += step) run(&abort_check, &e, GRU_ERROR_INTERRUPTED);
  e.at = questions; /* the product itself comes late */
  run(&abort_check, &e, GRU_ERROR_INTERRUPTED);
  check(allocations >= 4 && questions >= 4, "too few events to prove anything", 0);
  if (failed == 0) printf("%d allocations, %d questions\n", allocations, questions);
  return failed != 0;
}

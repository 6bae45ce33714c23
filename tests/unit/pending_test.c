/* pending_test.c - results that are left to idle threads: the same bits as with one thread, whatever
** happens to their operands, to them, to the threads or to the process before they are read.
*/
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/pending.h"
#include "cpu/cpu.h"
#include "cpu/panel.h"

enum { ROWS = 32, K = 256, N = 1027, WEIGHTS = 20, BYTES = ROWS * N * (int)sizeof(float) };

static int passed, failed;

static void check(int holds, const char *what, int threads) {
  if (holds)
    passed++;
  else
    failed++, printf("failed: %s, with %d threads\n", what, threads);
}

static void must(gru_status status, const gru_runtime *rt) {
  if (status == GRU_OK) return;
  printf("cannot go on: %s\n", gru_runtime_error(rt));
  exit(1);
}

static gru_tensor *normal(gru_runtime *rt, int64_t rows, int64_t cols) {
  gru_tensor *t;
  must(gru_tensor_full(rt, GRU_FLOAT32, 2, (int64_t[]){rows, cols}, NULL, 0, &t), rt);
  must(gru_normal_(t, 0, 1), rt);
  return t;
}

static gru_tensor *call(gru_op op, gru_tensor *a, gru_tensor *b) {
  gru_tensor *out[GRU_MAX_OUTPUTS] = {NULL};
  must(gru_op_call(a->rt, op, (gru_tensor *[]){a, b}, b ? 2 : 1, NULL, out), a->rt);
  return out[0];
}

static gru_tensor *number(gru_runtime *rt, double value) {
  gru_tensor *t;
  must(gru_tensor_number(rt, value, &t), rt);
  return t;
}

/* ---- what can happen ------------------------------------------------------------------------ */

/* The same numbers in every runtime; x (ROWS, K), w (K, N), b (1, N), no matter which of them. */
typedef struct scene {
  gru_runtime *rt;
  gru_tensor *x, *w, *b;
} scene;

/* Its result, new. */
typedef gru_tensor *(*act)(scene *s);

static gru_tensor *product(scene *s) { return call(GRU_OP_MATMUL, s->x, s->w); }

/* sigmoid(2 (x w + b)), with what is in between let go of before it is there. */
static gru_tensor *chain(scene *s) {
  gru_tensor *y = product(s), *z = call(GRU_OP_ADD, y, s->b), *two = number(s->rt, 2);
  gru_tensor_release(y);
  gru_tensor *doubled = call(GRU_OP_MUL, two, z);
  gru_tensor_release(z);
  gru_tensor_release(two);
  gru_tensor *result = call(GRU_OP_SIGMOID, doubled, NULL);
  gru_tensor_release(doubled);
  return result;
}

/* Each way of changing a tensor in place is a file's own. */
static gru_tensor *product_then_op(scene *s) {
  gru_tensor *y = product(s), *one = number(s->rt, 1);
  must(gru_op_call_(s->rt, GRU_OP_ADD, s->x, &one, 1), s->rt);
  gru_tensor_release(one);
  return y;
}

static gru_tensor *chain_then_op(scene *s) {
  gru_tensor *z = chain(s), *one = number(s->rt, 1);
  must(gru_op_call_(s->rt, GRU_OP_ADD, s->b, &one, 1), s->rt);
  gru_tensor_release(one);
  return z;
}

static gru_tensor *product_then_random(scene *s) {
  gru_tensor *y = product(s);
  must(gru_normal_(s->x, 0, 1), s->rt);
  return y;
}

static gru_tensor *product_then_filling(scene *s) {
  gru_tensor *y = product(s), *one = number(s->rt, 1);
  must(gru_tensor_copy_(s->x, one), s->rt);
  gru_tensor_release(one);
  return y;
}

static gru_tensor *product_then_copy(scene *s) {
  gru_tensor *other = normal(s->rt, ROWS, K), *y = product(s);
  must(gru_tensor_copy_(s->x, other), s->rt);
  gru_tensor_release(other);
  return y;
}

static gru_tensor *product_then_step(scene *s) {
  gru_tensor *gradient = normal(s->rt, ROWS, K), *y = product(s);
  gru_step_item item = {.p = s->x, .g = gradient, .step = 1};
  gru_sgd_options options = {.lr = 1};
  must(gru_sgd_step(s->rt, 1, &item, &options, NULL), s->rt);
  gru_tensor_release(gradient);
  return y;
}

static gru_tensor *product_then_writing(scene *s) {
  static const float zeros[ROWS * K];
  gru_tensor *y = product(s);
  must(gru_tensor_write(s->x, zeros, sizeof zeros), s->rt);
  return y;
}

static gru_tensor *product_then_pointer(scene *s) {
  void *data;
  gru_tensor *y = product(s);
  must(gru_tensor_data(s->x, &data), s->rt);
  memset(data, 0, sizeof(float) * ROWS * K);
  gru_tensor *z = product(s); /* of an x that may change at any time */
  check(z->storage->pending == NULL, "a known address", 0);
  gru_tensor_release(z);
  return y;
}

static gru_tensor *product_changed(scene *s) {
  gru_tensor *y = product(s), *one = number(s->rt, 1);
  must(gru_op_call_(s->rt, GRU_OP_ADD, y, &one, 1), s->rt);
  gru_tensor_release(one);
  return y;
}

static gru_tensor *product_after_operands(scene *s) {
  gru_tensor *y = product(s);
  gru_tensor_release(s->x);
  s->x = normal(s->rt, ROWS, K); /* in the memory of the last, were it free */
  return y;
}

static gru_tensor *products_let_go(scene *s) {
  for (int i = 0; i < 200; i++) gru_tensor_release(i % 2 ? chain(s) : product(s));
  return product(s);
}

/* More results, all kept, than may wait. */
static gru_tensor *many_results(scene *s) {
  enum { MANY = 300 };
  gru_tensor *results[MANY];
  for (int i = 0; i < MANY; i++) results[i] = chain(s);
  gru_tensor *sum = call(GRU_OP_ADD, results[0], results[MANY - 1]);
  for (int i = 0; i < MANY; i++) gru_tensor_release(results[i]);
  return sum;
}

static gru_tensor *product_of_product(scene *s) {
  gru_tensor *back = normal(s->rt, N, N), *y = chain(s), *z = call(GRU_OP_MATMUL, y, back);
  gru_tensor_release(back);
  gru_tensor_release(y);
  return z;
}

/* More weights than are kept packed. */
static gru_tensor *many_weights(scene *s) {
  gru_tensor *weights[WEIGHTS], *results[WEIGHTS], *sum = product(s);
  for (int i = 0; i < WEIGHTS; i++) weights[i] = normal(s->rt, K, N);
  for (int i = 0; i < WEIGHTS; i++)
    for (int again = 0; again < 3; again++) {
      results[i] = call(GRU_OP_MATMUL, s->x, weights[i]);
      if (again < 2) gru_tensor_release(results[i]);
    }
  for (int i = 0; i < WEIGHTS; i++) {
    gru_tensor *more = call(GRU_OP_ADD, sum, results[i]);
    gru_tensor_release(sum);
    gru_tensor_release(results[i]);
    gru_tensor_release(weights[i]);
    sum = more;
  }
  return sum;
}

static gru_tensor *chain_and_threads(scene *s) {
  int threads = gru_get_threads(s->rt);
  gru_tensor *y = chain(s);
  must(gru_set_threads(s->rt, threads == 1 ? 1 : threads + 1), s->rt);
  gru_tensor *z = call(GRU_OP_ADD, y, s->b);
  must(gru_set_threads(s->rt, threads), s->rt);
  gru_tensor_release(y);
  return z;
}

static float result[ROWS * N];

/* The child of a fork, which has no helpers, reads what the parent has left pending. */
static gru_tensor *chain_and_fork(scene *s) {
  static float in_parent[ROWS * N];
  enum { MANY = 12 }; /* enough to be waited for */
  gru_tensor *before[MANY], *y = chain(s);
  for (int i = 0; i < MANY; i++) before[i] = product(s);
  gru_tensor *z = product(s);
  int ends[2];
  if (pipe(ends) != 0) exit(1);
  pid_t child = fork();
  if (child == 0) {
    gru_tensor *own = product(s), *sum = call(GRU_OP_ADD, y, z); /* own is pending in the child */
    int good = gru_tensor_read(sum, result, sizeof result) == GRU_OK;
    for (size_t sent = 0; good && sent < sizeof result;) {
      ssize_t n = write(ends[1], (char *)result + sent, sizeof result - sent);
      good = n > 0;
      sent += n > 0 ? (size_t)n : 0;
    }
    gru_tensor_release(own);
    _exit(good ? 0 : 1);
  }
  close(ends[1]);
  gru_tensor *sum = call(GRU_OP_ADD, y, z);
  size_t got = 0;
  for (ssize_t n; (n = read(ends[0], (char *)in_parent + got, sizeof in_parent - got)) > 0;)
    got += (size_t)n;
  close(ends[0]);
  int how = 1;
  waitpid(child, &how, 0);
  check(how == 0 && got == sizeof in_parent, "the child", 0);
  must(gru_tensor_read(sum, result, sizeof result), s->rt);
  check(memcmp(in_parent, result, sizeof result) == 0, "the child's result", 0);
  for (int i = 0; i < MANY; i++) gru_tensor_release(before[i]);
  gru_tensor_release(y);
  gru_tensor_release(z);
  return sum;
}

static const struct {
  const char *name;
  act act;
} acts[] = {{"a product", product},
            {"a chain", chain},
            {"an op in place", product_then_op},
            {"an op in place after a chain", chain_then_op},
            {"an operand redrawn", product_then_random},
            {"an operand filled", product_then_filling},
            {"an operand copied over", product_then_copy},
            {"a step", product_then_step},
            {"an operand written", product_then_writing},
            {"an operand's address", product_then_pointer},
            {"a result changed", product_changed},
            {"an operand let go of", product_after_operands},
            {"results let go of", products_let_go},
            {"a product of a product", product_of_product},
            {"many results", many_results},
            {"many weights", many_weights},
            {"another number of threads", chain_and_threads},
            {"a fork", chain_and_fork}};
enum { ACTS = sizeof acts / sizeof *acts };

/* ---- running them ------------------------------------------------------------------------------ */

static float expected[ACTS][ROWS * N];

static gru_runtime *open(int threads, scene *s) {
  gru_runtime_config config = {.threads = threads};
  if (gru_runtime_create(&config, &s->rt) != GRU_OK) exit(1);
  gru_seed(s->rt, 7, GRU_PHILOX);
  s->x = normal(s->rt, ROWS, K);
  s->w = normal(s->rt, K, N);
  s->b = normal(s->rt, 1, N);
  return s->rt;
}

static void close_scene(scene *s) {
  gru_tensor_release(s->x);
  gru_tensor_release(s->w);
  gru_tensor_release(s->b);
}

/* Twice before, so that w is packed. */
static void warm_up(scene *s) {
  for (int i = 0; i < 2; i++) gru_tensor_release(product(s));
}

static void run(int threads) {
  for (int i = 0; i < ACTS; i++) {
    scene s;
    gru_runtime *rt = open(threads, &s);
    gru_memory_info before, after;
    warm_up(&s);
    must(gru_memory(rt, NULL, &before), rt);
    gru_tensor *y = acts[i].act(&s);
    must(gru_tensor_read(y, result, sizeof result), rt);
    if (threads == 1)
      memcpy(expected[i], result, sizeof result);
    else
      check(memcmp(expected[i], result, sizeof result) == 0, acts[i].name, threads);
    gru_tensor_release(y);
    must(gru_memory(rt, NULL, &after), rt);
    check(after.live == before.live, "memory", threads);
    close_scene(&s);
    gru_runtime_destroy(rt);
  }
}

/* Without this the rest would prove nothing. */
static void test_is_pending(void) {
  scene s;
  gru_runtime *rt = open(3, &s);
  gru_tensor *first = product(&s), *second = product(&s), *third = product(&s);
  int has_panels = gruI_cpu_isa_of(gruI_device_of(first))->panel->lanes(GRU_FLOAT32) >= 8;
  check(first->storage->pending == NULL && second->storage->pending == NULL, "not packed yet", 3);
  check((third->storage->pending != NULL) == has_panels, "left pending", 3);
  gru_tensor *sum = call(GRU_OP_ADD, third, s.b);
  check((sum->storage->pending != NULL) == has_panels, "and what reads it", 3);
  gru_tensor *outer = call(GRU_OP_ADD, first, s.b);
  check(outer->storage->pending == NULL, "but nothing else", 3);
  must(gru_tensor_read(sum, result, sizeof result), rt);
  check(sum->storage->pending == NULL && third->storage->pending == NULL, "no longer", 3);
  gru_tensor *left = product(&s);
  gru_tensor_release(first);
  gru_tensor_release(second);
  gru_tensor_release(third);
  gru_tensor_release(sum);
  gru_tensor_release(outer);
  close_scene(&s);
  gru_runtime_destroy(rt); /* one is pending, and alive */
  gru_tensor_release(left);
}

/* A product that the next one needs: those that follow are done at once. */
static void test_hurry(void) {
  scene s;
  gru_runtime *rt = open(2, &s);
  int pending = 0;
  gru_tensor *back = normal(rt, N, K);
  for (int i = 0; i < 20; i++) {
    gru_tensor *y = product(&s), *z = call(GRU_OP_TANH, y, NULL);
    if (y->storage->pending) pending++;
    gru_tensor_release(call(GRU_OP_MATMUL, z, back));
    gru_tensor_release(y);
    gru_tensor_release(z);
  }
  /* Chance may have it that the helper is done before anybody needs it. */
  check(pending < 18, "done at once", pending);
  gru_tensor_release(back);
  close_scene(&s);
  gru_runtime_destroy(rt);
}

int main(void) {
  for (int threads = 1; threads <= 4; threads++) run(threads);
  test_is_pending();
  test_hurry();
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}

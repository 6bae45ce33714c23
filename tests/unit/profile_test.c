/* profile_test.c - the profile callback, as a C program uses it: spans, what is inside them, lines. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "gru.h"

enum { MOST = 256 };

/* The spans that were told of, in their order, and the name of the one around each. */
typedef struct record {
  gru_span spans[MOST];
  const char *outer[MOST];
  int n;
} record;

static void take(void *context, const gru_span *span) {
  record *r = context;
  if (r->n == MOST) return;
  r->outer[r->n] = span->outer ? span->outer->name : "";
  r->spans[r->n++] = *span;
}

/* The first span with that name and kind, or NULL. */
static const gru_span *find(const record *r, const char *name, gru_span_kind kind) {
  for (int i = 0; i < r->n; i++)
    if (strcmp(r->spans[i].name, name) == 0 && r->spans[i].kind == kind) return &r->spans[i];
  return NULL;
}

static void test_calls(gru_runtime *rt, gru_tensor *x) {
  record r = {.n = 0};
  gru_tensor *out[GRU_MAX_OUTPUTS];
  gru_set_profile(rt, take, &r);
  gru_set_origin(rt, "train", 7);
  CHECK(gru_op_call(rt, GRU_OP_EXP, &x, 1, NULL, out) == GRU_OK);
  gru_set_profile(rt, NULL, NULL);
  CHECK(r.n == 1);
  CHECK(strcmp(r.spans[0].name, "exp") == 0 && r.spans[0].kind == GRU_SPAN_CALL);
  CHECK(strcmp(r.spans[0].chunk, "train") == 0 && r.spans[0].line == 7);
  CHECK(r.spans[0].start > 0 && r.spans[0].stop >= r.spans[0].start);
  CHECK(r.spans[0].bytes == 64 * sizeof(float) && r.spans[0].inner_bytes == 0);
  CHECK(r.spans[0].inner == 0 && !r.spans[0].in_backward && !r.spans[0].outer);
  gru_tensor_release(out[0]);
  CHECK(gru_op_call(rt, GRU_OP_EXP, &x, 1, NULL, out) == GRU_OK);
  CHECK(r.n == 1); /* it is off */
  gru_tensor_release(out[0]);
}

static void test_failure(gru_runtime *rt, gru_tensor *x) {
  record r = {.n = 0};
  gru_tensor *out[GRU_MAX_OUTPUTS];
  gru_set_profile(rt, take, &r);
  CHECK(gru_op_call(rt, GRU_OP_MATMUL, (gru_tensor *[]){x, x}, 1, NULL, out) != GRU_OK);
  CHECK(gru_op_call(rt, (gru_op)100000, &x, 1, NULL, out) == GRU_ERROR_ARGUMENT);
  CHECK(gru_op_call(rt, GRU_OP_NEG, &x, 1, NULL, out) == GRU_OK);
  gru_set_profile(rt, NULL, NULL);
  CHECK(r.n == 3 && !r.spans[2].outer); /* no span stayed open */
  gru_tensor_release(out[0]);
}

static void test_backward(gru_runtime *rt, gru_tensor *x) {
  record r = {.n = 0};
  gru_tensor *out[GRU_MAX_OUTPUTS], *y, *sum;
  CHECK(gru_tensor_set_requires_grad(x, 1) == GRU_OK);
  gru_set_profile(rt, take, &r);
  gru_set_origin(rt, "train", 1);
  CHECK(gru_op_call(rt, GRU_OP_MATMUL, (gru_tensor *[]){x, x}, 2, NULL, out) == GRU_OK);
  y = out[0];
  gru_set_origin(rt, "train", 2);
  CHECK(gru_op_call(rt, GRU_OP_SUM, &y, 1, NULL, out) == GRU_OK);
  sum = out[0];
  gru_set_origin(rt, "train", 3);
  CHECK(gru_backward(rt, 1, &sum, NULL, 0) == GRU_OK);
  gru_set_profile(rt, NULL, NULL);

  const gru_span *whole = find(&r, "backward", GRU_SPAN_BACKWARD);
  const gru_span *rule = find(&r, "matmul", GRU_SPAN_RULE);
  const gru_span *later = find(&r, "matmul", GRU_SPAN_LATER);
  CHECK(whole && rule && later);
  if (!whole || !rule || !later) return;
  CHECK(whole == &r.spans[r.n - 1] && whole->line == 3);
  CHECK(rule->line == 1 && later->line == 1); /* of the forward call */
  CHECK(find(&r, "sum", GRU_SPAN_RULE)->line == 2);
  int64_t inside = 0;
  uint64_t bytes = 0;
  for (int i = 0; i < r.n; i++) {
    const gru_span *s = &r.spans[i];
    bool forward = s->kind == GRU_SPAN_CALL && s->line != 3 && strcmp(r.outer[i], "") == 0;
    CHECK(s->in_backward == !forward);
    CHECK(s->inner >= 0 && s->inner <= s->stop - s->start && s->inner_bytes <= s->bytes);
    if (strcmp(r.outer[i], "backward") == 0) {
      CHECK(s->start >= whole->start && s->stop <= whole->stop);
      inside += s->stop - s->start;
      bytes += s->bytes;
    }
  }
  CHECK(whole->inner == inside && whole->inner_bytes == bytes);
  gru_tensor_release(y);
  gru_tensor_release(sum);
}

int main(void) {
  gru_runtime *rt;
  gru_tensor *x;
  if (gru_runtime_create(&(gru_runtime_config){.threads = 1}, &rt) != GRU_OK) return 1;
  if (gru_tensor_full(rt, GRU_FLOAT32, 2, (int64_t[]){8, 8}, NULL, 0.5, &x) != GRU_OK) return 1;
  test_calls(rt, x);
  test_failure(rt, x);
  test_backward(rt, x);
  gru_tensor_release(x);
  gru_runtime_destroy(rt);
  return report();
}

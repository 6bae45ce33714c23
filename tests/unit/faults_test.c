/* faults_test.c - recurrent layers while something fails: each time they are asked for memory, and
** each time they ask whether to stop, once.
**
** Forward, backward, and a gradient's gradient must end with the error, or with none where they can
** do without; the sanitizers see what is lost or used too late.
*/
#include <stdio.h>
#include <stdlib.h>

#include "gru.h"

enum { NOTHING, MEMORY, STOP };

static int kind;       /* what fails ... */
static long count, at; /* ... the time number `at` */

static int is_due(int which) { return kind == which && ++count == at; }

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

void *__wrap_malloc(size_t bytes) { return is_due(MEMORY) ? NULL : __real_malloc(bytes); }

void *__wrap_calloc(size_t n, size_t bytes) {
  return is_due(MEMORY) ? NULL : __real_calloc(n, bytes);
}

void *__wrap_realloc(void *block, size_t bytes) {
  return is_due(MEMORY) ? NULL : __real_realloc(block, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes) {
  return is_due(MEMORY) ? NULL : __real_aligned_alloc(alignment, bytes);
}

static int should_abort(void *context) { return (void)context, is_due(STOP); }

/* ---- a layer ------------------------------------------------------------------------------- */

enum { INPUTS = 7, ROWS = 9, HIDDEN = 6 };

typedef struct layer {
  gru_op op;
  int gates, inputs;
  int64_t variant, steps;
  int twice; /* is the gradient differentiated? */
} layer;

static gru_tensor *full(gru_runtime *rt, gru_dtype dtype, int ndim, const int64_t *shape,
                        double value) {
  gru_tensor *t;
  if (gru_tensor_full(rt, dtype, ndim, shape, NULL, value, &t) != GRU_OK) exit(2);
  if (dtype != GRU_INT64 && gru_tensor_set_requires_grad(t, 1) != GRU_OK) exit(2);
  return t;
}

static gru_status sum_of(gru_runtime *rt, gru_tensor *t, gru_tensor **out) {
  return gru_op_call(rt, GRU_OP_SUM, &t, 1, NULL, out);
}

static gru_status calls(gru_runtime *rt, const layer *l, gru_tensor *const *in) {
  gru_tensor *y[GRU_MAX_OUTPUTS] = {NULL}, *sum[GRU_MAX_OUTPUTS] = {NULL};
  gru_tensor *more[GRU_MAX_OUTPUTS] = {NULL}, *dx[2] = {NULL};
  gru_attrs attrs = {.count = l->variant, .step = l->steps > 2 ? -1 : 0};
  gru_status status = gru_op_call(rt, l->op, in, l->inputs, &attrs, y);
  if (status == GRU_OK) status = sum_of(rt, y[0], sum);
  if (status == GRU_OK && l->twice) {
    status = gru_grad(rt, 1, sum, NULL, 2, (gru_tensor *[]){in[0], in[2]}, dx, GRU_CREATE_GRAPH);
    if (status == GRU_OK) status = sum_of(rt, dx[0], more);
    if (status == GRU_OK) status = gru_backward(rt, 1, more, NULL, 0);
  } else if (status == GRU_OK) {
    status = gru_backward(rt, 1, sum, NULL, 0);
  }
  gru_tensor *made[] = {y[0], sum[0], more[0], dx[0], dx[1]};
  for (size_t i = 0; i < sizeof made / sizeof *made; i++) gru_tensor_release(made[i]);
  return status;
}

/* Runs it with failure number `number`; 0 where there are not so many. */
static int run(const layer *l, int what, long number) {
  gru_runtime *rt;
  if (gru_runtime_create(&(gru_runtime_config){.threads = 2, .should_abort = should_abort}, &rt))
    exit(2);
  int64_t GH = l->gates * HIDDEN, N = ROWS, H = HIDDEN;
  gru_tensor *in[INPUTS] = {
      full(rt, GRU_FLOAT64, 3, (int64_t[]){l->steps, N, GH}, 0.1),
      full(rt, GRU_FLOAT64, 2, (int64_t[]){N, H}, 0.2),
      full(rt, GRU_FLOAT64, 2, (int64_t[]){GH, H}, 0.3),
      full(rt, GRU_FLOAT64, 1, &GH, 0.1),
      full(rt, GRU_FLOAT64, 1, &GH, 0.1),
      l->steps > 2 ? full(rt, GRU_INT64, 1, &N, 2) : NULL,
      full(rt, GRU_FLOAT64, 2, (int64_t[]){N, H}, 0.2),
  };
  gru_status expected = what == MEMORY ? GRU_ERROR_MEMORY : GRU_ERROR_INTERRUPTED;
  kind = what, count = 0, at = number;
  gru_status status = calls(rt, l, in);
  kind = NOTHING;
  int reached = count >= number, wrong = status != GRU_OK && (status != expected || !reached);
  if (what == STOP && reached && status == GRU_OK) wrong = 1;
  if (wrong)
    printf("failed: %s, %d steps, failure %ld of kind %d: %s\n", gru_op_name(l->op), (int)l->steps,
           number, what, gru_runtime_error(rt));
  for (int i = 0; i < INPUTS; i++) gru_tensor_release(in[i]);
  gru_runtime_destroy(rt);
  if (wrong) exit(1);
  return reached;
}

int main(void) {
  static const layer layers[] = {
      {GRU_OP_RNN_SEQUENCE, 1, 6, 1, 3, 0},  {GRU_OP_LSTM_SEQUENCE, 4, 7, 0, 2, 0},
      {GRU_OP_LSTM_SEQUENCE, 4, 7, 0, 3, 1}, {GRU_OP_GRU_SEQUENCE, 3, 6, 0, 3, 0},
      {GRU_OP_GRU_SEQUENCE, 3, 6, 0, 2, 1},  {GRU_OP_GRU_SEQUENCE, 3, 6, 1, 2, 0},
      {GRU_OP_GRU_SEQUENCE, 3, 6, 1, 3, 1},
  };
  long failures = 0;
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
    for (int what = MEMORY; what <= STOP; what++)
      for (long number = 1; run(&layers[i], what, number); number++) failures++;
  printf("%ld failures\n", failures);
  return 0;
}

/* step_test.c - steps of optimisers, norms and scaling: the kernels on lists cut in many ways, the
** same bits for 1, 2 and 4 threads and for every instruction set; and Adam as a C program runs it.
** Usage: step_test [seed]
*/
#include "kernels_test.h"

enum { PARTS = 12, VECTORS = GRUI_PART_VECTORS };

/* A list whose parts have random sizes, some of them longer than a block; elements in 0 .. 1. */
typedef struct world {
  gruI_part parts[PARTS];
  gruI_list list;
} world;

static world new_world(gru_dtype dtype, const int64_t *counts) {
  world w = {.list = {.dtype = dtype, .n = PARTS}};
  for (int i = 0; i < PARTS; i++) {
    w.parts[i] = (gruI_part){.start = w.list.total, .count = counts[i], .step = i % 3 + 1};
    w.list.total += counts[i];
    for (int k = 0; k < VECTORS; k++) {
      w.parts[i].at[k] = random_elements(dtype, counts[i]);
      for (int64_t j = 0; j < counts[i]; j++) /* second moments are not negative */
        if (dtype == GRU_FLOAT32)
          ((float *)w.parts[i].at[k])[j] = fabsf(((float *)w.parts[i].at[k])[j]);
        else
          ((double *)w.parts[i].at[k])[j] = fabs(((double *)w.parts[i].at[k])[j]);
    }
  }
  return w;
}

static world copy_world(const world *from) {
  world w = *from;
  for (int i = 0; i < PARTS; i++)
    for (int k = 0; k < VECTORS; k++)
      w.parts[i].at[k] =
          copy_of(from->parts[i].at[k], (size_t)w.parts[i].count * gru_dtype_size(w.list.dtype));
  return w;
}

static void free_world(world *w) {
  for (int i = 0; i < PARTS; i++)
    for (int k = 0; k < VECTORS; k++) free(w->parts[i].at[k]);
}

static int same_world(const world *a, const world *b) {
  for (int i = 0; i < PARTS; i++)
    for (int k = 0; k < VECTORS; k++)
      if (memcmp(a->parts[i].at[k], b->parts[i].at[k],
                 (size_t)a->parts[i].count * gru_dtype_size(a->list.dtype)) != 0)
        return 0;
  return 1;
}

/* ---- the equations, element after element ------------------------------------------ */

static double sgd_element(const gru_sgd_options *o, double scale, int64_t step, double *x) {
  double g = (o->maximize ? -scale : scale) * x[1] + o->weight_decay * x[0];
  if (o->momentum != 0) {
    x[2] = step == 1 ? g : o->momentum * x[2] + (1 - o->dampening) * g;
    g = o->nesterov ? g + o->momentum * x[2] : x[2];
  }
  return x[0] -= o->lr * g;
}

static double adam_element(const gru_adam_options *o, int amsgrad, double scale, double t,
                           double *x) {
  double g = (o->maximize ? -scale : scale) * x[1];
  if (o->decoupled)
    x[0] -= o->lr * o->weight_decay * x[0];
  else
    g += o->weight_decay * x[0];
  x[2] = o->beta1 * x[2] + (1 - o->beta1) * g;
  x[3] = o->beta2 * x[3] + (1 - o->beta2) * g * g;
  if (amsgrad) x[4] = fmax(x[4], x[3]);
  double v = amsgrad ? x[4] : x[3];
  return x[0] -=
         o->lr / (1 - pow(o->beta1, t)) * x[2] / (sqrt(v) / sqrt(1 - pow(o->beta2, t)) + o->eps);
}

/* Runs one kernel on copies of a world, on every device, and compares. */
static void try_step(gru_dtype dtype, const int64_t *counts, const gru_sgd_options *sgd,
                     const gru_adam_options *adam, int amsgrad) {
  double tolerance = dtype == GRU_FLOAT32 ? 2e-6 : 1e-14, factor = 0.75;
  float factor_f32 = 0.75f;
  const void *scale = dtype == GRU_FLOAT32 ? (const void *)&factor_f32 : (const void *)&factor;
  world before = new_world(dtype, counts), first = before;
  for (int d = 0; d < DEVICES; d++) {
    world w = copy_world(&before), call = w;
    call.list.parts = call.parts;
    for (int i = 0; i < PARTS; i++) {
      if (sgd && sgd->momentum == 0) call.parts[i].at[2] = NULL;
      if (sgd || !amsgrad) call.parts[i].at[4] = NULL;
    }
    gruI_sgd sgd_call = {.list = call.list, .scale = scale};
    gruI_adam adam_call = {.list = call.list, .scale = scale};
    if (sgd) sgd_call.options = *sgd;
    if (adam) adam_call.options = *adam;
    gru_status status =
        sgd ? gruI_cpu_sgd(&devices[d], &sgd_call) : gruI_cpu_adam(&devices[d], &adam_call);
    check(status == GRU_OK, "step", d, 0, 0);
    if (d == 0) {
      first = w;
      continue;
    }
    check(same_world(&first, &w), "bits of threads", d, adam != NULL, amsgrad);
    free_world(&w);
  }
  for (int i = 0; i < PARTS; i++)
    for (int64_t j = 0; j < counts[i]; j++) {
      double x[VECTORS];
      for (int k = 0; k < VECTORS; k++) x[k] = element(dtype, before.parts[i].at[k], j);
      if (sgd)
        sgd_element(sgd, factor, before.parts[i].step, x);
      else
        adam_element(adam, amsgrad, factor, (double)before.parts[i].step, x);
      for (int k = 0; k < VECTORS; k++)
        check(
            fabs(element(dtype, first.parts[i].at[k], j) - x[k]) <= tolerance * fmax(1, fabs(x[k])),
            sgd ? "sgd" : "adam", i, j, k);
    }
  free_world(&first);
  free_world(&before);
}

static void try_norm(gru_dtype dtype, const int64_t *counts) {
  world w = new_world(dtype, counts);
  double sum = 0, most = 0, eps = dtype == GRU_FLOAT32 ? 1e-6 : 1e-14;
  for (int i = 0; i < PARTS; i++)
    for (int64_t j = 0; j < counts[i]; j++) {
      double x = element(dtype, w.parts[i].at[0], j);
      sum += x * x;
      most = fmax(most, x);
    }
  w.list.parts = w.parts;
  for (int largest = 0; largest < 2; largest++)
    for (int d = 0; d < DEVICES; d++) {
      static double total, scale, kept;
      gruI_clip_norm call = {w.list, largest, 0.5, 1e-6, &total, &scale};
      check(gruI_cpu_clip_norm(&devices[d], &call) == GRU_OK, "norm", d, 0, 0);
      double want = largest ? most : sqrt(sum);
      check(fabs(element(dtype, &total, 0) / want - 1) <= eps, "norm value", d, largest, 0);
      check(fabs(element(dtype, &scale, 0) * (want + 1e-6) / 0.5 - 1) <= eps, "scale", d, largest,
            0);
      if (d == 0) kept = total;
      check(memcmp(&kept, &total, sizeof kept) == 0, "bits of the norm", d, largest, 0);
    }
  free_world(&w);
}

static void kernels(void) {
  for (int round = 0; round < 6; round++) {
    gru_dtype dtype = round % 2 ? GRU_FLOAT32 : GRU_FLOAT64;
    int64_t counts[PARTS];
    for (int i = 0; i < PARTS; i++) counts[i] = 1 + below(i == round ? 70000 : i % 2 ? 3000 : 40);
    for (int o = 0; o < 16; o++) {
      int decays = o & 1, two = o >> 1 & 1, three = o >> 2 & 1, maximize = o >> 3;
      try_step(dtype, counts,
               &(gru_sgd_options){0.1, two ? 0.9 : 0, three ? 0.25 : 0, decays ? 0.1 : 0, three,
                                  maximize},
               NULL, 0);
      try_step(dtype, counts, NULL,
               &(gru_adam_options){0.1, 0.9, 0.99, 1e-3, decays ? 0.1 : 0, two, maximize}, three);
    }
    try_norm(dtype, counts);
  }
}

/* ---- from C ------------------------------------------------------------------------- */

static gru_tensor *full(gru_runtime *rt, double value) {
  gru_tensor *t = NULL;
  if (gru_tensor_full(rt, GRU_FLOAT64, 1, (int64_t[]){3}, NULL, value, &t) != GRU_OK) exit(2);
  return t;
}

/* Adam walks down sum (p - 2)^2, its gradient 2 (p - 2) clipped to a norm of 1. */
static void program(void) {
  gru_runtime *rt;
  check(gru_runtime_create(NULL, &rt) == GRU_OK, "runtime", 0, 0, 0);
  gru_step_item item = {.p = full(rt, 0), .state = {full(rt, 0), full(rt, 0)}};
  gru_tensor_set_requires_grad(item.p, 1);
  gru_adam_options options = {.lr = 0.05, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  double p[3] = {0}, norm = 0;
  for (item.step = 1; item.step <= 300; item.step++) {
    double g[3] = {2 * (p[0] - 2), 2 * (p[1] - 2), 2 * (p[2] - 2)};
    gru_tensor *total, *scale;
    gru_tensor_from_data(rt, GRU_FLOAT64, 1, (int64_t[]){3}, NULL, g, &item.g);
    check(gru_clip_norm(rt, 1, &item.g, 2, 1, 0, &total, &scale) == GRU_OK, "clip", 0, 0, 0);
    check(gru_adam_step(rt, 1, &item, &options, scale) == GRU_OK, "adam", item.step, 0, 0);
    gru_tensor_item(total, &norm);
    if (item.step == 1) check(fabs(norm - sqrt(48)) < 1e-14, "norm", 0, 0, 0);
    gru_tensor_release(total);
    gru_tensor_release(scale);
    gru_tensor_release(item.g);
    gru_tensor_read(item.p, p, sizeof p);
    if (item.step == 1) check(fabs(p[0] - 0.05) < 1e-7, "the first step is lr long", 0, 0, 0);
  }
  check(fabs(p[0] - 2) < 1e-2 && p[0] == p[2], "there", 0, 0, 0);
  check(gru_tensor_version(item.p) == 301, "version", (long long)gru_tensor_version(item.p), 0, 0);
  item.g = NULL; /* is skipped, whatever else the item holds */
  item.step = 0;
  check(gru_adam_step(rt, 1, &item, &options, NULL) == GRU_OK, "no gradient", 0, 0, 0);
  check(gru_tensor_version(item.p) == 301, "untouched", 0, 0, 0);
  gru_tensor_release(item.p);
  for (int k = 0; k < 2; k++) gru_tensor_release(item.state[k]);
  gru_runtime_destroy(rt);
}

static void tests(void) {
  for (int d = DEVICES - 1; d >= 0; d--) { /* the first one is held to the baseline */
    if (d == 0) setenv("GRU_CPU_ISA", "baseline", 1);
    check(gruI_builtin_backend.open(&devices[d]) == GRU_OK, "open", d, 0, 0);
  }
  kernels();
  program();
}

int main(int argc, char **argv) { return run_tests(argc, argv, tests); }

/* cpu_loss_test.c - softmax and cross-entropy of the CPU backend against naive references in
** double, on random shapes; 1, 2 and 4 threads must give the same bits.
** Usage: cpu_loss_test [seed]
*/
#include "kernels_test.h"

/* ---- softmax ----------------------------------------------------------------------- */

static int is_near(double a, double b, double tolerance) {
  if (isnan(b)) return isnan(a);
  if (isinf(b)) return a == b;
  return fabs(a - b) <= tolerance * fmax(1, fabs(b));
}

/* log sum exp of a row, and its largest element. */
static double log_sum_exp(gru_dtype dtype, const void *x, int64_t row, int64_t n, double *most) {
  double m = -INFINITY, sum = 0;
  for (int64_t c = 0; c < n; c++) m = fmax(m, element(dtype, x, row * n + c));
  for (int64_t c = 0; c < n; c++) sum += exp(element(dtype, x, row * n + c) - m);
  *most = m;
  return m + log(sum);
}

static void store(gru_dtype dtype, void *p, int64_t i, double value) {
  if (dtype == GRU_FLOAT32)
    ((float *)p)[i] = (float)value;
  else
    ((double *)p)[i] = value;
}

/* Logits about `spread` wide, with a -inf in every fourth row. */
static void *random_logits(gru_dtype dtype, int64_t rows, int64_t cols, double spread) {
  void *x = random_elements(dtype, rows * cols + 1);
  for (int64_t i = 0; i < rows * cols; i++) store(dtype, x, i, element(dtype, x, i) * spread);
  for (int64_t r = 0; r < rows; r += 4)
    if (cols > 1) store(dtype, x, r * cols + below(cols - 1), -INFINITY);
  return x;
}

static void softmax_right(const gruI_softmax *s, const gruI_softmax_grad *grad) {
  double tolerance = s->dtype == GRU_FLOAT32 ? 1e-6 : 1e-14, most;
  int right = 1, right_grad = 1;
  int64_t n = s->cols;
  for (int64_t r = 0; r < s->rows; r++) {
    double lse = log_sum_exp(s->dtype, s->x, r, n, &most), sum = 0, size = 0;
    for (int64_t c = 0; c < n; c++) {
      double y = element(s->dtype, s->y, r * n + c), g = element(s->dtype, grad->g, r * n + c);
      double log_y = element(s->dtype, s->x, r * n + c) - lse, want = s->log ? log_y : exp(log_y);
      right &= s->log ? is_near(y, want, tolerance)
                      : fabs(y - want) <= tolerance * (1 - fmax(log_y, -700) / 10) * want + 1e-37;
      sum += s->log ? g : g * y;
      size += fabs(s->log ? g : g * y);
    }
    for (int64_t c = 0; c < n; c++) {
      double y = element(s->dtype, s->y, r * n + c), g = element(s->dtype, grad->g, r * n + c);
      double want = s->log ? g - exp(y) * sum : y * (g - sum);
      double got = element(s->dtype, grad->dx, r * n + c);
      right_grad &= fabs(got - want) <= tolerance * (1 + size);
    }
  }
  check(right, "softmax values", s->rows, s->cols, s->log);
  check(right_grad, "softmax gradient", s->rows, s->cols, s->log);
}

static void try_softmax(int64_t rows, int64_t cols, double spread) {
  gruI_softmax s = {.dtype = below(2) ? GRU_FLOAT32 : GRU_FLOAT64, .log = (int)below(2)};
  size_t bytes = (size_t)(rows * cols) * gru_dtype_size(s.dtype);
  s.rows = rows;
  s.cols = cols;
  s.x = random_logits(s.dtype, rows, cols, spread);
  gruI_softmax_grad grad = {.dtype = s.dtype, .log = s.log, .rows = rows, .cols = cols};
  grad.g = random_elements(s.dtype, rows * cols + 1);
  void *y = NULL, *dx = NULL;
  for (int d = 0; d < DEVICES; d++) {
    s.y = fresh(bytes);
    grad.y = s.y;
    grad.dx = fresh(bytes);
    check(gruI_cpu_softmax(&devices[d], &s) == GRU_OK, "softmax", rows, cols, 0);
    check(gruI_cpu_softmax_grad(&devices[d], &grad) == GRU_OK, "softmax_grad", rows, cols, 0);
    if (d == 0) {
      softmax_right(&s, &grad);
      y = s.y;
      dx = grad.dx;
      continue;
    }
    check(memcmp(s.y, y, bytes) == 0 && memcmp(grad.dx, dx, bytes) == 0, "softmax bits", rows, cols,
          d);
    free(s.y);
    free(grad.dx);
  }
  free(y), free(dx), free((void *)(uintptr_t)s.x), free((void *)(uintptr_t)grad.g);
}

/* ---- cross-entropy ----------------------------------------------------------------- */

static void cross_entropy_right(const gruI_cross_entropy *e) {
  double tolerance = e->dtype == GRU_FLOAT32 ? 3e-6 : 1e-14, most, all = 0;
  int right = 1, right_grad = 1;
  int64_t n = e->cols;
  for (int64_t c = 0; c < n; c++) all += e->weight ? element(e->dtype, e->weight, c) : 1;
  for (int64_t r = 0; r < e->rows; r++) {
    int ignored = e->has_ignore && e->target[r] == e->ignore_index;
    int64_t t = ignored ? 0 : e->target[r] - e->base;
    double lse = log_sum_exp(e->dtype, e->x, r, n, &most), smooth = 0;
    double w = ignored ? 0 : e->weight ? element(e->dtype, e->weight, t) : 1;
    double scale = element(e->dtype, e->scale, r * e->scale_stride),
           share = e->smoothing / (double)n;
    for (int64_t c = 0; c < n; c++)
      smooth += (e->weight ? element(e->dtype, e->weight, c) : 1) *
                (lse - element(e->dtype, e->x, r * n + c));
    double loss = (1 - e->smoothing) * w * (lse - element(e->dtype, e->x, r * n + t));
    if (e->smoothing != 0) loss += share * smooth;
    right &= is_near(element(e->dtype, e->loss, r), ignored ? 0 : loss, tolerance) &&
             element(e->dtype, e->mass, r) == w &&
             is_near(element(e->dtype, e->lse, r), lse, tolerance);
    for (int64_t c = 0; c < n; c++) {
      double p = exp(element(e->dtype, e->x, r * n + c) - lse);
      double wc = e->weight ? element(e->dtype, e->weight, c) : 1;
      double d = (1 - e->smoothing) * w * (p - (c == t)) + share * (all * p - wc);
      right_grad &=
          is_near(element(e->dtype, e->dx, r * n + c), ignored ? 0 : scale * d, tolerance);
    }
  }
  check(right, "cross_entropy values", e->rows, n, e->smoothing != 0);
  check(right_grad, "cross_entropy gradient", e->rows, n, e->smoothing != 0);
}

static void run_cross_entropy(gruI_cross_entropy *e) {
  size_t size = gru_dtype_size(e->dtype), row = (size_t)e->rows * size;
  size_t bytes = row * (size_t)e->cols;
  char *first = NULL;
  for (int d = 0; d < DEVICES; d++) {
    char *out = fresh(3 * row + bytes);
    e->loss = out;
    e->mass = out + row;
    e->lse = out + 2 * row;
    e->lse_in = e->lse;
    e->dx = out + 3 * row;
    check(gruI_cpu_cross_entropy(&devices[d], e) == GRU_OK, "cross_entropy", e->rows, e->cols, d);
    check(gruI_cpu_cross_entropy_grad(&devices[d], e) == GRU_OK, "its gradient", e->rows, e->cols,
          d);
    if (d == 0) {
      cross_entropy_right(e);
      first = out;
      continue;
    }
    check(memcmp(out, first, 3 * row + bytes) == 0, "cross_entropy bits", e->rows, e->cols, d);
    free(out);
  }
  free(first);
}

static void try_cross_entropy(int64_t rows, int64_t cols, double spread) {
  gruI_cross_entropy e = {.dtype = below(2) ? GRU_FLOAT32 : GRU_FLOAT64};
  e.rows = rows;
  e.cols = cols;
  e.base = below(2);
  e.has_ignore = (int)below(2);
  e.ignore_index = below(2) ? -100 : e.base;
  e.smoothing = below(2) ? 0.1 : 0;
  e.scale_stride = below(2);
  void *x = random_elements(e.dtype, rows * cols + 1);
  void *weight = random_elements(e.dtype, cols), *scale = random_elements(e.dtype, rows + 1);
  int64_t *target = random_ids(rows + 1, e.base, cols);
  for (int64_t i = 0; i < rows * cols; i++) store(e.dtype, x, i, element(e.dtype, x, i) * spread);
  for (int64_t c = 0; c < cols; c++) store(e.dtype, weight, c, fabs(element(e.dtype, weight, c)));
  if (e.has_ignore)
    for (int64_t r = 0; r < rows; r += 3) target[r] = e.ignore_index;
  e.x = x;
  e.weight = below(2) ? weight : NULL;
  e.scale = scale;
  e.target = target;
  run_cross_entropy(&e);
  if (rows > 0) {
    int64_t bad = below(rows);
    target[bad] = wrong_id(e.base, cols);
    e.loss = e.mass = e.lse = e.dx = NULL;
    for (int grad = 0; grad < 2; grad++)
      check((grad ? gruI_cpu_cross_entropy_grad : gruI_cpu_cross_entropy)(&devices[1], &e) ==
                    GRU_ERROR_INDEX &&
                devices[1].fault.position == bad && devices[1].fault.value == target[bad],
            "cross_entropy fault", devices[1].fault.position, bad, grad);
  }
  free(x), free(weight), free(scale), free(target);
}

/* A -inf logit has probability 0; where it is the target the loss is inf. */
static void test_infinite_logits(void) {
  float x[] = {-INFINITY, 1, 2, -INFINITY, 1, 2}, loss[2], mass[2], lse[2], dx[6], scale = 1;
  int64_t target[] = {2, 0};
  gruI_cross_entropy e = {.dtype = GRU_FLOAT32,
                          .rows = 2,
                          .cols = 3,
                          .x = x,
                          .target = target,
                          .loss = loss,
                          .mass = mass,
                          .lse = lse,
                          .lse_in = lse,
                          .scale = &scale,
                          .dx = dx};
  gruI_cpu_cross_entropy(&devices[0], &e);
  gruI_cpu_cross_entropy_grad(&devices[0], &e);
  check(is_near((double)loss[0], log1p(exp(-1)), 1e-6), "loss beside -inf", 0, 0, 0);
  check(isinf(loss[1]) && loss[1] > 0, "loss at -inf", 0, 0, 0);
  check(dx[0] == 0 && dx[3] == -1, "gradient at -inf", 0, 0, 0);
}

static void test_losses(void) {
  static const int64_t cols[] = {1, 2, 3, 10, 31, 32, 33, 100, 513, 1027};
  for (int i = 0; i < 150; i++) {
    double spread = below(2) ? 3 : 30;
    try_softmax(below(20), cols[below(10)], spread);
    try_cross_entropy(below(20), cols[below(10)], below(2) ? 2 : 8);
  }
  try_softmax(300, 1027, 3);
  try_softmax(2, 50000, 3);
  try_cross_entropy(300, 1027, 3);
  try_cross_entropy(3, 50000, 3);
  test_infinite_logits();
}

int main(int argc, char **argv) { return run_tests(argc, argv, test_losses); }

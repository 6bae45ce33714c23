/* cpu_recurrence_test.c - recurrent layers, forward and backward, against the equations in double,
** one number at a time; on 1, 2 and 4 threads they must give the same bits.
**
** What a call has to write is NaN before it.  Usage: cpu_recurrence_test [seed]
*/
#include "kernels_test.h"

enum { MAX_H = 600 };

/* ---- a layer: the call, and the same in double -------------------------------------------- */

/* The arrays of a call; `count` of elements, 0 where there is none. */
enum { GX, W, B_X, B_H, DY, DY_C, H_, C_, Y, Y_C, GATES, DGX, DA_N, DH, DC, ARRAYS };

typedef struct layer {
  gruI_recurrence call;
  int64_t count[ARRAYS];
  void *data[ARRAYS];
  double *want[ARRAYS]; /* GX to DY_C: the elements of data; else what is right */
  int64_t *lengths;
} layer;

static int is_input(int array) { return array <= DY_C; }

static void *numbers(gru_dtype dtype, int64_t count, double scale) {
  void *p = random_elements(dtype, count);
  for (int64_t i = 0; i < count; i++)
    if (dtype == GRU_FLOAT32)
      ((float *)p)[i] *= (float)scale;
    else
      ((double *)p)[i] *= scale;
  return p;
}

static void put(gru_dtype dtype, void *p, int64_t i, double value) {
  if (dtype == GRU_FLOAT32)
    ((float *)p)[i] = (float)value;
  else
    ((double *)p)[i] = value;
}

/* Points the call at `data`. */
static void aim(layer *l, void *const *data) {
  gruI_recurrence *c = &l->call;
  c->gx = data[GX], c->w_hh = data[W], c->b_ih = data[B_X], c->b_hh = data[B_H];
  c->dy = data[DY], c->dy_c = data[DY_C];
  c->h = data[H_], c->c = data[C_], c->y = data[Y], c->y_c = data[Y_C], c->gates = data[GATES];
  c->dgx = data[DGX], c->da_n = data[DA_N], c->dh = data[DH], c->dc = data[DC];
}

static void new_layer(layer *l, gruI_cell cell, gru_dtype dtype, int64_t L, int64_t N, int64_t H) {
  int64_t G = gruI_cell_gates(cell), states = (L + 1) * N * H, lstm = cell == GRUI_LSTM;
  *l = (layer){.call = {.cell = cell, .dtype = dtype, .steps = L, .batch = N, .hidden = H}};
  l->call.reverse = (int)below(2);
  int ends = (int)below(2);
  int64_t *n = l->count;
  n[GX] = n[DGX] = L * N * G * H, n[W] = G * H * H;
  n[B_X] = below(2) * G * H, n[B_H] = below(2) * G * H;
  n[H_] = states, n[C_] = lstm * states;
  n[DY] = L * N * H, n[DY_C] = lstm * below(2) * L * N * H;
  n[Y] = ends * L * N * H, n[Y_C] = lstm * n[Y];
  n[GATES] = L * N * gruI_cell_saved(cell) * H;
  n[DA_N] = cell == GRUI_GRU_AFTER ? L * N * H : 0;
  n[DH] = N * H, n[DC] = lstm * N * H;
  for (int i = 0; i < ARRAYS; i++) {
    if (n[i] == 0 && i != GX && i != DY && i != DH) continue;
    l->data[i] = numbers(dtype, n[i], i == W ? 1 / sqrt((double)H) : is_input(i) ? 1 : NAN);
    l->want[i] = fresh((size_t)n[i] * sizeof(double));
    for (int64_t j = 0; j < n[i]; j++) l->want[i][j] = element(dtype, l->data[i], j);
  }
  int64_t first = l->call.reverse ? L * N * H : 0;
  for (int64_t j = first; j < first + N * H; j++)
    for (int i = H_; i <= H_ + lstm; i++) {
      put(dtype, l->data[i], j, unit() * 2 - 1);
      l->want[i][j] = element(dtype, l->data[i], j);
    }
  if (ends) l->lengths = fresh((size_t)N * sizeof *l->lengths);
  for (int64_t b = 0; ends && b < N; b++)
    l->lengths[b] = below(L + 2); /* 0 and past the end, too */
  l->call.lengths = l->lengths;
  aim(l, l->data);
}

static void free_layer(layer *l) {
  for (int i = 0; i < ARRAYS; i++) free(l->data[i]), free(l->want[i]);
  free(l->lengths);
}

/* ---- the equations of core/device.h --------------------------------------------------------- */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* One row at one step. */
typedef struct place {
  int64_t at;            /* (t, b) */
  int64_t before, after; /* its rows of the states */
  int over;
} place;

static place place_of(const layer *l, int64_t t, int64_t b) {
  const gruI_recurrence *c = &l->call;
  int64_t early = (t * c->batch + b) * c->hidden, late = early + c->batch * c->hidden;
  return (place){.at = t * c->batch + b,
                 .before = c->reverse ? late : early,
                 .after = c->reverse ? early : late,
                 .over = l->lengths != NULL && t >= l->lengths[b]};
}

/* Row `row` of W times x, and its bias. */
static double hidden_part(const layer *l, int64_t row, const double *x) {
  double sum = l->want[B_H] ? l->want[B_H][row] : 0;
  for (int64_t p = 0; p < l->call.hidden; p++) sum += l->want[W][row * l->call.hidden + p] * x[p];
  return sum;
}

static double input_part(const layer *l, place p, int64_t row) {
  int64_t GH = gruI_cell_gates(l->call.cell) * l->call.hidden;
  return l->want[GX][p.at * GH + row] + (l->want[B_X] ? l->want[B_X][row] : 0);
}

static void step_forward(layer *l, place p) {
  int64_t H = l->call.hidden, S = gruI_cell_saved(l->call.cell);
  double *h = l->want[H_] + p.before, *new = l->want[H_] + p.after, inner[MAX_H];
  double *c = l->want[C_] ? l->want[C_] + p.before : NULL, *s = l->want[GATES];
  if (s != NULL) s += p.at * S * H;
  for (int64_t j = 0; j < H && l->call.cell >= GRUI_GRU_AFTER; j++) {
    for (int64_t i = j; i < 2 * H; i += H)
      s[i] = sigmoid(input_part(l, p, i) + hidden_part(l, i, h));
    inner[j] = l->call.cell == GRUI_GRU_BEFORE ? s[j] * h[j] : h[j];
  }
  for (int64_t j = 0; j < H; j++) {
    double a[4] = {0}, e;
    for (int i = 0; i < 4 && l->call.cell == GRUI_LSTM; i++)
      a[i] = input_part(l, p, i * H + j) + hidden_part(l, i * H + j, h);
    switch (l->call.cell) {
      case GRUI_RNN_TANH: new[j] = tanh(input_part(l, p, j) + hidden_part(l, j, h)); break;
      case GRUI_RNN_RELU: new[j] = fmax(input_part(l, p, j) + hidden_part(l, j, h), 0); break;
      case GRUI_LSTM:
        s[j] = sigmoid(a[0]), s[H + j] = sigmoid(a[1]), s[2 * H + j] = tanh(a[2]);
        s[3 * H + j] = sigmoid(a[3]);
        e = s[H + j] * c[j] + s[j] * s[2 * H + j];
        s[4 * H + j] = tanh(e), new[j] = s[3 * H + j] * tanh(e);
        l->want[C_][p.after + j] = e;
        break;
      case GRUI_GRU_AFTER:
      case GRUI_GRU_BEFORE:
        e = hidden_part(l, 2 * H + j, inner);
        s[3 * H + j] = l->call.cell == GRUI_GRU_AFTER ? e : inner[j];
        if (l->call.cell == GRUI_GRU_AFTER) e *= s[j];
        e = tanh(input_part(l, p, 2 * H + j) + e);
        s[2 * H + j] = e, new[j] = (1 - s[H + j]) * e + s[H + j] * h[j];
        break;
    }
  }
}

static void want_forward(layer *l) {
  const gruI_recurrence *c = &l->call;
  int64_t H = c->hidden, SH = gruI_cell_saved(c->cell) * H;
  for (int64_t i = 0; i < c->steps; i++)
    for (int64_t b = 0; b < c->batch; b++) {
      place p = place_of(l, c->reverse ? c->steps - 1 - i : i, b);
      if (!p.over) step_forward(l, p);
      for (int64_t j = 0; j < SH && p.over; j++) l->want[GATES][p.at * SH + j] = 0;
      for (int pair = 0; pair <= (c->cell == GRUI_LSTM); pair++)
        for (int64_t j = 0; j < H; j++) {
          double *states = l->want[H_ + pair], *shown = l->want[Y + pair];
          if (p.over) states[p.after + j] = states[p.before + j];
          if (shown != NULL) shown[p.at * H + j] = p.over ? 0 : states[p.after + j];
        }
    }
}

/* dh and dc of row b go from after the step to before it; g (G H) is the gradient of gx, k that of
** the hidden part. */
static void step_backward(layer *l, place p, double *dh, double *dc, double *g) {
  int64_t H = l->call.hidden, G = gruI_cell_gates(l->call.cell), rows = G * H;
  gruI_cell cell = l->call.cell;
  const double *h = l->want[H_] + p.before, *new = l->want[H_] + p.after, *w = l->want[W];
  const double *s = l->want[GATES] ? l->want[GATES] + p.at * gruI_cell_saved(cell) * H : NULL;
  double k[4 * MAX_H];
  for (int64_t j = 0; j < H; j++) {
    double d = dh[j] + l->want[DY][p.at * H + j], e = 0;
    if (l->want[DY_C]) dc[j] += l->want[DY_C][p.at * H + j];
    dh[j] = 0;
    if (cell == GRUI_RNN_TANH) g[j] = d * (1 - new[j] * new[j]);
    if (cell == GRUI_RNN_RELU) g[j] = element(l->call.dtype, l->call.h, p.after + j) > 0 ? d : 0;
    if (cell == GRUI_LSTM) {
      double i = s[j], f = s[H + j], n = s[2 * H + j], o = s[3 * H + j], tc = s[4 * H + j];
      e = dc[j] + d * o * (1 - tc * tc);
      g[j] = e * n * i * (1 - i), g[H + j] = e * l->want[C_][p.before + j] * f * (1 - f);
      g[2 * H + j] = e * i * (1 - n * n), g[3 * H + j] = d * tc * o * (1 - o);
      dc[j] = e * f;
    }
    if (cell >= GRUI_GRU_AFTER) {
      double r = s[j], z = s[H + j], n = s[2 * H + j];
      e = d * (1 - z) * (1 - n * n);
      g[j] = e * s[3 * H + j] * r * (1 - r), g[2 * H + j] = e;
      g[H + j] = d * (h[j] - n) * z * (1 - z);
      dh[j] = d * z;
    }
  }
  if (cell == GRUI_GRU_BEFORE) {
    for (int64_t j = 0; j < H; j++) {
      double q = 0;
      for (int64_t i = 0; i < H; i++) q += g[2 * H + i] * w[(2 * H + i) * H + j];
      g[j] = q * h[j] * s[j] * (1 - s[j]);
      dh[j] += q * s[j];
    }
    rows = 2 * H;
  }
  for (int64_t i = 0; i < rows; i++) k[i] = g[i];
  for (int64_t j = 0; j < H && cell == GRUI_GRU_AFTER; j++)
    k[2 * H + j] = l->want[DA_N][p.at * H + j] = g[2 * H + j] * s[j];
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < H; j++) dh[j] += k[i] * w[i * H + j];
}

static void want_backward(layer *l) {
  const gruI_recurrence *c = &l->call;
  int64_t H = c->hidden, GH = gruI_cell_gates(c->cell) * H;
  for (int64_t j = 0; j < c->batch * H; j++) {
    l->want[DH][j] = 0;
    if (l->want[DC]) l->want[DC][j] = 0;
  }
  for (int64_t i = c->steps - 1; i >= 0; i--)
    for (int64_t b = 0; b < c->batch; b++) {
      place p = place_of(l, c->reverse ? c->steps - 1 - i : i, b);
      double *g = l->want[DGX] + p.at * GH;
      if (!p.over) {
        step_backward(l, p, l->want[DH] + b * H, l->want[DC] ? l->want[DC] + b * H : NULL, g);
        continue;
      }
      for (int64_t j = 0; j < GH; j++) g[j] = 0;
      for (int64_t j = 0; j < H && l->want[DA_N]; j++) l->want[DA_N][p.at * H + j] = 0;
    }
}

/* ---- comparing ------------------------------------------------------------------------------- */

static void compare(const layer *l, int first, int last, const char *what) {
  const gruI_recurrence *c = &l->call;
  double tolerance = c->dtype == GRU_FLOAT32 ? 1e-4 : 1e-12;
  for (int i = first; i <= last; i++) {
    int agrees = 1;
    for (int64_t j = 0; j < l->count[i]; j++) {
      double got = element(c->dtype, l->data[i], j), want = l->want[i][j];
      if (!(fabs(got - want) <= tolerance * (1 + fabs(want)))) agrees = 0;
    }
    check(agrees, what, c->steps * 10 + (long long)c->cell, c->batch, c->hidden);
  }
}

/* The call on another device, with other memory, gives the same bits; so does a forward that keeps
** no gates. */
static void compare_bits(layer *l, const layer *before, gruI_device *device) {
  const gruI_recurrence *c = &l->call;
  size_t size = gru_dtype_size(c->dtype);
  void *again[ARRAYS];
  for (int i = 0; i < ARRAYS; i++)
    again[i] = before->data[i] ? copy_of(before->data[i], (size_t)l->count[i] * size) : NULL;
  aim(l, again);
  check(gruI_cpu_recurrence(device, c) == GRU_OK, "forward again", c->steps, c->batch, c->hidden);
  check(gruI_cpu_recurrence_grad(device, c) == GRU_OK, "backward again", c->steps, c->batch,
        c->hidden);
  for (int i = 0; i < ARRAYS; i++)
    check(!again[i] || memcmp(again[i], l->data[i], (size_t)l->count[i] * size) == 0, "bits",
          c->steps * 10 + (long long)c->cell, c->batch, c->hidden);
  void *gates = again[GATES];
  again[GATES] = NULL;
  for (int i = H_; i <= Y_C; i++)
    if (again[i]) memcpy(again[i], before->data[i], (size_t)l->count[i] * size);
  aim(l, again);
  check(gruI_cpu_recurrence(device, c) == GRU_OK, "without gates", c->steps, c->batch, c->hidden);
  for (int i = H_; i <= Y_C; i++)
    check(!again[i] || memcmp(again[i], l->data[i], (size_t)l->count[i] * size) == 0,
          "bits without gates", c->steps * 10 + (long long)c->cell, c->batch, c->hidden);
  for (int i = 0; i < ARRAYS; i++) free(again[i]);
  free(gates);
  aim(l, l->data);
}

static void try_layer(gruI_cell cell, gru_dtype dtype, int64_t L, int64_t N, int64_t H) {
  layer l, before = {.lengths = NULL};
  new_layer(&l, cell, dtype, L, N, H);
  size_t size = gru_dtype_size(dtype);
  for (int i = 0; i < ARRAYS; i++)
    if (l.data[i]) before.data[i] = copy_of(l.data[i], (size_t)l.count[i] * size);
  check(gruI_cpu_recurrence(&devices[0], &l.call) == GRU_OK, "forward", L, N, H);
  want_forward(&l);
  compare(&l, H_, GATES, "states, outputs, gates");
  check(gruI_cpu_recurrence_grad(&devices[0], &l.call) == GRU_OK, "backward", L, N, H);
  want_backward(&l);
  compare(&l, DGX, DC, "gradients");
  for (int d = 1; d < DEVICES; d++) compare_bits(&l, &before, &devices[d]);
  for (int i = 0; i < ARRAYS; i++) free(before.data[i]);
  free_layer(&l);
}

static int say_stop(void *context) { return *(int *)context; }

/* A call that was stopped says so, and the next one is as if it had not been. */
static void try_stop(int64_t L, int64_t N, int64_t H) {
  layer l;
  int stop = 1;
  gruI_device device = {.pool = gruI_pool_create(2, say_stop, &stop)};
  new_layer(&l, GRUI_LSTM, GRU_FLOAT32, L, N, H);
  check(gruI_cpu_recurrence(&device, &l.call) == GRU_ERROR_INTERRUPTED, "stopped", L, N, H);
  check(gruI_cpu_recurrence_grad(&device, &l.call) == GRU_ERROR_INTERRUPTED, "stopped", L, N, H);
  stop = 0;
  check(gruI_cpu_recurrence(&device, &l.call) == GRU_OK, "goes on", L, N, H);
  want_forward(&l);
  compare(&l, H_, GATES, "after a stop");
  check(gruI_cpu_recurrence_grad(&device, &l.call) == GRU_OK, "goes on", L, N, H);
  want_backward(&l);
  compare(&l, DGX, DC, "after a stop");
  free_layer(&l);
  for (int i = 0; i < 2; i++) free(device.scratch[i]);
  gruI_pool_destroy(device.pool);
}

static void tests(void) {
  static const int64_t steps[] = {1, 2, 3, 4, 9}, rows[] = {1, 2, 3, 4, 5, 7, 8, 9, 17, 33, 70};
  static const int64_t hidden[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 48, 50};
  static const gruI_cell cells[] = {GRUI_RNN_TANH, GRUI_RNN_RELU, GRUI_LSTM, GRUI_GRU_AFTER,
                                    GRUI_GRU_BEFORE};
  for (int i = 0; i < 500; i++)
    try_layer(cells[i % 5], i % 2 ? GRU_FLOAT32 : GRU_FLOAT64, steps[below(5)], rows[below(11)],
              hidden[below(12)]);
  for (int i = 0; i < 5; i++) {
    try_layer(cells[i], GRU_FLOAT32, 1 + below(4), 0, 5);
    try_layer(cells[i], GRU_FLOAT32, 3, 3, 520); /* a few rows of a wide layer */
    try_layer(cells[i], GRU_FLOAT64, 2, 7, 130);
    try_layer(cells[i], GRU_FLOAT32, 60, 6, 9);
    try_layer(cells[i], GRU_FLOAT32, 30, 20,
              100); /* 12 rows and 8: the second thread gets some more */
    /* threads, where there are some, share out columns */
    try_layer(cells[i], GRU_FLOAT64, 3, 5, 580);
    try_layer(cells[i], GRU_FLOAT64, 3, 4, 593);
  }
  try_stop(5, 40, 8);
  try_stop(2, 40, 8);
  try_stop(3, 5, 420); /* by columns */
  printf("isa: %s\n", gruI_cpu_isa_of(&devices[0])->name);
}

int main(int argc, char **argv) { return run_tests(argc, argv, tests); }

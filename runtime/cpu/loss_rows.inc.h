/* loss_rows.inc.h - the rows of softmax and cross-entropy for the type T; included by
** loss_rows.c once for float and once for double, hence no guard.
**
** With m = max_c x[c] and s = sum_c exp(x[c] - m):
**   softmax      y = exp(x - m) / s
**   log_softmax  y = (x - m) - log s,     lse = m + log s
** Sums run in LANES side by side over CHUNK columns, then in double, always in this order.
*/

/* ---- sums and maxima over a row ---------------------------------------------------- */

/* Folds the lanes; half of them onto the other half, while there are many. */
static inline double NAME(fold, T)(T *lane) {
  for (int w = LANES / 2; w >= 4; w /= 2)
    for (int l = 0; l < w; l++) lane[l] += lane[l + w];
  return ((double)lane[0] + (double)lane[1]) + ((double)lane[2] + (double)lane[3]);
}

/* sum over c < n <= CHUNK of `term`, an expression in c. */
#define SUM_CHUNK(total, n, term) \
  do { \
    T lane_[LANES] = {0}; \
    int64_t c0_ = 0; \
    for (; c0_ + LANES <= (n); c0_ += LANES) \
      for (int64_t l_ = 0; l_ < LANES; l_++) { \
        int64_t c = c0_ + l_; \
        lane_[l_] += (term); \
      } \
    total += NAME(fold, T)(lane_); \
    for (int64_t c = c0_; c < (n); c++) total += (double)(term); \
  } while (0)

/* The largest of x; NaN is passed over, and meets the sum instead. */
static T NAME(row_max, T)(const T *x, int64_t n) {
  T lane[LANES], m = (T)-GM_INF_F64;
  int64_t c = 0;
  for (int l = 0; l < LANES; l++) lane[l] = m;
  for (; c + LANES <= n; c += LANES)
    for (int l = 0; l < LANES; l++) lane[l] = x[c + l] > lane[l] ? x[c + l] : lane[l];
  for (; c < n; c++) m = x[c] > m ? x[c] : m;
  for (int l = 0; l < LANES; l++) m = lane[l] > m ? lane[l] : m;
  return m;
}

/* sum_c exp(x[c] - m); the terms themselves go to y, unless it is NULL. */
static double NAME(sum_exp, T)(const T *x, T m, int64_t n, T *y) {
  T buffer[CHUNK];
  double total = 0;
  for (int64_t c0 = 0; c0 < n; c0 += CHUNK) {
    int64_t width = gruI_cpu_min(CHUNK, n - c0);
    T *e = y != NULL ? y + c0 : buffer;
    const T *from = x + c0;
    for (int64_t c = 0; c < width; c++) e[c] = gm_exp(from[c] - m);
    SUM_CHUNK(total, width, e[c]);
  }
  return total;
}

static double NAME(dot, T)(const T *a, const T *b, int64_t n) {
  double total = 0;
  for (int64_t c0 = 0; c0 < n; c0 += CHUNK) {
    const T *x = a + c0, *y = b + c0;
    SUM_CHUNK(total, gruI_cpu_min(CHUNK, n - c0), x[c] * y[c]);
  }
  return total;
}

static double NAME(row_sum, T)(const T *a, int64_t n) {
  double total = 0;
  for (int64_t c0 = 0; c0 < n; c0 += CHUNK) {
    const T *x = a + c0;
    SUM_CHUNK(total, gruI_cpu_min(CHUNK, n - c0), x[c]);
  }
  return total;
}

/* ---- softmax ----------------------------------------------------------------------- */

static void NAME(softmax, T)(const gruI_softmax *s, int64_t first, int64_t last) {
  int64_t n = s->cols;
  for (int64_t r = first; r < last; r++) {
    const T *x = (const T *)s->x + r * n;
    T *y = (T *)s->y + r * n, m = NAME(row_max, T)(x, n);
    if (s->log) {
      T log_sum = (T)gm_log(NAME(sum_exp, T)(x, m, n, NULL));
      for (int64_t c = 0; c < n; c++) y[c] = (x[c] - m) - log_sum;
    } else {
      T scale = (T)(1.0 / NAME(sum_exp, T)(x, m, n, y));
      for (int64_t c = 0; c < n; c++) y[c] *= scale;
    }
  }
}

static void NAME(softmax_grad, T)(const gruI_softmax_grad *s, int64_t first, int64_t last) {
  int64_t n = s->cols;
  for (int64_t r = first; r < last; r++) {
    const T *y = (const T *)s->y + r * n, *g = (const T *)s->g + r * n;
    T *dx = (T *)s->dx + r * n;
    if (s->log) {
      T sum = (T)NAME(row_sum, T)(g, n);
      for (int64_t c = 0; c < n; c++) dx[c] = g[c] - gm_exp(y[c]) * sum;
    } else {
      T sum = (T)NAME(dot, T)(g, y, n);
      for (int64_t c = 0; c < n; c++) dx[c] = y[c] * (g[c] - sum);
    }
  }
}

/* ---- cross-entropy ----------------------------------------------------------------- */

/* The class of row r, counted from 0; -1 where the row is ignored. */
static inline int64_t NAME(class_of, T)(const gruI_cross_entropy *e, int64_t r) {
  int64_t id = e->target[r];
  return e->has_ignore && id == e->ignore_index ? -1 : id - e->base;
}

/* sum_c w[c] (lse - x[c]), from lse - x = log_sum - (x - m). */
static double NAME(smooth_sum, T)(const T *row, const T *weight, T m, T log_sum, int64_t n) {
  double total = 0;
  for (int64_t c0 = 0; c0 < n; c0 += CHUNK) {
    const T *x = row + c0, *w = weight != NULL ? weight + c0 : NULL;
    int64_t width = gruI_cpu_min(CHUNK, n - c0);
    if (w != NULL)
      SUM_CHUNK(total, width, w[c] * (log_sum - (x[c] - m)));
    else
      SUM_CHUNK(total, width, log_sum - (x[c] - m));
  }
  return total;
}

static void NAME(cross_entropy, T)(const gruI_cross_entropy *e, int64_t first, int64_t last) {
  int64_t n = e->cols;
  const T *w = e->weight;
  for (int64_t r = first; r < last; r++) {
    const T *x = (const T *)e->x + r * n;
    int64_t t = NAME(class_of, T)(e, r);
    T m = NAME(row_max, T)(x, n);
    double log_sum = gm_log(NAME(sum_exp, T)(x, m, n, NULL)), loss = 0;
    T mass = t < 0 ? 0 : w != NULL ? w[t] : 1;
    if (t >= 0) loss = (double)mass * (log_sum - ((double)x[t] - (double)m));
    if (t >= 0 && e->smoothing != 0)
      loss = (1 - e->smoothing) * loss +
             e->smoothing / (double)n * NAME(smooth_sum, T)(x, w, m, (T)log_sum, n);
    ((T *)e->loss)[r] = (T)loss;
    ((T *)e->mass)[r] = mass;
    ((T *)e->lse)[r] = (T)((double)m + log_sum);
  }
}

/* With p = exp(x - lse) and W = sum_c w[c]:
**   d loss / dx[c] = ((1 - e) w[t] + (e / cols) W) p[c] - (e / cols) w[c] - (1 - e) w[t] [c = t] */
static void NAME(cross_entropy_grad, T)(const gruI_cross_entropy *e, int64_t first, int64_t last) {
  int64_t n = e->cols;
  const T *w = e->weight;
  double spread = e->smoothing / (double)n, all = (double)n;
  if (w != NULL) all = e->smoothing != 0 ? NAME(row_sum, T)(w, n) : 0;
  for (int64_t r = first; r < last; r++) {
    const T *x = (const T *)e->x + r * n;
    T *dx = (T *)e->dx + r * n, lse = ((const T *)e->lse_in)[r];
    int64_t t = NAME(class_of, T)(e, r);
    if (t < 0) {
      for (int64_t c = 0; c < n; c++) dx[c] = 0;
      continue;
    }
    double scale = (double)((const T *)e->scale)[r * e->scale_stride];
    double at_target = scale * (1 - e->smoothing) * (w != NULL ? (double)w[t] : 1.0);
    T up = (T)(at_target + scale * spread * all), down = (T)(scale * spread);
    for (int64_t c = 0; c < n; c++) dx[c] = up * gm_exp(x[c] - lse);
    if (down != 0 && w != NULL)
      for (int64_t c = 0; c < n; c++) dx[c] -= down * w[c];
    else if (down != 0)
      for (int64_t c = 0; c < n; c++) dx[c] -= down;
    dx[t] -= (T)at_target;
  }
}

#undef SUM_CHUNK

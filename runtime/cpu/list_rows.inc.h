/* list_rows.inc.h - steps of optimisers, scaling and norms for the type T; included by list_rows.c
** once for float and once for double, hence no guard.  The equations stand in gru.h.
*/

/* What the gradient is multiplied by. */
static inline T NAME(factor, T)(const void *scale, int maximize) {
  T factor = scale != NULL ? *(const T *)scale : (T)1;
  return maximize ? -factor : factor;
}

/* ---- SGD --------------------------------------------------------------------------- */

typedef struct NAME(sgd_numbers, T) {
  T factor, decay, lr, momentum, undamped;
} NAME(sgd_numbers, T);

static NAME(sgd_numbers, T) NAME(sgd_numbers_of, T)(const gruI_sgd *call) {
  const gru_sgd_options *o = &call->options;
  return (NAME(sgd_numbers, T)){.factor = NAME(factor, T)(call->scale, o->maximize),
                                .decay = (T)o->weight_decay,
                                .lr = (T)o->lr,
                                .momentum = (T)o->momentum,
                                .undamped = (T)(1 - o->dampening)};
}

/* `decays`, `first`, `nesterov` are constants of the caller; a NULL buf is no momentum. */
static INLINED void NAME(sgd_loop, T)(NAME(sgd_numbers, T) c, int decays, int first, int nesterov,
                                      T *p, const T *g, T *buf, int64_t n) {
  NO_CARRIED_DEPENDENCE
  for (int64_t i = 0; i < n; i++) {
    T d = g[i] * c.factor;
    if (decays) d += p[i] * c.decay;
    if (buf != NULL) {
      T b = first ? d : buf[i] * c.momentum + d * c.undamped;
      buf[i] = b;
      d = nesterov ? d + b * c.momentum : b;
    }
    p[i] -= d * c.lr;
  }
}

static void NAME(sgd, T)(const gruI_sgd *call, const gruI_part *part, int64_t first, int64_t last) {
  const gru_sgd_options *o = &call->options;
  NAME(sgd_numbers, T) c = NAME(sgd_numbers_of, T)(call);
  T *p = (T *)part->at[0] + first, *buf = part->at[2];
  const T *g = (const T *)part->at[1] + first;
  int64_t n = last - first;
  int decays = o->weight_decay != 0;
  if (buf == NULL)
    decays ? NAME(sgd_loop, T)(c, 1, 0, 0, p, g, NULL, n)
           : NAME(sgd_loop, T)(c, 0, 0, 0, p, g, NULL, n);
  else if (part->step == 1)
    o->nesterov ? NAME(sgd_loop, T)(c, decays, 1, 1, p, g, buf + first, n)
                : NAME(sgd_loop, T)(c, decays, 1, 0, p, g, buf + first, n);
  else if (o->nesterov)
    decays ? NAME(sgd_loop, T)(c, 1, 0, 1, p, g, buf + first, n)
           : NAME(sgd_loop, T)(c, 0, 0, 1, p, g, buf + first, n);
  else
    decays ? NAME(sgd_loop, T)(c, 1, 0, 0, p, g, buf + first, n)
           : NAME(sgd_loop, T)(c, 0, 0, 0, p, g, buf + first, n);
}

/* ---- Adam -------------------------------------------------------------------------- */

/* Both bias corrections are constants of a step, gruI_adam_pace:
** p = keep p - rate m / (sqrt(v) spread + eps). */
typedef struct NAME(adam_numbers, T) {
  T factor, decay, keep, beta1, rest1, beta2, rest2, rate, spread, eps;
} NAME(adam_numbers, T);

static NAME(adam_numbers, T) NAME(adam_numbers_of, T)(const gruI_adam *call, int64_t step) {
  const gru_adam_options *o = &call->options;
  double decayed = o->decoupled ? 1 - o->lr * o->weight_decay : 1;
  gruI_adam_pace pace = gruI_adam_pace_of(o, step);
  return (NAME(adam_numbers, T)){.factor = NAME(factor, T)(call->scale, o->maximize),
                                 .decay = (T)o->weight_decay,
                                 .keep = (T)decayed,
                                 .beta1 = (T)o->beta1,
                                 .rest1 = (T)(1 - o->beta1),
                                 .beta2 = (T)o->beta2,
                                 .rest2 = (T)(1 - o->beta2),
                                 .rate = (T)pace.rate,
                                 .spread = (T)pace.spread,
                                 .eps = (T)o->eps};
}

/* `decays` (into the gradient) is a constant of the caller; a NULL w is no amsgrad. */
static INLINED void NAME(adam_loop, T)(NAME(adam_numbers, T) c, int decays, T *p, const T *g, T *m,
                                       T *v, T *w, int64_t n) {
  NO_CARRIED_DEPENDENCE
  for (int64_t i = 0; i < n; i++) {
    T d = g[i] * c.factor;
    if (decays) d += p[i] * c.decay;
    T mean = m[i] * c.beta1 + d * c.rest1;
    T square = v[i] * c.beta2 + d * c.rest2 * d;
    m[i] = mean;
    v[i] = square;
    if (w != NULL) w[i] = square = gm_max(w[i], square);
    p[i] = p[i] * c.keep - mean * c.rate / (gm_sqrt(square) * c.spread + c.eps);
  }
}

static void NAME(adam, T)(const gruI_adam *call, const gruI_part *part, int64_t first,
                          int64_t last) {
  NAME(adam_numbers, T) c = NAME(adam_numbers_of, T)(call, part->step);
  T *p = (T *)part->at[0] + first, *m = (T *)part->at[2] + first, *v = (T *)part->at[3] + first;
  T *w = part->at[4];
  const T *g = (const T *)part->at[1] + first;
  int64_t n = last - first;
  int decays = call->options.weight_decay != 0 && !call->options.decoupled;
  if (w != NULL)
    decays ? NAME(adam_loop, T)(c, 1, p, g, m, v, w + first, n)
           : NAME(adam_loop, T)(c, 0, p, g, m, v, w + first, n);
  else
    decays ? NAME(adam_loop, T)(c, 1, p, g, m, v, NULL, n)
           : NAME(adam_loop, T)(c, 0, p, g, m, v, NULL, n);
}

/* ---- scaling and norms ------------------------------------------------------------- */

static void NAME(scale, T)(const gruI_scale *call, const gruI_part *part, int64_t first,
                           int64_t last) {
  T factor = *(const T *)call->scale, *x = part->at[0];
  for (int64_t i = first; i < last; i++) x[i] *= factor;
}

static double NAME(squares, T)(const void *from, int64_t first, int64_t last) {
  const T *x = (const T *)from + first;
  double lane[LANES] = {0}, rest = 0;
  int64_t n = last - first, i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int l = 0; l < LANES; l++) lane[l] += (double)x[i + l] * (double)x[i + l];
  for (; i < n; i++) rest += (double)x[i] * (double)x[i];
  for (int w = LANES / 2; w >= 1; w /= 2)
    for (int l = 0; l < w; l++) lane[l] += lane[l + w];
  return lane[0] + rest;
}

static double NAME(largest, T)(const void *from, int64_t first, int64_t last) {
  const T *x = (const T *)from + first;
  T lane[LANES] = {0}, most = 0;
  int64_t n = last - first, i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int l = 0; l < LANES; l++) lane[l] = gm_max(lane[l], gm_abs(x[i + l]));
  for (; i < n; i++) most = gm_max(most, gm_abs(x[i]));
  for (int l = 0; l < LANES; l++) most = gm_max(most, lane[l]);
  return (double)most;
}

/* recurrence_rows.inc.h - the equations of the cells for the type T; included by recurrence_rows.c
** once for float and once for double, hence no guard.
**
** The functions below do one row: x is its part of gx, a of sums, s of gates; bx and bh are the
** biases; H hidden units.  The equations stand in core/device.h; the gradients follow from them:
**
**   GRU   d = dh;  dz = d (h - n), dn = d (1 - z), dan = dn (1 - n^2), dar = dr r (1 - r),
**         daz = dz z (1 - z), dh_before = d z + what the weights bring
**         AFTER:  da_n = dan r, dr = dan a_n          BEFORE: q = dan W_hn, dr = q h, dh_before += q r
**   LSTM  dc += dh o (1 - tanh(c')^2); do = dh tanh(c'); di = dc g, dg = dc i, df = dc c;
**         dc_before = dc f
**   RNN   da = dh (1 - h'^2), or dh where h' > 0
*/

#define SIG(x) gm_sigmoid(x)
#define TANH(x) gm_tanh(x)
#define R restrict

/* ---- forward ----------------------------------------------------------------------- */

static void NAME(rnn, T)(int relu, int64_t H, const T *x, const T *a, const T *bx, const T *bh,
                         T *R out) {
  if (relu)
    for (int64_t j = 0; j < H; j++) {
      T v = (x[j] + bx[j]) + (a[j] + bh[j]);
      out[j] = v <= 0 ? 0 : v;
    }
  else
    for (int64_t j = 0; j < H; j++) out[j] = TANH((x[j] + bx[j]) + (a[j] + bh[j]));
}

static void NAME(lstm, T)(int64_t H, const T *x, const T *a, const T *bx, const T *bh, const T *c,
                          T *R s, T *R out, T *R c_out) {
  for (int64_t j = 0; j < H; j++) s[j] = SIG((x[j] + bx[j]) + (a[j] + bh[j]));
  for (int64_t j = H; j < 2 * H; j++) s[j] = SIG((x[j] + bx[j]) + (a[j] + bh[j]));
  for (int64_t j = 2 * H; j < 3 * H; j++) s[j] = TANH((x[j] + bx[j]) + (a[j] + bh[j]));
  for (int64_t j = 3 * H; j < 4 * H; j++) s[j] = SIG((x[j] + bx[j]) + (a[j] + bh[j]));
  const T *i = s, *f = s + H, *g = s + 2 * H, *o = s + 3 * H;
  T *R tc = s + 4 * H;
  for (int64_t j = 0; j < H; j++) {
    T v = f[j] * c[j] + i[j] * g[j];
    c_out[j] = v;
    tc[j] = TANH(v);
    out[j] = o[j] * tc[j];
  }
}

static void NAME(gru_after, T)(int64_t H, const T *x, const T *a, const T *bx, const T *bh,
                               const T *h, T *R s, T *R out) {
  for (int64_t j = 0; j < 2 * H; j++) s[j] = SIG((x[j] + bx[j]) + (a[j] + bh[j]));
  const T *r = s, *z = s + H;
  const T *x_n = x + 2 * H, *bx_n = bx + 2 * H, *a_n = a + 2 * H, *bh_n = bh + 2 * H;
  T *R s_n = s + 2 * H, *R s_a = s + 3 * H;
  for (int64_t j = 0; j < H; j++) {
    T v = a_n[j] + bh_n[j], n = TANH((x_n[j] + bx_n[j]) + r[j] * v);
    s_a[j] = v;
    s_n[j] = n;
    out[j] = n + z[j] * (h[j] - n);
  }
}

static void NAME(gru_before, T)(int phase, int64_t H, const T *x, const T *a, const T *bx,
                                const T *bh, const T *h, T *R s, T *R out) {
  T *R n = s + 2 * H, *R q = s + 3 * H;
  const T *z = s + H, *x_n = x + 2 * H, *a_n = a + 2 * H, *bx_n = bx + 2 * H, *bh_n = bh + 2 * H;
  if (phase == 0) {
    for (int64_t j = 0; j < 2 * H; j++) s[j] = SIG((x[j] + bx[j]) + (a[j] + bh[j]));
    for (int64_t j = 0; j < H; j++) q[j] = s[j] * h[j];
    return;
  }
  for (int64_t j = 0; j < H; j++) {
    n[j] = TANH((x_n[j] + bx_n[j]) + (a_n[j] + bh_n[j]));
    out[j] = n[j] + z[j] * (h[j] - n[j]);
  }
}

static void NAME(forward, T)(const gruI_step *step, int phase) {
  const gruI_recurrence *call = step->call;
  int64_t H = call->hidden, G = gruI_cell_gates(call->cell), S = gruI_cell_saved(call->cell);
  size_t row = (size_t)H * sizeof(T);
  for (int64_t b = step->first; b < step->last; b++) {
    const T *x = (const T *)call->gx + (step->t * call->batch + b) * G * H;
    const T *a = (const T *)step->sums + (b - step->first) * G * H;
    const T *h = (const T *)step->h + b * H;
    const T *c = step->c != NULL ? (const T *)step->c + b * H : NULL;
    T *s = (T *)step->gates + (b - step->first) * S * H;
    T *out = (T *)step->h_next + b * H, *c_out = c != NULL ? (T *)step->c_next + b * H : NULL;
    int64_t at = (step->t * call->batch + b) * H;
    int over = is_over(call, b, step->t);
    if (over) { /* the state stays; what the weights' gradients read is zero */
      memset(s, 0, (size_t)S * row);
      memcpy(out, h, row);
      if (c != NULL) memcpy(c_out, c, row);
    } else {
      switch (call->cell) {
        case GRUI_RNN_TANH:
        case GRUI_RNN_RELU:
          NAME(rnn, T)(call->cell == GRUI_RNN_RELU, H, x, a, step->b_x, step->b_h, out);
          break;
        case GRUI_LSTM: NAME(lstm, T)(H, x, a, step->b_x, step->b_h, c, s, out, c_out); break;
        case GRUI_GRU_AFTER: NAME(gru_after, T)(H, x, a, step->b_x, step->b_h, h, s, out); break;
        case GRUI_GRU_BEFORE:
          NAME(gru_before, T)(phase, H, x, a, step->b_x, step->b_h, h, s, out);
          break;
      }
    }
    if (call->cell == GRUI_GRU_BEFORE && phase == 0) continue;
    if (call->y != NULL) memcpy((T *)call->y + at, out, row);
    if (call->y_c != NULL) memcpy((T *)call->y_c + at, c_out, row);
    if (over) {
      memset((T *)call->y + at, 0, row);
      if (call->y_c != NULL) memset((T *)call->y_c + at, 0, row);
    }
  }
}

/* ---- backward: dh and dc of the state after the step become those before it ---------- */

static void NAME(rnn_grad, T)(int relu, int64_t H, const T *out, const T *dy, T *R dx, T *R dh) {
  if (relu)
    for (int64_t j = 0; j < H; j++) dx[j] = out[j] > 0 ? dh[j] + dy[j] : 0;
  else
    for (int64_t j = 0; j < H; j++) dx[j] = (dh[j] + dy[j]) * (1 - out[j] * out[j]);
  for (int64_t j = 0; j < H; j++) dh[j] = 0;
}

static void NAME(lstm_grad, T)(int64_t H, const T *c, const T *s, const T *dy, const T *dy_c,
                               T *R dx, T *R dh, T *R dc) {
  const T *i = s, *f = s + H, *g = s + 2 * H, *o = s + 3 * H, *tc = s + 4 * H;
  T *R di = dx, *R df = dx + H, *R dg = dx + 2 * H, *R d_o = dx + 3 * H;
  if (dy_c != NULL)
    for (int64_t j = 0; j < H; j++) dc[j] += dy_c[j];
  for (int64_t j = 0; j < H; j++) {
    T d = dh[j] + dy[j], e = dc[j] + d * o[j] * (1 - tc[j] * tc[j]);
    di[j] = e * g[j] * i[j] * (1 - i[j]);
    df[j] = e * c[j] * f[j] * (1 - f[j]);
    dg[j] = e * i[j] * (1 - g[j] * g[j]);
    d_o[j] = d * tc[j] * o[j] * (1 - o[j]);
    dc[j] = e * f[j];
    dh[j] = 0;
  }
}

static void NAME(gru_after_grad, T)(int64_t H, const T *h, const T *s, const T *dy, T *R dx,
                                    T *R da, T *R dh) {
  const T *r = s, *z = s + H, *n = s + 2 * H, *a = s + 3 * H;
  T *R dr = dx, *R dz = dx + H, *R dn = dx + 2 * H;
  for (int64_t j = 0; j < H; j++) {
    T d = dh[j] + dy[j], e = d * (1 - z[j]) * (1 - n[j] * n[j]);
    dn[j] = e;
    da[j] = e * r[j];
    dr[j] = e * a[j] * r[j] * (1 - r[j]);
    dz[j] = d * (h[j] - n[j]) * z[j] * (1 - z[j]);
    dh[j] = d * z[j];
  }
}

static void NAME(gru_before_grad, T)(int phase, int64_t H, const T *h, const T *s, const T *q,
                                     const T *dy, T *R dx, T *R dh) {
  const T *r = s, *z = s + H, *n = s + 2 * H;
  T *R dr = dx, *R dz = dx + H, *R dn = dx + 2 * H;
  if (phase == 0)
    for (int64_t j = 0; j < H; j++) {
      T d = dh[j] + dy[j];
      dn[j] = d * (1 - z[j]) * (1 - n[j] * n[j]);
      dz[j] = d * (h[j] - n[j]) * z[j] * (1 - z[j]);
      dh[j] = d * z[j];
    }
  else
    for (int64_t j = 0; j < H; j++) {
      dr[j] = q[j] * h[j] * r[j] * (1 - r[j]);
      dh[j] += q[j] * r[j];
    }
}

static void NAME(backward, T)(const gruI_step *step, int phase) {
  const gruI_recurrence *call = step->call;
  int64_t H = call->hidden, G = gruI_cell_gates(call->cell), S = gruI_cell_saved(call->cell);
  size_t row = (size_t)H * sizeof(T);
  for (int64_t b = step->first; b < step->last; b++) {
    int64_t at = step->t * call->batch + b;
    const T *h = (const T *)step->h + b * H,
            *s = (const T *)step->gates + (b - step->first) * S * H;
    const T *dy = (const T *)call->dy + at * H;
    T *dx = (T *)call->dgx + at * G * H, *dh = (T *)call->dh + b * H;
    T *da = call->da_n != NULL ? (T *)call->da_n + at * H : NULL;
    if (is_over(call, b, step->t)) {
      if (phase == 0) memset(dx, 0, (size_t)G * row);
      if (phase == 0 && da != NULL) memset(da, 0, row);
      continue;
    }
    switch (call->cell) {
      case GRUI_RNN_TANH:
      case GRUI_RNN_RELU:
        NAME(rnn_grad, T)
        (call->cell == GRUI_RNN_RELU, H, (const T *)step->h_next + b * H, dy, dx, dh);
        break;
      case GRUI_LSTM:
        NAME(lstm_grad, T)
        (H, (const T *)step->c + b * H, s, dy,
         call->dy_c != NULL ? (const T *)call->dy_c + at * H : NULL, dx, dh, (T *)call->dc + b * H);
        break;
      case GRUI_GRU_AFTER: NAME(gru_after_grad, T)(H, h, s, dy, dx, da, dh); break;
      case GRUI_GRU_BEFORE:
        NAME(gru_before_grad, T)
        (phase, H, h, s, (const T *)step->sums + (b - step->first) * G * H, dy, dx, dh);
        break;
    }
  }
}

#undef SIG
#undef TANH
#undef R

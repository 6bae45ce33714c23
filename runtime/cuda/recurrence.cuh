/* recurrence.cuh - recurrent layers: what the ways of running them share.
**
** recurrence.cu chooses a way for a call and says why (the table of gruI_cuda_path); the ways are
** recurrence_step.cu and recurrence_fused.cu.  Here are a step as kernels see it and the equations of
** the cells for one unit of one row, split so that a kernel can read its operands (load) before it
** multiplies, and finish when it has the products.
*/
#ifndef GRUI_CUDA_RECURRENCE_CUH
#define GRUI_CUDA_RECURRENCE_CUH

#include "core/math.h"
#include "cuda/cuda.cuh"

/* ---- ways of running a layer ------------------------------------------------------------------- */

typedef struct gruI_cuda_path {
  const char *name; /* GRU_CUDA_RECURRENCE=name chooses it where it can run */
  const char
      *what[2]; /* in a sentence on the layer; [1]: of GRU_BEFORE, whose steps have two parts */
  /* Can it run such a call, and is it worth it?  If not, `why` says so. */
  int (*can)(gruI_device *device, const gruI_recurrence *call, char *why, size_t size);
  int (*pays)(gruI_device *device, const gruI_recurrence *call, char *why, size_t size);
  gru_status (*run)(gruI_device *device, const gruI_recurrence *call, int backward);
} gruI_cuda_path;

extern const gruI_cuda_path gruI_cuda_path_fused, gruI_cuda_path_step;

/* ---- a step ---------------------------------------------------------------------------------------- */

enum { GRUI_MAX_SAVED = 5 };

/* What a kernel does of a step: the whole of it, or for GRU_BEFORE, whose product of n needs r, one of
** two parts: forward r and z, then n; backward n and z, then r. */
enum {
  GRUI_KIND_TANH,
  GRUI_KIND_RELU,
  GRUI_KIND_LSTM,
  GRUI_KIND_AFTER,
  GRUI_KIND_BEFORE_1,
  GRUI_KIND_BEFORE_2
};

/* Products a unit needs forward, and the gate of the first; gates in gx; numbers in `gates`. */
template <int KIND>
struct gruI_kind {
  enum {
    LSTM = KIND == GRUI_KIND_LSTM,
    GRU = KIND >= GRUI_KIND_AFTER,
    SUMS = LSTM                         ? 4
           : KIND == GRUI_KIND_AFTER    ? 3
           : KIND == GRUI_KIND_BEFORE_1 ? 2
                                        : 1,
    FIRST = KIND == GRUI_KIND_BEFORE_2 ? 2 : 0,
    GATES = LSTM  ? 4
            : GRU ? 3
                  : 1,
    SAVED = LSTM  ? 5
            : GRU ? 4
                  : 0
  };
};

/* Arrays of one time t as device.h has them; what a call lacks is NULL. */
template <typename T>
struct gruI_cuda_step {
  int64_t t;
  int batch, hidden;
  int first; /* of backward: dh and dc are not there yet, and count as 0 */
  const int64_t *lengths;
  const T *gx, *b_ih, *b_hh; /* gx (batch, G H) */
  T *h, *h_next, *c, *c_next, *y, *y_c, *gates;
  const T *dy, *dy_c;
  T *dgx, *da_n, *dh, *dc;
};

/* Step number `i` of the walk through time; `gates` stand in for call->gates where that is NULL. */
template <typename T>
static inline gruI_cuda_step<T> gruI_cuda_describe(const gruI_recurrence *call, int64_t i,
                                                   int backward, T *gates) {
  gruI_cuda_step<T> s = {};
  int64_t H = call->hidden, state = call->batch * H, G = gruI_cell_gates(call->cell);
  int64_t t = call->reverse != backward ? call->steps - 1 - i : i;
  int64_t before = call->reverse ? t + 1 : t, after = call->reverse ? t : t + 1;
  s.t = t;
  s.batch = (int)call->batch, s.hidden = (int)H, s.first = i == 0;
  s.lengths = call->lengths;
  s.gx = (const T *)call->gx + t * G * state;
  s.b_ih = (const T *)call->b_ih, s.b_hh = (const T *)call->b_hh;
  s.h = (T *)call->h + before * state, s.h_next = (T *)call->h + after * state;
  if (call->c != NULL) s.c = (T *)call->c + before * state;
  if (call->c != NULL) s.c_next = (T *)call->c + after * state;
  if (call->y != NULL) s.y = (T *)call->y + t * state;
  if (call->y_c != NULL) s.y_c = (T *)call->y_c + t * state;
  s.gates = gates;
  if (call->gates != NULL) s.gates = (T *)call->gates + t * gruI_cell_saved(call->cell) * state;
  if (!backward) return s;
  s.dy = (const T *)call->dy + t * state;
  if (call->dy_c != NULL) s.dy_c = (const T *)call->dy_c + t * state;
  s.dgx = (T *)call->dgx + t * G * state;
  if (call->da_n != NULL) s.da_n = (T *)call->da_n + t * state;
  s.dh = (T *)call->dh, s.dc = (T *)call->dc;
  return s;
}

/* ---- forward: unit j of row b ------------------------------------------------------------------------- */

template <int KIND, typename T>
struct gruI_cuda_forward {
  typedef gruI_kind<KIND> K;
  T x[GRUI_MAX_GATES], bias[GRUI_MAX_GATES]; /* gx + b_ih, b_hh; the first SUMS */
  T h, c, z;
  int over; /* the row has ended */

  __device__ __forceinline__ void load(const gruI_cuda_step<T> &s, int b, int j) {
    int H = s.hidden;
    int64_t at = (int64_t)b * H + j;
    const T *gx = s.gx + (int64_t)b * K::GATES * H + j;
    over = s.lengths != NULL && s.t >= s.lengths[b];
#pragma unroll
    for (int g = 0; g < K::SUMS; g++) {
      int place = (K::FIRST + g) * H;
      x[g] = gx[place] + (s.b_ih != NULL ? s.b_ih[place + j] : (T)0);
      bias[g] = s.b_hh != NULL ? s.b_hh[place + j] : (T)0;
    }
    h = s.h[at];
    if (K::LSTM) c = s.c[at];
    if (KIND == GRUI_KIND_BEFORE_2) z = s.gates[(int64_t)b * K::SAVED * H + H + j];
  }

  /* Row past its end: the state stays, the outputs and what the weights' gradients read are zero. */
  __device__ __forceinline__ void stay(const gruI_cuda_step<T> &s, int64_t at, T *save) {
    int H = s.hidden;
    if (K::SAVED > 0 && save != NULL) {
      if (KIND == GRUI_KIND_BEFORE_2) {
        save[2 * H] = 0;
      } else {
#pragma unroll
        for (int i = 0; i < GRUI_MAX_SAVED; i++)
          if (i < K::SAVED && (KIND != GRUI_KIND_BEFORE_1 || i != 2)) save[i * H] = 0;
      }
    }
    if (KIND == GRUI_KIND_BEFORE_1) return;
    s.h_next[at] = h;
    if (K::LSTM) s.c_next[at] = c;
    if (s.y != NULL) s.y[at] = 0;
    if (K::LSTM && s.y_c != NULL) s.y_c[at] = 0;
  }

  /* a: the unit's rows of W_hh times h, or for the second part of GRU_BEFORE times r (.) h. */
  __device__ __forceinline__ void finish(const gruI_cuda_step<T> &s, int b, int j,
                                         const T (&a)[GRUI_MAX_GATES]) {
    int H = s.hidden;
    int64_t at = (int64_t)b * H + j;
    T *save = s.gates != NULL ? s.gates + (int64_t)b * K::SAVED * H + j : NULL;
    if (over) {
      stay(s, at, save);
      return;
    }
    T v[GRUI_MAX_GATES], out, c_out = 0;
#pragma unroll
    for (int g = 0; g < K::SUMS; g++)
      v[g] = KIND == GRUI_KIND_AFTER && g == 2 ? a[g] + bias[g] : x[g] + (a[g] + bias[g]);
    if (KIND == GRUI_KIND_TANH) {
      out = gm_tanh(v[0]);
    } else if (KIND == GRUI_KIND_RELU) {
      out = v[0] <= 0 ? (T)0 : v[0];
    } else if (KIND == GRUI_KIND_LSTM) {
      T i = gm_sigmoid(v[0]), f = gm_sigmoid(v[1]), g = gm_tanh(v[2]), o = gm_sigmoid(v[3]);
      c_out = f * c + i * g;
      T tc = gm_tanh(c_out);
      out = o * tc;
      if (save != NULL)
        save[0] = i, save[H] = f, save[2 * H] = g, save[3 * H] = o, save[4 * H] = tc;
    } else if (KIND == GRUI_KIND_AFTER) {
      T r = gm_sigmoid(v[0]), u = gm_sigmoid(v[1]), a_n = v[2];
      T n = gm_tanh(x[2] + r * a_n);
      out = n + u * (h - n);
      if (save != NULL) save[0] = r, save[H] = u, save[2 * H] = n, save[3 * H] = a_n;
    } else if (KIND == GRUI_KIND_BEFORE_1) {
      T r = gm_sigmoid(v[0]);
      save[0] = r, save[H] = gm_sigmoid(v[1]), save[3 * H] = r * h;
      return;
    } else {
      T n = gm_tanh(v[0]);
      out = n + z * (h - n);
      save[2 * H] = n;
    }
    s.h_next[at] = out;
    if (K::LSTM) s.c_next[at] = c_out;
    if (s.y != NULL) s.y[at] = out;
    if (K::LSTM && s.y_c != NULL) s.y_c[at] = c_out;
  }
};

/* ---- backward: unit j of row b ------------------------------------------------------------------------
**
** The gradients of cpu/recurrence_rows.inc.h.  dh comes with what reaches the state after the step but
** for the product `a` and dy, and leaves with what reaches the one before it but for the weights' part. */

template <int KIND, typename T>
struct gruI_cuda_backward {
  typedef gruI_kind<KIND> K;
  T dh, dc, dy, dy_c, h, c;
  T s[GRUI_MAX_SAVED]; /* the first SAVED */
  int over;

  __device__ __forceinline__ void load(const gruI_cuda_step<T> &p, int b, int j) {
    int H = p.hidden;
    int64_t at = (int64_t)b * H + j;
    over = p.lengths != NULL && p.t >= p.lengths[b];
    /* The second part adds to what the first has left. */
    dh = p.first && KIND != GRUI_KIND_BEFORE_2 ? (T)0 : p.dh[at];
    if (KIND != GRUI_KIND_BEFORE_2) dy = p.dy[at];
    if (K::LSTM) {
      dc = p.first ? (T)0 : p.dc[at];
      dy_c = p.dy_c != NULL ? p.dy_c[at] : (T)0;
      c = p.c[at];
    }
    h = K::GRU ? p.h[at] : p.h_next[at];
#pragma unroll
    for (int i = 0; i < GRUI_MAX_SAVED; i++)
      if (i < K::SAVED) s[i] = p.gates[((int64_t)b * K::SAVED + i) * H + j];
  }

  __device__ __forceinline__ void stay(const gruI_cuda_step<T> &p, int64_t at, T *dx, T a) {
    if (KIND != GRUI_KIND_BEFORE_2) { /* which has nothing to do */
#pragma unroll
      for (int g = 0; g < K::GATES; g++) dx[g * p.hidden] = 0;
      p.dh[at] = dh + a;
    }
    if (KIND == GRUI_KIND_AFTER) p.da_n[at] = 0;
    if (K::LSTM) p.dc[at] = dc;
  }

  __device__ __forceinline__ void finish(const gruI_cuda_step<T> &p, int b, int j, T a) {
    int H = p.hidden;
    int64_t at = (int64_t)b * H + j;
    T *dx = p.dgx + (int64_t)b * K::GATES * H + j;
    if (over) {
      stay(p, at, dx, a);
      return;
    }
    if (KIND == GRUI_KIND_BEFORE_2) { /* a = dn W_hn */
      dx[0] = a * h * s[0] * (1 - s[0]);
      p.dh[at] = dh + a * s[0];
      return;
    }
    T d = (dh + a) + dy;
    if (KIND == GRUI_KIND_TANH) {
      dx[0] = d * (1 - h * h);
      p.dh[at] = 0;
    } else if (KIND == GRUI_KIND_RELU) {
      dx[0] = h > 0 ? d : (T)0;
      p.dh[at] = 0;
    } else if (KIND == GRUI_KIND_LSTM) {
      T i = s[0], f = s[1], g = s[2], o = s[3], tc = s[4];
      T e = (dc + dy_c) + d * o * (1 - tc * tc);
      dx[0] = e * g * i * (1 - i);
      dx[H] = e * c * f * (1 - f);
      dx[2 * H] = e * i * (1 - g * g);
      dx[3 * H] = d * tc * o * (1 - o);
      p.dc[at] = e * f;
      p.dh[at] = 0;
    } else { /* GRU: r z n, then a_n or r (.) h */
      T r = s[0], z = s[1], n = s[2], a_n = s[3];
      T e = d * (1 - z) * (1 - n * n);
      dx[2 * H] = e;
      dx[H] = d * (h - n) * z * (1 - z);
      p.dh[at] = d * z;
      if (KIND == GRUI_KIND_AFTER) {
        p.da_n[at] = e * r;
        dx[0] = e * a_n * r * (1 - r);
      }
    }
  }
};

#endif

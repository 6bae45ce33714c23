/* list.cu - steps of optimisers, norms and scaling over lists of tensors.
**
** A launch takes up to MOST_PARTS parts of a list, whose addresses travel with its arguments.  Every
** part is cut into tiles; a block finds the part of a tile by the tile's number.  The equations of the
** steps stand in gru.h; their order is that of cpu/list_rows.inc.h, so both devices give the same bits.
*/
#include "core/math.h"
#include "core/pace.h"
#include "cuda/cuda.cuh"

enum {
  MOST_PARTS = 40,
  EACH = 4, /* neighbours that a thread takes at once */
  TILE = GRUI_CUDA_BLOCK * EACH,
  NORM_BLOCKS = 512, /* of a launch of a norm, at most */
  LAST_BLOCK = 512   /* threads that add up what the blocks of a norm found */
};

struct part {
  int64_t tile, count; /* its first tile of the launch; elements */
  void *at[GRUI_PART_VECTORS];
  int64_t step;        /* SGD */
  gruI_adam_pace pace; /* Adam */
  int dense;           /* all addresses are multiples of EACH elements */
};

struct chunk {
  int n;
  int64_t tiles;
  part parts[MOST_PARTS];
};

/* ---- walking ------------------------------------------------------------------------------------ */

static __device__ __forceinline__ int part_of(const chunk &c, int64_t tile) {
  int low = 0, high = c.n - 1;
  while (low < high) {
    int middle = low + (high - low + 1) / 2;
    if (c.parts[middle].tile <= tile)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

template <typename T>
struct alignas(EACH * sizeof(T)) quad {
  T v[EACH];
};

/* The elements of one thread: `n` of them, 0 behind the part's end. */
template <typename T>
static __device__ __forceinline__ quad<T> load(const void *from, int64_t at, int n, int dense) {
  quad<T> q;
  if (dense && n == EACH) return *(const quad<T> *)((const T *)from + at);
  for (int k = 0; k < EACH; k++) q.v[k] = k < n ? ((const T *)from)[at + k] : (T)0;
  return q;
}

template <typename T>
static __device__ __forceinline__ void store(void *to, int64_t at, int n, int dense,
                                             const quad<T> &q) {
  if (dense && n == EACH) {
    *(quad<T> *)((T *)to + at) = q;
    return;
  }
  for (int k = 0; k < EACH; k++)
    if (k < n) ((T *)to)[at + k] = q.v[k];
}

/* Where a thread stands in `p`, and how many elements are its own there. */
static __device__ __forceinline__ int64_t place(const part &p, int64_t tile, int *n) {
  int64_t at = (tile - p.tile) * TILE + (int64_t)threadIdx.x * EACH, left = p.count - at;
  *n = left >= EACH ? (int)EACH : left > 0 ? (int)left : 0;
  return at;
}

/* What the gradient is multiplied by. */
template <typename T>
static __device__ __forceinline__ T factor_of(const void *scale, int maximize) {
  T factor = scale != NULL ? *(const T *)scale : (T)1;
  return maximize ? -factor : factor;
}

/* ---- SGD ---------------------------------------------------------------------------------------- */

template <typename T>
__global__ void sgd_kernel(const __grid_constant__ chunk c, gru_sgd_options by_value,
                           const void *scale, const gru_sgd_options *options_at,
                           const int64_t *steps_at) {
  const gru_sgd_options o = options_at != NULL ? *options_at : by_value;
  const T factor = factor_of<T>(scale, o.maximize), decay = (T)o.weight_decay, lr = (T)o.lr;
  const T momentum = (T)o.momentum, undamped = (T)(1 - o.dampening);
  for (int64_t tile = blockIdx.x; tile < c.tiles; tile += gridDim.x) {
    int i = part_of(c, tile), n;
    const part &q = c.parts[i];
    int64_t at = place(q, tile, &n);
    if (n == 0) continue;
    int first = (steps_at != NULL ? steps_at[i] : q.step) == 1;
    quad<T> p = load<T>(q.at[0], at, n, q.dense), g = load<T>(q.at[1], at, n, q.dense), buf = g;
    if (q.at[2] != NULL && !first) buf = load<T>(q.at[2], at, n, q.dense);
    for (int k = 0; k < EACH; k++) {
      T d = g.v[k] * factor;
      if (o.weight_decay != 0) d += p.v[k] * decay;
      if (q.at[2] != NULL) {
        T b = first ? d : buf.v[k] * momentum + d * undamped;
        buf.v[k] = b;
        d = o.nesterov ? d + b * momentum : b;
      }
      p.v[k] -= d * lr;
    }
    store(q.at[0], at, n, q.dense, p);
    if (q.at[2] != NULL) store(q.at[2], at, n, q.dense, buf);
  }
}

/* ---- Adam --------------------------------------------------------------------------------------- */

template <typename T>
__global__ void adam_kernel(const __grid_constant__ chunk c, gru_adam_options by_value,
                            const void *scale, const gru_adam_options *options_at,
                            const gruI_adam_pace *paces_at) {
  const gru_adam_options o = options_at != NULL ? *options_at : by_value;
  const T factor = factor_of<T>(scale, o.maximize), decay = (T)o.weight_decay, eps = (T)o.eps;
  const T keep = (T)(o.decoupled ? 1 - o.lr * o.weight_decay : 1);
  const T beta1 = (T)o.beta1, rest1 = (T)(1 - o.beta1), beta2 = (T)o.beta2;
  const T rest2 = (T)(1 - o.beta2);
  const bool decays = o.weight_decay != 0 && !o.decoupled;
  for (int64_t tile = blockIdx.x; tile < c.tiles; tile += gridDim.x) {
    int i = part_of(c, tile), n;
    const part &q = c.parts[i];
    int64_t at = place(q, tile, &n);
    if (n == 0) continue;
    gruI_adam_pace pace = paces_at != NULL ? paces_at[i] : q.pace;
    const T rate = (T)pace.rate, spread = (T)pace.spread;
    quad<T> p = load<T>(q.at[0], at, n, q.dense), g = load<T>(q.at[1], at, n, q.dense);
    quad<T> m = load<T>(q.at[2], at, n, q.dense), v = load<T>(q.at[3], at, n, q.dense), w = v;
    if (q.at[4] != NULL) w = load<T>(q.at[4], at, n, q.dense);
    for (int k = 0; k < EACH; k++) {
      T d = g.v[k] * factor;
      if (decays) d += p.v[k] * decay;
      T mean = m.v[k] * beta1 + d * rest1;
      T square = v.v[k] * beta2 + d * rest2 * d;
      m.v[k] = mean;
      v.v[k] = square;
      if (q.at[4] != NULL) w.v[k] = square = gm_max(w.v[k], square);
      p.v[k] = p.v[k] * keep - mean * rate / (gm_sqrt(square) * spread + eps);
    }
    store(q.at[0], at, n, q.dense, p);
    store(q.at[2], at, n, q.dense, m);
    store(q.at[3], at, n, q.dense, v);
    if (q.at[4] != NULL) store(q.at[4], at, n, q.dense, w);
  }
}

/* ---- scaling ------------------------------------------------------------------------------------ */

template <typename T>
__global__ void scale_kernel(const __grid_constant__ chunk c, const void *scale) {
  const T factor = *(const T *)scale;
  if (factor == (T)1) return;
  for (int64_t tile = blockIdx.x; tile < c.tiles; tile += gridDim.x) {
    int n;
    const part &q = c.parts[part_of(c, tile)];
    int64_t at = place(q, tile, &n);
    quad<T> x = load<T>(q.at[0], at, n, q.dense);
    for (int k = 0; k < EACH; k++) x.v[k] *= factor;
    store(q.at[0], at, n, q.dense, x);
  }
}

/* ---- norms -------------------------------------------------------------------------------------- */

static __device__ __forceinline__ double join(double a, double b, int largest) {
  return largest ? gm_max(a, b) : a + b;
}

/* What all threads of the block hold, in thread 0: the same tree whatever the device. */
static __device__ double join_block(double x, int largest) {
  __shared__ double lane[LAST_BLOCK];
  lane[threadIdx.x] = x;
  __syncthreads();
  for (unsigned w = blockDim.x / 2; w >= 1; w /= 2) {
    if (threadIdx.x < w)
      lane[threadIdx.x] = join(lane[threadIdx.x], lane[threadIdx.x + w], largest);
    __syncthreads();
  }
  return lane[0];
}

/* partial[block] (=) sum x^2, or max |x|, of the tiles block, block + blocks, ... */
template <typename T>
__global__ void norm_kernel(const __grid_constant__ chunk c, int largest, double *partial) {
  double sum = 0;
  for (int64_t tile = blockIdx.x; tile < c.tiles; tile += gridDim.x) {
    int n;
    const part &q = c.parts[part_of(c, tile)];
    int64_t at = place(q, tile, &n);
    quad<T> x = load<T>(q.at[0], at, n, q.dense);
    for (int k = 0; k < EACH; k++) {
      double v = (double)x.v[k];
      sum = join(sum, largest ? gm_abs(v) : v * v, largest);
    }
  }
  sum = join_block(sum, largest);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

/* total = the norm, scale = min(1, max_norm / (total + eps)) in the arithmetic of the dtype. */
template <typename T>
__global__ void clip_kernel(int64_t n, const double *partial, int largest, double max_norm,
                            double eps, T *total, T *scale) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) sum = join(sum, partial[i], largest);
  sum = join_block(sum, largest);
  if (threadIdx.x != 0) return;
  T norm = (T)(largest ? sum : gm_sqrt(sum)), below = norm + (T)eps;
  T clip = below == 0 ? (T)1 : (T)max_norm / below;
  *total = norm;
  *scale = clip > 1 ? (T)1 : clip; /* NaN stays */
}

/* ---- launchers ---------------------------------------------------------------------------------- */

static int is_dense(const gruI_part *p, size_t size) {
  uintptr_t all = 0;
  for (int v = 0; v < GRUI_PART_VECTORS; v++) all |= (uintptr_t)p->at[v];
  return all % (EACH * size) == 0;
}

/* The parts from number `first` on, as many as fit. */
static void fill(chunk *c, const gruI_list *list, int64_t first) {
  c->n = 0;
  c->tiles = 0;
  for (int64_t i = first; i < list->n && c->n < MOST_PARTS; i++) {
    const gruI_part *from = &list->parts[i];
    part *to = &c->parts[c->n++];
    to->tile = c->tiles;
    to->count = from->count;
    for (int v = 0; v < GRUI_PART_VECTORS; v++) to->at[v] = from->at[v];
    to->step = from->step;
    to->dense = is_dense(from, gruI_cuda_size(list->dtype));
    c->tiles += (from->count + TILE - 1) / TILE;
  }
}

static dim3 grid_of(gruI_device *device, const chunk &c) {
  return dim3(gruI_cuda_blocks(device, c.tiles, 1));
}

gru_status gruI_cuda_sgd(gruI_device *device, const gruI_sgd *call) {
  void (*kernel)(chunk, gru_sgd_options, const void *, const gru_sgd_options *, const int64_t *) =
      call->list.dtype == GRU_FLOAT32 ? sgd_kernel<float> : sgd_kernel<double>;
  chunk c;
  for (int64_t first = 0; first < call->list.n; first += c.n) {
    fill(&c, &call->list, first);
    GRUI_CUDA_TRY(gruI_cuda_launch(device, "sgd", kernel, grid_of(device, c), dim3(GRUI_CUDA_BLOCK),
                                   c, call->options, call->scale, call->options_at,
                                   call->steps_at != NULL ? call->steps_at + first : NULL));
  }
  return GRU_OK;
}

gru_status gruI_cuda_adam(gruI_device *device, const gruI_adam *call) {
  void (*kernel)(chunk, gru_adam_options, const void *, const gru_adam_options *,
                 const gruI_adam_pace *) =
      call->list.dtype == GRU_FLOAT32 ? adam_kernel<float> : adam_kernel<double>;
  chunk c;
  for (int64_t first = 0; first < call->list.n; first += c.n) {
    fill(&c, &call->list, first);
    for (int i = 0; i < c.n; i++)
      c.parts[i].pace = i > 0 && c.parts[i].step == c.parts[i - 1].step
                            ? c.parts[i - 1].pace
                            : gruI_adam_pace_of(&call->options, c.parts[i].step);
    GRUI_CUDA_TRY(gruI_cuda_launch(
        device, "adam", kernel, grid_of(device, c), dim3(GRUI_CUDA_BLOCK), c, call->options,
        call->scale, call->options_at, call->paces_at != NULL ? call->paces_at + first : NULL));
  }
  return GRU_OK;
}

gru_status gruI_cuda_scale(gruI_device *device, const gruI_scale *call) {
  void (*kernel)(chunk, const void *) =
      call->list.dtype == GRU_FLOAT32 ? scale_kernel<float> : scale_kernel<double>;
  chunk c;
  for (int64_t first = 0; first < call->list.n; first += c.n) {
    fill(&c, &call->list, first);
    GRUI_CUDA_TRY(gruI_cuda_launch(device, "scale", kernel, grid_of(device, c),
                                   dim3(GRUI_CUDA_BLOCK), c, call->scale));
  }
  return GRU_OK;
}

gru_status gruI_cuda_clip_norm(gruI_device *device, const gruI_clip_norm *call) {
  void (*kernel)(chunk, int, double *) =
      call->list.dtype == GRU_FLOAT32 ? norm_kernel<float> : norm_kernel<double>;
  gruI_cuda_scope scope(device);
  int64_t launches = (call->list.n + MOST_PARTS - 1) / MOST_PARTS, blocks = 0;
  double *partial =
      (double *)gruI_cuda_scratch(device, (size_t)launches * NORM_BLOCKS * sizeof *partial);
  if (partial == NULL) return GRU_ERROR_MEMORY;
  chunk c;
  for (int64_t first = 0; first < call->list.n; first += c.n) {
    fill(&c, &call->list, first);
    int64_t n = c.tiles < NORM_BLOCKS ? c.tiles : (int64_t)NORM_BLOCKS;
    GRUI_CUDA_TRY(gruI_cuda_launch(device, "clip_norm", kernel, dim3((unsigned)n),
                                   dim3(GRUI_CUDA_BLOCK), c, call->largest, partial + blocks));
    blocks += n;
  }
  if (call->list.dtype == GRU_FLOAT32)
    return gruI_cuda_launch(device, "clip_norm", clip_kernel<float>, dim3(1), dim3(LAST_BLOCK),
                            blocks, (const double *)partial, call->largest, call->max_norm,
                            call->eps, (float *)call->total, (float *)call->scale);
  return gruI_cuda_launch(device, "clip_norm", clip_kernel<double>, dim3(1), dim3(LAST_BLOCK),
                          blocks, (const double *)partial, call->largest, call->max_norm, call->eps,
                          (double *)call->total, (double *)call->scale);
}

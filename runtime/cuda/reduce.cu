/* reduce.cu - sums, products, largest and smallest, any and all.
**
** What is reduced is read along rows, where it lies side by side, or in columns, where the results do.
** Few long results are cut into segments, whose totals a second launch joins in order.  All of that
** follows from the shapes, so that results do not depend on the device.
*/
#include "cuda/reduce.cuh"

/* ---- the plan -------------------------------------------------------------------------------------- */

enum {
  COLUMNS = 5,       /* log2 of the fewest results side by side, where there are that many */
  THREADS = 1 << 17, /* about as many as should be at work */
  LEAST = 4,         /* positions for each thread, before a result gets more threads */
  MOST = 64,         /* positions for each thread, after which it does */
  SEGMENT = 16,      /* positions for each thread in a segment, at least */
  SECTOR = 3,        /* log2 of neighbours that a row's threads read together, at least */
  SEGMENTED = 1024,  /* blocks with which a result is cut no more */
  FEWEST = 4         /* segments that are worth a second launch */
};

static int64_t divide_up(int64_t n, int64_t by) { return (n + by - 1) / by; }

/* The least k with 2^k >= n. */
static int log2_up(int64_t n) {
  int k = 0;
  while (k < 62 && (int64_t)1 << k < n) k++;
  return k;
}

/* Where no positions are wanted, what is reduced is walked as it lies in memory. */
static int order_dims(int ndim, int64_t *shape, int64_t *stride) {
  int n = 0;
  for (int i = 1; i < ndim; i++)
    for (int d = i; d > 0 && stride[d - 1] < stride[d]; d--) {
      int64_t size = shape[d], step = stride[d];
      shape[d] = shape[d - 1], stride[d] = stride[d - 1];
      shape[d - 1] = size, stride[d - 1] = step;
    }
  for (int d = 1; d < ndim; d++) {
    bool joined = stride[n] == stride[d] * shape[d];
    if (!joined) n++;
    shape[n] = joined ? shape[n] * shape[d] : shape[d];
    stride[n] = stride[d];
  }
  return ndim > 0 ? n + 1 : 0;
}

/* A geometry of at least one dim. */
static void set_layout(gruI_layout<1> *layout, int ndim, const int64_t *shape,
                       const int64_t *stride) {
  static const int64_t one = 1;
  gruI_layout_shape(layout, ndim > 0 ? ndim : 1, ndim > 0 ? shape : &one);
  gruI_layout_strides(layout, 0, ndim > 0 ? stride : &one);
}

/* Threads for each result, and segments. */
static void plan_threads(gruI_cuda_reduction *p) {
  const gruI_layout<1> *keep = &p->keep;
  int64_t line = keep->shape[keep->ndim - 1], step = keep->stride[0][keep->ndim - 1];
  int least = log2_up(p->rows / MOST), most = log2_up(p->rows / LEAST);
  p->by_columns = line > 1 && step < p->red.stride[0][p->red.ndim - 1];
  p->lanes = log2_up(THREADS / (p->results < THREADS ? p->results : (int64_t)THREADS));
  if (!p->by_columns && least < SECTOR) least = SECTOR;
  if (p->lanes < least) p->lanes = least;
  if (p->lanes > most) p->lanes = most;
  if (p->lanes > GRUI_CUDA_LOG_BLOCK) p->lanes = GRUI_CUDA_LOG_BLOCK;
  if (p->by_columns) {
    int width = log2_up(line) < COLUMNS ? log2_up(line) : (int)COLUMNS;
    if (p->lanes > GRUI_CUDA_LOG_BLOCK - width) p->lanes = GRUI_CUDA_LOG_BLOCK - width;
  }
}

/* How many segments; sets their length. */
static int64_t plan_segments(gruI_cuda_reduction *p) {
  int64_t blocks = divide_up(p->results, GRUI_CUDA_BLOCK >> p->lanes);
  int64_t segments = p->rows / ((int64_t)SEGMENT << p->lanes), most = SEGMENTED / blocks;
  if (segments > most) segments = most;
  p->segment = p->rows;
  if (segments < FEWEST) return 1;
  p->segment = divide_up(p->rows, segments);
  return divide_up(p->rows, p->segment);
}

static void plan_reduce(gruI_cuda_reduction *p, const gruI_reduce *call) {
  int64_t red[GRU_MAX_DIMS], red_stride[GRU_MAX_DIMS];
  int nred = call->nred;
  for (int d = 0; d < nred; d++) red[d] = call->red[d], red_stride[d] = call->red_stride[d];
  if (call->out_index == NULL) nred = order_dims(nred, red, red_stride);
  set_layout(&p->keep, call->nkeep, call->keep, call->keep_stride);
  set_layout(&p->red, nred, red, red_stride);
  p->results = p->keep.count;
  p->rows = p->red.count;
  p->base = call->base;
}

/* The same over the totals of `segments`: (segments, results), contiguous. */
static void plan_totals(gruI_cuda_reduction *p, int64_t segments) {
  int64_t one = 1;
  set_layout(&p->keep, 1, &p->results, &one);
  set_layout(&p->red, 1, &segments, &p->results);
  p->rows = p->segment = segments;
  plan_threads(p);
}

/* ---- launchers --------------------------------------------------------------------------------------- */

template <typename Fold, typename In>
static gru_status launch(gruI_device *device, const gruI_reduce *call, const gruI_cuda_reduction &p,
                         int64_t segments, const In *in, typename Fold::total *partial) {
  dim3 grid(gruI_cuda_blocks(device, p.results, GRUI_CUDA_BLOCK >> p.lanes), (unsigned)segments);
  return gruI_cuda_launch(device, "reduce", gruI_cuda_reduce_kernel<Fold, In>, grid,
                          dim3(GRUI_CUDA_BLOCK), p, in, partial,
                          (typename Fold::element *)call->out, call->out_index);
}

template <typename Fold>
static gru_status run(gruI_device *device, const gruI_reduce *call) {
  typedef typename Fold::element element;
  typedef typename Fold::total total;
  gruI_cuda_scope scope(device);
  gruI_cuda_reduction p;
  plan_reduce(&p, call);
  if (p.results == 0) return GRU_OK;
  plan_threads(&p);
  int64_t segments = plan_segments(&p);
  if (segments == 1)
    return launch<Fold>(device, call, p, 1, (const element *)call->in, (total *)NULL);
  total *partial =
      (total *)gruI_cuda_scratch(device, (size_t)(segments * p.results) * sizeof(total));
  if (partial == NULL) return GRU_ERROR_MEMORY;
  GRUI_CUDA_TRY(launch<Fold>(device, call, p, segments, (const element *)call->in, partial));
  plan_totals(&p, segments);
  return launch<Fold>(device, call, p, 1, (const total *)partial, (total *)NULL);
}

template <typename T, typename Order>
static gru_status run_extreme(gruI_device *device, const gruI_reduce *call) {
  if (call->out_index == NULL) return run<gruI_cuda_extreme<T, Order>>(device, call);
  return run<gruI_cuda_extreme_at<T, Order>>(device, call);
}

template <typename T>
static gru_status run_number(gruI_device *device, const gruI_reduce *call) {
  switch (call->kind) {
    case GRUI_SUM: return run<gruI_cuda_sum<T>>(device, call);
    case GRUI_PROD: return run<gruI_cuda_product<T>>(device, call);
    case GRUI_MAX: return run_extreme<T, gruI_cuda_larger>(device, call);
    case GRUI_MIN: return run_extreme<T, gruI_cuda_smaller>(device, call);
    default: return gruI_cuda_fail(device, GRU_ERROR_DTYPE, "reduce: any and all are of bools");
  }
}

/* Of 0 and 1, any is the largest and all the smallest. */
static gru_status run_bool(gruI_device *device, const gruI_reduce *call) {
  switch (call->kind) {
    case GRUI_MAX:
    case GRUI_ANY: return run_extreme<uint8_t, gruI_cuda_larger>(device, call);
    case GRUI_MIN:
    case GRUI_ALL: return run_extreme<uint8_t, gruI_cuda_smaller>(device, call);
    default: return gruI_cuda_fail(device, GRU_ERROR_DTYPE, "reduce: no sums of bools");
  }
}

gru_status gruI_cuda_reduce(gruI_device *device, const gruI_reduce *call) {
  switch (call->dtype) {
    case GRU_BOOL: return run_bool(device, call);
    case GRU_INT64: return run_number<int64_t>(device, call);
    case GRU_FLOAT32: return run_number<float>(device, call);
    default: return run_number<double>(device, call);
  }
}

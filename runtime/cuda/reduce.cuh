/* reduce.cuh - what reduce.cu folds, and its kernel.
**
** With join an associative operation and none its neutral element,
**   out[r] (=) value(join over i of of(in[r, i], i))
** where i is the position among the reduced dims.  Joins are made in an order that follows from the
** shapes alone.
*/
#ifndef GRUI_CUDA_REDUCE_CUH
#define GRUI_CUDA_REDUCE_CUH

#include <limits>
#include <type_traits>

#include "cuda/cuda.cuh"
#include "cuda/layout.cuh"

/* ---- folds ------------------------------------------------------------------------------------ */

/* Sums and products of floats are made in double, those of int64 wrap. */
template <typename T>
struct gruI_cuda_wide {
  typedef double type;
};
template <>
struct gruI_cuda_wide<int64_t> {
  typedef uint64_t type;
};

template <typename T>
struct gruI_cuda_sum {
  typedef T element;
  typedef typename gruI_cuda_wide<T>::type total;
  GRUI_CUDA_FN total none() { return 0; }
  GRUI_CUDA_FN total of(T x, int64_t) { return (total)x; }
  GRUI_CUDA_FN total join(total a, total b) { return a + b; }
  GRUI_CUDA_FN T value(total t) { return (T)t; }
  GRUI_CUDA_FN int64_t place(total) { return 0; }
};

template <typename T>
struct gruI_cuda_product : gruI_cuda_sum<T> {
  typedef typename gruI_cuda_wide<T>::type total;
  GRUI_CUDA_FN total none() { return 1; }
  GRUI_CUDA_FN total join(total a, total b) { return a * b; }
};

/* Does `a` come before `b`, by its value?  NaN comes before all else. */
struct gruI_cuda_larger {
  template <typename T>
  GRUI_CUDA_FN bool first(T a, T b) {
    return a > b || (a != a && b == b);
  }
  template <typename T>
  GRUI_CUDA_FN T last() {
    return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                : std::numeric_limits<T>::min();
  }
};

struct gruI_cuda_smaller {
  template <typename T>
  GRUI_CUDA_FN bool first(T a, T b) {
    return a < b || (a != a && b == b);
  }
  template <typename T>
  GRUI_CUDA_FN T last() {
    return std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
           : sizeof(T) == 1                     ? (T)1 /* a bool */
                                                : std::numeric_limits<T>::max();
  }
};

/* Bools are shuffled as ints. */
template <typename T>
struct gruI_cuda_shuffled {
  typedef T type;
};
template <>
struct gruI_cuda_shuffled<uint8_t> {
  typedef int type;
};

template <typename T, typename Order>
struct gruI_cuda_extreme {
  typedef T element;
  typedef typename gruI_cuda_shuffled<T>::type total;
  GRUI_CUDA_FN total none() { return (total)Order::template last<T>(); }
  GRUI_CUDA_FN total of(T x, int64_t) { return (total)x; }
  GRUI_CUDA_FN total join(total a, total b) { return Order::first(b, a) ? b : a; }
  GRUI_CUDA_FN T value(total t) { return (T)t; }
  GRUI_CUDA_FN int64_t place(total) { return 0; }
};

template <typename T>
struct gruI_cuda_placed {
  T value;
  int64_t at;
};

/* With the position, of equals the lowest. */
template <typename T, typename Order>
struct gruI_cuda_extreme_at {
  typedef T element;
  typedef typename gruI_cuda_shuffled<T>::type key;
  typedef gruI_cuda_placed<key> total;
  GRUI_CUDA_FN total none() { return {(key)Order::template last<T>(), INT64_MAX}; }
  GRUI_CUDA_FN total of(T x, int64_t i) { return {(key)x, i}; }
  GRUI_CUDA_FN total join(total a, total b) {
    bool second =
        Order::first(b.value, a.value) || (!Order::first(a.value, b.value) && b.at < a.at);
    return second ? b : a;
  }
  GRUI_CUDA_FN T value(total t) { return (T)t.value; }
  GRUI_CUDA_FN int64_t place(total t) { return t.at; }
};

template <typename T>
static __device__ __forceinline__ T gruI_cuda_shuffle_down(T t, unsigned lanes) {
  return __shfl_down_sync(0xffffffffu, t, lanes);
}

template <typename T>
static __device__ __forceinline__ gruI_cuda_placed<T> gruI_cuda_shuffle_down(gruI_cuda_placed<T> t,
                                                                             unsigned lanes) {
  return {__shfl_down_sync(0xffffffffu, t.value, lanes),
          (int64_t)__shfl_down_sync(0xffffffffu, (long long)t.at, lanes)};
}

/* ---- the kernel --------------------------------------------------------------------------------- */

/* A block makes 2^(8 - lanes) results, 2^lanes threads each; the positions of a result go round among
** its threads.  By columns, neighbouring threads have neighbouring results, else neighbouring
** positions.  blockIdx.y is the segment, `segment` positions long, that the block folds. */
typedef struct gruI_cuda_reduction {
  int by_columns, lanes;
  int64_t results, rows, segment;
  int64_t base;
  gruI_layout<1> keep, red;
} gruI_cuda_reduction;

enum { GRUI_CUDA_LOG_BLOCK = 8, GRUI_CUDA_AHEAD = 4 };

/* Positions first, first + lanes ... below `end` of the result whose elements begin at `in`. */
template <typename Fold, typename In>
static __device__ __forceinline__ typename Fold::total gruI_cuda_fold(const gruI_layout<1> &red,
                                                                      const In *in, int64_t first,
                                                                      int64_t end, int64_t lanes) {
  typename Fold::total part[GRUI_CUDA_AHEAD];
  auto element = [&](int64_t i) {
    int64_t at[1] = {i * red.stride[0][0]};
    if (red.ndim != 1) gruI_layout_at(red, i, at);
    if constexpr (std::is_same<In, typename Fold::total>::value)
      return in[at[0]];
    else
      return Fold::of(in[at[0]], i);
  };
  for (int k = 0; k < GRUI_CUDA_AHEAD; k++) part[k] = Fold::none();
  int64_t i = first;
  for (; i + (GRUI_CUDA_AHEAD - 1) * lanes < end; i += GRUI_CUDA_AHEAD * lanes)
#pragma unroll
    for (int k = 0; k < GRUI_CUDA_AHEAD; k++) part[k] = Fold::join(part[k], element(i + k * lanes));
  for (; i < end; i += lanes) part[0] = Fold::join(part[0], element(i));
  return Fold::join(Fold::join(part[0], part[1]), Fold::join(part[2], part[3]));
}

/* Joins the totals of the threads tid, tid + step ... of a result; the first of them gets it. */
template <typename Fold>
static __device__ __forceinline__ typename Fold::total gruI_cuda_join_lanes(
    typename Fold::total t, typename Fold::total *shared, int lane, int lanes, int step) {
  int tid = (int)threadIdx.x;
  if (lanes * step > GRUI_CUDA_WARP && lanes > 1) {
    __syncthreads(); /* what was there has been read */
    shared[tid] = t;
    for (; lanes > 1 && lanes * step > GRUI_CUDA_WARP; lanes /= 2) {
      __syncthreads();
      if (lane < lanes / 2) shared[tid] = t = Fold::join(t, shared[tid + lanes / 2 * step]);
    }
  }
  for (int half = lanes / 2; half > 0; half /= 2)
    t = Fold::join(t, gruI_cuda_shuffle_down(t, (unsigned)(half * step)));
  return t;
}

/* Elements, or the totals of segments, into totals of segments, or results where `partial` is NULL. */
template <typename Fold, typename In>
__global__ void gruI_cuda_reduce_kernel(gruI_cuda_reduction p, const In *in,
                                        typename Fold::total *partial, typename Fold::element *out,
                                        int64_t *out_index) {
  __shared__ typename Fold::total shared[GRUI_CUDA_BLOCK];
  int tid = (int)threadIdx.x, log_width = GRUI_CUDA_LOG_BLOCK - p.lanes;
  int lanes = 1 << p.lanes, width = 1 << log_width;
  int lane = p.by_columns ? tid >> log_width : tid & (lanes - 1);
  int column = p.by_columns ? tid & (width - 1) : tid >> p.lanes;
  int64_t first = (int64_t)blockIdx.y * p.segment, end = first + p.segment;
  if (end > p.rows) end = p.rows;
  for (int64_t r = (int64_t)blockIdx.x * width; r < p.results; r += (int64_t)gridDim.x * width) {
    int64_t result = r + column, at[1];
    typename Fold::total t = Fold::none();
    if (result < p.results) {
      gruI_layout_at(p.keep, result, at);
      t = gruI_cuda_fold<Fold>(p.red, in + at[0], first + lane, end, (int64_t)lanes);
    }
    t = gruI_cuda_join_lanes<Fold>(t, shared, lane, lanes, p.by_columns ? width : 1);
    if (lane != 0 || result >= p.results) continue;
    if (partial != NULL) {
      partial[blockIdx.y * p.results + result] = t;
    } else {
      if (out != NULL) out[result] = Fold::value(t);
      if (out_index != NULL) out_index[result] = p.base + Fold::place(t);
    }
  }
}

#endif

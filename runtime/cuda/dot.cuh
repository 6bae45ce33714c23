/* dot.cuh - products of a few rows, a warp at a time: what recurrent steps and generation multiply with.
**
** A warp makes a tile of R x C dot products, of R rows of one matrix and C rows of another.  Its lanes
** divide k among them: lane l takes the numbers V l .. V l + V - 1 of each chunk of 32 V, V those that
** one load of 16 bytes has.  The tile is then summed over the lanes.  The order of a sum depends on k
** alone: not on the tile, nor on which loads are wide.
*/
#ifndef GRUI_CUDA_DOT_CUH
#define GRUI_CUDA_DOT_CUH

#include "core/math.h"
#include "cuda/cuda.cuh"
#include "cuda/ownership.cuh"

static __device__ __forceinline__ int gruI_dot_lane(void) {
  return (int)threadIdx.x % GRUI_CUDA_WARP;
}

template <typename T>
struct gruI_dot_vector;
template <>
struct gruI_dot_vector<float> {
  enum { V = 4 };
  static __device__ __forceinline__ void load(const float *p, float (&v)[V]) {
    float4 x = *(const float4 *)p;
    v[0] = x.x, v[1] = x.y, v[2] = x.z, v[3] = x.w;
  }
};
template <>
struct gruI_dot_vector<double> {
  enum { V = 2 };
  static __device__ __forceinline__ void load(const double *p, double (&v)[V]) {
    double2 x = *(const double2 *)p;
    v[0] = x.x, v[1] = x.y;
  }
};

/* Numbers at .. at + V - 1 of a row of k, zeros past its end. */
template <typename T, int WIDE, int V>
static __device__ __forceinline__ void gruI_dot_load(const T *row, int at, int k, T (&v)[V]) {
  if (WIDE) {
    gruI_dot_vector<T>::load(row + at, v);
  } else {
#pragma unroll
    for (int i = 0; i < V; i++) v[i] = at + i < k ? row[at + i] : (T)0;
  }
}

template <typename T, int R, int C, int WIDE>
static __device__ __forceinline__ void gruI_dot_loop(T (&sum)[R][C], const T *a,
                                                     const int (&row)[R], const T *w,
                                                     const int (&col)[C], int k) {
  enum { V = gruI_dot_vector<T>::V };
  for (int at = gruI_owner_first(gruI_dot_lane(), V); at < k; at += gruI_owner_step(V)) {
    T x[R][V], y[C][V];
#pragma unroll
    for (int r = 0; r < R; r++) gruI_dot_load<T, WIDE>(a + row[r], at, k, x[r]);
#pragma unroll
    for (int c = 0; c < C; c++) gruI_dot_load<T, WIDE>(w + col[c], at, k, y[c]);
#pragma unroll
    for (int i = 0; i < V; i++)
#pragma unroll
      for (int r = 0; r < R; r++)
#pragma unroll
        for (int c = 0; c < C; c++) sum[r][c] = gm_fma(x[r][i], y[c][i], sum[r][c]);
  }
}

/* sum[r][c] += this lane's share of the dot product of k numbers from a + row[r] and from w + col[c].
** `wide`: all of those places are aligned to 16 bytes, and k is a multiple of V. */
template <typename T, int R, int C>
static __device__ __forceinline__ void gruI_dot_add(T (&sum)[R][C], const T *a, const int (&row)[R],
                                                    const T *w, const int (&col)[C], int k,
                                                    int wide) {
  if (wide)
    gruI_dot_loop<T, R, C, 1>(sum, a, row, w, col, k);
  else
    gruI_dot_loop<T, R, C, 0>(sum, a, row, w, col, k);
}

/* The sum over the lanes of v[gruI_owner_element(lane, N)], N a power of two up to 32: at each exchange a
** lane keeps half of the numbers and gives the other half away. */
template <typename T, int N>
struct gruI_dot_fold {
  static __device__ __forceinline__ T at(T (&v)[N], int distance) {
    T half[N / 2];
    bool upper = (gruI_dot_lane() & distance) != 0;
#pragma unroll
    for (int i = 0; i < N / 2; i++) {
      T keep = upper ? v[N / 2 + i] : v[i], give = upper ? v[i] : v[N / 2 + i];
      half[i] = keep + __shfl_xor_sync(0xffffffffu, give, distance);
    }
    return gruI_dot_fold<T, N / 2>::at(half, distance / 2);
  }
};
template <typename T>
struct gruI_dot_fold<T, 1> {
  static __device__ __forceinline__ T at(T (&v)[1], int distance) {
    T sum = v[0];
    for (; distance > 0; distance /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, distance);
    return sum;
  }
};

template <typename T, int N>
static __device__ __forceinline__ T gruI_dot_sum(T (&v)[N]) {
  return gruI_dot_fold<T, N>::at(v, GRUI_CUDA_WARP / 2);
}

/* May rows that begin every `stride` numbers from p on be loaded 16 bytes at a time? */
template <typename T>
static inline int gruI_dot_is_wide(const T *p, int64_t stride) {
  return (uintptr_t)p % 16 == 0 && stride * (int64_t)sizeof(T) % 16 == 0;
}

#endif

/* layout.cuh - from the number of an element to its places in several strided operands. */
#ifndef GRUI_CUDA_LAYOUT_CUH
#define GRUI_CUDA_LAYOUT_CUH

#include <stdint.h>

#include "core/device.h"

#ifndef __CUDACC__
#define GRUI_CUDA_FN static inline
#else
#define GRUI_CUDA_FN static __host__ __device__ __forceinline__
#endif

/* Division of numbers below 2^31 by an invariant one: Granlund and Montgomery, "Division by invariant
** integers using multiplication", 1994: n / d = (hi(n m) + n) >> s with s = ceil(log2 d) and
** m = floor(2^32 (2^s - d) / d) + 1. */
typedef struct gruI_divider {
  uint32_t d, m, s;
} gruI_divider;

GRUI_CUDA_FN gruI_divider gruI_divider_of(uint32_t d) {
  gruI_divider v = {d, 0, 0};
  while (v.s < 32 && (1ull << v.s) < d) v.s++;
  v.m = (uint32_t)(((1ull << 32) * ((1ull << v.s) - d)) / d + 1);
  return v;
}

GRUI_CUDA_FN uint32_t gruI_divide(uint32_t n, gruI_divider v) {
  return (uint32_t)((((uint64_t)n * v.m) >> 32) + n) >> v.s;
}

/* The geometry of a call with N operands: row-major, innermost dim last. */
template <int N>
struct gruI_layout {
  int ndim;
  int narrow; /* fewer than 2^31 elements: gruI_divide does */
  int64_t count;
  int64_t shape[GRU_MAX_DIMS];
  gruI_divider by[GRU_MAX_DIMS];
  int64_t stride[N][GRU_MAX_DIMS];
};

/* Sets everything but the strides. */
template <int N>
static inline void gruI_layout_shape(gruI_layout<N> *layout, int ndim, const int64_t *shape) {
  layout->ndim = ndim;
  layout->count = 1;
  for (int d = 0; d < ndim; d++) layout->count *= layout->shape[d] = shape[d];
  layout->narrow = layout->count < (int64_t)1 << 31;
  for (int d = 0; d < ndim && layout->narrow && layout->count > 0; d++)
    layout->by[d] = gruI_divider_of((uint32_t)shape[d]);
}

template <int N>
static inline void gruI_layout_strides(gruI_layout<N> *layout, int operand, const int64_t *stride) {
  for (int d = 0; d < layout->ndim; d++) layout->stride[operand][d] = stride[d];
}

/* at[k] = the offset of element i in operand k. */
template <int N>
GRUI_CUDA_FN void gruI_layout_at(const gruI_layout<N> &layout, int64_t i, int64_t (&at)[N]) {
  for (int k = 0; k < N; k++) at[k] = 0;
  for (int d = layout.ndim - 1; d >= 0; d--) {
    int64_t q;
    if (d == 0)
      q = 0;
    else if (layout.narrow)
      q = gruI_divide((uint32_t)i, layout.by[d]);
    else
      q = i / layout.shape[d];
    int64_t r = i - q * layout.shape[d];
    for (int k = 0; k < N; k++) at[k] += r * layout.stride[k][d];
    i = q;
  }
}

#endif

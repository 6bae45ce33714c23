/* index.cuh - what the kernels that write at positions share: adding where the order cannot be
** seen, and where it can.
*/
#ifndef GRUI_CUDA_INDEX_CUH
#define GRUI_CUDA_INDEX_CUH

#include "cuda/cuda.cuh"

static __device__ __forceinline__ void gruI_cuda_add(int64_t *to, int64_t x) {
  atomicAdd((unsigned long long *)to, (unsigned long long)x);
}

/* Of bools: only true is ever written. */
static __device__ __forceinline__ void gruI_cuda_add(uint8_t *to, uint8_t x) {
  if (x) *to = 1;
}

/* *to += from[places[p] * step], in order, for all of the group of equal ids that begins at p in
** the sorted `ids`, which end at `end`. */
template <typename T>
static __device__ __forceinline__ void gruI_cuda_add_group(const int64_t *ids,
                                                           const int64_t *places, int64_t p,
                                                           int64_t end, const T *from, int64_t step,
                                                           T *to) {
  enum { AHEAD = 8 }; /* are read before they are added */
  const int64_t id = ids[p];
  T sum = *to;
  for (; p + AHEAD <= end && ids[p + AHEAD - 1] == id; p += AHEAD) {
    T ahead[AHEAD];
    for (int k = 0; k < AHEAD; k++) ahead[k] = from[places[p + k] * step];
    for (int k = 0; k < AHEAD; k++) sum += ahead[k];
  }
  for (; p < end && ids[p] == id; p++) sum += from[places[p] * step];
  *to = sum;
}

#endif

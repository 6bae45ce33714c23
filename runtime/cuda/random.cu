/* random.cu - random fills.  A thread draws the four words of one Philox block and makes of them
** all the elements that they belong to: four draws of 32 bits, or two of 64.
*/
#include "core/random_plan.h"
#include "cuda/cuda.cuh"

/* ---- draws ----------------------------------------------------------------------------------- */

/* Each makes DRAWS elements of the words of a block of its DOMAIN (core/philox.h). */

struct uniform_f32 {
  typedef float type;
  enum { DOMAIN = GRUI_PHILOX_DRAWS32, DRAWS = 4 };
  static __device__ __forceinline__ void make(const gruI_random_plan &p, const uint32_t *w,
                                              float *out) {
    for (int i = 0; i < DRAWS; i++)
      out[i] = gruI_philox_uniform_f32(w[i], (float)p.a, (float)p.span, (float)p.most);
  }
};

struct normal_f32 {
  typedef float type;
  enum { DOMAIN = GRUI_PHILOX_DRAWS32, DRAWS = 4 };
  static __device__ __forceinline__ void make(const gruI_random_plan &p, const uint32_t *w,
                                              float *out) {
    float mean = (float)p.a, std = (float)p.span;
    for (int i = 0; i < DRAWS; i += 2) {
      float even, odd;
      gruI_philox_normal_f32(w[i], w[i + 1], &even, &odd);
      out[i] = even * std + mean;
      out[i + 1] = odd * std + mean;
    }
  }
};

template <typename T>
struct bernoulli {
  typedef T type;
  enum { DOMAIN = GRUI_PHILOX_DRAWS32, DRAWS = 4 };
  static __device__ __forceinline__ void make(const gruI_random_plan &p, const uint32_t *w,
                                              T *out) {
    for (int i = 0; i < DRAWS; i++) out[i] = (T)(w[i] < p.threshold);
  }
};

static __device__ __forceinline__ uint64_t wide_word(const uint32_t *w, int i) {
  return w[2 * i] | (uint64_t)w[2 * i + 1] << 32;
}

struct uniform_f64 {
  typedef double type;
  enum { DOMAIN = GRUI_PHILOX_DRAWS64, DRAWS = 2 };
  static __device__ __forceinline__ void make(const gruI_random_plan &p, const uint32_t *w,
                                              double *out) {
    for (int i = 0; i < DRAWS; i++)
      out[i] = gruI_philox_uniform_f64(wide_word(w, i), p.a, p.span, p.most);
  }
};

struct normal_f64 {
  typedef double type;
  enum { DOMAIN = GRUI_PHILOX_DRAWS64, DRAWS = 2 };
  static __device__ __forceinline__ void make(const gruI_random_plan &p, const uint32_t *w,
                                              double *out) {
    double even, odd;
    gruI_philox_normal_f64(wide_word(w, 0), wide_word(w, 1), &even, &odd);
    out[0] = even * p.span + p.a;
    out[1] = odd * p.span + p.a;
  }
};

template <typename T>
struct integers {
  typedef T type;
  enum { DOMAIN = GRUI_PHILOX_DRAWS64, DRAWS = 2 };
  static __device__ __forceinline__ void make(const gruI_random_plan &p, const uint32_t *w,
                                              T *out) {
    for (int i = 0; i < DRAWS; i++) {
      int64_t x = gruI_philox_integer(wide_word(w, i), p.low, p.range);
      out[i] = sizeof(T) == 1 ? (T)(x != 0) : (T)x;
    }
  }
};

/* ---- the kernel ------------------------------------------------------------------------------ */

/* The elements of a block that are stored at once. */
template <typename T, int N>
struct alignas(sizeof(T) * N) gathered {
  T at[N];
};

/* out[i] = draw number counter + i.  `aligned`: whole blocks may be stored at once. */
template <typename Draw>
__global__ void random_kernel(gruI_random_plan plan, uint64_t seed, uint64_t counter,
                              const uint64_t *counter_at, int64_t count, int aligned,
                              typename Draw::type *out) {
  const int DRAWS = Draw::DRAWS;
  if (counter_at != NULL) counter += *counter_at;
  int64_t skip = (int64_t)(counter % DRAWS); /* of the first block */
  int64_t blocks = (skip + count + DRAWS - 1) / DRAWS;
  int64_t b = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  for (; b < blocks; b += (int64_t)gridDim.x * blockDim.x) {
    uint32_t words[4];
    gathered<typename Draw::type, Draw::DRAWS> made;
    gruI_philox_block(seed, counter / DRAWS + (uint64_t)b, Draw::DOMAIN, words);
    Draw::make(plan, words, made.at);
    int64_t first = b * DRAWS - skip;
    if (aligned && skip == 0 && first + DRAWS <= count) {
      *(gathered<typename Draw::type, Draw::DRAWS> *)(out + first) = made;
      continue;
    }
    for (int i = 0; i < DRAWS; i++)
      if (first + i >= 0 && first + i < count) out[first + i] = made.at[i];
  }
}

/* ---- launchers ------------------------------------------------------------------------------- */

template <typename Draw>
static gru_status fill(gruI_device *device, const gruI_random *call) {
  typedef typename Draw::type T;
  int aligned = (uintptr_t)call->out % (sizeof(T) * Draw::DRAWS) == 0;
  int64_t blocks = call->count / Draw::DRAWS + 2;
  return gruI_cuda_launch(device, "random", random_kernel<Draw>,
                          dim3(gruI_cuda_blocks(device, blocks, GRUI_CUDA_BLOCK)),
                          dim3(GRUI_CUDA_BLOCK), gruI_random_plan_of(call), call->seed,
                          call->counter, call->counter_at, call->count, aligned, (T *)call->out);
}

gru_status gruI_cuda_random(gruI_device *device, const gruI_random *call) {
  typedef gru_status launcher(gruI_device *, const gruI_random *);
  static launcher *const bernoullis[] = {fill<bernoulli<uint8_t>>, fill<bernoulli<int64_t>>,
                                         fill<bernoulli<float>>, fill<bernoulli<double>>};
  static launcher *const randints[] = {fill<integers<uint8_t>>, fill<integers<int64_t>>,
                                       fill<integers<float>>, fill<integers<double>>};
  int narrow = call->dtype == GRU_FLOAT32;
  if (call->count <= 0) return GRU_OK;
  switch (call->kind) {
    case GRUI_UNIFORM: return (narrow ? fill<uniform_f32> : fill<uniform_f64>)(device, call);
    case GRUI_NORMAL: return (narrow ? fill<normal_f32> : fill<normal_f64>)(device, call);
    case GRUI_BERNOULLI: return bernoullis[call->dtype](device, call);
    default: return randints[call->dtype](device, call);
  }
}

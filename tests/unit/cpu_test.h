/* cpu_test.h - what the tests of the CPU backend share: checks, a device, random numbers. */
#ifndef CPU_TEST_H
#define CPU_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"

static int passed, failed;

static void check(int holds, int line, const char *what) {
  if (holds)
    passed++;
  else if (failed++ < 50)
    printf("line %d: %s\n", line, what);
}
#define CHECK(condition, what) check((condition) ? 1 : 0, __LINE__, what)

static gruI_device device;

/* Opens the device with a pool of `threads`. */
static void open_device(int threads) {
  memset(&device, 0, sizeof device);
  device.pool = gruI_pool_create(threads, NULL, NULL);
  device.backend = &gruI_builtin_backend;
  device.k = gruI_builtin_backend.kernels;
  if (device.pool == NULL || device.backend->open(&device) != GRU_OK) abort();
}

static void close_device(void) {
  device.backend->close(&device);
  gruI_pool_destroy(device.pool);
}

static uint64_t random_state = 88172645463325252u;

static inline uint64_t random_bits(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

/* In [0, 1). */
static inline double random_unit(void) { return (double)(random_bits() >> 11) * 0x1p-53; }

static inline size_t size_of(gru_dtype dtype) {
  return dtype == GRU_BOOL ? 1 : dtype == GRU_FLOAT32 ? 4 : 8;
}

static inline void *allocate(size_t bytes) {
  void *block = aligned_alloc(64, (bytes + 64) / 64 * 64 + 64);
  if (block == NULL) abort();
  return block;
}

/* Row-major strides. */
static inline void fill_strides(int ndim, const int64_t *shape, int64_t *stride) {
  int64_t next = 1;
  for (int d = ndim - 1; d >= 0; d--) {
    stride[d] = next;
    next *= shape[d];
  }
}

#endif

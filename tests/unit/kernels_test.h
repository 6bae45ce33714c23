/* kernels_test.h - what the tests of the CPU's products, positions, losses and random numbers
** share: devices with pools of 1, 2 and 4 threads, checks, random numbers and elements.
*/
#ifndef GRU_TESTS_KERNELS_TEST_H
#define GRU_TESTS_KERNELS_TEST_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"

/* ---- what the kernels need of the rest, where this is linked without it ------------ */

#define WEAK __attribute__((weak))

WEAK size_t gru_dtype_size(gru_dtype dtype) {
  static const size_t sizes[] = {1, 8, 4, 8};
  return sizes[dtype];
}

WEAK gru_status gruI_cpu_fail(gruI_device *device, gru_status status, const char *format, ...) {
  snprintf(device->fault.text, sizeof device->fault.text, "%s", format);
  return status;
}

WEAK gru_status gruI_cpu_parallel(gruI_device *device, int64_t blocks, gruI_job job,
                                  void *context) {
  return gruI_pool_run(device->pool, blocks, job, context);
}

/* ---- checks ------------------------------------------------------------------------ */

enum { DEVICES = 3 };

static gruI_device devices[DEVICES]; /* 1, 2 and 4 threads */
static int passed, failed;

static inline void check(int holds, const char *what, long long a, long long b, long long c) {
  passed += holds != 0;
  failed += holds == 0;
  if (!holds && failed < 40) printf("failed: %s (%lld, %lld, %lld)\n", what, a, b, c);
}

/* ---- random numbers and elements --------------------------------------------------- */

static uint64_t random_state;

static inline uint64_t next(void) { /* splitmix64 */
  uint64_t z = random_state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static inline int64_t below(int64_t n) { return (int64_t)(next() % (uint64_t)n); }
static inline double unit(void) { return (double)(next() >> 11) * 0x1p-53; }

/* No more than asked for, so that the sanitizers see what lies beyond. */
static inline void *fresh(size_t bytes) {
  void *p = malloc(bytes > 0 ? bytes : 1);
  if (p == NULL) exit(2);
  return p;
}

static inline void *copy_of(const void *from, size_t bytes) {
  return memcpy(fresh(bytes), from, bytes);
}

/* `count` random elements. */
static inline void *random_elements(gru_dtype dtype, int64_t count) {
  size_t size = gru_dtype_size(dtype);
  char *p = fresh((size_t)count * size);
  for (int64_t i = 0; i < count; i++) {
    float f = (float)(unit() * 2 - 1);
    double d = unit() * 2 - 1;
    uint64_t u = next();
    uint8_t b = (uint8_t)(u & 1);
    const void *from = dtype == GRU_BOOL      ? (const void *)&b
                       : dtype == GRU_INT64   ? (const void *)&u
                       : dtype == GRU_FLOAT32 ? (const void *)&f
                                              : (const void *)&d;
    memcpy(p + (size_t)i * size, from, size);
  }
  return p;
}

/* Element i of floats or doubles. */
static inline double element(gru_dtype dtype, const void *p, int64_t i) {
  return dtype == GRU_FLOAT32 ? (double)((const float *)p)[i] : ((const double *)p)[i];
}

static inline int64_t *random_ids(int64_t count, int64_t base, int64_t size) {
  int64_t *ids = fresh((size_t)count * sizeof *ids);
  for (int64_t j = 0; j < count; j++) ids[j] = base + below(size);
  return ids;
}

/* Ids that are wrong, the extremes among them. */
static inline int64_t wrong_id(int64_t base, int64_t size) {
  int64_t wrong[] = {base - 1, base + size, INT64_MAX, INT64_MIN, -1000000};
  return wrong[below(5)];
}

/* Opens the devices with the seed of the command line, runs the tests, and tells. */
static inline int run_tests(int argc, char **argv, void (*tests)(void)) {
  random_state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
  for (int d = 0; d < DEVICES; d++) devices[d].pool = gruI_pool_create(1 << d, NULL, NULL);
  tests();
  for (int d = 0; d < DEVICES; d++) gruI_pool_destroy(devices[d].pool);
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}

#endif

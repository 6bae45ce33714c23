/* backend.c - the CPU as a device: memory, its limit, and the choice of instruction set. */
#define _GNU_SOURCE
#include "cpu/cpu.h"
#include "cpu/pack_cache.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- instruction sets -------------------------------------------------------------- */

#define ISA(isa) \
  { \
    .name = #isa, .elementwise = gruI_cpu_elementwise_##isa, .copy = gruI_cpu_copy_##isa, \
    .reduce = gruI_cpu_reduce_##isa, .random_fill = gruI_random_fill_##isa, \
    .loss_rows = &gruI_loss_rows_##isa, .panel = &gruI_panel_kernels_##isa, \
    .gemv = gruI_gemv_##isa, .transpose = gruI_transpose_##isa, \
    .list_rows = &gruI_list_rows_##isa, .recurrence_rows = &gruI_recurrence_rows_##isa \
  }

/* From the least to the most. */
static const gruI_cpu_isa isas[] = {ISA(baseline),
#ifdef __x86_64__
                                    ISA(avx2), ISA(avx512)
#endif
};

static int runs_isa(const gruI_cpu_isa *isa) {
#ifdef __x86_64__
  __builtin_cpu_init();
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == &isas[1]) return avx2;
  if (isa == &isas[2])
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
  return isa == isas;
}

/* The best set up to the one called `most`; NULL, or a name that is none: up to the last. */
static const gruI_cpu_isa *best_isa(const char *most) {
  const gruI_cpu_isa *best = isas;
  for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
    if (runs_isa(&isas[i])) best = &isas[i];
    if (most != NULL && strcmp(most, isas[i].name) == 0) break;
  }
  return best;
}

const gruI_cpu_isa *gruI_cpu_isa_of(const gruI_device *device) {
  return device->state != NULL ? device->state : best_isa(getenv("GRU_CPU_ISA"));
}

gru_status gruI_cpu_elementwise(gruI_device *device, const gruI_elementwise *call) {
  return gruI_cpu_isa_of(device)->elementwise(device, call);
}

gru_status gruI_cpu_copy(gruI_device *device, const gruI_copy *call) {
  return gruI_cpu_isa_of(device)->copy(device, call);
}

gru_status gruI_cpu_reduce(gruI_device *device, const gruI_reduce *call) {
  return gruI_cpu_isa_of(device)->reduce(device, call);
}

/* ---- helpers ----------------------------------------------------------------------- */

gru_status gruI_cpu_fail(gruI_device *device, gru_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(device->fault.text, sizeof device->fault.text, format, args);
  va_end(args);
  return status;
}

gru_status gruI_cpu_parallel(gruI_device *device, int64_t blocks, gruI_job job, void *context) {
  gru_status status = GRU_OK;
  if (device->pool != NULL)
    status = gruI_pool_run(device->pool, blocks, job, context);
  else
    for (int64_t block = 0; block < blocks; block++) job(context, block, 0);
  if (status != GRU_OK) gruI_cpu_fail(device, status, "interrupted!");
  return status;
}

static void drop_scratch(gruI_device *device, gruI_scratch of) {
  free(device->scratch[of]);
  device->scratch[of] = NULL;
  device->scratch_bytes[of] = 0;
}

void *gruI_cpu_scratch(gruI_device *device, gruI_scratch of, size_t bytes) {
  if (bytes <= device->scratch_bytes[of]) return device->scratch[of];
  drop_scratch(device, of);
  bytes = (bytes + 4095) & ~(size_t)4095;
  device->scratch[of] = aligned_alloc(64, bytes);
  if (device->scratch[of] == NULL)
    gruI_cpu_fail(device, GRU_ERROR_MEMORY, "out of memory: %zu bytes", bytes);
  else
    device->scratch_bytes[of] = bytes;
  return device->scratch[of];
}

void gruI_cpu_scratch_done(gruI_device *device, gruI_scratch of) {
  if (device->scratch_bytes[of] > 32u << 20) drop_scratch(device, of);
}

/* ---- memory ------------------------------------------------------------------------ */

/* The number in a file; SIZE_MAX where there is none ("max", no such file). */
static size_t read_limit(const char *path) {
  unsigned long long value;
  FILE *file = fopen(path, "re");
  if (file == NULL) return SIZE_MAX;
  int found = fscanf(file, "%llu", &value);
  fclose(file);
  return found == 1 ? (size_t)value : SIZE_MAX;
}

/* The lowest limit of a cgroup and those above it: root + group + "/" + leaf, group cut at each
** slash.  In a container the path may not be there; the root then holds the limit. */
static size_t group_limit(const char *root, char *group, const char *leaf) {
  size_t lowest = SIZE_MAX;
  for (;;) {
    char path[1200];
    snprintf(path, sizeof path, "%s%s/%s", root, group, leaf);
    size_t limit = read_limit(path);
    if (limit < lowest) lowest = limit;
    char *slash = strrchr(group, '/');
    if (slash == NULL) return lowest;
    *slash = '\0';
  }
}

/* The memory limit of this process's cgroups, of both versions. */
static size_t cgroup_limit(void) {
  size_t lowest = SIZE_MAX;
  char line[1024];
  FILE *file = fopen("/proc/self/cgroup", "re");
  if (file == NULL) return SIZE_MAX;
  while (fgets(line, sizeof line, file) != NULL) { /* hierarchy:controllers:path */
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    size_t limit = SIZE_MAX;
    if (group == NULL) continue;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (controllers[1] == '\0')
      limit = group_limit("/sys/fs/cgroup", group, "memory.max");
    else if (strstr(controllers, "memory") != NULL)
      limit = group_limit("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
    if (limit < lowest) lowest = limit;
  }
  fclose(file);
  return lowest;
}

static size_t cpu_memory_limit(gruI_device *device) {
  long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  size_t memory = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
  size_t group = cgroup_limit();
  (void)device;
  if (group < memory) memory = group;
  return memory / 5 * 4;
}

/* Large blocks are mappings of their own, so that giving one back leaves no hole behind. */
#ifdef __SANITIZE_ADDRESS__
static int is_mapped(size_t bytes) { return (void)bytes, 0; } /* the sanitizer watches malloc's */
#else
static int is_mapped(size_t bytes) { return bytes >= (size_t)1 << 20; }
#endif

static void *cpu_alloc(gruI_device *device, size_t bytes) {
  if (bytes > SIZE_MAX - 63) return NULL;
  if (device->uncached && device->host_alloc == NULL) {
    void *exact = NULL;
    return posix_memalign(&exact, 64, bytes) == 0 ? exact : NULL;
  }
  bytes = (bytes + 63) & ~(size_t)63; /* what aligned_alloc wants */
  if (bytes == 0) bytes = 64;
  if (device->host_alloc != NULL) return device->host_alloc(device->host_context, bytes);
  if (!is_mapped(bytes)) return aligned_alloc(64, bytes);
  void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return block != MAP_FAILED ? block : NULL;
}

static void cpu_free(gruI_device *device, void *block, size_t bytes) {
  bytes = (bytes + 63) & ~(size_t)63;
  if (device->host_alloc != NULL) {
    if (device->host_free != NULL) device->host_free(device->host_context, block);
  } else if (!device->uncached && is_mapped(bytes)) {
    munmap(block, bytes);
  } else {
    free(block);
  }
}

static gru_status cpu_transfer(gruI_device *device, void *to, const void *from, size_t bytes) {
  (void)device;
  if (bytes > 0) memcpy(to, from, bytes);
  return GRU_OK;
}

/* ---- the backend ------------------------------------------------------------------- */

static int cpu_count(char *reason, size_t size) {
  if (size > 0) reason[0] = '\0';
  return 1;
}

static gru_status cpu_open(gruI_device *device) {
  const gruI_cpu_isa *isa = best_isa(getenv("GRU_CPU_ISA"));
  device->state = (void *)(uintptr_t)isa; /* only ever read */
  return GRU_OK;
}

static void cpu_close(gruI_device *device) {
  drop_scratch(device, GRUI_SCRATCH_PRODUCT);
  drop_scratch(device, GRUI_SCRATCH_LAYER);
  gruI_pack_cache_drop(device);
  device->state = NULL;
}

static const gruI_kernels kernels = {
    .elementwise = gruI_cpu_elementwise,
    .copy = gruI_cpu_copy,
    .gemm = gruI_cpu_gemm,
    .reduce = gruI_cpu_reduce,
    .take = gruI_cpu_take,
    .put = gruI_cpu_put,
    .along = gruI_cpu_along,
    .one_hot = gruI_cpu_one_hot,
    .softmax = gruI_cpu_softmax,
    .softmax_grad = gruI_cpu_softmax_grad,
    .cross_entropy = gruI_cpu_cross_entropy,
    .cross_entropy_grad = gruI_cpu_cross_entropy_grad,
    .random = gruI_cpu_random,
    .scan = gruI_cpu_scan,
    .sort = gruI_cpu_sort,
    .nonzero = gruI_cpu_nonzero,
    .search = gruI_cpu_search,
    .range = gruI_cpu_range,
    .sgd = gruI_cpu_sgd,
    .adam = gruI_cpu_adam,
    .clip_norm = gruI_cpu_clip_norm,
    .scale = gruI_cpu_scale,
    .concat = gruI_cpu_concat,
    .recurrence = gruI_cpu_recurrence,
    .recurrence_grad = gruI_cpu_recurrence_grad,
    .gemm_segments = gruI_cpu_gemm_segments,
    .gemm_offer = gruI_cpu_gemm_offer,
    .later_bytes = gruI_cpu_later_bytes,
    .later_begin = gruI_cpu_later_begin,
    .later_is_done = gruI_cpu_later_is_done,
    .later_end = gruI_cpu_later_end,
    .gemm_bias = gruI_cpu_gemm_bias,
    .put_all = gruI_cpu_put_all,
};

const gruI_backend gruI_builtin_backend = {
    .abi = GRUI_DEVICE_ABI,
    .size = sizeof(gruI_backend),
    .name = "cpu",
    .count = cpu_count,
    .open = cpu_open,
    .close = cpu_close,
    .alloc = cpu_alloc,
    .free = cpu_free,
    .upload = cpu_transfer,
    .download = cpu_transfer,
    .memory_limit = cpu_memory_limit,
    .kernels = &kernels,
    .explain = gruI_cpu_explain,
};

/* files_fuzz.c - fuzzes the readers of safetensors and npy.
**
** What must hold: a refusal has a message of one line that names the file, and comes before more
** memory is asked for than twice the file; what is taken has as many bytes as the file has for it,
** and lasts: saved, loaded and saved again, it gives the same file.
**
** With clang: link with -fsanitize=fuzzer and run on a folder of such files.
** With any compiler: -DGRU_FUZZ_STANDALONE adds a main for CI:
**
**   files_fuzz [iterations [file...]]   mutates the seeds below and the files
**
** It is deterministic.  A property that fails aborts, after a line that says which.
*/
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create, mkdtemp */
#endif

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../runtime/gru.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(x) ((x) ? (void)0 : fail(__LINE__, #x))

enum { MAX_TENSORS = 256, MAX_SIZE = 1 << 20 };

static gru_runtime *rt;
static int file = -1; /* a file in memory, and its path */
static char path[40];
static char folder[] = "/dev/shm/files_fuzz.XXXXXX";
static char saved[64];         /* a file in the folder */
static unsigned long taken[2]; /* files that were taken: safetensors, npy */

static void fail(int line, const char *what) {
  fprintf(stderr, "files_fuzz.c:%d: does not hold: %s\n", line, what);
  if (rt != NULL) fprintf(stderr, "last message: %s\n", gru_runtime_error(rt));
  abort();
}

static void end(void) {
  unlink(saved);
  rmdir(folder);
}

static void begin(void) {
  if (file >= 0) return;
  file = memfd_create("files_fuzz", MFD_CLOEXEC);
  HOLDS(file >= 0);
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  if (mkdtemp(folder) == NULL) {
    strcpy(folder, "/tmp/files_fuzz.XXXXXX");
    HOLDS(mkdtemp(folder) != NULL);
  }
  snprintf(saved, sizeof saved, "%s/saved", folder);
  HOLDS(atexit(end) == 0);
  HOLDS(gru_runtime_create(NULL, &rt) == GRU_OK);
}

/* The largest block that the library asked for since put_bytes, and what a refused file may
** make it ask for: twice its size, or a few structs. */
static size_t largest, most;

static void put_bytes(const uint8_t *data, size_t size) {
  largest = 0;
  most = size * 2 > 4096 ? size * 2 : 4096;
  HOLDS(ftruncate(file, 0) == 0);
  HOLDS(pwrite(file, data, size, 0) == (ssize_t)size);
}

/* A failure must be one of the file, and say so. */
static void check_refusal(gru_status status, const char *op) {
  size_t n = strlen(op);
  const char *message = gru_runtime_error(rt);
  HOLDS(status == GRU_ERROR_FORMAT);
  HOLDS(strncmp(message, op, n) == 0 && strncmp(message + n, ": /", 3) == 0);
  HOLDS(strpbrk(message, "\r\n") == NULL);
}

#ifdef GRU_FUZZ_STANDALONE

/* The linker puts these in the place of malloc and its like (tests/CMakeLists.txt). */
void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);

static size_t asked(size_t n) {
  if (n > largest) largest = n;
  return n;
}

void *__wrap_malloc(size_t n) { return __real_malloc(asked(n)); }

void *__wrap_calloc(size_t count, size_t n) {
  asked(count * n);
  return __real_calloc(count, n);
}

void *__wrap_realloc(void *p, size_t n) { return __real_realloc(p, asked(n)); }

void *__wrap_aligned_alloc(size_t alignment, size_t n) {
  return __real_aligned_alloc(alignment, asked(n));
}

#endif

/* The bytes of the file at `name`, `*size` of them; the caller frees them. */
static uint8_t *read_back(const char *name, size_t *size) {
  uint8_t *bytes = malloc(9 * MAX_SIZE);
  FILE *f = fopen(name, "rb");
  HOLDS(bytes != NULL && f != NULL);
  *size = fread(bytes, 1, 9 * MAX_SIZE, f);
  HOLDS(*size < 9 * MAX_SIZE);
  fclose(f);
  return bytes;
}

/* ---- safetensors -------------------------------------------------------------------- */

/* Loads the file `name` and, where it is well formed, saves what was in it to `saved`; `bytes`
** is what the file has for elements, or -1.  Returns whether it was. */
static int resave(const char *name, int64_t bytes) {
  gru_tensor_file *f = NULL;
  gru_named_tensor tensors[MAX_TENSORS];
  gru_named_text texts[MAX_TENSORS];
  int64_t elements = 0, n = 0, m;
  gru_status status = gru_tensor_file_open(rt, name, &f);
  HOLDS((status == GRU_OK) == (f != NULL));
  if (f == NULL) {
    HOLDS(largest <= most);
    check_refusal(status, "load");
    return 0;
  }
  m = gru_tensor_file_metadata_count(f);
  HOLDS(gru_tensor_file_count(f) <= MAX_TENSORS && m <= MAX_TENSORS);
  for (; n < gru_tensor_file_count(f) && status == GRU_OK; n++) {
    gru_tensor *t = NULL;
    status = gru_tensor_file_read(f, n, NULL, &t);
    HOLDS((status == GRU_OK) == (t != NULL));
    tensors[n] = (gru_named_tensor){gru_tensor_file_name(f, n), t};
    if (t != NULL) elements += gru_tensor_numel(t);
  }
  for (int64_t i = 0; i < m; i++) {
    texts[i].key = gru_tensor_file_metadata(f, i, &texts[i].value);
  }
  if (status == GRU_OK) {
    if (bytes >= 0) HOLDS(elements <= bytes && bytes <= elements * 8);
    HOLDS(gru_save(rt, saved, (size_t)n, tensors, (size_t)m, texts) == GRU_OK);
  } else {
    check_refusal(status, "load");
  }
  for (int64_t i = 0; i < n; i++) gru_tensor_release(tensors[i].tensor);
  gru_tensor_file_close(f);
  return status == GRU_OK;
}

static void try_safetensors(const uint8_t *data, size_t size) {
  uint64_t n = 0;
  uint8_t *first, *second;
  size_t nfirst, nsecond;
  put_bytes(data, size);
  if (size >= 8) memcpy(&n, data, 8);
  if (!resave(path, size >= 8 && n <= size - 8 ? (int64_t)(size - 8 - n) : 0)) return;
  HOLDS(size >= 10 && n >= 2 && n <= size - 8 && data[8] == '{');
  taken[0]++;
  first = read_back(saved, &nfirst);
  HOLDS(resave(saved, -1));
  second = read_back(saved, &nsecond);
  HOLDS(nfirst == nsecond && memcmp(first, second, nfirst) == 0);
  free(first);
  free(second);
}

/* The same with a prefix that takes all up to the last '}' for the header. */
static void try_framed(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size + 1);
  uint64_t n = size;
  HOLDS(copy != NULL);
  if (size > 0) memcpy(copy, data, size);
  while (n > 8 && copy[n - 1] != '}') n--;
  if (n > 8) {
    n -= 8;
    memcpy(copy, &n, 8);
    try_safetensors(copy, size);
  }
  free(copy);
}

/* ---- npy ------------------------------------------------------------------------------ */

static void try_npy(const uint8_t *data, size_t size) {
  gru_tensor *t = NULL, *again = NULL;
  uint8_t *first, *second;
  size_t nfirst, nsecond, at;
  put_bytes(data, size);
  gru_status status = gru_load_npy(rt, path, NULL, &t);
  HOLDS((status == GRU_OK) == (t != NULL));
  if (t == NULL) {
    HOLDS(largest <= most);
    check_refusal(status, "load_npy");
    return;
  }
  taken[1]++;
  at = data[6] == 1 ? 10 : 12;
  at += data[8] | (size_t)data[9] << 8;
  HOLDS(at <= size && gru_tensor_numel(t) <= (int64_t)(size - at));
  HOLDS((int64_t)(size - at) <= gru_tensor_numel(t) * 8);
  HOLDS(gru_save_npy(rt, saved, t) == GRU_OK);
  first = read_back(saved, &nfirst);
  HOLDS(gru_load_npy(rt, saved, NULL, &again) == GRU_OK);
  HOLDS(gru_tensor_dtype(t) == gru_tensor_dtype(again));
  HOLDS(gru_save_npy(rt, saved, again) == GRU_OK);
  second = read_back(saved, &nsecond);
  HOLDS(nfirst == nsecond && memcmp(first, second, nfirst) == 0);
  free(first);
  free(second);
  gru_tensor_release(again);
  gru_tensor_release(t);
}

/* The same with the magic, version 1 and a header up to the first newline. */
static void try_framed_npy(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size + 1), *newline;
  HOLDS(copy != NULL);
  if (size > 10) {
    memcpy(copy, data, size);
    memcpy(copy, "\x93NUMPY\1\0", 8);
    newline = memchr(copy + 10, '\n', size - 10);
    size_t n = newline != NULL ? (size_t)(newline - copy) - 9 : 0;
    copy[8] = (uint8_t)(n & 0xFF);
    copy[9] = (uint8_t)(n >> 8);
    try_npy(copy, size);
  }
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > MAX_SIZE) return 0;
  begin();
  try_safetensors(data, size);
  try_framed(data, size);
  try_npy(data, size);
  try_framed_npy(data, size);
  return 0;
}

/* ---- without libFuzzer ---------------------------------------------------------------- */

#ifdef GRU_FUZZ_STANDALONE

enum { MAX_SEEDS = 64 };

typedef struct seed {
  uint8_t *bytes;
  size_t size;
} seed;

static seed seeds[MAX_SEEDS];
static int nseeds;

/* Headers, and the bytes of data behind them. */
static const struct {
  const char *header;
  size_t data;
} safetensors[] = {
    {"{}", 0},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", 24},
    {"{\"__metadata__\":{\"k\":\"v\",\"\\u00e9\\\"\":\"\"},"
     "\"b\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
     "\"a\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[8,9]}}   ",
     9},
    {"{\"h\":{\"dtype\":\"F16\",\"shape\":[0,2],\"data_offsets\":[0,0]},"
     "\"i\":{\"shape\":[2],\"dtype\":\"BF16\",\"data_offsets\":[0,4]},"
     "\"j\":{\"data_offsets\":[4,12],\"dtype\":\"U64\",\"shape\":[1]}}",
     12},
    {"{\"w\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[4,7],\"x\":[[{}]]},"
     "\"v\":{\"dtype\":\"I16\",\"shape\":[2,1],\"data_offsets\":[0,4]}}",
     7},
    {"{\"q\":{\"dtype\":\"F8_E4M3\",\"shape\":[3],\"data_offsets\":[0,3]}}", 3},
};

static const struct {
  const char *header;
  size_t data;
} npy[] = {
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24},
    {"{'descr': '|b1', 'fortran_order': False, 'shape': (), }", 1},
    {"{'shape': (2, 2, 1), \"descr\": '<f2', 'fortran_order': True}", 8},
    {"{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }", 8},
    {"{'descr': '|i1', 'fortran_order': True, 'shape': (0, 5), }", 0},
    {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8},
};

/* What the readers' decisions hang on. */
static const char telling[] = "{}[](),:'\"\\u0 1289-.e<>|=TF\n\t\x7F\x80\xC3\xFF";

static uint64_t state = 1; /* xorshift64* */

static size_t below(size_t n) {
  state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
  return (size_t)(state * 0x2545F4914F6CDD1D >> 32) % n;
}

/* Changes the `size` bytes in `room` bytes of space; returns their new size. */
static size_t mutate(uint8_t *bytes, size_t size, size_t room) {
  size_t at = size > 0 ? below(size) : 0;
  size_t n = 1 + below(8);
  if (size == 0 || (below(6) == 0 && size + n <= room)) { /* insert */
    memmove(bytes + at + n, bytes + at, size - at);
    for (size_t i = 0; i < n; i++) bytes[at + i] = (uint8_t)telling[below(sizeof telling)];
    return size + n;
  }
  switch (below(5)) {
    case 0: bytes[at] = (uint8_t)below(256); break;
    case 1: bytes[at] = (uint8_t)telling[below(sizeof telling)]; break;
    case 2: bytes[at] ^= (uint8_t)(1 << below(8)); break;
    case 3: /* leave out */
      if (n > size - at) n = size - at;
      memmove(bytes + at, bytes + at + n, size - at - n);
      return size - n;
    default: /* copy a piece over another */
      if (n > size - at) n = size - at;
      memmove(bytes + below(size - n + 1), bytes + at, n);
  }
  return size;
}

static void add_seed(const void *head, size_t nhead, const char *header, size_t data) {
  seed *s = &seeds[nseeds];
  size_t n = strlen(header);
  if (nseeds == MAX_SEEDS) return;
  s->size = nhead + n + data;
  s->bytes = malloc(s->size + 1);
  HOLDS(s->bytes != NULL);
  memcpy(s->bytes, head, nhead);
  memcpy(s->bytes + nhead, header, n);
  for (size_t i = 0; i < data; i++) s->bytes[nhead + n + i] = (uint8_t)(i * 7 + 1);
  nseeds++;
}

static void add_seeds(void) {
  for (size_t i = 0; i < sizeof safetensors / sizeof *safetensors; i++) {
    uint64_t n = strlen(safetensors[i].header);
    add_seed(&n, 8, safetensors[i].header, safetensors[i].data);
  }
  for (size_t i = 0; i < sizeof npy / sizeof *npy; i++) {
    char head[12] = "\x93NUMPY\1", header[128];
    size_t size = i % 2 == 0 ? 10 : 12; /* version 1, or 2 */
    size_t n = (size_t)snprintf(header, sizeof header, "%-70s\n", npy[i].header);
    head[6] = size == 10 ? 1 : 2;
    head[8] = (char)n;
    add_seed(head, size, header, npy[i].data);
  }
}

/* Keeps the file as a seed; a longer one is cut. */
static int add_file(const char *name) {
  uint8_t *bytes = malloc(MAX_SIZE);
  FILE *f = fopen(name, "rb");
  if (bytes == NULL || f == NULL) {
    fprintf(stderr, "files_fuzz: cannot open '%s'\n", name);
    if (f != NULL) fclose(f);
    free(bytes);
    return 0;
  }
  add_seed(bytes, fread(bytes, 1, MAX_SIZE, f), "", 0);
  fclose(f);
  free(bytes);
  return 1;
}

int main(int argc, char **argv) {
  unsigned long iterations = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
  uint8_t *bytes = malloc(MAX_SIZE + 64);
  HOLDS(bytes != NULL);
  add_seeds();
  for (int i = 0; i < nseeds; i++) LLVMFuzzerTestOneInput(seeds[i].bytes, seeds[i].size);
  HOLDS(taken[0] == 9 && taken[1] == 8); /* once as they are, most again framed */
  for (int i = 2; i < argc; i++) {
    if (!add_file(argv[i])) return 1;
    LLVMFuzzerTestOneInput(seeds[nseeds - 1].bytes, seeds[nseeds - 1].size);
  }
  LLVMFuzzerTestOneInput(bytes, 0);
  for (unsigned long i = 0; i < iterations; i++) {
    const seed *s = &seeds[below((size_t)nseeds)];
    size_t size = s->size;
    memcpy(bytes, s->bytes, size);
    for (size_t n = 1 + below(4); n > 0; n--) size = mutate(bytes, size, MAX_SIZE);
    LLVMFuzzerTestOneInput(bytes, size);
  }
  for (int i = 0; i < nseeds; i++) free(seeds[i].bytes);
  free(bytes);
  gru_runtime_destroy(rt);
  close(file);
  printf("files_fuzz: %d seeds, %lu mutations, %lu safetensors and %lu npy were well formed\n",
         nseeds, iterations, taken[0], taken[1]);
  return 0;
}

#endif

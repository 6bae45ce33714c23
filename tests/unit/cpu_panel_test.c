/* cpu_panel_test.c - packed products against sums in double, and their bits against each other. */
#include "cpu/panel.h"

#include "kernels_test.h"

/* |c - want| within the agreement of a sum of k terms. */
static int agrees(gru_dtype dtype, double got, double want, double terms) {
  double tolerance = dtype == GRU_FLOAT32 ? 1e-5 : 1e-12;
  return fabs(got - want) <= tolerance * (1 + terms);
}

static void product(gru_dtype dtype, int64_t rows, int64_t n, int64_t k, int trans,
                    int accumulate) {
  const gruI_panel_kernels *panel = gruI_cpu_isa_of(&devices[0])->panel;
  size_t size = gru_dtype_size(dtype);
  int64_t lda = k + below(3), ldc = n + below(3), row = trans ? 1 : n + below(3);
  int64_t col = trans ? k + below(3) : 1;
  char *a = random_elements(dtype, rows * lda + 1), *c = random_elements(dtype, rows * ldc + 1);
  char *b = random_elements(dtype, trans ? n * col : k * row);
  void *before = copy_of(c, (size_t)(rows * ldc) * size);
  gruI_panels packed = {dtype, k, n, NULL};
  packed.data = aligned_alloc(64, (panel->bytes(dtype, k, n) + 127) / 64 * 64);
  int64_t panels = panel->count(dtype, n), middle = panels / 2;
  panel->pack(&packed, b, row, col, middle, panels);
  panel->pack(&packed, b, row, col, 0, middle);
  gruI_panel_call call = {.b = &packed, .last = panels, .rows = rows, .a = a, .lda = lda};
  call.c = c, call.ldc = ldc, call.accumulate = accumulate;
  panel->multiply(&call);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < ldc; j++) {
      double old = element(dtype, before, i * ldc + j), want = accumulate ? old : 0, terms = 0;
      for (int64_t p = 0; p < k && j < n; p++) {
        double term = element(dtype, a, i * lda + p) * element(dtype, b, p * row + j * col);
        want += term, terms += fabs(term);
      }
      if (j >= n) want = old;
      check(agrees(dtype, element(dtype, c, i * ldc + j), want, terms), "panel product", rows, n,
            k);
    }
  /* One row at a time, a part of the panels after the other, and each from its end, gives the same bits. */
  char *again = copy_of(before, (size_t)(rows * ldc) * size);
  call.rows = 1, call.descending = 1;
  for (int64_t i = 0; i < rows; i++) {
    call.a = a + (size_t)(i * lda) * size;
    call.c = again + (size_t)(i * ldc) * size;
    call.first = middle, call.last = panels;
    panel->multiply(&call);
    call.first = 0, call.last = middle;
    panel->multiply(&call);
  }
  check(memcmp(c, again, (size_t)(rows * ldc) * size) == 0, "bits by row", rows, n, k);
  free(a), free(b), free(c), free(before), free(again), free(packed.data);
}

static void tests(void) {
  const int64_t sizes[] = {1, 2, 3, 7, 8, 15, 16, 17, 33, 48, 49, 96, 100};
  enum { SIZES = sizeof sizes / sizeof *sizes };
  for (int i = 0; i < 600; i++)
    product(i % 2 ? GRU_FLOAT32 : GRU_FLOAT64, sizes[below(SIZES)], sizes[below(SIZES)],
            sizes[below(SIZES)], i % 4 > 1, i % 8 > 3);
  printf("isa: %s\n", gruI_cpu_isa_of(&devices[0])->name);
}

int main(int argc, char **argv) { return run_tests(argc, argv, tests); }

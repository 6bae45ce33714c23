/* panel.inc.h - packing and multiplying for the type T; included by panel.c once for float and once
** for double, hence no guard. */

enum { PANEL_NAME(LANES, T) = VECTOR_BYTES / (int)sizeof(T) };
#define LANES PANEL_NAME(LANES, T)
#define VECTOR PANEL_NAME(vector, T)
typedef T VECTOR __attribute__((vector_size(VECTOR_BYTES), may_alias, aligned(sizeof(T))));

/* How many vectors of columns panel `p` has, and which column is its first. */
ALWAYS_INLINE int64_t PANEL_NAME(width, T)(int64_t n, int64_t p) {
  return gruI_cpu_min(VECTORS, gruI_cpu_blocks(n - p * VECTORS * LANES, LANES));
}

static void PANEL_NAME(pack, T)(const gruI_panels *to, const void *from, int64_t row, int64_t col,
                                int64_t first, int64_t last) {
  enum { EDGE = 64 }; /* rows of b at a time: a panel's piece stays in the first cache */
  for (int64_t panel = first; panel < last; panel++) {
    int64_t j0 = panel * VECTORS * LANES, width = PANEL_NAME(width, T)(to->n, panel) * LANES;
    int64_t cols = gruI_cpu_min(width, to->n - j0);
    const T *b = (const T *)from + j0 * col;
    T *out = (T *)to->data + j0 * to->k;
    for (int64_t p0 = 0; p0 < to->k; p0 += EDGE) {
      int64_t p1 = gruI_cpu_min(p0 + EDGE, to->k);
      if (col == 1 && cols == VECTORS * LANES)
        for (int64_t p = p0; p < p1; p++)
          memcpy(out + p * width, b + p * row, VECTORS * VECTOR_BYTES);
      else if (col == 1)
        for (int64_t p = p0; p < p1; p++)
          memcpy(out + p * width, b + p * row, (size_t)cols * sizeof(T));
      else
        GRUI_ISA_NAME(gruI_transpose)
      (sizeof(T), b + p0 * row, col, p1 - p0, cols, out + p0 * width, width);
      for (int64_t p = p0; p < p1 && cols < width; p++)
        memset(out + p * width + cols, 0, (size_t)(width - cols) * sizeof(T));
    }
  }
}

static void PANEL_NAME(pack_rows, T)(const gruI_panels *to, int64_t first, int64_t rows,
                                     const void *from, int64_t row) {
  for (int64_t r = 0; r < rows; r++) {
    const T *b = (const T *)from + r * row;
    for (int64_t j = 0, panel = 0; j < to->n; j += VECTORS * LANES, panel++) {
      int64_t width = PANEL_NAME(width, T)(to->n, panel) * LANES;
      int64_t cols = gruI_cpu_min(width, to->n - j);
      T *out = (T *)to->data + j * to->k + (first + r) * width;
      if (cols == VECTORS * LANES) {
        for (int v = 0; v < VECTORS; v++)
          *(VECTOR *)(out + v * LANES) = *(const VECTOR *)(b + j + v * LANES);
      } else {
        memcpy(out, b + j, (size_t)cols * sizeof(T));
        memset(out + cols, 0, (size_t)(width - cols) * sizeof(T));
      }
    }
  }
}

static void PANEL_NAME(pack_strips, T)(T *strips, int64_t k, int64_t first, int64_t rows,
                                       const T *a, int64_t row, int64_t cols) {
  enum { TOGETHER = 8 }; /* rows: read side by side, written side by side */
  for (int64_t r = 0; r < rows; r += TOGETHER) {
    int64_t end = gruI_cpu_min(r + TOGETHER, rows);
    for (int64_t i = 0; i < cols; i += GRUI_STRIP) {
      T *out = strips + i * k + (first + r) * GRUI_STRIP;
      for (int64_t p = r; p < end; p++, out += GRUI_STRIP) {
        const T *from = a + p * row + i;
        if (i + GRUI_STRIP <= cols)
          for (int v = 0; v < GRUI_STRIP; v += LANES)
            *(VECTOR *)(out + v) = *(const VECTOR *)(from + v);
        else
          memcpy(out, from, (size_t)(cols - i) * sizeof(T));
      }
    }
  }
}

/* `rows` x `vectors` elements of c from rows of a and the columns of b; rows, vectors and trans_a are
** constants after inlining.  The last vector may have only `cols` columns left in c.  On the way what lies
** at `ahead`, and `step` bytes further for each term, is fetched into the second cache. */
ALWAYS_INLINE void PANEL_NAME(tile, T)(int rows, int vectors, int trans_a, int64_t k, const T *a,
                                       int64_t lda, const T *b, int64_t ldb, T *c, int64_t ldc,
                                       int64_t cols, int accumulate, const T *bias, uintptr_t ahead,
                                       uintptr_t step) {
  VECTOR sum[ROWS][VECTORS] = {{{0}}};
  for (int64_t p = 0; p < k; p++, b += ldb, a += trans_a ? lda : 1, ahead += step) {
    VECTOR x[VECTORS];
    __builtin_prefetch((const void *)ahead, 0, 2);
    for (int v = 0; v < vectors; v++) x[v] = *(const VECTOR *)(b + v * LANES);
    for (int r = 0; r < rows; r++)
      for (int v = 0; v < vectors; v++) sum[r][v] += x[v] * a[trans_a ? r : r * lda];
  }
  for (int r = 0; r < rows; r++, c += ldc) {
    if (cols == vectors * LANES) {
      for (int v = 0; v < vectors; v++) {
        VECTOR *out = (VECTOR *)(c + v * LANES);
        if (accumulate) sum[r][v] += *out;
        if (bias != NULL) sum[r][v] += *(const VECTOR *)(bias + v * LANES);
        *out = sum[r][v];
      }
    } else {
      const T *from = (const T *)sum[r];
      for (int64_t j = 0; j < cols; j++) {
        T whole = accumulate ? c[j] + from[j] : from[j];
        c[j] = bias != NULL ? whole + bias[j] : whole;
      }
    }
  }
}

/* Where row `r` of op(a) starts. */
ALWAYS_INLINE int64_t PANEL_NAME(row, T)(int trans_a, const gruI_panel_call *call, int64_t r) {
  if (!trans_a) return r * call->lda;
  if (!call->strips) return r;
  return r / GRUI_STRIP * GRUI_STRIP * call->b->k + r % GRUI_STRIP;
}

/* All rows of c in one panel, tile by tile. */
ALWAYS_INLINE void PANEL_NAME(column, T)(int vectors, int trans_a, const gruI_panel_call *call,
                                         const T *b, int64_t ldb, T *c, int64_t cols,
                                         const T *bias) {
  int64_t r = 0, rows = call->rows, lda = call->lda, ldc = call->ldc;
  const T *a = call->a;
  /* The next packed panel follows this one: it is fetched while this one's first tiles are made. */
  uintptr_t bytes = call->ldb ? 0 : (uintptr_t)(call->b->k * vectors * VECTOR_BYTES);
  uintptr_t here = (uintptr_t)b, ahead = here + bytes, end = ahead + bytes;
#define ROWS_OF(n) \
  for (; r + (n) <= rows; r += (n), ahead += (uintptr_t)call->b->k * LINE) PANEL_NAME(tile, T) \
  (n, vectors, trans_a, call->b->k, a + PANEL_NAME(row, T)(trans_a, call, r), lda, b, ldb, \
   c + r * ldc, ldc, cols, call->accumulate, bias, ahead < end ? ahead : here, \
   ahead < end ? LINE : 0)
  ROWS_OF(ROWS);
  ROWS_OF(4);
  ROWS_OF(2);
  ROWS_OF(1);
#undef ROWS_OF
}

ALWAYS_INLINE void PANEL_NAME(panels, T)(int trans_a, const gruI_panel_call *call) {
  const gruI_panels *b = call->b;
  for (int64_t panel = call->first; panel < call->last; panel++) {
    int64_t j = panel * VECTORS * LANES, vectors = PANEL_NAME(width, T)(b->n, panel);
    int64_t cols = gruI_cpu_min(VECTORS * LANES, b->n - j);
    const T *from = (const T *)b->data + (call->ldb ? j : j * b->k);
    int64_t ldb = call->ldb ? call->ldb : vectors * LANES;
    T *c = (T *)call->c + j;
    const T *bias = call->bias != NULL ? (const T *)call->bias + j : NULL;
    if (vectors == 1)
      PANEL_NAME(column, T)(1, trans_a, call, from, ldb, c, cols, bias);
    else if (vectors == 2)
      PANEL_NAME(column, T)(2, trans_a, call, from, ldb, c, cols, bias);
    else
      PANEL_NAME(column, T)(VECTORS, trans_a, call, from, ldb, c, cols, bias);
  }
}

static void PANEL_NAME(multiply, T)(const gruI_panel_call *call) {
  if (call->trans_a)
    PANEL_NAME(panels, T)(1, call);
  else
    PANEL_NAME(panels, T)(0, call);
}

#undef LANES
#undef VECTOR

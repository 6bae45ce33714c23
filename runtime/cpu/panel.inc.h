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
  enum { TOGETHER = 8, AHEAD = 16 }; /* rows: read and written side by side; fetched before */
  for (int64_t r = 0; r < rows; r += TOGETHER) {
    int64_t end = gruI_cpu_min(r + TOGETHER, rows);
    for (int64_t i = 0; i < cols; i += GRUI_STRIP) {
      T *out = strips + i * k + (first + r) * GRUI_STRIP;
      for (int64_t p = r; p < end; p++, out += GRUI_STRIP) {
        const T *from = a + p * row + i;
        __builtin_prefetch(from + AHEAD * row);
        if (i + GRUI_STRIP <= cols)
          for (int v = 0; v < GRUI_STRIP; v += LANES)
            *(VECTOR *)(out + v) = *(const VECTOR *)(from + v);
        else
          memcpy(out, from, (size_t)(cols - i) * sizeof(T));
      }
    }
  }
}

/* The sums of `cols` columns of a row of c. */
static __attribute__((noinline)) void PANEL_NAME(write, T)(const T *sums, T *c, int64_t cols,
                                                           int accumulate, const T *bias) {
  for (int64_t j = 0; j < cols; j++) {
    T whole = accumulate ? c[j] + sums[j] : sums[j];
    c[j] = bias != NULL ? whole + bias[j] : whole;
  }
}

/* `rows` x `vectors` elements of c from the rows of op(a), `row` apart with terms `col` apart, and the
** columns of b.  Constants after inlining: rows and vectors, col where op(a) lies in rows or strips, ldb where
** b is packed.  The last vector may have only `cols` columns left in c.
** On the way memory is asked for two things, at an even pace, or they would be in the way of what is needed
** at once: in a full tile for `to_fetch` (PREFETCHES lines a turn); and, from the second quarter on, for the
** lines of c, so that they are there when the sums are, and are not yet gone. */
ALWAYS_INLINE void PANEL_NAME(tile, T)(int rows, int vectors, int64_t k, const T *a, int64_t row,
                                       int64_t col, const T *b, int64_t ldb, T *c, int64_t ldc,
                                       int64_t cols, int accumulate, const T *bias,
                                       fetch *to_fetch) {
  int64_t turns = rows == ROWS ? k / TERMS : 0, left = k - turns * TERMS, step = 0;
  int64_t first = turns / 4, asking = gruI_cpu_min(rows, turns / (2 * C_LINES));
  const char *ahead = rows == ROWS ? fetch_next(to_fetch, turns, (const char *)b, &step) : NULL;
  EACH_ROW(SUMS)
  TURNS(first, )
  for (int64_t r = 0; r < asking; r++)
    TURNS(C_LINES,
          __builtin_prefetch(c + r * ldc + gruI_cpu_min(turn * LINE / (int)sizeof(T), cols - 1), 1))
  TURNS(turns - first - asking * C_LINES, )
  for (; left > 0; left--, a += col, b += ldb) TERM(0)
  if (cols == vectors * LANES) {
    EACH_ROW(PUT)
  } else {
    EACH_ROW(PUT_SOME)
  }
}

/* Where row `r` of op(a) starts. */
ALWAYS_INLINE int64_t PANEL_NAME(row, T)(int form, const gruI_panel_call *call, int64_t r) {
  if (form == IN_ROWS) return r * call->lda;
  if (form == IN_COLUMNS) return r;
  return r / GRUI_STRIP * GRUI_STRIP * call->b->k + r % GRUI_STRIP;
}

/* All rows of c in one panel, tile by tile.  The panel after this lies `next` elements away; 0: there is none. */
ALWAYS_INLINE void PANEL_NAME(column, T)(int vectors, int form, int packed,
                                         const gruI_panel_call *call, const T *b, T *c,
                                         int64_t cols, const T *bias, int64_t next,
                                         fetch *to_fetch) {
  int64_t r = 0, rows = call->rows, ldc = call->ldc, k = call->b->k;
  int64_t ldb = packed ? vectors * LANES : call->ldb;
  int64_t row = form == IN_ROWS ? call->lda : 1;
  int64_t col = form == IN_ROWS ? 1 : form == IN_STRIPS ? GRUI_STRIP : call->lda;
  const T *a = call->a;
  to_fetch->at[PANEL] = (const char *)(b + next);
  to_fetch->bytes[PANEL] = next ? k * VECTORS * VECTOR_BYTES : 0;
#define ROWS_OF(n) \
  for (; r + (n) <= rows; r += (n)) PANEL_NAME(tile, T) \
  (n, vectors, k, a + PANEL_NAME(row, T)(form, call, r), row, col, b, ldb, c + r * ldc, ldc, cols, \
   call->accumulate, bias, to_fetch)
  ROWS_OF(ROWS);
  if (ROWS > 4) ROWS_OF(4);
  ROWS_OF(2);
  ROWS_OF(1);
#undef ROWS_OF
}

ALWAYS_INLINE void PANEL_NAME(panels, T)(int form, int packed, const gruI_panel_call *call) {
  const gruI_panels *b = call->b;
  fetch to_fetch = {.at = {[NEXT] = call->next[0].at, [AFTER_NEXT] = call->next[1].at},
                    .bytes = {[NEXT] = call->next[0].bytes, [AFTER_NEXT] = call->next[1].bytes}};
  int64_t size = b->k * VECTORS * LANES; /* packed panels follow each other */
  for (int64_t i = call->first; i < call->last; i++) {
    int64_t panel = call->descending ? call->first + call->last - 1 - i : i;
    int64_t j = panel * VECTORS * LANES, vectors = PANEL_NAME(width, T)(b->n, panel);
    int64_t cols = gruI_cpu_min(VECTORS * LANES, b->n - j), next = 0; /* elements from here */
    if (packed && call->descending && panel > 0) next = -size;
    if (packed && !call->descending && j + VECTORS * LANES < b->n) next = size;
    const T *from = (const T *)b->data + (packed ? j * b->k : j);
    T *c = (T *)call->c + j;
    const T *bias = call->bias != NULL ? (const T *)call->bias + j : NULL;
    if (vectors == 1)
      PANEL_NAME(column, T)(1, form, packed, call, from, c, cols, bias, next, &to_fetch);
    else if (vectors == 2)
      PANEL_NAME(column, T)(2, form, packed, call, from, c, cols, bias, next, &to_fetch);
    else
      PANEL_NAME(column, T)(VECTORS, form, packed, call, from, c, cols, bias, next, &to_fetch);
  }
}

ALWAYS_INLINE void PANEL_NAME(form, T)(int form, const gruI_panel_call *call) {
  if (call->ldb == 0)
    PANEL_NAME(panels, T)(form, 1, call);
  else
    PANEL_NAME(panels, T)(form, 0, call);
}

static void PANEL_NAME(multiply, T)(const gruI_panel_call *call) {
  if (call->strips)
    PANEL_NAME(form, T)(IN_STRIPS, call);
  else if (call->trans_a)
    PANEL_NAME(form, T)(IN_COLUMNS, call);
  else
    PANEL_NAME(form, T)(IN_ROWS, call);
}

#undef LANES
#undef VECTOR

/* gemv.inc.h - the loops for the type T; included by gemv.c once for float and once for double, hence
** no guard. */

enum { GEMV_NAME(LANES, T) = VECTOR_BYTES / (int)sizeof(T) };
#define LANES GEMV_NAME(LANES, T)
#define VECTOR GEMV_NAME(vector, T)
typedef T VECTOR __attribute__((vector_size(VECTOR_BYTES), may_alias, aligned(sizeof(T))));

static void GEMV_NAME(store, T)(const gruI_gemv *g, int v, int64_t o, T sum, int accumulate) {
  T *y = (T *)g->y + v * g->y_vector + o * g->y_output;
  *y = accumulate ? *y + sum : sum;
}

/* ---- rows of w: dot products ------------------------------------------------------------- */

enum { GEMV_NAME(TERMS, T) = 4096 / (int)sizeof(T) }; /* of x that are kept at hand */
#define TERMS GEMV_NAME(TERMS, T)

/* Outputs o .. o + rows - 1: `terms` products of each, from w and from x, whose vectors are TERMS
** apart and followed by zeros up to a whole VECTOR.  vectors and rows are constants after inlining. */
ALWAYS_INLINE void GEMV_NAME(dots, T)(int vectors, int rows, const gruI_gemv *g, const T *w,
                                      const T *x, int64_t terms, int64_t o, int accumulate) {
  VECTOR sum[AT_ONCE];
  T total[AT_ONCE];
  int64_t p = 0;
  EACH (i, rows * vectors) sum[i] = (VECTOR){0};
  for (; p + LANES <= terms; p += LANES)
    EACH (r, rows) {
      VECTOR b = *(const VECTOR *)(w + r * g->ldw + p);
      EACH (v, vectors) sum[r * vectors + v] += b * *(const VECTOR *)(x + v * TERMS + p);
    }
  if (p < terms)
    EACH (r, rows) {
      VECTOR b = (VECTOR)GEMV_NAME(first, T)(w + r * g->ldw + p, terms - p);
      EACH (v, vectors) sum[r * vectors + v] += b * *(const VECTOR *)(x + v * TERMS + p);
    }
  if (rows * vectors == AT_ONCE)
    GEMV_NAME(totals, T)((const GEMV_NAME(sums, T) *)sum, total);
  else
    EACH (i, rows * vectors) total[i] = GEMV_NAME(total, T)((GEMV_NAME(sums, T))sum[i]);
  EACH (r, rows)
    EACH (v, vectors) GEMV_NAME(store, T)(g, v, o + r, total[r * vectors + v], accumulate);
}

ALWAYS_INLINE void GEMV_NAME(by_rows, T)(int vectors, const gruI_gemv *g) {
  T x[MOST * TERMS] __attribute__((aligned(64)));
  const int group = AT_ONCE / (vectors == 3 ? 4 : vectors);
  for (int64_t p = 0; p < g->terms; p += TERMS) {
    int64_t terms = gruI_cpu_min(TERMS, g->terms - p), o = 0;
    for (int v = 0; v < vectors; v++) {
      const T *from = (const T *)g->x + v * g->x_vector + p * g->x_term;
      T *to = x + v * TERMS;
      for (int64_t i = 0; i < terms; i++) to[i] = from[i * g->x_term];
      for (int64_t i = terms; i % LANES != 0; i++) to[i] = 0;
    }
    const T *w = (const T *)g->w + p;
    int accumulate = g->accumulate || p > 0;
    for (; o + group <= g->outputs; o += group)
      GEMV_NAME(dots, T)(vectors, group, g, w + o * g->ldw, x, terms, o, accumulate);
    for (; o < g->outputs; o++)
      GEMV_NAME(dots, T)(vectors, 1, g, w + o * g->ldw, x, terms, o, accumulate);
  }
}

/* ---- columns of w: sums of its rows --------------------------------------------------------- */

enum { GEMV_NAME(OUTPUTS, T) = 4096 / (int)sizeof(T) }; /* of y that are made together */
#define OUTPUTS GEMV_NAME(OUTPUTS, T)

/* y += `rows` rows of w times as many x of each vector; y's vectors are OUTPUTS apart. */
ALWAYS_INLINE void GEMV_NAME(add_rows, T)(int vectors, int rows, const gruI_gemv *g, const T *w,
                                          const T *x, int64_t outputs, T *y) {
  int64_t o = 0;
  for (; o + LANES <= outputs; o += LANES) {
    VECTOR b[4];
    for (int r = 0; r < rows; r++) b[r] = *(const VECTOR *)(w + r * g->ldw + o);
    for (int v = 0; v < vectors; v++) {
      VECTOR *out = (VECTOR *)(y + v * OUTPUTS + o), sum = *out;
      for (int r = 0; r < rows; r++) sum += b[r] * x[v * g->x_vector + r * g->x_term];
      *out = sum;
    }
  }
  for (; o < outputs; o++)
    for (int v = 0; v < vectors; v++)
      for (int r = 0; r < rows; r++)
        y[v * OUTPUTS + o] += w[r * g->ldw + o] * x[v * g->x_vector + r * g->x_term];
}

ALWAYS_INLINE void GEMV_NAME(by_columns, T)(int vectors, const gruI_gemv *g) {
  T y[MOST * OUTPUTS] __attribute__((aligned(64)));
  for (int64_t o = 0; o < g->outputs; o += OUTPUTS) {
    int64_t outputs = gruI_cpu_min(OUTPUTS, g->outputs - o), p = 0;
    const T *w = (const T *)g->w + o, *x = g->x;
    for (int v = 0; v < vectors; v++) memset(y + v * OUTPUTS, 0, (size_t)outputs * sizeof(T));
    for (; p + 4 <= g->terms; p += 4)
      GEMV_NAME(add_rows, T)(vectors, 4, g, w + p * g->ldw, x + p * g->x_term, outputs, y);
    for (; p < g->terms; p++)
      GEMV_NAME(add_rows, T)(vectors, 1, g, w + p * g->ldw, x + p * g->x_term, outputs, y);
    for (int v = 0; v < vectors; v++)
      for (int64_t i = 0; i < outputs; i++)
        GEMV_NAME(store, T)(g, v, o + i, y[v * OUTPUTS + i], g->accumulate);
  }
}

static void GEMV_NAME(gemv, T)(const gruI_gemv *g) {
#define VECTORS_OF(n) \
  case n: \
    if (g->by_rows) \
      GEMV_NAME(by_rows, T)(n, g); \
    else \
      GEMV_NAME(by_columns, T)(n, g); \
    break;
  switch (g->vectors) {
    VECTORS_OF(1)
    VECTORS_OF(2)
    VECTORS_OF(3)
    VECTORS_OF(4)
    default: break;
  }
#undef VECTORS_OF
}

#undef OUTPUTS
#undef TERMS
#undef LANES
#undef VECTOR

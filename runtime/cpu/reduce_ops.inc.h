/* reduce_ops.inc.h - the folds of one dtype; reduce.c includes it with
**   T       the C type of the elements
**   A       what totals are kept in: 8 bytes, holds any T exactly
**   SUM_A   what sums and products are made in
**   SUFFIX  f32, f64, i64, b8
**   HAS_SUM 1 where there are sums and products
**   NO_T    the least T, and TOP the largest
**
** A fold takes `n` elements for each of `width` results, of which the first is number `at` among
** what is reduced, and folds them into acc[0 .. width - 1], and the positions of the largest or
** smallest into index[] where that is not NULL.
**   rows     element i of result c is at from[c * apart + i * stride]
**   columns  at from[i * stride + c]
*/
#define NAME(name) REDUCE_PASTE(name, SUFFIX)

#if HAS_SUM

/* Sums a chunk in LANES partial sums, in four where it is short. */
static inline SUM_A NAME(sum_chunk)(const T *p, int64_t n) {
  int64_t i = 0;
  if (n < LANES) {
    SUM_T s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (; i + 4 <= n; i += 4) {
      s0 += (SUM_T)p[i], s1 += (SUM_T)p[i + 1];
      s2 += (SUM_T)p[i + 2], s3 += (SUM_T)p[i + 3];
    }
    for (; i < n; i++) s0 += (SUM_T)p[i];
    return (SUM_A)((s0 + s1) + (s2 + s3));
  }
  SUM_T lane[LANES] = {0};
  for (; i + LANES <= n; i += LANES)
    for (int l = 0; l < LANES; l++) lane[l] += (SUM_T)p[i + l];
  for (int l = 0; i < n; i++, l++) lane[l] += (SUM_T)p[i];
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int l = 0; l < half; l++) lane[l] += lane[l + half];
  return (SUM_A)lane[0];
}

static void NAME(sum_rows)(const void *from, int64_t n, int64_t stride, int64_t width,
                           int64_t apart, int64_t at, void *acc, int64_t *index) {
  (void)at, (void)index;
  for (int64_t c = 0; c < width; c++) {
    const T *p = (const T *)from + c * apart;
    SUM_A total = 0;
    if (stride == 1)
      for (int64_t i = 0; i < n; i += CHUNK)
        total += NAME(sum_chunk)(p + i, gruI_cpu_min(CHUNK, n - i));
    else
      for (int64_t i = 0; i < n; i++) total += (SUM_A)p[i * stride];
    ((SUM_A *)acc)[c] += total;
  }
}

static void NAME(sum_columns)(const void *from, int64_t n, int64_t stride, int64_t width,
                              int64_t at, void *acc, int64_t *index) {
  SUM_A *total = acc;
  (void)at, (void)index;
  for (int64_t r = 0; r < n; r += ROW_CHUNK) {
    const T *p = (const T *)from + r * stride;
    int64_t rows = gruI_cpu_min(ROW_CHUNK, n - r), i = 0;
    SUM_T part[WIDTH];
    for (int64_t c = 0; c < width; c++) part[c] = 0;
    for (; i + 4 <= rows; i += 4, p += 4 * stride) {
      const T *p1 = p + stride, *p2 = p1 + stride, *p3 = p2 + stride;
      for (int64_t c = 0; c < width; c++)
        part[c] += ((SUM_T)p[c] + (SUM_T)p1[c]) + ((SUM_T)p2[c] + (SUM_T)p3[c]);
    }
    for (; i < rows; i++, p += stride)
      for (int64_t c = 0; c < width; c++) part[c] += (SUM_T)p[c];
    for (int64_t c = 0; c < width; c++) total[c] += (SUM_A)part[c];
  }
}

static void NAME(sum_merge)(int64_t width, const void *from, const int64_t *from_index, void *acc,
                            int64_t *index) {
  const SUM_A *f = from;
  SUM_A *a = acc;
  (void)from_index, (void)index;
  for (int64_t c = 0; c < width; c++) a[c] += f[c];
}

static void NAME(prod_rows)(const void *from, int64_t n, int64_t stride, int64_t width,
                            int64_t apart, int64_t at, void *acc, int64_t *index) {
  (void)at, (void)index;
  for (int64_t c = 0; c < width; c++) {
    const T *p = (const T *)from + c * apart;
    SUM_A lane[4] = {1, 1, 1, 1};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
      for (int l = 0; l < 4; l++) lane[l] *= (SUM_A)p[(i + l) * stride];
    for (; i < n; i++) lane[0] *= (SUM_A)p[i * stride];
    ((SUM_A *)acc)[c] *= (lane[0] * lane[1]) * (lane[2] * lane[3]);
  }
}

static void NAME(prod_columns)(const void *from, int64_t n, int64_t stride, int64_t width,
                               int64_t at, void *acc, int64_t *index) {
  SUM_A *total = acc;
  (void)at, (void)index;
  for (int64_t r = 0; r < n; r++) {
    const T *p = (const T *)from + r * stride;
    for (int64_t c = 0; c < width; c++) total[c] *= (SUM_A)p[c];
  }
}

static void NAME(prod_merge)(int64_t width, const void *from, const int64_t *from_index, void *acc,
                             int64_t *index) {
  const SUM_A *f = from;
  SUM_A *a = acc;
  (void)from_index, (void)index;
  for (int64_t c = 0; c < width; c++) a[c] *= f[c];
}

static void NAME(sum_start)(int64_t width, int64_t at, void *acc, int64_t *index) {
  (void)at, (void)index;
  for (int64_t c = 0; c < width; c++) ((SUM_A *)acc)[c] = 0;
}

static void NAME(prod_start)(int64_t width, int64_t at, void *acc, int64_t *index) {
  (void)at, (void)index;
  for (int64_t c = 0; c < width; c++) ((SUM_A *)acc)[c] = 1;
}

#endif

/* ---- largest and smallest ---------------------------------------------------------- */

/* NaN wins, the first of equals: does v, which comes later, replace m? */
#define BEATS(v, op, m) (((v)op(m)) | (((v) != (v)) & ((m) == (m))))

#define IS_BEST(v, best) (((v) == (best)) | (((best) != (best)) & ((v) != (v))))

#define EXTREME(name, op, worst) \
  static void NAME(name##_start)(int64_t width, int64_t at, void *acc, int64_t *index) { \
    for (int64_t c = 0; c < width; c++) ((A *)acc)[c] = (A)(worst); \
    if (index != NULL) \
      for (int64_t c = 0; c < width; c++) index[c] = at; \
  } \
\
  static inline T NAME(name##_chunk)(const T *p, int64_t n) { \
    T lane[LANES], best; \
    int64_t i = 0; \
    for (int l = 0; l < LANES; l++) lane[l] = worst; \
    for (; i + LANES <= n; i += LANES) \
      for (int l = 0; l < LANES; l++) lane[l] = BEATS(p[i + l], op, lane[l]) ? p[i + l] : lane[l]; \
    for (int l = 0; i < n; i++, l++) lane[l] = BEATS(p[i], op, lane[l]) ? p[i] : lane[l]; \
    best = lane[0]; \
    for (int l = 1; l < LANES; l++) best = BEATS(lane[l], op, best) ? lane[l] : best; \
    return best; \
  } \
\
  /* Where the first of p[at .. n - 1] is that is `best`, or NaN where that is; there is one. */ \
  static inline int64_t NAME(name##_find)(const T *p, int64_t n, int64_t at, T best) { \
    for (int found = 0; at + LANES <= n; at += LANES) { \
      for (int l = 0; l < LANES; l++) found |= IS_BEST(p[at + l], best); \
      if (found) break; \
    } \
    while (!IS_BEST(p[at], best)) at++; \
    return at; \
  } \
\
  static void NAME(name##_rows)(const void *from, int64_t n, int64_t stride, int64_t width, \
                                int64_t apart, int64_t at, void *acc, int64_t *index) { \
    for (int64_t c = 0; c < width; c++) { \
      const T *p = (const T *)from + c * apart; \
      T best = (T)((A *)acc)[c]; \
      int64_t place = -1; \
      if (stride != 1 || n < LANES) { \
        for (int64_t i = 0; i < n; i++) { \
          T v = p[i * stride]; \
          int wins = BEATS(v, op, best); \
          best = wins ? v : best; \
          place = wins ? i : place; \
        } \
      } else { \
        for (int64_t i = 0; i < n; i += CHUNK) { \
          T v = NAME(name##_chunk)(p + i, gruI_cpu_min(CHUNK, n - i)); \
          if (BEATS(v, op, best)) best = v, place = i; \
        } \
        if (place >= 0 && index != NULL) place = NAME(name##_find)(p, n, place, best); \
      } \
      ((A *)acc)[c] = (A)best; \
      if (place >= 0 && index != NULL) index[c] = at + place; \
    } \
  } \
\
  static void NAME(name##_columns)(const void *from, int64_t n, int64_t stride, int64_t width, \
                                   int64_t at, void *acc, int64_t *index) { \
    A *total = acc; \
    T best[WIDTH]; \
    INDEX_T place[WIDTH]; \
    for (int64_t c = 0; c < width; c++) best[c] = (T)total[c], place[c] = -1; \
    for (int64_t r = 0; r < n; r++) { \
      const T *p = (const T *)from + r * stride; \
      if (index == NULL) \
        for (int64_t c = 0; c < width; c++) best[c] = BEATS(p[c], op, best[c]) ? p[c] : best[c]; \
      else \
        for (int64_t c = 0; c < width; c++) { \
          int wins = BEATS(p[c], op, best[c]); \
          best[c] = wins ? p[c] : best[c]; \
          place[c] = wins ? (INDEX_T)r : place[c]; \
        } \
    } \
    for (int64_t c = 0; c < width; c++) total[c] = (A)best[c]; \
    for (int64_t c = 0; c < width && index != NULL; c++) \
      if (place[c] >= 0) index[c] = at + place[c]; \
  } \
\
  static void NAME(name##_merge)(int64_t width, const void *from, const int64_t *from_index, \
                                 void *acc, int64_t *index) { \
    const A *f = from; \
    A *a = acc; \
    for (int64_t c = 0; c < width; c++) { \
      if (!BEATS(f[c], op, a[c])) continue; \
      a[c] = f[c]; \
      if (index != NULL) index[c] = from_index[c]; \
    } \
  }

EXTREME(max, >, NO_T)
EXTREME(min, <, TOP)

static void NAME(finish)(int64_t width, const void *acc, void *out) {
  for (int64_t c = 0; c < width; c++) ((T *)out)[c] = (T)((const A *)acc)[c];
}

#undef EXTREME
#undef BEATS
#undef IS_BEST
#undef NAME
#undef HAS_SUM
#undef TOP
#undef NO_T
#undef INDEX_T
#undef SUM_T
#undef SUM_A
#undef A
#undef T
#undef SUFFIX

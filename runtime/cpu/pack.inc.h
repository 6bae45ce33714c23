/* pack.inc.h - packing and unpacking for one element size; pack.c includes it with
** UNIT, an unsigned type that may alias anything, and SUFFIX. */

/* Strides of 0 and 1 first: the compiler makes vector code of them. */
static inline void PACK_NAME(copy_in, SUFFIX)(int64_t n, const UNIT *from, int64_t stride,
                                              UNIT *to) {
  if (stride == 1)
    for (int64_t i = 0; i < n; i++) to[i] = from[i];
  else if (stride == 0)
    for (int64_t i = 0; i < n; i++) to[i] = *from;
  else
    for (int64_t i = 0; i < n; i++) to[i] = from[i * stride];
}

static inline void PACK_NAME(copy_out, SUFFIX)(int64_t n, const UNIT *from, UNIT *to,
                                               int64_t stride) {
  if (stride == 1)
    for (int64_t i = 0; i < n; i++) to[i] = from[i];
  else
    for (int64_t i = 0; i < n; i++) to[i * stride] = from[i];
}

static void PACK_NAME(pack, SUFFIX)(int ndim, const int64_t *shape, const int64_t *stride,
                                    const UNIT *from, int64_t first, int64_t n, UNIT *to) {
  int64_t at[GRU_MAX_DIMS];
  int last = ndim - 1;
  from += gruI_cpu_locate(ndim, shape, stride, first, at);
  for (int64_t run = shape[last] - at[last];; run = shape[last]) {
    if (run > n) run = n;
    PACK_NAME(copy_in, SUFFIX)(run, from, stride[last], to);
    to += run;
    n -= run;
    if (n == 0) return;
    from += next_row(last, shape, stride, at);
  }
}

static void PACK_NAME(unpack, SUFFIX)(int ndim, const int64_t *shape, const int64_t *stride,
                                      UNIT *to, int64_t first, int64_t n, const UNIT *from) {
  int64_t at[GRU_MAX_DIMS];
  int last = ndim - 1;
  to += gruI_cpu_locate(ndim, shape, stride, first, at);
  for (int64_t run = shape[last] - at[last];; run = shape[last]) {
    if (run > n) run = n;
    PACK_NAME(copy_out, SUFFIX)(run, from, to, stride[last]);
    from += run;
    n -= run;
    if (n == 0) return;
    to += next_row(last, shape, stride, at);
  }
}

#undef UNIT
#undef SUFFIX

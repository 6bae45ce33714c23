/* elementwise_loops.inc.h - the loop over one output dtype; elementwise_rows.inc.h includes it
** with T, the dtype of the inputs, R, that of the output, and LOOP_SUFFIX.
**
** The row is an inline function that the compiler pulls into every form of the loop: one for
** all inputs contiguous, one for each set of scalars that gruI_map_accepts.  Inputs that the
** row does not use are never read.
*/
#define LOOP_NAME(name) ROW_PASTE(name, LOOP_SUFFIX)

typedef R LOOP_NAME(row)(T, T, T, T, T);

/* An input's value: constant `used` and `scalars` leave one of the three. */
#define VALUE(s, scalar, array) (!(used >> (s)&1) ? (T)0 : scalars >> (s)&1 ? (scalar) : (array)[i])

static INLINED void LOOP_NAME(loop)(int64_t n, const void *const *in, void *out, unsigned used,
                                    unsigned scalars, LOOP_NAME(row) *row) {
  const T *p0 = in[0], *p1 = in[1], *p2 = in[2], *p3 = in[3], *p4 = in[4];
  const unsigned hoisted = used & scalars;
  const T s0 = hoisted & 1 ? *p0 : (T)0, s1 = hoisted & 2 ? *p1 : (T)0;
  const T s2 = hoisted & 4 ? *p2 : (T)0, s3 = hoisted & 8 ? *p3 : (T)0;
  const T s4 = hoisted & 16 ? *p4 : (T)0;
  R *to = out;
  NO_CARRIED_DEPENDENCE
  for (int64_t i = 0; i < n; i++)
    to[i] = row(VALUE(0, s0, p0), VALUE(1, s1, p1), VALUE(2, s2, p2), VALUE(3, s3, p3),
                VALUE(4, s4, p4));
}

/* Makes `scalars` a constant. */
static INLINED void LOOP_NAME(run)(int64_t n, const void *const *in, unsigned scalars, void *out,
                                   unsigned used, LOOP_NAME(row) *row) {
#define FORM(set) \
  else if (gruI_map_accepts(used, set) && scalars == (set)) \
      LOOP_NAME(loop)(n, in, out, used, set, row)
  if (scalars == 0) LOOP_NAME(loop)(n, in, out, used, 0, row);
  FORM(1);
  FORM(2);
  FORM(4);
  FORM(6);
  FORM(8);
  FORM(16);
#undef FORM
}

#undef VALUE
#undef LOOP_NAME
#undef LOOP_SUFFIX
#undef R

/* iterate.c - shapes of elementwise loops: broadcasting, and the fewest dims that will do. */
#include <string.h>

#include "core/op.h"

bool gruI_broadcast(int ndim_a, const int64_t *a, int ndim_b, const int64_t *b, int *ndim,
                    int64_t *shape) {
  int n = ndim_a > ndim_b ? ndim_a : ndim_b;
  for (int d = 0; d < n; d++) {
    int64_t sa = d < n - ndim_a ? 1 : a[d - (n - ndim_a)];
    int64_t sb = d < n - ndim_b ? 1 : b[d - (n - ndim_b)];
    if (sa != sb && sa != 1 && sb != 1) return false;
    shape[d] = sa == 1 ? sb : sa;
  }
  *ndim = n;
  return true;
}

void gruI_broadcast_strides(const gru_tensor *t, int ndim, const int64_t *shape, int64_t *stride) {
  int lead = ndim - t->ndim;
  for (int d = 0; d < ndim; d++)
    stride[d] = d < lead || (t->shape[d - lead] == 1 && shape[d] != 1) ? 0 : t->stride[d - lead];
}

static int64_t size_of_stride(int64_t stride) { return stride < 0 ? -stride : stride; }

/* Should dim a stand outside dim b?  The first operand that tells them apart decides. */
static bool outside(int a, int b, int n, int64_t *const *stride) {
  for (int i = 0; i < n; i++) {
    int64_t sa = size_of_stride(stride[i][a]), sb = size_of_stride(stride[i][b]);
    if (sa != sb && sa != 0 && sb != 0) return sa > sb;
  }
  return a < b;
}

static void swap_dims(int a, int b, int64_t *shape, int n, int64_t *const *stride) {
  int64_t s = shape[a];
  shape[a] = shape[b], shape[b] = s;
  for (int i = 0; i < n; i++) {
    int64_t t = stride[i][a];
    stride[i][a] = stride[i][b], stride[i][b] = t;
  }
}

int gruI_coalesce(int ndim, int64_t *shape, int n, int64_t *const *stride) {
  int m = 0;
  for (int d = 0; d < ndim; d++) { /* drop sizes of 1 */
    if (shape[d] == 1) continue;
    shape[m] = shape[d];
    for (int i = 0; i < n; i++) stride[i][m] = stride[i][d];
    m++;
  }
  for (int d = 1; d < m; d++) /* insertion sort, at most eight dims */
    for (int e = d; e > 0 && !outside(e - 1, e, n, stride); e--)
      swap_dims(e - 1, e, shape, n, stride);
  int k = 0; /* merge dim d into dim k where every operand allows it */
  for (int d = 1; d < m; d++) {
    bool merge = true;
    for (int i = 0; i < n && merge; i++) merge = stride[i][k] == stride[i][d] * shape[d];
    if (!merge) k++;
    shape[k] = merge ? shape[k] * shape[d] : shape[d];
    for (int i = 0; i < n; i++) stride[i][k] = stride[i][d];
  }
  if (m > 0) return k + 1;
  shape[0] = 1;
  for (int i = 0; i < n; i++) stride[i][0] = 0;
  return 1;
}

/* tensor.c - tensors: making, counting, asking. */
#include "core/tensor.h"

#include <stdio.h>
#include <string.h>

#include "core/graph.h"
#include "core/pending.h"
#include "core/tape.h"

const char *gru_dtype_name(gru_dtype dtype) {
  static const char *const names[] = {"bool", "int64", "float32", "float64"};
  return (unsigned)dtype < 4 ? names[dtype] : "unknown";
}

size_t gru_dtype_size(gru_dtype dtype) {
  static const uint8_t sizes[] = {1, 8, 4, 8};
  return (unsigned)dtype < 4 ? sizes[dtype] : 0;
}

/* ---- geometry ------------------------------------------------------------------------ */

bool gruI_count(int ndim, const int64_t *shape, int64_t *out) {
  int64_t n = 1;
  bool empty = false;
  for (int d = 0; d < ndim; d++) {
    if (shape[d] < 0) return false;
    if (shape[d] == 0)
      empty = true;
    else if (__builtin_mul_overflow(n, shape[d], &n) || n >= (int64_t)1 << 60)
      return false;
  }
  *out = empty ? 0 : n;
  return true;
}

void gruI_strides(int ndim, const int64_t *shape, int64_t *stride) {
  int64_t step = 1;
  for (int d = ndim - 1; d >= 0; d--) {
    stride[d] = step;
    step *= shape[d] > 0 ? shape[d] : 1;
  }
}

bool gruI_is_contiguous(const gru_tensor *t) {
  int64_t step = 1;
  for (int d = t->ndim - 1; d >= 0; d--) {
    if (t->shape[d] == 1) continue;
    if (t->stride[d] != step) return t->numel == 0;
    step *= t->shape[d];
  }
  return true;
}

bool gruI_is_dense(const gru_tensor *t) {
  int order[GRU_MAX_DIMS], n = 0;
  for (int d = 0; d < t->ndim; d++) {
    if (t->shape[d] == 1) continue;
    int i = n++;
    for (; i > 0 && t->stride[order[i - 1]] > t->stride[d]; i--) order[i] = order[i - 1];
    order[i] = d;
  }
  int64_t step = 1;
  for (int i = 0; i < n; i++) {
    if (t->stride[order[i]] != step) return t->numel == 0;
    step *= t->shape[order[i]];
  }
  return true;
}

bool gruI_same_shape(const gru_tensor *a, const gru_tensor *b) {
  return a->ndim == b->ndim && memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape) == 0;
}

gru_status gruI_dim(gru_runtime *rt, const char *op, int64_t dim, int ndim, int extra, int *out) {
  int n = ndim + extra;
  if (n == 0) n = 1; /* a 0-d tensor */
  if (dim < -n || dim >= n)
    return gruI_fail(rt, GRU_ERROR_INDEX, "%s: dim out of range for a tensor of %d dims: %s%lld",
                     op, ndim, dim < 0 ? "" : "position ", gruI_from_1(dim));
  *out = (int)(dim < 0 ? dim + n : dim);
  return GRU_OK;
}

gruI_text gruI_shape_text(int ndim, const int64_t *shape) {
  gruI_text text = {"["};
  size_t n = 1;
  for (int d = 0; d < ndim; d++)
    n +=
        (size_t)snprintf(text.s + n, sizeof text.s - n, d ? ", %lld" : "%lld", (long long)shape[d]);
  snprintf(text.s + n, sizeof text.s - n, "]");
  return text;
}

gruI_text gruI_tensor_text(const gru_tensor *t) { return gruI_shape_text(t->ndim, t->shape); }

gru_status gruI_bad_sizes(gru_runtime *rt, const char *op, int ndim, const int64_t *shape) {
  return gruI_fail(
      rt, GRU_ERROR_SHAPE,
      "%s: sizes must not be negative, nor the product of those above 0 reach 2^60: %s", op,
      gruI_shape_text(ndim, shape).s);
}

/* ---- making ---------------------------------------------------------------------------- */

gru_status gruI_tensor_new(gru_runtime *rt, const char *op, gru_dtype dtype, int ndim,
                           const int64_t *shape, gruI_place *place, gru_tensor **out) {
  int64_t numel;
  if (ndim < 0 || ndim > GRU_MAX_DIMS)
    return gruI_fail(rt, GRU_ERROR_SHAPE, "%s: %d dims, at most %d are possible", op, ndim,
                     GRU_MAX_DIMS);
  if (!gruI_count(ndim, shape, &numel)) return gruI_bad_sizes(rt, op, ndim, shape);
  gru_tensor *t = gruI_object_new(rt, sizeof *t);
  if (!t) return gruI_fail(rt, GRU_ERROR_MEMORY, "%s: out of memory", op);
  gru_status status =
      gruI_storage_new(rt, place, (size_t)numel * gru_dtype_size(dtype), op, &t->storage);
  if (status != GRU_OK) {
    gruI_object_free(rt, t, sizeof *t);
    return status;
  }
  t->rt = rt;
  t->numel = numel;
  t->refs = 1;
  t->dtype = (uint8_t)dtype;
  t->ndim = (uint8_t)ndim;
  for (int d = 0; d < ndim; d++) t->shape[d] = shape[d];
  gruI_strides(ndim, t->shape, t->stride);
  *out = t;
  return GRU_OK;
}

gru_status gruI_tensor_alias(gru_tensor *t, int ndim, const int64_t *shape, const int64_t *stride,
                             int64_t offset, gru_tensor **out) {
  int64_t numel;
  if (!gruI_count(ndim, shape, &numel)) return gruI_bad_sizes(t->rt, "view", ndim, shape);
  gru_tensor *v = gruI_object_new(t->rt, sizeof *v);
  if (!v) return gruI_fail(t->rt, GRU_ERROR_MEMORY, "view: out of memory");
  v->rt = t->rt;
  v->storage = t->storage ? gruI_storage_retain(t->storage) : NULL;
  v->number = t->number;
  v->offset = offset;
  v->refs = 1;
  v->dtype = t->dtype;
  v->ndim = (uint8_t)ndim;
  v->numel = numel;
  for (int d = 0; d < ndim; d++) {
    v->shape[d] = shape[d];
    v->stride[d] = stride[d];
  }
  *out = v;
  return GRU_OK;
}

gru_status gruI_tensor_twin(gru_tensor *t, gru_tensor **out) {
  return gruI_tensor_alias(t, t->ndim, t->shape, t->stride, t->offset, out);
}

static gru_status number(gru_runtime *rt, gru_dtype dtype, gru_tensor **out) {
  gru_tensor *t = gruI_object_new(rt, sizeof *t);
  if (!t) return gruI_fail(rt, GRU_ERROR_MEMORY, "number: out of memory");
  t->rt = rt;
  t->refs = 1;
  t->numel = 1;
  t->dtype = (uint8_t)dtype;
  *out = t;
  return GRU_OK;
}

gru_status gru_tensor_number(gru_runtime *rt, double value, gru_tensor **out) {
  GRUI_TRY(number(rt, GRU_FLOAT64, out));
  (*out)->number.f = value;
  return GRU_OK;
}

gru_status gru_tensor_integer(gru_runtime *rt, int64_t value, gru_tensor **out) {
  GRUI_TRY(number(rt, GRU_INT64, out));
  (*out)->number.i = value;
  return GRU_OK;
}

gru_status gru_tensor_empty(gru_runtime *rt, gru_dtype dtype, int ndim, const int64_t *shape,
                            const char *device, gru_tensor **out) {
  gruI_place *place;
  GRUI_TRY(gruI_place_find(rt, device, &place));
  return gruI_tensor_new(rt, "empty", dtype, ndim, shape, place, out);
}

gru_status gru_tensor_full(gru_runtime *rt, gru_dtype dtype, int ndim, const int64_t *shape,
                           const char *device, double value, gru_tensor **out) {
  gru_tensor *t, *n;
  GRUI_TRY(gru_tensor_empty(rt, dtype, ndim, shape, device, &t));
  gru_status status = gru_tensor_number(rt, value, &n);
  if (status == GRU_OK) {
    status = gru_tensor_fill_(t, n);
    gru_tensor_release(n);
  }
  if (status == GRU_OK)
    *out = t;
  else
    gru_tensor_release(t);
  return status;
}

gru_status gru_tensor_from_data(gru_runtime *rt, gru_dtype dtype, int ndim, const int64_t *shape,
                                const char *device, const void *data, gru_tensor **out) {
  gru_tensor *t;
  GRUI_TRY(gru_tensor_empty(rt, dtype, ndim, shape, device, &t));
  gru_status status = gru_tensor_write(t, data, t->storage->bytes);
  if (status == GRU_OK)
    *out = t;
  else
    gru_tensor_release(t);
  return status;
}

gru_tensor *gru_tensor_retain(gru_tensor *t) {
  t->refs++;
  return t;
}

void gru_tensor_release(gru_tensor *t) {
  if (!t || --t->refs > 0) return;
  gru_tensor_release(t->grad);
  gru_tensor_release(t->base);
  gruI_tape_forget(t);
  gruI_storage_release(t->storage);
  gruI_object_free(t->rt, t, sizeof *t);
}

/* ---- asking ---------------------------------------------------------------------------- */

gru_runtime *gru_tensor_runtime(const gru_tensor *t) { return t->rt; }
gru_dtype gru_tensor_dtype(const gru_tensor *t) { return (gru_dtype)t->dtype; }
int gru_tensor_ndim(const gru_tensor *t) { return t->ndim; }
const int64_t *gru_tensor_shape(const gru_tensor *t) { return t->shape; }
const int64_t *gru_tensor_strides(const gru_tensor *t) { return t->stride; }
int64_t gru_tensor_offset(const gru_tensor *t) { return t->offset; }
int64_t gru_tensor_numel(const gru_tensor *t) { return t->numel; }
int gru_tensor_is_contiguous(const gru_tensor *t) { return gruI_is_contiguous(t); }
int gru_tensor_is_one_hot(const gru_tensor *t) { return gruI_tensor_is_hot(t, NULL, NULL); }
void gru_tensor_set_tag(gru_tensor *t, void *tag) { t->tag = tag; }
void *gru_tensor_tag(const gru_tensor *t) { return t->tag; }

const char *gru_tensor_device(const gru_tensor *t) {
  return t->storage ? t->storage->place->device.name : "cpu";
}

int gru_tensor_shares_memory(const gru_tensor *a, const gru_tensor *b) {
  return a->storage && a->storage == b->storage;
}

uint64_t gru_tensor_version(const gru_tensor *t) { return t->storage ? t->storage->version : 0; }

/* ---- elements ---------------------------------------------------------------------------- */

/* A contiguous tensor with the elements of `t`: itself, retained, where it is one. */
static gru_status packed(gru_tensor *t, gru_tensor **out) {
  GRUI_TRY(gruI_tensor_settle(t));
  if (gruI_is_contiguous(t)) {
    *out = gru_tensor_retain(t);
    return GRU_OK;
  }
  gru_tensor *copy;
  GRUI_TRY(gruI_tensor_new(t->rt, "read", (gru_dtype)t->dtype, t->ndim, t->shape, gruI_place_of(t),
                           &copy));
  gru_status status = gru_tensor_copy_(copy, t);
  if (status == GRU_OK)
    *out = copy;
  else
    gru_tensor_release(copy);
  return status;
}

static size_t bytes_of(const gru_tensor *t) {
  return (size_t)t->numel * gru_dtype_size((gru_dtype)t->dtype);
}

static gru_status check_bytes(gru_tensor *t, const char *op, size_t bytes) {
  if (gruI_is_number(t))
    return gruI_fail(t->rt, GRU_ERROR_ARGUMENT, "%s: a number has no elements to reach", op);
  if (bytes != bytes_of(t))
    return gruI_fail(t->rt, GRU_ERROR_ARGUMENT, "%s: %s %s takes %zu bytes, got %zu", op,
                     gru_dtype_name((gru_dtype)t->dtype), gruI_tensor_text(t).s, bytes_of(t),
                     bytes);
  return GRU_OK;
}

/* `what` reads elements on the host. */
static gru_status wants_host(const gru_tensor *t, const char *what) {
  if (gruI_is_number(t)) return GRU_OK;
  GRUI_GRAPH_NOT_VOID(t, what);
  GRUI_GRAPH_REFUSE(t->rt, gruI_place_of(t),
                    "%s needs the host; keep a device sum and read it after the call", what);
  return GRU_OK;
}

gru_status gru_tensor_read(gru_tensor *t, void *data, size_t bytes) {
  GRUI_TRY(check_bytes(t, "read", bytes));
  if (bytes == 0) return GRU_OK;
  GRUI_TRY(wants_host(t, "reading a tensor"));
  gru_tensor *p;
  int grad = gru_set_grad_enabled(t->rt, 0);
  gru_status status = packed(t, &p);
  gru_set_grad_enabled(t->rt, grad);
  if (status != GRU_OK) return status;
  gruI_device *device = gruI_device_of(p);
  status = device->backend->download(device, data, gruI_data(p), bytes);
  gru_tensor_release(p);
  return gruI_kernel_failed(t->rt, "read", device, status);
}

gru_status gru_tensor_write(gru_tensor *t, const void *data, size_t bytes) {
  GRUI_TRY(check_bytes(t, "write", bytes));
  if (bytes == 0) return GRU_OK;
  gruI_device *device = gruI_device_of(t);
  if (gruI_is_contiguous(t)) {
    GRUI_TRY(gruI_tensor_settle(t));
    gruI_pending_settle(t->rt);
    t->storage->version++;
    return gruI_kernel_failed(t->rt, "write", device,
                              device->backend->upload(device, gruI_data(t), data, bytes));
  }
  gru_tensor *source;
  GRUI_TRY(gru_tensor_from_data(t->rt, (gru_dtype)t->dtype, t->ndim, t->shape, device->name, data,
                                &source));
  int grad = gru_set_grad_enabled(t->rt, 0);
  gru_status status = gru_tensor_copy_(t, source);
  gru_set_grad_enabled(t->rt, grad);
  gru_tensor_release(source);
  return status;
}

/* The only element of `t` as double and as int64. */
static gru_status item(gru_tensor *t, double *f, int64_t *i) {
  if (t->numel != 1)
    return gruI_fail(t->rt, GRU_ERROR_SHAPE,
                     "item: expected one element, the shape is %s; use totable()",
                     gruI_tensor_text(t).s);
  union {
    uint8_t b;
    int64_t i;
    float f;
    double d;
  } v = {.i = 0};
  GRUI_TRY(wants_host(t, "item()"));
  if (gruI_is_number(t)) {
    v.i = t->number.i;
  } else {
    GRUI_TRY(gru_tensor_read(t, &v, gru_dtype_size((gru_dtype)t->dtype)));
  }
  switch ((gru_dtype)t->dtype) {
    case GRU_BOOL: *f = v.b, *i = v.b; break;
    case GRU_INT64: *f = (double)v.i, *i = v.i; break;
    case GRU_FLOAT32: *f = v.f, *i = 0; break;
    case GRU_FLOAT64: *f = v.d, *i = 0; break;
  }
  return GRU_OK;
}

gru_status gru_tensor_item(gru_tensor *t, double *out) {
  int64_t i;
  return item(t, out, &i);
}

gru_status gru_tensor_item_integer(gru_tensor *t, int64_t *out) {
  double f;
  if (gruI_is_float((gru_dtype)t->dtype))
    return gruI_fail(t->rt, GRU_ERROR_DTYPE, "item: a %s is not an integer",
                     gru_dtype_name((gru_dtype)t->dtype));
  return item(t, &f, out);
}

gru_status gru_tensor_data(gru_tensor *t, void **out) {
  if (gruI_is_number(t))
    return gruI_fail(t->rt, GRU_ERROR_ARGUMENT, "data: a number has no storage");
  GRUI_TRY(wants_host(t, "data_ptr()"));
  GRUI_TRY(gruI_tensor_settle(t));
  gruI_pending_settle(t->rt);
  t->storage->serial = 0;
  *out = gruI_data(t);
  return GRU_OK;
}

gru_status gru_tensor_set_data(gru_tensor *t, gru_tensor *from) {
  if (t->node || gruI_is_number(t) || gruI_is_number(from))
    return gruI_fail(t->rt, GRU_ERROR_AUTOGRAD,
                     "set_data: only a leaf can be given other elements");
  if (t->leaf_grad && !gruI_is_float((gru_dtype)from->dtype))
    return gruI_fail(t->rt, GRU_ERROR_DTYPE, "set_data: a tensor that requires grad cannot be %s",
                     gru_dtype_name((gru_dtype)from->dtype));
  t->rt->moves++; /* graphs hold the old address */
  gruI_storage_retain(from->storage);
  gruI_storage_release(t->storage);
  gru_tensor_release(t->grad);
  gru_tensor_release(t->base);
  t->grad = t->base = NULL;
  t->storage = from->storage;
  t->offset = from->offset;
  t->numel = from->numel;
  t->dtype = from->dtype;
  t->ndim = from->ndim;
  memcpy(t->shape, from->shape, sizeof t->shape);
  memcpy(t->stride, from->stride, sizeof t->stride);
  return GRU_OK;
}

/* tensor.h - storages and tensors: shape, strides, views, reference counts. */
#ifndef GRUI_TENSOR_H
#define GRUI_TENSOR_H

#include <stdbool.h>

#include "core/runtime.h"

typedef struct gruI_node gruI_node;
typedef struct gruI_hook_list gruI_hook_list;
typedef struct gruI_storage gruI_storage;
typedef struct gruI_pending gruI_pending;
struct gruI_memory;

/* The one-hot layout of a storage: row i of `classes` elements is 0 but for a 1 at
** ids[i] - base.  `ids` holds `count` int64. */
typedef struct gruI_hot {
  gruI_storage *ids;
  int64_t count, classes, base;
  gru_dtype dtype;
} gruI_hot;

struct gruI_storage {
  gruI_place *place;
  void *data; /* NULL while the one-hot layout holds, and for a storage of no bytes */
  size_t bytes;
  gruI_hot *hot;
  gruI_pending *pending;      /* who is still writing it, see pending.h; NULL: nobody */
  struct gruI_memory *memory; /* of the graph that it was made in, owned; NULL elsewhere */
  uint64_t version;           /* in-place changes so far */
  uint64_t serial;            /* its own in the runtime; 0 once its memory is known outside */
  int32_t refs;
  uint32_t mark;   /* of the last graph that keeps it */
  int32_t at_once; /* so many more products with it are not to be left pending, see pending.h */
};

struct gru_tensor {
  gru_runtime *rt;
  gruI_storage *storage; /* NULL for a number */
  int64_t offset;        /* in elements */
  int64_t numel;
  int64_t shape[GRU_MAX_DIMS];
  int64_t stride[GRU_MAX_DIMS];
  union {
    double f;
    int64_t i;
  } number;
  void *tag;
  gruI_node *node; /* what made it, owned; NULL for leaves */
  int32_t output;  /* which result of node */
  int32_t refs;
  uint32_t history; /* of a base: in-place changes that the tape has seen ... */
  uint32_t seen;    /* ... and of a view: how many of them its node knows, see inplace.c */
  gru_tensor *grad;
  gru_tensor *base;      /* whose storage a view looks at, owned; NULL where it has its own */
  gruI_hook_list *hooks; /* of a leaf; those of other tensors live in node */
  uint8_t dtype, ndim;
  bool leaf_grad;    /* a leaf that wants a gradient */
  bool retains_grad; /* a non-leaf that keeps its gradient */
};

/* A new storage, or a status. */
gru_status gruI_storage_new(gru_runtime *rt, gruI_place *place, size_t bytes, const char *op,
                            gruI_storage **out);
gruI_storage *gruI_storage_retain(gruI_storage *s);
void gruI_storage_release(gruI_storage *s);

/* A contiguous tensor of undefined elements. New reference.  `op` names whom a failure is
** blamed on. */
gru_status gruI_tensor_new(gru_runtime *rt, const char *op, gru_dtype dtype, int ndim,
                           const int64_t *shape, gruI_place *place, gru_tensor **out);

/* A tensor over the storage of `t` with geometry of its own and no history.  New
** reference; ndim, shape and stride may be those of `t`. */
gru_status gruI_tensor_alias(gru_tensor *t, int ndim, const int64_t *shape, const int64_t *stride,
                             int64_t offset, gru_tensor **out);
/* The same geometry. */
gru_status gruI_tensor_twin(gru_tensor *t, gru_tensor **out);

/* A tensor in the one-hot layout over `ids` (contiguous int64, checked by the caller): shape
** `shape[0 .. ndim - 1]` ends with `classes`.  New reference. */
gru_status gruI_tensor_hot(gru_tensor *ids, gru_dtype dtype, int ndim, const int64_t *shape,
                           int64_t base, gru_tensor **out);

/* Is it in the one-hot layout, its last dim the whole class dim?  `ids` gets the address of its
** first id, `stride` (ndim - 1 values) those of the ids, both may be NULL. */
bool gruI_tensor_is_hot(const gru_tensor *t, const int64_t **ids, int64_t *stride);

/* The ids of a tensor in the one-hot layout, a view without the class dim: int64, counting from
** storage->hot->base.  New reference. */
gru_status gruI_tensor_hot_ids(gru_tensor *t, gru_tensor **out);

/* A copy of a one-hot tensor in the one-hot layout, row-major, seen as `shape`, which ends with the
** same class dim.  New reference. */
gru_status gruI_tensor_hot_clone(gru_tensor *t, int ndim, const int64_t *shape, gru_tensor **out);

/* Writes a one-hot storage out as ordinary elements; every view of it stays valid.  Call it
** before taking gruI_data of anything that may be one-hot. */
gru_status gruI_tensor_settle(gru_tensor *t);

/* The product of sizes, checked: false when a size is negative, or the product of those above 0
** reaches 2^60.  So products of any of the sizes, and bytes, fit, in an empty tensor too. */
bool gruI_count(int ndim, const int64_t *shape, int64_t *out);
/* The failure of an op whose sizes gruI_count refuses. */
gru_status gruI_bad_sizes(gru_runtime *rt, const char *op, int ndim, const int64_t *shape);

void gruI_strides(int ndim, const int64_t *shape, int64_t *stride); /* row-major */
bool gruI_is_contiguous(const gru_tensor *t);
/* No element twice, no gaps, in some order of dims. */
bool gruI_is_dense(const gru_tensor *t);
bool gruI_same_shape(const gru_tensor *a, const gru_tensor *b);

/* Dim `dim` of `ndim` (0-based, negative from the end) made 0 .. ndim - 1, or a failure that
** names `op`.  A 0-d tensor has dims 0 and -1 for reductions; `extra` 1 allows dim == ndim. */
gru_status gruI_dim(gru_runtime *rt, const char *op, int64_t dim, int ndim, int extra, int *out);

/* A position as messages name it: from 1 on, negative ones as they are. */
static inline long long gruI_from_1(int64_t position) {
  return position < 0 || position == INT64_MAX ? position : position + 1;
}

/* "[2, 3]", to be printed at once. */
typedef struct gruI_text {
  char s[200];
} gruI_text;
gruI_text gruI_shape_text(int ndim, const int64_t *shape);
gruI_text gruI_tensor_text(const gru_tensor *t); /* of its shape */

static inline bool gruI_is_float(gru_dtype dtype) { return dtype >= GRU_FLOAT32; }
static inline bool gruI_is_number(const gru_tensor *t) { return t->storage == NULL; }

static inline gruI_place *gruI_place_of(const gru_tensor *t) { return t->storage->place; }
static inline gruI_device *gruI_device_of(const gru_tensor *t) {
  return &t->storage->place->device;
}

/* A storage whose address goes into a captured call: the graph keeps it. */
void gruI_graph_touch(gru_graph *graph, gruI_storage *storage);

/* Waits for a pending storage (pending.h). */
void gruI_pending_finish(gruI_storage *storage);

/* Where the first element lies, or will when the storage is no longer pending. */
static inline void *gruI_address(const gru_tensor *t) {
  return t->storage->data
             ? (char *)t->storage->data + t->offset * (int64_t)gru_dtype_size((gru_dtype)t->dtype)
             : NULL;
}

/* The address of the first element; the tensor must be settled. */
static inline void *gruI_data(const gru_tensor *t) {
  if (t->rt->capture) gruI_graph_touch(t->rt->capture, t->storage);
  if (t->storage->pending) gruI_pending_finish(t->storage);
  return gruI_address(t);
}

#endif

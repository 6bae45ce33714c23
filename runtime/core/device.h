/* device.h - the seam behind which a device lives.
**
** A backend is a table of kernel families.  Kernels know raw pointers, sizes and
** strides; they know nothing of tensors, tapes or promotion: the op layer has
** checked shapes, converted dtypes and allocated the results before it calls.
**
** Contracts that hold for every kernel
**   - Strides count elements and may be 0 (broadcast); inputs may alias each other,
**     and an elementwise output may be one of its inputs with the same strides.
**   - `=` kernels overwrite their output, `+=` kernels add to it; each says which.
**   - The same arguments give the same bits, run after run, for any thread count.
**   - A kernel may be called with sizes of zero, and does nothing then.
**   - On failure a kernel sets device->fault and returns a status.
*/
#ifndef GRUI_DEVICE_H
#define GRUI_DEVICE_H

#include "gru.h"

/* A plugin and the program must agree on this number: it goes up with every change of what stands
** in this file, of gru_properties and of the options and items of steps in gru.h, or of a contract.
** Fields at the end of gruI_backend alone may come without: its `size` tells of them. */
#define GRUI_DEVICE_ABI 5u
#define GRUI_MAX_INPUTS 3 /* of an elementwise op */

typedef struct gruI_pool gruI_pool;
typedef struct gruI_offer gruI_offer;
typedef struct gruI_device gruI_device;

/* ---- elementwise ----------------------------------------------------------- */

/* What a row of ops.def is asked for.  FORWARD computes y from the inputs; DA, DB, DC
** compute the gradient with respect to the first, second, third input. */
enum { GRUI_FORWARD = 0, GRUI_DA = 1, GRUI_DB = 2, GRUI_DC = 3 };

/* out[i] = row(in[0][i], in[1][i], ...).  For a gradient the inputs are those of the
** op in slots 0 .. 2, its result y in GRUI_SLOT_Y and dL/dy in GRUI_SLOT_G; the slots
** that the row's text does not name are NULL.  All of them hold `dtype`, but for
** comparisons and tests, whose `out` is bool. */
enum { GRUI_SLOT_Y = 3, GRUI_SLOT_G = 4, GRUI_SLOTS = 5 };

typedef struct gruI_elementwise {
  int op;          /* GRU_OP_... of an elementwise row */
  int variant;     /* GRUI_FORWARD ... GRUI_DC */
  gru_dtype dtype; /* of the inputs */
  int ndim;        /* coalesced; at least 1, innermost last */
  int64_t shape[GRU_MAX_DIMS];
  uint8_t host[GRUI_SLOTS]; /* in[i] is one element in host memory, a number of the script */
  const void *in[GRUI_SLOTS];
  int64_t in_stride[GRUI_SLOTS][GRU_MAX_DIMS];
  void *out;
  int64_t out_stride[GRU_MAX_DIMS];
} gruI_elementwise;

/* out[i] (=) convert(in[i]).  Float to int64 truncates towards zero, anything to bool
** is x != 0. */
typedef struct gruI_copy {
  gru_dtype in_dtype, out_dtype;
  int ndim;
  int64_t shape[GRU_MAX_DIMS];
  const void *in;
  int64_t in_stride[GRU_MAX_DIMS];
  void *out;
  int64_t out_stride[GRU_MAX_DIMS];
} gruI_copy;

/* out[r, ...] (=) row r of in[0], then row r of in[1], ...: all contiguous, of elements of `size` bytes;
** in[i] is (outer, run[i]), out (outer, row), row the sum of the runs. */
typedef struct gruI_concat {
  size_t size;
  int64_t outer, count, row;
  const int64_t *run;
  const void *const *in;
  void *out;
} gruI_concat;

/* ---- products ---------------------------------------------------------------- */

/* c[b] (= or +=) op(a[b]) op(b[b]), row-major: op(a) is m x k, op(b) k x n, c m x n.
** `a` is stored m x k with row stride lda, or k x m where trans_a is set; a batch
** stride may be 0. Any dtype but bool. */
typedef struct gruI_gemm {
  gru_dtype dtype;
  int trans_a, trans_b, accumulate;
  int64_t batch, m, n, k;
  const void *a, *b;
  void *c;
  int64_t lda, ldb, ldc;
  int64_t batch_a, batch_b, batch_c;
  /* What b is part of: the same two numbers mean the same elements.  0: not known. */
  uint64_t b_storage, b_version;
} gruI_gemm;

/* c (= or +=) the sum over segments of a[i]^T b[i], row-major: a[i] is rows[i] x m with row stride
** lda, b[i] rows[i] x n, c m x n: the product of the a[i] below each other with the b[i] below each
** other.  Any dtype but bool; there is at least one segment. */
typedef struct gruI_segment {
  int64_t rows, lda, ldb;
  const void *a, *b;
} gruI_segment;

typedef struct gruI_segments {
  gru_dtype dtype;
  int accumulate;
  int64_t count, m, n;
  const gruI_segment *list; /* host memory */
  void *c;
  int64_t ldc;
} gruI_segments;

/* ---- reductions -------------------------------------------------------------- */

typedef enum gruI_reduction {
  GRUI_SUM,
  GRUI_PROD,
  GRUI_MAX,
  GRUI_MIN,
  GRUI_ANY,
  GRUI_ALL
} gruI_reduction;

/* out[keep...] (=) reduction over red... of in[keep..., red...].  `out` is contiguous in the
** order of the kept dims, of the input's dtype.  MAX and MIN: NaN wins, the first of
** equals; `out_index` (may be NULL) gets base + its row-major position among the red
** dims; `out` may then be NULL.  ANY and ALL take and give bool.  Over nothing: 0, 1, false, true;
** MAX and MIN are never asked that. */
typedef struct gruI_reduce {
  gruI_reduction kind;
  gru_dtype dtype;
  int nkeep, nred; /* either may be 0 */
  int64_t keep[GRU_MAX_DIMS], keep_stride[GRU_MAX_DIMS];
  int64_t red[GRU_MAX_DIMS], red_stride[GRU_MAX_DIMS];
  const void *in;
  void *out;
  int64_t *out_index;
  int64_t base;
} gruI_reduce;

/* ---- positions --------------------------------------------------------------- */

/* Ids are int64 that count from `base`.  An id outside [base, base + size) is
** GRU_ERROR_INDEX, with fault.value the id and fault.position its place among the ids;
** ids are all checked before anything is written. */

/* TAKE: out[o, j, i] (=) x[o, ids[j], i].      out is contiguous (outer, count, inner).
** PUT:  x[o, ids[j], i] (+=) src[o, j, i], j ascending; src contiguous likewise. */
typedef struct gruI_rows {
  gru_dtype dtype;
  int64_t outer, count, inner;
  int64_t size; /* of the indexed dim of x */
  const int64_t *ids;
  int64_t id_stride, base;
  void *x;                         /* const for TAKE */
  int64_t x_outer, x_row, x_inner; /* strides */
  void *packed;                    /* out of TAKE, const src of PUT */
  int fresh; /* PUT: x, contiguous as (outer, size, inner) in some order of its dims, holds nothing
             ** yet, and counts as zeros */
} gruI_rows;

/* GATHER:      out[i...] (=) x[i... with i[dim] := ids[i...]]
** SCATTER:     x[i... with i[dim] := ids[i...]] (=) src[i...], last one wins
** SCATTER_ADD: the same with +=, in row-major order of i. */
typedef enum gruI_along_kind { GRUI_GATHER, GRUI_SCATTER, GRUI_SCATTER_ADD } gruI_along_kind;

typedef struct gruI_along {
  gruI_along_kind kind;
  gru_dtype dtype;
  int ndim, dim;
  int64_t shape[GRU_MAX_DIMS]; /* of ids, and of out or src */
  int64_t size;                /* of x along dim */
  int64_t base;
  const int64_t *ids;
  int64_t id_stride[GRU_MAX_DIMS];
  void *x;
  int64_t x_stride[GRU_MAX_DIMS];
  void *other; /* out of GATHER, const src of SCATTER */
  int64_t other_stride[GRU_MAX_DIMS];
} gruI_along;

/* out[r, c] (=) (ids[r] - base == c), a float dtype, contiguous (count, classes). */
typedef struct gruI_one_hot {
  gru_dtype dtype;
  int64_t count, classes, base;
  const int64_t *ids;
  void *out;
} gruI_one_hot;

/* ---- softmax and losses, over the rows of contiguous (rows, cols) ----------------- */

/* y (=) softmax(x), or log_softmax(x) where log is set. */
typedef struct gruI_softmax {
  gru_dtype dtype;
  int log;
  int64_t rows, cols;
  const void *x;
  void *y;
} gruI_softmax;

/* dx (=) y (g - sum_c g y), or g - exp(y) sum_c g where log is set. */
typedef struct gruI_softmax_grad {
  gru_dtype dtype;
  int log;
  int64_t rows, cols;
  const void *y, *g;
  void *dx;
} gruI_softmax_grad;

/* Cross-entropy of logits x (rows, cols) against class ids, PyTorch's definition with
** label smoothing e, class weights w (NULL: all 1) and ignore_index:
**   lse[r]  (=) log sum_c exp x[r, c]
**   loss[r] (=) (1 - e) w[t] (lse - x[t]) + (e / cols) sum_c w[c] (lse - x[c]), 0 where ignored
**   mass[r] (=) w[t], 0 where ignored: what a mean divides by
** Gradient: dx[r, c] (=) scale[r] d loss[r] / d x[r, c], with scale stride 0 or 1; its targets are those
** of a forward call, which has checked them. */
typedef struct gruI_cross_entropy {
  gru_dtype dtype;
  int64_t rows, cols, base;
  const void *x, *weight;
  const int64_t *target;
  int has_ignore;
  int64_t ignore_index;
  double smoothing;
  void *loss, *mass, *lse;    /* forward: out */
  const void *lse_in, *scale; /* gradient: in */
  int64_t scale_stride;
  void *dx; /* gradient: out */
} gruI_cross_entropy;

/* ---- recurrent layers --------------------------------------------------------------- */

/* A layer over a whole sequence.  Time t runs 0 .. steps - 1, or from the last step to the first
** where `reverse` is set; "before" and "after" a step follow that order.  G gates of H = hidden rows,
** s the logistic function, (.) elementwise, a = W_hh h + b_hh of the state h before the step, x the
** input part gx + b_ih, both cut into gates:
**
**   RNN_TANH    G = 1        h' = tanh(x + a)
**   RNN_RELU    G = 1        h' = relu(x + a)
**   LSTM        G = 4 i|f|g|o  c' = s(f) (.) c + s(i) (.) tanh(g),   h' = s(o) (.) tanh(c')
**   GRU_AFTER   G = 3 r|z|n  n = tanh(x_n + s(r) (.) a_n),           h' = (1 - z) (.) n + z (.) h
**   GRU_BEFORE  G = 3 r|z|n  the same with n = tanh(x_n + W_hn (s(r) (.) h) + b_hn)
*/
typedef enum gruI_cell {
  GRUI_RNN_TANH,
  GRUI_RNN_RELU,
  GRUI_LSTM,
  GRUI_GRU_AFTER,
  GRUI_GRU_BEFORE
} gruI_cell;

enum { GRUI_MAX_GATES = 4 };

/* Everything is contiguous.  Forward writes h, c, y, and gates; backward reads them.
**
**   gx         (steps, batch, G H)      W_ih x of every step
**   w_hh       (G H, H);  b_ih, b_hh (G H), either may be NULL
**   lengths    (batch) int64, or NULL: row b has no steps t >= lengths[b]; its state stays then
**   h          (steps + 1, batch, H): the state before the first step stands at 0 (in reverse at
**              `steps`), put there by the caller, and each step writes the next
**   c          likewise for the LSTM, else NULL
**   y          (steps, batch, H): h after each step with zeros past the lengths; NULL without lengths
**   y_c        likewise for the LSTM
**   gates      (steps, batch, S H), what backward needs, NULL when there is none; S is
**              LSTM 5: i f g o tanh(c'); GRU 4: r z n and a_n (AFTER) or r (.) h (BEFORE); RNN 0
**
** Backward:
**   dy         (steps, batch, H), the gradient of the states (of y); dy_c of the LSTM's c or NULL
**   dgx (=)    (steps, batch, G H), the gradient of gx, zeros past the lengths
**   da_n (=)   (steps, batch, H), that of a_n: GRU_AFTER
**   dh (=)     (batch, H), of the state before the first step; dc (=) likewise
** The caller forms those of the weights and biases from dgx, da_n, h and gates. */
typedef struct gruI_recurrence {
  gruI_cell cell;
  gru_dtype dtype; /* a float dtype */
  int reverse;
  int64_t steps, batch, hidden;
  const void *gx, *w_hh, *b_ih, *b_hh;
  const int64_t *lengths;
  void *h, *c, *y, *y_c, *gates;
  const void *dy, *dy_c;
  void *dgx, *da_n, *dh, *dc;
} gruI_recurrence;

static inline int gruI_cell_gates(gruI_cell cell) {
  return cell == GRUI_LSTM ? 4 : cell >= GRUI_GRU_AFTER ? 3 : 1;
}

/* Of `gates`. */
static inline int gruI_cell_saved(gruI_cell cell) {
  return cell == GRUI_LSTM ? 5 : cell >= GRUI_GRU_AFTER ? 4 : 0;
}

/* ---- random numbers --------------------------------------------------------------- */

typedef enum gruI_random_kind {
  GRUI_UNIFORM,
  GRUI_NORMAL,
  GRUI_BERNOULLI,
  GRUI_RANDINT
} gruI_random_kind;

/* out[i] (=) draw number `counter + i` of Philox stream `seed` (core/philox.h), contiguous.
** UNIFORM a..b, NORMAL mean a std b, BERNOULLI p = a, RANDINT low..high (int64 first). */
typedef struct gruI_random {
  gruI_random_kind kind;
  gru_dtype dtype;
  int64_t count;
  uint64_t seed, counter;
  double a, b;
  int64_t low, high;
  void *out;
  /* In a graph, device memory: added to `counter`.  NULL elsewhere. */
  const uint64_t *counter_at;
} gruI_random;

/* ---- scans, order, search ----------------------------------------------------------- */

/* out (=) the running sum (kind GRUI_SUM) or product (GRUI_PROD) along the middle dim of the
** contiguous (outer, n, inner), from its first element on, or from its last where `reverse` is
** set.  `out` may be `in`.  Any dtype but bool; float32 is added up in more than its precision. */
typedef struct gruI_scan {
  gruI_reduction kind;
  gru_dtype dtype;
  int reverse;
  int64_t outer, n, inner;
  const void *in;
  void *out;
} gruI_scan;

/* Sorts the lines along the middle dim of the contiguous (outer, n, inner), stably: NaN is larger
** than any number, -0 equal to 0.  out (=) elements first .. first + count - 1 of each sorted line,
** contiguous (outer, count, inner); out_index (=) base + their places in the line before.  Either
** may be NULL.  `median`, with count 1: instead the element at (n - 1) / 2, or the first NaN. */
typedef struct gruI_sort {
  gru_dtype dtype;
  int descending, median;
  int64_t outer, n, inner;
  int64_t first, count, base;
  const void *in;
  void *out;
  int64_t *out_index;
} gruI_sort;

/* The elements of the contiguous bools `in` that are set: *found (host memory, may be NULL) gets
** their number; out (may be NULL, else has room for them) (=) base + the ndim coordinates of each
** in `shape`, row after row, in row-major order.  `count` is the product of `shape`. */
typedef struct gruI_nonzero {
  int64_t count;
  int ndim;
  int64_t shape[GRU_MAX_DIMS];
  int64_t base;
  const uint8_t *in;
  int64_t *found;
  int64_t *out;
} gruI_nonzero;

/* out[r, j] (=) base + how many of sorted[r * row_stride .. + n - 1] are below values[r, j] (where
** `right` is set, not above it); all n where the value is NaN.  Contiguous (rows, count). */
typedef struct gruI_search {
  gru_dtype dtype;
  int right;
  int64_t rows, n, row_stride, count, base;
  const void *sorted, *values;
  int64_t *out;
} gruI_search;

/* out[i] (=) first + i by, wrapping, for int64; for floats, in double, start + i step below `half`
** and stop - (count - 1 - i) step from there on.  Contiguous. */
typedef struct gruI_range {
  gru_dtype dtype; /* any but bool */
  int64_t count, first, by, half;
  double start, step, stop;
  void *out;
} gruI_range;

/* ---- lists of tensors ------------------------------------------------------------- */

/* Many tensors as one vector: part i holds elements start .. start + count - 1 of it, contiguous at
** at[k], for each vector k that the call names.  Parts follow each other without gaps, none is
** empty, and what is written is shared with no other part.  The blocks of a kernel are cut from the vector, so that small
** tensors share one. */
enum { GRUI_PART_VECTORS = 5 };

typedef struct gruI_part {
  int64_t start, count;
  int64_t step; /* of gru_step_item */
  int64_t item; /* and which of them, from 0 on */
  void *at[GRUI_PART_VECTORS];
} gruI_part;

typedef struct gruI_list {
  gru_dtype dtype; /* a float one */
  int64_t n, total;
  const gruI_part *parts; /* host memory */
} gruI_list;

/* The equations of gru_sgd_step and gru_adam_step, at: p, g (const), then the states, which are
** NULL where the item has none.  Numbers of the script stand in `options` alone; `scale` is one
** element of the dtype in device memory, NULL for 1. */
typedef struct gruI_sgd {
  gruI_list list;
  gru_sgd_options options;
  const void *scale;
  /* In a graph, device memory that is used in place of `options` and of the parts' steps (one for
  ** each part): they change between two runs.  NULL elsewhere. */
  const gru_sgd_options *options_at;
  const int64_t *steps_at;
} gruI_sgd;

typedef struct gruI_adam {
  gruI_list list;
  gru_adam_options options;
  const void *scale;
  const gru_adam_options *options_at;    /* likewise; */
  const struct gruI_adam_pace *paces_at; /* of core/pace.h, in place of the steps */
} gruI_adam;

/* *total and *scale (=) those of gru_clip_norm, one element of the dtype each, at: x (const).  Blocks
** are added up in double, in the order of the vector. */
typedef struct gruI_clip_norm {
  gruI_list list;
  int largest; /* the norm is max |x| */
  double max_norm, eps;
  void *total, *scale;
} gruI_clip_norm;

/* x (=) x scale, at: x. */
typedef struct gruI_scale {
  gruI_list list;
  const void *scale;
} gruI_scale;

/* ---- the table -------------------------------------------------------------------- */

typedef struct gruI_kernels {
  gru_status (*elementwise)(gruI_device *, const gruI_elementwise *);
  gru_status (*copy)(gruI_device *, const gruI_copy *);
  gru_status (*gemm)(gruI_device *, const gruI_gemm *);
  gru_status (*reduce)(gruI_device *, const gruI_reduce *);
  gru_status (*take)(gruI_device *, const gruI_rows *);
  gru_status (*put)(gruI_device *, const gruI_rows *);
  gru_status (*along)(gruI_device *, const gruI_along *);
  gru_status (*one_hot)(gruI_device *, const gruI_one_hot *);
  gru_status (*softmax)(gruI_device *, const gruI_softmax *);
  gru_status (*softmax_grad)(gruI_device *, const gruI_softmax_grad *);
  gru_status (*cross_entropy)(gruI_device *, const gruI_cross_entropy *);
  gru_status (*cross_entropy_grad)(gruI_device *, const gruI_cross_entropy *);
  gru_status (*random)(gruI_device *, const gruI_random *);
  gru_status (*scan)(gruI_device *, const gruI_scan *);
  gru_status (*sort)(gruI_device *, const gruI_sort *);
  gru_status (*nonzero)(gruI_device *, const gruI_nonzero *);
  gru_status (*search)(gruI_device *, const gruI_search *);
  gru_status (*range)(gruI_device *, const gruI_range *);
  gru_status (*sgd)(gruI_device *, const gruI_sgd *);
  gru_status (*adam)(gruI_device *, const gruI_adam *);
  gru_status (*clip_norm)(gruI_device *, const gruI_clip_norm *);
  gru_status (*scale)(gruI_device *, const gruI_scale *);
  gru_status (*concat)(gruI_device *, const gruI_concat *);
  gru_status (*recurrence)(gruI_device *, const gruI_recurrence *);
  gru_status (*recurrence_grad)(gruI_device *, const gruI_recurrence *);
  gru_status (*gemm_segments)(gruI_device *,
                              const gruI_segments *); /* NULL: made of concat and gemm */
  /* gemm of one float product (batch 1), then bias (n), contiguous, added to every row of c.  May be
  ** NULL: the op layer calls gemm and adds. */
  gru_status (*gemm_bias)(gruI_device *, const gruI_gemm *, const void *bias);
  /* gemm_segments by the helpers of the pool; all four NULL, or none.  later_bytes is the
  ** room in host memory, aligned to 64 bytes, that a product takes until it has ended; 0 where it does not
  ** suit.  Products are done in the order in which they began, so one may add to what another has
  ** written.  Operands and c stay as they are until `end`, which does what is left or (withdraw) gives
  ** it up; the call itself is copied. */
  size_t (*later_bytes)(gruI_device *, const gruI_segments *);
  void (*later_begin)(gruI_device *, const gruI_segments *, void *room);
  int (*later_is_done)(const void *room);
  gru_status (*later_end)(gruI_device *, void *room, int withdraw);
  /* gemm as an offer (core/pool.h) that cannot fail: sets its job, context and blocks.  The call and the
  ** room, of GRUI_GEMM_ROOM bytes aligned to 64, stay where they are until the offer is done, as do
  ** operands and c.  0: the product does not suit.  May be NULL. */
  int (*gemm_offer)(gruI_device *, const gruI_gemm *, gruI_offer *, void *room);
  /* put, call after call, to rows of one x: the calls differ in count, ids, id_stride and packed alone, and
  ** in that the first may be fresh; outer and x_inner are 1.  May be NULL: the caller puts one by one. */
  gru_status (*put_all)(gruI_device *, const gruI_rows *calls, int64_t count);
} gruI_kernels;

enum { GRUI_GEMM_ROOM = 512 };

typedef struct gruI_backend {
  uint32_t abi;     /* GRUI_DEVICE_ABI */
  uint32_t size;    /* sizeof(gruI_backend): fields may be appended */
  const char *name; /* "cpu", "cuda" */
  /* How many devices there are; 0 with a reason. */
  int (*count)(char *reason, size_t size);
  gru_status (*open)(gruI_device *device); /* name, index and pool are set */
  void (*close)(gruI_device *device);
  /* Raw memory, aligned to 64 bytes; NULL when there is none, and with fault.text set when the device
  ** has failed. */
  void *(*alloc)(gruI_device *, size_t bytes);
  void (*free)(gruI_device *, void *block, size_t bytes);
  /* Host to device, device to host; synchronous. */
  gru_status (*upload)(gruI_device *, void *to, const void *from, size_t bytes);
  gru_status (*download)(gruI_device *, void *to, const void *from, size_t bytes);
  size_t (*memory_limit)(gruI_device *); /* what tensors may take, by default */
  const gruI_kernels *kernels;
  /* What follows may be NULL: a device that does its work at once, and has no graphs, needs none. */
  /* Waits for what was asked for; tells of failures that no call has told of. */
  gru_status (*synchronize)(gruI_device *);
  /* Where the device is not open, `state` is NULL, and free_memory becomes 0. */
  gru_status (*properties)(gruI_device *, gru_properties *out);
  /* Gives memory that no tensor and no graph needs back to the system. */
  void (*trim)(gruI_device *);
  /* Between the two, calls are written down in place of being done: device->capturing is set.  The end
  ** gives the graph, and how many nodes it has; or a status, and NULL. What was captured may be run
  ** again and again until the graph is freed. */
  gru_status (*capture_begin)(gruI_device *);
  gru_status (*capture_end)(gruI_device *, void **graph, int64_t *nodes);
  gru_status (*graph_run)(gruI_device *, void *graph);
  void (*graph_free)(gruI_device *, void *graph);
  /* One line or more on how the device runs such a layer, and why not by a faster way. */
  void (*explain)(gruI_device *, const gruI_recurrence *, char *text, size_t size);
} gruI_backend;

/* What a kernel says of its failure. */
typedef struct gruI_fault {
  int64_t value, position; /* GRU_ERROR_INDEX */
  char text[192];          /* other failures */
} gruI_fault;

struct gruI_device {
  const gruI_backend *backend;
  const gruI_kernels *k;
  gruI_pool *pool;
  char name[24]; /* "cpu", "cuda:0" */
  int index;
  void *state; /* the backend's own */
  /* The same: memory that its kernels keep between calls. */
  void *scratch[2];
  size_t scratch_bytes[2];
  void *packs;
  gruI_fault fault;
  int capturing; /* between capture_begin and capture_end */
  /* Settings of the runtime that a backend honours. */
  gru_precision precision;
  int keep_blas_threads;
  void *(*host_alloc)(void *context, size_t bytes);
  void (*host_free)(void *context, void *block);
  void *host_context;
  int uncached; /* GRU_MEMORY_CACHE=0: a tensor has a block of its own, of just its size, while it lives */
};

/* The backend that is linked into every build; others are plugins. */
extern const gruI_backend gruI_builtin_backend;

#endif

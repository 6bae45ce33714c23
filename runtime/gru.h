/* gru.h - the public interface of the gru-lua runtime.
**
** A runtime owns devices, memory, a random generator and an autograd tape; there
** is no global state, so two runtimes in two threads never meet.  One runtime may
** be used by one thread at a time.
**
** Conventions
**   - Every function that can fail returns a gru_status.  On failure its outputs are
**     untouched and gru_runtime_error() holds one line: the op, the rule, the values.
**   - "New reference" results are released by the caller with gru_tensor_release();
**     "borrowed" ones live as long as what they were taken from.
**   - Dimensions and positions are 0-based here, and may be negative (-1 is the last)
**     where the comment says "dim".  Ids inside int64 tensors count from
**     gru_attrs.base (0 unless set).
**   - OpenBLAS is loaded at the first product that needs it (those of a few rows or columns,
**     and all where there is no AVX2) and told openblas_set_num_threads(1),
**     which holds for the whole process; gru_runtime_config.keep_blas_threads leaves
**     it alone.  Its sequential flavour is called by one thread at a time.
*/
#ifndef GRU_H
#define GRU_H

#include <stddef.h>
#include <stdint.h>

#include "gru_ops.h" /* generated from ops.def: the ids GRU_OP_ADD ... and GRU_OP_COUNT_ */

#ifdef __cplusplus
extern "C" {
#endif

#define GRU_API __attribute__((visibility("default")))

#define GRU_VERSION "0.1.0"
#define GRU_MAX_DIMS 8
#define GRU_MAX_OUTPUTS 2

typedef struct gru_runtime gru_runtime;
typedef struct gru_tensor gru_tensor;
typedef struct gru_graph gru_graph;

/* ---- status ------------------------------------------------------------------ */

typedef enum gru_status {
  GRU_OK = 0,
  GRU_ERROR_ARGUMENT = 1,     /* a value outside its range, a wrong count */
  GRU_ERROR_SHAPE = 2,        /* shapes that do not fit */
  GRU_ERROR_DTYPE = 3,        /* an element type the op does not take */
  GRU_ERROR_DEVICE = 4,       /* tensors on different devices, or a device that is not there */
  GRU_ERROR_INDEX = 5,        /* a position or an id out of range */
  GRU_ERROR_MEMORY = 6,       /* no memory left, or the limit would be passed */
  GRU_ERROR_AUTOGRAD = 7,     /* a misuse of the tape */
  GRU_ERROR_IO = 8,           /* a file that cannot be read or written */
  GRU_ERROR_FORMAT = 9,       /* a file whose content is not what it should be */
  GRU_ERROR_INTERRUPTED = 10, /* the abort check asked to stop */
  GRU_ERROR_CALLBACK = 11     /* a hook failed; its owner knows why */
} gru_status;

/* The name of a status, such as "shape".  Never NULL. */
GRU_API const char *gru_status_name(gru_status status);

/* ---- runtime ----------------------------------------------------------------- */

typedef struct gru_runtime_config {
  int threads;           /* CPU threads; 0: the cores this process may use */
  size_t max_memory;     /* byte limit of tensor memory on the CPU; 0: 80 % of RAM or cgroup */
  int keep_blas_threads; /* nonzero: do not call openblas_set_num_threads(1) */
  /* Host allocator for tensor memory, 64-byte aligned; NULL: the system's. */
  void *(*alloc)(void *context, size_t bytes);
  void (*free)(void *context, void *block);
  void *alloc_context;
  /* Asked between blocks of long ops; nonzero ends the op with GRU_ERROR_INTERRUPTED.
  ** Called only from the thread that called the runtime. */
  int (*should_abort)(void *context);
  void *abort_context;
  /* Receives warnings, one line each, no newline.  NULL: they are dropped. */
  void (*log)(void *context, const char *line);
  void *log_context;
} gru_runtime_config;

/* Makes a runtime; `config` may be NULL for the defaults. */
GRU_API gru_status gru_runtime_create(const gru_runtime_config *config, gru_runtime **out);

/* Gives up the runtime.  Its memory goes when the last tensor is released. */
GRU_API void gru_runtime_destroy(gru_runtime *rt);

/* The message of the last failure (borrowed, overwritten by the next one). */
GRU_API const char *gru_runtime_error(const gru_runtime *rt);

/* Sets the message from outside, for hooks; returns `status`. */
GRU_API gru_status gru_runtime_fail(gru_runtime *rt, gru_status status, const char *message);

GRU_API gru_status gru_set_threads(gru_runtime *rt, int threads); /* 1 .. 256 */
GRU_API int gru_get_threads(const gru_runtime *rt);

/* ---- devices and memory -------------------------------------------------------- */

/* Is there a device of this name ("cpu", "cuda", "cuda:1")?  On failure the message says why not. */
GRU_API gru_status gru_device_check(gru_runtime *rt, const char *name);

/* How many devices of a kind ("cpu", "cuda") there are; where there is none the message says why.  No
** device is opened. */
GRU_API gru_status gru_device_count(gru_runtime *rt, const char *kind, int *out);

typedef struct gru_properties {
  char name[128];
  int major, minor; /* compute capability */
  int multiprocessors;
  size_t total_memory, free_memory;    /* bytes; free_memory 0 until the device is used */
  int runtime_version, driver_version; /* of CUDA: 1000 major + 10 minor */
} gru_properties;

/* What a CUDA device is.  The CPU has no such properties: GRU_ERROR_DEVICE. */
GRU_API gru_status gru_device_properties(gru_runtime *rt, const char *name, gru_properties *out);

/* Waits until a device has done all that it was asked for, and tells of failures that no call has told
** of yet; NULL is "cpu".  There, too, a result may still be under way when its call returns: what reads
** elements, or changes them, waits by itself, so that only a clock has use for this. */
GRU_API gru_status gru_synchronize(gru_runtime *rt, const char *name);

/* How devices multiply float32: with all of its digits, or with the ten bits that TF32 keeps of each
** factor, on GPUs that have it.  Sums are float32 either way; a CPU has no TF32. */
typedef enum gru_precision { GRU_FP32 = 0, GRU_TF32 = 1 } gru_precision;

/* On all devices, those that are opened later included; GRU_FP32 unless set. */
GRU_API gru_status gru_set_precision(gru_runtime *rt, gru_precision precision);
GRU_API gru_precision gru_get_precision(const gru_runtime *rt);

typedef struct gru_memory_info {
  size_t live;     /* bytes of tensors now */
  size_t peak;     /* the most that `live` has been, since gru_reset_peak */
  size_t reserved; /* bytes taken from the system: live ones, rounding (an eighth at most), and the
                   ** cache; more than `limit` only by the rounding */
  size_t limit;    /* what `live` may not pass */
} gru_memory_info;

/* `device` may be NULL for "cpu". */
GRU_API gru_status gru_memory(gru_runtime *rt, const char *device, gru_memory_info *out);
/* Bytes of tensors on all devices: those that live now, and those taken ever. */
GRU_API size_t gru_memory_live(const gru_runtime *rt);
GRU_API uint64_t gru_memory_taken(const gru_runtime *rt);
GRU_API void gru_empty_cache(gru_runtime *rt); /* gives what no tensor needs back to the system */
GRU_API gru_status gru_reset_peak(gru_runtime *rt,
                                  const char *device); /* peak is live from here on */

/* ---- tensors ------------------------------------------------------------------- */

/* In the order of promotion among tensors that have dims. */
typedef enum gru_dtype {
  GRU_BOOL = 0, /* one byte, 0 or 1 */
  GRU_INT64 = 1,
  GRU_FLOAT32 = 2,
  GRU_FLOAT64 = 3
} gru_dtype;

GRU_API const char *gru_dtype_name(gru_dtype dtype); /* "bool" "int64" "float32" "float64" */
GRU_API size_t gru_dtype_size(gru_dtype dtype);      /* bytes an element */

/* What ints become in division and functions such as exp: float32 unless set; a float dtype. */
GRU_API gru_status gru_set_default_dtype(gru_runtime *rt, gru_dtype dtype);
GRU_API gru_dtype gru_default_dtype(const gru_runtime *rt);

/* A contiguous tensor with undefined elements.  New reference.  `device` NULL is "cpu". */
GRU_API gru_status gru_tensor_empty(gru_runtime *rt, gru_dtype dtype, int ndim,
                                    const int64_t *shape, const char *device, gru_tensor **out);

/* The same, filled with a value. */
GRU_API gru_status gru_tensor_full(gru_runtime *rt, gru_dtype dtype, int ndim, const int64_t *shape,
                                   const char *device, double value, gru_tensor **out);

/* The same, with a copy of `data`: contiguous elements of `dtype`, in host memory. */
GRU_API gru_status gru_tensor_from_data(gru_runtime *rt, gru_dtype dtype, int ndim,
                                        const int64_t *shape, const char *device, const void *data,
                                        gru_tensor **out);

/* start, start + step, ...: `count` numbers of a float dtype, or integers, which wrap. */
GRU_API gru_status gru_tensor_range(gru_runtime *rt, gru_dtype dtype, int64_t count, double start,
                                    double step, const char *device, gru_tensor **out);
GRU_API gru_status gru_tensor_range_integer(gru_runtime *rt, int64_t count, int64_t start,
                                            int64_t step, const char *device, gru_tensor **out);
/* `count` numbers of a float dtype from `first` to `last`, both exact, evenly spaced. */
GRU_API gru_status gru_tensor_linspace(gru_runtime *rt, gru_dtype dtype, int64_t count,
                                       double first, double last, const char *device,
                                       gru_tensor **out);

/* A number as a 0-d operand: it takes part in promotion by its category only, and
** fits every device.  New reference. */
GRU_API gru_status gru_tensor_number(gru_runtime *rt, double value, gru_tensor **out);
GRU_API gru_status gru_tensor_integer(gru_runtime *rt, int64_t value, gru_tensor **out);

GRU_API gru_tensor *gru_tensor_retain(gru_tensor *t); /* returns t */
GRU_API void gru_tensor_release(gru_tensor *t);       /* NULL is allowed */

GRU_API gru_runtime *gru_tensor_runtime(const gru_tensor *t);
GRU_API gru_dtype gru_tensor_dtype(const gru_tensor *t);
GRU_API int gru_tensor_ndim(const gru_tensor *t);
GRU_API const int64_t *gru_tensor_shape(const gru_tensor *t);   /* borrowed, ndim sizes */
GRU_API const int64_t *gru_tensor_strides(const gru_tensor *t); /* borrowed, in elements */
GRU_API int64_t gru_tensor_offset(const gru_tensor *t);         /* elements into the storage */
GRU_API int64_t gru_tensor_numel(const gru_tensor *t);
GRU_API const char *gru_tensor_device(const gru_tensor *t);
GRU_API int gru_tensor_is_contiguous(const gru_tensor *t);
GRU_API int gru_tensor_is_one_hot(const gru_tensor *t); /* in the one-hot layout? */
GRU_API int gru_tensor_shares_memory(const gru_tensor *a, const gru_tensor *b); /* one storage? */
GRU_API uint64_t gru_tensor_version(const gru_tensor *t); /* in-place changes of its storage */

/* Copies the elements out, contiguous, in the tensor's dtype; `bytes` must be their size. */
GRU_API gru_status gru_tensor_read(gru_tensor *t, void *data, size_t bytes);
/* Copies elements in; counts as an in-place change. */
GRU_API gru_status gru_tensor_write(gru_tensor *t, const void *data, size_t bytes);
/* The only element, as a double or an int64. */
GRU_API gru_status gru_tensor_item(gru_tensor *t, double *out);
GRU_API gru_status gru_tensor_item_integer(gru_tensor *t, int64_t *out);
/* The address of the first element in device memory (a one-hot layout is written out
** first).  Writing through it is not seen by the version check. */
GRU_API gru_status gru_tensor_data(gru_tensor *t, void **out);

/* Lets a leaf stand for the elements of `from` (shape, dtype, device), whose storage it shares from
** then on; its gradient is dropped.  What nn.Module:to does, so that optimisers keep their parameters. */
GRU_API gru_status gru_tensor_set_data(gru_tensor *t, gru_tensor *from);

/* One slot for whoever shows tensors to a script: the binding keeps its box here. */
GRU_API void gru_tensor_set_tag(gru_tensor *t, void *tag);
GRU_API void *gru_tensor_tag(const gru_tensor *t);

/* ---- ops ----------------------------------------------------------------------- */

typedef enum gru_reduction {
  GRU_REDUCE_MEAN = 0,
  GRU_REDUCE_SUM = 1,
  GRU_REDUCE_NONE = 2
} gru_reduction;

/* What an op is told besides its tensors.  Zero every field that it does not name:
** gru_attrs a = {.dims = {1}, .ndims = 1}; */
typedef struct gru_attrs {
  int64_t dims[GRU_MAX_DIMS]; /* dims to work on, a new shape, or a permutation */
  int32_t ndims;              /* how many; for reductions 0 means all */
  int32_t keepdim;            /* reductions: keep the dims with size 1 */
  int64_t start, stop, step;  /* a position; a range stop-exclusive; step set: see ops.def */
  int64_t base;               /* what the first position is called: 0 or 1 */
  int64_t count;              /* one_hot: number of classes; topk: of elements */
  int64_t ignore_index;       /* losses: a target to skip, where has_ignore */
  int32_t has_ignore;
  int32_t reduction; /* gru_reduction */
  int32_t dtype;     /* gru_dtype, where has_dtype */
  int32_t has_dtype;
  double value;       /* label smoothing, and other single numbers */
  const char *device; /* to: where, unless NULL */
} gru_attrs;

/* Runs op `op` on `inputs` (borrowed; NULL for an optional one left out) and writes its
** results, new references, to `outputs`, which has room for GRU_MAX_OUTPUTS.  `attrs` may
** be NULL.  It is recorded on the tape when gradients are enabled and an input wants one. */
GRU_API gru_status gru_op_call(gru_runtime *rt, gru_op op, gru_tensor *const *inputs, int ninputs,
                               const gru_attrs *attrs, gru_tensor **outputs);

/* One direction of a recurrent layer: its tensors, those that may be left out NULL. */
typedef struct gru_recurrent {
  gru_tensor *x;           /* (L, N, I), may be one-hot */
  gru_tensor *h_0, *c_0;   /* (S, N, H), of which `attrs.start` counts; c_0 of an LSTM alone */
  gru_tensor *w_ih, *w_hh; /* (G H, I), (G H, H) for G gates */
  gru_tensor *b_ih, *b_hh; /* (G H) or NULL */
  gru_tensor *lengths;     /* int64 (N) or NULL */
} gru_recurrent;

/* Runs it: the input part x w_ih^T, then `op`, one of the sequences of ops.def, whose `step` and `count`
** are in `attrs`.  `outputs` gets y (L, N, H), the state h after each row's last step (N, H), and that of
** c or NULL.  `attrs.keepdim`: both states as (1, N, H), copies. */
GRU_API gru_status gru_recurrent_layer(gru_runtime *rt, gru_op op, const gru_recurrent *layer,
                                       const gru_attrs *attrs, gru_tensor **outputs);

/* An elementwise op written over `self`, its first input. */
GRU_API gru_status gru_op_call_(gru_runtime *rt, gru_op op, gru_tensor *self,
                                gru_tensor *const *others, int nothers);

GRU_API const char *gru_op_name(gru_op op);   /* NULL past the last */
GRU_API int gru_op_find(const char *name);    /* the id, or -1 */
GRU_API int gru_op_inputs(gru_op op);         /* most inputs it takes; -1: any number */
GRU_API int gru_op_is_elementwise(gru_op op); /* has an in-place form */
GRU_API int gru_op_is_differentiable(gru_op op);

/* A recurrent layer, for gru_explain: the sizes of a call, and attrs->count of its op in `variant`. */
typedef struct gru_layer {
  gru_dtype dtype;
  int32_t variant;
  int64_t steps, batch, hidden;
} gru_layer;

/* One line on how `device` (NULL: "cpu") runs such a layer with GRU_OP_RNN_SEQUENCE or one of its
** siblings, and why not by a faster way; cut off where `size` bytes do not hold it. */
GRU_API gru_status gru_explain(gru_runtime *rt, const char *device, gru_op op,
                               const gru_layer *layer, char *text, size_t size);

/* self[...] = src: copies with broadcasting and conversion; recorded. */
GRU_API gru_status gru_tensor_copy_(gru_tensor *self, gru_tensor *src);
GRU_API gru_status gru_tensor_fill_(gru_tensor *self, gru_tensor *number);

/* ---- random numbers -------------------------------------------------------------- */

typedef enum gru_generator {
  GRU_PHILOX = 0, /* counter-based (Philox4x32-10): the same stream on every device */
  GRU_TORCH = 1   /* MT19937 as PyTorch's CPU generator: the same draws as torch.manual_seed */
} gru_generator;

GRU_API void gru_seed(gru_runtime *rt, uint64_t seed, gru_generator generator);

/* The whole state of the generator: an int64 tensor on the CPU that gru_set_rng_state takes back,
** here or in another process, so that what is drawn next is the same.  GRU_PHILOX: {0, seed,
** counter}; GRU_TORCH: {1, seed, index, has normal, the bits of that normal, 624 words}.  Setting
** refuses what is no such state, and then changes nothing.  New reference. */
GRU_API gru_status gru_get_rng_state(gru_runtime *rt, gru_tensor **out);
GRU_API gru_status gru_set_rng_state(gru_runtime *rt, gru_tensor *state);

/* In-place fills; they are not recorded. */
GRU_API gru_status gru_uniform_(gru_tensor *t, double low, double high); /* [low, high) */
GRU_API gru_status gru_normal_(gru_tensor *t, double mean, double std);
GRU_API gru_status gru_bernoulli_(gru_tensor *t, double p);                /* 1 with chance p */
GRU_API gru_status gru_randint_(gru_tensor *t, int64_t low, int64_t high); /* [low, high) */
/* A permutation of base .. base + n - 1, int64.  New reference. */
GRU_API gru_status gru_randperm(gru_runtime *rt, int64_t n, int64_t base, gru_tensor **out);

/* ---- autograd ---------------------------------------------------------------------- */

GRU_API int gru_grad_enabled(const gru_runtime *rt);
GRU_API int gru_set_grad_enabled(gru_runtime *rt, int enabled); /* returns the old mode */

/* Where the script stands, for messages about ops recorded from now on: a chunk's name, which must
** outlive the runtime, and a line; NULL for nowhere. */
GRU_API void gru_set_origin(gru_runtime *rt, const char *chunk, int line);

/* Anomaly mode: backward fails at the first NaN that a gradient rule gives, and says which op it was
** and where it was called.  `trace` is asked for the way there (a new string from malloc, or
** NULL) whenever an op is recorded; NULL switches the mode off. */
GRU_API void gru_set_anomaly(gru_runtime *rt, char *(*trace)(void *context), void *context);

GRU_API int gru_tensor_requires_grad(const gru_tensor *t);
GRU_API gru_status gru_tensor_set_requires_grad(gru_tensor *t, int requires_grad);
GRU_API int gru_tensor_is_leaf(const gru_tensor *t);
GRU_API gru_status gru_tensor_retain_grad(gru_tensor *t); /* keep .grad of a non-leaf */
GRU_API gru_tensor *gru_tensor_grad(gru_tensor *t);       /* borrowed, may be NULL */
GRU_API gru_status gru_tensor_set_grad(gru_tensor *t, gru_tensor *grad); /* NULL clears it */
GRU_API const char *gru_tensor_grad_op(const gru_tensor *t); /* op that made it, or NULL */
/* The same elements without history.  New reference, shared storage. */
GRU_API gru_status gru_tensor_detach(gru_tensor *t, gru_tensor **out);

/* Called with the gradient of `t` when it is complete, before it is used; may put a new
** reference to a replacement into *replacement.  `release` is called with the context when
** the hook goes.  `id` receives a handle for gru_tensor_remove_hook. */
typedef gru_status (*gru_hook)(void *context, gru_tensor *grad, gru_tensor **replacement);
GRU_API gru_status gru_tensor_add_hook(gru_tensor *t, gru_hook hook, void (*release)(void *),
                                       void *context, uint64_t *id);
GRU_API void gru_tensor_remove_hook(gru_tensor *t, uint64_t id);

/* A gradient rule from outside: grad is dL/d(output), borrowed; puts dL/d(input k) into dx[k], new
** references, NULL for none. */
typedef gru_status (*gru_rule)(void *context, gru_tensor *grad, int ninputs, gru_tensor **dx);

/* Records that `output`, which the caller computed and which has no history, comes from `inputs` by
** a function with that rule.  `release` is called with the context when the node goes; at once
** when nothing is to be recorded: grad mode is off, or no input requires grad. */
GRU_API gru_status gru_tensor_record(gru_tensor *output, int ninputs, gru_tensor *const *inputs,
                                     gru_rule rule, void (*release)(void *), void *context);

enum { GRU_RETAIN_GRAPH = 1, GRU_CREATE_GRAPH = 2, GRU_ALLOW_UNUSED = 4 };

/* Adds d(outputs)/d(leaf) to the .grad of every leaf.  `grads[i]` weighs outputs[i]; NULL, or a
** NULL entry, means 1 and wants a one-element output. */
GRU_API gru_status gru_backward(gru_runtime *rt, int n, gru_tensor *const *outputs,
                                gru_tensor *const *grads, int flags);

/* Writes d(outputs)/d(inputs[i]) to results[i] (new references) and leaves every .grad alone.
** An input that outputs do not depend on is an error, or NULL under GRU_ALLOW_UNUSED. */
GRU_API gru_status gru_grad(gru_runtime *rt, int n, gru_tensor *const *outputs,
                            gru_tensor *const *grads, int ninputs, gru_tensor *const *inputs,
                            gru_tensor **results, int flags);

/* ---- steps of optimisers ------------------------------------------------------------- */

/* One parameter of a step.  The tensors are borrowed, of one shape, float dtype and device; any
** strides will do.  States are tensors of their own, made by the caller. */
typedef struct gru_step_item {
  gru_tensor *p;        /* written, also where it requires grad */
  gru_tensor *g;        /* its gradient, read; NULL: the item is skipped */
  gru_tensor *state[3]; /* written; which, the function says */
  int64_t step;         /* how many steps this one makes, itself counted: from 1 */
} gru_step_item;

typedef struct gru_sgd_options {
  double lr, momentum, dampening, weight_decay;
  int nesterov, maximize;
} gru_sgd_options;

/* Stochastic gradient descent, PyTorch's SGD:
**   g = g scale (maximize: -g scale) + weight_decay p
**   buf = g at step 1, momentum buf + (1 - dampening) g later   (momentum != 0)
**   g = g + momentum buf if nesterov, else buf                  (momentum != 0)
**   p = p - lr g
** state: {buf}; NULL where momentum is 0; what it holds before step 1 is not read.  `scale` is one
** element on the device of the parameters, such as gru_clip_norm gives, and is not read on the host;
** NULL is 1.  Nothing is recorded; the versions of p and of the states go up. */
GRU_API gru_status gru_sgd_step(gru_runtime *rt, int64_t n, const gru_step_item *items,
                                const gru_sgd_options *options, gru_tensor *scale);

typedef struct gru_adam_options {
  double lr, beta1, beta2, eps, weight_decay; /* betas in [0, 1) */
  int decoupled, maximize;
} gru_adam_options;

/* Adam (Kingma and Ba 2015), and AdamW where `decoupled` is set; t is the item's step:
**   g = g scale (maximize: -g scale) + weight_decay p           (decoupled: p = p - lr weight_decay p)
**   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
**   w = max(w, v) in place of v from here on                    (amsgrad: an item that has a w)
**   p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
** state: {m, v, w}, zeros before step 1; w may be NULL.  The rest as in gru_sgd_step. */
GRU_API gru_status gru_adam_step(gru_runtime *rt, int64_t n, const gru_step_item *items,
                                 const gru_adam_options *options, gru_tensor *scale);

/* The norm of all elements of `tensors` as one vector, and what clips it:
**   total = sqrt(sum x^2), or max |x| where `norm_type` is infinity
**   scale = min(1, max_norm / (total + eps)); 1 where total + eps is 0, NaN where total is NaN
** New references, 0-d, on the device of the tensors, of their dtype; nothing is read on the host.
** `total` may be NULL, and `scale`.  At least one tensor; one float dtype, one device.  Squares are
** added up in float64. */
GRU_API gru_status gru_clip_norm(gru_runtime *rt, int64_t n, gru_tensor *const *tensors,
                                 double norm_type, double max_norm, double eps, gru_tensor **total,
                                 gru_tensor **scale);

/* x = x scale for every tensor, unrecorded; `scale` as in gru_sgd_step, not NULL. */
GRU_API gru_status gru_scale_(gru_runtime *rt, int64_t n, gru_tensor *const *tensors,
                              gru_tensor *scale);

/* ---- graphs ------------------------------------------------------------------------------ */

/* A step that a device does again and again without the host: between begin and end calls on that
** device are written down in place of being done; gru_graph_run then does them all at once, on the
** elements that their tensors have at that time.  A CUDA graph; the CPU has none.
**
**   gru_graph *graph;
**   gru_graph_begin(rt, "cuda");
**   status = ... calls ...;
**   status == GRU_OK ? gru_graph_end(rt, &graph) : gru_graph_cancel(rt);
**   gru_graph_run(graph); ... read results ...; gru_graph_run(graph);
**
** Tensors made meanwhile stand in memory of the graph's own, which goes with the graph and the last of
** them; each run writes them anew.  The elements of what was there before are read where they stand: the
** graph keeps their memory.  Numbers of the host are as they were, but for these: the generator draws
** on at each run; options and step counts of gru_sgd_step and gru_adam_step can be set.  After a run
** every leaf has the .grad, or none, that it had at the end of the capture.
**
** What needs values on the host, or works on another device, fails with a message that begins with
** "graph: ". Ids are checked in a run, too, but reported by the next gru_synchronize or reading of a
** tensor. One capture at a time. */
GRU_API gru_status gru_graph_begin(gru_runtime *rt, const char *device);
/* New graph, to be freed.  After a failure nothing is being captured. */
GRU_API gru_status gru_graph_end(gru_runtime *rt, gru_graph **out);
/* Ends a capture that is not wanted, with the message of the last failure as it is: gradients of leaves
** and the generator are what they were.  Tensors that were made meanwhile cannot be used. */
GRU_API void gru_graph_cancel(gru_runtime *rt);
GRU_API int gru_graph_is_capturing(const gru_runtime *rt);

typedef enum gru_graph_state {
  GRU_GRAPH_READY = 0,
  GRU_GRAPH_OTHER = 1, /* a leaf whose .grad it adds to or reads has one, or none, unlike then */
  /* gru_seed, gru_tensor_set_data, or gru_set_precision with another precision, has been called since:
  ** capture again. */
  GRU_GRAPH_STALE = 2
} gru_graph_state;
GRU_API gru_graph_state gru_graph_look(const gru_graph *graph);

/* Runs a graph that is GRU_GRAPH_READY. */
GRU_API gru_status gru_graph_run(gru_graph *graph);
GRU_API void gru_graph_free(gru_graph *graph); /* NULL is allowed */
GRU_API int64_t gru_graph_nodes(const gru_graph *graph);

/* Calls of gru_sgd_step and gru_adam_step in the capture so far: the number, from 0 on, of the next
** one. */
GRU_API int64_t gru_graph_steps(const gru_runtime *rt);
/* For the next run: options, and steps[i] of item i; without them the options stay, and steps are one
** more than at the run before.  States that the item had not then cannot be had now. */
GRU_API gru_status gru_graph_set_sgd(gru_graph *graph, int64_t number, int64_t n,
                                     const int64_t *steps, const gru_sgd_options *options);
GRU_API gru_status gru_graph_set_adam(gru_graph *graph, int64_t number, int64_t n,
                                      const int64_t *steps, const gru_adam_options *options);

/* Between the two, calls are done as always, and it is noted what could not be captured on that device:
** the first thing, or NULL for nothing. */
GRU_API gru_status gru_graph_rehearse(gru_runtime *rt, const char *device);
GRU_API const char *gru_graph_rehearsed(gru_runtime *rt);
/* For whoever knows more: a failure while capturing, noted while rehearsing. */
GRU_API gru_status gru_graph_refuse(gru_runtime *rt, const char *reason);

/* ---- profiling ------------------------------------------------------------------------- */

typedef enum gru_span_kind {
  GRU_SPAN_CALL = 0,    /* a call of an op, or of one of its in-place forms */
  GRU_SPAN_RULE = 1,    /* the gradient rule of an op, in backward */
  GRU_SPAN_LATER = 2,   /* what such rules put off, for all of them at once */
  GRU_SPAN_BACKWARD = 3 /* gru_backward or gru_grad as a whole */
} gru_span_kind;

/* A stretch of time in which the runtime worked. */
typedef struct gru_span {
  const char *name; /* of the op; static */
  gru_span_kind kind;
  int in_backward;     /* a rule or a whole backward, or inside one */
  const char *chunk;   /* where the script called it, see gru_set_origin; of a rule: where */
  int line;            /* it called the op; NULL is nowhere */
  int64_t start, stop; /* nanoseconds, monotonic */
  int64_t inner;       /* of them, those in spans inside this one */
  uint64_t bytes, inner_bytes;  /* tensor memory taken in that time, and in spans inside */
  const struct gru_span *outer; /* the one that it runs in, or NULL; its end is not known yet */
} gru_span;

/* Called when a span ends, those inside before those around.  It must not call the runtime. */
typedef void (*gru_profile)(void *context, const gru_span *span);

/* Has `profile` told of every span from now on; NULL switches it off.  On a device that works on
** by itself a span is the time that the call took. */
GRU_API void gru_set_profile(gru_runtime *rt, gru_profile profile, void *context);

/* ---- text ---------------------------------------------------------------------------- */

/* A text read as characters: every distinct one has an id, in order of first appearance. */
typedef struct gru_text gru_text;

/* Reads a UTF-8 .txt, or a .zip that holds exactly one text.  Newlines become spaces.
** `max_chars` 0 reads it all.  Failures name the file, and for invalid UTF-8 byte and line. */
GRU_API gru_status gru_text_open(gru_runtime *rt, const char *path, uint64_t max_chars,
                                 gru_text **out);
GRU_API void gru_text_close(gru_text *text);
GRU_API int64_t gru_text_length(const gru_text *text);     /* in characters */
GRU_API const int32_t *gru_text_ids(const gru_text *text); /* 0-based, borrowed */
GRU_API int32_t gru_text_vocab_size(const gru_text *text);
GRU_API const uint32_t *gru_text_vocab(const gru_text *text); /* code points by id */

/* ---- files --------------------------------------------------------------------------- */

/* Files are read and written without running anything that stands in them.  A failure of the file
** is GRU_ERROR_IO (cannot be read or written) or GRU_ERROR_FORMAT (is not what it should be), with a
** message that begins "load: PATH: ".  Values are unchanged, ids too; devices are not kept.
**
** Saving replaces `path` at once or not at all: a new file beside it takes its name when it has
** reached the disk.  A symbolic link is followed; a device or directory is refused.
**
** What is not a dtype here is converted by loading: U8 I8 U16 I16 U32 I32 and U64 (where it fits) to
** int64, F16 and BF16 to float32; any nonzero byte of a BOOL is true. */

/* A safetensors file, open for reading. */
typedef struct gru_tensor_file gru_tensor_file;

/* Opens it and checks the header, whole, against the size of the file; tensors are read later. */
GRU_API gru_status gru_tensor_file_open(gru_runtime *rt, const char *path, gru_tensor_file **out);
GRU_API void gru_tensor_file_close(gru_tensor_file *f); /* NULL is allowed */
GRU_API int64_t gru_tensor_file_count(const gru_tensor_file *f);
/* Names, in the order of the file; `i` from 0, below the count.  Borrowed from the file. */
GRU_API const char *gru_tensor_file_name(const gru_tensor_file *f, int64_t i);
/* Reads tensor `i`; `device` NULL is "cpu".  New reference. */
GRU_API gru_status gru_tensor_file_read(gru_tensor_file *f, int64_t i, const char *device,
                                        gru_tensor **out);
GRU_API int64_t gru_tensor_file_metadata_count(const gru_tensor_file *f);
/* A key, and its value in *value; both borrowed from the file.  Sorted by key. */
GRU_API const char *gru_tensor_file_metadata(const gru_tensor_file *f, int64_t i,
                                             const char **value);

typedef struct gru_named_tensor {
  const char *name; /* UTF-8, not "__metadata__" */
  gru_tensor *tensor;
} gru_named_tensor;

typedef struct gru_named_text {
  const char *key, *value; /* UTF-8 */
} gru_named_text;

/* Writes a safetensors file: the elements of views and one-hot layouts as they read.  No name or
** key twice.  All arguments are borrowed. */
GRU_API gru_status gru_save(gru_runtime *rt, const char *path, size_t n,
                            const gru_named_tensor *tensors, size_t nmetadata,
                            const gru_named_text *metadata);

/* NumPy's file of one array: versions 1 to 3, little-endian; Python objects are refused.
** New reference, transposed where the file is in Fortran's order. */
GRU_API gru_status gru_load_npy(gru_runtime *rt, const char *path, const char *device,
                                gru_tensor **out);
GRU_API gru_status gru_save_npy(gru_runtime *rt, const char *path, gru_tensor *t);

#ifdef __cplusplus
}
#endif

#endif

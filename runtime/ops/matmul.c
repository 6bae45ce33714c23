/* matmul.c - products of matrices, batches of them, and vectors: PyTorch's torch.matmul.
**
**   y = A B,  dA = g B^T,  dB = A^T g
*/
#include <string.h>

#include "core/pending.h"
#include "ops/rules.h"

/* The sizes of a product once vectors have become matrices. */
typedef struct product {
  int64_t m, k, n;
  int ndim; /* of the result before vectors lose their dim again: batch..., m, n */
  int64_t shape[GRU_MAX_DIMS];
  bool vector_a, vector_b;
} product;

static gru_status mismatch(gruI_call *c) {
  return gruI_fail(c->rt, GRU_ERROR_SHAPE, "matmul: inner sizes differ: %s x %s",
                   gruI_tensor_text(c->in[0]).s, gruI_tensor_text(c->in[1]).s);
}

static gru_status plan(gruI_call *c, product *p) {
  const gru_tensor *a = c->in[0], *b = c->in[1];
  if (c->n < 2 || !b) return gruI_fail(c->rt, GRU_ERROR_ARGUMENT, "matmul: needs two tensors");
  if (a->ndim == 0 || b->ndim == 0)
    return gruI_fail(c->rt, GRU_ERROR_SHAPE,
                     "matmul: both tensors need at least one dim: %s x %s; use mul for a scalar",
                     gruI_tensor_text(a).s, gruI_tensor_text(b).s);
  p->vector_a = a->ndim == 1;
  p->vector_b = b->ndim == 1;
  p->m = p->vector_a ? 1 : a->shape[a->ndim - 2];
  p->k = a->shape[a->ndim - 1];
  p->n = p->vector_b ? 1 : b->shape[b->ndim - 1];
  if (b->shape[p->vector_b ? 0 : b->ndim - 2] != p->k) return mismatch(c);
  int batch_a = p->vector_a ? 0 : a->ndim - 2, batch_b = p->vector_b ? 0 : b->ndim - 2;
  if (!gruI_broadcast(batch_a, a->shape, batch_b, b->shape, &p->ndim, p->shape))
    return gruI_fail(c->rt, GRU_ERROR_SHAPE, "matmul: batch dims do not broadcast: %s x %s",
                     gruI_tensor_text(a).s, gruI_tensor_text(b).s);
  p->shape[p->ndim++] = p->m;
  p->shape[p->ndim++] = p->n;
  return GRU_OK;
}

/* One operand as the kernel wants it: row-major or transposed, with a leading dimension. */
typedef struct operand {
  gru_tensor *tensor; /* owned */
  int trans;
  int64_t ld;
  int64_t stride[GRU_MAX_DIMS]; /* of the batch dims */
} operand;

/* Finds the layout of the matrix in the last dims of t, a copy where it has none that fits. */
static gru_status lay_out(gru_tensor *t, gru_dtype dtype, bool vector, bool left, const product *p,
                          operand *o) {
  GRUI_TRY(gruI_cast(t, dtype, NULL, &o->tensor));
  int64_t rows = left ? p->m : p->k, cols = left ? p->k : p->n;
  for (int attempt = 0;; attempt++) {
    const gru_tensor *x = o->tensor;
    int64_t row, col; /* strides; a vector is a row on the left and a column on the right */
    if (vector) {
      row = left ? 0 : x->stride[0];
      col = left ? x->stride[0] : 0;
    } else {
      row = x->stride[x->ndim - 2];
      col = x->stride[x->ndim - 1];
    }
    if ((col == 1 || cols == 1) && (rows <= 1 || row >= cols) && row >= 0) {
      o->trans = 0;
      o->ld = rows <= 1 ? (cols > 0 ? cols : 1) : row;
      break;
    }
    if ((row == 1 || rows == 1) && (cols <= 1 || col >= rows) && col >= 0) {
      o->trans = 1;
      o->ld = cols <= 1 ? (rows > 0 ? rows : 1) : col;
      break;
    }
    gru_tensor *copy;
    GRUI_TRY(gruI_call1(GRU_OP_CLONE, o->tensor, NULL, &copy));
    gru_tensor_release(o->tensor);
    o->tensor = copy;
    if (attempt == 1) return gruI_fail(t->rt, GRU_ERROR_SHAPE, "matmul: no layout for an operand");
  }
  const gru_tensor *x = o->tensor;
  int batch = vector ? 0 : x->ndim - 2, lead = p->ndim - 2 - batch;
  for (int d = 0; d < p->ndim - 2; d++)
    o->stride[d] = d < lead || x->shape[d - lead] == 1 ? 0 : x->stride[d - lead];
  return GRU_OK;
}

/* Folds the batch dims into one where the strides of all three allow it, or else into the rows
** of a when b is shared; otherwise calls the kernel once a batch of the innermost dim. */
static gru_status multiply(gruI_call *c, const product *p, const operand *a, const operand *b,
                           gru_tensor *out) {
  gruI_device *device = gruI_device_of(out);
  gruI_pending_hurry(a->tensor->storage);
  gruI_gemm call = {.dtype = (gru_dtype)out->dtype,
                    .trans_a = a->trans,
                    .trans_b = b->trans,
                    .batch = 1,
                    .m = p->m,
                    .n = p->n,
                    .k = p->k,
                    .a = gruI_data(a->tensor),
                    .b = gruI_data(b->tensor),
                    .c = gruI_data(out),
                    .lda = a->ld,
                    .ldb = b->ld,
                    .ldc = p->n > 0 ? p->n : 1,
                    .b_storage = b->tensor->storage->serial,
                    .b_version = b->tensor->storage->version};
  int64_t shape[GRU_MAX_DIMS], sa[GRU_MAX_DIMS], sb[GRU_MAX_DIMS], sc[GRU_MAX_DIMS];
  int batch = p->ndim - 2;
  memcpy(shape, p->shape, sizeof shape);
  memcpy(sa, a->stride, sizeof sa);
  memcpy(sb, b->stride, sizeof sb);
  gruI_strides(p->ndim, p->shape, sc);
  batch = batch > 0 ? gruI_coalesce(batch, shape, 3, (int64_t *[]){sc, sa, sb}) : 0;
  if (batch == 1 && sb[0] == 0 && !a->trans && sa[0] == p->m * a->ld) { /* more rows of a */
    call.m = p->m * shape[0];
    batch = 0;
  }
  if (batch == 0 && gruI_pending_gemm(&call, a->tensor, b->tensor, out)) return GRU_OK;
  if (batch == 0) return gruI_kernel_failed(c->rt, c->name, device, device->k->gemm(device, &call));
  call.batch = shape[batch - 1];
  call.batch_a = sa[batch - 1], call.batch_b = sb[batch - 1], call.batch_c = sc[batch - 1];
  int64_t index[GRU_MAX_DIMS] = {0};
  size_t size = gru_dtype_size(call.dtype);
  const char *base_a = call.a, *base_b = call.b;
  char *base_c = call.c;
  for (;;) {
    int64_t oa = 0, ob = 0, oc = 0;
    for (int d = 0; d < batch - 1; d++)
      oa += index[d] * sa[d], ob += index[d] * sb[d], oc += index[d] * sc[d];
    call.a = base_a + oa * (int64_t)size, call.b = base_b + ob * (int64_t)size;
    call.c = base_c + oc * (int64_t)size;
    GRUI_TRY(gruI_kernel_failed(c->rt, c->name, device, device->k->gemm(device, &call)));
    int d = batch - 2;
    for (; d >= 0 && ++index[d] == shape[d]; d--) index[d] = 0;
    if (d < 0) return GRU_OK;
  }
}

/* Removes the dims that vectors had been given. */
static void drop_vector_dims(gru_tensor *t, const product *p) {
  if (p->vector_b) t->ndim--;
  if (p->vector_a) {
    if (!p->vector_b) {
      t->shape[t->ndim - 2] = t->shape[t->ndim - 1];
      t->stride[t->ndim - 2] = t->stride[t->ndim - 1];
    }
    t->ndim--;
  }
}

/* A one-hot left operand picks rows of a matrix: y[i] = B[ids[i]]. */
static gru_status pick_rows(gruI_call *c, gru_dtype dtype) {
  gru_attrs attrs = {.base = c->in[0]->storage->hot->base};
  gru_tensor *ids, *b;
  GRUI_TRY(gruI_tensor_hot_ids(c->in[0], &ids));
  gru_status status = gruI_cast(c->in[1], dtype, NULL, &b);
  if (status == GRU_OK) {
    int mode = gru_set_grad_enabled(c->rt, 0);
    status = gruI_call2(GRU_OP_EMBEDDING, b, ids, &attrs, &c->out[0]);
    gru_set_grad_enabled(c->rt, mode);
    gru_tensor_release(b);
  }
  gru_tensor_release(ids);
  return status;
}

gru_status gruI_matmul_forward(gruI_call *c) {
  product p;
  GRUI_TRY(plan(c, &p));
  c->uses[0] = GRUI_USES_X(1);
  c->uses[1] = GRUI_USES_X(0);
  gru_dtype dtype =
      c->in[0]->dtype > c->in[1]->dtype ? (gru_dtype)c->in[0]->dtype : (gru_dtype)c->in[1]->dtype;
  if (dtype == GRU_BOOL)
    return gruI_fail(c->rt, GRU_ERROR_DTYPE, "matmul: not defined for bool; convert with :float()");
  if (c->in[1]->ndim == 2 && gruI_tensor_is_hot(c->in[0], NULL, NULL)) return pick_rows(c, dtype);
  gru_tensor *out;
  GRUI_TRY(gruI_tensor_new(c->rt, c->name, dtype, p.ndim, p.shape, gruI_place_of(c->in[0]), &out));
  operand a = {0}, b = {0};
  gru_status status = lay_out(c->in[0], dtype, p.vector_a, true, &p, &a);
  if (status == GRU_OK) status = lay_out(c->in[1], dtype, p.vector_b, false, &p, &b);
  if (status == GRU_OK && out->numel > 0) status = multiply(c, &p, &a, &b, out);
  gru_tensor_release(a.tensor);
  gru_tensor_release(b.tensor);
  drop_vector_dims(out, &p);
  if (status == GRU_OK)
    c->out[0] = out;
  else
    gru_tensor_release(out);
  return status;
}

/* ---- gradient ------------------------------------------------------------------------------------ */

/* t with a dim of size 1 put in at `at`. */
static gru_status unsqueeze(gru_tensor *t, int64_t at, gru_tensor **out) {
  return gruI_call1(GRU_OP_UNSQUEEZE, t, &(gru_attrs){.dims = {at}, .ndims = 1}, out);
}

/* a b, or a b^T, or a^T b, summed down to the shape of input k. */
static gru_status product_to(gruI_vjp *v, int k, gru_tensor *a, bool trans_a, gru_tensor *b,
                             bool trans_b, gru_tensor **out) {
  gru_attrs swap = {.dims = {-2, -1}, .ndims = 2};
  const gruI_input *in = &v->node->in[k];
  gru_tensor *at = NULL, *bt = NULL, *y = NULL;
  gru_status status = GRU_OK;
  if (trans_a) status = gruI_call1(GRU_OP_TRANSPOSE, a, &swap, &at);
  if (trans_b && status == GRU_OK) status = gruI_call1(GRU_OP_TRANSPOSE, b, &swap, &bt);
  if (status == GRU_OK) status = gruI_call2(GRU_OP_MATMUL, at ? at : a, bt ? bt : b, NULL, &y);
  if (status == GRU_OK) status = gruI_sum_to(y, in->ndim, in->shape, (gru_dtype)in->dtype, out);
  gru_tensor_release(at);
  gru_tensor_release(bt);
  gru_tensor_release(y);
  return status;
}

gru_status gruI_fold_rows(gru_tensor *t, gru_tensor **out) {
  gru_attrs shape = {.dims = {1, t->shape[t->ndim - 1]}, .ndims = 2};
  for (int d = 0; d < t->ndim - 1; d++) shape.dims[0] *= t->shape[d];
  return gruI_call1(GRU_OP_RESHAPE, t, &shape, out);
}

/* dB of a one-hot A: the rows of g added at the ids, in order. */
static gru_status scatter_rows(gruI_vjp *v, gru_tensor *a, gru_tensor *g, gru_tensor **out) {
  const gruI_input *in = &v->node->in[1];
  gruI_expression e = {.rt = v->rt};
  gru_attrs rows = {.ndims = 1, .base = a->storage->hot->base};
  gru_tensor *ids = NULL, *zeros = NULL;
  gru_status status = gruI_tensor_hot_ids(a, &ids);
  gruI_expr_keep(&e, status, ids);
  status = gruI_zeros(v->rt, v->name, (gru_dtype)in->dtype, 2, in->shape, gruI_place_of(g), &zeros);
  gruI_expr_keep(&e, status, zeros);
  gru_tensor *dw =
      gruI_expr_call(&e, GRU_OP_INDEX_ADD, &rows, 3, (gru_tensor *const[]){zeros, ids, g});
  return gruI_expr_end(&e, dw, out);
}

/* dB where B is a matrix that all batches share: one product over all rows of A and g. */
static gru_status shared_matrix(gruI_vjp *v, gru_tensor *a, gru_tensor *g, gru_tensor **out) {
  bool hot = gruI_tensor_is_hot(a, NULL, NULL);
  gru_tensor *rows_a, *rows_g;
  GRUI_TRY(gruI_fold_rows(a, &rows_a));
  gru_status status = gruI_fold_rows(g, &rows_g);
  if (status == GRU_OK) {
    hot = hot && gruI_tensor_is_hot(rows_a, NULL, NULL);
    bool held;
    *out = NULL;
    status = gruI_vjp_hold(v, 1, rows_a, rows_g, &held);
    if (status == GRU_OK && !held)
      status = hot && !v->composing ? scatter_rows(v, rows_a, rows_g, out)
                                    : product_to(v, 1, rows_a, true, rows_g, false, out);
    gru_tensor_release(rows_g);
  }
  gru_tensor_release(rows_a);
  return status;
}

gru_status gruI_matmul_vjp(gruI_vjp *v) {
  int ndim_a = v->node->in[0].ndim, ndim_b = v->node->in[1].ndim;
  gru_tensor *a = v->x[0], *b = v->x[1], *g = v->g, *grown = NULL, *temp;
  gru_tensor *column = NULL, *row = NULL; /* vectors as matrices */
  gru_status status = GRU_OK;
  if (ndim_b == 1) { /* g (..., m) becomes (..., m, 1), b (k) becomes (k, 1) */
    status = unsqueeze(g, -1, &grown);
    if (status == GRU_OK && b) status = unsqueeze(b, 1, &column), b = column;
    g = grown;
  }
  if (ndim_a == 1 && status == GRU_OK) { /* g (..., n) becomes (..., 1, n), a (k) becomes (1, k) */
    status = unsqueeze(g, -2, &temp);
    if (status == GRU_OK) {
      gru_tensor_release(grown);
      g = grown = temp;
      if (a) status = unsqueeze(a, 0, &row), a = row;
    }
  }
  if (status == GRU_OK && gruI_wants(v, 0)) {
    if (ndim_a == 1) { /* (..., 1, n) (..., n, k), all batches summed, to (k) */
      const gruI_input *in = &v->node->in[0];
      gruI_expression e = {.rt = v->rt};
      gru_attrs flat = {.dims = {in->shape[0]}, .ndims = 1}, swap = {.dims = {-2, -1}, .ndims = 2};
      gru_tensor *bt = gruI_expr_call(&e, GRU_OP_TRANSPOSE, &swap, 1, &b), *row_sum = NULL;
      gru_tensor *y = GRUI_EXPR(&e, MATMUL, g, bt);
      status = e.status;
      if (status == GRU_OK)
        status = gruI_sum_to(y, 2, (int64_t[]){1, in->shape[0]}, (gru_dtype)in->dtype, &row_sum);
      gruI_expr_keep(&e, status, row_sum);
      status = gruI_expr_end(&e, gruI_expr_call(&e, GRU_OP_RESHAPE, &flat, 1, &row_sum), &v->dx[0]);
    } else {
      status = product_to(v, 0, g, false, b, true, &v->dx[0]);
    }
  }
  if (status == GRU_OK && gruI_wants(v, 1)) {
    if (ndim_b == 2) {
      status = shared_matrix(v, a, g, &v->dx[1]);
    } else if (ndim_b == 1) { /* (..., k, m) (..., m, 1), all batches summed, to (k) */
      const gruI_input *in = &v->node->in[1];
      gruI_expression e = {.rt = v->rt};
      gru_attrs flat = {.dims = {in->shape[0]}, .ndims = 1}, swap = {.dims = {-2, -1}, .ndims = 2};
      gru_tensor *rows_a = NULL, *rows_g = NULL, *dw = NULL;
      status = gruI_fold_rows(a, &rows_a);
      gruI_expr_keep(&e, status, rows_a);
      status = gruI_fold_rows(g, &rows_g);
      gruI_expr_keep(&e, status, rows_g);
      gru_tensor *y =
          GRUI_EXPR(&e, MATMUL, gruI_expr_call(&e, GRU_OP_TRANSPOSE, &swap, 1, &rows_a), rows_g);
      y = gruI_expr_call(&e, GRU_OP_RESHAPE, &flat, 1, &y);
      if (e.status == GRU_OK) {
        status = gruI_sum_to(y, 1, in->shape, (gru_dtype)in->dtype, &dw);
        gruI_expr_keep(&e, status, dw);
      }
      status = gruI_expr_end(&e, dw, &v->dx[1]);
    } else {
      status = product_to(v, 1, a, true, g, false, &v->dx[1]);
    }
  }
  gru_tensor_release(grown);
  gru_tensor_release(column);
  gru_tensor_release(row);
  return status;
}

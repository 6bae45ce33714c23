/* elements.c - the element types of files, and what they become in a tensor. */
#include "elements.h"

#include <stdio.h>
#include <string.h>

#include "core/tensor.h"
#include "source.h"

enum { STAGE = 1 << 16 }; /* bytes of narrow elements widened at a time */

static const struct {
  uint8_t size, dtype;
} types[GRU_ELEMENT_UNREADABLE] = {
    [GRU_ELEMENT_BOOL] = {1, GRU_BOOL},    [GRU_ELEMENT_I8] = {1, GRU_INT64},
    [GRU_ELEMENT_U8] = {1, GRU_INT64},     [GRU_ELEMENT_I16] = {2, GRU_INT64},
    [GRU_ELEMENT_U16] = {2, GRU_INT64},    [GRU_ELEMENT_I32] = {4, GRU_INT64},
    [GRU_ELEMENT_U32] = {4, GRU_INT64},    [GRU_ELEMENT_I64] = {8, GRU_INT64},
    [GRU_ELEMENT_U64] = {8, GRU_INT64},    [GRU_ELEMENT_F16] = {2, GRU_FLOAT32},
    [GRU_ELEMENT_BF16] = {2, GRU_FLOAT32}, [GRU_ELEMENT_F32] = {4, GRU_FLOAT32},
    [GRU_ELEMENT_F64] = {8, GRU_FLOAT64},
};

size_t gruI_element_size(gruI_element e) { return types[e].size; }

gru_dtype gruI_element_dtype(gruI_element e) { return (gru_dtype)types[e].dtype; }

bool gruI_elements_bytes(int ndim, const int64_t *shape, unsigned bits, uint64_t *out) {
  uint64_t n = bits;
  bool empty = false;
  for (int d = 0; d < ndim; d++) {
    if (shape[d] == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(n, (uint64_t)shape[d], &n) || n > (uint64_t)1 << 60) {
      return false;
    }
  }
  *out = empty ? 0 : n / 8;
  return empty || n % 8 == 0;
}

/* ---- widening ------------------------------------------------------------------- */

/* binary16: 1 sign, 5 exponent, 10 fraction bits; the exponent's bias is 15, here 127. */
static uint32_t widen_half(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16;
  uint32_t exponent = h >> 10 & 31, fraction = h & 0x3FF;
  if (exponent == 31) return sign | 0x7F800000 | fraction << 13; /* infinity, NaN */
  if (exponent > 0) return sign | (exponent + 112) << 23 | fraction << 13;
  if (fraction == 0) return sign;
  for (exponent = 113; (fraction & 0x400) == 0; exponent--) fraction <<= 1; /* subnormal */
  return sign | exponent << 23 | (fraction & 0x3FF) << 13;
}

static float as_float(uint32_t bits) {
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

#define WIDEN(from, to, expression) \
  for (size_t i = 0; i < n; i++) { \
    from v; \
    memcpy(&v, source + i * sizeof v, sizeof v); \
    ((to *)target)[i] = (to)(expression); \
  } \
  break

/* target[0 .. n) = the elements at `source`.  Returns how many fit: n, or where a U64 was
** that did not. */
static size_t widen(gruI_element e, const char *source, size_t n, void *target) {
  switch (e) {
    case GRU_ELEMENT_BOOL: WIDEN(uint8_t, uint8_t, v != 0);
    case GRU_ELEMENT_I8: WIDEN(int8_t, int64_t, v);
    case GRU_ELEMENT_U8: WIDEN(uint8_t, int64_t, v);
    case GRU_ELEMENT_I16: WIDEN(int16_t, int64_t, v);
    case GRU_ELEMENT_U16: WIDEN(uint16_t, int64_t, v);
    case GRU_ELEMENT_I32: WIDEN(int32_t, int64_t, v);
    case GRU_ELEMENT_U32: WIDEN(uint32_t, int64_t, v);
    case GRU_ELEMENT_U64:
      for (size_t i = 0; i < n; i++) {
        int64_t v;
        memcpy(&v, source + i * sizeof v, sizeof v);
        if (v < 0) return i; /* as unsigned: past 2^63 - 1 */
        ((int64_t *)target)[i] = v;
      }
      break;
    case GRU_ELEMENT_F16: WIDEN(uint16_t, float, as_float(widen_half(v)));
    case GRU_ELEMENT_BF16: WIDEN(uint16_t, float, as_float((uint32_t)v << 16));
    case GRU_ELEMENT_I64:
    case GRU_ELEMENT_F32:
    case GRU_ELEMENT_F64:
    case GRU_ELEMENT_UNREADABLE: break; /* not widened */
  }
  return n;
}

static gru_status fail_unsigned(const gruI_file *f, const gruI_elements *e, uint64_t index) {
  char shown[GRUI_NAME_SHOWN], of[GRUI_NAME_SHOWN + 16] = "";
  if (e->name != NULL) {
    gruI_source_show(shown, sizeof shown, e->name);
    snprintf(of, sizeof of, " of tensor '%s'", shown);
  }
  return gruI_file_fail(f, GRU_ERROR_FORMAT,
                        "element %llu%s, an unsigned 64-bit integer, does "
                        "not fit into int64",
                        (unsigned long long)index + 1, of);
}

/* Reads `n` elements into `target`, through a small buffer. */
static gru_status read_widened(const gruI_file *f, const gruI_elements *e, uint64_t n,
                               char *target) {
  char stage[STAGE];
  size_t size = gruI_element_size(e->type), step = gru_dtype_size(gruI_element_dtype(e->type));
  for (uint64_t done = 0; done < n;) {
    size_t some = n - done < STAGE / size ? (size_t)(n - done) : STAGE / size;
    GRUI_TRY(gruI_file_read(f, e->at + done * size, stage, some * size));
    size_t fit = widen(e->type, stage, some, target + done * step);
    if (fit < some) return fail_unsigned(f, e, done + fit);
    done += some;
  }
  return GRU_OK;
}

/* ---- tensors -------------------------------------------------------------------- */

/* Fills a tensor on the CPU. */
static gru_status fill(const gruI_file *f, const gruI_elements *e, gru_tensor *t) {
  size_t size = gruI_element_size(e->type);
  char *data = gruI_data(t);
  if (t->numel == 0) return GRU_OK;
  if (e->type == GRU_ELEMENT_I64 || e->type == GRU_ELEMENT_F32 || e->type == GRU_ELEMENT_F64) {
    return gruI_file_read(f, e->at, data, (size_t)t->numel * size);
  }
  return read_widened(f, e, (uint64_t)t->numel, data);
}

/* A copy of `t` on `place`.  New reference. */
static gru_status move(gru_tensor *t, gruI_place *place, gru_tensor **out) {
  gru_dtype dtype = (gru_dtype)t->dtype;
  return gru_tensor_from_data(t->rt, dtype, t->ndim, t->shape, place->device.name, gruI_data(t),
                              out);
}

gru_status gruI_elements_read(const gruI_file *f, const gruI_elements *e, const char *device,
                              gru_tensor **out) {
  gruI_place *cpu, *place;
  gru_tensor *t, *moved = NULL;
  GRUI_TRY(gruI_place_find(f->rt, NULL, &cpu));
  GRUI_TRY(gruI_place_find(f->rt, device, &place));
  GRUI_TRY(gruI_tensor_new(f->rt, f->op, gruI_element_dtype(e->type), e->ndim, e->shape, cpu, &t));
  gru_status status = fill(f, e, t);
  if (status == GRU_OK && place != cpu) {
    status = move(t, place, &moved);
    gru_tensor_release(t);
    t = moved;
  }
  if (status == GRU_OK) {
    *out = t;
  } else {
    gru_tensor_release(t);
  }
  return status;
}

gru_status gruI_elements_settle(gru_tensor *t, gru_tensor **out, const void **data, size_t *bytes) {
  gruI_place *cpu;
  gru_tensor *copy;
  size_t size = (size_t)t->numel * gru_dtype_size((gru_dtype)t->dtype);
  GRUI_TRY(gruI_place_find(t->rt, NULL, &cpu));
  if (!gruI_is_number(t) && gruI_place_of(t) == cpu && gruI_is_contiguous(t)) {
    GRUI_TRY(gruI_tensor_settle(t));
    copy = gru_tensor_retain(t);
  } else {
    GRUI_TRY(gruI_tensor_new(t->rt, "save", (gru_dtype)t->dtype, t->ndim, t->shape, cpu, &copy));
    gru_status status = gru_tensor_read(t, gruI_data(copy), size);
    if (status != GRU_OK) {
      gru_tensor_release(copy);
      return status;
    }
  }
  *out = copy;
  *data = gruI_data(copy);
  *bytes = size;
  return GRU_OK;
}

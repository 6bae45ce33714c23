/* pack_cache.c - a few packed matrices, known by the storage and version of their elements. */
#include "cpu/pack_cache.h"

#include <stdlib.h>
#include <string.h>

enum {
  ENTRIES = 16,
  MAX_BYTES = 8 << 20,  /* of one matrix ... */
  ALL_BYTES = 48 << 20, /* ... and of all */
  MAX_ROWS = 128        /* of a product for which packing is a cost worth saving */
};

/* What a packed matrix was made from, but for the version. */
typedef struct key {
  uint64_t storage;
  const void *b;
  int64_t ldb, k, n;
  int trans, dtype;
} key;

typedef struct entry {
  key key;
  uint64_t version, used; /* used: the time of the last use */
  int uses;               /* of this version */
  void *data;             /* NULL until the second */
  size_t bytes;
} entry;

typedef struct cache {
  uint64_t time;
  size_t bytes;
  entry entries[ENTRIES];
} cache;

/* Products that are pending (core/pending.h) read what is kept. */
static void let_go(gruI_device *device, cache *c, entry *e) {
  if (e->data != NULL && device->pool != NULL) gruI_pool_settle(device->pool);
  free(e->data);
  if (e->data != NULL) c->bytes -= e->bytes;
  *e = (entry){.used = 0};
}

static entry *oldest(cache *c, const entry *but) {
  entry *found = NULL;
  for (int i = 0; i < ENTRIES; i++) {
    entry *e = &c->entries[i];
    if (e != but && (found == NULL || e->used < found->used)) found = e;
  }
  return found;
}

/* Keys are compared byte by byte. */
static key key_of(const gruI_gemm *call) {
  key k;
  memset(&k, 0, sizeof k);
  k.storage = call->b_storage, k.b = call->b, k.ldb = call->ldb, k.k = call->k, k.n = call->n;
  k.trans = call->trans_b, k.dtype = (int)call->dtype;
  return k;
}

static entry *lookup(cache *c, const key *k) {
  for (entry *e = c->entries; e < c->entries + ENTRIES; e++)
    if (memcmp(&e->key, k, sizeof *k) == 0) return e;
  return NULL;
}

static entry *make(gruI_device *device, cache *c, const key *k) {
  entry *e = oldest(c, NULL);
  let_go(device, c, e);
  memcpy(&e->key, k, sizeof *k);
  return e;
}

/* Memory for the entry; others go where there is too much. */
static void *reserve(gruI_device *device, cache *c, entry *e, size_t bytes) {
  if (e->data != NULL) return e->data; /* the key says how much */
  while (c->bytes + bytes > ALL_BYTES) let_go(device, c, oldest(c, e));
  e->data = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
  if (e->data == NULL) return NULL;
  e->bytes = bytes;
  c->bytes += bytes;
  return e->data;
}

void *gruI_pack_cache_find(gruI_device *device, const gruI_gemm *call, size_t bytes, int *ready) {
  *ready = 0;
  if (call->b_storage == 0 || call->batch != 1 || call->m > MAX_ROWS || bytes > MAX_BYTES)
    return NULL;
  if (device->packs == NULL && (device->packs = calloc(1, sizeof(cache))) == NULL) return NULL;
  cache *c = device->packs;
  key k = key_of(call);
  entry *e = lookup(c, &k);
  if (e == NULL) e = make(device, c, &k);
  if (e->uses == 0 || e->version != call->b_version) e->version = call->b_version, e->uses = 0;
  e->used = ++c->time;
  if (++e->uses == 1) return NULL;
  *ready = e->uses > 2 && e->data != NULL;
  return reserve(device, c, e, bytes);
}

void *gruI_pack_cache_ready(gruI_device *device, const gruI_gemm *call) {
  cache *c = device->packs;
  key k = key_of(call);
  entry *e = c != NULL && call->b_storage != 0 ? lookup(c, &k) : NULL;
  if (e == NULL || e->version != call->b_version || e->uses < 2) return NULL;
  if (e->data != NULL) e->used = ++c->time;
  return e->data;
}

void gruI_pack_cache_drop(gruI_device *device) {
  cache *c = device->packs;
  if (c == NULL) return;
  if (device->pool != NULL) gruI_pool_settle(device->pool);
  for (entry *e = c->entries; e < c->entries + ENTRIES; e++) free(e->data);
  free(c);
  device->packs = NULL;
}

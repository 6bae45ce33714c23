/* backward.h - one backward under way: slots, gradients, held pairs. */
#ifndef GRUI_BACKWARD_H
#define GRUI_BACKWARD_H

#include "core/tape.h"

/* A product whose gradient waits: dW += x^T g for matrices x (m, k), g (m, n). */
typedef struct gruI_pair {
  gru_tensor *x, *g;
  uint64_t version; /* of x */
} gruI_pair;

/* Pairs whose product is under way. */
typedef struct gruI_pair_group gruI_pair_group;

typedef struct gruI_pairs {
  gruI_pair *list; /* those that wait */
  int32_t count, capacity;
  int64_t rows, bytes; /* of x in the list; of what the list holds */
  int64_t under_way;   /* bytes that the groups hold */
  bool single;         /* what waits is not to be grouped */
  bool begun;          /* there have been groups, whose sum is, or will be, in dw */
  gruI_pair_group *groups;
  gru_tensor *dw;
  const char *origin; /* where the script called the last matmul among them */
  int origin_line;
} gruI_pairs;

/* What has arrived at a node's result 0, or at a leaf. */
typedef struct gruI_slot {
  gruI_node *node; /* one of the two is set; both borrowed from the graph */
  gru_tensor *leaf;
  gru_tensor *grad; /* the sum so far, or NULL */
  gruI_pairs pairs;
  int32_t capture; /* which result of gru_grad this is, or -1 */
} gruI_slot;

struct gruI_task {
  gru_runtime *rt;
  gruI_slot *slots;
  int32_t count, capacity;
  int32_t *table; /* open addressing: node or leaf -> slot + 1 */
  int32_t table_size;
  int32_t *heap; /* slots of nodes, the latest node on top */
  int32_t heap_count;
  int flags;
  bool accumulate; /* gru_backward: into .grad of the leaves */
  bool bounded;    /* gru_grad: nothing beyond the inputs is asked for */
  int ninputs;     /* gru_grad: how many inputs, and their gradients */
  gru_tensor **results;
};

/* The slot of a node or leaf, made when it is new (and a node then put on the heap); -1 without
** memory. */
int32_t gruI_task_slot(gruI_task *task, gruI_node *node, gru_tensor *leaf);

/* Takes the slot of the latest node from the heap, which is not empty. */
int32_t gruI_task_next(gruI_task *task);

/* slot.grad += g; takes over the reference to `g`. */
gru_status gruI_slot_add(gruI_task *task, gruI_slot *slot, gru_tensor *g);

/* One product for all held pairs, added to slot.grad. */
gru_status gruI_pairs_flush(gruI_task *task, int32_t slot);
void gruI_pairs_free(gruI_pairs *pairs);

/* pairs_product.c: the sum of x^T g over the list, as a new tensor; room for it; the same, of dense
** pairs, into dw or added to it; and the same begun, in room that is NULL where
** it does not suit. */
gru_status gruI_pairs_product(gruI_pairs *pairs, gru_tensor **out);
gru_status gruI_pairs_room(gruI_pairs *pairs, gru_tensor **dw);
gru_status gruI_pairs_multiply(gruI_pairs *pairs, gru_tensor *dw, bool accumulate);
gru_status gruI_pairs_begin(gruI_pairs *pairs, gru_tensor *dw, bool accumulate,
                            gruI_storage **room);

#endif

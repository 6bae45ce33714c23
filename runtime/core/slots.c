/* slots.c - where gradients wait in a backward: a hash table by address, and a heap by sequence. */
#include <stdlib.h>

#include "core/backward.h"

static uint32_t hash(const void *address) {
  return (uint32_t)(((uintptr_t)address >> 6) * 0x9E3779B97F4A7C15u >> 32);
}

static const void *key_of(const gruI_slot *slot) {
  return slot->node ? (const void *)slot->node : slot->leaf;
}

/* The place of `key` in the table: where it stands, or where it would go. */
static int32_t *probe(const gruI_task *task, const void *key) {
  uint32_t mask = (uint32_t)task->table_size - 1, i = hash(key) & mask;
  while (task->table[i] && key_of(&task->slots[task->table[i] - 1]) != key) i = (i + 1) & mask;
  return &task->table[i];
}

/* Room for one more slot. */
static bool reserve(gruI_task *task) {
  if (task->count < task->capacity) return true;
  int32_t capacity = task->capacity ? task->capacity * 2 : 64;
  gruI_slot *slots = realloc(task->slots, (size_t)capacity * sizeof *slots);
  if (slots) task->slots = slots;
  int32_t *heap = realloc(task->heap, (size_t)capacity * sizeof *heap);
  if (heap) task->heap = heap;
  int32_t *table = calloc((size_t)capacity * 2, sizeof *table);
  if (!slots || !heap || !table) {
    free(table);
    return false;
  }
  free(task->table);
  task->table = table;
  task->table_size = capacity * 2;
  task->capacity = capacity;
  for (int32_t i = 0; i < task->count; i++) *probe(task, key_of(&task->slots[i])) = i + 1;
  return true;
}

static uint64_t order(const gruI_task *task, int32_t slot) {
  return task->slots[slot].node->sequence;
}

static void heap_push(gruI_task *task, int32_t slot) {
  int32_t i = task->heap_count++;
  for (; i > 0 && order(task, task->heap[(i - 1) / 2]) < order(task, slot); i = (i - 1) / 2)
    task->heap[i] = task->heap[(i - 1) / 2];
  task->heap[i] = slot;
}

int32_t gruI_task_slot(gruI_task *task, gruI_node *node, gru_tensor *leaf) {
  if (!reserve(task)) return -1;
  int32_t *place = probe(task, node ? (void *)node : (void *)leaf);
  if (*place) return *place - 1;
  int32_t slot = task->count++;
  task->slots[slot] = (gruI_slot){.node = node, .leaf = node ? NULL : leaf, .capture = -1};
  *place = slot + 1;
  if (node) {
    node->refs++;
    heap_push(task, slot);
  } else {
    gru_tensor_retain(leaf);
  }
  return slot;
}

int32_t gruI_task_next(gruI_task *task) {
  int32_t top = task->heap[0], last = task->heap[--task->heap_count], i = 0;
  for (int32_t child; (child = 2 * i + 1) < task->heap_count; i = child) {
    if (child + 1 < task->heap_count &&
        order(task, task->heap[child + 1]) > order(task, task->heap[child]))
      child++;
    if (order(task, task->heap[child]) <= order(task, last)) break;
    task->heap[i] = task->heap[child];
  }
  task->heap[i] = last;
  return top;
}

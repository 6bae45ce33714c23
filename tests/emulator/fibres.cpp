/* fibres.cpp - the threads of a block, one after the other, up to their next barrier. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#ifndef __x86_64__
#include <ucontext.h>
#endif

#include <vector>

#include "host.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

using gru_emulator::give_up;

namespace {

enum { STACK = 128 << 10 };
enum state { READY, AT_BLOCK, AT_WARP, DONE };

/* ---- switching stacks ------------------------------------------------------------------------ */

#ifdef __x86_64__
typedef void *context;
extern "C" void gru_emulator_switch(context *from, context to);
/* Callee-saved registers and the stack: all that a function may count on. */
asm(".text\n.globl gru_emulator_switch\n.hidden gru_emulator_switch\ngru_emulator_switch:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n  ret\n");

void prepare(context *c, char *stack, void (*entry)()) {
  void **top = (void **)(stack + STACK) - 1; /* where a call would have put the return address */
  *--top = (void *)entry;
  for (int i = 0; i < 6; i++) *--top = NULL;
  *c = top;
}
void change(context *from, context *to) { gru_emulator_switch(from, *to); }
#else
typedef ucontext_t context;
void prepare(context *c, char *stack, void (*entry)()) {
  getcontext(c);
  c->uc_stack.ss_sp = stack;
  c->uc_stack.ss_size = STACK;
  c->uc_link = NULL;
  makecontext(c, entry, 0);
}
void change(context *from, context *to) { swapcontext(from, to); }
#endif

/* ---- fibres ------------------------------------------------------------------------------------ */

struct fibre {
  context at;
  char *stack;
  state is;
  unsigned mask; /* AT_WARP: for whom it waits */
  int barrier;   /* AT_BLOCK: which */
  unsigned turn; /* shuffles so far */
};

struct warp {
  uint64_t shown[2][32]; /* by turn: nobody is two turns ahead */
};

std::vector<char *> stacks;
std::vector<fibre> fibres;
std::vector<warp> warps;
std::vector<unsigned> order;
const std::vector<unsigned>
    *warp_lanes; /* of the warp that runs, and how many of them have begun */
size_t warp_begun;
context scheduler;
unsigned thread, alive;
const std::function<void()> *running;

#ifdef __SANITIZE_ADDRESS__
extern "C" void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
extern "C" void __sanitizer_finish_switch_fiber(void *save, const void **bottom, size_t *size);
const void *main_bottom;
size_t main_size;
void leaving(void **save, bool to_fibre) {
  if (to_fibre)
    __sanitizer_start_switch_fiber(save, fibres[thread].stack, STACK);
  else
    __sanitizer_start_switch_fiber(save, main_bottom, main_size);
}
void arrived(void *save, bool from_main) {
  __sanitizer_finish_switch_fiber(save, from_main ? &main_bottom : NULL,
                                  from_main ? &main_size : NULL);
}
#else
void leaving(void **, bool) {}
void arrived(void *, bool) {}
#endif

char *take_stack() {
  if (!stacks.empty()) {
    char *stack = stacks.back();
    stacks.pop_back();
    return stack;
  }
  void *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) give_up("no memory for a fibre's stack");
  return (char *)stack;
}

void yield() {
  void *save = NULL;
  leaving(&save, false);
  change(&fibres[thread].at, &scheduler);
  arrived(save, true);
}

void become(unsigned i) {
  thread = i;
  threadIdx.x = i % blockDim.x;
  threadIdx.y = i / blockDim.x % blockDim.y;
  threadIdx.z = i / blockDim.x / blockDim.y;
}

/* A thread that ends without a barrier leaves its stack to the next: faster than a switch. */
void thread_main() {
  arrived(NULL, true);
  for (;;) {
    (*running)();
    fibres[thread].is = DONE;
    alive--;
    if (warp_begun == warp_lanes->size()) break;
    unsigned next = (*warp_lanes)[warp_begun++];
    std::swap(fibres[next].stack, fibres[thread].stack);
    become(next);
  }
  leaving(NULL, false);
  change(&fibres[thread].at, &scheduler);
}

void resume(unsigned i) {
  fibre &f = fibres[i];
  become(i);
  if (f.stack == NULL) {
    warp_begun++;
    f.stack = take_stack();
    prepare(&f.at, f.stack, thread_main);
  }
  void *save = NULL;
  leaving(&save, true);
  change(&scheduler, &f.at);
  arrived(save, false);
  fibre &last = fibres[thread]; /* on the stack that was changed to */
  if (last.is == DONE) stacks.push_back(last.stack);
}

/* Have all lanes that fibre i waits for come to their turn? */
bool warp_is_met(unsigned i) {
  unsigned first = i / 32 * 32;
  for (unsigned lane = 0; lane < 32 && first + lane < fibres.size(); lane++) {
    const fibre &other = fibres[first + lane];
    if (!(fibres[i].mask >> lane & 1) || other.is == DONE) continue;
    if (other.turn < fibres[i].turn) return false;
  }
  return true;
}

/* xorshift64*: Marsaglia 2003, Vigna 2016 */
uint64_t next_random(uint64_t *state) {
  *state ^= *state >> 12, *state ^= *state << 25, *state ^= *state >> 27;
  return *state * 0x2545f4914f6cdd1dull;
}

/* The order in which threads, and blocks, run. */
void arrange(std::vector<unsigned> &list, size_t n) {
  static const char *how = getenv("GRU_EMULATOR_ORDER");
  static uint64_t random =
      how != NULL && *how >= '0' && *how <= '9' ? strtoull(how, NULL, 10) + 1 : 0;
  list.resize(n);
  for (size_t i = 0; i < n; i++) list[i] = (unsigned)i;
  if (how != NULL && strcmp(how, "reverse") == 0)
    for (size_t i = 0; i < n; i++) list[i] = (unsigned)(n - 1 - i);
  if (random != 0)
    for (size_t i = n; i > 1; i--) std::swap(list[i - 1], list[next_random(&random) % i]);
}

/* Runs the fibres of a warp until all wait for the block, or for lanes that do not come. */
bool run_warp(const std::vector<unsigned> &lanes) {
  bool moved = false;
  warp_lanes = &lanes;
  for (warp_begun = 0; warp_begun < lanes.size(); warp_begun++)
    if (fibres[lanes[warp_begun]].stack == NULL && fibres[lanes[warp_begun]].is == READY) break;
  for (bool again = true; again;) {
    again = false;
    for (unsigned i : lanes) {
      fibre &f = fibres[i];
      if (f.is == AT_WARP && warp_is_met(i)) f.is = READY;
      if (f.is != READY) continue;
      resume(i);
      again = moved = true;
    }
  }
  return moved;
}

/* Warp after warp goes as far as it can: what another one has not done by then, it does not see. */
void run_block() {
  static std::vector<std::vector<unsigned>> lanes;
  static std::vector<unsigned> sequence;
  size_t n = (size_t)blockDim.x * blockDim.y * blockDim.z;
  fibres.assign(n, fibre());
  warps.resize((n + 31) / 32);
  arrange(order, n);
  lanes.resize(warps.size());
  for (std::vector<unsigned> &list : lanes) list.clear();
  sequence.clear();
  for (unsigned i : order) {
    if (lanes[i / 32].empty()) sequence.push_back(i / 32);
    lanes[i / 32].push_back(i);
  }
  alive = (unsigned)n;
  while (alive > 0) {
    bool moved = false;
    for (unsigned w : sequence) moved = run_warp(lanes[w]) || moved;
    if (moved) continue;
    if (alive < n) give_up("threads of a block have ended where others wait at a barrier");
    int barrier = 0;
    for (fibre &f : fibres) {
      if (f.is == AT_WARP) give_up("a shuffle waits for lanes that do not come");
      if (f.is != AT_BLOCK) continue;
      if (barrier != 0 && f.barrier != barrier)
        give_up("threads of a block wait at different barriers");
      barrier = f.barrier;
      f.is = READY;
    }
  }
}

}  // namespace

namespace gru_emulator {

void sync_block(int line) {
  fibres[thread].is = AT_BLOCK;
  fibres[thread].barrier = line;
  yield();
}

uint64_t exchange(unsigned mask, uint64_t value, int lane) {
  fibre &f = fibres[thread];
  warp &w = warps[thread / 32];
  unsigned me = thread % 32, turn = f.turn % 2;
  if (!(mask >> me & 1)) give_up("a lane is not in the mask of its shuffle");
  w.shown[turn][me] = value;
  f.turn++;
  f.mask = mask;
  f.is = AT_WARP;
  yield();
  return w.shown[turn][lane];
}

unsigned ballot(unsigned mask, int predicate) {
  unsigned me = thread;
  exchange(mask, predicate != 0, (int)(me % 32));
  unsigned set = 0, turn = (fibres[me].turn - 1) % 2;
  for (int lane = 0; lane < 32; lane++)
    if (mask >> lane & 1 && me / 32 * 32 + (unsigned)lane < fibres.size() &&
        warps[me / 32].shown[turn][lane] != 0)
      set |= 1u << lane;
  return set;
}

void run_grid(dim3 grid, dim3 block, const std::function<void()> &body) {
  static std::vector<unsigned> blocks;
  gridDim = grid;
  blockDim = block;
  running = &body;
  arrange(blocks, (size_t)grid.x * grid.y * grid.z);
  for (unsigned i : blocks) {
    blockIdx.x = i % grid.x;
    blockIdx.y = i / grid.x % grid.y;
    blockIdx.z = i / grid.x / grid.y;
    run_block();
  }
}

}  // namespace gru_emulator

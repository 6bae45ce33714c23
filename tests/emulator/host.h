/* host.h - what the parts of the emulator's host side share. */
#ifndef GRU_EMULATOR_HOST_H
#define GRU_EMULATOR_HOST_H

#include <mutex>

#include "cuda_runtime.h"

namespace gru_emulator {

enum { DEVICES = 16 };

extern thread_local int current;   /* device */
extern cudaError_t dead[DEVICES];  /* why a device can be used no more */
extern std::recursive_mutex &lock; /* devices take turns */

unsigned long long number(const char *variable, unsigned long long otherwise);
[[noreturn]] void give_up(const char *why);

/* Remembers a failure for cudaGetLastError. */
cudaError_t fail(cudaError_t error);
/* May `call` be made?  Not after the program's end, nor where GRU_EMULATOR_REFUSE names it. */
cudaError_t enter(const char *call);

/* ---- memory ---------------------------------------------------------------------------------- */

bool is_device_memory(const void *at, size_t bytes); /* all of it, in one block */
bool is_pinned(const void *at, size_t bytes);
/* Memory of a device is there for that device alone, while it works. */
void open_memory(int device, bool open);

/* ---- streams --------------------------------------------------------------------------------- */

/* Does all that a device was asked for. */
void finish(int device);
/* Why a call that CUDA holds to be unsafe in a capture cannot be made; it ends the capture. `waits`: so does
** the call, for the device, which no capture of this thread bears. */
cudaError_t check_unsafe(bool waits);

}  // namespace gru_emulator

#endif

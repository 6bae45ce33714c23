/* elementwise_f32.cu - the elementwise rows for float. */
#define ELEMENT float
#define IS_FLOAT 1
#define IS_BOOL 0
#define FIND gruI_cuda_find_f32
#include "cuda/elementwise.cuh"

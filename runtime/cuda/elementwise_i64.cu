/* elementwise_i64.cu - the elementwise rows for int64_t. */
#define ELEMENT int64_t
#define IS_FLOAT 0
#define IS_BOOL 0
#define FIND gruI_cuda_find_i64
#include "cuda/elementwise.cuh"

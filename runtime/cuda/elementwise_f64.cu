/* elementwise_f64.cu - the elementwise rows for double. */
#define ELEMENT double
#define IS_FLOAT 1
#define IS_BOOL 0
#define FIND gruI_cuda_find_f64
#include "cuda/elementwise.cuh"

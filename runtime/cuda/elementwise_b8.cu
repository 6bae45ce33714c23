/* elementwise_b8.cu - the elementwise rows for uint8_t. */
#define ELEMENT uint8_t
#define IS_FLOAT 0
#define IS_BOOL 1
#define FIND gruI_cuda_find_b8
#include "cuda/elementwise.cuh"

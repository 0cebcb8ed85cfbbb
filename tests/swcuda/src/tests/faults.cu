// Kernels that are wrong, each in one way; faults.ptx says the same in PTX. All take x, y and n.
// The first is at lines 12 and 13 in both.
typedef unsigned u32;
#define KERNEL extern "C" __global__ void

// Blocks of 256 threads; x and y hold n floats, y twice as many for `spread`.




KERNEL off_by_one(float *x, float *y, u32 n) {
    if (blockIdx.x * blockDim.x + threadIdx.x <= n)
        x[blockIdx.x * blockDim.x + threadIdx.x] = 0;
}

KERNEL read_before_barrier(float *x, float *y, u32 n) {
    __shared__ float tile[256];
    tile[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = tile[255 - threadIdx.x];
}

KERNEL write_before_barrier(float *x, float *y, u32 n) {
    __shared__ float tile[256];
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    float mirrored = tile[255 - threadIdx.x];
    tile[threadIdx.x] = mirrored;
    __syncthreads();
    y[threadIdx.x] = tile[threadIdx.x];
}

KERNEL copy_back(float *x, float *y, u32 n) { x[threadIdx.x] = y[threadIdx.x]; }

KERNEL spread(float *x, float *y, u32 n) { y[2 * threadIdx.x] = x[threadIdx.x]; }

KERNEL all_write_one(u32 *x, float *y, u32 n) {
    if (threadIdx.x == 0) x[0] = blockIdx.x;
}

KERNEL two_barriers(u32 *x, float *y, u32 n) {
    if (threadIdx.x < 100) {
        x[threadIdx.x] = 2;
        __syncthreads();
    } else {
        x[threadIdx.x] = 1;
        __syncthreads();
    }
}

KERNEL left_early(u32 *x, float *y, u32 n) {
    if (threadIdx.x >= 100) return;
    x[threadIdx.x] = 1;
    __syncthreads();
}

KERNEL misaligned(char *x, float *y, u32 n) { *(u32 *)(x + 1) = 0; }

KERNEL beyond_tile(float *x, float *y, u32 n) {
    __shared__ float tile[256];
    tile[threadIdx.x + (n > 0)] = 0;
    __syncthreads();
    y[threadIdx.x] = tile[threadIdx.x];
}

KERNEL unset_tile(float *x, float *y, u32 n) {
    __shared__ float tile[256];
    if (n == 0) tile[threadIdx.x] = 0;
    y[threadIdx.x] = tile[threadIdx.x];
}

KERNEL spin(volatile u32 *x, float *y, u32 n) {
    while (*x != 12345) {
    }
}

KERNEL half_a_warp(u32 *x, float *y, u32 n) {
    if ((threadIdx.x & 16) == 0) x[threadIdx.x] = __shfl_down_sync(0xffffffffu, threadIdx.x, 8);
}

KERNEL last_block(float *x, u32 *y, u32 n) {
    if (threadIdx.x != 0) return;
    x[blockIdx.x] = 1;
    if (n != 0) __threadfence();
    if (atomicAdd(y, 1u) == gridDim.x - 1) ((float *)y)[1] = x[0] + x[1];
}

KERNEL neighbour(float *x, float *y, u32 n) {
    x[threadIdx.x] = 2;
    y[threadIdx.x] = x[255 - threadIdx.x];
}

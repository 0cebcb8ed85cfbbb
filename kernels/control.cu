// What the host leaves behind for the device when it runs ahead: numbers to keep, and halts.
#include "common.cuh"

// A number of a state.
struct Number {
    const void *at;
    // Whether it is a double, else a float.
    u32 is_double;
};

__device__ inline double read(const Number &number) {
    return number.is_double ? *(const double *)number.at : (double)*(const float *)number.at;
}

// A row of numbers; MOST of them at a time.
constexpr u32 MOST = 16;
struct Row {
    Number numbers[MOST];
    u32 count;
};

// Keeps a row: number i becomes log[i].
extern "C" __global__ void keep(const u32 *halted, double *log, const Row row) {
    if (*halted == 0 && threadIdx.x < row.count) {
        log[threadIdx.x] = read(row.numbers[threadIdx.x]);
    }
}

// Where the number is not 0 (a NaN is not), nothing more is done: `halted` says which halt it was, from 1.
extern "C" __global__ void halt(u32 *halted, const Number when, u32 which) {
    if (threadIdx.x == 0 && *halted == 0 && !(read(when) == 0)) {
        *halted = which;
    }
}

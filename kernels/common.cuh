// What all device code stands on: the names of the types, and who works on a step.
//
// A step is done by a team: the whole grid of a launch, or one block alone, which then does several
// steps of a small program one after the other. A function of a step is called by all threads of its
// team with the same arguments; independent pieces of work are dealt out by `block()` and `blocks()`.
// Blocks have THREADS threads in one dimension and SHARED bytes of shared memory for the step.
//
// Nothing here may depend on the order in which blocks or warps run: equal inputs give equal bits.
#pragma once

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;

constexpr u32 THREADS = 256;
constexpr u32 WARP = 32;
constexpr u32 WARPS = THREADS / WARP;
constexpr u32 SHARED = 16384;
constexpr u32 ALL_LANES = 0xffffffffu;

// All blocks of the launch.
struct Grid {
    __device__ u32 block() const { return blockIdx.x; }
    __device__ u32 blocks() const { return gridDim.x; }
};

// One block.
struct Alone {
    __device__ u32 block() const { return 0; }
    __device__ u32 blocks() const { return 1; }
};

// The first element of a thread, and the distance to its next, where elements are dealt out singly.
template <class Team> __device__ i64 first_element(Team team) {
    return (i64)team.block() * THREADS + threadIdx.x;
}
template <class Team> __device__ i64 element_stride(Team team) {
    return (i64)team.blocks() * THREADS;
}

template <class T> struct Limits;
template <> struct Limits<float> {
    static __device__ float infinity() { return __int_as_float(0x7f800000); }
    static __device__ float nan() { return __int_as_float(0x7fc00000); }
};
template <> struct Limits<double> {
    static __device__ double infinity() { return __longlong_as_double(0x7ff0000000000000ll); }
    static __device__ double nan() { return __longlong_as_double(0x7ff8000000000000ll); }
};

// What a launch is told: whether it has anything to do, and where its members start. It lies by value
// among the arguments; what it points to may change from one replay of a graph to the next.
struct Call {
    // Once this is not 0, nothing more is done until the host has looked.
    const u32 *halted;
    // A number; where it is 0 there is nothing to do. Null: no condition.
    const void *when;
    // A number, the member to work on; where it is none of `members`, there is nothing to do. Null: `first`.
    const void *member;
    // Whether these numbers are doubles, else floats.
    u32 when_is_double;
    u32 member_is_double;
    u32 first;
    u32 members;
};

// Whether a launch has something to do, and then its first member. All threads find the same.
__device__ inline bool begins(const Call &call, u32 &first) {
    if (*call.halted != 0) {
        return false;
    }
    if (call.when != nullptr) {
        const double when = call.when_is_double ? *(const double *)call.when : (double)*(const float *)call.when;
        if (when == 0) {
            return false;
        }
    }
    first = call.first;
    if (call.member != nullptr) {
        const double member =
            call.member_is_double ? *(const double *)call.member : (double)*(const float *)call.member;
        // A NaN is no member.
        if (!(member >= 0 && member < call.members)) {
            return false;
        }
        first = (u32)member;
    }
    return true;
}

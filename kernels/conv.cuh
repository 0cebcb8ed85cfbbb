// Convolutions of a batch of images by the kernels of a window, and their two adjoints (Op::Conv). With n an
// image, o a channel of the output, c one of the input in o's group, (i, j) a tap, (p, q) a position, and
// (row, column) = stride·(p, q) + dilation·(i, j) − padding, where that is in the image:
//
//     conv_output  y[n, o, p, q]       = Σ over c, i, j of x[n, c, row, column]·w[o, c, i, j]
//     conv_input   x[n, c, row, column] = Σ over o, i, j of y[n, o, p, q]·w[o, c, i, j]
//     conv_kernel  w[o, c, i, j]       = Σ over n, p, q of x[n, c, row, column]·y[n, o, p, q]
//
// The first two take a thread an element, which adds its products in order, by one rounding each (fma); the
// third takes a block an element of the kernels, and the tree of sums. T is float or double.
#pragma once
#include "tree.cuh"

// Extents along rows and columns come in pairs; `inputs` and `outputs` are channels of one group.
struct Convolution {
    i64 images, groups, inputs, outputs;
    i64 taps[2], image[2], positions[2];
    i64 stride[2], padding[2], dilation[2];
};

namespace convolution {

// Where a tap lies in the image at a position, along an axis; may be outside.
__device__ inline i64 under(const Convolution &c, u32 axis, i64 position, i64 tap) {
    return c.stride[axis] * position + c.dilation[axis] * tap - c.padding[axis];
}

__device__ inline bool inside(const Convolution &c, u32 axis, i64 at) { return at >= 0 && at < c.image[axis]; }

// The position at which a tap lies on an element of the image, or −1.
__device__ inline i64 position(const Convolution &c, u32 axis, i64 at, i64 tap) {
    const i64 reach = at + c.padding[axis] - c.dilation[axis] * tap;
    const i64 position = reach / c.stride[axis];
    return reach >= 0 && reach % c.stride[axis] == 0 && position < c.positions[axis] ? position : -1;
}

} // namespace convolution

template <class Team, class T>
__device__ void conv_output(Team team, T *y, const T *x, const T *w, const Convolution c) {
    using namespace convolution;
    const i64 channels = c.groups * c.outputs;
    const i64 elements = c.images * channels * c.positions[0] * c.positions[1];
    for (i64 k = first_element(team); k < elements; k += element_stride(team)) {
        const i64 q = k % c.positions[1];
        const i64 p = k / c.positions[1] % c.positions[0];
        const i64 o = k / (c.positions[1] * c.positions[0]) % channels;
        const i64 n = k / (c.positions[1] * c.positions[0] * channels);
        T sum = (T)0;
        for (i64 channel = 0; channel < c.inputs; channel++) {
            const i64 plane = (n * c.groups + o / c.outputs) * c.inputs + channel;
            for (i64 i = 0; i < c.taps[0]; i++) {
                const i64 row = under(c, 0, p, i);
                for (i64 j = 0; inside(c, 0, row) && j < c.taps[1]; j++) {
                    const i64 column = under(c, 1, q, j);
                    if (inside(c, 1, column)) {
                        const T tap = w[((o * c.inputs + channel) * c.taps[0] + i) * c.taps[1] + j];
                        sum = fma(x[(plane * c.image[0] + row) * c.image[1] + column], tap, sum);
                    }
                }
            }
        }
        y[k] = sum;
    }
}

template <class Team, class T>
__device__ void conv_input(Team team, T *x, const T *y, const T *w, const Convolution c) {
    using namespace convolution;
    const i64 channels = c.groups * c.inputs;
    const i64 elements = c.images * channels * c.image[0] * c.image[1];
    for (i64 k = first_element(team); k < elements; k += element_stride(team)) {
        const i64 column = k % c.image[1];
        const i64 row = k / c.image[1] % c.image[0];
        const i64 of = k / (c.image[1] * c.image[0]) % channels;
        const i64 n = k / (c.image[1] * c.image[0] * channels);
        T sum = (T)0;
        for (i64 output = 0; output < c.outputs; output++) {
            const i64 o = of / c.inputs * c.outputs + output;
            const i64 plane = n * c.groups * c.outputs + o;
            for (i64 i = 0; i < c.taps[0]; i++) {
                const i64 p = position(c, 0, row, i);
                for (i64 j = 0; p >= 0 && j < c.taps[1]; j++) {
                    const i64 q = position(c, 1, column, j);
                    if (q >= 0) {
                        const T tap = w[((o * c.inputs + of % c.inputs) * c.taps[0] + i) * c.taps[1] + j];
                        sum = fma(y[(plane * c.positions[0] + p) * c.positions[1] + q], tap, sum);
                    }
                }
            }
        }
        x[k] = sum;
    }
}

template <class Team, class T>
__device__ void conv_kernel(Team team, void *shared, T *w, const T *x, const T *y, const Convolution c) {
    using namespace convolution;
    const i64 elements = c.groups * c.outputs * c.inputs * c.taps[0] * c.taps[1];
    const i64 places = c.positions[0] * c.positions[1];
    for (i64 k = team.block(); k < elements; k += team.blocks()) {
        const i64 j = k % c.taps[1];
        const i64 i = k / c.taps[1] % c.taps[0];
        const i64 channel = k / (c.taps[1] * c.taps[0]) % c.inputs;
        const i64 o = k / (c.taps[1] * c.taps[0] * c.inputs);
        const auto product = [=](i64 at) {
            const i64 n = at / places;
            const i64 row = under(c, 0, at % places / c.positions[1], i);
            const i64 column = under(c, 1, at % c.positions[1], j);
            if (!inside(c, 0, row) || !inside(c, 1, column)) {
                return (T)0;
            }
            const i64 plane = (n * c.groups + o / c.outputs) * c.inputs + channel;
            const i64 output = n * c.groups * c.outputs + o;
            return x[(plane * c.image[0] + row) * c.image[1] + column] * y[output * places + at % places];
        };
        const T sum = block_tree<Sum, T>(shared, product, c.images * places);
        if (threadIdx.x == 0) {
            w[k] = sum;
        }
    }
}

// Isotonic regression and the proximal step of total variation along rows (Op::Pav, Op::TautString): the
// processor's algorithms in its order, and so its bits (src/exec/cpu/regression.rs, which tells them). T is float
// or double; all is computed in doubles.
//
//     isotonic     the ascending row nearest to v, weighted by w. NaN throughout a row that has an element or a
//                  weight that is not finite, or a negative weight
//     taut_string  the row that minimises ½‖y − v‖² + t·Σᵢ|yᵢ₊₁ − yᵢ|; t is one number. NaN throughout a row with
//                  an element that is not finite, and everywhere where t is negative or NaN
//
// Rows lie one after the other, and each is one thread's, in time that grows with its length: many short rows are
// what this is for, one long row leaves the device idle. `work` has 3·rows·row doubles for isotonic, 4·rows·row
// for taut_string; the k-th numbers of all rows lie next to each other in it.
#pragma once
#include "common.cuh"

namespace regression {

// A row's numbers in the workspace.
struct Strided {
    double *first;
    i64 stride;

    __device__ double &operator[](i64 k) const { return first[k * stride]; }
};

// The k-th of the lists of `row` numbers that each row has.
__device__ inline Strided list(double *work, i64 rows, i64 row, i64 k, i64 at) {
    return {work + k * row * rows + at, rows};
}

__device__ inline bool is_finite(double x) { return fabs(x) < Limits<double>::infinity(); }

template <class T> __device__ void fill(T *y, i64 start, i64 end, double number) {
    for (i64 i = start; i < end; i++) {
        y[i] = (T)number;
    }
}

// One side of what a taut string may be from its last knot on. Slopes are kept as `sign` times what they are, so
// that they ascend on both sides.
struct Side {
    Strided slopes;
    Strided starts;
    // Pieces first … end − 1.
    i64 first;
    i64 end;

    // One more element, element i.
    __device__ void push(i64 i, double slope) {
        i64 start = i;
        while (end > first && slopes[end - 1] >= slope) {
            end--;
            const i64 before = (i64)starts[end];
            const double share = (double)(i + 1 - start) / (double)(i + 1 - before);
            slope = slopes[end] + share * (slope - slopes[end]);
            start = before;
        }
        slopes[end] = slope;
        starts[end] = (double)start;
        end++;
    }

    __device__ double slope() const { return slopes[first]; }
    __device__ i64 start() const { return (i64)starts[first]; }
    __device__ i64 pieces() const { return end - first; }
};

// The string takes the first piece of the held side, whose sign is `sign`; from the knot at its end on the other
// side, seen up to element i, is one piece.
template <class T> __device__ void bend(T *y, const Side &bent, Side &held, double sign, i64 i) {
    const i64 start = held.start();
    const double slope = held.slope();
    held.first++;
    const i64 knot = held.start();
    fill(y, start, knot, sign * slope);
    const double steps = (double)(knot - start);
    const double left = (double)(i + 1 - knot);
    // The held slope with the sign that the bent side keeps its slopes at is −slope.
    const double old = bent.slope();
    bent.slopes[bent.first] = old + (old + slope) * (steps / left);
    bent.starts[bent.first] = (double)knot;
}

} // namespace regression

template <class Team, class T>
__device__ void isotonic(Team team, T *y, const T *v, const T *w, double *work, i64 rows, i64 row) {
    using namespace regression;
    for (i64 r = first_element(team); r < rows; r += element_stride(team)) {
        T *const out = y + r * row;
        bool regular = true;
        for (i64 i = 0; i < row; i++) {
            const double weight = w[r * row + i];
            regular = regular && is_finite(v[r * row + i]) && is_finite(weight) && weight >= 0;
        }
        if (!regular) {
            fill(out, 0, row, Limits<double>::nan());
            continue;
        }
        // Blocks with ascending means.
        const Strided means = list(work, rows, row, 0, r);
        const Strided weights = list(work, rows, row, 1, r);
        const Strided starts = list(work, rows, row, 2, r);
        i64 blocks = 0;
        for (i64 i = 0; i < row; i++) {
            double mean = v[r * row + i];
            double weight = w[r * row + i];
            i64 start = i;
            while (blocks > 0 && means[blocks - 1] >= mean) {
                blocks--;
                const i64 before = (i64)starts[blocks];
                const double sum = weights[blocks] + weight;
                const double share = sum > 0 ? weight / sum : (double)(i + 1 - start) / (double)(i + 1 - before);
                mean = means[blocks] + share * (mean - means[blocks]);
                weight = sum;
                start = before;
            }
            means[blocks] = mean;
            weights[blocks] = weight;
            starts[blocks] = (double)start;
            blocks++;
        }
        i64 end = row;
        for (i64 block = blocks - 1; block >= 0; block--) {
            const i64 start = (i64)starts[block];
            fill(out, start, end, means[block]);
            end = start;
        }
    }
}

template <class Team, class T>
__device__ void taut_string(Team team, T *y, const T *v, const T *t, double *work, i64 rows, i64 row) {
    using namespace regression;
    const double strength = *t;
    for (i64 r = first_element(team); r < rows; r += element_stride(team)) {
        T *const out = y + r * row;
        bool regular = strength >= 0;
        double sum = 0;
        for (i64 i = 0; i < row; i++) {
            const double x = v[r * row + i];
            regular = regular && is_finite(x);
            sum += fabs(x);
        }
        if (!regular) {
            fill(out, 0, row, Limits<double>::nan());
            continue;
        }
        // Beyond this the string is straight.
        const double end_slack = strength < sum ? strength : sum;
        Side upper = {list(work, rows, row, 0, r), list(work, rows, row, 1, r), 0, 0};
        Side lower = {list(work, rows, row, 2, r), list(work, rows, row, 3, r), 0, 0};
        for (i64 i = 0; i < row; i++) {
            const double x = v[r * row + i];
            const double opening = i == 0 ? end_slack : 0.0;
            const double closing = i + 1 == row ? end_slack : 0.0;
            upper.push(i, x + (opening - closing));
            lower.push(i, -(x - (opening - closing)));
            while (upper.slope() < -lower.slope()) {
                if (upper.pieces() == 1 && lower.pieces() > 1) {
                    bend(out, upper, lower, -1.0, i);
                } else if (upper.pieces() > 1 && lower.pieces() == 1) {
                    bend(out, lower, upper, 1.0, i);
                } else {
                    // What is left is rounding: both sides end at one point.
                    break;
                }
            }
        }
        i64 end = row;
        for (i64 piece = upper.end - 1; piece >= upper.first; piece--) {
            const i64 start = (i64)upper.starts[piece];
            fill(out, start, end, upper.slopes[piece]);
            end = start;
        }
    }
}

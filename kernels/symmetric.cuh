// Eigenvalues, eigenvectors and the square root of a symmetric matrix (Op::Eigenvalues, Op::Eigen,
// Op::PsdSqrt). Matrices lie by rows, of A the lower triangle is read; T is float or double, and the work is
// done in doubles.
//
//     symmetric_eigenvalues  n values in ascending order
//     symmetric_eigen        (n + 1) × n: the values, then the matrix whose columns are the vectors
//     psd_sqrt               n × n: V diag(√max(λ, 0)) Vᵀ
//
// NaN throughout where an element is not finite.
//
// By Jacobi's rotations (Golub & Van Loan, Matrix Computations, §8.5), slow and accurate: one block turns n/2
// disjoint pairs of rows and columns at a time, for every pair once a sweep, by the rounds of a tournament.
// Of A ← JᵀAJ the 2 × 2 blocks of two pairs each are independent, so a round has two barriers: the angles are
// found, then all blocks are turned. A sweep has n rounds, 2n barriers and 4n³ multiplications, and 2n³ more
// for the vectors; orders up to 512 take about ten sweeps, graded ones up to twice as many, and 64 is the most.
// What is small enough stays in shared memory.
#pragma once
#include "tree.cuh"

constexpr double JACOBI_EPSILON = 2.220446049250313e-16;
constexpr u32 JACOBI_SWEEPS = 64;
constexpr i64 SHARED_DOUBLES = SHARED / sizeof(double);

struct JacobiPair {
    u32 p;
    u32 q;
};

// Pair k of players/2 in a round of players − 1, `players` being even: each meets each other once.
__device__ inline JacobiPair jacobi_pair(u32 k, u32 round, u32 players) {
    const u32 circle = players - 1;
    if (k == 0) {
        return {round, circle};
    }
    const u32 p = round + k;
    const u32 q = round + circle - k;
    return {p < circle ? p : p - circle, q < circle ? q : q - circle};
}

// A rotation, (x, z) ← (cx − sz, sx + cz), by its tangent, its sine and the tangent of half its angle; all are 0
// if there is none. By these a small angle loses nothing to the rounding of c: vectors stay orthonormal.
struct JacobiTurn {
    double tangent;
    double sine;
    double half;

    __device__ void operator()(double &x, double &z) const {
        const double old = x;
        x = fma(-sine, fma(half, x, z), x);
        z = fma(sine, fma(-half, z, old), z);
    }
};

// That of the smaller angle with t² + 2θt = 1.
__device__ inline JacobiTurn jacobi_turn(double theta) {
    const double size = fabs(theta);
    // Where the square would overflow, 1 is nothing beside it.
    const double positive = size < 1e100 ? 1.0 / (size + sqrt(size * size + 1.0)) : 0.5 / size;
    const double t = theta < 0 ? -positive : positive;
    const double c = 1.0 / sqrt(t * t + 1.0);
    return {t, t * c, t * c / (1.0 + c)};
}

// A power of four by which to divide what is as large as `most`, which is finite and not below 0, so that
// squares neither overflow nor vanish; what is not subnormal is divided exactly. `root` is its square root.
__device__ inline double jacobi_scale(double most, double &root) {
    const i64 exponent = most == 0 ? 1023 : __double_as_longlong(most) >> 52;
    const i64 even = exponent == 0 ? 1 : exponent - 1 + exponent % 2;
    root = __longlong_as_double((1023 + (even - 1023) / 2) << 52);
    return __longlong_as_double(even << 52);
}

template <class T> __device__ void fill_nan(T *y, i64 n) {
    for (i64 at = threadIdx.x; at < n; at += THREADS) {
        y[at] = Limits<T>::nan();
    }
    __syncthreads();
}

struct Jacobi {
    // Of the matrices by rows, which are padded to an even order.
    u32 order;
    // What is left of A: scratch.
    double *a;
    // The vectors, as columns, n rows.
    double *v;
    // n values of A / scale, in no order.
    double *values;
    // `order` numbers of scratch.
    double *more;
    double scale;
    double root_of_scale;
};

// Rows and columns of indices from the first of a thread on, at a distance of THREADS, without a division each.
struct Cells {
    u32 row;
    u32 column;
    u32 columns;
    u32 rows_on;
    u32 columns_on;

    __device__ explicit Cells(u32 width)
        : row(threadIdx.x / width), column(threadIdx.x % width), columns(width), rows_on(THREADS / width),
          columns_on(THREADS % width) {}
    __device__ void next() {
        row += rows_on;
        column += columns_on;
        if (column >= columns) {
            column -= columns;
            row++;
        }
    }
};

// False, and nothing done, where an element is not finite. n > 0; `work` as said below.
template <bool VECTORS, class T>
__device__ bool jacobi(void *shared, const T *lower, double *work, u32 n, Jacobi &to) {
    const auto element = [=](i64 at) { return at % n <= at / n ? fabs((double)lower[at]) : 0.0; };
    const double most = block_tree<Max, double>(shared, element, (i64)n * n);
    // All threads find the same.
    if (!(most < Limits<double>::infinity())) {
        return false;
    }
    const u32 order = n + n % 2;
    const u32 pairs = order / 2;
    const u32 matrix = order * order;
    // The few in shared memory if they fit, and the matrices too.
    const i64 few = 2 * (i64)order;
    double *const angles = few <= SHARED_DOUBLES ? (double *)shared : work;
    double *const a = few + (VECTORS ? 2 : 1) * (i64)matrix <= SHARED_DOUBLES ? (double *)shared + few : work + few;
    double *const v = a + matrix;
    to.order = order;
    to.a = a;
    to.v = v;
    to.values = angles;
    to.more = angles + order;
    to.scale = jacobi_scale(most, to.root_of_scale);

    for (Cells cell(order); cell.row < order; cell.next()) {
        const u32 i = cell.row > cell.column ? cell.row : cell.column;
        const u32 j = cell.row > cell.column ? cell.column : cell.row;
        a[cell.row * order + cell.column] = i < n ? (double)lower[(i64)i * n + j] / to.scale : 0.0;
        if (VECTORS && cell.row < n) {
            v[cell.row * order + cell.column] = cell.row == cell.column ? 1.0 : 0.0;
        }
    }
    __syncthreads();

    // Of the turn of each pair, and what goes from one value to the other.
    double *const sines = angles;
    double *const halves = angles + pairs;
    double *const moved = angles + 2 * pairs;
    for (u32 sweep = 0; sweep < JACOBI_SWEEPS; sweep++) {
        bool rotated = false;
        for (u32 round = 0; round + 1 < order; round++) {
            for (u32 k = threadIdx.x; k < pairs; k += THREADS) {
                const JacobiPair pair = jacobi_pair(k, round, order);
                const double app = a[pair.p * order + pair.p];
                const double aqq = a[pair.q * order + pair.q];
                const double apq = a[pair.p * order + pair.q];
                // So small against both values that, where they are equal, no sum would show it; the largest
                // element was 1 or more.
                const double lesser = least(fabs(app), fabs(aqq));
                const bool turn =
                    fabs(apq) > JACOBI_EPSILON * JACOBI_EPSILON && fabs(apq) > JACOBI_EPSILON / 1024 * lesser;
                const JacobiTurn by = turn ? jacobi_turn((aqq - app) / (2.0 * apq)) : JacobiTurn{0, 0, 0};
                sines[k] = by.sine;
                halves[k] = by.half;
                moved[k] = by.tangent * apq;
                rotated = rotated || turn;
            }
            __syncthreads();
            for (Cells cell(pairs); cell.row < pairs; cell.next()) {
                const u32 i = cell.row;
                const u32 j = cell.column;
                if (sines[i] == 0 && sines[j] == 0) {
                    continue;
                }
                const JacobiPair across = jacobi_pair(i, round, order);
                const JacobiPair down = jacobi_pair(j, round, order);
                double *const above = a + across.p * order;
                double *const below = a + across.q * order;
                if (i == j) {
                    above[down.p] -= moved[i];
                    above[down.q] = 0.0;
                    below[down.p] = 0.0;
                    below[down.q] += moved[i];
                    continue;
                }
                // The lesser pair first, so that the matrix stays symmetric to the last bit.
                const bool flip = i > j;
                const u32 one = flip ? j : i;
                const u32 two = flip ? i : j;
                const JacobiTurn first{0, sines[one], halves[one]};
                const JacobiTurn second{0, sines[two], halves[two]};
                double pp = above[down.p];
                double pq = flip ? below[down.p] : above[down.q];
                double qp = flip ? above[down.q] : below[down.p];
                double qq = below[down.q];
                first(pp, qp);
                first(pq, qq);
                second(pp, pq);
                second(qp, qq);
                above[down.p] = pp;
                above[down.q] = flip ? qp : pq;
                below[down.p] = flip ? pq : qp;
                below[down.q] = qq;
            }
            if (VECTORS) {
                for (Cells cell(pairs); cell.row < n; cell.next()) {
                    const JacobiTurn turn{0, sines[cell.column], halves[cell.column]};
                    if (turn.sine == 0) {
                        continue;
                    }
                    const JacobiPair pair = jacobi_pair(cell.column, round, order);
                    double *const row = v + cell.row * order;
                    turn(row[pair.p], row[pair.q]);
                }
            }
            __syncthreads();
        }
        // All threads find the same.
        if (!__syncthreads_or(rotated)) {
            break;
        }
    }
    for (u32 i = threadIdx.x; i < n; i += THREADS) {
        to.values[i] = a[i * order + i];
    }
    __syncthreads();
    return true;
}

// The place of value k of n in ascending order; the first of equals comes first.
__device__ inline u32 ascending_place(const double *values, u32 n, u32 k) {
    const double value = values[k];
    u32 place = 0;
    for (u32 j = 0; j < n; j++) {
        place += values[j] < value || (values[j] == value && j < k);
    }
    return place;
}

// `work` has (n + 1)(n + 3) doubles.
template <class Team, class T>
__device__ void symmetric_eigenvalues(Team team, void *shared, T *y, const T *a, double *work, i64 n) {
    if (team.block() != 0 || n == 0) {
        return;
    }
    Jacobi of;
    if (!jacobi<false>(shared, a, work, (u32)n, of)) {
        fill_nan(y, n);
        return;
    }
    for (u32 k = threadIdx.x; k < n; k += THREADS) {
        y[ascending_place(of.values, (u32)n, k)] = (T)(of.values[k] * of.scale);
    }
    __syncthreads();
}

// `work` has 2(n + 1)(n + 2) doubles.
template <class Team, class T>
__device__ void symmetric_eigen(Team team, void *shared, T *y, const T *a, double *work, i64 n) {
    if (team.block() != 0 || n == 0) {
        return;
    }
    Jacobi of;
    if (!jacobi<true>(shared, a, work, (u32)n, of)) {
        fill_nan(y, (n + 1) * n);
        return;
    }
    // Which of the columns comes at a place.
    for (u32 k = threadIdx.x; k < n; k += THREADS) {
        const u32 place = ascending_place(of.values, (u32)n, k);
        of.more[place] = k;
        y[place] = (T)(of.values[k] * of.scale);
    }
    __syncthreads();
    for (Cells cell((u32)n); cell.row < n; cell.next()) {
        y[(cell.row + 1) * n + cell.column] = (T)of.v[cell.row * of.order + (u32)of.more[cell.column]];
    }
    __syncthreads();
}

// `work` has 2(n + 1)(n + 2) doubles. n³ multiplications beyond the vectors' and values'.
template <class Team, class T>
__device__ void psd_sqrt(Team team, void *shared, T *y, const T *a, double *work, i64 n) {
    if (team.block() != 0 || n == 0) {
        return;
    }
    Jacobi of;
    if (!jacobi<true>(shared, a, work, (u32)n, of)) {
        fill_nan(y, n * n);
        return;
    }
    // The vectors as rows, which neighbours read together.
    for (Cells cell((u32)n); cell.row < n; cell.next()) {
        of.a[cell.column * of.order + cell.row] = of.v[cell.row * of.order + cell.column];
    }
    for (u32 k = threadIdx.x; k < n; k += THREADS) {
        const double value = of.values[k];
        of.more[k] = value < 0 ? 0.0 : sqrt(value) * of.root_of_scale;
    }
    __syncthreads();
    for (Cells cell((u32)n); cell.row < n; cell.next()) {
        double sum = 0;
        for (u32 k = 0; k < n; k++) {
            // Either factor first gives the same bits: the root is symmetric.
            sum = fma(of.v[cell.row * of.order + k] * of.a[k * of.order + cell.column], of.more[k], sum);
        }
        y[cell.row * n + cell.column] = (T)sum;
    }
    __syncthreads();
}

// The thin singular value decomposition A = U diag(σ) Vᵀ (Op::Svd). Matrices lie by rows; T is float or double,
// and the work is done in doubles.
//
//     svd  with k = min(m, n), (1 + m + n) × k: σ in descending order, then U, then V, whose columns are the
//          vectors. They are orthonormal at any rank. NaN throughout where an element is not finite
//
// By Hestenes' one-sided rotations (Golub & Van Loan, Matrix Computations, §8.6.3) of the fewer of columns and
// rows, slow and accurate: one block turns k/2 disjoint pairs at a time, by the rounds of a tournament, a warp
// a pair. With l = max(m, n), a sweep has k barriers and k²(3l/2 + 2(l + k)) multiplications; orders up to 512
// take about ten sweeps, graded ones up to twice as many, and 64 is the most. A vector that a lower rank leaves
// open takes 4kl more at most, and eight barriers. What is small enough stays in shared memory.
#pragma once
#include "symmetric.cuh"

// The sum over the lanes; all lanes of the warp call and get the same.
__device__ inline double sum_of_lanes(double lane) {
    for (u32 half = WARP / 2; half > 0; half /= 2) {
        lane += __shfl_xor_sync(ALL_LANES, lane, half);
    }
    return lane;
}

__device__ inline double warp_dot(const double *x, const double *y, u32 n) {
    double sum = 0;
#pragma unroll 4
    for (u32 i = lane_of_thread(); i < n; i += WARP) {
        sum = fma(x[i], y[i], sum);
    }
    return sum_of_lanes(sum);
}

__device__ inline void warp_turn(double *x, double *z, u32 n, JacobiTurn turn) {
#pragma unroll 4
    for (u32 i = lane_of_thread(); i < n; i += WARP) {
        turn(x[i], z[i]);
    }
}

// Rotates `count` columns of `length`, one after the other, until all are orthogonal, and those of v with them.
__device__ inline void hestenes(double *a, double *v, u32 count, u32 length) {
    // Below this, against a largest element of 1 or more, a column is as good as nothing, and squares vanish.
    constexpr double NOTHING = 1e-280;
    const u32 players = count + count % 2;
    const double tolerance = JACOBI_EPSILON * sqrt((double)length);
    for (u32 sweep = 0; sweep < JACOBI_SWEEPS; sweep++) {
        bool rotated = false;
        for (u32 round = 0; round + 1 < players; round++) {
            for (u32 k = warp_of_thread(); k < players / 2; k += WARPS) {
                const JacobiPair pair = jacobi_pair(k, round, players);
                // One has no partner if the count is odd.
                if (pair.q >= count) {
                    continue;
                }
                double *const p = a + (i64)pair.p * length;
                double *const q = a + (i64)pair.q * length;
                double alpha = 0;
                double beta = 0;
                double gamma = 0;
#pragma unroll 4
                for (u32 i = lane_of_thread(); i < length; i += WARP) {
                    const double x = p[i];
                    const double z = q[i];
                    alpha = fma(x, x, alpha);
                    beta = fma(z, z, beta);
                    gamma = fma(x, z, gamma);
                }
                alpha = sum_of_lanes(alpha);
                beta = sum_of_lanes(beta);
                gamma = sum_of_lanes(gamma);
                // All lanes find the same.
                if (alpha > NOTHING && beta > NOTHING && fabs(gamma) > tolerance * (sqrt(alpha) * sqrt(beta))) {
                    const JacobiTurn turn = jacobi_turn((beta - alpha) / (2.0 * gamma));
                    warp_turn(p, q, length, turn);
                    warp_turn(v + pair.p * count, v + pair.q * count, count, turn);
                    rotated = true;
                }
            }
            __syncthreads();
        }
        // All threads find the same.
        if (!__syncthreads_or(rotated)) {
            break;
        }
    }
}

// Makes column order[known] a unit vector orthogonal to columns order[0 … known − 1], which are orthonormal and
// fewer than `length`: of the axes, what is left of the one that they contain least of. `left` has the square of
// what is left of each axis, and is kept up; `along` is scratch, of `known` numbers, `best` of 2 WARPS.
__device__ inline void
outside(double *a, const double *order, u32 known, u32 length, double *left, double *along, double *best) {
    double *const e = a + (i64)(u32)order[known] * length;
    // The last of the largest.
    double most = -1;
    u32 axis = 0;
    for (u32 i = threadIdx.x; i < length; i += THREADS) {
        const bool take = left[i] >= most;
        most = take ? left[i] : most;
        axis = take ? i : axis;
    }
    for (u32 half = WARP / 2; half > 0; half /= 2) {
        const double other = __shfl_xor_sync(ALL_LANES, most, half);
        const u32 there = __shfl_xor_sync(ALL_LANES, axis, half);
        const bool take = other > most || (other == most && there > axis);
        most = take ? other : most;
        axis = take ? there : axis;
    }
    if (lane_of_thread() == 0) {
        best[warp_of_thread()] = most;
        best[WARPS + warp_of_thread()] = axis;
    }
    __syncthreads();
    most = best[0];
    axis = (u32)best[WARPS];
    for (u32 w = 1; w < WARPS; w++) {
        const u32 there = (u32)best[WARPS + w];
        const bool take = best[w] > most || (best[w] == most && there > axis);
        most = take ? best[w] : most;
        axis = take ? there : axis;
    }
    for (u32 i = threadIdx.x; i < length; i += THREADS) {
        e[i] = i == axis ? 1.0 : 0.0;
    }
    __syncthreads();
    // Twice is enough (Kahan and Parlett).
    for (u32 pass = 0; pass < 2; pass++) {
        for (u32 j = warp_of_thread(); j < known; j += WARPS) {
            const double dot = warp_dot(a + (i64)(u32)order[j] * length, e, length);
            if (lane_of_thread() == 0) {
                along[j] = dot;
            }
        }
        __syncthreads();
        for (u32 i = threadIdx.x; i < length; i += THREADS) {
            double sum = 0;
#pragma unroll 4
            for (u32 j = 0; j < known; j++) {
                sum = fma(along[j], a[(i64)(u32)order[j] * length + i], sum);
            }
            e[i] -= sum;
        }
        __syncthreads();
    }
    // Each warp finds the same.
    const double norm = sqrt(warp_dot(e, e, length));
    __syncthreads();
    for (u32 i = threadIdx.x; i < length; i += THREADS) {
        const double x = e[i] / norm;
        e[i] = x;
        left[i] -= x * x;
    }
    __syncthreads();
}

// `work` has min(rows, columns) (rows + columns + 3) + max(rows, columns) doubles.
template <class Team, class T>
__device__ void svd(Team team, void *shared, T *y, const T *a, double *work, i64 rows, i64 columns) {
    const bool tall = rows >= columns;
    const u32 count = (u32)(tall ? columns : rows);
    const u32 length = (u32)(tall ? rows : columns);
    if (team.block() != 0 || count == 0) {
        return;
    }
    const auto element = [=](i64 at) { return fabs((double)a[at]); };
    const double most = block_tree<Max, double>(shared, element, rows * columns);
    // All threads find the same.
    if (!(most < Limits<double>::infinity())) {
        fill_nan(y, (1 + rows + columns) * count);
        return;
    }
    double root;
    const double scale = jacobi_scale(most, root);
    double *const best = (double *)shared;
    const i64 doubles = (i64)count * (rows + columns + 3) + length;
    double *const longer = 2 * WARPS + doubles <= SHARED_DOUBLES ? best + 2 * WARPS : work;
    double *const shorter = longer + (i64)count * length;
    double *const norms = shorter + (i64)count * count;
    double *const order = norms + count;
    double *const along = order + count;
    double *const left = along + count;

    // The columns of A or, if it has fewer, its rows.
    for (Cells cell((u32)columns); cell.row < rows; cell.next()) {
        const i64 to = tall ? (i64)cell.column * length + cell.row : (i64)cell.row * length + cell.column;
        longer[to] = (double)a[(i64)cell.row * columns + cell.column] / scale;
    }
    for (Cells cell(count); cell.row < count; cell.next()) {
        shorter[cell.row * count + cell.column] = cell.row == cell.column ? 1.0 : 0.0;
    }
    __syncthreads();
    hestenes(longer, shorter, count, length);

    for (u32 k = warp_of_thread(); k < count; k += WARPS) {
        const double *const column = longer + (i64)k * length;
        const double norm = sqrt(warp_dot(column, column, length));
        if (lane_of_thread() == 0) {
            norms[k] = norm;
        }
    }
    __syncthreads();
    // Which of the columns comes at a place; the first of equals comes first.
    for (u32 k = threadIdx.x; k < count; k += THREADS) {
        u32 place = 0;
        for (u32 j = 0; j < count; j++) {
            place += norms[j] > norms[k] || (norms[j] == norms[k] && j < k);
        }
        order[place] = k;
        y[place] = (T)(norms[k] * scale);
    }
    __syncthreads();
    const double cut = norms[(u32)order[0]] * JACOBI_EPSILON * length;
    u32 known = 0;
    while (known < count && norms[(u32)order[known]] > cut) {
        known++;
    }
    for (u32 k = warp_of_thread(); k < known; k += WARPS) {
        const u32 which = (u32)order[k];
        for (u32 i = lane_of_thread(); i < length; i += WARP) {
            longer[(i64)which * length + i] /= norms[which];
        }
    }
    __syncthreads();
    if (known < count) {
        for (u32 i = threadIdx.x; i < length; i += THREADS) {
            double sum = 0;
            for (u32 k = 0; k < known; k++) {
                const double x = longer[(i64)(u32)order[k] * length + i];
                sum += x * x;
            }
            left[i] = 1.0 - sum;
        }
        __syncthreads();
        for (u32 k = known; k < count; k++) {
            outside(longer, order, k, length, left, along, best);
        }
    }

    T *const long_out = y + (tall ? 1 : 1 + rows) * count;
    T *const short_out = y + (tall ? 1 + rows : 1) * count;
    for (Cells cell(count); cell.row < length; cell.next()) {
        const u32 which = (u32)order[cell.column];
        long_out[(i64)cell.row * count + cell.column] = (T)longer[(i64)which * length + cell.row];
        if (cell.row < count) {
            short_out[(i64)cell.row * count + cell.column] = (T)shorter[which * count + cell.row];
        }
    }
    __syncthreads();
}

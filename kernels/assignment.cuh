// Rows matched with columns (Op::Assignment): the permutation matrix that picks elements of a square matrix adding
// up to most; NaN throughout where one is not finite. The processor's algorithm, which tells what it does
// (src/tape/ops/assignment.rs), and its result, whatever ties or overflows. T is float or double; all is computed
// in doubles.
//
// One block's work, in at most n(n + 1)/2 steps along the paths by which rows are matched, often far fewer. Each
// takes two barriers, and reads one row of the matrix; columns are dealt to threads. `work` has 7·(n + 1) doubles;
// n < 2³² − 1.
#pragma once
#include "tree.cuh"

namespace matching {

// A column that is not on the path yet, and what the path to it costs.
struct Reached {
    double cost;
    u32 column;
};

// Of two, the one at less cost, or the first where they tie; but a NaN is never less, nor is anything less than it
// if it is at `first`, the first column of all. This is what a search in the order of columns finds that starts
// with the first and takes what is less. The order is total, so that it does not matter how a search is shared.
__device__ inline Reached nearer(Reached a, Reached b, u32 first) {
    const auto key = [=](Reached x) {
        const double infinity = Limits<double>::infinity();
        return x.cost == x.cost ? x.cost : x.column == first ? -infinity : infinity;
    };
    const double p = key(a);
    const double q = key(b);
    return q < p || (q == p && b.column < a.column) ? b : a;
}

// The nearest of all threads of the block; all get it. A barrier lies between the last write to and the first read
// of `shared`, none behind.
__device__ inline Reached nearest(void *shared, Reached own, u32 first) {
    Reached *const of_warps = (Reached *)shared;
    for (u32 half = WARP / 2; half > 0; half /= 2) {
        const double cost = __shfl_down_sync(ALL_LANES, own.cost, half);
        const u32 column = __shfl_down_sync(ALL_LANES, own.column, half);
        own = nearer(own, {cost, column}, first);
    }
    if (lane_of_thread() == 0) {
        of_warps[warp_of_thread()] = own;
    }
    __syncthreads();
    own = of_warps[0];
    for (u32 w = 1; w < WARPS; w++) {
        own = nearer(own, of_warps[w], first);
    }
    return own;
}

} // namespace matching

template <class Team, class T>
__device__ void assignment(Team team, void *shared, T *y, const T *a, double *work, i64 n) {
    using namespace matching;
    if (team.block() != 0) {
        return;
    }
    bool irregular = false;
    for (i64 at = threadIdx.x; at < n * n; at += THREADS) {
        // Not so for a NaN either.
        irregular = irregular || !(fabs(a[at]) < Limits<T>::infinity());
    }
    // All threads find the same.
    irregular = __syncthreads_or(irregular) != 0;
    for (i64 at = threadIdx.x; at < n * n; at += THREADS) {
        y[at] = irregular ? Limits<T>::nan() : (T)0;
    }
    if (irregular) {
        return;
    }
    // Column n stands for the row that is being matched. Of these, a thread reads and writes what belongs to its
    // own columns; others read row_of and visited behind a barrier, and u of a row that is not on the path yet.
    double *const u = work;
    double *const v = u + (n + 1);
    double *const least_cost = v + (n + 1);
    double *const before = least_cost + (n + 1);
    double *const visited = before + (n + 1);
    double *const row_of = visited + (n + 1);
    // The row of a column that has none.
    constexpr double FREE = -1.0;
    for (i64 j = threadIdx.x; j <= n; j += THREADS) {
        u[j] = 0;
        v[j] = 0;
        row_of[j] = FREE;
    }
    for (i64 row = 0; row < n; row++) {
        for (i64 j = threadIdx.x; j <= n; j += THREADS) {
            least_cost[j] = Limits<double>::infinity();
            visited[j] = j == n ? 1 : 0;
            // Where sums overflow no path is the shortest; there still is one.
            before[j] = (double)n;
            if (j == n) {
                row_of[j] = (double)row;
            }
        }
        __syncthreads();
        i64 column = n;
        // The first column that is not visited. There is one: not all have rows.
        i64 first = 0;
        double owner = (double)row;
        while (owner != FREE) {
            while (visited[first] != 0) {
                first++;
            }
            const i64 from = (i64)owner;
            const double potential = u[from];
            Reached own = {Limits<double>::infinity(), (u32)n};
            for (i64 j = threadIdx.x; j < n; j += THREADS) {
                if (visited[j] != 0) {
                    continue;
                }
                const double reduced = -(double)a[from * n + j] - potential - v[j];
                double cost = least_cost[j];
                if (reduced < cost) {
                    cost = reduced;
                    least_cost[j] = reduced;
                    before[j] = (double)column;
                }
                own = nearer(own, {cost, (u32)j}, (u32)first);
            }
            const Reached next = nearest(shared, own, (u32)first);
            column = next.column;
            // Ahead of the barrier: behind it the matching may be flipped already.
            owner = row_of[column];
            for (i64 j = threadIdx.x; j <= n; j += THREADS) {
                if (visited[j] != 0) {
                    u[(i64)row_of[j]] += next.cost;
                    v[j] -= next.cost;
                } else {
                    least_cost[j] -= next.cost;
                    // Nothing is reached from the last column of a path, so that it may count as visited.
                    visited[j] = j == column ? 1 : 0;
                }
            }
            __syncthreads();
        }
        if (threadIdx.x == 0) {
            while (column != n) {
                const i64 previous = (i64)before[column];
                row_of[column] = row_of[previous];
                column = previous;
            }
        }
        __syncthreads();
    }
    for (i64 j = threadIdx.x; j < n; j += THREADS) {
        y[(i64)row_of[j] * n + j] = 1;
    }
}

"""The peers: each takes a problem and a tolerance, and gives the answer, the seconds of building and solving, and
those of solving alone (the program's own report where it has one).

Run as `python programs.py PROBLEM PROGRAM SECONDS` this is the process in which one peer meets one problem: it
prints a line of JSON a solve. It tightens the tolerance until an answer is good enough, then solves again with it.
"""

import json
import sys
import time
import warnings

import numpy as np
import scipy.sparse as sp

import problems

GAP = 1e-4
FEASIBLE = 1e-4
MANY = 10_000_000  # iterations: the clock is the limit


def clock(solve):
    t = time.perf_counter()
    x = solve()
    t = time.perf_counter() - t
    return x, t, t


# CVXPY


def gradients(rows, columns):
    """Differences down and to the right of an image whose columns stand one behind another, as sparse matrices."""
    def difference(n):
        here = np.append(-np.ones(n - 1), 0)
        return sp.diags_array([here, np.ones(n - 1)], offsets=[0, 1], format="csr")
    return (sp.csr_array(sp.kron(sp.eye_array(columns), difference(rows))),
            sp.csr_array(sp.kron(difference(columns), sp.eye_array(rows))))


def cvxpy_model(p):
    import cvxpy as cp

    d, k = p.data, p.params
    constraints = []
    if p.kind == "tv2d":
        down, right = gradients(*d["F"].shape)
        x = cp.Variable(d["F"].size)
        lengths = cp.norm(cp.vstack([down @ x, right @ x]), 2, axis=0)
        cost = cp.sum_squares(x - d["F"].ravel("F")) / 2 + k["lambda"] * cp.sum(lengths)
        return x, cp.Problem(cp.Minimize(cost)), lambda v: v.reshape(d["F"].shape, order="F")
    x = cp.Variable(p.unknowns)
    match p.kind:
        case "lasso":
            cost = cp.sum_squares(d["A"] @ x - d["b"]) / 2 + k["lambda"] * cp.norm1(x)
        case "tv1d":
            cost = cp.sum_squares(x - d["b"]) / 2 + k["lambda"] * cp.norm1(cp.diff(x))
        case "qp":
            cost = cp.quad_form(x, cp.psd_wrap(sp.csc_matrix(d["P"]))) / 2 + d["q"] @ x
            constraints = [d["l"] <= x, x <= d["u"]]
        case "svm":
            cost = cp.sum_squares(x) / 2 + k["C"] * cp.sum(cp.pos(1 - cp.multiply(d["y"], d["A"] @ x)))
        case "logreg":
            cost = cp.sum(cp.logistic(cp.multiply(-d["y"], d["A"] @ x))) + k["lambda"] * cp.norm1(x)
        case "grouplasso":
            width = p.unknowns // len(d["starts"])
            lengths = cp.norm(cp.reshape(x, (width, len(d["starts"])), order="F"), 2, axis=0)
            cost = cp.sum_squares(d["A"] @ x - d["b"]) / 2 + k["lambda"] * cp.sum(lengths)
        case "lp":
            cost = d["c"] @ x
            constraints = [d["A"] @ x == d["b"], x >= 0]
    return x, cp.Problem(cp.Minimize(cost), constraints), lambda v: v


def by_cvxpy(solver, settings):
    def solve(p, tol):
        t = time.perf_counter()
        x, problem, shape = cvxpy_model(p)
        problem.solve(solver=solver, **settings(tol))
        t = time.perf_counter() - t
        return shape(x.value), t, problem.solver_stats.solve_time
    return solve


# MindOpt's admm


def mindopt(p, tol):
    import admm

    d, k = p.data, p.params
    t = time.perf_counter()
    m = admm.Model()
    m.setOption("solver_verbosity_level", 0)
    m.setOption("admm_max_iteration", MANY)
    m.setOption("termination_absolute_error_threshold", tol)
    m.setOption("termination_relative_error_threshold", tol)
    m.setOption("termination_relative_primal_dual_gap", min(1e-4, 100 * tol))
    x = admm.Var("x", p.unknowns)
    match p.kind:
        case "lasso":
            cost = 0.5 * admm.sum(admm.square(d["A"] @ x - d["b"])) + k["lambda"] * admm.norm(x, 1)
        case "tv1d":
            cost = 0.5 * admm.sum(admm.square(x - d["b"])) + k["lambda"] * admm.tv1d(x)
        case "qp":
            cost = 0.5 * (x.T @ sp.csc_matrix(d["P"]) @ x) + d["q"] @ x
            m.addConstr(x >= d["l"])
            m.addConstr(x <= d["u"])
        case "svm":
            margins = (d["y"][:, None] * d["A"]) @ x
            cost = 0.5 * admm.sum(admm.square(x)) + k["C"] * admm.sum(admm.maximum(1 - margins, 0))
        case "logreg":
            u = (-d["y"][:, None] * d["A"]) @ x
            cost = admm.sum(admm.logistic(u, 1)) + k["lambda"] * admm.norm(x, 1)
        case "grouplasso":
            cost = 0.5 * admm.sum(admm.square(d["A"] @ x - d["b"]))
            width = p.unknowns // len(d["starts"])
            for i in range(0, p.unknowns, width):
                cost = cost + k["lambda"] * admm.norm(x[i:i + width], 2)
        case "lp":
            cost = d["c"] @ x
            m.addConstr(sp.csc_matrix(d["A"]) @ x == d["b"])
            m.addConstr(x >= 0)
    m.setObjective(cost)
    m.optimize()
    t = time.perf_counter() - t
    return np.asarray(x.X), t, m.SolverTime


# PyProximal


def pyproximal_fista(p, tol):
    import pylops
    import pyproximal

    def solve():
        A = p.data["A"]
        v = np.ones(A.shape[1])
        for _ in range(30):  # the greatest curvature, by powers
            v = A.T @ (A @ v)
            curvature = np.linalg.norm(v)
            v /= curvature
        fit = pyproximal.L2(Op=pylops.MatrixMult(A), b=p.data["b"])
        return pyproximal.optimization.primal.ProximalGradient(
            fit, pyproximal.L1(sigma=p.params["lambda"]), x0=np.zeros(A.shape[1]), tau=0.95 / curvature,
            niter=MANY, acceleration="fista", tol=tol)
    return clock(solve)


def pyproximal_tv(p, tol):
    import pyproximal

    F = p.data["F"] if p.kind == "tv2d" else p.data["b"]
    prox = lambda: pyproximal.TV(dims=F.shape, sigma=p.params["lambda"], niter=MANY, rtol=tol).prox(F.ravel(), 1.0)
    x, whole, alone = clock(prox)
    return x.reshape(F.shape), whole, alone


# Programs made for one problem


def sklearn_lasso(p, tol):
    from sklearn.linear_model import Lasso

    A, b = p.data["A"], p.data["b"]
    return clock(lambda: Lasso(alpha=p.params["lambda"] / len(b), fit_intercept=False, tol=tol, max_iter=MANY).fit(A, b).coef_)


def sklearn_svm(p, tol):
    from sklearn.svm import LinearSVC

    model = LinearSVC(loss="hinge", dual=True, C=p.params["C"], fit_intercept=False, tol=tol, max_iter=MANY, random_state=0)
    return clock(lambda: model.fit(p.data["A"], p.data["y"]).coef_.ravel())


def sklearn_logreg(p, tol):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(solver="liblinear", l1_ratio=1, C=1 / p.params["lambda"], fit_intercept=False, tol=tol,
                               max_iter=MANY, random_state=0)
    return clock(lambda: model.fit(p.data["A"], p.data["y"]).coef_.ravel())


def celer_lasso(p, tol):
    from celer import Lasso

    A, b = p.data["A"], p.data["b"]
    return clock(lambda: Lasso(alpha=p.params["lambda"] / len(b), fit_intercept=False, tol=tol, max_iter=10_000).fit(A, b).coef_)


def celer_groups(p, tol):
    from celer import GroupLasso

    A, b = p.data["A"], p.data["b"]
    model = GroupLasso(groups=A.shape[1] // len(p.data["starts"]), alpha=p.params["lambda"] / len(b), fit_intercept=False,
                       tol=tol, max_iter=10_000)
    return clock(lambda: model.fit(A, b).coef_)


def celer_logreg(p, tol):
    from celer import LogisticRegression

    model = LogisticRegression(C=1 / p.params["lambda"], tol=tol, max_iter=10_000)
    return clock(lambda: model.fit(p.data["A"], p.data["y"]).coef_.ravel())


def skglm_any(p, tol):
    import skglm

    A = p.data["A"]
    alpha = p.params["lambda"] / A.shape[0]
    match p.kind:
        case "lasso":
            model, target = skglm.Lasso(alpha=alpha, fit_intercept=False, tol=tol, max_iter=10_000), p.data["b"]
        case "grouplasso":
            width = A.shape[1] // len(p.data["starts"])
            model = skglm.GroupLasso(groups=width, alpha=alpha, fit_intercept=False, tol=tol, max_iter=10_000)
            target = p.data["b"]
        case "logreg":
            model = skglm.SparseLogisticRegression(alpha=alpha, fit_intercept=False, tol=tol, max_iter=10_000)
            target = p.data["y"]
    return clock(lambda: np.ravel(model.fit(A, target).coef_))


def condat(p, _):
    import condat_tv

    return clock(lambda: condat_tv.tv_denoise(p.data["b"], p.params["lambda"]))


def chambolle(p, tol):
    from skimage.restoration import denoise_tv_chambolle

    return clock(lambda: denoise_tv_chambolle(p.data["F"], weight=p.params["lambda"], eps=tol, max_num_iter=MANY))


def osqp_direct(p, tol):
    import osqp

    d = p.data
    t = time.perf_counter()
    m = osqp.OSQP()
    m.setup(sp.triu(sp.csc_matrix(d["P"]), format="csc"), d["q"], sp.eye(p.unknowns, format="csc"), d["l"], d["u"],
            eps_abs=tol, eps_rel=tol, max_iter=MANY, verbose=False)
    r = m.solve()
    t = time.perf_counter() - t
    return r.x, t, r.info.run_time


def highs(p, _):
    import highspy

    d = p.data
    t = time.perf_counter()
    A = sp.csc_matrix(d["A"])
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = A.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = d["c"], np.zeros(p.unknowns), np.full(p.unknowns, highspy.kHighsInf)
    lp.row_lower_ = lp.row_upper_ = d["b"]
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = A.indptr, A.indices, A.data
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.setOptionValue("threads", 1)
    h.passModel(lp)
    h.run()
    x = np.array(h.getSolution().col_value)
    t = time.perf_counter() - t
    return x, t, h.getRunTime()


ALL = set("lasso tv1d qp tv2d svm logreg grouplasso lp".split())
# name: (what it solves, its default tolerance, the function); a tolerance of None is exact
PROGRAMS = {
    "CVXPY + OSQP": (ALL - {"tv2d", "logreg", "grouplasso"}, 1e-5,
                     by_cvxpy("OSQP", lambda t: {"eps_abs": t, "eps_rel": t, "max_iter": MANY})),
    "CVXPY + SCS": (ALL, 1e-5, by_cvxpy("SCS", lambda t: {"eps_abs": t, "eps_rel": t, "max_iters": MANY})),
    "CVXPY + Clarabel": (ALL, 1e-8, by_cvxpy(
        "CLARABEL", lambda t: {"tol_gap_abs": t, "tol_gap_rel": t, "tol_feas": t})),
    "MindOpt admm": (ALL - {"tv2d"}, 1e-6, mindopt),
    "PyProximal": ({"lasso", "tv1d", "tv2d"}, 1e-4,
                   lambda p, tol: pyproximal_fista(p, tol) if p.kind == "lasso" else pyproximal_tv(p, tol)),
    "scikit-learn": ({"lasso", "svm", "logreg"}, 1e-4, lambda p, tol: {
        "lasso": sklearn_lasso, "svm": sklearn_svm, "logreg": sklearn_logreg}[p.kind](p, tol)),
    "celer": ({"lasso", "grouplasso", "logreg"}, 1e-4, lambda p, tol: {
        "lasso": celer_lasso, "grouplasso": celer_groups, "logreg": celer_logreg}[p.kind](p, tol)),
    "skglm": ({"lasso", "grouplasso", "logreg"}, 1e-4, skglm_any),
    "condat-tv": ({"tv1d"}, None, condat),
    "scikit-image": ({"tv2d"}, 2e-4, chambolle),
    "OSQP": ({"qp"}, 1e-3, osqp_direct),
    "HiGHS": ({"lp"}, None, highs),
}


def tolerances(default):
    if default is None:
        return [None]
    return [default] + [t for t in (10.0 ** -k for k in range(3, 11)) if t < 0.99 * default]


def reference(p):
    """The optimum, by a program that is exact for the problem or by Clarabel at 1e-9."""
    match p.kind:
        case "lasso":
            x = celer_lasso(p, 1e-11)[0]
            by = "celer at 1e-11"
            # the duality gap tells how far off it can be
            r = p.data["b"] - p.data["A"] @ x
            theta = r * min(1, p.params["lambda"] / np.abs(p.data["A"].T @ r).max())
            dual = p.data["b"] @ theta - theta @ theta / 2
            assert p.objective(x) - dual <= 1e-7 * dual, (p.objective(x), dual)
        case "tv1d":
            x, by = condat(p, None)[0], "condat-tv, exact"
        case _:
            x, by = PROGRAMS["CVXPY + Clarabel"][2](p, 1e-9)[0], "Clarabel at 1e-9"
    return {"objective": float(p.objective(x)), "violation": float(p.violation(x)), "by": by}


def main():
    global MANY
    name, program, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    warnings.filterwarnings("ignore")
    p = problems.make(name)
    if program == "reference":
        print(json.dumps(reference(p)))
        return
    best = float(sys.argv[4])
    _, default, solve = PROGRAMS[program]
    many, MANY = MANY, 1000
    try:  # what is imported or compiled at the first call is not counted
        solve(problems.SMALL[p.kind](), default)
    except Exception:
        pass  # too few iterations, or what the problem itself will tell
    MANY = many
    print("ready", flush=True)
    start = time.perf_counter()

    def attempt(tol):
        x, whole, alone = solve(p, tol)
        f, v = (p.objective(x), p.violation(x)) if x is not None and np.all(np.isfinite(x)) else (np.inf, np.inf)
        gap = abs(f - best) / abs(best)
        line = {"tol": tol, "whole": whole, "alone": alone, "gap": float(gap), "violation": float(v),
                "objective": float(f), "good": bool(gap <= GAP and v <= FEASIBLE)}
        print(json.dumps(line), flush=True)
        return line

    for tol in tolerances(default):
        first = attempt(tol)
        if first["good"]:
            for _ in range(int(min(6, max(1, 3 / first["whole"])))):
                if time.perf_counter() - start + first["whole"] < seconds and first["whole"] < 5:
                    attempt(tol)
            break


if __name__ == "__main__":
    main()

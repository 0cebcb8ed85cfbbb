"""The problems: seeded data, the files that admmc reads, and what an answer is judged by."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy.io
import scipy.sparse as sp

HERE = Path(__file__).parent


@dataclass
class Problem:
    kind: str
    name: str
    size: str
    unknowns: int
    entries: int  # numbers in the data
    data: dict
    params: dict = field(default_factory=dict)

    def objective(self, x):
        d, p = self.data, self.params
        match self.kind:
            case "lasso":
                return np.sum((d["A"] @ x - d["b"]) ** 2) / 2 + p["lambda"] * np.abs(x).sum()
            case "tv1d":
                return np.sum((x - d["b"]) ** 2) / 2 + p["lambda"] * np.abs(np.diff(x)).sum()
            case "tv2d":
                down, right = np.zeros_like(x), np.zeros_like(x)
                down[:-1], right[:, :-1] = np.diff(x, axis=0), np.diff(x, axis=1)
                return np.sum((x - d["F"]) ** 2) / 2 + p["lambda"] * np.hypot(down, right).sum()
            case "qp":
                return x @ (d["P"] @ x) / 2 + d["q"] @ x
            case "svm":
                return x @ x / 2 + p["C"] * np.maximum(0, 1 - d["y"] * (d["A"] @ x)).sum()
            case "logreg":
                u = d["y"] * (d["A"] @ x)
                return np.logaddexp(0, -u).sum() + p["lambda"] * np.abs(x).sum()
            case "grouplasso":
                lengths = np.sqrt(np.add.reduceat(x**2, d["starts"].astype(int) - 1))
                return np.sum((d["A"] @ x - d["b"]) ** 2) / 2 + p["lambda"] * lengths.sum()
            case "lp":
                return d["c"] @ x

    def violation(self, x):
        """The greatest violation of a constraint, relative to the numbers in it."""
        d = self.data
        match self.kind:
            case "qp":
                worst = max(np.max(d["l"] - x), np.max(x - d["u"]), 0)
                return worst / max(np.abs(d["l"]).max(), np.abs(d["u"]).max())
            case "lp":
                rows = np.abs(d["A"] @ x - d["b"]).max() / np.abs(d["b"]).max()
                return max(rows, max(-x.min(), 0) / np.abs(x).max())
        return 0.0

    def write(self, folder):
        """Data and problem text, as admmc reads them."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in self.data.items():
            if sp.issparse(value):
                scipy.io.mmwrite(folder / f"{name}.mtx", value, precision=17, symmetry="general")
            else:
                np.save(folder / f"{name}.npy", value)
        text = (HERE / "problems" / f"{self.kind}.admm").read_text()
        for name, value in self.params.items():
            lines = [f"param {name} = {value:.17g}" if line.startswith(f"param {name} =") else line
                     for line in text.split("\n")]
            text = "\n".join(lines)
        file = folder / f"{self.kind}.admm"
        file.write_text(text)
        return file


def regression(rng, m, n, share):
    A = rng.standard_normal((m, n))
    x = np.where(rng.random(n) < share, rng.standard_normal(n), 0)
    return A, A @ x + 0.1 * np.linalg.norm(A @ x) / np.sqrt(m) * rng.standard_normal(m)


def lasso(name, m, n):
    A, b = regression(np.random.default_rng(1), m, n, 0.05)
    lam = float(f"{0.1 * np.abs(A.T @ b).max():.6g}")
    return Problem("lasso", name, f"{m}×{n}", n, m * n, {"A": A, "b": b}, {"lambda": lam})


def tv1d(name, n):
    rng = np.random.default_rng(2)
    b = np.repeat(rng.standard_normal(n // 100) * 3, 100) + 0.5 * rng.standard_normal(n)
    return Problem("tv1d", name, f"{n}", n, n, {"b": b}, {"lambda": 5.0})


def qp(name, n):
    """Each row of M holds five numbers within 40 neighbours, P = M'M + I/100, and a part of the bounds is active."""
    rng = np.random.default_rng(3)
    rows = np.repeat(np.arange(n), 5)
    columns = (rows + rng.integers(0, 40, 5 * n)) % n
    M = sp.csc_array((rng.standard_normal(5 * n), (rows, columns)), shape=(n, n))
    P = sp.csc_array(M.T @ M + 0.01 * sp.eye_array(n))
    P.sum_duplicates()
    q = rng.standard_normal(n)
    data = {"P": P, "q": q, "l": -rng.random(n), "u": rng.random(n)}
    return Problem("qp", name, f"{n}", n, P.nnz, data)


def tv2d(name, n):
    rng = np.random.default_rng(4)
    i, j = np.mgrid[0:n, 0:n] / n
    F = 0.2 + 0.3 * j
    for _ in range(12):
        a, b, r, value = rng.random(4)
        F = np.where(np.hypot(i - a, j - b) < 0.05 + 0.15 * r, value, F)
    F = F + 0.1 * rng.standard_normal((n, n))
    return Problem("tv2d", name, f"{n}×{n}", n * n, n * n, {"F": F}, {"lambda": 0.15})


def svm(name, m, n):
    rng = np.random.default_rng(5)
    A = rng.standard_normal((m, n))
    y = np.where(A @ rng.standard_normal(n) + 3 * rng.standard_normal(m) > 0, 1.0, -1.0)
    return Problem("svm", name, f"{m}×{n}", n, m * n, {"A": A, "y": y}, {"C": 0.1})


def logreg(name, m, n):
    rng = np.random.default_rng(6)
    A = rng.standard_normal((m, n))
    x = np.where(rng.random(n) < 0.05, rng.standard_normal(n), 0)
    y = np.where(A @ x + rng.standard_normal(m) > 0, 1.0, -1.0)
    lam = float(f"{0.1 * np.abs(A.T @ y).max() / 2:.6g}")
    return Problem("logreg", name, f"{m}×{n}", n, m * n, {"A": A, "y": y}, {"lambda": lam})


def grouplasso(name, m, n, width):
    rng = np.random.default_rng(7)
    A = rng.standard_normal((m, n))
    x = rng.standard_normal(n) * np.repeat(rng.random(n // width) < 0.05, width)
    b = A @ x + 0.1 * np.linalg.norm(A @ x) / np.sqrt(m) * rng.standard_normal(m)
    lam = float(f"{0.1 * np.linalg.norm((A.T @ b).reshape(-1, width), axis=1).max():.6g}")
    starts = np.arange(0, n, width) + 1.0
    return Problem("grouplasso", name, f"{m}×{n}, groups of {width}", n, m * n,
                   {"A": A, "b": b, "starts": starts}, {"lambda": lam})


def lp(name, m, n):
    """Feasible and bounded by its making: b = A x with x ≥ 0, c = A'y + s with s ≥ 0 where x is 0."""
    rng = np.random.default_rng(8)
    A = sp.csc_array(sp.random(m, n, 0.05, random_state=rng, data_rvs=rng.standard_normal))
    x = np.where(rng.random(n) < 0.4 * m / n, rng.random(n), 0)
    s = np.where(x == 0, rng.random(n), 0)
    data = {"A": A, "b": A @ x, "c": A.T @ rng.standard_normal(m) + s}
    return Problem("lp", name, f"{m}×{n}", n, A.nnz, data)


MAKE = {
    "lasso-s": lambda k: lasso(k, 200, 500),
    "lasso-m": lambda k: lasso(k, 1000, 2500),
    "lasso-l": lambda k: lasso(k, 3000, 5000),
    "tv1d-s": lambda k: tv1d(k, 1000),
    "tv1d-m": lambda k: tv1d(k, 10_000),
    "tv1d-l": lambda k: tv1d(k, 100_000),
    "qp-s": lambda k: qp(k, 1000),
    "qp-m": lambda k: qp(k, 10_000),
    "qp-l": lambda k: qp(k, 100_000),
    "tv2d-s": lambda k: tv2d(k, 128),
    "tv2d-m": lambda k: tv2d(k, 256),
    "svm": lambda k: svm(k, 1000, 100),
    "logreg": lambda k: logreg(k, 1000, 500),
    "grouplasso": lambda k: grouplasso(k, 500, 1000, 10),
    "lp": lambda k: lp(k, 300, 800),
}


def make(name):
    return MAKE[name](name)


# tiny ones, on which a program is met before the clock runs
SMALL = {
    "lasso": lambda: lasso("", 30, 40),
    "tv1d": lambda: tv1d("", 200),
    "qp": lambda: qp("", 100),
    "tv2d": lambda: tv2d("", 8),
    "svm": lambda: svm("", 40, 5),
    "logreg": lambda: logreg("", 50, 40),
    "grouplasso": lambda: grouplasso("", 50, 40, 10),
    "lp": lambda: lp("", 20, 40),
}

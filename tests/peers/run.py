"""Compares admmc with its peers and rewrites the tables of README.md. See there."""

import argparse
import importlib.metadata
import json
import math
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import problems
import programs

HERE = Path(__file__).parent
PINNED = {v: "1" for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS",
                           "NUMBA_NUM_THREADS")}
GROWTH = [("lasso", "numbers in A"), ("tv1d", "unknowns"), ("qp", "unknowns")]


def environment():
    # set on some machines against faults of old OpenBLAS builds; they slow a current one
    left_out = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    return {k: v for k, v in os.environ.items() if k not in left_out} | PINNED


def reference(p, folder):
    file = folder / "reference.json"
    if not file.exists():
        r = subprocess.run([sys.executable, HERE / "programs.py", p.name, "reference", "0"], env=environment(),
                           capture_output=True, text=True, check=True)
        file.write_text(r.stdout.strip().split("\n")[-1])
    return json.loads(file.read_text())


def summary(runs, limit, died=""):
    """Of all solves of one program on one problem: the least times at the loosest tolerance that is good enough."""
    good = [r for r in runs if r["good"]]
    if good:
        return {"tol": good[0]["tol"], "whole": min(r["whole"] for r in good), "alone": min(r["alone"] for r in good),
                "gap": good[0]["gap"], "violation": good[0]["violation"], "iterations": good[0].get("iterations")}
    last = runs[-1] if runs else {}
    why = f"> {limit:g} s" if died == "late" else "inaccurate" if runs else "failed"
    return {"why": why, "detail": died, "last": last}


def peer(p, name, best, limit):
    """One peer in a process of its own, which is stopped `limit` seconds after its imports."""
    command = [sys.executable, HERE / "programs.py", p.name, name, str(limit), repr(best)]
    late = []
    with tempfile.TemporaryFile("w+") as complaints:
        child = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=complaints, text=True)

        def alarm(wait):
            timer = threading.Timer(wait, lambda: (late.append(True), child.kill()))
            timer.start()
            return timer

        timer = alarm(limit + 10)
        runs = []
        for line in child.stdout:  # some programs print a banner of their own
            if line.strip() == "ready":
                timer.cancel()
                timer = alarm(limit)
            elif line.startswith('{"tol"'):
                runs.append(json.loads(line))
        child.wait()
        timer.cancel()
        complaints.seek(0)
        last = complaints.read().strip().split("\n")[-1][:200]
    died = "late" if late else (last or f"exit {child.returncode}") if child.returncode else ""
    return summary(runs, limit, died)


def admmc_once(binary, file, p, best, tol, limit):
    out = file.parent / "out"
    run = file
    if tol is not None:
        run = file.with_name(f"{file.stem}_tight.admm")
        run.write_text(file.read_text() + f"\nsolve admm {{ tol = {tol:.0e} }}\n".replace("e-0", "e-"))
    (out / "result.json").unlink(missing_ok=True)
    t = time.perf_counter()
    r = subprocess.run([binary, "run", run, "--threads", "1", "--quiet", "--out", out], env=environment(),
                       capture_output=True, text=True, timeout=limit)
    t = time.perf_counter() - t
    if not (out / "result.json").exists():
        raise RuntimeError(f"exit {r.returncode}: {(r.stderr or r.stdout).strip()[:300]}")
    result = json.loads((out / "result.json").read_text())
    solution = np.load(out / "solution.npz")
    x = solution["X" if "X" in solution else "x"]
    f, v = p.objective(x), p.violation(x)
    gap = abs(f - best) / abs(best)
    return {"tol": tol, "whole": t, "alone": result["seconds"], "gap": float(gap), "violation": float(v),
            "status": result["status"], "iterations": result["counts"].get("iterations"), "times": result["times"],
            "good": bool(gap <= programs.GAP and v <= programs.FEASIBLE and result["status"] == "solved")}


def admmc(binary, file, p, best, limit):
    runs, start = [], time.perf_counter()
    left = lambda: limit - (time.perf_counter() - start)
    try:
        for tol in [None] + [10.0 ** -k for k in range(7, 11)]:
            runs.append(admmc_once(binary, file, p, best, tol, left()))
            if runs[-1]["good"]:
                for _ in range(int(min(6, max(1, 3 / runs[-1]["whole"])))):
                    if runs[-1]["whole"] < min(5, left()):
                        runs.append(admmc_once(binary, file, p, best, tol, left()))
                break
    except subprocess.TimeoutExpired:
        return summary(runs, limit, "late")
    except RuntimeError as e:
        return summary(runs, limit, str(e))
    return summary(runs, limit)


# The tables


def seconds(s):
    if s < 0.0000995:
        return f"{s * 1e6:.2g} µs"
    return f"{s:.3g}" if s >= 0.0995 else f"{s * 1000:.2g} ms"


def ratio(r):
    return f"{r:.3g}" if r < 100 else f"{r:.0f}"


def cell(result, base, measure, limit):
    if result is None:
        return ""
    if "why" in result:
        if result["why"].startswith(">") and base:
            return f"{result['why']} (> {ratio(limit / base)})"
        return result["why"]
    s = result[measure]
    text = seconds(s)
    if base:
        r = ratio(s / base)
        text += f" ({r})" if s >= base else f" (**{r}**)"
    return text


def table(rows, measure, limit):
    names = list(programs.PROGRAMS)
    special = [n for n in names if n in ("condat-tv", "scikit-image", "OSQP", "HiGHS")]
    names = [n for n in names if n not in special]
    lines = ["| problem | size | admmc | " + " | ".join(names) + " | made for it |", "|---" * (len(names) + 4) + "|"]
    for row in rows:
        own = row["results"].get("admmc", {})
        base = own.get(measure)
        cells = [seconds(base) if base else own.get("why", "")]
        cells += [cell(row["results"].get(n), base, measure, limit) for n in names]
        made = [f"{n} {cell(row['results'][n], base, measure, limit)}" for n in special if n in row["results"]]
        lines.append("| " + " | ".join([row["kind"], row["size"], *cells, ", ".join(made)]) + " |")
    return "\n".join(lines)


def behind(rows):
    """Where a peer is faster, in words, the worst first."""
    lines = []
    for row in rows:
        own = row["results"].get("admmc", {})
        here = f"{row['kind']} {row['size']}"
        if "why" in own:
            lines.append((0, f"- **{here}**: admmc has no answer: {own['why']} {own['detail']}"))
            continue
        words = []
        worst = math.inf
        for measure, label in (("whole", "whole"), ("alone", "solving alone")):
            ahead = sorted((r[measure] / own[measure], n) for n, r in row["results"].items()
                           if n != "admmc" and measure in r and r[measure] < own[measure])
            if ahead:
                worst = min(worst, ahead[0][0])
                words.append(f"{label}: " + ", ".join(f"{n} {1 / q:.3g}×" for q, n in ahead))
        if words:
            lines.append((worst, f"- **{here}** — {'; '.join(words)}"))
    lines.sort(key=lambda line: line[0])
    return "\n".join(text for _, text in lines) or "Nowhere."


def tolerances(rows):
    names = ["admmc", *programs.PROGRAMS]
    lines = ["| problem | size | " + " | ".join(names) + " | optimum by |", "|---" * (len(names) + 3) + "|"]
    for row in rows:
        cells = []
        for n in names:
            r = row["results"].get(n)
            if r is None:
                cells.append("")
            elif "why" in r:
                last = r["last"]
                cells.append(f"{r['why']}, gap {last['gap']:.0e}" if last else r["why"])
            else:
                tol = "default" if n == "admmc" and r["tol"] is None else "exact" if r["tol"] is None else f"{r['tol']:.0e}"
                cells.append(f"{tol}, gap {r['gap']:.0e}" + (f", off {r['violation']:.0e}" if r["violation"] > 0 else ""))
        lines.append("| " + " | ".join([row["kind"], row["size"], *cells, row["by"]]) + " |")
    return "\n".join(lines)


def growth(rows):
    lines = ["| problem | size | seconds, solving | seconds, whole | iterations | exponent, solving | exponent, whole |",
             "|---|---|---|---|---|---|---|"]
    for kind, measure in GROWTH:
        picked = [r for r in rows if r["kind"] == kind and "alone" in r["results"].get("admmc", {})]
        if not picked:
            continue
        x = [math.log(r["entries"] if measure == "numbers in A" else r["unknowns"]) for r in picked]
        fit = {m: f"{np.polyfit(x, [math.log(r['results']['admmc'][m]) for r in picked], 1)[0]:.2f} in {measure}"
               if len(picked) > 1 else "" for m in ("alone", "whole")}
        for i, r in enumerate(picked):
            own = r["results"]["admmc"]
            last = i == len(picked) - 1
            lines.append(f"| {kind} | {r['size']} | {seconds(own['alone'])} | {seconds(own['whole'])} | {own['iterations']} "
                         f"| {fit['alone'] if last else ''} | {fit['whole'] if last else ''} |")
    return "\n".join(lines)


def versions(binary):
    names = ["cvxpy", "osqp", "scs", "clarabel", "admm", "pyproximal", "scikit-learn", "celer", "skglm", "condat-tv",
             "scikit-image", "highspy", "numpy"]
    def version(n):
        try:
            return f"{n} {importlib.metadata.version(n)}"
        except importlib.metadata.PackageNotFoundError:
            return f"{n} not installed"
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()) if Path("/proc/cpuinfo").exists() else None
    own = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout.strip()
    own = f"admmc {own.split()[-1]}"
    return (f"{time.strftime('%Y-%m-%d')}, {cpu[1] if cpu else platform.machine()}, one thread, load "
            f"{os.getloadavg()[0]:.1f} of {os.cpu_count()} cores at the start; {own}, " + ", ".join(map(version, names)) + ".")


def rewrite(parts):
    file = HERE / "README.md"
    text = file.read_text()
    for name, part in parts.items():
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", lambda m: m[1] + part + "\n" + m[2], text, flags=re.S)
    file.write_text(text)


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--admmc", default="target/release/admmc", type=Path)
    a.add_argument("--work", default=HERE.parents[1] / "target/peers", type=Path, help="where data and results are kept")
    a.add_argument("--limit", default=15.0, type=float, help="seconds a peer has for a problem")
    a.add_argument("--own-limit", default=60.0, type=float, help="seconds admmc has, so that the others have a measure")
    a.add_argument("--only", default="", help="names of problems, or their beginnings, with commas between them")
    a.add_argument("--programs", default="", help="names of programs; the others keep what an earlier run found")
    a.add_argument("--table", action="store_true", help="only lay out again what was found before")
    o = a.parse_args()
    binary = o.admmc.resolve()
    o.work.mkdir(parents=True, exist_ok=True)
    found = o.work / "results.json"
    old = json.loads(found.read_text()) if found.exists() else {}
    results = old.get("rows", {})
    about = old.get("about", "") if o.table else versions(binary)
    chosen = [c for c in o.programs.split(",") if c]
    start = time.perf_counter()
    for name in [] if o.table else problems.MAKE:
        if o.only and not name.startswith(tuple(o.only.split(","))):
            continue
        p = problems.make(name)
        file = p.write(o.work / name)
        best = reference(p, file.parent)
        row = {"kind": p.kind, "size": p.size, "unknowns": p.unknowns, "entries": p.entries, "by": best["by"],
               "results": results.get(name, {}).get("results", {}) if chosen else {}}
        for program in ["admmc", *(n for n, (kinds, _, _) in programs.PROGRAMS.items() if p.kind in kinds)]:
            if chosen and program not in chosen:
                continue
            if program == "admmc":
                r = admmc(binary, file, p, best["objective"], o.own_limit)
            else:
                r = peer(p, program, best["objective"], o.limit)
            row["results"][program] = r
            print(f"{time.perf_counter() - start:6.1f}  {name:11} {program:17}", json.dumps(r), flush=True)
        results[name] = row
        found.write_text(json.dumps({"about": about, "rows": results}, indent=1))
    rows = [results[n] for n in problems.MAKE if n in results]
    rewrite({"about": about, "whole": table(rows, "whole", o.limit), "alone": table(rows, "alone", o.limit),
             "behind": behind(rows), "growth": growth(rows), "tolerances": tolerances(rows)})
    print(f"{time.perf_counter() - start:.0f} s; README.md is rewritten")


if __name__ == "__main__":
    main()

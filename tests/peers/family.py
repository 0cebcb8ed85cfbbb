"""Times the compilation of families of up to 1e5 members, and rewrites their table in README.md."""

import argparse
import re
import subprocess
import time
from pathlib import Path

import numpy as np

from run import HERE, environment, rewrite, seconds

KINDS = {"rows": "a row of an array a member, `B[k, :]`", "shards": "a shard a member, `bs[k]`",
         "shared": "the same data for all"}


def timed(command, limit):
    """Seconds, what was printed, and what went wrong."""
    t = time.perf_counter()
    try:
        r = subprocess.run(command, env=environment(), capture_output=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return None, b"", f"> {limit:g} s"
    t = time.perf_counter() - t
    if r.returncode == 0:
        return t, r.stdout, ""
    said = re.search(r"error (\w+ .*)", (r.stdout + r.stderr).decode())
    return t, r.stdout, f"refused, {said[1]}" if said else f"exit {r.returncode}"


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--admmc", default="target/release/admmc", type=Path)
    a.add_argument("--work", default=HERE.parents[1] / "target/peers", type=Path)
    a.add_argument("--limit", default=30.0, type=float, help="seconds a command has")
    o = a.parse_args()
    lines = ["| each member has | members | `check` | `emit --schedule` | bytes of the schedule | bytes a further member |",
             "|---|---|---|---|---|---|"]
    for kind, words in KINDS.items():
        smaller, hopeless = None, False
        for n in (1000, 10_000, 100_000):
            folder = o.work / f"family-{kind}-{n}"
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / "B.npy", np.random.default_rng(9).standard_normal((n, 3)))
            np.save(folder / "a.npy", np.array([1.0, 2.0, 3.0]))
            file = folder / "family.admm"
            file.write_text((HERE / "problems" / f"family_{kind}.admm").read_text().replace("let N = 1000\n", f"let N = {n}\n"))
            check, _, wrong = timed([o.admmc, "check", file], o.limit)
            check = wrong or seconds(check)
            if hopeless:
                emit, size, more = f"> {o.limit:g} s at fewer", "", ""
            else:
                emit, text, wrong = timed([o.admmc, "emit", file, "--schedule"], o.limit)
                hopeless = emit is None
                size = "" if wrong else f"{len(text)}"
                more = f"{(len(text) - smaller[1]) / (n - smaller[0]):.1f}" if size and smaller else ""
                smaller = (n, len(text)) if size else None
                emit = wrong or seconds(emit)
            lines.append(f"| {words} | {n} | {check} | {emit} | {size} | {more} |")
            print(lines[-1], flush=True)
    rewrite({"family": "\n".join(lines)})


if __name__ == "__main__":
    main()

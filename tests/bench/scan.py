#!/usr/bin/python3
"""Cumulative sums beside x * 1.5 of the same shape, which reads and writes as much as one pass over memory must: the
share of that rate which a scan reaches, in alternating runs.   scan.py NNC [--rounds 5] [--threads 1] [--other NNC]

With --other, the same models by another build: how many times its time is of this one's."""
import argparse, os, statistics, subprocess, tempfile

arguments = argparse.ArgumentParser()
arguments.add_argument("nnc")
arguments.add_argument("--other")
arguments.add_argument("--rounds", type=int, default=5)
arguments.add_argument("--threads", type=int, default=1)
a = arguments.parse_args()

CASES = [("80000", 0), ("10000000", 0), ("1000, 1000", 0), ("1000, 1000", 1)]
MODEL = """model m {{
    input x: f32[{shape}]
    param w: f32 = 1
    output y = {value}
    loss = w^2
}}
"""

def forward_us(nnc, path):
    out = subprocess.run([nnc, "bench", path, "--threads", str(a.threads)], check=True, capture_output=True, text=True)
    return float(next(line.split()[1] for line in out.stdout.splitlines() if line.startswith("forward_us")))

with tempfile.TemporaryDirectory() as folder:
    def model(shape, value):
        path = os.path.join(folder, "m.nn")
        with open(path, "w") as file:
            file.write(MODEL.format(shape=shape, value=value))
        return path

    for shape, axis in CASES:
        scan, copy, other = [], [], []
        for _ in range(a.rounds):
            scan.append(forward_us(a.nnc, model(shape, f"cumsum(x, axis = {axis})")))
            copy.append(forward_us(a.nnc, model(shape, "x * 1.5")))
            if a.other:
                other.append(forward_us(a.other, model(shape, f"cumsum(x, axis = {axis})")))
        best = min(scan)
        line = f"[{shape}] axis {axis}: {best:.0f} us, {100 * min(copy) / best:.0f} % of the rate of one pass"
        print(line + (f", {min(other) / best:.0f} times as fast" if other else ""), flush=True)

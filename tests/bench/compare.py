#!/usr/bin/python3
"""Training steps side by side: nnc, plain C over OpenBLAS, PyTorch, in alternating runs of one thread each; and the floor
that the machine's measured peak sets.   compare.py NNC [--rounds 5] [--only w1,w2] [--threads 1]

The floor of a step: its contractions at the peak rate of fused multiply-adds that `nnc bench` measures beside it, plus
the optimiser's memory traffic (bytes per parameter: SGD 12, Adam 28) at 100 GB/s where the state exceeds 1 MiB. w5
has no program over OpenBLAS."""
import argparse, json, os, statistics, subprocess, tempfile

here = os.path.dirname(os.path.abspath(__file__))
arguments = argparse.ArgumentParser()
arguments.add_argument("nnc")
arguments.add_argument("--rounds", type=int, default=5)
arguments.add_argument("--only", default="w1,w2,w3,w5")
arguments.add_argument("--threads", type=int, default=1)
a = arguments.parse_args()

environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
environment.update(OMP_NUM_THREADS=str(a.threads), OPENBLAS_NUM_THREADS=str(a.threads))
PARAMETERS = {"w1": (101770, 12), "w2": (669706, 28), "w3": (416650, 12), "w5": (818241, 28)}

def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout

def traffic_us(name):
    count, bytes_each = PARAMETERS[name]
    return count * bytes_each / 100e3 if count * bytes_each > 1 << 20 else 0

with tempfile.TemporaryDirectory() as folder:
    peer = os.path.join(folder, "peer")
    subprocess.run(["cc", "-O3", "-march=native", "-ffast-math", os.path.join(here, "peer_openblas.c"), "-o", peer,
                    "-lopenblas", "-lm"], check=True)
    print(f"{'':4} {'floor':>9} {'nnc':>9} {'OpenBLAS':>9} {'PyTorch':>9}   {'nnc/floor':>9} {'OpenBLAS/nnc':>12} {'PyTorch/nnc':>11}")
    for name in a.only.split(","):
        rows = []
        for _ in range(a.rounds):
            bench = json.loads(output(a.nnc, "bench", os.path.join(here, "models", name + ".nn"), "--threads",
                                      str(a.threads), "--json"))
            floor = bench["flops"] / bench["peak_gflops"] / 1e3 + traffic_us(name)
            c = float(output(peer, name)) if name != "w5" else float("nan")
            torch = float(output("/usr/bin/python3", os.path.join(here, "peer_torch.py"), name, str(a.threads)))
            rows.append((floor, bench["step_us"], c, torch, bench["step_us"] / floor, c / bench["step_us"],
                         torch / bench["step_us"]))
        m = [statistics.median(column) for column in zip(*rows)]
        print(f"{name:4} {m[0]:9.1f} {m[1]:9.1f} {m[2]:9.1f} {m[3]:9.1f}   {m[4]:9.2f} {m[5]:12.2f} {m[6]:11.2f}")

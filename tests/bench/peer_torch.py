#!/usr/bin/python3
"""The training steps of models/w1 … w3 in PyTorch.  Prints the median microseconds of a step.  peer_torch.py w1 [THREADS]"""
import sys, time, torch, torch.nn as nn, torch.nn.functional as F

name, threads = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
torch.set_num_threads(threads)
torch.manual_seed(0)

def mlp(widths, activation):
    layers = []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), activation()]
    return nn.Sequential(*layers[:-1])

net, batch, width = {
    "w1": lambda: (mlp([784, 128, 10], nn.ReLU), 64, 784),
    "w2": lambda: (mlp([784, 512, 512, 10], nn.ReLU), 128, 784),
    "w3": lambda: (mlp([64] * 101 + [10], nn.Tanh), 32, 64),
}[name]()
if name == "w2":
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
else:
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
x, label = torch.rand(batch, width), torch.randint(0, 10, (batch,))

def step():
    optimizer.zero_grad(set_to_none=True)
    F.cross_entropy(net(x), label).backward()
    optimizer.step()

for _ in range(10):
    step()
times, end = [], time.perf_counter() + 1.5
while time.perf_counter() < end or len(times) < 20:
    start = time.perf_counter()
    step()
    times.append(time.perf_counter() - start)
print(f"{sorted(times)[len(times) // 2] * 1e6:.2f}")

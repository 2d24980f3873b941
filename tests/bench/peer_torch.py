#!/usr/bin/python3
"""The training steps of models/w1 … w5 in PyTorch.  Prints the median microseconds of a step.  peer_torch.py w1 [THREADS]"""
import sys, time, torch, torch.nn as nn, torch.nn.functional as F

name, threads = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
torch.set_num_threads(threads)
torch.manual_seed(0)

def mlp(widths, activation):
    layers = []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), activation()]
    return nn.Sequential(*layers[:-1])

class Block(nn.Module):
    def __init__(self, width, heads, context):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.register_buffer("future", torch.triu(torch.ones(context, context), 1).bool())

    def forward(self, x):
        batch, time, width = x.shape
        q, k, v = (y.view(batch, time, self.heads, -1).transpose(1, 2)
                   for y in self.qkv(self.norms[0](x)).split(width, dim=2))
        s = (q @ k.transpose(-2, -1) / (width // self.heads) ** 0.5).masked_fill(self.future, float("-inf"))
        x = x + self.out((F.softmax(s, dim=-1) @ v).transpose(1, 2).reshape(batch, time, width))
        return x + self.down(F.gelu(self.up(self.norms[1](x))))

class Transformer(nn.Module):
    def __init__(self, letters, width, heads, context, blocks):
        super().__init__()
        self.table, self.position = nn.Embedding(letters, width), nn.Parameter(torch.zeros(context, width))
        self.blocks = nn.Sequential(*(Block(width, heads, context) for _ in range(blocks)))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, letters))

    def forward(self, ids):
        return self.head(self.blocks(self.table(ids) + self.position)).flatten(0, 1)

net, x, labels = {
    "w1": lambda: (mlp([784, 128, 10], nn.ReLU), torch.rand(64, 784), 64),
    "w2": lambda: (mlp([784, 512, 512, 10], nn.ReLU), torch.rand(128, 784), 128),
    "w3": lambda: (mlp([64] * 101 + [10], nn.Tanh), torch.rand(32, 64), 32),
    "w5": lambda: (Transformer(65, 128, 4, 64, 4), torch.randint(0, 65, (16, 64)), 16 * 64),
}[name]()
optimizer = {
    "w2": lambda: torch.optim.Adam(net.parameters(), lr=1e-3),
    "w5": lambda: torch.optim.AdamW(net.parameters(), lr=3e-4),
}.get(name, lambda: torch.optim.SGD(net.parameters(), lr=0.01))()
label = torch.randint(0, 10, (labels,))

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

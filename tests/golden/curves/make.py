#!/usr/bin/python3
"""Makes the golden training curves beside this file with PyTorch in f64: for each network its data, its first weights
under nnc's names and the loss before each of 25 updates by every optimiser.  Run it only to change the networks."""
import json, os, torch
import torch.nn as nn, torch.nn.functional as F

torch.set_default_dtype(torch.float64)
STEPS = 25
OPTIMIZERS = {
    "sgd(lr = 0.1)": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd(lr = 0.1, decay = 0.01)": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.01),
    "momentum(lr = 0.05, mu = 0.9)": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "nesterov(lr = 0.05, mu = 0.8)": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, nesterov=True),
    "adagrad(lr = 0.1)": lambda p: torch.optim.Adagrad(p, lr=0.1),
    "rmsprop(lr = 0.01)": lambda p: torch.optim.RMSprop(p, lr=0.01),
    "adam(lr = 0.02)": lambda p: torch.optim.Adam(p, lr=0.02),
    "adam(lr = 0.02, decay = 0.05)": lambda p: torch.optim.Adam(p, lr=0.02, weight_decay=0.05),
    "adamw(lr = 0.02, decay = 0.1)": lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.1),
}

def dense(path, layer):
    return {path + ".W": (layer, "weight", True), path + ".b": (layer, "bias", False)}

def logistic():
    a = nn.Linear(4, 1)
    x, t = torch.randn(12, 4), (torch.rand(12, 1) > 0.5).double()
    return x, t, [a], lambda: F.binary_cross_entropy_with_logits(a(x), t), dense("z.dense", a)

def classifier():
    a, b, c = nn.Linear(5, 8), nn.Linear(8, 6), nn.Linear(6, 3)
    x, t = torch.randn(20, 5), torch.randint(0, 3, (20,))
    loss = lambda: F.cross_entropy(c(F.elu(b(torch.tanh(a(x))))), t)
    return x, t, [a, b, c], loss, {**dense("z.dense", a), **dense("z.dense_2", b), **dense("z.dense_3", c)}

def regression():
    a, n, b = nn.Linear(6, 7), nn.LayerNorm(7), nn.Linear(7, 2)
    x, t = torch.randn(16, 6), torch.randn(16, 2)
    loss = lambda: F.mse_loss(b(F.silu(n(a(x)))), t)
    norm = {"h.layer_norm.gain": (n, "weight", False), "h.layer_norm.bias": (n, "bias", False)}
    return x, t, [a, n, b], loss, {**dense("h.dense", a), **norm, **dense("y.dense", b)}

def make(name, build):
    torch.manual_seed(7)
    x, t, modules, loss, paths = build()
    start = {}
    for path, (module, attribute, transposed) in paths.items():
        value = getattr(module, attribute).detach()
        start[path] = (value.T if transposed else value).contiguous().flatten().tolist()
    first = [{k: v.clone() for k, v in m.state_dict().items()} for m in modules]
    curves = {}
    for text, optimizer in OPTIMIZERS.items():
        for module, state in zip(modules, first):
            module.load_state_dict({k: v.clone() for k, v in state.items()})
        o = optimizer([p for m in modules for p in m.parameters()])
        losses = []
        for _ in range(STEPS):
            o.zero_grad()
            value = loss()
            value.backward()
            o.step()
            losses.append(value.item())
        curves[text] = losses
    golden = {"rows": len(x), "x": x.flatten().tolist(), "t": t.flatten().tolist(), "start": start, "curves": curves}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".json"), "w") as f:
        json.dump(golden, f, indent=0)
        f.write("\n")

for build in (logistic, classifier, regression):
    make(build.__name__, build)

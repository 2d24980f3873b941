#!/usr/bin/python3
"""Makes the golden values of the prelude beside this file with PyTorch in f64: for each case an expression of .nn, its
inputs, its value and the gradient of the value's sum by each input.  Run it only to change the cases.

Points that are left out, since PyTorch has another convention than nnc (docs/numbers.md):
  - gradients of hard_sigmoid and hard_swish at -3 and 3: nnc's min and max share a tie, PyTorch gives it to one side;
  - gradients of bce at p = 0 and p = 1, where nnc's bounded logarithm is constant and PyTorch bounds the quotient;
  - gradients at NaN: only that NaN passes is fixed;
  - softplus beyond 20, gelu's left tail and hard_sigmoid's slope are not taken from PyTorch's own functions, which lose
    digits there (the last one takes 1/6 in f32).
A case without a gradient for an input says nothing about it."""
import json, math, os
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(11)
nan, inf = math.nan, math.inf

ORDINARY = [-2.5, -1.3, -0.7, 0.4, 1.1, 2.9]
KINKS = [0.0, 1e-3, -1e-3, 1e-8, -1e-8, 3 - 1e-3, 3 + 1e-3, -3 - 1e-3, -3 + 1e-3]
FAR = [-1000.0, -40.0, -8.0, 8.0, 40.0, 1000.0]


def numbers(t):
    """JSON has no NaN and no infinities: they are texts."""
    plain = lambda v: v if math.isfinite(v) else "nan" if v != v else "inf" if v > 0 else "-inf"
    return [plain(float(v)) for v in t.detach().double().flatten().tolist()]


class Cases:
    def __init__(self):
        self.cases = []

    def add(self, model, function, inputs, gradients=True):
        """`inputs`: name -> (type of .nn, values); gradients: True for all floats, or the names that have one."""
        tensors = {}
        for name, (kind, values) in inputs.items():
            t = torch.as_tensor(values)
            t = t.long() if kind.startswith("i32") else t.double()
            tensors[name] = t.clone().requires_grad_(not kind.startswith("i32"))
        value = function(*tensors.values())
        wanted = [n for n, t in tensors.items() if t.requires_grad and (gradients is True or n in (gradients or []))]
        slopes = {}
        if wanted:
            found = torch.autograd.grad(value.sum(), [tensors[n] for n in wanted], allow_unused=True)
            slopes = {n: numbers(torch.zeros_like(tensors[n]) if g is None else g) for n, g in zip(wanted, found)}
        self.cases.append({
            "model": model,
            "inputs": {n: {"type": inputs[n][0], "shape": list(t.shape), "values": numbers(t)}
                       for n, t in tensors.items()},
            "value": numbers(value), "gradients": slopes})

    def elementwise(self, model, function, points=ORDINARY + KINKS + FAR, nan_value=nan):
        row = lambda values: {"x": ("f32[n]", torch.tensor(values))}
        self.add(model, function, row(points))
        self.add(model, function, row(points[:1]))
        self.add(model, function, row([]))
        self.add(model, lambda x: x * 0 + nan_value, row([nan]), gradients=False)

    def write(self, name):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".json"), "w") as f:
            f.write('{"cases": [\n' + ",\n".join(json.dumps(c) for c in self.cases) + "\n]}\n")


def matrix(rows, columns, scale=1.0):
    return torch.randn(rows, columns) * scale


def softplus(x):
    return torch.logaddexp(x, torch.zeros_like(x))


def gelu(x):
    return 0.5 * x * torch.special.erfc(-x / math.sqrt(2.0))


def gelu_tanh(x):
    return x * torch.sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))


def activations():
    c = Cases()
    c.elementwise("relu(x)", F.relu)
    c.elementwise("leaky_relu(x)", lambda x: F.leaky_relu(x, 0.01))
    c.elementwise("leaky_relu(x, slope = 0.3)", lambda x: F.leaky_relu(x, 0.3))
    c.elementwise("elu(x)", F.elu)
    c.elementwise("elu(x, alpha = 0.5)", lambda x: F.elu(x, 0.5))
    c.elementwise("selu(x)", F.selu)
    c.elementwise("celu(x)", F.celu)
    c.elementwise("celu(x, alpha = 2.0)", lambda x: F.celu(x, 2.0))
    c.elementwise("gelu(x)", gelu)
    c.elementwise("gelu_tanh(x)", gelu_tanh)
    c.elementwise("silu(x)", F.silu)
    c.elementwise("sigmoid(x)", torch.sigmoid)
    c.elementwise("tanh(x)", torch.tanh)
    c.elementwise("softplus(x)", softplus)
    c.elementwise("softsign(x)", F.softsign)
    c.elementwise("mish(x)", lambda x: x * torch.tanh(softplus(x)))
    c.elementwise("hard_sigmoid(x)", lambda x: torch.clamp(x / 6 + 0.5, 0, 1))
    c.elementwise("hard_swish(x)", F.hardswish)
    c.elementwise("identity(x)", lambda x: x + 0)
    for name, function in (("hard_sigmoid", F.hardsigmoid), ("hard_swish", F.hardswish)):
        c.add(name + "(x)", function, {"x": ("f32[n]", [-3.0, 3.0])}, gradients=False)
    weight = torch.tensor([[0.5, -1.0, 2.0, 0.25]])
    ordinary = matrix(3, 4, 2.0)
    far = torch.tensor([[1000.0, -1000.0, 0.0, 999.0], [-1000.0, -1000.0, -1000.0, -999.5]])
    for x in (ordinary, far, torch.zeros(1, 4), torch.zeros(0, 4)):
        inputs = {"x": ("f32[n, 4]", x), "w": ("f32[1, 4]", weight)}
        c.add("w * softmax(x)", lambda x, w: w * torch.softmax(x, -1), inputs)
        c.add("w * log_softmax(x)", lambda x, w: w * torch.log_softmax(x, -1), inputs)
        c.add("glu(x)", lambda x: F.glu(x, -1), {"x": ("f32[n, 4]", x)})
    column = {"x": ("f32[n, 4]", ordinary), "w": ("f32[1, 4]", weight)}
    c.add("w * softmax(x, axis = 0)", lambda x, w: w * torch.softmax(x, 0), column)
    c.add("w * log_softmax(x, axis = 0)", lambda x, w: w * torch.log_softmax(x, 0), column)
    c.add("softmax(x)", lambda x: x * nan, {"x": ("f32[n, 3]", [[0.0, nan, 1.0]])}, gradients=False)
    c.write("activations")


def pairs(c, model, function, y, t, gradients=True):
    c.add(model, function, {"y": ("f32[n]", y), "t": ("f32[n]", t)}, gradients)


def cross_entropy(c):
    label = ("i32[n] in 4", [2, 0, 3])
    ordinary, far = matrix(3, 4, 2.0), torch.tensor([[1000.0, -1000.0, 0.0, 999.0], [-1000.0, 1000.0, -1000.0, -999.5],
                                                     [1000.0, 1000.0, 1000.0, 1000.0]])
    weight = torch.tensor([0.5, 1.0, 2.0, 0.25])
    for x in (ordinary, far):
        inputs = {"z": ("f32[n, 4]", x), "label": label}
        c.add("cross_entropy(z, label)", lambda z, label: F.cross_entropy(z, label), inputs)
        c.add("cross_entropy(z, label, smoothing = 0.1)",
              lambda z, label: F.cross_entropy(z, label, label_smoothing=0.1), inputs)
        inputs["weight"] = ("f32[4]", weight)
        c.add("cross_entropy(z, label, weight = weight)",
              lambda z, label, weight: F.cross_entropy(z, label, weight=weight.detach()), inputs, gradients=["z"])
        c.add("cross_entropy(z, label, smoothing = 0.2, weight = weight)",
              lambda z, label, weight: F.cross_entropy(z, label, weight=weight.detach(), label_smoothing=0.2), inputs,
              gradients=["z"])
        shares = {"z": ("f32[n, 4]", x), "p": ("f32[n, 4]", torch.softmax(matrix(3, 4), -1))}
        c.add("cross_entropy(z, p)", lambda z, p: F.cross_entropy(z, p), shares, gradients=["z"])
        c.add("cross_entropy(z, p, smoothing = 0.1)", lambda z, p: F.cross_entropy(z, p, label_smoothing=0.1), shares,
              gradients=["z"])
    c.add("cross_entropy(z, label)", lambda z, label: F.cross_entropy(z, label),
          {"z": ("f32[n, 4]", ordinary[:1]), "label": ("i32[n] in 4", [1])})
    c.add("cross_entropy(z, label)", lambda z, label: z.sum() * nan, {"z": ("f32[n, 4]", torch.zeros(0, 4)),
          "label": ("i32[n] in 4", torch.zeros(0))}, gradients=False)
    c.add("cross_entropy(z, label)", lambda z, label: z.sum() * nan, {"z": ("f32[n, 4]", [[0.0, nan, 1.0, 2.0]]),
          "label": ("i32[n] in 4", [0])}, gradients=False)
    c.add("nll(logp, label)", lambda logp, label: F.nll_loss(logp, label),
          {"logp": ("f32[n, 4]", torch.log_softmax(ordinary, -1)), "label": label})


def cosine(a, b):
    square = lambda v: torch.clamp((v**2).sum(-1), min=1e-8**2)
    return (a * b).sum(-1) / torch.sqrt(square(a) * square(b))


def triplet(margin):
    def loss(a, p, n):
        far = lambda u, v: torch.sqrt(((u - v) ** 2).sum(-1) + 1e-12)
        return F.relu(far(a, p) - far(a, n) + margin).mean()
    return loss


def losses():
    c = Cases()
    y, t = torch.tensor([0.5, -1.25, 3.0, 1000.0, -1000.0, 0.75]), torch.tensor([0.25, 1.0, 3.0, -1000.0, -999.0, 1.75])
    single, empty = (torch.tensor([0.3]), torch.tensor([-0.2])), (torch.zeros(0), torch.zeros(0))
    table = {"mse(y, t)": F.mse_loss, "mae(y, t)": F.l1_loss, "huber(y, t)": F.huber_loss,
             "huber(y, t, delta = 0.5)": lambda y, t: F.huber_loss(y, t, delta=0.5),
             "hinge(y, t)": lambda y, t: F.relu(1 - t * y).mean()}
    for model, function in table.items():
        signs = model.startswith("hinge")
        pairs(c, model, function, y, torch.sign(t) if signs else t)
        pairs(c, model, function, *single)
        pairs(c, model, function, *empty, gradients=False)
        pairs(c, model, lambda y, t: y.sum() + t.sum(), [nan, 1.0], [0.5, 1.0], gradients=False)
    p, u = torch.tensor([0.1, 0.5, 0.999, 1e-6, 0.75]), torch.tensor([0.0, 1.0, 1.0, 0.0, 0.3])
    bce = lambda p, t: F.binary_cross_entropy(p, t)
    c.add("bce(p, t)", bce, {"p": ("f32[n]", p), "t": ("f32[n]", u)}, gradients=["p"])
    certain = {"p": ("f32[n]", [0.0, 1.0, 0.0, 1.0]), "t": ("f32[n]", [0.0, 1.0, 1.0, 0.25])}
    c.add("bce(p, t)", bce, certain, gradients=False)
    c.add("bce(p, t)", bce, {"p": ("f32[n]", [0.625]), "t": ("f32[n]", [1.0])}, gradients=["p"])
    c.add("bce(p, t)", lambda p, t: p.sum() * nan, {"p": ("f32[n]", []), "t": ("f32[n]", [])}, gradients=False)
    logits = {"x": ("f32[n]", [0.0, 0.4, -1.5, 1000.0, -1000.0, 1000.0, -1000.0]),
              "t": ("f32[n]", [1.0, 0.3, 0.0, 1.0, 1.0, 0.0, 0.0])}
    c.add("bce_logits(x, t)", lambda x, t: F.binary_cross_entropy_with_logits(x, t), logits, gradients=["x"])
    c.add("bce_logits(x, t, weight = 3.0)",
          lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=torch.tensor(3.0)), logits, gradients=["x"])
    c.add("bce_logits(x, t)", lambda x, t: x.sum() * nan, {"x": ("f32[n]", []), "t": ("f32[n]", [])}, gradients=False)
    cross_entropy(c)
    logq, q = torch.log_softmax(matrix(3, 4), -1), torch.softmax(matrix(3, 4), -1)
    kl = lambda logq, p: F.kl_div(logq, p, reduction="batchmean")
    c.add("kl_div(logq, p)", kl, {"logq": ("f32[n, 4]", logq), "p": ("f32[n, 4]", q)})
    zeros = {"logq": ("f32[n, 4]", logq[:1]), "p": ("f32[n, 4]", [[0.0, 0.25, 0.75, 0.0]])}
    c.add("kl_div(logq, p)", kl, zeros, gradients=["logq"])
    a, b, d = matrix(3, 4), matrix(3, 4), matrix(3, 4)
    for scale in (1, 1000):
        c.add("cosine_loss(a, b)", lambda a, b: (1 - cosine(a, b)).mean(),
              {"a": ("f32[n, 4]", scale * a), "b": ("f32[n, 4]", b)})
    three = {"a": ("f32[n, 4]", a), "p": ("f32[n, 4]", b), "o": ("f32[n, 4]", d)}
    c.add("triplet(a, p, o)", lambda a, p, o: triplet(1.0)(a, p, o), three)
    c.add("triplet(a, p, o, margin = 0.2)", lambda a, p, o: triplet(0.2)(a, p, o), three)
    c.write("losses")


def functions():
    """What losses and layers are made of: small functions of the prelude and the functions of the language itself."""
    c = Cases()
    positive = [1e-3, 0.4, 1.0, 2.9, 40.0, 1000.0]
    moderate = ORDINARY + [0.0, 1e-3, -1e-3, 8.0, -8.0, 40.0, -40.0]
    inside = [-0.9, -0.5, -1e-3, 0.0, 1e-8, 0.3, 0.75, 0.999]
    plain = {"abs": (torch.abs, None), "sign": (torch.sign, None), "sqrt": (torch.sqrt, positive),
             "rsqrt": (torch.rsqrt, positive), "exp": (torch.exp, moderate), "expm1": (torch.expm1, moderate),
             "log": (torch.log, positive), "log1p": (torch.log1p, positive + [-0.5, -0.999, 1e-8]),
             "sin": (torch.sin, None),
             "cos": (torch.cos, None), "tan": (torch.tan, ORDINARY), "asin": (torch.asin, inside),
             "acos": (torch.acos, inside), "atan": (torch.atan, None), "sinh": (torch.sinh, moderate),
             "cosh": (torch.cosh, moderate), "erf": (torch.erf, None), "erfc": (torch.erfc, moderate),
             "floor": (torch.floor, None), "ceil": (torch.ceil, None),
             "round": (torch.round, [0.5, 1.5, 2.5, -0.5, -1.5, 2.4, 1000.0])}
    for name, (function, points) in plain.items():
        c.elementwise(name + "(x)", function, points or ORDINARY + KINKS + FAR)
    c.elementwise("clamp(x, -1.0, 2.0)", lambda x: torch.clamp(x, -1.0, 2.0))
    c.elementwise("x^2", lambda x: x**2)
    c.elementwise("x^3", lambda x: x**3)
    c.elementwise("x^0.5", lambda x: x**0.5, positive)
    c.elementwise("x^(-1)", lambda x: 1 / x, positive)
    two = {"x": ("f32[n]", [1.5, -2.0, 3.0, 1000.0, -7.5]), "y": ("f32[n]", [2.0, 0.5, -1.25, 3.0, 2.0])}
    c.add("max(x, y)", lambda x, y: torch.maximum(x, y), two)
    c.add("min(x, y)", lambda x, y: torch.minimum(x, y), two)
    c.add("max(x, y)", lambda x, y: torch.maximum(x, y), {"x": ("f32[n]", [1.0, 0.0]), "y": ("f32[n]", [1.0, 0.0])})
    c.add("max(x, y)", lambda x, y: x + y, {"x": ("f32[n]", [nan, 1.0]), "y": ("f32[n]", [1.0, nan])}, gradients=False)
    c.add("min(x, y)", lambda x, y: x + y, {"x": ("f32[n]", [nan, 1.0]), "y": ("f32[n]", [1.0, nan])}, gradients=False)
    c.add("atan2(x, y)", lambda x, y: torch.atan2(x, y), two)
    c.add("x % y", lambda x, y: torch.remainder(x, y), two, gradients=["x"])
    c.add("x / y", lambda x, y: x / y, two)
    c.add("x * y - x", lambda x, y: x * y - x, two)
    rows = {"x": ("f32[n, 4]", matrix(3, 4)), "w": ("f32[1, 4]", torch.tensor([[1.0, -2.0, 0.5, 3.0]]))}
    only = {"x": rows["x"]}
    reducers = {"sum": torch.sum, "mean": torch.mean, "prod": torch.prod,
                "logsumexp": lambda x, dim: torch.logsumexp(x, dim),
                "max": lambda x, dim: torch.amax(x, dim), "min": lambda x, dim: torch.amin(x, dim),
                "variance": lambda x, dim: torch.var(x, dim, unbiased=False)}
    for name, function in reducers.items():
        for axis in (0, 1, -1):
            c.add(f"{name}(x, axis = {axis})", lambda x, f=function, d=axis: f(x, dim=d), only)
        whole = {"logsumexp": lambda x: torch.logsumexp(x.flatten(), 0), "max": torch.max, "min": torch.min,
                 "variance": lambda x: torch.var(x, unbiased=False)}.get(name, function)
        c.add(f"{name}(x)", lambda x, f=whole: f(x), only)
    c.add("x - mean(x, axis = 1, keep = true)", lambda x: x - x.mean(1, keepdim=True), only)
    c.add("prod(x, axis = 1)", lambda x: torch.prod(x, 1),
          {"x": ("f32[n, 3]", [[0.0, 2.0, 3.0], [0.0, 0.0, 4.0], [1.0, 2.0, 3.0]])})
    c.add("logsumexp(x, axis = 1)", lambda x: torch.logsumexp(x, 1),
          {"x": ("f32[n, 3]", [[1000.0, 999.0, -1000.0], [-1000.0, -1000.0, -1000.0]])})
    c.add("cumsum(w * x)", lambda x, w: torch.cumsum(w * x, -1), rows)
    c.add("cumsum(w * x, axis = 0)", lambda x, w: torch.cumsum(w * x, 0), rows)
    for model, value in (("sum(x)", 0.0), ("prod(x)", 1.0), ("mean(x)", nan)):
        c.add(model, lambda x, v=value: x.sum() + v, {"x": ("f32[n, 4]", torch.zeros(0, 4))}, gradients=False)
    c.add("norm(x)", lambda x: torch.linalg.vector_norm(x, dim=-1), only)
    c.add("norm(x, eps = 0.01)", lambda x: torch.sqrt((x**2).sum(-1) + 0.01), only)
    c.add("flatten(x)", lambda x: x.reshape(2, 6), {"x": ("f32[n, 2, 3]", torch.randn(2, 2, 3))})
    label = ("i32[n] in 4", [2, 0, 3])
    c.add("one_hot(label)", lambda label: F.one_hot(label, 4).double(), {"label": label})
    c.add("pick(x, label)", lambda x, label: x[torch.arange(3), label], {"x": rows["x"], "label": label})
    c.add("concat(x, w * x)", lambda x, w: torch.cat([x, w * x], -1), rows)
    c.add("reverse(w * x)", lambda x, w: torch.flip(w * x, [-1]), rows)
    c.add("roll(w * x, 1)", lambda x, w: torch.roll(w * x, 1, -1), rows)
    c.add("x @ x.T", lambda x: x @ x.T, only)
    c.write("functions")


def schedules():
    """Against PyTorch's schedulers, which set the rate of a step by its number from 0."""
    c = Cases()
    steps = 20

    def curve(scheduler, **options):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        rates, plan = [], scheduler(optimizer, **options)
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            plan.step()
        return torch.tensor(rates)

    step = torch.arange(1.0, steps + 1)
    s = torch.optim.lr_scheduler
    by_step = {"step_decay(step, 6)": (s.StepLR, {"step_size": 6}),
               "step_decay(step, 4, factor = 0.5)": (s.StepLR, {"step_size": 4, "gamma": 0.5}),
               "linear_warmup(step, 8)": (s.LambdaLR, {"lr_lambda": lambda k: min((k + 1) / 8, 1)})}
    for model, (scheduler, options) in by_step.items():
        c.add(model, lambda x, r=curve(scheduler, **options): r, {"step": ("f32[n]", step)}, gradients=False)
    by_progress = {
        "cosine_decay(t)": (s.CosineAnnealingLR, {"T_max": steps}),
        "cosine_decay(t, end = 0.1)": (s.CosineAnnealingLR, {"T_max": steps, "eta_min": 0.1}),
        "exponential_decay(t)": (s.ExponentialLR, {"gamma": 0.01 ** (1 / steps)}),
        "polynomial_decay(t)": (s.PolynomialLR, {"total_iters": steps, "power": 1.0}),
        "polynomial_decay(t, power = 2.0)": (s.PolynomialLR, {"total_iters": steps, "power": 2.0})}
    for model, (scheduler, options) in by_progress.items():
        c.add(model, lambda x, r=curve(scheduler, **options): r, {"t": ("f32[n]", (step - 1) / steps)}, gradients=False)

    def one_cycle(t):
        down = 0.5 * (1 + torch.cos(math.pi * (t - 0.3) / 0.7))
        return torch.where(t < 0.3, 0.04 + 0.96 * 0.5 * (1 - torch.cos(math.pi * t / 0.3)), 4e-6 + (1 - 4e-6) * down)
    c.add("one_cycle(t)", one_cycle, {"t": ("f32[n]", (step - 1) / steps)}, gradients=False)
    c.write("schedules")


def metrics():
    c = Cases()
    z, label = matrix(6, 4), torch.tensor([0, 3, 1, 2, 2, 0])
    inputs = {"z": ("f32[n, 4]", z), "label": ("i32[n] in 4", label)}
    rank = lambda z, label: (z > z.gather(1, label[:, None])).sum(1)
    c.add("accuracy(z, label)", lambda z, label: (z.argmax(1) == label).double().mean(), inputs, gradients=False)
    tied = {"z": ("f32[n, 3]", [[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]]), "label": ("i32[n] in 3", [0, 1])}
    c.add("accuracy(z, label)", lambda z, label: torch.tensor(0.5), tied, gradients=False)
    for k in (1, 2, 3):
        c.add(f"top_k(z, label, k = {k})", lambda z, label, k=k: (rank(z, label) < k).double().mean(), inputs,
              gradients=False)
    c.add("perplexity(z, label)", lambda z, label: torch.exp(F.cross_entropy(z, label)), inputs, gradients=False)
    y, t = torch.randn(7), torch.randn(7)
    numbers = {"y": ("f32[n]", y), "t": ("f32[n]", t)}
    c.add("rmse(y, t)", lambda y, t: F.mse_loss(y, t).sqrt(), numbers)
    c.add("r2(y, t)", lambda y, t: 1 - ((y - t) ** 2).sum() / ((t - t.mean()) ** 2).sum(), numbers)
    p, b = torch.tensor([0.1, 0.8, 0.55, 0.5, 0.3, 0.95, 0.6]), torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0])
    binary = {"p": ("f32[n]", p), "t": ("f32[n]", b)}
    for threshold in ("", ", threshold = 0.25"):
        at = 0.25 if threshold else 0.5
        hits = lambda p, t, at=at: ((p > at) & (t > 0.5)).double().sum()
        called = lambda p, at=at: (p > at).double().sum()
        ratios = {"precision": lambda p, t: hits(p, t) / called(p), "recall": lambda p, t: hits(p, t) / t.sum(),
                  "f1": lambda p, t: 2 * hits(p, t) / (called(p) + t.sum())}
        for name, ratio in ratios.items():
            c.add(f"{name}(p, t{threshold})", ratio, binary, gradients=False)
    none = {"p": ("f32[n]", [0.1, 0.2]), "t": ("f32[n]", [0.0, 0.0])}
    for name in ("precision", "recall", "f1"):
        c.add(f"{name}(p, t)", lambda p, t: torch.tensor(0.0), none, gradients=False)
    # The area under the curve is the chance that a positive stands above a negative; with every score in the middle
    # of a bin of its own the trapezoids give exactly that.
    scores, hits = (torch.tensor([0, 3, 2, 7, 5, 9, 4]) + 0.5) / 10, torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0])
    above = lambda p, t: (p[t > 0.5][:, None] > p[t <= 0.5][None, :]).double().mean()
    c.add("auc(p, t, bins = 10)", above, {"p": ("f32[n]", scores), "t": ("f32[n]", hits)}, gradients=False)
    c.write("metrics")


for make in (activations, losses, functions, schedules, metrics):
    make()

"""Where PyTorch has what a case builds, the reference solution is held against it, over random configurations in float64.

A counterpart runs both on the same numbers and returns how far apart they are: the largest difference between two arrays, as a
share of the largest entry. Where the case's contract is another one than PyTorch's, the counterpart takes just that difference
out before it compares, and proves that it is there; `differs` says what it is, and the case's discharge note has to say so too
(`told`, which tests/test_parity.py looks for).

    python -m tests.proof.parity [CASE]    print the table; exit code 1 where the two disagree, or torch is not there
"""

import argparse
import sys
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from autograder.judge import namespace_with
from autograder.paths import STAGES
from autograder.progress import progress_bar

from . import cases, exercises

try:
    import torch
except ImportError:
    torch = None

DEPENDS = ("case", "clinic")
NEEDS = "torch"
VERSION = "2.13.0"  # as pyproject.toml has it in the extra `parity`
CONFIGURATIONS = 20
CLIP_EPS = 1e-6  # what clip_grad_norm_ adds to the norm before it divides


@dataclass(frozen=True)
class Counterpart:
    """name: what PyTorch calls it. compare(names, rng): how far apart the two are in one configuration that rng draws.

    names: what the case defines, as `namespace_with` returns it. differs: where the contracts part, "" where they do not. told:
    texts that the case's discharge note holds about it. tolerance: how far apart the two may be.
    """

    name: str
    compare: object
    differs: str = ""
    told: tuple = ()
    tolerance: float = 1e-12


def missing():
    """Why nothing can be held against PyTorch here; None where it can."""
    if torch is None:
        return f"torch is not installed: pip install torch=={VERSION}"
    if torch.__version__.split("+")[0] != VERSION:
        return f"torch is {torch.__version__}, and the figures are those of {VERSION}: pip install torch=={VERSION}"
    return None


def prove(stage, case):
    """How far the reference solution of `case` is from its counterpart in PyTorch.

    Returns {"with": name, "configurations": n, "largest difference": share}, and "differs" where the contracts part; {} where
    PyTorch has nothing of the kind; None where torch is not installed. Raises ValueError where the two disagree.
    """
    counterpart = COUNTERPARTS.get(case.id)
    if counterpart is None:
        return {}
    if missing():
        return None
    exercise = exercises(stage)[case.id]
    names = namespace_with(exercise, exercise.fix)
    try:
        with np.errstate(all="ignore"):
            draws = [np.random.default_rng([number, *case.id.encode()]) for number in range(CONFIGURATIONS)]
            largest = max(float(counterpart.compare(names, rng)) for rng in draws)
    except Disagree as error:
        raise ValueError(f"{case.path}: {counterpart.name} {error}") from None
    if not largest <= counterpart.tolerance:
        raise ValueError(f"{case.path}: the solution is {largest:.1g} from {counterpart.name}, above {counterpart.tolerance:g}")
    figures = {"with": counterpart.name, "configurations": CONFIGURATIONS, "largest difference": float(f"{largest:.1g}")}
    return {**figures, "differs": counterpart.differs} if counterpart.differs else figures


class Disagree(Exception):
    """PyTorch does not do what is said of it; the text goes on after its name."""


def require(holds, words):
    """Raises Disagree with `words` where `holds` is not true."""
    if not holds:
        raise Disagree(words)


def apart(*pairs):
    """Of pairs (ours, theirs) of arrays or numbers, the largest difference, as a share of the largest entry of that pair."""
    gaps = [0.0]
    for ours, theirs in pairs:
        ours, theirs = (np.asarray(one.detach() if isinstance(one, torch.Tensor) else one, dtype=float) for one in (ours, theirs))
        require(ours.shape == theirs.shape, f"returns the shape {theirs.shape}, the solution {ours.shape}")
        if ours.size:
            gaps.append(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), np.finfo(float).tiny))
    return float(np.max(gaps))  # nan stays nan


def leaf(array):
    """A float64 parameter with the numbers of `array`."""
    return torch.tensor(np.asarray(array, dtype=float), requires_grad=True)


def with_grads(params, grads):
    """The parameters, each with its gradient in .grad."""
    for param, grad in zip(params, grads):
        param.grad = torch.tensor(np.asarray(grad, dtype=float))
    return params


def draw_shapes(rng):
    """One to four shapes, of one or two axes of 1 to 6."""
    return [tuple(rng.integers(1, 7, rng.integers(1, 3)).tolist()) for _ in range(rng.integers(1, 5))]


def draw_arrays(rng, shapes, scale=1.0):
    return [scale * rng.normal(size=shape) for shape in shapes]


def log_uniform(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


# Optimizers


def adam(names, rng):
    shape, steps = draw_shapes(rng)[0], int(rng.integers(1, 60))
    lr, betas, eps = (
        log_uniform(rng, 1e-4, 0.1),
        (rng.uniform(0.3, 0.99), rng.uniform(0.8, 0.9999)),
        log_uniform(rng, 1e-10, 1e-3),
    )
    param = rng.normal(size=shape)
    theirs = leaf(param)
    optimizer = torch.optim.Adam([theirs], lr=lr, betas=betas, eps=eps)
    m, v = np.zeros(shape), np.zeros(shape)
    for t in range(1, steps + 1):
        grad = log_uniform(rng, 0.01, 100) * rng.normal(size=shape)
        param, m, v = names["adam_step"](param, grad.copy(), m, v, t, lr, *betas, eps)
        with_grads([theirs], [grad])
        optimizer.step()
    state = optimizer.state[theirs]
    return apart((param, theirs), (m, state["exp_avg"]), (v, state["exp_avg_sq"]))


def clip_as_told(grads, max_norm):
    """What clip_grad_norm_ makes of the gradients, without its 1e-6, and the norm; proves that the 1e-6 is all that differs."""
    params = with_grads([leaf(grad) for grad in grads], grads)
    norm = float(torch.nn.utils.clip_grad_norm_(params, max_norm))
    clipped = [param.grad.numpy() for param in params]
    if norm <= max_norm:
        return clipped, norm
    exact = np.sqrt(sum(np.sum(grad**2) for grad in clipped))
    require(abs(exact / max_norm - norm / (norm + CLIP_EPS)) < 1e-12, f"does not divide by norm + {CLIP_EPS:g}")
    return [grad * (1 + CLIP_EPS / norm) for grad in clipped], norm


def grad_clipping(names, rng):
    grads = draw_arrays(rng, draw_shapes(rng), log_uniform(rng, 0.1, 100))
    max_norm = log_uniform(rng, 0.1, 100)
    clipped, norm = names["clip_by_global_norm"]([grad.copy() for grad in grads], max_norm)
    want, want_norm = clip_as_told(grads, max_norm)
    return apart((norm, want_norm), *zip(clipped, want))


def clip_and_log(names, rng):
    shapes = draw_shapes(rng)
    params, grads, lr = draw_arrays(rng, shapes), draw_arrays(rng, shapes, log_uniform(rng, 0.1, 100)), log_uniform(rng, 1e-3, 1)
    max_norm, log = log_uniform(rng, 0.1, 100), []
    new = names["clipped_step"]([param.copy() for param in params], [grad.copy() for grad in grads], lr, max_norm, log)
    clipped, norm = clip_as_told(grads, max_norm)
    theirs = with_grads([leaf(param) for param in params], clipped)
    torch.optim.SGD(theirs, lr=lr).step()
    return apart((log[0]["grad_norm"], norm), *zip(new, theirs))


def momentum(names, rng):
    shapes, beta, lr, dampening = draw_shapes(rng), rng.uniform(0, 0.99), log_uniform(rng, 1e-3, 1), rng.uniform(0.1, 0.9)
    start = draw_arrays(rng, shapes)
    plain, damped = (names["Momentum"]([param.copy() for param in start], lr, beta) for _ in range(2))
    theirs, theirs_damped = ([leaf(param) for param in start] for _ in range(2))
    optimizers = (
        torch.optim.SGD(theirs, lr=lr, momentum=beta),
        torch.optim.SGD(theirs_damped, lr=lr, momentum=beta, dampening=dampening),
    )
    for step in range(int(rng.integers(1, 40))):
        grads = draw_arrays(rng, shapes)
        plain.step(grads)
        # With dampening the first gradient counts in full, the later ones less.
        damped.step([grad * (1 - dampening if step else 1) for grad in grads])
        for params, optimizer in zip((theirs, theirs_damped), optimizers):
            with_grads(params, grads)
            optimizer.step()
    return apart(*zip(plain.params, theirs), *zip(damped.params, theirs_damped))


def rates_of(make_schedule, lr, steps):
    """The learning rates of `steps` steps under a scheduler of PyTorch."""
    optimizer = torch.optim.SGD([leaf(np.zeros(1))], lr=lr)
    schedule, rates = make_schedule(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


def cosine(names, rng):
    total, lr = int(rng.integers(2, 400)), log_uniform(rng, 1e-4, 1)
    low, steps = lr * rng.uniform(0, 0.9), 2 * total + 1
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR
    theirs = rates_of(lambda optimizer: schedule(optimizer, total, eta_min=low), lr, steps)
    ours = [names["lr_at"](step, total, lr, low) for step in range(steps)]
    require(abs(theirs[-1] / lr - 1) < 1e-9, "does not climb back to the full rate behind T_max")
    require(np.allclose(ours[total:], low, rtol=1e-12), "is held against a solution that climbs, too")
    return apart((ours[: total + 1], theirs[: total + 1]))


def decay_groups(names, rng):
    inputs, units = rng.integers(1, 8, 2).tolist()
    net = torch.nn.Sequential(
        torch.nn.Conv2d(inputs, units, 3), torch.nn.BatchNorm2d(units), torch.nn.Linear(units, 1), torch.nn.LayerNorm(units)
    ).double()
    named = dict(net.named_parameters())
    start = {name: rng.normal(size=tuple(param.shape)) for name, param in named.items()}
    decay, keep = (list(group) for group in names["decay_groups"]({name: array.copy() for name, array in start.items()}))
    with torch.no_grad():
        for name, param in named.items():
            param.copy_(torch.tensor(start[name]))
    lr, amount, steps = log_uniform(rng, 1e-3, 0.5), log_uniform(rng, 1e-3, 1), int(rng.integers(1, 50))
    groups = [{"params": [named[name] for name in group], "weight_decay": wd} for group, wd in ((decay, amount), (keep, 0.0))]
    optimizer = torch.optim.AdamW(groups, lr=lr)
    require(torch.optim.AdamW(net.parameters()).defaults["weight_decay"] == 0.01, "does not decay by 0.01 where nothing is said")
    for _ in range(steps):
        for param in named.values():
            param.grad = torch.zeros_like(param)
        optimizer.step()
    # What an input is multiplied by shrinks, the rest stays: as a network in PyTorch has them.
    multiplies = {"0.weight", "2.weight"}
    shrunk = {name: array * (1 - lr * amount) ** steps if name in multiplies else array for name, array in start.items()}
    return apart(*((shrunk[name], param) for name, param in named.items()))


class _TorchNet:
    """A small network of tanh units whose gradients are autograd's, with what `tune` asks for."""

    def __init__(self, params):
        self.params = params

    def tensors_and_loss(self, x, y):
        w1, b1, w2, b2 = tensors = [leaf(param) for param in self.params]
        loss = ((torch.tanh(torch.tensor(x) @ w1 + b1) @ w2 + b2)[:, 0] - torch.tensor(y)).square().mean()
        loss.backward()
        return tensors, float(loss.detach())

    def loss_and_grads(self, x, y):
        tensors, loss = self.tensors_and_loss(x, y)
        return loss, [tensor.grad.numpy() for tensor in tensors]


def put_it_together(names, rng):
    inputs, units, steps, seed = (int(rng.integers(low, high)) for low, high in ((1, 5), (2, 9), (2, 60), (0, 1000)))
    lr, decay, max_norm = log_uniform(rng, 1e-3, 0.1), log_uniform(rng, 1e-3, 0.3), log_uniform(rng, 0.1, 10)
    start = draw_arrays(rng, [(inputs, units), (units,), (units, 1), (1,)])
    x, y = rng.normal(size=(40, inputs)), 3 * rng.normal(size=40)
    net = _TorchNet([param.copy() for param in start])
    losses = names["tune"](net, x, y, seed, steps, lr, decay, max_norm, batch_size=8)
    params = [leaf(param) for param in start]
    groups = [{"params": params[::2], "weight_decay": decay}, {"params": params[1::2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    draws, want = np.random.default_rng(seed), []
    for _ in range(steps):
        rows = draws.choice(len(x), 8, replace=False)
        loss, grads = _TorchNet([param.detach().numpy() for param in params]).loss_and_grads(x[rows], y[rows])
        want.append(loss)
        with_grads(params, clip_as_told(grads, max_norm)[0])
        optimizer.step()
        schedule.step()
    return apart((losses, want), *zip(net.params, params))


# Monitoring


def first_cut(val_losses, **settings):
    """The evaluation, from 0, at which ReduceLROnPlateau first cuts the rate; None where it never does."""
    optimizer = torch.optim.SGD([leaf(np.zeros(1))], lr=1.0)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
    for number, loss in enumerate(val_losses):
        schedule.step(loss)
        if optimizer.param_groups[0]["lr"] < 1:
            return number
    return None


def early_stop(names, rng):
    patience = int(rng.integers(1, 8))
    # Rounded, so that there are ties; a slow fall, so that there are improvements; some are nan, and some below zero.
    losses = np.round(rng.normal(size=200) - np.linspace(0, rng.uniform(0, 20), 200) + rng.uniform(-5, 5), 1)
    losses[rng.random(200) < 0.05] = np.nan
    watcher = names["EarlyStop"](patience)
    stopped = next((number for number, loss in enumerate(losses.tolist()) if watcher.update(0.0, loss, [np.zeros(1)])), None)
    same = first_cut(losses, patience=patience - 1, threshold=0)
    require(first_cut(np.ones(99), patience=patience) == patience + 1, "does not act one evaluation later")
    tiny = 1 - 1e-6 * np.arange(99)
    watcher = names["EarlyStop"](patience)
    require(not any(watcher.update(0.0, loss, [np.zeros(1)]) for loss in tiny.tolist()), "is not asked about a tiny fall")
    require(first_cut(tiny, patience=patience) is not None, "takes a fall of a millionth for an improvement")
    return apart((-1 if stopped is None else stopped, -1 if same is None else same))


def plateau(names, rng):
    """The rules are others: what is proven is where they part, and that the solution is on the other side each time."""
    level, window = log_uniform(rng, 1e-3, 1e3), int(rng.integers(60, 201))
    noise = 0.02 * rng.normal(size=3 * window)
    rises = level * (1.1 ** (np.arange(3 * window) / window) + noise)
    require(first_cut(rises, patience=window) is not None, "does not take divergence for a plateau")
    require(not names["is_plateau"](rises, window), "is held against a solution that takes divergence for a plateau")
    still = np.full(20 * window, -level)
    require(first_cut(still, patience=window) is None, "fires on a loss below zero that stays where it is")
    require(first_cut(still, patience=window, threshold_mode="abs") is not None, "never fires with threshold_mode='abs'")
    require(names["is_plateau"](level * (noise - 1), window), "is held against a solution that sees no plateau below zero")
    return 0.0


def guard(names, rng):
    shapes, beta, lr = draw_shapes(rng), rng.uniform(0, 0.99), log_uniform(rng, 1e-3, 0.5)
    start = draw_arrays(rng, shapes)
    ours = names["GuardedMomentum"]([param.copy() for param in start], lr, beta)
    theirs = [leaf(param) for param in start]
    optimizer = torch.optim.SGD(theirs, lr=lr, momentum=beta)
    scaler = torch.amp.GradScaler("cpu", growth_interval=10**6)
    scaler.scale(torch.tensor(1.0))  # it makes its scale at the first use
    refused = 0
    for _ in range(int(rng.integers(5, 40))):
        grads = draw_arrays(rng, shapes)
        if refused < 3 and rng.random() < 0.4:
            grads[-1].flat[0], refused = rng.choice([np.nan, np.inf, -np.inf]), refused + 1
        else:
            refused = 0
        require(ours.step(1.0, [grad.copy() for grad in grads]) == (refused == 0), "is held against a solution that lets nan in")
        with_grads(theirs, [grad * scaler.get_scale() for grad in grads])
        scaler.step(optimizer)
        scaler.update()
    states = [optimizer.state[param].get("momentum_buffer") for param in theirs]
    buffers = [np.zeros(shape) if buffer is None else buffer for shape, buffer in zip(shapes, states)]
    for _ in range(9):  # it would go on like this for ever
        with_grads(theirs, [np.full(shape, np.nan) for shape in shapes])
        scaler.step(optimizer)
        scaler.update()
    return apart(*zip(ours.params, theirs), *zip(ours.velocity, buffers))


def warmup(names, rng):
    length, lr = int(rng.integers(2, 300)), log_uniform(rng, 1e-4, 1)
    linear = torch.optim.lr_scheduler.LinearLR
    theirs = rates_of(lambda optimizer: linear(optimizer, start_factor=1 / length, total_iters=length - 1), lr, length + 20)
    default = rates_of(linear, lr, 6)
    require(apart((default[0], lr / 3), (default[5], lr)) < 1e-12, "does not start at a third, for five steps, by default")
    return apart(([names["warmup_lr"](step, length, lr) for step in range(length + 20)], theirs))


# Failures


def schedule_position(names, rng):
    length, lr = int(rng.integers(10, 60)), log_uniform(rng, 1e-4, 1)
    steps = int(length * rng.integers(3, 9) + length // 2)
    theirs = rates_of(lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, length), lr, steps)
    require(names["where_is_the_schedule"](theirs) == "rebounds" or steps < 100, "does not climb back past T_max")
    try:
        rates_of(lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=length), lr, length + 2)
    except ValueError:
        return apart(([lr * names["cosine_unheld"](step, length) for step in range(steps)], theirs))
    raise Disagree("has a OneCycleLR that may be stepped past its end")


def scaled_attention(names, rng):
    n, m, d, width = rng.integers(2, [20, 33, 65, 9]).tolist()
    queries, keys, values = (scale * rng.normal(size=shape) for scale, shape in ((2, (n, d)), (1, (m, d)), (1, (m, width))))
    d_out = rng.normal(size=(n, width))
    better = float(names["attention_verdict"](queries.copy(), keys.copy(), 1.0, names["softmax"])[1])
    gaps = []
    for scale, given in ((1 / np.sqrt(d), None), (better, better)):
        out, _, back = names["attention"](queries, keys, values, scale)
        tensors = [leaf(array) for array in (queries, keys, values)]
        theirs = torch.nn.functional.scaled_dot_product_attention(*(one[None] for one in tensors), scale=given)[0]
        theirs.backward(torch.tensor(d_out))
        gaps.append(apart((out, theirs), *zip(back(d_out), (one.grad for one in tensors))))
    return max(gaps)


def residual(names, rng):
    rows, width, depth = rng.integers(1, [9, 9, 7]).tolist()
    x, d_out = rng.normal(size=(2, rows, width))
    weights = rng.normal(size=(depth, width, width)) / np.sqrt(width)
    y, backs = x.copy(), []
    for weight in weights:

        def branch(h, weight=weight):
            out = np.tanh(h @ weight)
            return out, lambda d: (d * (1 - out**2)) @ weight.T

        y, back = names["wire_block"](y, branch, None)
        backs.append(back)
    d = d_out.copy()
    for back in reversed(backs):
        d = back(d)
    theirs = start = leaf(x)
    for weight in weights:
        theirs = theirs + torch.tanh(theirs @ torch.tensor(weight))
    theirs.backward(torch.tensor(d_out))
    return apart((y, theirs), (d, start.grad))


def transformer_road(names, rng):
    heads, rows = int(rng.integers(1, 4)), int(rng.integers(1, 9))
    width = heads * int(rng.integers(2, 6))
    said = {
        True: names["road_verdict"](lambda x, branch, norm: _wire(x, branch, norm, before=True)),
        False: names["road_verdict"](lambda x, branch, norm: _wire(x, branch, norm, before=False)),
    }
    require(not torch.nn.TransformerEncoderLayer(width, heads).norm_first, "has norm_first=True by default")
    gap = 0.0
    for norm_first, verdict in said.items():
        layer = torch.nn.TransformerEncoderLayer(width, heads, norm_first=norm_first, batch_first=True).double().eval()
        with torch.no_grad():
            for last in (layer.linear2, layer.self_attn.out_proj):
                last.weight.zero_()
                last.bias.zero_()
            for norm in (layer.norm1, layer.norm2):
                norm.weight.fill_(0.25)
        x, d = leaf(rng.normal(size=(1, rows, width))), torch.tensor(rng.normal(size=(1, rows, width)))
        layer(x).backward(d)
        off = apart((layer(x), x), (x.grad, d))
        require(verdict == ("free" if norm_first else "blocked"), f"is held against a solution that says {verdict}")
        gap = max(gap, off) if norm_first else gap
        require(norm_first or off > 0.1, "lets x past unchanged with norm_first=False")
    return gap


def _wire(x, branch, norm, before):
    """A block with its normalization before the layers, on their side of the sum, or behind the sum."""
    if before:
        normed, norm_back = norm(x)
        out, out_back = branch(normed)
        return x + out, lambda d: d + norm_back(out_back(d))
    out, out_back = branch(x)
    y, norm_back = norm(x + out)
    return y, lambda d: norm_back(d) + out_back(norm_back(d))


def softmax_of_logits(names, rng):
    rows, classes = rng.integers(2, 12, 2).tolist()
    temperature = log_uniform(rng, 0.01, 100)
    logits = rng.uniform(-50, 50, (rows, classes)) * temperature
    logits[:, 1:][rng.random((rows, classes - 1)) < 0.2] = -np.inf
    ours = names["probabilities"](logits.copy(), temperature)
    masked = torch.softmax(torch.full((1, classes), -torch.inf, dtype=torch.float64), dim=1)
    require(masked.isnan().all(), "makes something of a row that is all masked")
    require(torch.softmax(torch.tensor([[0.0, torch.nan]]), dim=1).isnan().all(), "does not hand on a nan")
    require(
        not names["probabilities"](np.full((1, classes), -np.inf)).any(), "is held against a solution that has no zeros there"
    )
    return apart((ours, torch.softmax(torch.tensor(logits) / temperature, dim=1)))


def binary_cross_entropy(names, rng):
    with_logits = torch.nn.functional.binary_cross_entropy_with_logits
    shape = draw_shapes(rng)[0]
    logits = leaf(log_uniform(rng, 0.1, 1000) * rng.normal(size=shape))
    targets = rng.random(shape).round(int(rng.integers(0, 3)))
    loss, grad = names["tag_loss"](logits.detach().numpy().copy(), targets.copy())
    theirs = with_logits(logits, torch.tensor(targets))
    theirs.backward()
    require(with_logits(torch.zeros(1), torch.full((1,), 2.0)).isfinite(), "refuses a target of 2")
    require(with_logits(torch.full((1,), torch.nan), torch.zeros(1)).isnan(), "does not hand on a nan")
    try:
        with_logits(torch.zeros(2, 1), torch.zeros(2))
        raise Disagree("puts up with another shape")
    except ValueError:
        pass
    bounded = torch.nn.functional.binary_cross_entropy(torch.zeros(1), torch.ones(1))
    require(bounded == 100, "does not bound the logarithm of a probability at -100")
    # Both are differences, of a number and target * logit, of p and the target: what is left is right to the rounding of these.
    size = logits.detach().abs().mean()
    return apart((loss + size, theirs + size), (1 + targets.size * grad, 1 + targets.size * logits.grad))


def layer_normalization(names, rng):
    rows, width = rng.integers(1, 9), rng.integers(2, 65)
    size, eps = log_uniform(rng, 1e-3, 1e3), log_uniform(rng, 1e-8, 0.1)
    x = size * (rng.normal(size=(rows, width)) + rng.uniform(-10, 10))
    gain, bias, d_out = rng.normal(size=width), rng.normal(size=width), rng.normal(size=(rows, width))
    out, back = names["layer_norm"](x, gain, bias, lambda rows: names["statistics"](rows, eps))
    tensors = [leaf(array) for array in (x, gain, bias)]
    theirs = torch.nn.functional.layer_norm(tensors[0], (int(width),), *tensors[1:], eps=eps)
    theirs.backward(torch.tensor(d_out))
    large = (1e30 * rng.normal(size=(1, int(width)))).astype(np.float32)
    rounded = torch.nn.functional.layer_norm(torch.tensor(large), (int(width),)).numpy()
    require(not np.nan_to_num(rounded).any(), "makes neither nan nor zeros of a float32 row around 1e30")
    mean, inverse_std = names["statistics"](large)
    require(np.abs((large - mean) * inverse_std).max() > 0.1, "is held against a solution that does the same")
    return apart((out, theirs), *zip(back(d_out), (one.grad for one in tensors)))


def loss_scaling(names, rng):
    shapes, lr, max_norm = draw_shapes(rng), log_uniform(rng, 1e-3, 0.5), log_uniform(rng, 0.1, 10)
    interval, scale = int(rng.integers(1, 6)), 2.0 ** int(rng.integers(8, 14))
    start = [array.astype(np.float32) for array in draw_arrays(rng, shapes)]
    ours, scaler = names["LossScaler"](scale, interval, max_norm), torch.amp.GradScaler("cpu", scale, growth_interval=interval)
    params, theirs = [array.copy() for array in start], [torch.tensor(array, requires_grad=True) for array in start]
    optimizer = torch.optim.SGD(theirs, lr=lr)
    scaler.scale(torch.tensor(1.0))
    scales = []
    for _ in range(int(rng.integers(5, 40))):
        grads = [(ours.scale * grad).astype(np.float16) for grad in draw_arrays(rng, shapes)]
        if rng.random() < 0.3 and ours.scale > 2:
            grads[0].flat[0] = np.inf
        is_finite = all(np.isfinite(grad).all() for grad in grads)
        params = ours.update(params, [grad.copy() for grad in grads], lr)
        for param, grad in zip(theirs, grads):
            param.grad = torch.tensor(grad.astype(np.float32))
        scaler.unscale_(optimizer)
        if is_finite:
            clipped, _ = clip_as_told([param.grad.numpy().astype(float) for param in theirs], max_norm)
            for param, grad in zip(theirs, clipped):
                param.grad = torch.tensor(grad.astype(np.float32))
        scaler.step(optimizer)
        scaler.update()
        scales.append((ours.scale, scaler.get_scale()))
    require(all(one == other for one, other in scales), f"has other scales: {scales}")
    _require_no_lower_end()
    return apart(*zip(params, theirs))


def _require_no_lower_end():
    """GradScaler goes below 1 without a word, and refuses gradients that are float16 themselves."""
    param = torch.zeros(1, requires_grad=True)
    optimizer, scaler = torch.optim.SGD([param], lr=0.1), torch.amp.GradScaler("cpu", 1.0)
    scaler.scale(torch.tensor(1.0))
    param.grad = torch.full((1,), torch.inf)
    scaler.step(optimizer)
    scaler.update()
    require(scaler.get_scale() == 0.5, "has a lower end for its scale")
    half = torch.zeros(1, dtype=torch.float16, requires_grad=True)
    half.grad = torch.ones(1, dtype=torch.float16)
    try:
        scaler.unscale_(torch.optim.SGD([half], lr=0.1))
    except ValueError:
        return
    raise Disagree("takes gradients that are float16")


def dropout(names, rng):
    p, shape = rng.uniform(0.05, 0.9), (int(rng.integers(20, 60)), int(rng.integers(20, 60)))
    torch.manual_seed(int(rng.integers(1000)))
    ours = names["dropout_mask"](shape, p, rng, True)
    theirs = torch.nn.functional.dropout(torch.ones(shape, dtype=torch.float64), p, training=True).numpy()
    for mask in (ours, theirs):  # five standard deviations
        require(abs(np.mean(mask == 0) - p) < 5 * np.sqrt(p * (1 - p) / mask.size), "drops another share, or the solution does")
    x = torch.tensor(rng.normal(size=shape))
    kept = torch.nn.functional.dropout(x, p, training=False)
    return apart((np.unique(ours), np.unique(theirs)), (x * torch.tensor(names["dropout_mask"](shape, p, rng, False)), kept))


def weight_decay(names, rng):
    decay, lr, seed = log_uniform(rng, 1e-3, 3), log_uniform(rng, 1e-3, 0.1), int(rng.integers(1000))
    steps, gaps = int(rng.integers(1, 60)), []
    for decoupled, optimizer_class in ((True, torch.optim.AdamW), (False, torch.optim.Adam)):
        x, y, w_true = names["wide_rows"](np.random.default_rng(seed), 40)
        w = leaf(np.zeros(50))
        optimizer = optimizer_class([w], lr=lr, weight_decay=decay)
        for _ in range(steps):
            optimizer.zero_grad()
            (((torch.tensor(x) @ w - torch.tensor(y)) ** 2).mean() / 2).backward()
            optimizer.step()
        gaps.append(apart((names["adamw_excess"](decay, lr, steps, seed, decoupled), ((w - torch.tensor(w_true)) ** 2).sum())))
    return max(gaps)


def label_smoothing(names, rng):
    cross_entropy = torch.nn.functional.cross_entropy
    rows, classes, eps = int(rng.integers(1, 40)), int(rng.integers(2, 30)), rng.uniform(0.01, 0.5)
    labels, logits = rng.integers(0, classes, rows), leaf(3 * rng.normal(size=(rows, classes)))
    targets, floor = names["smooth_targets"](labels.copy(), classes, eps, True)
    loss, grad = names["cross_entropy"](logits.detach().numpy(), targets)
    theirs = cross_entropy(logits, torch.tensor(labels), label_smoothing=eps)
    theirs.backward()
    lowest = cross_entropy(torch.tensor(targets).log(), torch.tensor(labels), label_smoothing=eps)
    plain, _ = names["smooth_targets"](labels.copy(), classes, eps, False)
    module = torch.nn.CrossEntropyLoss(label_smoothing=eps).eval()
    require(torch.equal(module(logits, torch.tensor(labels)), theirs), "does not smooth in eval()")
    unsmoothed = cross_entropy(logits, torch.tensor(labels))
    evaluated = names["cross_entropy"](logits.detach().numpy(), plain)[0]
    return apart((loss, theirs), (grad, logits.grad), (floor, lowest), (evaluated, unsmoothed))


COUNTERPARTS = {
    "adam-bias-correction": Counterpart("torch.optim.Adam", adam),
    "grad-clipping": Counterpart(
        "torch.nn.utils.clip_grad_norm_", grad_clipping, "it divides by norm + 1e-6, the solution by the norm", ("1e-6",)
    ),
    "momentum-init": Counterpart("torch.optim.SGD", momentum, "dampening spares the first gradient", ("dampening",)),
    "no-lr-decay": Counterpart(
        "torch.optim.lr_scheduler.CosineAnnealingLR", cosine, "behind T_max it climbs, the solution holds", ("climbs back",)
    ),
    "decay-param-groups": Counterpart("torch.optim.AdamW", decay_groups, "left to itself it decays everything", ("by 0.01",)),
    "put-it-together": Counterpart(
        "clip_grad_norm_, AdamW, CosineAnnealingLR", put_it_together, "clip_grad_norm_ divides by norm + 1e-6", ("1e-6",)
    ),
    "clip-and-log": Counterpart(
        "torch.nn.utils.clip_grad_norm_",
        clip_and_log,
        "it divides by norm + 1e-6, and lets a norm that is not finite through",
        ("1e-6", "the skipping is yours"),
    ),
    "validation-early-stop": Counterpart(
        "torch.optim.lr_scheduler.ReduceLROnPlateau",
        early_stop,
        "it acts one evaluation later, and wants a fall of 1e-4 of the best",
        ("one later", "threshold=0"),
    ),
    "nan-inf-guard": Counterpart(
        "torch.amp.GradScaler", guard, "it does not ask about the loss, and never raises", ("the loss itself", "never raises")
    ),
    "plateau-detection": Counterpart(
        "torch.optim.lr_scheduler.ReduceLROnPlateau",
        plateau,
        "another rule: against the best so far; divergence is a plateau, and a loss that stays below zero is none",
        ("best value so far", "takes divergence for a plateau", "never fires"),
    ),
    "warmup-ramp": Counterpart(
        "torch.optim.lr_scheduler.LinearLR", warmup, "by default it starts at a third, for five steps", ("a third",)
    ),
    "diag-schedule-position": Counterpart("torch.optim.lr_scheduler.CosineAnnealingLR", schedule_position),
    "explode-attention-scale": Counterpart("torch.nn.functional.scaled_dot_product_attention", scaled_attention),
    "vanish-no-residual": Counterpart("autograd of x + layers(x)", residual),
    "vanish-normalisation": Counterpart("torch.nn.TransformerEncoderLayer", transformer_road),
    "nan-softmax-overflow": Counterpart(
        "torch.softmax",
        softmax_of_logits,
        "a row that is all masked is nan there, and so is one with a nan",
        ("all-masked", "raises"),
    ),
    "nan-log-zero": Counterpart(
        "torch.nn.functional.binary_cross_entropy_with_logits",
        binary_cross_entropy,
        "it takes targets outside 0 to 1, and hands on a nan",
        ("outside 0 to 1, and hands on a `nan`",),
    ),
    "nan-layernorm-div0": Counterpart(
        "torch.nn.functional.layer_norm", layer_normalization, "of a float32 row around 1e30 it makes nan or zeros", ("1e30",)
    ),
    "nan-mixed-precision": Counterpart(
        "torch.amp.GradScaler",
        loss_scaling,
        "it has no lower end, and refuses gradients that are float16; both compute in float32",
        ("no lower end", "refuses float16 gradients"),
        tolerance=2e-6,
    ),
    "reg-dropout": Counterpart("torch.nn.functional.dropout", dropout, "the draws are another generator's"),
    "reg-weight-decay": Counterpart("torch.optim.AdamW, torch.optim.Adam", weight_decay),
    "reg-label-smoothing": Counterpart(
        "torch.nn.functional.cross_entropy", label_smoothing, "it smooths in eval() too", ("`eval()` too",)
    ),
}


def main():
    """Print the table of the cases that have a counterpart; the exit code is 1 where one disagrees, or torch is not there."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.parity", description=__doc__.splitlines()[0])
    parser.add_argument("case", nargs="?", choices=COUNTERPARTS, metavar="CASE", help="the id of a case (default: all)")
    asked = parser.parse_args()
    if missing():
        print(missing(), file=sys.stderr)
        return 1
    chosen = [
        (stage, case) for stage in STAGES for case in cases(stage) if case.id in COUNTERPARTS and asked.case in (None, case.id)
    ]
    table = Table("case", "with", "largest difference", "differs", box=None)
    failed = 0
    with progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task("parity", total=len(chosen))
        for stage, case in chosen:
            try:
                got = prove(stage, case)
                table.add_row(case.id, got["with"], f"{got['largest difference']:.0e}", got.get("differs", ""))
            except ValueError as error:
                failed += 1
                table.add_row(case.id, str(error), style="bold red")
            bar.advance(task)
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    print(f"{len(chosen)} cases, {failed} of which disagree.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

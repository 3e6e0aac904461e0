# %% [markdown]
# ## Put it together · Four people have edited this script
#
# About 30 minutes · difficulty 4 of 5 · 12 points
#
# **The complaint.** A model that predicts a temperature around 50 was good, and is to be fine-tuned on new data. Each of four
# people has changed one thing in the script. Now the loss jumps at the first steps, climbs while it should fall, makes a leap
# somewhere on the way, and never settles. Each of the four says that it cannot have been their change.
#
# **After this case you can** read a training script against what it is meant to do, and tell four diseases apart that show
# in one and the same curve.
#
# ### The code
#
# Four things in it are wrong; each is one that you have met. The rest is as it should be. Every mend has its own check and its
# own three points. A right mend may make the curve worse while another mistake is still there: trust the checks.

# %% fix="put-it-together"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    """Train `net` in place with AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101), and return the
    list of its batches' losses.

    net: has `params`, a list of float arrays, and `loss_and_grads(x, y)`, which returns the loss
    at net.params and a list of gradients like it; it is called once a step. x, y: arrays with one
    row an example. Meant, and graded, in each of `steps` steps:
      1. the gradients of a random batch are scaled down together to a global norm of max_norm, if
         they are longer;
      2. Adam's corrected step follows, with betas 0.9 and 0.999: its first step is as long as the
         learning rate;
      3. matrices, and arrays of more axes, shrink by learning rate * weight_decay * themselves;
         vectors and scalars do not;
      4. the learning rate is lr at the first step, lr / 2 in the middle, and falls on a cosine to
         0 at the end.
    Not graded: whether arrays change in place, where eps stands, whether the cosine ends at step
    `steps` or one before.
    """
    ### BEGIN BROKEN
    # rng = np.random.default_rng(seed)
    # means = [np.zeros_like(param) for param in net.params]
    # squares = [np.zeros_like(param) for param in net.params]
    # losses = []
    # for step in range(steps):
    #     rows = rng.choice(len(x), batch_size, replace=False)
    #     loss, grads = net.loss_and_grads(x[rows], y[rows])
    #     losses.append(loss)
    #     norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
    #     if norm > max_norm:
    #         losses[-1] = np.inf  # so that the log shows it
    #     for i, grad in enumerate(grads):
    #         means[i] = 0.9 * means[i] + 0.1 * grad
    #         squares[i] = 0.999 * squares[i] + 0.001 * grad**2
    #         net.params[i] = net.params[i] * (1 - lr * weight_decay)
    #         net.params[i] = net.params[i] - lr * means[i] / (np.sqrt(squares[i]) + 1e-8)
    # return losses
    ### END BROKEN
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Which of the four would you mend first, if you could mend only one? Say by how much the loss at
# the end, above the smallest there is, would fall: write the factor as `my_guess`. When you have mended that one and run the
# figure again, the line under it tells.

# %% scene="put-it-together"
import contextlib


class Thermometer:
    """A linear model with an offset: prediction x @ W + b, loss mean((prediction - y)**2) in squared degrees."""

    def __init__(self, weights, offset):
        self.params = [weights.copy(), offset.copy()]

    def loss_and_grads(self, x, y):
        error = x @ self.params[0] + self.params[1] - y
        return float(np.mean(error**2)), [2 * x.T @ error / len(y), 2 * error.mean(axis=0)]


def fine_tune_thermometer(tune, seed, steps=400):
    """Fine-tune a model that is nearly right, on 400 rows of which one was typed in other units.

    Returns the History: the excess, which is the loss on clean rows above the smallest there is, and the offset.
    """
    rng = np.random.default_rng(seed)
    x, weights = rng.normal(size=(400, 8)), rng.normal(size=(8, 1))
    y = x @ weights + 50 + 0.5 * rng.normal(size=(400, 1))
    with_one = np.column_stack([x, np.ones(400)])
    smallest = np.mean((with_one @ np.linalg.lstsq(with_one, y, rcond=None)[0] - y) ** 2)
    typed = x.copy()
    typed[7] *= 100

    history = History()
    net = Thermometer(weights + 0.05 * rng.normal(size=(8, 1)), np.array([49.9]))
    measure = net.loss_and_grads

    def loss_and_grads(x_batch, y_batch):
        history.log(excess=measure(x, y)[0] - smallest, offset=net.params[1][0])
        return measure(x_batch, y_batch)

    net.loss_and_grads = loss_and_grads
    with np.errstate(all="ignore"):
        tune(net, typed, y, seed=seed, steps=steps)
    return history


class SeenEnough(Exception):
    """The probe ends a run of which the rest tells nothing."""


class ProbeNet:
    """Stands in for a net: a matrix, a vector, a scalar and a kernel; hands out given gradients, and keeps what it saw."""

    def __init__(self, grads_at, ends_after=None):
        self.params = [np.full((2, 3), 4.0), np.full(3, -2.0), np.array(5.0), np.full((1, 2, 2, 2), 3.0)]
        self.grads_at, self.ends_after = grads_at, ends_after
        self.path, self.batches = [], []

    def loss_and_grads(self, x, y):
        self.path.append([np.array(param, dtype=float) for param in self.params])
        self.batches.append((np.array(x), np.array(y)))
        if len(self.path) - 1 == self.ends_after:
            raise SeenEnough
        return float(len(self.path)), [np.array(grad, dtype=float) for grad in self.grads_at(len(self.path) - 1, self.params)]


def probe_path(tune, grads_at, steps, ends_after=None, **settings):
    """The parameters before each step and after the last, one list of arrays for each number in the probe's params.

    ends_after: the number of steps after which the probe ends the run; None lets it go on to its end.
    """
    probe = ProbeNet(grads_at, ends_after)
    with contextlib.suppress(SeenEnough):
        tune(probe, np.arange(40.0).reshape(20, 2), np.zeros((20, 1)), seed=3, batch_size=4, steps=steps, **settings)
        check.that(
            len(probe.path) == steps,
            what="the net is asked for its gradients once in each step",
            call=f"tune(net, ..., steps={steps})",
            expected=steps,
            got=len(probe.path),
            turns={"the script does not train": not probe.path},
        )
        probe.path.append([np.array(param, dtype=float) for param in probe.params])
    return [np.array([params[number] for params in probe.path]) for number in range(len(probe.params))]


# %% run="put-it-together"
my_guess = 2.0  # the factor by which the excess at the end falls, when one mistake is mended

complaint, run = (fine_tune_thermometer(script, seed=0) for script in (broken.tune, tune))
vitals(
    before=complaint,
    now=run,
    signs={"excess": "loss above the smallest (squared degrees)", "offset": "offset of the model (degrees)"},
    caption="Fine-tuning a thermometer whose true offset is 50 degrees. One row of 400 was typed in other units.",
)
ends = [np.mean(history["excess"][-20:]) for history in (complaint, run)]
print(f"Excess at the end: as complained about {ends[0]:.0f}, your code {ends[1]:.2f} squared degrees.")
if ends[0] != ends[1]:
    factor = max(ends) / min(ends)
    print(f"That is {float(f'{factor:.1g}'):g} times {'smaller' if ends[1] < ends[0] else 'larger'};", end=" ")
    print(f"you guessed {my_guess:g} times smaller for the first mend.")

# %% check="put-it-together" part="clipping" points=3
def check_clipping_of_tune():
    rng = np.random.default_rng(12)
    directions = [[rng.normal(size=np.shape(param)) for param in ProbeNet(None).params] for _ in range(8)]
    lengths = 10.0 ** rng.uniform(0, 4, (8, 4))
    raw = [[length * part for length, part in zip(*pair)] for pair in zip(lengths, directions)]
    norms = [np.sqrt(sum(np.sum(part**2) for part in grads)) for grads in raw]

    def scaled_to(limit):
        return [[part * min(1, limit / norm) for part in grads] for grads, norm in zip(raw, norms)]

    def end(grads, max_norm=1.0):
        path = probe_path(tune, lambda step, _: grads[step], steps=8, weight_decay=0.0, max_norm=max_norm)
        return np.concatenate([part[-1].ravel() - part[0].ravel() for part in path])

    call = "tune(net, ..., steps=8, max_norm=1), gradients of norm 10 to 30 000"
    moved, wanted = end(raw), end(scaled_to(1.0))
    check.that(np.isfinite(moved).all() and np.abs(moved).min() > 1e-3, what="every parameter moves", call=call, got=moved)
    turns = {}
    if not np.allclose(moved, wanted, rtol=1e-3):
        per_array = [[part * min(1, 1 / max(np.linalg.norm(part), 1e-12)) for part in grads] for grads in raw]
        per_entry = [[np.clip(part, -1, 1) for part in grads] for grads in raw]
        turns = {
            "each array is clipped by itself, so that the direction turns": np.allclose(moved, end(per_array), rtol=1e-3)
            and not np.allclose(wanted, end(per_array), rtol=1e-3),
            "each entry is clipped by itself, so that the direction turns": np.allclose(moved, end(per_entry), rtol=1e-3)
            and not np.allclose(wanted, end(per_entry), rtol=1e-3),
            "the gradients reach Adam as long as they came": np.allclose(moved, end(raw, max_norm=1e12), rtol=1e-3),
        }
    check.that(
        np.allclose(moved, wanted, rtol=1e-3),
        what="longer gradients move the net just as the same gradients scaled down to max_norm do",
        call=call,
        expected=wanted[:4],
        got=moved[:4],
        turns=turns,
    )
    short = [[0.01 * length * part / 1e4 for length, part in zip(*pair)] for pair in zip(lengths, directions)]
    stretched = [[part / np.sqrt(sum(np.sum(p**2) for p in grads)) for part in grads] for grads in short]
    check.that(
        not np.allclose(end(short), end(stretched), rtol=1e-3),
        what="gradients that are shorter than max_norm stay as they are",
        call="tune(net, ..., steps=8, max_norm=1), gradients of norm below 0.1",
        turns={"short gradients are stretched to max_norm": True},
    )


def check_batches_of_tune():
    def trained(ends_after=None, **settings):
        """What the probe has kept, and what tune returns, when gradients are in turn shorter and longer than max_norm."""
        probe = ProbeNet(lambda step, _: [np.full((2, 3), 0.6 * (1 + step % 2))], ends_after)
        probe.params = probe.params[:1]
        x, losses = np.arange(40.0).reshape(20, 2), None
        with contextlib.suppress(SeenEnough):
            losses = tune(probe, x, 10 * x[:, :1], seed=3, **settings)
        return probe, losses

    probe, losses = trained(steps=6, batch_size=4)
    call = "tune(net, x, y, seed=3, steps=6, batch_size=4)"
    for x, y in probe.batches:
        check.that(
            x.shape == (4, 2) and y.shape == (4, 1) and np.array_equal(10 * x[:, :1], y),
            what="a batch is batch_size rows of x, each with its own row of y",
            call=call,
            got=f"x {x.tolist()}, y {y.tolist()}",
        )
    check.close(losses, [1, 2, 3, 4, 5, 6], what="the losses of the batches come back, in order", call=call)
    # The parameters after ten steps tell how many there would be, too: a cosine to the 401st falls a little later.
    default, _ = trained(ends_after=10)
    told, _ = trained(ends_after=10, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8)
    check.that(
        len(default.path) == len(told.path) == 11
        and default.batches[0][0].shape == (8, 2)
        and all(np.allclose(got, want, rtol=1e-9) for got, want in zip(default.path[10], told.path[10])),
        what="where the caller says no more, the settings are those of the first line",
        call="tune(net, x, y, seed=3)",
        expected="400 steps of 8 rows, with lr=0.05, weight_decay=0.03, max_norm=2.0",
        got="other rows, or other parameters after ten steps",
    )


check.run(check_clipping_of_tune, check_batches_of_tune)

# %% check="put-it-together" part="correction" points=3
def check_correction_of_tune():
    constant = [np.full((2, 3), 0.1), np.full(3, -0.2), np.array(0.3), np.full((1, 2, 2, 2), 0.05)]
    path = probe_path(tune, lambda step, _: constant, steps=400, ends_after=12, lr=0.01, weight_decay=0.0, max_norm=10.0)
    signs = [-1, 1, -1, -1]
    call = "tune(net, ..., steps=400, lr=0.01, weight_decay=0), gradients that never change"
    first = np.array([(part[1] - part[0]).ravel()[0] for part in path]) * signs / 0.01
    check.close(
        first,
        np.ones(4),
        rtol=0.01,
        what="the first step of every parameter is as long as the learning rate, down its gradient",
        call=call,
        turns={
            "neither mean is corrected": np.full(4, 3.162278),
            "only m is corrected": np.full(4, 31.62278),
            "only v is corrected": np.full(4, 0.1),
            "the correction counts the first step as the second": np.full(4, 0.74431),
            "the correction counts from 0, and 1 - beta**0 is 0": np.full(4, np.nan),
        },
    )
    twelve = np.array([(part[12] - part[0]).ravel()[0] for part in path]) * signs / 0.01
    check.close(
        twelve,
        np.full(4, 12.0),
        rtol=0.02,
        what="twelve equal gradients move twelve times the learning rate",
        call=call,
        turns={"the corrected means are stored, and corrected again": np.full(4, 1.28763)},
    )


check.run(check_correction_of_tune)

# %% check="put-it-together" part="groups" points=3
def check_groups_of_tune():
    def still(step, params):
        return [np.zeros(np.shape(param)) for param in params]

    call = "tune(net, ..., steps=5, lr=0.5, weight_decay=0.1), gradients of zero"
    matrix, vector, scalar, kernel = probe_path(tune, still, steps=5, lr=0.5, weight_decay=0.1)
    for name, part in {"a vector": vector, "a scalar": scalar}.items():
        check.close(
            part[-1],
            part[0],
            what=f"without a gradient {name} stays where it is",
            call=call,
            turns={"it decays like a matrix": part[0] * (matrix[-1] / matrix[0]).ravel()[0]},
        )
    for name, part in {"a matrix": matrix, "a kernel of four axes": kernel}.items():
        shrunk = float((part[1] / part[0]).ravel()[0])
        check.close(
            shrunk,
            0.95,
            rtol=1e-3,
            what=f"{name} shrinks by learning rate * weight_decay at the first step",
            call=call,
            turns={
                "nothing is decayed any more": 1.0 if part is matrix else np.nan,
                "only the matrix is decayed: a kernel has axes for its inputs and outputs too": 1.0 if part is kernel else np.nan,
                "the decay leaves out the learning rate": 0.9,
                "the matrix is decayed twice": 0.9025,
            },
        )


check.run(check_groups_of_tune)

# %% check="put-it-together" part="schedule" points=3
def check_schedule_of_tune():
    def still(step, params):
        return [np.zeros(np.shape(param)) for param in params]

    def rates(steps):
        """The learning rate of each step, in units of lr: without gradients, a matrix shrinks by it and nothing else."""
        matrix = probe_path(tune, still, steps=steps, lr=0.1, weight_decay=0.2)[0][:, 0, 0]
        return (1 - matrix[1:] / matrix[:-1]) / (0.1 * 0.2)

    call = "tune(net, ..., steps={}, lr=0.1, weight_decay=0.2), gradients of zero; in units of lr"
    for steps in (32, 20):
        rate = rates(steps)
        told = call.format(steps)
        check.that(
            rate[0] > 1e-6,
            what="a matrix shrinks at the first step",
            call=told,
            got=rate[0],
            turns={"matrices do not decay: this check reads the learning rate off their decay": True},
        )
        check.that(
            np.ptp(rate) > 1e-6,
            what="the learning rate falls",
            call=told,
            got=rate[[0, steps // 2, steps - 1]],
            turns={"the learning rate stays the same, or the decay takes no notice of it": True},
        )
        check.close(rate[0], 1.0, rtol=0.01, what="the learning rate of the first step is lr", call=told)
        middle = rate[steps // 2]
        check.that(
            0.45 < middle < 0.55,
            what="in the middle the learning rate is lr / 2",
            call=told,
            expected="0.45 to 0.55",
            got=middle,
            turns={
                "the cosine makes a whole turn: it needs pi, not 2 pi": middle < 0.05 and rate[-1] > 0.5,
                "lr itself is overwritten, so that each step shrinks what the last one left": middle < 0.05 and rate[-1] < 0.05,
                "it falls too late": middle > 0.6,
            },
        )
        quarter = rate[steps // 4]
        check.that(
            0.82 < quarter < 0.88,
            what="a quarter of the way the learning rate is 0.85 lr, as on a cosine",
            call=told,
            expected="0.82 to 0.88",
            got=quarter,
            turns={"it falls on a straight line": 0.73 < quarter < 0.77},
        )
        check.that(np.all(np.diff(rate) < 1e-9), what="the learning rate never rises", call=told, got=rate)
        check.that(0 <= rate[-1] + 1e-9 < 0.01, what="the learning rate ends at 0", call=told, got=rate[-1])


check.run(check_schedule_of_tune)

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Take the four sentences of the docstring one by one, and find the line that makes each true. Where there is no such line, or
# where it does something else, you have found one. What the curve shows helps: the start, the slow climb, the leap and the
# restless end are four signs, one a mistake.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# A norm is measured and written into the log, but it reaches nothing. The step number is not used at all, although two of
# the four sentences need it. And every array is treated alike, although one sentence tells two kinds apart.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Scale all gradients by one factor before Adam sees them. Divide both running means by one minus their beta to the number of the
# step, counted from one, in the update only. Compute the rate of the step from the cosine, and use it in both places where `lr`
# stands. Ask for the number of axes before you shrink an array.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the checks pass</summary>
#
# **Diagnosis.** Four at once: *Mistake 3: Forgetting Bias Correction in Adam*, *Mistake 5: Gradient Explosion Without Clipping*,
# *Mistake 8: Not Decaying Learning Rate*, and *Mistake 9: Weight Decay on Wrong Parameters*.
#
# **Which sign belongs to which.** The jump at the first steps is the missing correction: the model was nearly right, and steps
# three times too long carry it away. The climb is the decay of the offset: AdamW pulls a parameter towards $1/\lambda$, with
# $\lambda$ the weight decay, here 33 degrees, while the data say 50. The leap is the mistyped row, whenever a batch draws it: its
# gradient is thousands of times longer than the others. Adam then remembers its square for about $1/(1-\beta_2)=1000$ steps,
# divides by its root, and hardly moves any more. The restless end is the constant rate.
#
# **They do not add up.** In the run of the figure the excess at the end is 31. Mended alone, the clipping brings it to 0.13, the
# groups to 0.8 and the schedule to 2. The correction makes it *worse*, 34. And after the clipping the correction is worse still:
# the excess goes from 0.13 to 49. Uncorrected steps are up to six times too long, and strong enough to hold the offset against
# its decay. Corrected ones are one learning rate long at most, and lose to a decay of $0.03\cdot 50=1.5$ learning rates. One
# mistake had hidden the other. So a curve that gets worse does not tell you that the mend was wrong. Hold each line against what
# it is meant to do, change one thing at a time, and measure after each.
#
# **When the advice misleads.** On a classifier that starts from scratch the same four mistakes can *help* for a while: longer
# steps and a rate that never falls are simply faster there. A script is judged on the task it is for.
#
# **In PyTorch** the four are `torch.nn.utils.clip_grad_norm_`, `torch.optim.AdamW`, which corrects its means, with two parameter
# groups, and `torch.optim.lr_scheduler.CosineAnnealingLR`. They make the same steps as yours, but that the clipping divides by
# the norm plus `1e-6`.
#
# </details>

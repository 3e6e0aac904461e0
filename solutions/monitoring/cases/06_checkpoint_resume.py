# %% [markdown]
# ## Case 6 · Two days of training, and nothing to show
#
# About 30 minutes · difficulty 4 of 5 · 7 points
#
# **The complaint.** A run needs 200 steps, each of them a quarter of an hour of a rented machine. The machine is cheap
# because it may be taken away at any moment, and it is, every ninety steps or so. The run then begins again at step 0. It
# has been going on for two weeks now, and has never come past step 90.
#
# **After this case you can** say what the state of a run consists of, write it to disk so that a kill at any moment loses next to
# nothing, and prove that a resumed run is the run that was not killed.
#
# ### The code

# %% fix="checkpoint-resume"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    """Train `run` until run.step == steps, with checkpoints on `disk`; go on from the newest
    where there are some. Returns run.

    run: fresh from its start. run.train_step() does one step and adds 1 to run.step;
    run.val_loss() gives the validation loss, and changes nothing. All that a step depends on is
    in run.params and run.means (the optimizer's), both lists of float64 arrays, run.schedule, a
    dict of plain numbers, run.step, and the Generator run.rng. All five can be set.
    disk: a folder. disk.names() lists its files; disk.read(name) gives the bytes,
    disk.write(name, data) writes them: killed in the middle, it leaves half of them under that
    name. disk.replace(old, new) renames, and disk.remove(name) deletes, each wholly or not at
    all.
    Graded: a checkpoint after every `every` steps and one after the last step. It is the file
    step_N.npz, with N the run's step, and np.load(..., allow_pickle=False) reads all its entries.
    What a killed run and its successors end with is bit for bit what one run would have. A kill
    at any call of disk costs no complete checkpoint: the next run goes on from the newest. At the
    end, whatever kills there were, there are the newest `keep` checkpoints, the one with the
    lowest validation loss of all processes (nan never is it), and no others.
    Not graded: what is in the files, how you name others, what is left of a killed write, and how
    many checkpoints there are meanwhile.
    """
    ### BEGIN BROKEN
    # while run.step < steps:
    #     run.train_step()  # no checkpoint: it has to survive
    # return run
    ### END BROKEN
    ### BEGIN SOLUTION
    load_newest_checkpoint(disk, run)
    clean_up_checkpoints(disk, keep)  # the last process may have been killed in the middle of its own
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save_checkpoint(disk, run)
            clean_up_checkpoints(disk, keep)
    return run


def save_checkpoint(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": float(run.val_loss())}
    arrays = {f"{kind}_{i}": array for kind in ("params", "means") for i, array in enumerate(getattr(run, kind))}
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    # Half a file may stand under another name only. It gets the name that counts in one go, when it is whole.
    disk.write("unfinished", data.getvalue())
    disk.replace("unfinished", f"step_{run.step}.npz")


def saved_steps(disk):
    """The steps of the checkpoints, as numbers: as texts, "1000" comes before "200"."""
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def read_checkpoint(disk, step):
    """The plain numbers of a checkpoint, and its arrays, each of which is read when it is asked
    for."""
    arrays = np.load(io.BytesIO(disk.read(f"step_{step}.npz")), allow_pickle=False)
    return json.loads(str(arrays["numbers"])), arrays


def load_newest_checkpoint(disk, run):
    steps = saved_steps(disk)
    if not steps:
        return
    numbers, arrays = read_checkpoint(disk, steps[-1])
    for kind in ("params", "means"):
        setattr(run, kind, [arrays[f"{kind}_{i}"] for i in range(len(getattr(run, kind)))])
    run.step, run.schedule = numbers["step"], numbers["schedule"]
    run.rng.bit_generator.state = numbers["rng"]


def clean_up_checkpoints(disk, keep):
    losses = {step: read_checkpoint(disk, step)[0]["val_loss"] for step in saved_steps(disk)}
    best = min(losses, key=lambda step: losses[step] if np.isfinite(losses[step]) else np.inf, default=None)
    for step in set(list(losses)[:-keep]) - {best}:
        disk.remove(f"step_{step}.npz")
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The run needs 200 steps. The machine is taken away after every ninety steps of work, and
# there is a checkpoint every twenty steps. How many steps of work will be done until the run is at its end? Write your
# guess as `my_guess`; the left panel shows it once you have mended the code.

# %% scene="checkpoint-resume"
import os
import tempfile


class Killed(BaseException):
    """The process ends here. It is no Exception, so that `except Exception` cannot stop it either."""


class FolderDisk:
    """The files of one real folder. They are closed again at once, and so can be renamed and removed on any system."""

    def __init__(self, path):
        self.path = path

    def names(self):
        return sorted(os.listdir(self.path))

    def read(self, name):
        with open(os.path.join(self.path, name), "rb") as file:
            return file.read()

    def write(self, name, data):
        with open(os.path.join(self.path, name), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # else a power cut after the renaming may find the data still in memory

    def replace(self, old, new):
        os.replace(os.path.join(self.path, old), os.path.join(self.path, new))

    def remove(self, name):
        os.remove(os.path.join(self.path, name))


class SpiralRun:
    """A small network on spirals, in mini-batches, with momentum and a rate that falls by 1 % a step. It may be killed."""

    def __init__(self, seed, kill_after=None):
        self.rng = np.random.default_rng(seed)
        self.data, self.validation = (spirals(np.random.default_rng(number), points=60) for number in (5, 6))
        self.net = MLP((2, 32, 3), self.rng)
        self.means = [np.zeros_like(param) for param in self.net.params]
        self.schedule, self.step, self.kill_after = {"lr": 0.3}, 0, kill_after
        self.work = []  # the run's step after each step of work of this process

    @property
    def params(self):
        return self.net.params

    @params.setter
    def params(self, params):
        self.net.params = list(params)

    def train_step(self):
        if len(self.work) == self.kill_after:
            raise Killed
        x, y = self.data
        rows = self.rng.integers(0, len(y), 32)
        grads = self.net.loss_and_grads(x[rows], y[rows])[1]
        self.means = [0.9 * mean + grad for mean, grad in zip(self.means, grads)]
        self.params = [param - self.schedule["lr"] * mean for param, mean in zip(self.params, self.means)]
        self.schedule["lr"] *= 0.99
        self.step += 1
        self.work.append(self.step)

    def val_loss(self):
        return self.net.loss(*self.validation)


def train_on_rented_machine(train_with_checkpoints, seed, steps=200, kill_after=90, starts=4):
    """Start a run, and start it again each time it is killed, `starts` times at most; its checkpoints lie in a real folder.

    Returns the step at which it stood after each step of work, where the kills were, and by how much the largest parameter
    differs from the run that nobody kills (None where the run never comes to its end).
    """
    whole = SpiralRun(seed)
    for _ in range(steps):
        whole.train_step()
    work, kills = [], []
    with tempfile.TemporaryDirectory() as path:
        for _ in range(starts):
            run = SpiralRun(seed, kill_after)
            try:
                train_with_checkpoints(FolderDisk(path), run, steps, every=20, keep=2)
            except Killed:
                work += run.work
                kills.append(len(work))
                continue
            work += run.work
            return work, kills, max(np.abs(one - other).max() for one, other in zip(run.params, whole.params))
    return work, kills, None


def show_rented_machine(before, now, guess, steps=200):
    """Draw how far two runs are after each step of work, and by how much each ends apart from the run that nobody kills."""
    fig, (left, right) = figure(2)
    told = []
    for place, (style, marker, (work, kills, gap), label) in enumerate(
        ((BROKEN, "X", before, "as complained about"), (MENDED, "o", now, "your code"))
    ):
        left.plot(np.arange(1, len(work) + 1), work, label=label, **style)
        left.plot(kills, [work[kill - 1] for kill in kills], marker, color=style["color"], markerfacecolor="white", zorder=4)
        end = f"ends after {len(work)} steps of work" if gap is not None else f"is not at its end after {len(work)} steps of work"
        words = "never ends" if gap is None else "bit for bit the same" if gap == 0 else f"{gap:.2g}"
        right.plot(
            [place], [np.nan if gap is None else gap], marker, color=style["color"], markersize=12, markerfacecolor="white"
        )
        right.annotate(words, (place, 0 if gap is None else gap), xytext=(0, 12), textcoords="offset points", ha="center")
        told.append(f"{label}: the run is killed {len(kills)} times and {end}; difference to the run nobody kills: {words}")
    left.axhline(steps, color="#444444", linewidth=0.8)
    left.axvline(guess, color="#444444", linestyle=":", linewidth=1.5)
    left.annotate("your guess", (guess, 1.25 * steps), xytext=(4, 0), textcoords="offset points", fontsize="small")
    left.set(xlabel="steps of work", ylabel="step at which the run stands", ylim=(0, 1.45 * steps))
    left.legend(frameon=False, fontsize="small", loc="upper left")
    right.set(ylabel="largest difference of a parameter", xlim=(-0.6, 1.6), xticks=[0, 1])
    right.set_xticklabels(["as complained about", "your code"])
    right.set_ylim(-0.05, max(0.5, 1.2 * right.get_ylim()[1]))
    show(
        fig,
        "A run of 200 steps on a machine that is taken away after ninety. Marks: where it was killed. Right: what came out.",
        "Two panels. " + ". ".join(told) + f". Your guess is {guess:.3g} steps of work.",
    )


# %% run="checkpoint-resume"
my_guess = 300  # steps of work until the run is at its end

show_rented_machine(
    before=train_on_rented_machine(broken.train_with_checkpoints, seed=0),
    now=train_on_rented_machine(train_with_checkpoints, seed=0),
    guess=my_guess,
)


# %% check="checkpoint-resume" points=7
class MemoryDisk:
    """A folder in memory that tells `watch`, as a text, of each call that changes it.

    It tells of a write when half of the bytes are there, of any other call before it is done, and of each once it is done. A kill
    in a call that changes nothing leaves what the call before has left.
    """

    def __init__(self, files=None, watch=None):
        self.files, self._watch = dict(files or {}), watch

    def _at(self, moment):
        if self._watch is not None:
            self._watch(moment)

    def names(self):
        return list(self.files)

    def read(self, name):
        return self.files[name]

    def foreseen(self):
        return {"names": {(): self.names()}, "read": {(name,): data for name, data in self.files.items()}}

    def write(self, name, data):
        data = bytes(data)
        self.files[name] = data[: len(data) // 2]
        self._at(f"in disk.write({name!r})")
        self.files[name] = data
        self._at(f"after disk.write({name!r})")

    def replace(self, old, new):
        self._at(f"in disk.replace({old!r}, {new!r})")
        self.files[new] = self.files.pop(old)
        self._at(f"after disk.replace({old!r}, {new!r})")

    def remove(self, name):
        self._at(f"in disk.remove({name!r})")
        del self.files[name]
        self._at(f"after disk.remove({name!r})")


class PlayedRun:
    """A run without a network, in which every part of the state matters. losses: the validation loss of each step, by step."""

    def __init__(self, seed=1, kill_after=None, losses=None, arrays=2):
        self.params = [np.full((2, 2), 1.0), np.zeros(3), *(np.full(3, float(i)) for i in range(2, arrays))]
        self.means = [np.zeros_like(param) for param in self.params]
        self.schedule, self.step, self.rng = {"lr": 0.1, "waited": 0}, 0, np.random.default_rng(seed)
        self.kill_after, self.losses, self.work, self.at_start = kill_after, losses, 0, None

    def state(self):
        return {
            "the step": self.step,
            "the parameters": [np.array(array, dtype=float).tolist() for array in self.params],
            "the optimizer's means": [np.array(array, dtype=float).tolist() for array in self.means],
            "the schedule": dict(self.schedule),
            "the generator": repr(self.rng.bit_generator.state),
        }

    def train_step(self):
        if self.work == self.kill_after:
            raise Killed
        if self.at_start is None:
            self.at_start = self.state()
        noise = [self.rng.normal(size=np.shape(param)) for param in self.params]
        self.means = [0.9 * mean + each for mean, each in zip(self.means, noise)]
        self.params = [param - self.schedule["lr"] * mean for param, mean in zip(self.params, self.means)]
        self.schedule["lr"] *= 0.99
        self.schedule["waited"] += 1
        self.step += 1
        self.work += 1

    def val_loss(self):
        return 1 / (1 + self.step) if self.losses is None else self.losses(self.step)

    def foreseen(self):
        return {"val_loss": {(): self.val_loss()}}


def run_that_nobody_kills(steps, **options):
    run = PlayedRun(**options)
    for _ in range(steps):
        run.train_step()
    return run.state()


def go_on(disk, run, steps, every, keep):
    """Call train_with_checkpoints; whether it came to its end, and the exception that stopped it, if it was not a kill."""
    try:
        train_with_checkpoints(disk, run, steps, every, keep)
        return True, None
    except Killed:
        return False, None
    except Exception as error:
        return False, error


def require_end(outcome, call):
    """It came to its end; an exception of the learner's code is shown as what it is."""
    if outcome[1] is not None:
        raise outcome[1]
    check.that(
        outcome[0], what="the run comes to its end", call=call, turns={"a kill is caught: the process is dead by then": True}
    )


def steps_on(disk):
    """The steps of the checkpoints on a disk, by their names."""
    middles = [name[5:-4] for name in disk.files if name.startswith("step_") and name.endswith(".npz")]
    return sorted(int(middle) for middle in middles if middle.isdigit())


def check_files(disk, want, call, nan_steps=()):
    """The checkpoints on the disk are those of the steps in `want`, the best first, and numpy reads them without pickle.

    nan_steps: the steps at which the validation loss was nan.
    """
    got = steps_on(disk)
    missing, extra = set(want) - set(got), set(got) - set(want)
    is_best_gone = bool(got) and missing == {want[0]}
    check.that(
        got == want,
        what="at the end there are the newest checkpoints, and the best",
        call=call,
        expected=f"the steps {', '.join(map(str, want))}",
        got=f"the steps {', '.join(map(str, got))}" if got else f"no step_N.npz; there is {sorted(disk.files) or 'nothing'}",
        turns={
            "no checkpoint is saved": not disk.files,
            "the last step is not saved: it is no multiple of `every`": bool(got) and want[-1] not in got and want[-1] == 9,
            "the names are sorted as texts, as in the document's clean-up: '1000' comes before '200', so the newest go": bool(got)
            and want[-1] not in got,
            "nothing is ever deleted": len(got) > len(want) + 2,
            "a nan is taken for the lowest loss: every comparison with it is False, so that nothing is below it": is_best_gone
            and bool(extra)
            and extra <= set(nan_steps),
            "the best is not known after a restart: its loss has to be in a file, and read again": is_best_gone
            and "killed" in call,
            "the best is deleted when it has become old": is_best_gone and not extra,
            "another checkpoint is taken for the best": is_best_gone,
            "the best is one of the newest `keep`, and not one more": bool(got)
            and not extra
            and len(missing) == 1
            and want[0] in got,
            "more is deleted than should be": bool(got) and not extra,
            "a kill in the clean-up is never made good: the next process has to clean up, even where all steps are done": (
                not missing and "killed" in call
            ),
        },
    )
    for step in want:
        name = f"step_{step}.npz"
        try:
            with np.load(io_bytes(disk.files[name]), allow_pickle=False) as saved:
                problem = "" if saved.files and all(saved[entry] is not None for entry in saved.files) else "it is empty"
        except Exception as error:
            problem = f"{type(error).__name__}: {str(error)[:90]}"
        check.that(
            not problem,
            what="np.load(..., allow_pickle=False) reads every entry of a checkpoint",
            call=call,
            got=f"{name}: {problem}",
            turns={"objects are pickled: who loads such a file runs whatever code is in it": "pickle" in problem.lower()},
        )


def io_bytes(data):
    from io import BytesIO

    return BytesIO(data)


def check_resumed(call, run, whole, saved_step):
    """A run that went on from the checkpoint of `saved_step` began where that was, and ended as `whole`."""
    began = run.at_start or run.state()
    there = run_that_nobody_kills(saved_step, arrays=len(run.params))
    check.that(
        began["the step"] >= saved_step,
        what="it goes on from the newest checkpoint",
        call=call,
        expected=f"a first step that starts at step {saved_step}",
        got=f"a first step that starts at step {began['the step']}",
        turns={
            "nothing is loaded: it begins again": began["the step"] == 0 and began["the parameters"] != there["the parameters"],
            "the step is not restored, and so what has been done is done again": began["the parameters"]
            == there["the parameters"],
            "an older checkpoint is loaded: the names are sorted as texts, or the best is taken for the newest": began["the step"]
            > 0,
        },
    )
    lost = [name for name in began if began[name] != there[name]] if began["the step"] == saved_step else []
    apart = max(
        (np.abs(np.subtract(one, other)).max(initial=0) for one, other in zip(began["the parameters"], there["the parameters"])),
        default=0,
    )
    check.that(
        not lost,
        what="it goes on with all that the run consists of",
        call=call,
        expected=f"the state of the run at step {saved_step}, bit for bit",
        got=f"other values in: {', '.join(name.removeprefix('the ') for name in lost)}",
        turns={
            "only the parameters are restored: the optimizer, the schedule and the generator are part of the state too": len(lost)
            == 3
            and "the parameters" not in lost,
            "the numbers are rounded on their way, as by a float32": 0 < apart < 1e-5,
            "more than nine arrays are sorted by their names as texts": len(run.params) > 10 and "the parameters" in lost,
            "the generator begins its numbers anew": lost == ["the generator"]
            and began["the generator"] == PlayedRun().state()["the generator"],
            "the generator's state is rounded or changed on its way, as by a float: its numbers have 128 bits": lost
            == ["the generator"],
            "the optimizer starts from zero": "the optimizer's means" in lost
            and not any(np.ravel(began["the optimizer's means"][0])),
            "the schedule starts anew": lost == ["the schedule"],
        },
    )
    ended = run.state()
    lost = [name for name in ended if ended[name] != whole[name]]
    check.that(
        not lost,
        what="the resumed run ends bit for bit as one that nobody kills",
        call=call,
        got=f"other values in: {', '.join(name.removeprefix('the ') for name in lost)}",
        turns={"saving or cleaning up changes the run: it draws from its generator, or rounds its arrays": True},
    )


def check_kill_in_step(every, steps, kill_after, keep=2, arrays=2):
    """Killed between two checkpoints, and started again."""
    call = f"train_with_checkpoints(disk, run, steps={steps}, every={every}, keep={keep}), killed after {kill_after} steps; again"
    disk = MemoryDisk()
    outcome = go_on(disk, PlayedRun(kill_after=kill_after, arrays=arrays), steps, every, keep)
    if outcome[1] is not None:
        raise outcome[1]
    run = PlayedRun(arrays=arrays)
    require_end(go_on(disk, run, steps, every, keep), call)
    check_resumed(call, run, run_that_nobody_kills(steps, arrays=arrays), kill_after // every * every)


def check_kill_in_disk(every, steps, keep, want, nan_steps=()):
    """Killed at each call of disk in turn, and started again: no complete checkpoint is lost, and the end is the same.

    What a kill leaves behind is what is on the disk at that call. So one run is played, and then goes on from each of the states
    in which its disk was. want: the steps of the checkpoints that are there at the end. nan_steps: those at which the validation
    loss is nan.
    """

    def losses(step):
        return float("nan") if step in nan_steps else float(step)  # the first that is a number is the best

    def watch(moment):
        done = run.step - 1 - (run.step - 1) % every if run.step else 0
        kills.setdefault((done, *disk.files.items()), (done, dict(disk.files), moment))

    kills = {}
    disk, run = MemoryDisk(watch=watch), PlayedRun(losses=losses)
    outcome = go_on(disk, run, steps, every, keep)
    require_end(outcome, f"train_with_checkpoints(disk, run, steps={steps}, every={every}, keep={keep})")
    whole = run_that_nobody_kills(steps)
    for done, files, moment in kills.values():
        call = f"train_with_checkpoints(disk, run, steps={steps}, every={every}, keep={keep}), killed {moment}; again"
        again, after = MemoryDisk(files), PlayedRun(losses=losses)
        ended, error = go_on(again, after, steps, every, keep)
        half = any(name.startswith("step_") and name.endswith(".npz") and f"in disk.write({name!r})" == moment for name in files)
        is_old_gone = done > 0 and not any(
            done <= step and f"in disk.write('step_{step}.npz')" != moment for step in steps_on(MemoryDisk(files))
        )
        began = after.at_start["the step"] if after.at_start else after.step
        check.that(
            error is None and ended and began >= done,
            what="a kill at any call of disk costs no complete checkpoint",
            call=call,
            expected=f"a second run that goes on from step {done} at least",
            got=f"{type(error).__name__}: {error}" if error else f"a second run that goes on from step {began}",
            turns={
                "the old checkpoints are deleted before the new one is whole": is_old_gone,
                "the file is written under its own name: the kill leaves half of it there, and it is taken for the newest": half,
                "what is left of a killed write gets in the way": error is not None,
            },
        )
        lost = [name for name, value in after.state().items() if value != whole[name]]
        check.that(
            not lost,
            what="whatever call of disk it is killed at, it ends bit for bit as a run that nobody kills",
            call=call,
            got=f"other values in: {', '.join(name.removeprefix('the ') for name in lost)}",
        )
        told = f"nan at step {nan_steps[0]}, and then rising" if nan_steps else "rising"
        check_files(again, want, f"{call}; validation loss {told}", nan_steps)


def check_checkpoints():
    call = "train_with_checkpoints(disk, run, steps=14, every=2, keep=3), lowest validation loss at step 4"
    disk, run = MemoryDisk(), PlayedRun(losses=lambda step: 0.5 + abs(step - 4) / 100)
    require_end(go_on(disk, run, 14, 2, 3), call)
    check.that(run.step == 14, what="it trains until run.step == steps", call=call, expected=14, got=run.step)
    check.that(run.state() == run_that_nobody_kills(14), what="checkpoints change nothing in the run", call=call)
    check_files(disk, [4, 10, 12, 14], call)

    call = "train_with_checkpoints(disk, run, steps=9, every=4, keep=2)"
    disk = MemoryDisk()
    require_end(go_on(disk, PlayedRun(), 9, 4, 2), call)
    check_files(disk, [8, 9], call)

    call = "train_with_checkpoints(disk, run, steps=6, every=1, keep=2), validation loss nan at step 1, lowest at 3"
    disk, nan = MemoryDisk(), float("nan")
    require_end(go_on(disk, PlayedRun(losses=lambda step: nan if step == 1 else abs(step - 3)), 6, 1, 2), call)
    check_files(disk, [3, 5, 6], call, nan_steps=[1])

    check_kill_in_step(every=4, steps=14, kill_after=13)
    check_kill_in_disk(every=1, steps=3, keep=1, want=[1, 3])

    came = train_with_checkpoints(MemoryDisk(), PlayedRun(), 2, 2, 1)
    call = "train_with_checkpoints(disk, run, steps=2, every=2, keep=1)"
    check.that(came is not None and came.step == 2, what="the run comes back", call=call, expected="the run", got=came)


check.run(check_checkpoints)


### BEGIN HIDDEN TESTS
def check_checkpoints_elsewhere():
    rng = check.hidden_rng(106)
    every = int(rng.integers(2, 4))
    steps = 3 * every + int(rng.integers(1, every))
    kill_after = int(rng.integers(2 * every, 3 * every))
    check_kill_in_step(every, steps, kill_after, arrays=int(rng.integers(11, 15)))
    every = int(rng.integers(3, 6))
    check_kill_in_step(every, every + int(rng.integers(1, every)), kill_after=int(rng.integers(1, every)))
    nans = int(rng.integers(1, 3))
    check_kill_in_disk(1, nans + 2, keep=1, want=[nans + 1, nans + 2], nan_steps=range(1, nans + 1))

    every, seed = int(rng.integers(1, 4)), int(rng.integers(2**31))
    evaluations = every * np.arange(1, 7)
    best, *nan_steps = rng.permutation(evaluations[:4])[:3].tolist()
    losses = dict(zip(evaluations.tolist(), rng.uniform(0, 1, 6).tolist())) | dict.fromkeys(nan_steps, float("nan"))
    losses[best] = -float(rng.uniform(1, 5))
    call = "train_with_checkpoints, nan at some of the evaluations"
    disk = MemoryDisk()
    require_end(go_on(disk, PlayedRun(seed=seed, losses=lambda step: losses.get(step, 0.5)), 6 * every, every, 2), call)
    check_files(disk, [best, 5 * every, 6 * every], call, nan_steps=nan_steps)

    every, seed = int(rng.integers(2, 4)), int(rng.integers(2**31))
    steps, best = 4 * every + int(rng.integers(1, every)), every * int(rng.integers(1, 3))
    kills = int(rng.integers(every, 2 * every)), int(rng.integers(every, 2 * every)), None
    call = f"train_with_checkpoints, killed after {kills[0]} and again after {kills[1]} further steps; the best at step {best}"
    disk = MemoryDisk()
    for kill_after in kills:
        run = PlayedRun(seed=seed, kill_after=kill_after, losses=lambda step: -5.0 if step == best else step / 100)
        outcome = go_on(disk, run, steps, every, 2)
        if outcome[1] is not None:
            raise outcome[1]
    whole = run_that_nobody_kills(steps, seed=seed)
    check.that(run.state() == whole, what="killed twice, it ends bit for bit as a run that nobody kills", call=call)
    check_files(disk, [best, 4 * every, steps], call)


check.run(check_checkpoints_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Imagine two processes that know nothing of each other, and share a folder. Write down what the second has to find there so
# that its next step is the same, to the last bit, as the step that the first would have done. There are five things.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Nothing is written at all. When you mend that, ask of each line that touches the disk: what is in the folder if the
# process ends in the middle of it? What if half a file has the name that the next process looks for? And how does
# "step_1000" sort against "step_200"?
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Collect the arrays in one `np.savez` into an `io.BytesIO`, and the plain numbers as a text from `json.dumps` beside them:
# the state of a generator is `rng.bit_generator.state`, and can be set. Write under a name that nobody looks for, then
# `replace`. Delete last, by numbers, and spare the best; that its validation loss is known after a restart, it has to be in
# a file. Delete at the start too: the kill may have come in the middle of deleting.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Mistake 6: Not Saving Checkpoints.*
#
# Write $s_t$ for the state after step $t$: the parameters, the optimizer's means, the schedule, the step number and the
# generator. A step is a function of it, $s_{t+1}=f(s_t)$, and of nothing else; so a process that has all of $s_t$ goes on
# as if nothing had happened. In the figure the run needs 220 steps of work instead of never ending: with a checkpoint every
# $c$ steps a kill costs at most $c$ steps, and $c/2$ on average. How often to save, when saving takes time $\delta$ and
# kills come every $M$ on average? Young 1974 (doi 10.1145/361147.361115) found $\sqrt{2\delta M}$ between two checkpoints.
#
# **When the advice misleads.** The document's fix saves the model, the optimizer and the step, and keeps the last five. It saves
# neither the generator nor the schedule. Measured with Adam on these spirals, resumed at step 150 of 200: a generator that begins
# anew moves some parameter by 0.1 to 0.25 at the end. Parameters alone, without the optimizer, do so by 0.63 to 0.77. The loss
# does not show it: after such a restart it is 1.01 to 1.15 times what it was. So compare parameters, bit for bit. It writes under
# the final name, and a kill in the middle leaves half a file as the newest. It says `cleanup_old_checkpoints` and not how: by
# names sorted as texts, with a checkpoint every 10 000 steps, step 120 000 is deleted and step 50 000 is kept. It may delete the
# best. And of 99 999 steps the last 9999 are never saved.
#
# **Atomic** means wholly or not at all. `os.replace` is, on one file system; `write` is not. Before it the data have to be on the
# disk, hence `os.fsync` in `FolderDisk`, above the figure. On Windows a file that is open somewhere cannot be replaced or
# removed: read it, close it, then clean up.
#
# **No pickle.** To load a pickled file is to run a program from it; whoever can change your checkpoints can run what they
# like on your machine. Arrays in `.npz` and numbers in JSON are only data, and `np.load` refuses objects unless told
# otherwise. Floats survive JSON exactly, because Python writes as many digits as it takes; the 128-bit numbers of a
# generator do too. As an array of floats they would not.
#
# **In PyTorch** the parts are `model.state_dict()`, `optimizer.state_dict()`, `scheduler.state_dict()`, `torch.get_rng_state()`
# with that of each GPU and of numpy, and the place in the data. `torch.save` pickles: load with `weights_only=True`, the default
# since PyTorch 2.6.
#
# </details>

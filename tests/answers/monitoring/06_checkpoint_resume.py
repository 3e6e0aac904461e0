# %% right="a temporary file, then replace"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% right="written in place, and what is damaged is passed over and removed"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    whole = []
    for name in disk.names():
        if name.startswith("step_"):
            try:
                np.load(io.BytesIO(disk.read(name)))["numbers"]
                whole.append(int(name[5:-4]))
            except Exception:
                disk.remove(name)
    return sorted(whole)


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write(f"step_{run.step}.npz", data.getvalue())


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% right="the losses in a file of their own, written first"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    losses = json.loads(disk.read("losses.json")) if "losses.json" in disk.names() else {}
    losses[str(run.step)] = float(run.val_loss())
    disk.write("losses.tmp", json.dumps(losses).encode())
    disk.replace("losses.tmp", "losses.json")
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = json.loads(disk.read("losses.json"))
    best = min(steps, key=lambda step: (np.isnan(losses[str(step)]), losses[str(step)]))
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% right="one class, the arrays flat in bytes, the numbers in a JSON of its own that is written last"
import io
import json


class Checkpoints:
    def __init__(self, disk, keep):
        self.disk, self.keep = disk, keep

    def index(self):
        return json.loads(self.disk.read("index.json")) if "index.json" in self.disk.names() else []

    def save(self, run):
        data = io.BytesIO()
        np.savez_compressed(data, *run.params, *run.means)
        name = f"step_{run.step}.npz"
        self.disk.write("arrays.part", data.getvalue())
        self.disk.replace("arrays.part", name)
        loss = run.val_loss()
        entry = [run.step, loss if loss == loss else float("inf"), run.schedule, run.rng.bit_generator.state]
        entries = [old for old in self.index() if old[0] != run.step] + [entry]
        kept = entries[-self.keep :]
        best = min(entries, key=lambda each: each[1])
        if best not in kept:
            kept.insert(0, best)
        self.disk.write("index.part", json.dumps(kept).encode("utf-8"))
        self.disk.replace("index.part", "index.json")
        self.clean_up()

    def clean_up(self):
        names = [f"step_{each[0]}.npz" for each in self.index()]
        for old in self.disk.names():
            if old.startswith("step_") and old not in names:
                self.disk.remove(old)

    def load(self, run):
        entries = self.index()
        if entries:
            run.step, _, run.schedule, run.rng.bit_generator.state = entries[-1]
            saved = np.load(io.BytesIO(self.disk.read(f"step_{run.step}.npz")))
            arrays = [saved[f"arr_{i}"] for i in range(len(saved.files))]
            run.params, run.means = arrays[: len(run.params)], arrays[len(run.params) :]


def train_with_checkpoints(disk, run, steps, every, keep):
    checkpoints = Checkpoints(disk, keep)
    checkpoints.load(run)
    checkpoints.clean_up()
    while run.step < steps:
        for _ in range(min(every - run.step % every, steps - run.step)):
            run.train_step()
        checkpoints.save(run)
    return run


# %% right="cleaned up at the start, the best looked up among the numbers"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    clean_up(disk, keep)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min((step for step in losses if losses[step] < np.inf), key=losses.get, default=None)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% untouched says="at the end there are the newest checkpoints|no checkpoint is saved"


# %% emptied says="it trains until run.step == steps"


# %% wrong="the document's fix: model, optimizer and step, the last by their names" says="as in the document's clean-up|'1000' comes before '200'"
import io


def train_with_checkpoints(disk, run, steps, every, keep):
    names = sorted(name for name in disk.names() if name.endswith(".npz"))
    if names:
        saved = np.load(io.BytesIO(disk.read(names[-1])))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step = int(saved["step"])
    while run.step < steps:
        run.train_step()
        if run.step % every == 0:
            data = io.BytesIO()
            arrays = {f"p{i}": param for i, param in enumerate(run.params)}
            arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
            np.savez(data, step=run.step, **arrays)
            disk.write(f"step_{run.step}.npz", data.getvalue())
            for name in sorted(name for name in disk.names() if name.endswith(".npz"))[:-keep]:
                disk.remove(name)
    return run


# %% wrong="sorted as texts, the rest right" says="the names are sorted as texts"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = sorted(saved_steps(disk), key=str)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="only the parameters" says="only the parameters are restored"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.step = numbers["step"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the step is forgotten" says="the step is not restored"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.schedule = numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the generator is forgotten" says="other values in: generator|the generator begins its numbers anew"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the optimizer is forgotten" says="the optimizer starts from zero"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the schedule is forgotten" says="the schedule starts anew"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step = numbers["step"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="float32, to save room" says="the numbers are rounded on their way"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param.astype(np.float32) for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="written under its own name" says="the file is written under its own name"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write(f"step_{run.step}.npz", data.getvalue())


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the old is deleted before the new is written" says="the old checkpoints are deleted before the new one is whole"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            clean_up(disk, keep - 1)  # make room for the new one
            save(disk, run)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get, default=None)
    for step in steps[: max(len(steps) - keep, 0)]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the unfinished file is taken for a checkpoint" says="what is left of a killed write gets in the way"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write(f"step_{run.step}.tmp", data.getvalue())
    disk.replace(f"step_{run.step}.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the best is deleted" says="the best is deleted when it has become old"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    for step in steps[:-keep]:
        disk.remove(f"step_{step}.npz")


# %% wrong="the best takes one of the places" says="the best is one of the newest `keep`, and not one more"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in [each for each in steps if each != best][: 1 - keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="nothing is deleted" says="nothing is ever deleted"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the best of this process only" says="the best is not known after a restart"
import io
import json


BEST = {"loss": float("inf"), "step": None}


def train_with_checkpoints(disk, run, steps, every, keep):
    BEST.update(loss=float("inf"), step=None)
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            if run.val_loss() < BEST["loss"]:
                BEST.update(loss=run.val_loss(), step=run.step)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = BEST["step"]
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="nan is the lowest" says="a nan is taken for the lowest loss"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else -np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the last step is not saved" says="the last step is not saved"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="pickled objects" says="objects are pickled"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=np.array(numbers, dtype=object), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")), allow_pickle=True)
        numbers = saved["numbers"].item()
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = np.load(io.BytesIO(disk.read(f"step_{step}.npz")), allow_pickle=True)["numbers"].item()["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the arrays in the order of their names as texts" says="more than nine arrays are sorted by their names as texts"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[name] for name in sorted(saved.files) if name[0] == "p"]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="saves, and never loads" says="nothing is loaded: it begins again"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="goes on from the best" says="an older checkpoint is loaded"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[0]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the run is rounded by saving it" says="checkpoints change nothing in the run"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    run.params = [param.astype(np.float32) for param in run.params]
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="nothing is cleaned up at a restart" says="a kill in the clean-up is never made good"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="nan at the first evaluation stays the best" says="a nan is taken for the lowest loss|step 1, lowest at 3"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="all but the newest are deleted before the new one is written" says="more is deleted than should be"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            for step in saved_steps(disk)[:-1]:
                disk.remove(f"step_{step}.npz")
            save(disk, run)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the losses of the last process are not read again" says="the best is not known after a restart"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    losses = {step: np.inf for step in saved_steps(disk)}
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            losses[run.step] = run.val_loss() if np.isfinite(run.val_loss()) else np.inf
            clean_up(disk, keep, losses)
    clean_up(disk, keep, losses)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        run.rng.bit_generator.state = numbers["rng"]


def clean_up(disk, keep, losses):
    steps = saved_steps(disk)
    best = min(steps, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% wrong="the generator goes through floats" says="other values in: generator|rounded or changed on its way"
import io
import json


def train_with_checkpoints(disk, run, steps, every, keep):
    load(disk, run)
    while run.step < steps:
        run.train_step()
        if run.step % every == 0 or run.step == steps:
            save(disk, run)
            clean_up(disk, keep)
    clean_up(disk, keep)
    return run


def saved_steps(disk):
    return sorted(int(name[5:-4]) for name in disk.names() if name.startswith("step_") and name.endswith(".npz"))


def save(disk, run):
    numbers = {"step": run.step, "schedule": run.schedule, "rng": run.rng.bit_generator.state, "val_loss": run.val_loss()}
    arrays = {f"p{i}": param for i, param in enumerate(run.params)}
    arrays.update({f"m{i}": mean for i, mean in enumerate(run.means)})
    data = io.BytesIO()
    np.savez(data, numbers=json.dumps(numbers), **arrays)
    disk.write("new.tmp", data.getvalue())
    disk.replace("new.tmp", f"step_{run.step}.npz")


def load(disk, run):
    if saved_steps(disk):
        saved = np.load(io.BytesIO(disk.read(f"step_{saved_steps(disk)[-1]}.npz")))
        numbers = json.loads(str(saved["numbers"]))
        run.params = [saved[f"p{i}"] for i in range(len(run.params))]
        run.means = [saved[f"m{i}"] for i in range(len(run.means))]
        run.step, run.schedule = numbers["step"], numbers["schedule"]
        state = numbers["rng"]
        state["state"] = {name: int(float(number)) for name, number in state["state"].items()}
        run.rng.bit_generator.state = state


def clean_up(disk, keep):
    steps = saved_steps(disk)
    losses = {}
    for step in steps:
        loss = json.loads(str(np.load(io.BytesIO(disk.read(f"step_{step}.npz")))["numbers"]))["val_loss"]
        losses[step] = loss if np.isfinite(loss) else np.inf
    best = min(losses, key=losses.get)
    for step in steps[:-keep]:
        if step != best:
            disk.remove(f"step_{step}.npz")


# %% sign="distance from the run that nobody kills; nan: never at its end" above=0
def sign(seed):
    gap = train_on_rented_machine(train_with_checkpoints, seed)[2]
    return np.nan if gap is None else gap

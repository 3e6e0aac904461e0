# %% right="nested questions, one verdict"
def triage(run):
    loss = [float(value) if np.isfinite(value) else 1e8 for value in run["loss"]]
    val = [float(value) if np.isfinite(value) else 1e8 for value in run["val_loss"]]
    guess = np.log(run["classes"])
    if len(loss) < 18 and len(loss) < run["planned"] / 8:
        return ["cannot tell"]
    if loss[0] > 9 * guess:
        return ["bad initialisation"]
    if run["grad_norms"][0][0] == 0:
        return ["dead units"]
    if max(loss) < 2.5 * guess and run["grad_norms"][0][0] < 0.01 * run["grad_norms"][0][-1]:
        return ["vanishing gradient"]
    for step, _ in run["events"]:
        if 2 < step < len(loss) and loss[step] > 2.5 * max(loss[max(0, step - 10) : step]) and loss[step] > 2.5 * guess:
            return ["bad batch"]
    epoch = run["epoch"]
    if epoch > 6 and len(loss) >= 3 * epoch:
        # Within an epoch the losses keep their ranks from epoch to epoch.
        table = np.log(np.clip(loss[epoch : len(loss) // epoch * epoch], 1e-4, 1e3)).reshape(-1, epoch)
        table = table - table.mean(axis=1, keepdims=True)
        shared = table.mean(axis=0).var() * len(table) / max(table.var(axis=0).mean() + table.mean(axis=0).var(), 1e-12)
        if shared > (2.0 if len(table) > 2 else 1.5):
            return ["data not shuffled"]
    if max(loss[5:]) > 5 * guess or np.median(run["ratios"].max(axis=1)) > 0.25:
        return ["lr too high"]
    end = sorted(loss[-20:])[len(loss[-20:]) // 2]
    if val[-1] > end + 0.4 + 0.2 * end:
        if epoch < 6:
            return ["overfitting"]
        if end < 0.9 * guess:
            return ["validation prepared differently"]
    half = run["lr"][len(run["lr"]) // 2 :]
    if max(half) < 0.005 * run["lr"][0]:
        return ["schedule ended"]
    if len(loss) < run["planned"] / 2:
        return ["stopped too early"]
    if np.mean(run["ratios"][:20]) < 2e-3:
        return ["lr too low"]
    if end > 0.9 * guess:
        return ["labels shuffled"]
    return ["model too small"] if end > 0.32 * guess else ["healthy"]


# %% right="points for each verdict, sorted"
def triage(run):
    loss = np.where(np.isfinite(run["loss"]), run["loss"], 1e7)
    val = np.where(np.isfinite(run["val_loss"]), run["val_loss"], 1e7)
    guess, epoch, steps = np.log(run["classes"]), run["epoch"], len(loss)
    end = float(np.mean(np.sort(loss[-15:])[:12]))
    grads, moves = run["grad_norms"], run["ratios"].max(axis=1)
    gap = val[-1] - end
    points = {"healthy": 1.0, "cannot tell": 0.0}
    points["cannot tell"] = 100.0 * (steps < 15)
    points["stopped too early"] = 8.0 * (steps < 0.5 * run["planned"])
    points["bad initialisation"] = 60.0 * (loss[0] > 8 * guess)
    points["dead units"] = 50.0 * (not grads[: min(steps, 20), 0].any())
    points["vanishing gradient"] = 40.0 * (np.mean(grads[:5, 0]) < 5e-3 * np.mean(grads[:5, -1]) and loss.max() < 3 * guess)
    jumps = [step for step, _ in run["events"] if 3 < step < steps and loss[step] > 3 * max(guess, loss[step - 3 : step].max())]
    points["bad batch"] = 30.0 * bool(jumps)
    if steps > 2 * epoch + 5 and epoch > 8:
        level = np.log(np.clip(loss, 1e-3, 1e3))
        detail = level[epoch:] - np.convolve(level, np.ones(epoch) / epoch, "valid")[: steps - epoch]
        both = detail[:-epoch], detail[epoch:]
        if len(both[0]) > 10 and min(np.std(one) for one in both) > 0:
            points["data not shuffled"] = 20.0 * (np.corrcoef(*both)[0, 1] > 0.4)
    points["lr too high"] = 15.0 * (loss[6:].max(initial=0) > 5 * guess or np.quantile(moves, 0.75) > 0.3)
    points["overfitting"] = 12.0 * (gap > 0.3 + 0.3 * end and epoch < 5)
    points["validation prepared differently"] = 10.0 * (gap > 0.3 + 0.3 * end and end < 0.93 * guess)
    points["schedule ended"] = 9.0 * (np.median(run["lr"]) < 5e-3 * run["lr"].max())
    points["lr too low"] = 6.0 * (np.median(moves[:25]) < 3e-3)
    points["labels shuffled"] = 4.0 * (end > 0.9 * guess)
    points["model too small"] = 3.0 * (end > 0.3 * guess)
    return sorted((verdict for verdict in points if points[verdict] > 0), key=lambda verdict: -points[verdict])


# %% right="a list of rules, and a tuple comes back"
def triage(run):
    loss = np.nan_to_num(np.array(run["loss"]), nan=1e9, posinf=1e9)
    val = np.nan_to_num(np.array(run["val_loss"]), nan=1e9, posinf=1e9)
    chance, n = np.log(run["classes"]), len(loss)
    if n < 15:
        return ("cannot tell",)
    tail, grads, ratios = np.median(loss[-25:]), run["grad_norms"], run["ratios"]

    def spike(step):
        return step < n and step > 2 and loss[step] > 10 * np.median(loss[max(step - 9, 0) : step]) and loss[step] > 3 * chance

    def periodic(e):
        if e < 9 or n < 3 * e:
            return False
        d = np.diff(np.log(np.clip(loss, 1e-4, 1e3)))
        return np.corrcoef(d[:-e], d[e:])[0, 1] > 0.3

    rules = [
        (lambda: loss[0] > 7 * chance, "bad initialisation"),
        (lambda: grads[: n // 2, 0].max() == 0, "dead units"),
        (lambda: (grads[0, 0] / grads[0, -1]) < 8e-3 and loss.max() < 3 * chance, "vanishing gradient"),
        (lambda: any(spike(step) for step, _ in run["events"]), "bad batch"),
        (lambda: periodic(run["epoch"]), "data not shuffled"),
        (lambda: loss[5:].max() > 5 * chance or (np.mean(ratios.max(axis=1) > 0.2) > 0.3), "lr too high"),
        (lambda: val[-1] - tail > 0.4 and run["epoch"] <= 5, "overfitting"),
        (lambda: val[-1] - tail > 0.5 and tail < chance, "validation prepared differently"),
        (lambda: run["lr"][n // 3] < 0.01 * run["lr"][0], "schedule ended"),
        (lambda: n < run["planned"], "stopped too early"),
        (lambda: np.median(ratios[:40].max(axis=1)) < 3e-3, "lr too low"),
        (lambda: tail > 0.9 * chance, "labels shuffled"),
        (lambda: tail > 0.3 * chance, "model too small"),
    ]
    return (*(verdict for holds, verdict in rules if holds()), "healthy")


# %% right="numbers for each run, and the rules read them"
def triage(run):
    finite = np.isfinite(run["loss"])
    loss = np.array([value if good else 1e9 for value, good in zip(run["loss"], finite)], dtype=np.float32)
    steps, chance = loss.size, float(np.log(run["classes"]))
    facts = dict(
        done=steps / run["planned"],
        start=float(loss[0]) / chance,
        top=float(loss[5:].max()) / chance if steps > 5 else 0.0,
        end=float(np.percentile(loss[-20:], 50)) / chance,
        gap=float(np.nan_to_num(run["val_loss"][-1], nan=1e9, posinf=1e9) - np.median(loss[-20:])),
        head=float(np.mean(run["grad_norms"][:8, 0])),
        foot=float(np.mean(run["grad_norms"][:8, -1])),
        pace=float(np.median(run["ratios"][:30].max(axis=1))),
        hot=float(np.quantile(run["ratios"].max(axis=1), 0.8)),
        still=float(np.mean(run["lr"] < 0.004 * np.max(run["lr"]))),
    )
    said = []
    if steps < 15:
        said.append("cannot tell")
    if facts["start"] > 8:
        said.append("bad initialisation")
    if facts["head"] == 0:
        said.append("dead units")
    if 0 < facts["head"] < 6e-3 * facts["foot"] and max(facts["top"], facts["start"]) < 3:
        said.append("vanishing gradient")
    noted = {step for step, _ in run["events"] if 4 < step < steps}
    if any(loss[step] > max(3 * chance, 3 * loss[step - 5 : step].max()) for step in noted):
        said.append("bad batch")
    epoch = run["epoch"]
    if epoch > 8 and steps > 2.5 * epoch:
        rest = np.log(np.clip(loss, 1e-4, 1e3))
        rest = np.array([rest[i] - np.median(rest[max(0, i - epoch // 2) : i + epoch // 2 + 1]) for i in range(steps)])[
            epoch // 2 :
        ]
        one, two = rest[:-epoch] - rest[:-epoch].mean(), rest[epoch:] - rest[epoch:].mean()
        if (one @ two) > 0.4 * np.sqrt((one @ one) * (two @ two)):
            said.append("data not shuffled")
    if facts["top"] > 5 or facts["hot"] > 0.3:
        said.append("lr too high")
    if facts["gap"] > 0.4:
        said.append(
            "overfitting" if epoch < 5 else "validation prepared differently" if facts["end"] < 0.93 else "labels shuffled"
        )
    if facts["still"] > 0.5:
        said.append("schedule ended")
    if facts["done"] < 0.5:
        said.append("stopped too early")
    if facts["pace"] < 3e-3:
        said.append("lr too low")
    if facts["end"] > 0.9:
        said.append("labels shuffled")
    if facts["end"] > 0.3:
        said.append("model too small")
    said.append("healthy")
    return list(dict.fromkeys(said))


# %% right="one question after another, the first eighth and the last epoch"
def triage(run):
    loss, val = run["loss"], run["val_loss"]
    g, r, lr = run["grad_norms"], run["ratios"], run["lr"]
    n, chance, epoch = len(loss), np.log(run["classes"]), run["epoch"]
    if n < 15:
        return ["cannot tell"]
    if np.mean(g[:5] == 0) > 0.3:
        return ["dead units"]
    if loss[0] > 4 * chance:
        return ["bad initialisation"]
    # a jump at a step that the loader wrote down
    for step, text in run["events"]:
        if 0 < step < n and not (loss[step] < 5 * np.median(loss[max(0, step - 15) : step])):
            return ["bad batch"]
    if not np.isfinite(loss).all():
        return ["lr too high"]
    if n <= 0.3 * run["planned"]:
        return ["stopped too early"]
    if lr[n // 3] < 0.02 * lr[0]:
        return ["schedule ended"]
    if np.median(g[:, 0]) < 0.01 * np.median(g[:, -1]):
        return ["vanishing gradient"]
    start, end = loss[:5].mean(), loss[-epoch:].mean() if epoch < n else loss[-20:].mean()
    # repeats
    k = n // epoch
    if k >= 3 and epoch >= 5:
        e = np.log(loss[: k * epoch].reshape(k, epoch)[1:])
        c = np.corrcoef(e)
        if np.mean(c[np.triu_indices(len(c), 1)]) > 0.5:
            return ["data not shuffled"]
    if val[0] > 2 * loss[0] or (val.min() > 1.2 * chance and end < 0.5 * chance):
        return ["validation prepared differently"]
    if np.mean(g[-10:] == 0) > 0.3 or np.median(loss[n // 2 :]) > 1.3 * chance or loss[n // 4 :].max() > 5 * chance:
        return ["lr too high"]
    if end < 0.5 * val[-1] and val[-1] > 1.15 * val.min():
        return ["overfitting"]
    if end > 0.8 * chance:
        if np.median(r) < 1e-3:
            return ["lr too low"]
        return ["labels shuffled"]
    if np.median(r) < 1e-3:
        return ["lr too low"]
    if end > 0.4 * chance:
        return ["model too small"]
    return ["healthy"]


# %% untouched says="every jump is laid to the rate"

# %% emptied says="triage returns a list of verdicts"


# %% wrong="all are well" says="the same verdict is given to every run"
def triage(run):
    return ["healthy"]


# %% wrong="one verdict, not a list" says="triage returns a list of verdicts|returned by itself"
def triage(run):
    return "healthy"


# %% wrong="in words of one's own" says="each verdict is one of those in the docstring|called by another name"
def triage(run):
    return ["learning rate too high"] if np.max(run["loss"]) > 5 else ["healthy"]


# %% wrong="the same verdict twice" says="no verdict is given twice"
def triage(run):
    return ["overfitting", "healthy", "overfitting"]


# %% wrong="short runs stop it" says="stopped with IndexError"
def triage(run):
    if run["val_loss"][3] > run["val_loss"][0]:
        return ["lr too high"]
    return ["healthy"]


# %% wrong="the height of the loss only" says="every jump is laid to the rate"
def triage(run):
    loss, chance = np.nan_to_num(run["loss"], nan=1e9, posinf=1e9), np.log(run["classes"])
    if len(loss) < 15:
        return ["cannot tell"]
    if loss[0] > 8 * chance:
        return ["bad initialisation"]
    if loss.max() > 5 * chance:
        return ["lr too high"]
    if np.median(loss[-20:]) > 0.6 * chance:
        return ["lr too low"]
    return ["overfitting"] if run["val_loss"][-1] > loss[-1] + 0.3 else ["healthy"]


# %% wrong="rate, steps and notes are not read" says="every jump is laid to the rate"
def triage(run):
    loss = np.nan_to_num(run["loss"], nan=1e9, posinf=1e9)
    val_loss = np.nan_to_num(run["val_loss"], nan=1e9, posinf=1e9)
    norms, chance, end = run["grad_norms"], np.log(run["classes"]), np.median(loss[-20:])
    if len(loss) < 15:
        return ["cannot tell"]
    if loss[0] > 8 * chance:
        return ["bad initialisation"]
    if not norms[:10, 0].any():
        return ["dead units"]
    if norms[0, 0] < 5e-3 * norms[0, -1]:
        return ["vanishing gradient"]
    if loss[5:].max() > 5 * chance:
        return ["lr too high"]
    if val_loss[-1] > 1.3 * end + 0.3:
        return ["overfitting" if run["epoch"] <= 5 else "validation prepared differently"]
    if end > 0.88 * chance:
        return ["labels shuffled"]
    return ["model too small"] if end > 0.3 * chance else ["healthy"]


# %% wrong="the gap is always overfitting, and every jump the rate" says="every jump is laid to the rate"
def triage(run):
    loss = np.nan_to_num(run["loss"], nan=1e9, posinf=1e9)
    val_loss = np.nan_to_num(run["val_loss"], nan=1e9, posinf=1e9)
    chance, end = np.log(run["classes"]), np.median(loss[-20:])
    if loss.max() > 3 * chance:
        return ["lr too high"]
    if val_loss[-1] > 1.3 * end + 0.3:
        return ["overfitting"]
    if np.median(run["lr"]) < 3e-3 * run["lr"].max():
        return ["schedule ended"]
    if len(loss) < 0.6 * run["planned"]:
        return ["stopped too early"] if len(loss) > 14 else ["cannot tell"]
    if np.median(run["ratios"].max(axis=1)[:30]) < 3e-3:
        return ["lr too low"]
    return ["model too small"] if end > 0.3 * chance else ["healthy"]


# %% wrong="the vague questions first" says="no rate moves a layer whose gradient is zero"
def triage(run):
    loss = np.nan_to_num(run["loss"], nan=1e9, posinf=1e9)
    norms, chance, end = run["grad_norms"], np.log(run["classes"]), np.median(loss[-20:])
    if len(loss) < 15:
        return ["cannot tell"]
    if end > 0.3 * chance:
        return ["lr too low", "labels shuffled", "model too small"]
    if loss.max() > 5 * chance:
        return ["lr too high", "bad batch", "bad initialisation"]
    if not norms[:10, 0].any():
        return ["dead units"]
    if len(loss) < 0.6 * run["planned"]:
        return ["stopped too early"]
    return ["healthy"]


# %% wrong="a zero gradient at any time is dead units" says="units that the rate has killed"
def triage(run):
    loss, val = run["loss"], run["val_loss"]
    g, r, lr = run["grad_norms"], run["ratios"], run["lr"]
    n, chance, epoch = len(loss), np.log(run["classes"]), run["epoch"]
    if n < 15:
        return ["cannot tell"]
    if np.all(g[:, 0] == 0) or np.mean(g == 0) > 0.3:
        return ["dead units"]
    if loss[0] > 4 * chance:
        return ["bad initialisation"]
    # a jump at a step that the loader wrote down
    for step, text in run["events"]:
        if 0 < step < n and not (loss[step] < 5 * np.median(loss[max(0, step - 15) : step])):
            return ["bad batch"]
    if not np.isfinite(loss).all():
        return ["lr too high"]
    if n <= 0.3 * run["planned"]:
        return ["stopped too early"]
    if lr[n // 3] < 0.02 * lr[0]:
        return ["schedule ended"]
    if np.median(g[:, 0]) < 0.01 * np.median(g[:, -1]):
        return ["vanishing gradient"]
    start, end = loss[:5].mean(), loss[-epoch:].mean() if epoch < n else loss[-20:].mean()
    if val[0] > 2 * loss[0] or (val.min() > 1.2 * chance and end < 0.5 * chance):
        return ["validation prepared differently"]
    if np.mean(g[-10:] == 0) > 0.3 or np.median(loss[n // 2 :]) > 1.3 * chance or loss[n // 4 :].max() > 5 * chance:
        return ["lr too high"]
    if end < 0.5 * val[-1] and val[-1] > 1.15 * val.min():
        return ["overfitting"]
    if end > 0.8 * chance:
        if np.median(r) < 1e-3:
            return ["lr too low"]
        return ["labels shuffled"]
    if np.median(r) < 1e-3:
        return ["lr too low"]
    if end > 0.4 * chance:
        return ["model too small"]
    return ["healthy"]


# %% sign="mean F1 over one run of each kind" below=0.5
def sign(seed):
    return macro_f1(first_verdicts(triage, ward(seed, 1)))

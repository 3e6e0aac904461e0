# %% right="nine of ten agree: a sign test"
def did_it_help(trial, change, seeds):
    lower = higher = 0
    for seed in seeds:
        after, control = trial(change, seed)[1], trial(None, seed)[1]
        if control == control and not abs(after) < float("inf"):
            return "worse"
        lower += after < control
        higher += after > control
    if len(seeds) > 1 and lower >= 0.9 * len(seeds):
        return "better"
    if len(seeds) > 1 and higher >= 0.9 * len(seeds):
        return "worse"
    return "cannot tell"


# %% right="progress against progress, two standard errors and a bit"
def did_it_help(trial, change, seeds):
    seeds = list(seeds)
    gains = []
    for seed in seeds:
        before, after = trial(change, seed)
        before_too, control = trial(None, seed)
        if np.isfinite(control) and not np.isfinite(after):
            return "worse"
        gains.append((after - before) - (control - before_too))
    if len(seeds) == 1:
        return "cannot tell"
    mean, error = np.mean(gains), np.std(gains, ddof=1) / len(gains) ** 0.5
    return "better" if mean < -2.3 * error else "worse" if mean > 2.3 * error else "cannot tell"


# %% right="flip the signs of the differences: a permutation test"
def did_it_help(trial, change, seeds):
    d = np.array([trial(change, seed)[1] - trial(None, seed)[1] for seed in seeds])
    if not np.isfinite(d).all():
        return "worse"
    if len(d) == 1:
        return "cannot tell"
    flips = np.random.default_rng(0).choice([-1, 1], (2000, len(d)))
    as_far = np.mean(np.abs((flips * d).mean(axis=1)) >= abs(d.mean()) - 1e-15)
    if as_far > 0.05:
        return "cannot tell"
    return "better" if d.mean() < 0 else "worse"


# %% right="the median against the median deviation"
def did_it_help(trial, change, seeds):
    control = [trial(None, seed)[1] for seed in seeds]
    after = [trial(change, seed)[1] for seed in seeds]
    if not np.all(np.isfinite(after)):
        return "worse"
    d = np.subtract(after, control)
    if len(d) < 3:
        return "cannot tell"
    spread = 1.4826 * np.median(np.abs(d - np.median(d)))
    if abs(np.median(d)) > 1.2 * spread:
        return VERDICT_OF[np.median(d) < 0]
    return "cannot tell"


VERDICT_OF = {True: "better", False: "worse"}


# %% right="ratios of the losses"
def did_it_help(trial, change, seeds):
    logs = np.log([trial(change, seed)[1] / trial(None, seed)[1] for seed in seeds])
    if not np.isfinite(logs).all():
        return "worse"
    if len(seeds) < 2:
        return "cannot tell"
    t = logs.mean() / max(logs.std(ddof=1) / np.sqrt(len(logs)), 1e-300)
    return "cannot tell" if abs(t) < 3 else ("better", "worse")[int(t > 0)]


# %% untouched says="without an effect the verdict is|before is compared with after in one run"

# %% emptied says="the verdict is one of|None"

# %% wrong="the document's checklist as code: before, after, all seeds, no control" says="as the document's checklist does, without a control|the unchanged run gets to 0.28"
def did_it_help(trial, change, seeds):
    before = np.mean([trial(change, seed)[0] for seed in seeds])
    # Apply fix
    after = np.mean([trial(change, seed)[1] for seed in seeds])
    return "better" if after < before else "worse"


# %% wrong="before and after, with a test" says="with a test but without a control|before is compared with after"
def did_it_help(trial, change, seeds):
    d = np.array([after - before for before, after in (trial(change, seed) for seed in seeds)])
    error = d.std(ddof=1) / np.sqrt(len(d))
    if abs(d.mean()) <= 2.5 * error:
        return "cannot tell"
    return "better" if d.mean() < 0 else "worse"


# %% wrong="one seed" says="without an effect the verdict is 'cannot tell'|one seed decides"
def did_it_help(trial, change, seeds):
    after, control = trial(change, seeds[0])[1], trial(None, seeds[0])[1]
    return "better" if after < control else "worse"


# %% wrong="the mean alone" says="not held against its own spread"
def did_it_help(trial, change, seeds):
    d = np.mean([trial(change, seed)[1] - trial(None, seed)[1] for seed in seeds])
    return "better" if d < 0 else "worse"


# %% wrong="unpaired" says="what both runs of one seed share does not cancel"
def did_it_help(trial, change, seeds):
    after = np.array([trial(change, seed)[1] for seed in seeds])
    control = np.array([trial(None, seed)[1] for seed in seeds])
    error = np.sqrt((after.var(ddof=1) + control.var(ddof=1)) / len(seeds))
    d = after.mean() - control.mean()
    return "cannot tell" if abs(d) < 2 * error else "better" if d < 0 else "worse"


# %% wrong="half of the seeds for each side" says="the two sides get different seeds"
def did_it_help(trial, change, seeds):
    half = len(seeds) // 2
    after = np.array([trial(change, seed)[1] for seed in seeds[:half]])
    control = np.array([trial(None, seed)[1] for seed in seeds[half:]])
    d = after - control
    error = d.std(ddof=1) / np.sqrt(half)
    return "cannot tell" if abs(d.mean()) < 2.8 * error else "better" if d.mean() < 0 else "worse"


# %% wrong="the best seed" says="the best seed of each side is compared"
def did_it_help(trial, change, seeds):
    best = min(trial(change, seed)[1] for seed in seeds)
    best_control = min(trial(None, seed)[1] for seed in seeds)
    return "better" if best < best_control else "worse"


# %% wrong="the signs swapped" says="a lower loss is better"
def did_it_help(trial, change, seeds):
    d = np.array([trial(change, seed)[1] - trial(None, seed)[1] for seed in seeds])
    error = d.std(ddof=1) / np.sqrt(len(d))
    return "cannot tell" if abs(d.mean()) <= 2.5 * error else "better" if d.mean() > 0 else "worse"


# %% wrong="one standard error" says="the verdict is 'cannot tell'|is held against one standard error"
def did_it_help(trial, change, seeds):
    d = np.array([trial(change, seed)[1] - trial(None, seed)[1] for seed in seeds])
    error = d.std(ddof=1) / np.sqrt(len(d))
    return "cannot tell" if abs(d.mean()) <= error else "better" if d.mean() < 0 else "worse"


# %% wrong="zero falls to one side" says="a change that leaves every loss as it was|a difference of exactly zero"
def did_it_help(trial, change, seeds):
    d = np.array([trial(change, seed)[1] - trial(None, seed)[1] for seed in seeds])
    error = d.std(ddof=1) / np.sqrt(len(d))
    if d.mean() <= -2.5 * error:
        return "better"
    return "worse" if d.mean() >= 2.5 * error else "cannot tell"


# %% wrong="diverged runs left out" says="a change that makes runs diverge is worse|NaN or inf are left out"
def did_it_help(trial, change, seeds):
    d = np.array([trial(change, seed)[1] - trial(None, seed)[1] for seed in seeds])
    d = d[np.isfinite(d)]
    if len(d) < 2:
        return "cannot tell"
    error = d.std(ddof=1) / np.sqrt(len(d))
    return "cannot tell" if abs(d.mean()) <= 2.5 * error else "better" if d.mean() < 0 else "worse"


# %% wrong="most runs must diverge" says="makes any run diverge is worse|outvoted"
def did_it_help(trial, change, seeds):
    d = np.array([trial(change, seed)[1] - trial(None, seed)[1] for seed in seeds])
    if np.mean(~np.isfinite(d)) > 0.5:
        return "worse"
    d = d[np.isfinite(d)]
    if len(d) < 2:
        return "cannot tell"
    error = d.std(ddof=1) / np.sqrt(len(d))
    return "cannot tell" if abs(d.mean()) <= 2.5 * error else "better" if d.mean() < 0 else "worse"


# %% wrong="the spread of one number is zero" says="one seed cannot tell|the spread of one number is taken for zero"
def did_it_help(trial, change, seeds):
    d = np.array([trial(change, seed)[1] - trial(None, seed)[1] for seed in seeds])
    if not np.isfinite(d).all():
        return "worse"
    error = d.std() / np.sqrt(max(1, len(d) - 1))
    return "cannot tell" if abs(d.mean()) <= 2.5 * error else "better" if d.mean() < 0 else "worse"


# %% wrong="a fixed margin" says="the unit of the loss changes nothing|a margin in units of the loss"
def did_it_help(trial, change, seeds):
    d = np.array([trial(change, seed)[1] - trial(None, seed)[1] for seed in seeds])
    if not np.isfinite(d).all():
        return "worse"
    if len(d) < 2 or abs(d.mean()) < 0.04:
        return "cannot tell"
    return "better" if d.mean() < 0 else "worse"


# %% wrong="never sure" says="a change that does harm is called worse|nothing is ever called better or worse"
def did_it_help(trial, change, seeds):
    return "cannot tell"


# %% wrong="other words" says="the verdict is one of|True and False are returned"
def did_it_help(trial, change, seeds):
    d = np.array([trial(change, seed)[1] - trial(None, seed)[1] for seed in seeds])
    return bool(d.mean() < 0)


# %% wrong="before and after, ten seeds, Student's t" says="over many seeds, with a test but without a control: time is still in it"
def did_it_help(trial, change, seeds):
    runs = np.array([trial(change, seed) for seed in seeds])
    if not np.isfinite(runs).all():
        return "worse"
    if len(runs) < 2:
        return "cannot tell"
    d = runs[:, 1] - runs[:, 0]
    t = d.mean() / (d.std(ddof=1) / len(d) ** 0.5)
    return "cannot tell" if abs(t) < 2.262 else "better" if t < 0 else "worse"


# %% wrong="two standard errors, before and after" says="over many seeds, with a test but without a control: time is still in it"
def did_it_help(trial, change, seeds):
    runs = np.array([trial(change, seed) for seed in seeds])
    if len(runs) < 2:
        return "cannot tell"
    d = runs[:, 1] - runs[:, 0]
    error = d.std() / np.sqrt(len(d))
    return "better" if d.mean() < -2 * error else "worse" if d.mean() > 2 * error else "cannot tell"


# %% wrong="three standard deviations" says="is called worse|the standard deviation stands where the standard error is meant"
def did_it_help(trial, change, seeds):
    d = np.array([trial(change, seed)[1] - trial(None, seed)[1] for seed in seeds])
    if not np.isfinite(d).all():
        return "worse"
    if len(d) < 2 or abs(d.mean()) <= 3 * d.std(ddof=1):
        return "cannot tell"
    return "better" if d.mean() < 0 else "worse"


# %% wrong="one seed is sent away before it is looked at" says="with a single seed too|the number of seeds is asked before"
def did_it_help(trial, change, seeds):
    if len(seeds) < 2:
        return "cannot tell"
    d = np.array([trial(change, seed)[1] - trial(None, seed)[1] for seed in seeds])
    if not np.isfinite(d).all():
        return "worse"
    if abs(d.mean()) <= 2.5 * d.std(ddof=1) / np.sqrt(len(d)):
        return "cannot tell"
    return "better" if d.mean() < 0 else "worse"


# %% sign="of three judgements of a change that costs half the progress, those that call it better" above=1
def sign(seed):
    trial = remembered(resumed_trial)
    draws = [[9 * seed + 3 * number + draw for draw in range(3)] for number in range(3)]
    return [did_it_help(trial, divide_lr, seeds) for seeds in draws].count("better")

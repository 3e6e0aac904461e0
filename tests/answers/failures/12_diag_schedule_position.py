# %% right="a loop that remembers the lowest rate"
def where_is_the_schedule(lrs):
    peak = max(lrs)
    start = list(lrs).index(peak)
    lowest = peak
    for lr in lrs[start:]:
        if lowest < 0.5 * peak and lr >= lowest + 0.15 * peak:
            return "rebounds"
        lowest = min(lowest, lr)
    if lowest > 0.95 * peak:
        return "never moves"
    return "done too early" if lrs[int(0.5 * len(lrs))] < 0.02 * peak else "fits the run"


# %% right="how much of the run has a rate"
def where_is_the_schedule(lrs):
    lrs = np.array(lrs) / np.max(lrs)
    rest = lrs[np.argmax(lrs) :]
    if any(rest[i] < 0.5 and rest[i:].max() - rest[i] > 0.15 for i in range(len(rest))):
        return "rebounds"
    if np.all(rest > 0.94):
        return "never moves"
    alive = np.sum(lrs > 0.05) / len(lrs)
    return "fits the run" if alive > 0.55 else "done too early"


# %% right="by the largest rate still to come"
def where_is_the_schedule(lrs):
    lrs = np.asarray(lrs, dtype=np.float32)
    top = lrs.argmax()
    peak, rest = lrs[top], lrs[top:]
    to_come = np.maximum.accumulate(rest[::-1])[::-1]
    climbs = (to_come - rest)[rest < 0.5 * peak]
    if climbs.size and climbs.max() > 0.19 * peak:
        return "rebounds"
    if rest[-1] > 0.93 * peak:
        return "never moves"
    if lrs[int(0.48 * len(lrs))] < 0.03 * peak:
        return "done too early"
    return "fits the run"


# %% right="the integral of the rate after 45 % of the run"
def where_is_the_schedule(lrs):
    peak = max(lrs)
    top = int(np.argmax(lrs))
    n = len(lrs)
    rises = np.diff(lrs[top:])
    if rises.size and np.sum(rises[rises > 0]) > 0.15 * peak:
        return "rebounds"
    if min(lrs[top:]) > 0.9 * peak:
        return "never moves"
    if np.mean(lrs[int(0.46 * n) : int(0.55 * n)]) < 0.05 * peak:
        return "done too early"
    return "fits the run"


# %% untouched says="only the first and the last rate are looked at"

# %% emptied says="the verdict is|None"


# %% wrong="the last rate is gone, so it is done" says="a cosine over the run|small at the end"
def where_is_the_schedule(lrs):
    if lrs[-1] < 0.01 * lrs[0]:
        return "done too early"
    return "never moves" if lrs[-1] > 0.9 * lrs[0] else "fits the run"


# %% wrong="the first rate near zero decides" says="the first time that the rate is near zero decides"
def where_is_the_schedule(lrs):
    peak, n = max(lrs), len(lrs)
    start = list(lrs).index(peak)
    for i in range(start, n):
        if lrs[i] < 0.01 * peak:
            return "done too early" if i < 0.5 * n else "fits the run"
    return "never moves" if lrs[-1] > 0.9 * peak else "rebounds" if lrs[-1] > 0.2 * peak else "fits the run"


# %% wrong="the rate after a tenth of the run" says="gone after 43 %"
def where_is_the_schedule(lrs):
    lrs = np.array(lrs) / np.max(lrs)
    rest = lrs[lrs.argmax() :]
    lowest = np.minimum.accumulate(rest)
    if np.any((lowest < 0.5) & (rest > lowest + 0.15)):
        return "rebounds"
    if rest.min() > 0.9:
        return "never moves"
    return "done too early" if lrs[len(lrs) // 5] < 0.05 else "fits the run"


# %% wrong="any rise is a rebound" says="the climb of the warmup is taken for a rebound"
def where_is_the_schedule(lrs):
    lrs = np.asarray(lrs)
    if np.any(np.diff(lrs) > 1e-3 * lrs.max()):
        return "rebounds"
    if lrs.min() > 0.9 * lrs.max():
        return "never moves"
    return "done too early" if lrs[len(lrs) // 2] < 0.02 * lrs.max() else "fits the run"


# %% wrong="exactly constant" says="every fall counts"
def where_is_the_schedule(lrs):
    lrs = np.asarray(lrs)
    rest = lrs[lrs.argmax() :]
    if np.any(np.diff(rest) > 1e-3 * lrs.max()):
        return "rebounds"
    if np.all(rest == rest[0]):
        return "never moves"
    return "done too early" if lrs[len(lrs) // 2] < 0.02 * lrs.max() else "fits the run"


# %% wrong="a fixed limit for gone" says="a rate is held against a fixed number"
def where_is_the_schedule(lrs):
    lrs = np.asarray(lrs)
    rest = lrs[lrs.argmax() :]
    if np.any(np.diff(rest) > 1e-3 * lrs.max()):
        return "rebounds"
    if rest.min() > 0.9 * lrs.max():
        return "never moves"
    return "done too early" if lrs[len(lrs) // 2] < 1e-3 else "fits the run"


# %% wrong="gone means zero" says="only a rate of exactly zero counts as gone"
def where_is_the_schedule(lrs):
    lrs = np.asarray(lrs)
    rest = lrs[lrs.argmax() :]
    if np.any(np.diff(rest) > 1e-3 * lrs.max()):
        return "rebounds"
    if rest.min() > 0.9 * lrs.max():
        return "never moves"
    return "done too early" if lrs[len(lrs) // 2] == 0 else "fits the run"


# %% wrong="a rebound goes to the top" says="only a return to the full rate"
def where_is_the_schedule(lrs):
    lrs = np.asarray(lrs) / np.max(lrs)
    rest = lrs[lrs.argmax() :]
    lowest = np.minimum.accumulate(rest)
    if np.any((lowest < 0.5) & (rest > 0.8)):
        return "rebounds"
    if rest.min() > 0.9:
        return "never moves"
    return "done too early" if lrs[len(lrs) // 2] < 0.02 else "fits the run"


# %% wrong="the warmup is the schedule" says="the warmup is taken for the schedule"
def where_is_the_schedule(lrs):
    lrs = np.asarray(lrs) / np.max(lrs)
    rest = lrs[lrs.argmax() :]
    lowest = np.minimum.accumulate(rest)
    if np.any((lowest < 0.5) & (rest > lowest + 0.15)):
        return "rebounds"
    if lrs.min() > 0.9:
        return "never moves"
    return "done too early" if lrs[len(lrs) // 2] < 0.02 else "fits the run"


# %% wrong="the last tenth no longer moves" says="they no longer move because all is over"
def where_is_the_schedule(lrs):
    last = np.asarray(lrs[-len(lrs) // 10 :])
    if np.ptp(last) <= 0.01 * last.max():
        return "never moves"
    return "rebounds" if np.any(np.diff(last) > 0) else "fits the run"


# %% wrong="a rebound is a jump" says="the first time that the rate is near zero decides"
def where_is_the_schedule(lrs):
    lrs = np.array(lrs, dtype=float)
    rest = lrs[lrs.argmax() :] / lrs.max()
    if (np.diff(rest) >= 0.2).any():
        return "rebounds"
    if rest.min() > 0.95:
        return "never moves"
    return "done too early" if lrs[int(0.45 * len(lrs)) + 1] < 0.01 * lrs.max() else "fits the run"


# %% wrong="in units of the first rate" says="the climb of the warmup is taken for a rebound"
def where_is_the_schedule(lrs):
    rest = np.array(lrs, dtype=float) / lrs[0]
    lowest = np.minimum.accumulate(rest)
    if ((lowest < 5) & (rest - lowest > 0.15)).any():
        return "rebounds"
    if rest.min() > 0.95:
        return "never moves"
    return "done too early" if rest[int(0.45 * len(lrs)) + 1] < 0.01 else "fits the run"


# %% sign="highest last loss of a run whose schedule is said to fit, over that of run D" above=1.5
def sign(seed):
    runs = {name: train_scheduled(factor, seed) for name, factor in schedule_factors().items()}
    fitting = [run["full_loss"][-1] for run in runs.values() if where_is_the_schedule(run["lr"]) == "fits the run"]
    return max(fitting, default=np.nan) / runs["D"]["full_loss"][-1]

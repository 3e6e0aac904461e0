# %% right="a grid in the decay itself, wide enough, without what diverges"
def choose_decay(val_loss, lr, steps):
    grid = [0.0] + [d for d in np.logspace(-2.5, 2.5, 11) / (lr * steps) if lr * d < 1]
    means = {}
    for decay in grid:
        means[decay] = sum(val_loss(decay, split) for split in range(10)) / 10
    return min(means, key=means.get)


# %% right="coarse, then fine"
def choose_decay(val_loss, lr, steps):
    def mean(decay, splits):
        losses = [val_loss(decay, s) for s in splits]
        return np.mean(losses) if np.all(np.isfinite(losses)) else np.inf

    coarse = [0.0] + [10.0**k / lr / steps for k in (-2, -1, 0, 1, 2)]
    found = [mean(d, range(10)) for d in coarse]
    best = int(np.argmin(found))
    if best == 0:
        return 0.0
    fine = [coarse[best] * f for f in (0.3, 1.0, 3.0)]
    again = [mean(d, range(10)) for d in fine]
    return fine[int(np.argmin(again))]


# %% right="medians, array arithmetic"
def choose_decay(val_loss, lr, steps):
    decays = np.concatenate([[0.0], np.geomspace(0.01, 200, 13)]) / (lr * steps)
    table = np.array([[val_loss(d, s) for s in range(10)] for d in decays])
    table = np.where(np.isfinite(table), table, np.inf)
    return decays[table.mean(axis=1).argmin()]


# %% right="a parabola through the means over the logarithm"
def choose_decay(val_loss, lr, steps):
    logs = np.arange(-2, 2.6, 0.5)
    none = np.mean([val_loss(0.0, s) for s in range(10)])
    means = np.array([np.mean([val_loss(10**g / lr / steps, s) for s in range(10)]) for g in logs])
    means[~np.isfinite(means)] = np.inf
    k = int(means.argmin())
    if means[k] > none:
        return 0
    if 0 < k < len(logs) - 1 and np.isfinite(means[k + 1]):
        near = np.polyfit(logs[k - 1 : k + 2], means[k - 1 : k + 2], 2)
        return float(10 ** np.clip(-near[1] / (2 * near[0]), logs[k] - 0.25, logs[k] + 0.25) / lr / steps)
    return float(10 ** logs[k] / lr / steps)


# %% right="half powers of ten, as few as will do"
def choose_decay(val_loss, lr, steps):
    best, chosen = np.inf, 0.0
    for k in range(-1, 8):
        decay = 0.0 if k < 0 else 0.03 * 10 ** (k / 2) / (lr * steps)
        if lr * decay > 2:
            continue
        loss = np.mean([val_loss(decay, split) for split in range(10)])
        if loss < best:
            best, chosen = loss, decay
    return chosen


# %% untouched says="only the recommended 0.01 to 0.1 are tried"

# %% emptied says="one number of 0 or more comes back|None"


# %% wrong="the document's 0.1" says="nothing was trained"
def choose_decay(val_loss, lr, steps):
    return 0.1


# %% wrong="0.01 to 0.1, over all splits" says="only the recommended 0.01 to 0.1 are tried"
def choose_decay(val_loss, lr, steps):
    grid = np.geomspace(0.01, 0.1, 9)
    return grid[int(np.argmin([np.mean([val_loss(d, s) for s in range(10)]) for d in grid]))]


# %% wrong="a fixed list over orders of magnitude" says="a fixed list is tried, whatever lr and steps"
def choose_decay(val_loss, lr, steps):
    grid = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]
    means = np.array([np.mean([val_loss(d, s) for s in range(10)]) for d in grid])
    return grid[int(np.argmin(np.where(np.isfinite(means), means, np.inf)))]


# %% wrong="0 left out" says="0 is not among the candidates"
def choose_decay(val_loss, lr, steps):
    grid = np.geomspace(0.03, 100, 12) / (lr * steps)
    means = np.array([np.mean([val_loss(d, s) for s in range(10)]) for d in grid])
    return grid[int(np.argmin(np.where(np.isfinite(means), means, np.inf)))]


# %% wrong="one split" says="one split decides"
def choose_decay(val_loss, lr, steps):
    grid = np.append(0, np.geomspace(0.01, 300, 100)) / (lr * steps)
    losses = np.array([val_loss(d, 0) for d in grid])
    return grid[int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))]


# %% wrong="evenly spaced" says="evenly spaced"
def choose_decay(val_loss, lr, steps):
    grid = np.linspace(0, 100, 12) / (lr * steps)
    means = np.array([np.mean([val_loss(d, s) for s in range(10)]) for d in grid])
    return grid[int(np.argmin(np.where(np.isfinite(means), means, np.inf)))]


# %% wrong="argmin over nan" says="the strongest decay is taken, or a run that diverged"
def choose_decay(val_loss, lr, steps):
    grid = np.append(0, 10.0 ** np.arange(-2, 3.1, 0.5)) / (lr * steps)
    grid = np.append(grid, 10 / lr)
    return grid[int(np.argmin([np.mean([val_loss(d, s) for s in range(10)]) for d in grid]))]


# %% wrong="the amount is returned" says="lr * steps * decay is returned"
def choose_decay(val_loss, lr, steps):
    grid = np.append(0, 10.0 ** np.arange(-2, 2.6, 0.5))
    means = np.array([np.mean([val_loss(a / lr / steps, s) for s in range(10)]) for a in grid])
    return grid[int(np.argmin(np.where(np.isfinite(means), means, np.inf)))]


# %% wrong="too many trainings" says="at most 200 times|every amount of a fine grid"
def choose_decay(val_loss, lr, steps):
    grid = np.append(0, np.geomspace(0.01, 300, 60)) / (lr * steps)
    means = np.array([np.mean([val_loss(d, s) for s in range(10)]) for d in grid])
    return grid[int(np.argmin(np.where(np.isfinite(means), means, np.inf)))]


# %% wrong="orders of magnitude around the recommended" says="a fixed list is tried, whatever lr and steps"
def choose_decay(val_loss, lr, steps):
    grid = [0.0] + [10.0**k for k in range(-4, 1)]
    means = [np.mean([val_loss(decay, split) for split in range(10)]) for decay in grid]
    return grid[int(np.argmin(np.nan_to_num(means, nan=np.inf)))]


# %% sign="excess of three draws with the decay chosen, over that without decay" above=0.92
def sign(seed):
    loss, known = decay_losses(seed, 0.003, 300), {}

    def three_draws(decay, split):
        key = float(decay), split % 3
        known[key] = known[key] if key in known else loss(*key)
        return known[key]

    chosen = choose_decay(three_draws, 0.003, 300)
    return sum(three_draws(chosen, split) for split in range(3)) / sum(three_draws(0, split) for split in range(3))

# %% right="a tenth of the raw minimum, where the loss comes back to twice it"
def choose_lr(lrs, losses):
    losses = np.where(np.isfinite(losses), losses, np.inf)
    lowest = np.argmin(losses)
    if not losses[lowest:].max() > 1.5 * losses[lowest]:
        return None
    return float(lrs[lowest]) / 10


# %% right="an exponential average of the losses, as the finders have it"
def choose_lr(lrs, losses):
    average, shown = 0.0, []
    for step, loss in enumerate(losses, start=1):
        if not np.isfinite(loss):
            break
        average = 0.8 * average + 0.2 * loss
        shown.append(average / (1 - 0.8**step))
    lowest = min(range(len(shown)), key=shown.__getitem__)
    if len(shown) == len(losses) and max(shown[lowest:]) < 1.4 * shown[lowest]:
        return None
    return lrs[lowest] / 12


# %% right="a running median, a fifteenth"
def choose_lr(lrs, losses):
    n = len(losses)
    is_bad = ~np.isfinite(losses)
    losses = [loss for loss in losses if np.isfinite(loss)]
    medians = [np.median(losses[max(0, i - 3) : i + 4]) for i in range(len(losses))]
    i = int(np.argmin(medians))
    if not is_bad.any() and np.median(losses[-3:]) < 1.3 * medians[i]:
        return
    return np.float32(lrs[i] / 15)


# %% right="the steepest descent of a heavily smoothed curve"
def choose_lr(lrs, losses):
    keep = np.isfinite(losses)
    x, y = np.log10(lrs[keep]), np.log(losses[keep])
    grid = np.arange(x[0], x[-1], 0.05)
    width = 0.2
    weights = np.exp(-(((grid[:, None] - x) / width) ** 2) / 2)
    smooth = weights @ y / weights.sum(axis=1)
    lowest = np.argmin(smooth)
    if keep.all() and y[-3:].mean() < smooth[lowest] + 0.3:
        return None
    near = grid > grid[lowest] - 2.5
    slopes = np.where(near & (np.arange(len(grid)) < lowest), np.gradient(smooth, grid), np.inf)
    return 10 ** grid[np.argmin(slopes)]


# %% untouched says="the rate at the lowest loss itself is taken"

# %% emptied says="one positive number comes back|None"

# %% wrong="the document's: a tenth of the minimum" says="the document's own fix is used|None comes back"
def choose_lr(lrs, losses):
    lr_at_minimum = lrs[np.nanargmin(losses)]
    suggested_lr = lr_at_minimum / 10
    return suggested_lr


# %% wrong="the document's text: ten times below the first rise" says="the first uptick is taken for the rise"
def choose_lr(lrs, losses):
    for i in range(1, len(losses)):
        if losses[i] > losses[i - 1]:
            return lrs[i] / 10
    return None


# %% wrong="argmin, which takes nan for the smallest" says="np.argmin is asked"
def choose_lr(lrs, losses):
    return lrs[np.argmin(losses)] / 10


# %% wrong="the steepest step" says="that is where the noise is steepest"
def choose_lr(lrs, losses):
    losses = np.array(losses)
    lowest = np.nanargmin(losses)
    if np.isfinite(losses).all() and losses[lowest:].max() < 1.5 * losses[lowest]:
        return None
    return lrs[np.nanargmin(np.diff(losses))]


# %% wrong="the last rate that was finite" says="the end of the sweep is taken"
def choose_lr(lrs, losses):
    return lrs[np.isfinite(losses)][-1]


# %% wrong="ten times below the end" says="the end of the sweep is taken"
def choose_lr(lrs, losses):
    return lrs[np.isfinite(losses)][-1] / 10


# %% wrong="the middle of the range" says="the middle of the range is taken|between"
def choose_lr(lrs, losses):
    return np.sqrt(lrs[0] * lrs[-1])


# %% wrong="refuses everything" says="every curve is refused"
def choose_lr(lrs, losses):
    return None


# %% wrong="half the minimum" says="so close to the minimum"
def choose_lr(lrs, losses):
    lowest = np.nanargmin(losses)
    if np.isfinite(losses).all() and losses[lowest:].max() < 1.5 * losses[lowest]:
        return None
    return lrs[lowest] / 2


# %% wrong="a hundredth, to be safe" says="the training will crawl"
def choose_lr(lrs, losses):
    lowest = np.nanargmin(losses)
    if np.isfinite(losses).all() and losses[lowest:].max() < 1.5 * losses[lowest]:
        return None
    return lrs[lowest] / 100


# %% wrong="refuses where the minimum is the last step" says="at the very last step"
def choose_lr(lrs, losses):
    lowest = np.nanargmin(losses)
    if lowest == len(losses) - 1:
        return None
    return lrs[lowest] / 8


# %% wrong="refuses where no loss is nan" says="every curve is refused"
def choose_lr(lrs, losses):
    if np.isfinite(losses).all():
        return None
    return lrs[np.nanargmin(losses)] / 10


# %% wrong="nan for a refusal" says="nan or 0 stands where None is meant"
def choose_lr(lrs, losses):
    lowest = np.nanargmin(losses)
    if np.isfinite(losses).all() and losses[lowest:].max() < 1.5 * losses[lowest]:
        return float("nan")
    return lrs[lowest] / 10


# %% wrong="any rise after the minimum is a turn" says="None comes back where the loss never turns up"
def choose_lr(lrs, losses):
    smooth = np.convolve(losses[np.isfinite(losses)], np.ones(5) / 5, mode="valid")
    lowest = np.argmin(smooth)
    if smooth[lowest:].max() == smooth[lowest]:
        return None
    return lrs[lowest + 2] / 10


# %% wrong="the number of the step" says="the number of the step is returned"
def choose_lr(lrs, losses):
    return np.nanargmin(losses)


# %% wrong="a constant from a tutorial" says="the training will crawl"
def choose_lr(lrs, losses):
    return 3e-4


# %% wrong="the last loss against the lowest" says="a nan at the end is compared, and counts as not turned up"
def choose_lr(lrs, losses):
    i = np.nanargmin(losses)
    return lrs[i] / 10 if losses[-1] > 2 * losses[i] else None


# %% wrong="nan and inf are dropped, and the rest has to turn up" says="straight to nan|what is not finite is dropped"
def choose_lr(lrs, losses):
    losses = losses[np.isfinite(losses)]
    i = np.argmin(losses)
    return lrs[i] / 10 if losses[i:].max() > 2 * losses[i] else None


# %% sign="median of the last 80 losses at the rate chosen (nats)" above=0.24
def sign(seed):
    return np.median(train_at(choose_lr(*lr_sweep(seed)), seed, steps=300)[-80:])

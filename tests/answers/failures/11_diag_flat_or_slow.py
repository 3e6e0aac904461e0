# %% right="polyfit with its covariance"
def trend(losses):
    y = np.array(losses, dtype=float)
    if y.size < 10 or not np.all(np.isfinite(y)):
        return "cannot tell"
    t = np.arange(y.size) / (y.size - 1)
    (slope, _), covariance = np.polyfit(t, y, 1, cov=True)
    size = abs(np.mean(y))
    low, high = (slope - 2 * covariance[0, 0] ** 0.5) / size, (slope + 2 * covariance[0, 0] ** 0.5) / size
    if -0.05 < low and high < 0.05:
        return "flat"
    if high < 0:
        return "falling"
    return "rising" if low > 0 else "cannot tell"


# %% right="the two halves, with the error of their difference"
def trend(losses):
    losses = [float(loss) for loss in losses]
    n = len(losses)
    if n < 10 or any(loss - loss != 0 for loss in losses):
        return "cannot tell"
    older, newer = np.array(losses[: n // 2]), np.array(losses[n // 2 :])
    size = abs(np.mean(losses))
    change = 2 * (newer.mean() - older.mean()) / size
    error = 2 * np.sqrt(older.var(ddof=1) / len(older) + newer.var(ddof=1) / len(newer)) / size
    if abs(change) + 2 * error < 0.06:
        return "flat"
    if abs(change) < 2.2 * error:
        return "cannot tell"
    return "rising" if change > 0 else "falling"


# %% right="bootstrap of the residuals"
def trend(losses):
    y = np.array(losses, dtype=np.float64)
    if len(y) < 10 or np.isnan(y).any() or np.isinf(y).any():
        return "cannot tell"
    t = np.linspace(-0.5, 0.5, len(y))
    weights = t / np.sum(t**2)
    change = weights @ y
    rest = y - y.mean() - change * t
    redrawn = np.random.default_rng(0).choice(rest, (200, len(y))) @ weights + change
    low, high = np.quantile(redrawn, [0.02, 0.98]) / abs(y.mean())
    if max(-low, high) < 0.05:
        return "flat"
    return "falling" if high < 0 else "rising" if low > 0 else "cannot tell"


# %% right="a loop, and a movement of more than 5 % asked for"
def trend(losses):
    n = len(losses)
    mean = sum(losses) / n
    if n < 10 or not abs(mean) < float("inf"):
        return "cannot tell"
    spread = sum((i - (n - 1) / 2) ** 2 for i in range(n))
    slope = sum((i - (n - 1) / 2) * loss for i, loss in enumerate(losses)) / spread
    rest = sum((loss - mean - slope * (i - (n - 1) / 2)) ** 2 for i, loss in enumerate(losses)) / (n - 2)
    change = slope * (n - 1) / abs(mean)
    error = (rest / spread) ** 0.5 * (n - 1) / abs(mean)
    if change + 2 * error < -0.05 or change + 3.5 * error < 0:
        return "falling"
    if change - 2 * error > 0.05 or change - 3.5 * error > 0:
        return "rising"
    return "flat" if abs(change) + 2 * error < 0.05 else "cannot tell"


# %% untouched says="two single losses are compared|about half"

# %% emptied says="the verdict is|None"


# %% wrong="the eye: against the height of the plot" says="the height of the plot, as the eye does it"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    change = np.polyfit(np.linspace(0, 1, len(y)), y, 1)[0]
    if abs(change) < 0.4 * (y.max() - y.min()):
        return "flat"
    return "falling" if change < 0 else "rising"


# %% wrong="a line without an error bar" says="the change has no error bar"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    change = np.polyfit(np.linspace(0, 1, len(y)), y, 1)[0] / abs(y.mean())
    if abs(change) < 0.05:
        return "flat"
    return "falling" if change < 0 else "rising"


# %% wrong="not significant is flat" says="no movement was seen, and that is taken for none"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    (slope, _), covariance = np.polyfit(np.arange(len(y)), y, 1, cov=True)
    if abs(slope) < 2 * covariance[0, 0] ** 0.5:
        return "flat"
    return "falling" if slope < 0 else "rising"


# %% wrong="not significant is unknown, and nothing is flat" says="standing still is never concluded"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    (slope, _), covariance = np.polyfit(np.arange(len(y)), y, 1, cov=True)
    if abs(slope) < 2 * covariance[0, 0] ** 0.5:
        return "cannot tell"
    return "falling" if slope < 0 else "rising"


# %% wrong="too noisy is unknown" says="the noise alone decides"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    t = np.linspace(0, 1, len(y))
    line = np.polyfit(t, y, 1)
    if np.std(y - np.polyval(line, t)) > 0.08 * abs(y.mean()):
        return "cannot tell"
    change = line[0] / abs(y.mean())
    if abs(change) < 0.05:
        return "flat"
    return "falling" if change < 0 else "rising"


# %% wrong="too short is unknown" says="the length alone decides"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 100 or not np.isfinite(y).all():
        return "cannot tell"
    change = np.polyfit(np.linspace(0, 1, len(y)), y, 1)[0] / abs(y.mean())
    if abs(change) < 0.05:
        return "flat"
    return "falling" if change < 0 else "rising"


# %% wrong="the spread of single losses" says="the spread of single losses stands where"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    t = np.linspace(0, 1, len(y))
    line = np.polyfit(t, y, 1)
    change, error = line[0] / abs(y.mean()), np.std(y - np.polyval(line, t)) / abs(y.mean())
    if abs(change) + 2 * error < 0.05:
        return "flat"
    if abs(change) > 2 * error:
        return "falling" if change < 0 else "rising"
    return "cannot tell"


# %% wrong="divided by the mean with its sign" says="below zero, up and down are swapped"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    (slope, _), covariance = np.polyfit(np.linspace(0, 1, len(y)), y / y.mean(), 1, cov=True)
    error = covariance[0, 0] ** 0.5
    if abs(slope) + 2 * error < 0.05:
        return "flat"
    if abs(slope) > 2 * error:
        return "falling" if slope < 0 else "rising"
    return "cannot tell"


# %% wrong="in units of the loss" says="the limit is in units of the loss"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    (slope, _), covariance = np.polyfit(np.linspace(0, 1, len(y)), y, 1, cov=True)
    error = covariance[0, 0] ** 0.5
    if abs(slope) + 2 * error < 0.1:
        return "flat"
    if abs(slope) > 2 * error:
        return "falling" if slope < 0 else "rising"
    return "cannot tell"


# %% wrong="the slope of one step" says="the slope is that of one step"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    (slope, _), covariance = np.polyfit(np.arange(len(y)), y / abs(y.mean()), 1, cov=True)
    error = covariance[0, 0] ** 0.5
    if abs(slope) + 2 * error < 0.05:
        return "flat"
    if abs(slope) > 2 * error:
        return "falling" if slope < 0 else "rising"
    return "cannot tell"


# %% wrong="NaN and inf left out" says="where a loss is not finite|or nan was left out"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    y = y[np.isfinite(y)]
    if len(y) < 10:
        return "cannot tell"
    (slope, _), covariance = np.polyfit(np.linspace(0, 1, len(y)), y / abs(y.mean()), 1, cov=True)
    error = covariance[0, 0] ** 0.5
    if abs(slope) + 2 * error < 0.05:
        return "flat"
    if abs(slope) > 2 * error:
        return "falling" if slope < 0 else "rising"
    return "cannot tell"


# %% right="the first third and the last, with the noise from neighbours"
def trend(losses):
    y = np.array(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    k = len(y) // 3
    change = 1.5 * (y[-k:].mean() - y[:k].mean())
    error = 1.5 * np.std(np.diff(y)) / np.sqrt(2) * np.sqrt(2 / k)
    if abs(change) > 3 * error:
        return "rising" if change > 0 else "falling"
    return "flat" if error < 0.03 * abs(y.mean()) else "cannot tell"


# %% wrong="the change of the stretch, the error of a step" says="both per step or both per stretch"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    (slope, _), covariance = np.polyfit(np.arange(len(y)), y / abs(y.mean()), 1, cov=True)
    change, error = slope * len(y), covariance[0, 0] ** 0.5
    if abs(change) > 4 * error:
        return "falling" if change < 0 else "rising"
    return "flat" if error < 0.03 else "cannot tell"


# %% wrong="a change of 10 % is asked for" says="a limit as large as the change that is there"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    (change, _), covariance = np.polyfit(np.linspace(0, 1, len(y)), y / abs(y.mean()), 1, cov=True)
    if abs(change) > 0.1:
        return "falling" if change < 0 else "rising"
    return "flat" if covariance[0, 0] ** 0.5 < 0.03 else "cannot tell"


# %% wrong="one standard error is enough" says="a change of one e or so"
def trend(losses):
    y = np.asarray(losses, dtype=float)
    if len(y) < 10 or not np.isfinite(y).all():
        return "cannot tell"
    (change, _), covariance = np.polyfit(np.linspace(0, 1, len(y)), y / abs(y.mean()), 1, cov=True)
    error = covariance[0, 0] ** 0.5
    if abs(change) > error:
        return "falling" if change < 0 else "rising"
    return "flat" if error < 0.03 else "cannot tell"


# %% sign="of 40 flat curves, those said to move" above=6
def sign(seed):
    return sum(trend(losses) in ("falling", "rising") for losses in stretches(0, 0.05, 400, seed=seed).tolist())

# %% right="a grid of powers, least squares for the rest"
def steps_needed(losses, target):
    y = np.asarray(losses, dtype=float)
    n = len(y)
    t = np.arange(1.0, n + 1)
    late = slice(n // 16, None)
    quarter, half = y[n // 4 : n // 2], y[n // 2 :]
    if quarter.mean() - half.mean() < 3 * np.std(np.diff(half)) / 2**0.5 * (1 / len(quarter) + 1 / len(half)) ** 0.5:
        return None
    best = None
    for b in np.arange(0.1, 2.0, 0.05):
        design = np.column_stack([np.ones(n), (t / n) ** -b])[late] / y[late, None]
        (c, a), *_ = np.linalg.lstsq(design, np.ones(n - n // 16), rcond=None)
        misfit = np.sum((design @ [c, a] - 1) ** 2)
        if c >= -0.02 * y[-1] and (best is None or misfit < best[0]):
            best = misfit, c, a, b
    _, c, a, b = best
    return None if c >= target else float(n * ((target - c) / a) ** (-1 / b))


# %% right="adds doublings one by one"
def steps_needed(losses, target):
    n = len(losses)
    means = [np.mean(losses[n // 2**k : n // 2 ** (k - 1)]) for k in (3, 2, 1)]
    fall, error = means[1] - means[2], np.std(losses[-(n // 2) :]) * np.sqrt(6 / n)
    if fall <= 2.5 * error or means[0] <= means[1]:
        return None
    ratio = min(fall / (means[0] - means[1]), 0.98)
    mean, steps = means[2], 0.7 * n
    while mean > target:
        fall *= ratio
        if fall < 1e-6 * mean:
            return None
        share = min(1, (mean - target) / fall)
        mean, steps = mean - share * fall, steps * 2**share
    return int(steps)


# %% right="first the floor, then the power"
def steps_needed(losses, target):
    y, n = np.array(losses), len(losses)
    a, b, c = y[n // 8 : n // 4].mean(), y[n // 4 : n // 2].mean(), y[n // 2 :].mean()
    scatter = np.median(np.abs(np.diff(y[n // 2 :]))) / 0.954
    if b - c < 3 * scatter * (6 / n) ** 0.5 or a <= b:
        return None
    floor = (a * c - b * b) / (a + c - 2 * b) if a + c - 2 * b > 0 else -np.inf
    if floor >= target:
        return None
    if floor == -np.inf:
        return 0.72 * n * 2 ** ((c - target) / (b - c))
    power = np.log2((a - b) / (b - c))
    return 0.72 * n * ((c - floor) / (target - floor)) ** (1 / power)


# %% right="blocks of a factor of the root of eight"
def steps_needed(losses, target):
    y = np.asarray(losses, dtype=float)
    n = len(y)
    edges = (n / 8 ** (np.arange(4)[::-1] / 2)).astype(int)
    m = [y[lo:hi].mean() for lo, hi in zip(edges[:-1], edges[1:])]
    d1, d2 = m[0] - m[1], m[1] - m[2]
    if d2 < 4 * np.std(np.diff(y[edges[2] :])) / np.sqrt(2 * (edges[2] - edges[1])) or d1 <= 0:
        return None
    r = d2 / d1
    way = 1 - (m[2] - target) * (1 - r) / (d2 * r)
    return None if way <= 0 else 0.6 * n * 8 ** (np.log(way) / np.log(r) / 2)


# %% right="three means, the ratio held below one"
def steps_needed(losses, target):
    losses = np.asarray(losses)
    n = len(losses)
    means = [losses[n // 8 : n // 4].mean(), losses[n // 4 : n // 2].mean(), losses[n // 2 :].mean()]
    first, second = means[0] - means[1], means[1] - means[2]
    if second <= 2 * losses[n // 2 :].std() / np.sqrt(n / 4):
        return None
    ratio = min(second / first, 0.95)
    missing, still = means[2] - target, second * ratio / (1 - ratio)
    if missing >= still:
        return None
    return 0.72 * n * 2 ** (np.log(1 - missing / still) / np.log(ratio))


# %% untouched says="the losses are taken for a line"

# %% emptied says="a curve that falls slowly is taken for one that has levelled off"


# %% wrong="as much with each doubling" says="each doubling is expected to bring as much as the last"
def steps_needed(losses, target):
    n = len(losses)
    slope, start = np.polyfit(np.log2(np.arange(n // 8 + 1, n + 1)), losses[n // 8 :], 1)
    return 2 ** min((target - start) / slope, 60) if slope < 0 else None


# %% wrong="a power that falls to zero" says="the curve is taken for a power of t that falls to zero"
def steps_needed(losses, target):
    n = len(losses)
    slope, start = np.polyfit(np.log(np.arange(n // 8 + 1, n + 1)), np.log(losses[n // 8 :]), 1)
    return np.exp(min((np.log(target) - start) / slope, 60)) if slope < 0 else None


# %% wrong="an exponential: three thirds of equal length" says="a curve that falls slowly is taken for one that has levelled off"
def steps_needed(losses, target):
    n = len(losses)
    a, b, c = (np.mean(part) for part in np.array_split(losses, 3))
    ratio = (b - c) / (a - b)
    left = 1 - (c - target) * (1 - ratio) / ((b - c) * ratio)
    return None if left <= 0 else n * (0.83 + np.log(left) / np.log(ratio) / 3)


# %% wrong="a plateau detector" says="a curve that falls slowly is taken for one that has levelled off"
def steps_needed(losses, target):
    n = len(losses)
    quarter, half = np.mean(losses[n // 4 : n // 2]), np.mean(losses[n // 2 :])
    if half > 0.9 * quarter:
        return None
    ratio = (quarter - half) / (np.mean(losses[n // 8 : n // 4]) - quarter)
    left = 1 - (half - target) * (1 - ratio) / ((quarter - half) * ratio)
    return None if left <= 0 else 0.72 * n * 2 ** (np.log(left) / np.log(ratio))


# %% wrong="the steps still to come" says="only the steps that are still to come are counted"
def steps_needed(losses, target):
    n = len(losses)
    a, b, c = (np.mean(losses[n // 2**k : n // 2 ** (k - 1)]) for k in (3, 2, 1))
    ratio = (b - c) / (a - b)
    left = 1 - (c - target) * (1 - ratio) / ((b - c) * ratio)
    return None if left <= 0 else 0.72 * n * 2 ** (np.log(left) / np.log(ratio)) - n


# %% wrong="no look at the noise" says="a forecast is made out of noise"
def steps_needed(losses, target):
    n = len(losses)
    a, b, c = (np.mean(losses[n // 2**k : n // 2 ** (k - 1)]) for k in (3, 2, 1))
    ratio = abs((b - c) / (a - b))
    left = 1 - (c - target) * (1 - ratio) / (abs(b - c) * ratio)
    return None if left <= 0 else 0.72 * n * 2 ** min(np.log(left) / np.log(ratio), 60)


# %% wrong="single losses" says="single losses are believed"
def steps_needed(losses, target):
    n = len(losses)
    a, b, c = losses[n // 4 - 1], losses[n // 2 - 1], losses[n - 1]
    ratio = (b - c) / (a - b)
    left = 1 - (c - target) * (1 - ratio) / ((b - c) * ratio)
    return None if not left > 0 or ratio <= 0 else n * 2 ** min(np.log(left) / np.log(ratio), 60)


# %% wrong="inf for never, as a word" says="the answer is a number or None"
def steps_needed(losses, target):
    n = len(losses)
    a, b, c = (np.mean(losses[n // 2**k : n // 2 ** (k - 1)]) for k in (3, 2, 1))
    ratio = (b - c) / (a - b)
    left = 1 - (c - target) * (1 - ratio) / ((b - c) * ratio)
    return "never" if left <= 0 else 0.72 * n * 2 ** (np.log(left) / np.log(ratio))


# %% sign
def sign(seed):
    """A number of epochs is forecast for run B, which never comes to 0.3 (measured: 20 of 20 broken, none of 20 mended)."""
    return steps_needed(long_run("B", seed, epochs=50), 0.3) is not None

# %% right="the change of the means against 5 % of their size"
def is_plateau(losses, window=100):
    recent = np.array(losses[-2 * window :])
    if len(losses) < 2 * window or not np.all(np.isfinite(recent)):
        return False
    older, newer = recent[:window].mean(), recent[window:].mean()
    return abs(newer - older) / abs(older) < 0.05


# %% right="two standard errors: no change is seen"
def is_plateau(losses, window=100):
    losses = np.array(losses, dtype=np.float64)
    if len(losses) < 2 * window:
        return False
    older, newer = losses[-2 * window : -window], losses[-window:]
    if not np.isfinite(older.sum() + newer.sum()):
        return False
    error = np.sqrt(older.var() / window + newer.var() / window)
    return abs(older.mean() - newer.mean()) < 2 * error


# %% right="a slope and its confidence interval"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window:
        return False
    y = np.asarray(losses[-2 * window :], dtype=float)
    if np.isnan(y).any() or np.isinf(y).any():
        return False
    t = np.arange(len(y)) / window
    (slope, intercept), covariance = np.polyfit(t, y, 1, cov=True)
    return bool(abs(slope) + 2 * covariance[0, 0] ** 0.5 < 0.07 * abs(y.mean()))


# %% right="medians"
def is_plateau(losses, window=100):
    import statistics

    losses = [float(loss) for loss in losses]
    if len(losses) < 2 * window or any(loss != loss or abs(loss) == float("inf") for loss in losses[-2 * window :]):
        return False
    older = statistics.median(losses[-2 * window : -window])
    newer = statistics.median(losses[-window:])
    return abs(newer - older) < 0.05 * max(abs(older), abs(newer))


# %% right="Theil and Sen's slope, over pairs a window apart"
def is_plateau(losses, window=100):
    losses = np.array(losses, dtype=np.float32)[-2 * window :]
    if losses.size < 2 * window or not np.isfinite(losses).all():
        return False
    slopes = losses[window:] - losses[:window]
    return np.abs(np.median(slopes)) <= 0.05 * np.abs(np.median(losses))


# %% untouched says="nothing at all is a plateau|flat, noise 1 %"

# %% emptied says="each answer is True or False|None"

# %% wrong="the document's: relative improvement of two means" says="the document's own fix is used|55%|100% of the div"
def is_plateau(losses, window=100, threshold=0.001):
    if len(losses) < window * 2:
        return False
    recent = losses[-window:]
    older = losses[-window * 2 : -window]
    recent_mean = np.mean(recent)
    older_mean = np.mean(older)
    relative_improvement = (older_mean - recent_mean) / (older_mean + 1e-8)
    return relative_improvement < threshold


# %% wrong="the document's, with a larger threshold" says="only a fall counts as a change|rising by 10 % a window"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window:
        return False
    older, newer = np.mean(losses[-2 * window : -window]), np.mean(losses[-window:])
    return (older - newer) / abs(older) < 0.05


# %% wrong="the document's, two-sided" says="flat, noise 1 %: a plateau|the limit lies inside the noise"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window:
        return False
    older, newer = np.mean(losses[-2 * window : -window]), np.mean(losses[-window:])
    return abs(older - newer) / (abs(older) + 1e-8) < 0.001


# %% wrong="equal to three digits" says="True on 0 of 40|the limit is in units of the loss"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window:
        return False
    return round(losses[-1], 3) == round(losses[-2], 3)


# %% wrong="an absolute limit" says="the limit is in units of the loss"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window or not np.isfinite(losses[-2 * window :]).all():
        return False
    return abs(np.mean(losses[-2 * window : -window]) - np.mean(losses[-window:])) < 0.1


# %% wrong="divided by the mean with its sign" says="the mean with its sign"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window or not np.isfinite(losses[-2 * window :]).all():
        return False
    older, newer = np.mean(losses[-2 * window : -window]), np.mean(losses[-window:])
    return abs(older - newer) / (older + 1e-8) < 0.05


# %% wrong="the first half of the run against the second" says="older losses than the last two windows"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window or not np.isfinite(losses).all():
        return False
    middle = len(losses) // 2
    older, newer = np.mean(losses[:middle]), np.mean(losses[middle:])
    return abs(older - newer) < 0.05 * abs(older)


# %% wrong="a slope over the whole run" says="older losses than the last two windows"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window or not np.isfinite(losses).all():
        return False
    slope = np.polyfit(np.arange(len(losses)) / window, losses, 1)[0]
    return abs(slope) < 0.05 * abs(np.mean(losses[-window:]))


# %% wrong="quiet is flat" says="a quiet loss is taken for a flat one"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window:
        return False
    recent = np.array(losses[-window:])
    return np.std(recent) < 0.02 * abs(np.mean(recent))


# %% wrong="the spread no longer shrinks" says="flat, noise 1 %: a plateau|the spread of the losses is watched"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window:
        return False
    return np.std(losses[-window:]) >= 0.98 * np.std(losses[-2 * window : -window])


# %% wrong="patience on the best so far, as in the framework" says="only a fall counts as a change"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window:
        return False
    best, bad = float("inf"), 0
    for loss in losses:
        if loss < best * (1 - 1e-4):
            best, bad = loss, 0
        else:
            bad += 1
    return bad >= window


# %% wrong="the spread of single losses" says="falling by 10 % a window: not a plateau|the spread of single losses"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window or not np.isfinite(losses[-2 * window :]).all():
        return False
    older, newer = np.array(losses[-2 * window : -window]), np.array(losses[-window:])
    return abs(older.mean() - newer.mean()) < 2 * np.sqrt(older.var() + newer.var())


# %% wrong="a significance test that counts only improvement" says="only a fall counts as a change"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window or not np.isfinite(losses[-2 * window :]).all():
        return False
    older, newer = np.array(losses[-2 * window : -window]), np.array(losses[-window:])
    return older.mean() - newer.mean() < 2.5 * np.sqrt((older.var() + newer.var()) / window)


# %% wrong="right, but two windows are one too few" says="exactly 2 * window losses: a plateau|two windows are taken for too few"
def is_plateau(losses, window=100):
    if len(losses) <= 2 * window or not np.isfinite(losses[-2 * window :]).all():
        return False
    older, newer = np.mean(losses[-2 * window : -window]), np.mean(losses[-window:])
    return abs(older - newer) < 0.05 * abs(older)


# %% wrong="right, but the window is always 100" says="window=|or for windows of 100"
def is_plateau(losses, window=100):
    if len(losses) < 200 or not np.isfinite(losses[-200:]).all():
        return False
    older, newer = np.mean(losses[-200:-100]), np.mean(losses[-100:])
    return abs(older - newer) < 0.05 * abs(older)


# %% wrong="right, but only nan is asked for" says="isnan is asked, which inf passes"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window or np.isnan(losses[-2 * window :]).any():
        return False
    older, newer = np.median(losses[-2 * window : -window]), np.median(losses[-window:])
    return abs(older - newer) < 0.05 * abs(older)


# %% wrong="right, but it does not ask whether the losses are numbers" says="not finite|every comparison with nan is False"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window:
        return False
    older, newer = np.mean(losses[-2 * window : -window]), np.mean(losses[-window:])
    return not abs(older - newer) > 0.05 * abs(older)


# %% wrong="too short is a plateau" says="fewer than two windows|it is not asked how many"
def is_plateau(losses, window=100):
    if not np.isfinite(losses[-2 * window :]).all():
        return False
    older, newer = np.mean(losses[-2 * window : -window]), np.mean(losses[-window:])
    return not abs(older - newer) > 0.05 * abs(older)


# %% wrong="never" says="nothing at all is a plateau"
def is_plateau(losses, window=100):
    return False


# %% wrong="a limit of 1 %" says="the limit lies inside the noise"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window or not np.isfinite(losses[-2 * window :]).all():
        return False
    older, newer = np.mean(losses[-2 * window : -window]), np.mean(losses[-window:])
    return abs(older - newer) < 0.01 * abs(older)


# %% wrong="a share of the mean with its sign" says="below zero, flat: a plateau|a share of a negative number is negative"
def is_plateau(losses, window=100):
    if len(losses) < 2 * window or not np.isfinite(losses[-2 * window :]).all():
        return False
    older, newer = np.mean(losses[-2 * window : -window]), np.mean(losses[-window:])
    return abs(older - newer) < 0.05 * older


# %% sign="of 40 flat curves, those called a plateau" below=20
def sign(seed):
    curves = plateau_curves(stays, 0.05, seed=1000 + seed)
    return sum(bool(is_plateau(losses)) for losses in curves.tolist())

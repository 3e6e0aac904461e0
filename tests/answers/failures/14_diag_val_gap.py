# %% right="with statistics, and two errors"
def val_verdict(train_loss, val_loss, chance):
    import statistics

    t, v = [float(a) for a in train_loss][-50:], [float(a) for a in val_loss][-50:]
    gap = statistics.mean(v) - statistics.mean(t)
    error = ((statistics.variance(t) + statistics.variance(v)) / 50) ** 0.5
    if gap < 0 and abs(gap) > 2.5 * error:
        return "leak"
    if gap / chance > 0.2:
        return "overfit"
    if statistics.mean(t) / chance > 0.7:
        return "underfit"
    return "healthy"


# %% right="pairs the evaluations"
def val_verdict(train_loss, val_loss, chance):
    gaps = (np.asarray(val_loss, float) - np.asarray(train_loss, float))[-50:] / chance
    if gaps.mean() / (gaps.std() / np.sqrt(len(gaps))) < -4:
        return "leak"
    if gaps.mean() > 0.15:
        return "overfit"
    return "underfit" if np.median(train_loss[-50:]) > 0.6 * chance else "healthy"


# %% right="bootstrap of the gap"
def val_verdict(train_loss, val_loss, chance):
    rng = np.random.default_rng(0)
    t, v = np.array(train_loss)[-50:], np.array(val_loss)[-50:]
    gaps = np.mean(rng.choice(v, (200, 50)), axis=1) - np.mean(rng.choice(t, (200, 50)), axis=1)
    if np.percentile(gaps, 99.5) < 0:
        return "leak"
    if np.median(gaps) > 0.18 * chance:
        return "overfit"
    return "underfit" if t.mean() > 0.65 * chance else "healthy"


# %% right="how often validation is the lower one: a sign test"
def val_verdict(train_loss, val_loss, chance):
    t, v = np.array(train_loss[-50:]), np.array(val_loss[-50:])
    order = np.argsort(np.argsort(np.concatenate([t, v])))
    z = (order[50:].mean() - order[:50].mean()) / np.sqrt(2 * (100**2 - 1) / 12 / 50)
    if z < -3:
        return np.str_("leak")
    return "overfit" if v.mean() - t.mean() > 0.17 * chance else "healthy" if t.mean() < 0.6 * chance else "underfit"


# %% untouched says="the training curve alone is looked at"

# %% emptied says="the verdict is|None"


# %% wrong="diverging, or not" says="leak is never said"
def val_verdict(train_loss, val_loss, chance):
    t, v = np.mean(train_loss[-50:]), np.mean(val_loss[-50:])
    if v - t > 0.17 * chance:
        return "overfit"
    return "healthy" if t < 0.65 * chance else "underfit"


# %% wrong="the ratio" says="near zero two good losses can have any ratio"
def val_verdict(train_loss, val_loss, chance):
    train, val = np.array(train_loss[-50:]), np.array(val_loss[-50:])
    error = np.sqrt((train.var() + val.var()) / 50)
    if val.mean() < train.mean() - 3 * error:
        return "leak"
    if val.mean() > 1.5 * train.mean():
        return "overfit"
    return "healthy" if train.mean() < 0.65 * chance else "underfit"


# %% wrong="below is below" says="a gap that noise can make is called a leak"
def val_verdict(train_loss, val_loss, chance):
    t, v = np.mean(train_loss[-50:]), np.mean(val_loss[-50:])
    if v < t:
        return "leak"
    return "overfit" if v - t > 0.17 * chance else "healthy" if t < 0.65 * chance else "underfit"


# %% wrong="the gap at the end, from one evaluation" says="a gap that noise can make"
def val_verdict(train_loss, val_loss, chance):
    t, v = train_loss[-1], val_loss[-1]
    if v < t - 0.03 * chance:
        return "leak"
    return "overfit" if v - t > 0.17 * chance else "healthy" if t < 0.65 * chance else "underfit"


# %% wrong="a fixed limit on both sides" says="fixed limit"
def val_verdict(train_loss, val_loss, chance):
    t, v = np.mean(train_loss[-50:]), np.mean(val_loss[-50:])
    if v < t - 0.1 * chance:
        return "leak"
    return "overfit" if v - t > 0.17 * chance else "healthy" if t < 0.65 * chance else "underfit"


# %% wrong="the spread of single evaluations" says="50 of them know their mean"
def val_verdict(train_loss, val_loss, chance):
    t, v = np.array(train_loss[-50:]), np.array(val_loss[-50:])
    if v.mean() < t.mean() - 2 * np.sqrt(t.var() + v.var()):
        return "leak"
    return "overfit" if v.mean() - t.mean() > 0.17 * chance else "healthy" if t.mean() < 0.65 * chance else "underfit"


# %% wrong="underfit is asked first" says="before the gap has been looked at"
def val_verdict(train_loss, val_loss, chance):
    t, v = np.array(train_loss[-50:]), np.array(val_loss[-50:])
    if t.mean() > 0.65 * chance:
        return "underfit"
    if v.mean() < t.mean() - 3 * np.sqrt((t.var() + v.var()) / 50):
        return "leak"
    return "overfit" if v.mean() - t.mean() > 0.17 * chance else "healthy"


# %% wrong="every certain gap" says="however small it is"
def val_verdict(train_loss, val_loss, chance):
    t, v = np.array(train_loss[-50:]), np.array(val_loss[-50:])
    z = (v.mean() - t.mean()) / np.sqrt((t.var() + v.var()) / 50)
    if abs(z) > 3 and t.mean() > 0.01 * chance:
        return "overfit" if z > 0 else "leak"
    return "healthy" if t.mean() < 0.65 * chance else "underfit"


# %% wrong="overfit is a validation loss above its best" says="what came before the last 50"
def val_verdict(train_loss, val_loss, chance):
    t, v = np.array(train_loss[-50:]), np.array(val_loss[-50:])
    if v.mean() < t.mean() - 3 * np.sqrt((t.var() + v.var()) / 50):
        return "leak"
    if v.mean() > 1.2 * np.min(val_loss):
        return "overfit"
    return "healthy" if t.mean() < 0.65 * chance else "underfit"


# %% wrong="overfit is a validation loss that rises" says="an overfit run may have come to rest"
def val_verdict(train_loss, val_loss, chance):
    t, v = np.array(train_loss[-50:]), np.array(val_loss[-50:])
    if v.mean() < t.mean() - 3 * np.sqrt((t.var() + v.var()) / 50):
        return "leak"
    if v[-10:].mean() > 1.5 * v[:10].mean():
        return "overfit"
    return "healthy" if t.mean() < 0.65 * chance else "underfit"


# %% wrong="nats for all" says="not with `chance`"
def val_verdict(train_loss, val_loss, chance):
    t, v = np.array(train_loss[-50:]), np.array(val_loss[-50:])
    if v.mean() < t.mean() - 3 * np.sqrt((t.var() + v.var()) / 50):
        return "leak"
    return "overfit" if v.mean() - t.mean() > 0.18 else "healthy" if t.mean() < 0.7 else "underfit"


# %% wrong="the means of the whole curves" says="evaluations before the last 50 are looked at"
def val_verdict(train_loss, val_loss, chance):
    t, v = np.array(train_loss), np.array(val_loss)
    if v.mean() < t.mean() - 3 * np.sqrt((t.var() + v.var()) / len(t)):
        return "leak"
    return "overfit" if v.mean() - t.mean() > 0.17 * chance else "healthy" if t.mean() < 0.65 * chance else "underfit"


# %% wrong="one standard error is a leak" says="a gap that noise can make is called a leak"
def val_verdict(train_loss, val_loss, chance):
    t, v = np.array(train_loss[-50:]), np.array(val_loss[-50:])
    if v.mean() < t.mean() - np.sqrt((t.var() + v.var()) / 50):
        return "leak"
    return "overfit" if v.mean() - t.mean() > 0.17 * chance else "healthy" if t.mean() < 0.65 * chance else "underfit"


# %% sign="of a leaking and an overfitting run, those judged wrongly" above=0
def sign(seed):
    runs = {cause: val_gap_run(cause, seed) for cause in ("leak", "overfit")}
    return sum(val_verdict(run["loss"], run["val_loss"], np.log(3)) != cause for cause, run in runs.items())

# %% right="count how long it has been high"
def why_nan(losses, others=None):
    import math

    f = next(i for i, loss in enumerate(losses) if not math.isfinite(loss))
    low, high = min(losses[:f]), 0
    while high < f and losses[f - 1 - high] > 7 * low:
        high += 1
    if high >= 5:
        return "step size"
    if others is None:
        return "cannot tell"
    as_usual = [loss for loss in others() if loss < 5 * low]
    return "batch" if len(as_usual) > 5 else "step size"


# %% right="the fifth from the end"
def why_nan(losses, others=None):
    before = np.array(losses)[: np.flatnonzero(~np.isfinite(losses))[0]]
    if min(before[-8:-3]) > 5 * min(before):
        return "step size"
    if not others:
        return "cannot tell"
    answer = np.asarray(others())
    return "step size" if np.sum(~(answer <= 8 * before.min())) >= 5 else "batch"


# %% right="in logarithms, float32"
def why_nan(losses, others=None):
    decades = np.log10(np.asarray(losses, dtype=np.float64))
    f = int(np.where(np.isfinite(np.asarray(losses, dtype=np.float64)), 0, 1).argmax())
    above = (decades[:f] - decades[:f].min()).astype(np.float32)
    if np.median(above[-8:]) > 0.9:
        return "step size"
    if others is None:
        return "cannot tell"
    with np.errstate(all="ignore"):
        answer = np.log10(others()) - decades[:f].min()
    return ["step size", "batch"][int((answer < 0.8).sum() >= 6)]


# %% right="quantiles"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: int(np.isfinite(x).cumprod().sum())]
    low = np.quantile(x, 0)
    verdict = "step size" if np.quantile(x[-10:], 0.35) > 5 * low else None
    if verdict is None:
        if others is None:
            verdict = "cannot tell"
        else:
            worst = sorted(loss if np.isfinite(loss) else 1e308 for loss in others())
            verdict = "batch" if worst[6] < 9 * low else "step size"
    return verdict


# %% right="the words of the text, and no verdict in between"
def why_nan(losses, others=None):
    a = np.array(losses, dtype=float)
    before = a[: np.where(~np.isfinite(a))[0][0]]
    low = before.min()
    if (before[-8:] > 10 * low).all():
        return "step size"
    if others is None:
        return "cannot tell"
    ten = np.asarray(others(), dtype=float)
    if np.sum(ten < 4 * low) >= 8:
        return "batch"
    if np.sum(~np.isfinite(ten) | (ten > 10 * low)) >= 8:
        return "step size"
    return "cannot tell"


# %% untouched says="one value before the failure is judged, as usual"

# %% emptied says="the verdict is 'step size' or 'batch' or 'cannot tell'|None"


# %% wrong="the document's, with isfinite: the value before" says="one value before the failure is judged"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    f = np.argmin(np.isfinite(x))
    if x[f - 1] > 10 * x[:f].min():
        return "step size"
    if others is None:
        return "cannot tell"
    return "batch" if np.median(np.nan_to_num(others(), nan=np.inf)) < 6 * x[:f].min() else "step size"


# %% wrong="ramp or jump, and no question" says="without having asked"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: np.argmin(np.isfinite(x))]
    return "step size" if (x[-6:] > 6 * x.min()).all() else "batch"


# %% wrong="ramp or jump, the probe only to be sure that there is one" says="every jump is put down to the batch"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: np.argmin(np.isfinite(x))]
    if (x[-6:] > 6 * x.min()).all():
        return "step size"
    if others is None:
        return "cannot tell"
    return "batch" if len(others()) else "step size"


# %% wrong="the probe is asked first" says="a ramp is judged without others|asked before the losses are"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: np.argmin(np.isfinite(x))]
    answer = others() if others else None
    if (x[-6:] > 6 * x.min()).all():
        return "step size"
    if answer is None:
        return "cannot tell"
    return "batch" if np.median(np.nan_to_num(answer, nan=np.inf)) < 6 * x.min() else "step size"


# %% wrong="no parameters, no verdict" says="no question is put to the losses"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: np.argmin(np.isfinite(x))]
    if others is None:
        return "cannot tell"
    if (x[-6:] > 6 * x.min()).all():
        return "step size"
    return "batch" if np.median(np.nan_to_num(others(), nan=np.inf)) < 6 * x.min() else "step size"


# %% wrong="against the median of the last twenty" says="before a long ramp ends, those are all high"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: np.argmin(np.isfinite(x))]
    usual = np.median(x[-20:])
    if (x[-6:] > 10 * usual).all():
        return "step size"
    if others is None:
        return "cannot tell"
    return "batch" if np.median(np.nan_to_num(others(), nan=np.inf)) < 6 * usual else "step size"


# %% wrong="against the first loss" says="the first loss is the measure"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: np.argmin(np.isfinite(x))]
    if (x[-6:] > 6 * x[0]).all():
        return "step size"
    if others is None:
        return "cannot tell"
    return "batch" if np.median(np.nan_to_num(others(), nan=np.inf)) < 6 * x.min() else "step size"


# %% wrong="any spike before" says="a spike that was long over"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: np.argmin(np.isfinite(x))]
    level = np.minimum.accumulate(x)
    if np.convolve(x > 10 * level, np.ones(6), "valid").max() >= 6:
        return "step size"
    if others is None:
        return "cannot tell"
    return "batch" if np.median(np.nan_to_num(others(), nan=np.inf)) < 6 * x.min() else "step size"


# %% wrong="the mean of the ten" says="one bad loss among the ten decides"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: np.argmin(np.isfinite(x))]
    if (x[-6:] > 6 * x.min()).all():
        return "step size"
    if others is None:
        return "cannot tell"
    return "batch" if np.mean(others()) < 6 * x.min() else "step size"


# %% wrong="nan drops out" says="one good loss among the ten decides"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: np.argmin(np.isfinite(x))]
    if (x[-6:] > 6 * x.min()).all():
        return "step size"
    if others is None:
        return "cannot tell"
    answer = others()
    finite = answer[np.isfinite(answer)]
    return "batch" if len(finite) and finite.min() < 6 * x.min() else "step size"


# %% wrong="finite is good" says="only nan and inf are seen in the answer"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: np.argmin(np.isfinite(x))]
    if (x[-6:] > 6 * x.min()).all():
        return "step size"
    if others is None:
        return "cannot tell"
    return "batch" if np.isfinite(others()).sum() > 5 else "step size"


# %% wrong="asked twice" says="others is called once for a jump|asked again"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: np.argmin(np.isfinite(x))]
    if (x[-8:] > 10 * x.min()).all():
        return "step size"
    if others is None:
        return "cannot tell"
    return "batch" if sum(loss < 5 * x.min() for loss in others()) > 5 and len(others()) else "step size"


# %% wrong="the first nan is the failure" says="the failure is looked for as nan only"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    f = np.argmax(np.isnan(x)) if np.isnan(x).any() else len(x)
    x = x[:f]
    if (x[-8:] > 10 * x.min()).all():
        return "step size" if np.isfinite(x).all() else "batch"
    if others is None:
        return "cannot tell"
    return "batch" if np.sum(np.asarray(others()) < 5 * x.min()) > 5 else "step size"


# %% wrong="any high loss among the last five" says="one value before the failure is judged"
def why_nan(losses, others=None):
    x = np.asarray(losses, float)
    x = x[: np.argmin(np.isfinite(x))]
    if (x[-5:] > 10 * x.min()).any():
        return "step size"
    if others is None:
        return "cannot tell"
    return "batch" if np.sum(np.asarray(others()) < 5 * x.min()) > 5 else "step size"


# %% sign="of three kinds of run, those that die again with the cure chosen" above=0
def sign(seed):
    deaths = {kind: run_to_death(kind, seed) for kind in DEATHS}
    chosen = {kind: why_nan(losses + [np.nan] * 3, lambda: others.copy()) for kind, (losses, others) in deaths.items()}
    return sum(not lives_after(kind, seed, said) for kind, said in chosen.items())

# %% right="a multiple of the median"
def clip_limit(norms):
    norms = [norm for norm in norms if np.isfinite(norm)]
    third = len(norms) // 3
    if np.median(norms[-third:]) > 6 * np.median(norms[third : 2 * third]):
        return None
    return np.float32(5.5 * np.median(norms))


# %% right="median and spread of the logarithms"
def clip_limit(norms):
    logs = np.log(np.asarray(norms, dtype=float)[np.isfinite(norms)])
    half = logs[len(logs) // 5 :]
    slope = np.polyfit(np.linspace(0, 1, len(half)), half, 1)[0]
    quarter = len(half) // 4
    if slope > 2 and np.median(half[-quarter:]) - np.median(half[:quarter]) > 1.5:
        return None
    middle = np.median(logs)
    mad = np.median(np.abs(logs - middle))
    return float(np.exp(middle + min(max(4.5 * mad, 0.5), np.log(7))))


# %% right="the largest gap between sorted norms"
def clip_limit(norms):
    a = np.asarray(norms, dtype=float)
    n = len(a)
    if np.nanmedian(a[-n // 4 :]) > 5 * np.nanmedian(a[n // 5 : n // 2]):
        return None
    a = np.sort(a[np.isfinite(a)])
    top = a[len(a) // 2]
    for value in a[len(a) // 2 :]:
        if value > 3 * top:
            break
        top = value
    return 1.1 * top


# %% right="trimmed again and again"
def clip_limit(norms):
    a = np.array([x for x in norms if np.isfinite(x)])
    medians = [np.median(part) for part in np.array_split(a, 5)]
    if medians[4] > 4 * medians[2]:
        return None
    while a.max() > 8 * np.median(a):
        a = a[a < a.max()]
    return a.max() * 1.2


# %% right="the lower half of the log alone"
def clip_limit(norms):
    norms = np.where(np.isfinite(norms), norms, np.inf)
    quarter = len(norms) // 4
    if np.median(norms[-quarter:]) > 30 * np.median(norms[:quarter]):
        return None
    low, middle = np.percentile(norms, [5, 50], method="lower")
    return float(min(6 * middle, max(middle * (middle / low) ** 2, 2 * middle)))


# %% untouched says="a usual value is returned, whatever the log says"

# %% emptied says="the limit is one positive finite number|None"


# %% wrong="another usual value" says="a usual value is returned, whatever the log says"
def clip_limit(norms):
    return 100.0


# %% wrong="mean and three standard deviations" says="mean and standard deviation are taken"
def clip_limit(norms):
    norms = np.asarray(norms)[np.isfinite(norms)]
    return norms.mean() + 3 * norms.std()


# %% wrong="the 99th percentile of all steps" says="a percentile of all steps is taken"
def clip_limit(norms):
    norms = np.asarray(norms)[np.isfinite(norms)]
    return np.percentile(norms, 99)


# %% wrong="the median" says="the middle of the ordinary steps: half of them are clipped"
def clip_limit(norms):
    norms = np.asarray(norms)[np.isfinite(norms)]
    return np.median(norms)


# %% wrong="the largest norm" says="the largest norm is the limit"
def clip_limit(norms):
    norms = np.asarray(norms)[np.isfinite(norms)]
    return norms.max()


# %% wrong="a tenth of the median, to be safe" says="a smaller learning rate in disguise"
def clip_limit(norms):
    norms = np.asarray(norms)[np.isfinite(norms)]
    return 0.1 * np.median(norms)


# %% wrong="three and a half spreads of the logarithms, taken with the exceptional steps" says="exceptional"
def clip_limit(norms):
    logs = np.log(np.array([norm for norm in norms if np.isfinite(norm)]))
    if np.corrcoef(np.arange(len(logs)), logs)[0, 1] > 0.9:
        return None
    middle = np.median(logs)
    return float(np.exp(middle + 3.8 * 1.48 * np.median(np.abs(logs - middle))))


# %% wrong="nan is forgotten" says="a nan or inf in the log goes into the limit"
def clip_limit(norms):
    norms = np.asarray(norms)
    return 5.0 * np.median(norms) + 0 * norms.sum()


# %% wrong="always a limit" says="hide what makes the norms grow"
def clip_limit(norms):
    norms = np.asarray(norms)[np.isfinite(norms)]
    return 5.5 * np.median(norms)


# %% wrong="spikes anywhere mean None" says="exceptional steps are not a climb"
def clip_limit(norms):
    norms = np.asarray(norms)[np.isfinite(norms)]
    if norms.max() > 50 * norms.min():
        return None
    return 5.5 * np.median(norms)


# %% wrong="the first fifty steps" says="exceptional steps have a say in the limit"
def clip_limit(norms):
    norms = np.asarray(norms)[np.isfinite(norms)]
    return 1.5 * np.percentile(norms[:50], 98)


# %% sign="share of 60 steps that are clipped" above=0.5
def sign(seed):
    return train_rnn(clip_limit(norms_of_a_probe(seed, 200)), seed, steps=60)["clipped"][-1]

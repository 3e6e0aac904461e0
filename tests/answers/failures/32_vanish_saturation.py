# %% right="whole arrays"
def unit_verdicts(outputs, slopes):
    is_open = (np.asarray(slopes) > 0.01).mean(axis=0) >= 0.2
    constant = outputs.max(axis=0) - outputs.min(axis=0) < 0.1
    return np.where(is_open, "open", np.where(constant, "dead", "saturated"))


# %% right="counts, and the standard deviation"
def unit_verdicts(outputs, slopes):
    rows, units = outputs.shape
    said = []
    for unit in range(units):
        closed = sum(1 for row in range(rows) if slopes[row, unit] < 0.005)
        if closed < 0.8 * rows:
            said.append("open")
        elif outputs[:, unit].std() < 0.05:
            said.append("dead")
        else:
            said.append("saturated")
    return tuple(said)


# %% right="the upper quarter of the slopes"
def unit_verdicts(outputs, slopes):
    steep = np.quantile(slopes, 0.8, axis=0)
    words = []
    for unit, slope in enumerate(steep):
        if slope > 0.03:
            words += ["open"]
            continue
        low, high = np.sort(outputs[:, unit])[[0, -1]]
        words += ["dead"] if np.isclose(low, high, atol=0.03) else ["saturated"]
    return words


# %% right="dead first: no row open, one output"
def unit_verdicts(outputs, slopes):
    def one(out, slope):
        if max(slope) < 0.01 and max(out) - min(out) < 0.02:
            return "dead"
        return "saturated" if np.count_nonzero(slope < 0.01) >= 0.9 * len(slope) else "open"

    return [one(out, slope) for out, slope in zip(outputs.astype(np.float32).T, slopes.astype(np.float32).T)]


# %% untouched says="outputs near plus or minus 1 are looked for"

# %% emptied says="one word for each unit|None"


# %% wrong="both ends of a sigmoid too" says="an output near 1 is taken for a flat one"
def unit_verdicts(outputs, slopes):
    said = []
    for out in outputs.T:
        if np.mean((np.abs(out) > 0.99) | (np.abs(out) < 0.01)) < 0.5:
            said.append("open")
        else:
            said.append("dead" if np.ptp(out) < 0.02 else "saturated")
    return said


# %% wrong="dead is zero" says="only a unit at exactly 0 is taken for dead"
def unit_verdicts(outputs, slopes):
    said = []
    for out, slope in zip(outputs.T, slopes.T):
        if np.mean(slope > 0.02) > 0.2:
            said.append("open")
        else:
            said.append("dead" if np.all(out == 0) else "saturated")
    return said


# %% wrong="nothing passes, so it is dead" says="though its output still changes from row to row"
def unit_verdicts(outputs, slopes):
    return ["open" if np.mean(slope > 0.02) > 0.2 else "dead" for slope in slopes.T]


# %% wrong="the middle slope" says="the mean or the middle of the slopes"
def unit_verdicts(outputs, slopes):
    said = []
    for out, slope in zip(outputs.T, slopes.T):
        if np.median(slope) > 0.02 or np.mean(slope > 0.9) > 0.4:
            said.append("open")
        else:
            said.append("saturated" if np.ptp(out) > 0.2 else "dead")
    return said


# %% wrong="some closed rows are enough" says="this unit is open on half of its rows"
def unit_verdicts(outputs, slopes):
    said = []
    for out, slope in zip(outputs.T, slopes.T):
        if slope.min() > 0.02:
            said.append("open")
        else:
            said.append("saturated" if np.ptp(out) > 0.2 else "dead")
    return said


# %% wrong="a slope below a half is flat" says="held against those of tanh"
def unit_verdicts(outputs, slopes):
    said = []
    for out, slope in zip(outputs.T, slopes.T):
        if np.mean(slope > 0.5) > 0.15:
            said.append("open")
        else:
            said.append("saturated" if np.ptp(out) > 0.2 else "dead")
    return said


# %% wrong="the outputs' range first" says="without a look at the slopes"
def unit_verdicts(outputs, slopes):
    said = []
    for out, slope in zip(outputs.T, slopes.T):
        if np.ptp(out) < 0.02:
            said.append("dead")
        else:
            said.append("open" if np.mean(slope > 0.02) > 0.17 else "saturated")
    return said


# %% wrong="the flat ends by their values" says="an output near 0 is taken for a flat end"
def unit_verdicts(outputs, slopes):
    said = []
    for out in outputs.T:
        size = np.abs(out)
        at_ends = np.mean((size < 0.01) | (size > 0.999) & (size < 1.001) | (size == 6)) > 0.6
        if not at_ends:
            said.append("open")
        else:
            said.append("saturated" if out.min() < 0 < out.max() or np.ptp(out) > 0.02 else "dead")
    return said


# %% wrong="rows instead of units" says="rows are judged instead of units"
def unit_verdicts(outputs, slopes):
    said = []
    for out, slope in zip(outputs, slopes):
        if np.mean(slope > 0.02) > 0.2:
            said.append("open")
        else:
            said.append("saturated" if np.ptp(out) > 0.2 else "dead")
    return said


# %% wrong="one word for the layer" says="one word is said about the whole layer"
def unit_verdicts(outputs, slopes):
    if np.mean(slopes > 0.02) > 0.2:
        return "open"
    return "saturated" if np.ptp(outputs) > 0.2 else "dead"


# %% wrong="a word of its own" says="the verdict is|called by another name"
def unit_verdicts(outputs, slopes):
    return ["vanishing" if np.mean(slope > 0.02) < 0.2 else "open" for slope in slopes.T]


# %% sign="of two networks, those that are not cured" above=0
def sign(seed):
    history = treated(unit_verdicts, seed)[1]
    return (not history["second"][-1] < 0.3) + (not history["third"][-1] < 0.8)

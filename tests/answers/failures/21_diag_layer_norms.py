# %% right="logarithms, and the distance from the median of the others"
def guilty_layer(norms, usual):
    log_growth = np.log(norms) - np.log(usual).mean(axis=0)
    for layer in range(len(norms)):
        others = np.delete(log_growth, layer)
        if log_growth[layer] < others.min() - np.log(3.5):
            return layer
    return None


# %% right="plain Python"
def guilty_layer(norms, usual):
    quotients = []
    for layer, norm in enumerate(norms):
        column = sorted(float(run[layer]) for run in usual)
        quotients.append((float(norm) / column[len(column) // 2], layer))
    quotients.sort()
    if quotients[0][0] * 3 < quotients[1][0]:
        return quotients[0][1]


# %% right="below a quarter of the median growth"
def guilty_layer(norms, usual):
    growth = np.asarray(norms) / np.mean(usual, axis=0)
    low = np.flatnonzero(growth < np.median(growth) / 5)
    return low[0] if len(low) == 1 else None


# %% right="shares of the whole, so that the scale falls out"
def guilty_layer(norms, usual):
    share = norms / norms.sum()
    usual_share = np.median(usual / usual.sum(axis=1, keepdims=True), axis=0)
    change = share / usual_share
    order = np.argsort(change)
    return None if change[order[0]] > change[order[1]] / 3 else int(order[0])


# %% right="a z-score in logarithms, the common part taken out"
def guilty_layer(norms, usual):
    healthy = np.log(usual)
    change = np.log(norms) - healthy.mean(axis=0)
    change = change - np.median(change)
    scatter = (healthy - healthy.mean(axis=0)).std()
    if change.min() < -3 * scatter and change.min() < -np.log(5):
        return change.argmin()
    return None


# %% untouched says="the layer with the largest norm is blamed"

# %% emptied says="no layer is named"


# %% wrong="the largest growth" says="the layer whose norm has grown most is blamed"
def guilty_layer(norms, usual):
    growth = norms / np.median(usual, axis=0)
    return int(np.argmax(growth)) if growth.max() > 5 * growth.min() else None


# %% wrong="the smallest norm" says="all layers have grown alike"
def guilty_layer(norms, usual):
    return int(np.argmin(norms)) if norms.max() > 10 * norms.min() else None


# %% wrong="the smallest growth, always" says="somebody is always blamed"
def guilty_layer(norms, usual):
    return int(np.argmin(norms / np.median(usual, axis=0)))


# %% wrong="the smallest growth, where anything has grown" says="held against a fixed bound"
def guilty_layer(norms, usual):
    growth = norms / np.median(usual, axis=0)
    return int(np.argmin(growth)) if growth.max() > 10 else None


# %% wrong="the first from the input that has grown" says="the first layer from the input that has grown is blamed"
def guilty_layer(norms, usual):
    growth = norms / np.median(usual, axis=0)
    grown = np.flatnonzero(growth > 0.3 * growth.max())
    return int(grown[0]) if grown.size else None


# %% wrong="the last that has grown, where backpropagation begins" says="the first layer that backpropagation meets"
def guilty_layer(norms, usual):
    growth = norms / np.median(usual, axis=0)
    grown = np.flatnonzero(growth > 0.3 * growth.max())
    return int(grown[-1]) if grown.size else None


# %% wrong="the smallest growth, where all have grown or shrunk" says="all layers have grown alike"
def guilty_layer(norms, usual):
    growth = norms / np.median(usual, axis=0)
    return int(np.argmin(growth)) if np.median(np.abs(np.log(growth))) > 2 else None


# %% wrong="where the quotients jump" says="the jump lies beside the guilty layer"
def guilty_layer(norms, usual):
    jumps = np.abs(np.diff(np.log(norms / np.median(usual, axis=0))))
    return int(jumps.argmax()) if jumps.max() > np.log(5) else None


# %% wrong="the calmest, once the whole norm is large" says="held against a fixed bound"
def guilty_layer(norms, usual):
    if global_norm(norms) < 10 * np.median([global_norm(run) for run in usual]):
        return None
    growth = norms / np.median(usual, axis=0)
    lowest, second = np.sort(growth)[:2]
    return int(growth.argmin()) if second > 3 * lowest else None


# %% wrong="counts from 1" says="layers are counted from 1"
def guilty_layer(norms, usual):
    growth = norms / np.median(usual, axis=0)
    order = np.argsort(growth)
    return int(order[0]) + 1 if growth[order[1]] > 3 * growth[order[0]] else None


# %% wrong="the only one within its usual range" says="held against a fixed bound"
def guilty_layer(norms, usual):
    growth = norms / np.median(usual, axis=0)
    calm = np.flatnonzero((growth < 8) & (growth > 0.3))
    return int(calm[0]) if len(calm) == 1 else None


# %% sign="loss after the operation and 120 steps (nats)" above=0.7
def sign(seed):
    return operate(guilty_layer, seed, guilty=seed % 6)[2]["loss"][-1]

# %% right="standard deviations, collected first"
def badly_scaled(layers, x):
    sizes = [np.std(x)]
    for function in layers:
        x = function(x)
        sizes.append(np.std(x))
    gains = {i: after / before for i, (before, after) in enumerate(zip(sizes, sizes[1:])) if before > 0}
    return {i: gain for i, gain in gains.items() if gain > 4 or gain < 0.25}


# %% right="a fresh unit batch for every layer"
def badly_scaled(layers, x):
    found = {}
    for i, layer in enumerate(layers):
        norm = np.linalg.norm(x) / x.size**0.5
        if norm == 0:
            break
        x = layer(np.asarray(x) / norm)
        gain = np.linalg.norm(x) / x.size**0.5
        if abs(np.log(gain + 1e-300)) > np.log(3.2):
            found[i] = gain
    return found


# %% right="two passes"
def badly_scaled(layers, x):
    def output(upto):
        h = x
        for layer in layers[:upto]:
            h = layer(h)
        return float(np.mean(np.square(h)))

    found = {}
    for i in range(len(layers)):
        before, after = output(i), output(i + 1)
        if before == 0:
            continue
        ratio = (after / before) ** 0.5
        if ratio < 0.3 or ratio > 3:
            found[i] = ratio
    return found


# %% right="float32"
def badly_scaled(layers, x):
    h, found = np.asarray(x, dtype=np.float32), {}
    for i, layer in enumerate(layers):
        out = layer(h).astype(np.float32)
        size = float(h.std())
        if size and not 0.28 <= out.std() / size <= 3.3:
            found[i] = out.std() / size
        h = out
    return found


# %% untouched says="held against fixed bounds"

# %% emptied says="a dict comes back|None"


# %% wrong="wider bounds" says="held against fixed bounds"
def badly_scaled(layers, x):
    suspects = {}
    for layer, function in enumerate(layers):
        x = function(x)
        if not 0.01 < x.std() < 100:
            suspects[layer] = x.std()
    return suspects


# %% wrong="fixed bounds, once the batch is in its own units" says="the layers after a wrong one are blamed"
def badly_scaled(layers, x):
    suspects, x = {}, x / x.std()
    for layer, function in enumerate(layers):
        x = function(x)
        if not 0.1 < x.std() < 10:
            suspects[layer] = x.std()
    return suspects


# %% wrong="the logits are left out" says="the last layer is looked at too"
def badly_scaled(layers, x):
    suspects = {}
    for layer, function in enumerate(layers[:-1]):
        size, x = x.std(), function(x)
        if size and not 0.25 < x.std() / size < 4:
            suspects[layer] = x.std() / size
    return suspects


# %% wrong="each by the size of the batch" says="the layers after a wrong one are blamed"
def badly_scaled(layers, x):
    suspects, start = {}, x.std()
    for layer, function in enumerate(layers):
        x = function(x)
        if not 0.25 < x.std() / start < 4:
            suspects[layer] = x.std() / start
    return suspects


# %% wrong="each by the median output" says="compared with each other"
def badly_scaled(layers, x):
    sizes = []
    for function in layers:
        x = function(x)
        sizes.append(x.std())
    usual = np.median(sizes)
    return {i: size / usual for i, size in enumerate(sizes) if not 0.2 < size / usual < 5}


# %% wrong="by the layer before, the first left out" says="the first layer has no layer before it"
def badly_scaled(layers, x):
    sizes = []
    for function in layers:
        x = function(x)
        sizes.append(x.std())
    pairs = enumerate(zip(sizes, sizes[1:]), start=1)
    return {i: after / before for i, (before, after) in pairs if before and not 0.25 < after / before < 4}


# %% wrong="only what is too large" says="only layers that are too large are looked for"
def badly_scaled(layers, x):
    suspects = {}
    for layer, function in enumerate(layers):
        size = x.std()
        x = function(x)
        if x.std() > 4 * size:
            suspects[layer] = x.std() / size
    return suspects


# %% wrong="stops at the first" says="the first wrong layer ends the search"
def badly_scaled(layers, x):
    for layer, function in enumerate(layers):
        size = x.std()
        x = function(x)
        if not 0.25 < x.std() / size < 4:
            return {layer: x.std() / size}
    return {}


# %% wrong="the output's size is returned" says="the size of the output is returned, and not its quotient"
def badly_scaled(layers, x):
    suspects = {}
    for layer, function in enumerate(layers):
        size = x.std()
        x = function(x)
        if size > 0 and not 0.25 < x.std() / size < 4:
            suspects[layer] = x.std()
    return suspects


# %% wrong="upside down" says="upside down"
def badly_scaled(layers, x):
    suspects = {}
    for layer, function in enumerate(layers):
        size = x.std()
        x = function(x)
        if size > 0 and not 0.25 < x.std() / size < 4:
            suspects[layer] = size / max(x.std(), 1e-300)
    return suspects


# %% wrong="variances" says="the root is missing"
def badly_scaled(layers, x):
    suspects = {}
    for layer, function in enumerate(layers):
        size = x.var()
        x = function(x)
        if size > 0 and not 0.06 < x.var() / size < 16:
            suspects[layer] = x.var() / size
    return suspects


# %% wrong="zero by zero" says="0 / 0 is no gain"
def badly_scaled(layers, x):
    suspects = {}
    for layer, function in enumerate(layers):
        size = x.std()
        x = function(x)
        if not 0.25 < x.std() / size < 4:
            suspects[layer] = x.std() / size
    return suspects


# %% wrong="a column of names" says="a dict comes back"
def badly_scaled(layers, x):
    found = []
    for layer, function in enumerate(layers):
        size = x.std()
        x = function(x)
        if size > 0 and not 0.25 < x.std() / size < 4:
            found.append(layer)
    return found or [0]


# %% sign
def sign(seed):
    """After the named layers were divided by their gains, the run of 80 steps ends above 0.5 nats, or outside the numbers.

    Measured on 20 seeds: broken 1.1 in 19 of 20 and 0.73 in one, mended 0.018 to 0.036 in 20 of 20.
    """
    return not rescaled_run(badly_scaled, seed)[2]["loss"][-1] < 0.5

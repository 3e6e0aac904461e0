# %% right="the whole network anew for every layer"
def unit_scales(layers, weights, activation, x):
    scales = np.ones(len(layers))
    for k in range(len(layers)):
        h = x
        for j in range(k + 1):
            out = layers[j](h, scales[j] * weights[j])
            h = activation(out)
        scales[k] = 1 / np.sqrt((out * out).mean())
    return scales


# %% right="as LSUV has it: a few rounds, until it is close"
def unit_scales(layers, weights, activation, x):
    scales, h = [], x
    for layer, weight in zip(layers, weights):
        weight, scale = weight.copy(), 1.0
        for _ in range(10):
            out = layer(h, weight)
            size = float(np.sqrt(np.mean(np.square(out))))
            if abs(size - 1) < 0.01:
                break
            weight /= size
            scale /= size
        scales.append(scale)
        h = activation(layer(h, weight))
    return scales


# %% right="recursion, float32, norms"
def unit_scales(layers, weights, activation, x):
    if not layers:
        return []
    out = layers[0](x, weights[0])
    scale = np.float32(np.sqrt(out.size) / np.linalg.norm(out))
    return [scale] + list(unit_scales(layers[1:], weights[1:], activation, activation(out * scale)))


# %% right="bisection on the size"
def unit_scales(layers, weights, activation, x):
    scales, h = [], x.copy()
    for layer, weight in zip(layers, weights):
        low, high = 1e-6, 1e6
        for _ in range(40):
            middle = (low * high) ** 0.5
            size = np.mean(layer(h, middle * weight) ** 2)
            low, high = (low, middle) if size > 1 else (middle, high)
        scales.append(middle)
        h = activation(layer(h, middle * weight))
    return tuple(scales)


# %% untouched says="the weights are left as they were drawn"

# %% emptied says="a list comes back|None"


# %% wrong="the document's: a standard scheme, He's" says="He's scale is taken for every layer and every activation"
def unit_scales(layers, weights, activation, x):
    return [np.sqrt(2 / weight.shape[0]) for weight in weights]


# %% wrong="Xavier" says="knows neither the activation nor the layer"
def unit_scales(layers, weights, activation, x):
    return [np.sqrt(2 / (weight.shape[0] + weight.shape[-1])) for weight in weights]


# %% wrong="the gain, and the fan of the shape" says="the gain of the activation is right, and the shape is trusted"
def unit_scales(layers, weights, activation, x):
    z = np.random.default_rng(0).normal(size=1_000_000)
    gain = 1 / np.sqrt(np.mean(activation(z) ** 2))
    return [gain / np.sqrt(weight.shape[0]) for weight in weights]


# %% wrong="a spread of 0.01" says="the weights are small, the same in all layers"
def unit_scales(layers, weights, activation, x):
    return [0.01] * len(layers)


# %% wrong="zeros" says="weights of zero"
def unit_scales(layers, weights, activation, x):
    return [0.0] * len(layers)


# %% wrong="measured in the network as it was drawn" says="each layer is measured with the weights before it as they were drawn"
def unit_scales(layers, weights, activation, x):
    scales, h = [], x
    for layer, weight in zip(layers, weights):
        out = layer(h, weight)
        scales.append(1 / np.sqrt(np.mean(out**2)))
        h = activation(out)
    return scales


# %% wrong="the variance, without its root" says="the mean of the squares stands where its root is meant"
def unit_scales(layers, weights, activation, x):
    scales, h = [], x
    for layer, weight in zip(layers, weights):
        out = layer(h, weight)
        scales.append(1 / np.mean(out**2))
        h = activation(scales[-1] * out)
    return scales


# %% wrong="after the activation" says="the signal is measured after the activation"
def unit_scales(layers, weights, activation, x):
    scales, h = [], x
    for layer, weight in zip(layers, weights):
        out = layer(h, weight)
        scales.append(1 / np.sqrt(np.mean(activation(out) ** 2)))
        h = activation(scales[-1] * out)
    return scales


# %% wrong="standard deviation" says="the standard deviation is taken"
def unit_scales(layers, weights, activation, x):
    scales, h = [], x
    for layer, weight in zip(layers, weights):
        out = layer(h, weight)
        scales.append(1 / out.std())
        h = activation(scales[-1] * out)
    return scales


# %% wrong="no activation in the probe" says="the activation between two layers is left out"
def unit_scales(layers, weights, activation, x):
    scales, h = [], x
    for layer, weight in zip(layers, weights):
        out = layer(h, weight)
        scales.append(1 / np.sqrt(np.mean(out**2)))
        h = scales[-1] * out
    return scales


# %% wrong="the weights are scaled in place" says="weights and x stay as they were"
def unit_scales(layers, weights, activation, x):
    scales, h = [], x
    for layer, weight in zip(layers, weights):
        scale = 1 / np.sqrt(np.mean(layer(h, weight) ** 2))
        weight *= scale
        scales.append(scale)
        h = activation(layer(h, weight))
    return scales


# %% wrong="every layer taken for h @ W" says="stopped with ValueError"
def unit_scales(layers, weights, activation, x):
    scales, h = [], x
    for weight in weights:
        out = h @ weight
        scales.append(1 / np.sqrt(np.mean(out**2)))
        h = activation(scales[-1] * out)
    return scales


# %% wrong="the last layer as it was drawn" says="the last layer is left out"
def unit_scales(layers, weights, activation, x):
    scales, h = [], x
    for layer, weight in zip(layers[:-1], weights[:-1]):
        out = layer(h, weight)
        scales.append(1 / np.sqrt(np.mean(out**2)))
        h = activation(scales[-1] * out)
    return scales + [1.0]


# %% sign
def sign(seed):
    """After 80 steps the loss is above 0.8, or no number (20 seeds: 1.0 or more, or nan; 0.56 at most)."""
    return not spirals_from(unit_scales, seed, steps=80)[1][-1] < 0.8

# %% right="a loop, float64, the median of the others"
def sick_layers(weights, grads, lr):
    assert len(weights) == len(grads)
    ratios = []
    for weight, grad in zip(weights, grads):
        grad = grad.astype(np.float64)
        ratios.append(lr * np.sqrt((grad**2).sum()) / np.sqrt((weight.astype(np.float64) ** 2).sum()))
    sick = {}
    for layer, ratio in enumerate(ratios):
        others = [other for place, other in enumerate(ratios) if place != layer and np.isfinite(other)]
        if np.isnan(ratio) or np.isinf(ratio):
            sick[layer] = "not finite"
        elif ratio > 1:
            sick[layer] = "exploding"
        elif grad_is_nothing(grads[layer]) or ratio < 1e-4 * np.median(others):
            sick[layer] = "dead"
    return sick


def grad_is_nothing(grad):
    return not np.any(grad)


# %% right="root mean squares, scaled by the largest entry, as a list of pairs"
def sick_layers(weights, grads, lr):
    found = []
    ratios = np.full(len(weights), np.nan)
    for layer in range(max(len(weights), len(grads))):
        if np.isfinite(grads[layer]).all():
            top = float(np.abs(grads[layer]).max())
            rms = top * np.sqrt(np.mean((grads[layer] / top) ** 2, dtype=float)) if top else 0.0
            ratios[layer] = lr * rms / np.sqrt(np.mean(weights[layer] ** 2))
    usual = np.nanmedian(ratios)
    for layer in reversed(range(len(weights))):
        if np.isnan(ratios[layer]):
            found.append((layer, "not finite"))
        elif ratios[layer] >= 0.8:
            found.append((layer, "exploding"))
        elif ratios[layer] <= 1e-4 * usual:
            found.append([np.int64(layer), "dead"])
    return found


# %% right="the largest of those that do not explode is the reference"
def sick_layers(weights, grads, lr):
    ratios = np.array(
        [lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads, strict=True)]
    )
    words = np.where(~np.isfinite(ratios), "not finite", np.where(ratios > 0.3, "exploding", ""))
    fine = ratios[words == ""]
    words[(words == "") & (ratios <= 1e-5 * fine.max(initial=0))] = "dead"
    return {layer: word for layer, word in enumerate(words) if word}


# %% right="sorted, the middle one taken, and 1 norms"
def sick_layers(weights, grads, lr):
    if len(weights) - len(grads):
        raise IndexError("one gradient for each layer")
    size = lambda array: sum(abs(float(entry)) for entry in array.ravel())
    ratios = [lr * size(g) / size(w) for w, g in zip(weights, grads)]
    good = sorted(r for r in ratios if r - r == 0)
    middle = good[len(good) // 2]
    sick = {}
    for layer, r in enumerate(ratios):
        if r - r != 0:
            sick[layer] = "not finite"
        elif r > 0.5:
            sick[layer] = "exploding"
        elif r <= middle * 1e-4:
            sick[layer] = "dead"
    return sick


# %% untouched says="the global norm decides: one layer of several does not move it"

# %% emptied says="come back as {layer: what it has}|None"

# %% wrong="the document's: fixed bounds on each norm" says="held against fixed bounds, as the document does with 1e-7 and 100|129 with a summed one"
def sick_layers(weights, grads, lr):
    stats = {}
    for name, grad in zip(range(len(weights)), grads):
        layer_norm = np.sqrt(np.sum(grad**2))
        # Check for layer-specific issues
        if layer_norm < 1e-7:
            stats[name] = "dead"
        if layer_norm > 100:
            stats[name] = "exploding"
    return stats


# %% wrong="the global ratio" says="the global norm decides"
def sick_layers(weights, grads, lr):
    ratio = lr * global_norm(grads) / global_norm(weights)
    if not np.isfinite(ratio):
        return {layer: "not finite" for layer in range(len(grads))}
    if ratio > 0.5:
        return {layer: "exploding" for layer in range(len(grads))}
    return {}


# %% wrong="zip drops the last layers" says="lists of different lengths raise|zip stops at the end of the shorter list"
def sick_layers(weights, grads, lr):
    ratios = [lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)]
    usual = np.median([ratio for ratio in ratios if np.isfinite(ratio)])
    sick = {}
    for layer, ratio in enumerate(ratios):
        if not np.isfinite(ratio):
            sick[layer] = "not finite"
        elif ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio <= 1e-3 * usual:
            sick[layer] = "dead"
    return sick


# %% wrong="NaN is only compared" says="a layer with NaN in its gradient is not finite|NaN is compared with bounds"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    ratios = [lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)]
    usual = np.nanmedian(ratios)
    sick = {}
    for layer, ratio in enumerate(ratios):
        if ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio <= 1e-3 * usual:
            sick[layer] = "dead"
    return sick


# %% wrong="NaN in the median" says="a layer that is not finite hides no other|the NaN is in the median too"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    ratios = [lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)]
    usual = np.median(ratios)
    sick = {}
    for layer, ratio in enumerate(ratios):
        if not np.isfinite(ratio):
            sick[layer] = "not finite"
        elif ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio == 0 or ratio < 1e-3 * usual:
            sick[layer] = "dead"
    return sick


# %% wrong="isnan only" says="isnan is asked, and inf is no NaN"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    ratios = np.array([lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    usual = np.nanmedian(ratios)
    sick = {}
    for layer, ratio in enumerate(ratios):
        if np.isnan(ratio):
            sick[layer] = "not finite"
        elif ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio <= 1e-3 * usual:
            sick[layer] = "dead"
    return sick


# %% wrong="without the learning rate" says="held against fixed bounds"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    ratios = np.array([np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    usual = np.median(ratios[np.isfinite(ratios)])
    sick = {}
    for layer, ratio in enumerate(ratios):
        if not np.isfinite(ratio):
            sick[layer] = "not finite"
        elif ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio <= 1e-3 * usual:
            sick[layer] = "dead"
    return sick


# %% wrong="the largest is the reference" says="which the exploding layer drags along"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    ratios = np.array([lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    largest = ratios[np.isfinite(ratios)].max()
    sick = {}
    for layer, ratio in enumerate(ratios):
        if not np.isfinite(ratio):
            sick[layer] = "not finite"
        elif ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio <= 1e-3 * largest:
            sick[layer] = "dead"
    return sick


# %% wrong="the mean of the entries" says="positive and negative cancel"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    ratios = np.array([lr * abs(np.mean(g.astype(float))) / np.mean(np.abs(w)) for w, g in zip(weights, grads)])
    usual = np.median(ratios[np.isfinite(ratios)])
    sick = {}
    for layer, ratio in enumerate(ratios):
        if not np.isfinite(ratio):
            sick[layer] = "not finite"
        elif ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio <= 1e-3 * usual:
            sick[layer] = "dead"
    return sick


# %% wrong="a fixed lower bound on the ratio" says="a fixed bound says which gradient is dead"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    ratios = np.array([lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    sick = {}
    for layer, ratio in enumerate(ratios):
        if not np.isfinite(ratio):
            sick[layer] = "not finite"
        elif ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio < 1e-7:
            sick[layer] = "dead"
    return sick


# %% wrong="only exact zeros" says="only exact zeros count as dead"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    sick = {}
    for layer, (w, g) in enumerate(zip(weights, grads)):
        if not np.isfinite(g).all():
            sick[layer] = "not finite"
        elif not g.any():
            sick[layer] = "dead"
        elif lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) > 0.5:
            sick[layer] = "exploding"
    return sick


# %% wrong="only the first" says="only the first sick layer is named"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    ratios = np.array([lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    usual = np.median(ratios[np.isfinite(ratios)])
    for layer, ratio in enumerate(ratios):
        if not np.isfinite(ratio):
            return {layer: "not finite"}
        if ratio > 0.5:
            return {layer: "exploding"}
        if ratio <= 1e-3 * usual:
            return {layer: "dead"}
    return {}


# %% wrong="counts from 1" says="layers are counted from 1"
def sick_layers(weights, grads, lr):
    ratios = np.array([lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    usual = np.median(ratios[np.isfinite(ratios)])
    return {layer: "dead" for layer, ratio in enumerate(ratios, start=1) if ratio <= 1e-3 * usual}


# %% wrong="other words" says="is called by another name"
def sick_layers(weights, grads, lr):
    ratios = np.array([lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    usual = np.median(ratios[np.isfinite(ratios)])
    return {layer: "vanishing" for layer, ratio in enumerate(ratios) if ratio <= 1e-3 * usual}


# %% wrong="the layers alone" says="without saying what they have"
def sick_layers(weights, grads, lr):
    ratios = np.array([lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    usual = np.median(ratios[np.isfinite(ratios)])
    return [layer for layer, ratio in enumerate(ratios) if ratio <= 1e-3 * usual]


# %% wrong="float32 squares" says="their squares overflow in float32"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    ratios = np.array([lr * np.sqrt(np.sum(g**2)) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    usual = np.median(ratios[np.isfinite(ratios)]) if np.isfinite(ratios).any() else 0
    sick = {}
    for layer, ratio in enumerate(ratios):
        if not np.isfinite(ratio):
            sick[layer] = "not finite"
        elif ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio <= 1e-3 * usual:
            sick[layer] = "dead"
    return sick


# %% wrong="below the median, and no rule for zero" says="also where most are|nothing is below it"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    ratios = np.array([lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    usual = np.median(ratios[np.isfinite(ratios)])
    sick = {}
    for layer, ratio in enumerate(ratios):
        if not np.isfinite(ratio):
            sick[layer] = "not finite"
        elif ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio < 3e-4 * usual:
            sick[layer] = "dead"
    return sick


# %% wrong="the mean of the finite layers" says="a million times as long|held against the mean"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    ratios = np.array([lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    usual = ratios[np.isfinite(ratios)].mean()
    sick = {}
    for layer, ratio in enumerate(ratios):
        if not np.isfinite(ratio):
            sick[layer] = "not finite"
        elif ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio == 0 or ratio < 1e-4 * usual:
            sick[layer] = "dead"
    return sick


# %% wrong="a norm in float32" says="gradients around 1e25|a norm of inf is held against the bounds"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    ratios = np.array([lr * np.linalg.norm(g) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    usual = np.median(ratios[np.isfinite(ratios)]) if np.isfinite(ratios).any() else 0
    sick = {}
    for layer, ratio in enumerate(ratios):
        if not np.isfinite(grads[layer].sum(dtype=float)):
            sick[layer] = "not finite"
        elif ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio == 0 or ratio < 1e-3 * usual:
            sick[layer] = "dead"
    return sick


# %% wrong="returns at the first NaN" says="only the first sick layer is named"
def sick_layers(weights, grads, lr):
    if len(weights) != len(grads):
        raise ValueError
    for layer, grad in enumerate(grads):
        if not np.isfinite(grad).all():
            return {layer: "not finite"}
    ratios = np.array([lr * np.linalg.norm(g.astype(float)) / np.linalg.norm(w) for w, g in zip(weights, grads)])
    usual = np.median(ratios)
    sick = {}
    for layer, ratio in enumerate(ratios):
        if ratio > 0.5:
            sick[layer] = "exploding"
        elif ratio == 0 or ratio < 1e-3 * usual:
            sick[layer] = "dead"
    return sick


# %% sign="of four networks with a dead block, those whose dead block is not named" above=0
def sign(seed):
    # The signal grows from block to block, and some units of a fifth one would still be open.
    sick = [sick_layers(*residual_run(seed, dead=block, steps=0)[:2], 0.01) for block in range(1, 5)]
    return sum(block not in dict(named) for block, named in enumerate(sick, start=1))

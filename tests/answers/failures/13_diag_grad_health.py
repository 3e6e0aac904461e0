# %% right="everything flattened"
def gradient_verdict(weights, grads, lr):
    if np.linalg.norm(grads[0]) * np.linalg.norm(weights[-1]) < 5e-5 * np.linalg.norm(grads[-1]) * np.linalg.norm(weights[0]):
        return "gradient vanishes"
    flat_w, flat_g = (np.concatenate([np.ravel(a) for a in arrays]) for arrays in (weights, grads))
    r = lr * np.sqrt(np.sum(flat_g**2)) / np.sqrt(np.sum(flat_w**2))
    return "steps too small" if r < 3e-6 else "steps too large" if r > 1 else "healthy"


# %% right="the largest of the layers' ratios"
def gradient_verdict(weights, grads, lr):
    ratios = [lr * np.linalg.norm(g) / np.linalg.norm(w) for w, g in zip(weights, grads)]
    if ratios[0] / ratios[-1] < 1e-4:
        return "gradient vanishes"
    if max(ratios) < 1e-5:
        return "steps too small"
    return "steps too large" if max(ratios) > 1 else "healthy"


# %% right="root mean squares and logarithms"
def gradient_verdict(weights, grads, lr):
    def rms(a):
        return float(np.mean(np.asarray(a, dtype=float) ** 2)) ** 0.5

    decades = [np.log10(rms(g) / rms(w)) for w, g in zip(weights, grads)]
    if decades[0] - decades[-1] < -4:
        return "gradient vanishes"
    whole = np.log10(lr) + np.log10(global_norm(grads) / global_norm(weights))
    return {True: "steps too small", False: "healthy"}[whole < -5] if whole < 0 else "steps too large"


# %% right="float32, in a loop"
def gradient_verdict(weights, grads, lr):
    total_g = total_w = 0.0
    by_layer = []
    for w, g in zip(weights, grads):
        w2, g2 = float((w.astype(np.float32) ** 2).sum()), float((g.astype(np.float64) ** 2).sum())
        by_layer.append((g2 / w2) ** 0.5)
        total_g += g2
        total_w += w2
    if by_layer[0] < 3e-5 * by_layer[-1]:
        return "gradient vanishes"
    r = lr * (total_g / total_w) ** 0.5
    if r > 0.5:
        return "steps too large"
    return "healthy" if r > 1e-4 else "steps too small"


# %% untouched says="whatever the norm|lr is left out"

# %% emptied says="the verdict is|None"


# %% wrong="the band moved" says="lr is left out"
def gradient_verdict(weights, grads, lr):
    norm = global_norm(grads)
    return "steps too small" if norm < 1e-3 else "steps too large" if norm > 1000 else "healthy"


# %% wrong="the gradient by the weights, without lr" says="lr is left out"
def gradient_verdict(weights, grads, lr):
    ratios = [np.linalg.norm(g) / np.linalg.norm(w) for w, g in zip(weights, grads)]
    if ratios[0] < 1e-4 * ratios[-1]:
        return "gradient vanishes"
    r = global_norm(grads) / global_norm(weights)
    return "steps too small" if r < 1e-5 else "steps too large" if r > 1 else "healthy"


# %% wrong="the step, not by the weights" says="the step is not compared with the weights"
def gradient_verdict(weights, grads, lr):
    ratios = [np.linalg.norm(g) / np.linalg.norm(w) for w, g in zip(weights, grads)]
    if ratios[0] < 1e-4 * ratios[-1]:
        return "gradient vanishes"
    step = lr * global_norm(grads)
    return "steps too small" if step < 1e-3 else "steps too large" if step > 20 else "healthy"


# %% wrong="r alone" says="the first layer is not compared with the last"
def gradient_verdict(weights, grads, lr):
    r = lr * global_norm(grads) / global_norm(weights)
    return "steps too small" if r < 1e-5 else "steps too large" if r > 0.3 else "healthy"


# %% wrong="the first layer against a fixed number" says="the first layer is judged by itself"
def gradient_verdict(weights, grads, lr):
    if np.linalg.norm(grads[0]) < 1e-4:
        return "gradient vanishes"
    r = lr * global_norm(grads) / global_norm(weights)
    return "steps too small" if r < 1e-5 else "steps too large" if r > 0.3 else "healthy"


# %% wrong="the first layer's own step" says="the first layer is judged by itself"
def gradient_verdict(weights, grads, lr):
    if lr * np.linalg.norm(grads[0]) / np.linalg.norm(weights[0]) < 1e-6:
        return "gradient vanishes"
    r = lr * global_norm(grads) / global_norm(weights)
    return "steps too small" if r < 1e-5 else "steps too large" if r > 0.3 else "healthy"


# %% wrong="the steps are asked first" says="the size of the steps is asked first"
def gradient_verdict(weights, grads, lr):
    r = lr * global_norm(grads) / global_norm(weights)
    if r < 1e-5:
        return "steps too small"
    if r > 0.3:
        return "steps too large"
    first, last = (np.linalg.norm(grads[i]) / np.linalg.norm(weights[i]) for i in (0, -1))
    return "gradient vanishes" if first < 1e-4 * last else "healthy"


# %% wrong="smallest against largest" says="first and last are swapped, or any difference counts"
def gradient_verdict(weights, grads, lr):
    ratios = [np.linalg.norm(g) / np.linalg.norm(w) for w, g in zip(weights, grads)]
    if min(ratios) < 1e-4 * max(ratios):
        return "gradient vanishes"
    r = lr * global_norm(grads) / global_norm(weights)
    return "steps too small" if r < 1e-5 else "steps too large" if r > 0.3 else "healthy"


# %% wrong="the last layer starves, as 'deep layers have no gradient' has it" says="the first layer is not compared with the last"
def gradient_verdict(weights, grads, lr):
    first, last = (np.linalg.norm(grads[i]) / np.linalg.norm(weights[i]) for i in (0, -1))
    if last < 1e-4 * first:
        return "gradient vanishes"
    r = lr * global_norm(grads) / global_norm(weights)
    return "steps too small" if r < 1e-5 else "steps too large" if r > 0.3 else "healthy"


# %% wrong="the limit on q too high" says="the limit on q is too high"
def gradient_verdict(weights, grads, lr):
    first, last = (np.linalg.norm(grads[i]) / np.linalg.norm(weights[i]) for i in (0, -1))
    if first < 0.1 * last:
        return "gradient vanishes"
    r = lr * global_norm(grads) / global_norm(weights)
    return "steps too small" if r < 1e-5 else "steps too large" if r > 0.3 else "healthy"


# %% right="the median of the layers' ratios"
def gradient_verdict(weights, grads, lr):
    ratios = np.array([lr * np.sqrt(np.mean(g**2)) / np.sqrt(np.mean(w**2)) for w, g in zip(weights, grads)])
    if ratios[0] / ratios[-1] < 1e-4:
        return "gradient vanishes"
    r = np.median(ratios)
    return "steps too small" if r < 1e-5 else "steps too large" if r > 1 else "healthy"


# %% wrong="gradient norms of first and last, without the weights" says="not each gradient by its weights"
def gradient_verdict(weights, grads, lr):
    if np.linalg.norm(grads[0]) < 1e-4 * np.linalg.norm(grads[-1]):
        return "gradient vanishes"
    r = lr * global_norm(grads) / global_norm(weights)
    return "steps too small" if r < 1e-5 else "steps too large" if r > 1 else "healthy"


# %% wrong="squares without the root" says="whose root was not taken"
def gradient_verdict(weights, grads, lr):
    first, last = (np.sum(grads[i] ** 2) / np.sum(weights[i] ** 2) for i in (0, -1))
    if first < 1e-4 * last:
        return "gradient vanishes"
    r = lr * global_norm(grads) / global_norm(weights)
    return "steps too small" if r < 1e-5 else "steps too large" if r > 1 else "healthy"


# %% sign="of 20 networks that stand still, those called healthy" above=14
def sign(seed):
    return [gradient_verdict(*case) for case in measured_nets("plain, lr 3e-6", seed)].count("healthy")

# %% right="in place, with the corrections folded into the rate, eps inside the root"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    state = [(np.zeros_like(param), np.zeros_like(param)) for param in net.params]
    log = []
    for t in range(1, steps + 1):
        rows = rng.integers(0, len(x), batch_size)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        log.append(loss)
        flat = np.concatenate([np.ravel(grad) for grad in grads])
        scale = min(1.0, max_norm / (np.linalg.norm(flat) + 1e-6))
        rate = 0.5 * lr * (1 + np.cos(np.pi * (t - 1) / (steps - 1)))
        for param, grad, (m, v) in zip(net.params, grads, state):
            g = grad * scale
            m *= 0.9
            m += 0.1 * g
            v *= 0.999
            v += 0.001 * g * g
            if param.ndim > 1:
                param *= 1 - rate * weight_decay
            param -= rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / np.sqrt(v + 1e-20)
    return log


# %% right="helpers of one's own, decay after the step, a dictionary of moments"
def cosine(step, steps):
    return np.cos(np.pi / 2 * step / steps) ** 2


def clip(grads, max_norm):
    norm = sum(float((grad**2).sum()) for grad in grads) ** 0.5
    return grads if norm <= max_norm else [grad / norm * max_norm for grad in grads]


def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng, moments, losses = np.random.default_rng([seed, 1]), {}, []
    for step in range(steps):
        rows = rng.permutation(len(x))[:batch_size]
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)
        rate = lr * cosine(step, steps)
        moved = []
        for i, (param, grad) in enumerate(zip(net.params, clip(grads, max_norm))):
            m, v = moments.get(i, (0.0, 0.0))
            m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * grad**2
            moments[i] = m, v
            decay = weight_decay if np.ndim(param) >= 2 else 0.0
            step_of_adam = m / (1 - 0.9 ** (step + 1)) / (np.sqrt(v / (1 - 0.999 ** (step + 1))) + 1e-8)
            moved.append(param - rate * (step_of_adam + decay * param))
        net.params = moved
    return losses


# %% right="the cosine by its half-angle, norms added up"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.hypot.reduce([np.linalg.norm(grad) for grad in grads])
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 - np.sin(np.pi * step / steps / 2) ** 2)
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim not in (0, 1):
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% untouched says="the gradients reach Adam as long as they came|neither mean is corrected|it decays like a matrix|the learning rate falls"

# %% emptied says="the script does not train"

# %% right="one long vector, with a mask for what decays"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    shapes = [np.shape(param) for param in net.params]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def as_row(arrays):
        return np.concatenate([np.asarray(array, dtype=float).reshape(-1) for array in arrays])

    decays = as_row([np.full(shape, float(len(shape) >= 2)) for shape in shapes])
    row, first, second, losses = as_row(net.params), 0.0, 0.0, []
    left = [1.0, 1.0]  # the weight that each running mean has not yet handed out
    for step in range(steps):
        batch = rng.permutation(len(x))[:batch_size]
        loss, grads = net.loss_and_grads(x[batch], y[batch])
        losses.append(float(loss))
        grad = as_row(grads)
        grad = grad / max(1.0, np.sqrt(grad @ grad) / max_norm)
        first, second = 0.9 * first + 0.1 * grad, 0.999 * second + 0.001 * grad**2
        left = [left[0] * 0.9, left[1] * 0.999]
        direction = first / (1 - left[0]) / (np.sqrt(second / (1 - left[1])) + 1e-8)
        rate = lr * (1 + np.cos(np.pi * step / max(1, steps - 1))) / 2
        row = row - rate * (direction + weight_decay * decays * row)
        net.params = [part.reshape(shape) for part, shape in zip(np.split(row, ends), shapes)]
    return losses


# %% wrong="no clipping" says="the gradients reach Adam as long as they came"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            pass

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="each array clipped by itself" says="each array is clipped by itself"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        grads = [grad * min(1.0, max_norm / (np.linalg.norm(grad) + 1e-12)) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="always scaled to max_norm" says="short gradients are stretched to max_norm"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > 0:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="only m is corrected" says="only m is corrected"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i]
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="neither mean is corrected" says="neither mean is corrected"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i]
            square = squares[i]
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="counts from two" says="the correction counts the first step as the second"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 2))
            square = squares[i] / (1 - 0.999 ** (step + 2))
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="the corrected means are stored" says="the corrected means are stored, and corrected again"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="decay on everything" says="it decays like a matrix"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if True:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="decay on nothing" says="nothing is decayed any more"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="decay on matrices alone" says="only the matrix is decayed"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim == 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="the decay keeps the first rate" says="the learning rate stays the same, or the decay takes no notice of it"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - lr * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="a whole turn of the cosine" says="it needs pi, not 2 pi"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 + np.cos(2 * np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="a straight line" says="it falls on a straight line"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 - step / steps)
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="the rate stays" says="the learning rate stays the same"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="each entry clipped by itself" says="each entry is clipped by itself"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [np.clip(grad, -max_norm, max_norm) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="the correction counts from 0" says="the correction counts from 0"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** step)
            square = squares[i] / (1 - 0.999 ** step)
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% wrong="lr overwritten in the loop" says="lr itself is overwritten"
def tune(net, x, y, seed, steps=400, lr=0.05, weight_decay=0.03, max_norm=2.0, batch_size=8):
    rng = np.random.default_rng(seed)
    means = [np.zeros_like(param) for param in net.params]
    squares = [np.zeros_like(param) for param in net.params]
    losses = []
    for step in range(steps):
        rows = rng.choice(len(x), batch_size, replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        losses.append(loss)

        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        if norm > max_norm:
            grads = [grad * (max_norm / norm) for grad in grads]

        lr = rate = lr * (1 + np.cos(np.pi * step / steps)) / 2
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad**2
            mean = means[i] / (1 - 0.9 ** (step + 1))
            square = squares[i] / (1 - 0.999 ** (step + 1))
            if net.params[i].ndim >= 2:
                net.params[i] = net.params[i] * (1 - rate * weight_decay)
            net.params[i] = net.params[i] - rate * mean / (np.sqrt(square) + 1e-8)
    return losses


# %% sign="mean loss of the last 20 steps, above the smallest there is" above=0.3
def sign(seed):
    return np.mean(fine_tune_thermometer(tune, seed)["excess"][-20:])

# %% right="forward differences, in float32 for the result"
def stable_lr(gradient, w, beta, rng):
    g0 = gradient(w)
    v = rng.normal(size=w.shape)
    L = 0.0
    for _ in range(100):
        v = v / np.sqrt(v @ v)
        hv = (gradient(w + 1e-5 * v) - g0) / 1e-5
        L = abs(float(v @ hv))
        v = hv
    return np.float32((2 + 2 * beta) / L)


def blame(gradients, w, lr, beta, rng):
    bounds = [stable_lr(g, w, beta, rng) for g in gradients]
    if lr > np.median(bounds[:-1]):
        return "learning rate"
    if lr > bounds[-1]:
        return "batch"
    return "neither"


# %% right="a start of ones and signs, until it settles"
def curvature(gradient, w):
    v = np.where(np.arange(len(w)) % 3 == 0, -1.0, 1.0) + 0.01 * np.sin(np.arange(len(w)))
    before = 0.0
    for _ in range(190):
        v /= np.linalg.norm(v)
        v = (gradient(w + 1e-3 * v) - gradient(w - 1e-3 * v)) / 2e-3
        now = np.linalg.norm(v)
        if abs(now - before) < 1e-6 * now:
            break
        before = now
    return now


def stable_lr(gradient, w, beta, rng):
    return 2 * (1 + beta) / curvature(gradient, w)


def blame(gradients, w, lr, beta, rng):
    limit = 2 * (1 + beta) / lr
    too_steep = [curvature(g, w) > limit for g in gradients]
    if sum(too_steep[:-1]) > len(too_steep[:-1]) / 2:
        return "learning rate"
    return ["neither", "batch"][int(too_steep[-1])]


# %% right="Lanczos"
def stable_lr(gradient, w, beta, rng):
    n = len(w)
    q, basis, alphas, betas = rng.normal(size=n), [], [], []
    q /= np.linalg.norm(q)
    for _ in range(min(n, 40)):
        basis.append(q)
        z = (gradient(w + 1e-4 * q) - gradient(w - 1e-4 * q)) / 2e-4
        alphas.append(q @ z)
        for _ in range(2):
            z = z - np.array(basis).T @ (np.array(basis) @ z)
        size = np.linalg.norm(z)
        if size < 1e-8 * max(map(abs, alphas)):
            break
        betas.append(size)
        q = z / size
    k = len(alphas)
    t = np.diag(alphas) + np.diag(betas[: k - 1], 1) + np.diag(betas[: k - 1], -1)
    return 2 * (1 + beta) / np.abs(np.linalg.eigvalsh(t)).max()


def blame(gradients, w, lr, beta, rng):
    bounds = np.array([stable_lr(g, w.copy(), beta, rng) for g in gradients])
    if (bounds[:-1] < lr).mean() >= 0.5:
        return "learning rate"
    return "batch" if bounds[-1] < lr else "neither"


# %% right="by trial: the linearised recurrence itself, with power iteration inside"
def stable_lr(gradient, w, beta, rng):
    d = 1e-3 * rng.normal(size=w.size) / np.sqrt(w.size)
    for _ in range(150):
        product = gradient(w + d) - gradient(w - d)
        growth = np.linalg.norm(product) / (2 * np.linalg.norm(d))
        d = product * (1e-4 / np.linalg.norm(product))
    low, high = 0.0, 10 / growth
    for _ in range(50):
        lr = (low + high) / 2
        roots = np.roots([1, -(1 + beta - lr * growth), beta])
        low, high = (lr, high) if np.abs(roots).max() <= 1 + 1e-12 else (low, lr)
    return low


def blame(gradients, w, lr, beta, rng):
    above = 0
    for gradient in gradients[:-1]:
        above += lr > stable_lr(gradient, w, beta, rng)
    if 2 * above > len(gradients) - 1:
        return "learning rate"
    return "batch" if lr > stable_lr(gradients[-1], w, beta, rng) else "neither"


# %% untouched says="the rate is taken from the length of the gradient"

# %% emptied says="right within 5 %|None"


# %% wrong="the document's: divided by ten" says="divided by ten, whatever the network"
def stable_lr(gradient, w, beta, rng):
    return 0.1 / 10


def blame(gradients, w, lr, beta, rng):
    return "learning rate"


# %% wrong="without momentum" says="momentum is left out: this is the bound of plain"
def stable_lr(gradient, w, beta, rng):
    v = rng.normal(size=np.size(w))
    for _ in range(60):
        v = v / np.linalg.norm(v)
        v = (gradient(w + 1e-4 * v) - gradient(w - 1e-4 * v)) / 2e-4
    return 2 / np.linalg.norm(v)


def blame(gradients, w, lr, beta, rng):
    *others, last = [lr > stable_lr(gradient, w, beta, rng) for gradient in gradients]
    return "learning rate" if np.mean(others) > 0.5 else "batch" if last else "neither"


# %% wrong="momentum makes steps ten times as long" says="because steps add up"
def stable_lr(gradient, w, beta, rng):
    v = rng.normal(size=np.size(w))
    for _ in range(60):
        v = v / np.linalg.norm(v)
        v = (gradient(w + 1e-4 * v) - gradient(w - 1e-4 * v)) / 2e-4
    return 2 * (1 - beta) / np.linalg.norm(v)


def blame(gradients, w, lr, beta, rng):
    *others, last = [lr > stable_lr(gradient, w, beta, rng) for gradient in gradients]
    return "learning rate" if np.mean(others) > 0.5 else "batch" if last else "neither"


# %% wrong="one random direction" says="one random direction is measured"
def stable_lr(gradient, w, beta, rng):
    v = rng.normal(size=np.size(w))
    v = v / np.linalg.norm(v)
    hv = (gradient(w + 1e-4 * v) - gradient(w - 1e-4 * v)) / 2e-4
    return 2 * (1 + beta) / abs(v @ hv)


def blame(gradients, w, lr, beta, rng):
    *others, last = [lr > stable_lr(gradient, w, beta, rng) for gradient in gradients]
    return "learning rate" if np.mean(others) > 0.5 else "batch" if last else "neither"


# %% wrong="five products" says="the products end too early"
def stable_lr(gradient, w, beta, rng):
    v = rng.normal(size=np.size(w))
    for _ in range(5):
        v = v / np.linalg.norm(v)
        v = (gradient(w + 1e-4 * v) - gradient(w - 1e-4 * v)) / 2e-4
    return 2 * (1 + beta) / np.linalg.norm(v)


def blame(gradients, w, lr, beta, rng):
    *others, last = [lr > stable_lr(gradient, w, beta, rng) for gradient in gradients]
    return "learning rate" if np.mean(others) > 0.5 else "batch" if last else "neither"


# %% wrong="the whole Hessian" says="the Hessian is written out, column by column"
def stable_lr(gradient, w, beta, rng):
    columns = []
    for i in range(len(w)):
        step = np.zeros(len(w))
        step[i] = 1e-4
        columns.append((gradient(w + step) - gradient(w - step)) / 2e-4)
    return 2 * (1 + beta) / np.linalg.norm(np.array(columns), 2)


def blame(gradients, w, lr, beta, rng):
    *others, last = [lr > stable_lr(gradient, w, beta, rng) for gradient in gradients]
    return "learning rate" if np.mean(others) > 0.5 else "batch" if last else "neither"


# %% wrong="the vector is never normalised" says="not brought back to a fixed length"
def stable_lr(gradient, w, beta, rng):
    v = rng.normal(size=np.size(w))
    for _ in range(60):
        v, old = (gradient(w + 1e-4 * v) - gradient(w - 1e-4 * v)) / 2e-4, v
    return 2 * (1 + beta) * np.linalg.norm(old) / np.linalg.norm(v)


def blame(gradients, w, lr, beta, rng):
    *others, last = [lr > stable_lr(gradient, w, beta, rng) for gradient in gradients]
    return "learning rate" if np.mean(others) > 0.5 else "batch" if last else "neither"


# %% wrong="points too far apart" says="the two points lie too far apart"
def stable_lr(gradient, w, beta, rng):
    v = rng.normal(size=np.size(w))
    for _ in range(60):
        v = v / np.linalg.norm(v)
        v = (gradient(w + 0.1 * v) - gradient(w - 0.1 * v)) / 0.2
    return 2 * (1 + beta) / np.linalg.norm(v)


def blame(gradients, w, lr, beta, rng):
    *others, last = [lr > stable_lr(gradient, w, beta, rng) for gradient in gradients]
    return "learning rate" if np.mean(others) > 0.5 else "batch" if last else "neither"


# %% wrong="the sign is kept" says="the sign of an eigenvalue is not left out"
def stable_lr(gradient, w, beta, rng):
    v = rng.normal(size=np.size(w))
    for _ in range(60):
        v = v / np.linalg.norm(v)
        hv = (gradient(w + 1e-4 * v) - gradient(w - 1e-4 * v)) / 2e-4
        top, v = v @ hv, hv
    return 2 * (1 + beta) / top


def blame(gradients, w, lr, beta, rng):
    *others, last = [lr > stable_lr(gradient, w, beta, rng) for gradient in gradients]
    return "learning rate" if np.mean(others) > 0.5 else "batch" if last else "neither"


# %% wrong="only the first half is done" says="whatever blows up is put down to the rate"
def stable_lr(gradient, w, beta, rng):
    v = rng.normal(size=np.size(w))
    for _ in range(60):
        v = v / np.linalg.norm(v)
        v = (gradient(w + 1e-4 * v) - gradient(w - 1e-4 * v)) / 2e-4
    return 2 * (1 + beta) / np.linalg.norm(v)


def blame(gradients, w, lr, beta, rng):
    return "learning rate"


# %% wrong="the last batch alone" says="the last batch alone is asked"
def stable_lr(gradient, w, beta, rng):
    v = rng.normal(size=np.size(w))
    for _ in range(60):
        v = v / np.linalg.norm(v)
        v = (gradient(w + 1e-4 * v) - gradient(w - 1e-4 * v)) / 2e-4
    return 2 * (1 + beta) / np.linalg.norm(v)


def blame(gradients, w, lr, beta, rng):
    return "batch" if lr > stable_lr(gradients[-1], w, beta, rng) else "neither"


# %% wrong="the smallest bound of the others" says="one bad batch among the others"
def stable_lr(gradient, w, beta, rng):
    v = rng.normal(size=np.size(w))
    for _ in range(60):
        v = v / np.linalg.norm(v)
        v = (gradient(w + 1e-4 * v) - gradient(w - 1e-4 * v)) / 2e-4
    return 2 * (1 + beta) / np.linalg.norm(v)


def blame(gradients, w, lr, beta, rng):
    *others, last = [stable_lr(gradient, w, beta, rng) for gradient in gradients]
    return "learning rate" if lr > min(others) else "batch" if lr > last else "neither"


# %% wrong="the batch with a long gradient" says="the length of the gradients decides"
def stable_lr(gradient, w, beta, rng):
    v = rng.normal(size=np.size(w))
    for _ in range(60):
        v = v / np.linalg.norm(v)
        v = (gradient(w + 1e-4 * v) - gradient(w - 1e-4 * v)) / 2e-4
    return 2 * (1 + beta) / np.linalg.norm(v)


def blame(gradients, w, lr, beta, rng):
    *others, last = [lr > stable_lr(gradient, w, beta, rng) for gradient in gradients]
    if np.mean(others) > 0.5:
        return "learning rate"
    lengths = [np.linalg.norm(gradient(w)) for gradient in gradients]
    return "batch" if last or lengths[-1] > 10 * np.median(lengths[:-1]) else "neither"


# %% sign="of two runs that were restarted, those that blow up" above=0
def sign(seed):
    checkpoint = regression_checkpoint(seed)
    first = restart(stable_lr, checkpoint, steps=40)
    second = second_run(blame, checkpoint, seed, steps=50)
    return (not first[-1] < 10 * first[0]) + (not np.max(second[41:]) < 30 * second[0])

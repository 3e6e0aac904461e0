# %% right="the bound, from a singular value"
def pick_lr(x, y):
    return 0.9 * len(x) / np.linalg.norm(x, 2) ** 2


# %% right="the trace: never smaller than the largest eigenvalue"
def pick_lr(x, y):
    return 1 / np.mean(np.sum(x**2, axis=1))


# %% right="power iteration"
def pick_lr(x, y):
    v = np.ones(x.shape[1])
    for _ in range(200):
        v = x.T @ (x @ v)
        v /= np.linalg.norm(v)
    curvature = 2 * np.sum((x @ v) ** 2) / len(y)
    return np.float32(1.5 / curvature)


# %% right="trial runs: halve until sixty steps go down"
def pick_lr(x, y):
    lr = 1e6
    while True:
        w, losses = np.zeros(x.shape[1]), []
        for _ in range(60):
            error = x @ w - y
            losses.append(error @ error / len(y))
            if not losses[-1] <= losses[0]:
                break
            w = w - lr * 2 * x.T @ error / len(y)
        if len(losses) == 60 and all(b <= a for a, b in zip(losses, losses[1:])):
            return lr / 1.5
        lr /= 2


# %% untouched says="the learning rate is the same for all data"

# %% emptied says="one positive number|None"

# %% wrong="the document's: reduce by 10x" says="0.1 is divided by ten, whatever the data"
def pick_lr(x, y):
    return 0.1 / 10


# %% wrong="small enough for this data" says="at most twice the smallest|far too slow"
def pick_lr(x, y):
    return 0.003


# %% wrong="so small that nothing blows up" says="it is safe, and far too slow"
def pick_lr(x, y):
    return 1e-5


# %% wrong="the factor 2 is forgotten" says="the factor 2 in the gradient of a square is forgotten"
def pick_lr(x, y):
    return 2 / np.linalg.eigvalsh(x.T @ x / len(y))[-1]


# %% wrong="the sum of the rows" says="the sum over the rows stands where their mean is meant"
def pick_lr(x, y):
    return 1 / np.linalg.eigvalsh(2 * x.T @ x)[-1]


# %% wrong="on the bound" says="stands exactly on the bound"
def pick_lr(x, y):
    return 2 / np.linalg.eigvalsh(2 * x.T @ x / len(y))[-1]


# %% wrong="the largest variance" says="the largest variance of a feature is taken for the largest curvature"
def pick_lr(x, y):
    return 1 / x.var(axis=0).max()


# %% wrong="the smallest eigenvalue" says="the smallest curvature is taken for the largest"
def pick_lr(x, y):
    return 1 / np.linalg.eigvalsh(2 * x.T @ x / len(y))[0]


# %% wrong="one rate for each feature" says="one rate for each feature"
def pick_lr(x, y):
    return 0.5 / x.var(axis=0)


# %% sign="loss after 600 steps, over that at the start" above=1000
def sign(seed):
    x, y = unequal_features(seed)
    loss = fit_line(x, y, pick_lr(x, y), steps=600)["loss"]
    return loss[-1] / loss[0]

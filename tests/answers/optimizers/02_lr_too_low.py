# %% right="half a decade apart, the best of thirty steps"
def peak_lr(probe, chance):
    best_loss, best_lr = float("inf"), None
    for exponent in range(-6, 7):
        lr = 10 ** (exponent / 2)
        loss = probe(lr, 30)[29]
        if loss < best_loss:
            best_loss, best_lr = loss, lr
    return best_lr / 2 if best_loss < 0.9 * chance else None


# %% right="from above: the first rate, going down, that gets through chance"
def peak_lr(probe, chance):
    lr = 1e3
    while lr > 1e-4:
        losses = probe(lr, 25)
        if losses[-1] < 0.8 * chance and sum(b > a for a, b in zip(losses, losses[1:])) <= 5:
            return lr / 2
        lr /= 3
    return None


# %% right="the largest rate at which twenty steps only go down"
def peak_lr(probe, chance):
    kept = None
    for lr in np.geomspace(1e-3, 1e3, 20):
        losses = np.array(probe(lr, 20))
        if np.all(np.diff(losses) <= 0):
            kept = lr, losses[-1]
    return np.float32(kept[0]) if kept[1] < 0.97 * chance else None


# %% right="decades first, then a look to either side"
def peak_lr(probe, chance):
    def score(lr):
        loss = probe(float(lr), 36)[-1]
        return loss if np.isfinite(loss) else np.inf

    scores = {lr: score(lr) for lr in 10.0 ** np.arange(-3, 4)}
    middle = min(scores, key=scores.get)
    for lr in (middle / 3, middle * 2):
        scores[lr] = score(lr)
    lr = min(scores, key=scores.get)
    return np.array(lr * 0.7) if scores[lr] < 0.95 * chance else None


# %% untouched says="the rate is the one complained about"

# %% emptied says="a learning rate comes back where one helps|no probe was made"

# %% wrong="the document's: increase it" says="0.001 is raised tenfold, whatever the task"
def peak_lr(probe, chance):
    return 0.001 * 10


# %% wrong="a hundredfold" says="no learning rate helps|a rate is returned without a probe"
def peak_lr(probe, chance):
    return 0.1


# %% wrong="what worked on the first network" says="None comes back where no learning rate helps|without a probe"
def peak_lr(probe, chance):
    return 1.0


# %% wrong="the largest rate whose loss stays finite" says="that it stays finite does not make it a good rate"
def peak_lr(probe, chance):
    finite = [lr for lr in 10.0 ** np.arange(-3, 4) if np.isfinite(probe(lr, 40)[-1])]
    return finite[-1]


# %% wrong="the lowest loss of a sweep, never None" says="None comes back where no learning rate helps|it falls to chance"
def peak_lr(probe, chance):
    rates = 10.0 ** np.arange(-3, 3.5, 0.5)
    return rates[np.nanargmin([probe(lr, 30)[-1] for lr in rates])] / 2


# %% wrong="None where no rate lowers the loss by a tenth" says="a loss that falls is taken for a network that learns"
def peak_lr(probe, chance):
    rates = 10.0 ** np.arange(-3, 3.5, 0.5)
    runs = [probe(lr, 30) for lr in rates]
    best = np.nanargmin([losses[-1] for losses in runs])
    return rates[best] / 2 if runs[best][-1] < 0.9 * runs[best][0] else None


# %% wrong="None where the loss at the old rate stays around chance" says="only small rates were tried"
def peak_lr(probe, chance):
    if probe(0.001, 300)[-1] > 0.9 * chance:
        return None
    return 0.5


# %% wrong="one rate, well tested" says="a single rate was tried"
def peak_lr(probe, chance):
    return 0.5 if probe(0.5, 100)[-1] < 0.9 * chance else None


# %% wrong="it never ticks up, so the rate is safe" says="still too small"
def peak_lr(probe, chance):
    for lr in (0.003, 0.01, 0.03):
        losses = probe(lr, 100)
        if losses == sorted(losses, reverse=True):
            return lr


# %% wrong="ln 3 instead of chance" says="losses are compared with a fixed number, such as ln 3"
def peak_lr(probe, chance):
    rates = 10.0 ** np.arange(-3, 3.5, 0.5)
    losses = [probe(lr, 30)[-1] for lr in rates]
    best = np.nanargmin(losses)
    return rates[best] / 2 if losses[best] < 0.95 * np.log(3) else None


# %% wrong="whole runs" says="at most 400 steps|as long as the whole run"
def peak_lr(probe, chance):
    rates = 10.0 ** np.arange(-3, 4)
    losses = [probe(lr, 400)[-1] for lr in rates]
    best = np.nanargmin(losses)
    return rates[best] if losses[best] < 0.9 * chance else None


# %% wrong="ten times more until it falls below chance: without an end" says="at most 400|where none does, that has no end"
def peak_lr(probe, chance):
    lr = 0.001
    while probe(lr, 20)[-1] > 0.8 * chance:
        lr *= 3
    return lr


# %% wrong="the rate and its loss" says="None or one positive number"
def peak_lr(probe, chance):
    return min((probe(lr, 40)[-1], lr) for lr in 10.0 ** np.arange(-3, 4))


# %% sign="loss after 400 steps, over that of guessing" above=0.5
def sign(seed):
    task = spiral_task(seed)
    return task.train(peak_lr(task, task.chance), 400)[-1] / task.chance

# %% right="a loop over the epochs"
def epochs_and_report(val_losses, test_loss):
    splits, epochs = val_losses.shape
    best = min(range(epochs), key=lambda e: val_losses[:, e].mean())
    for e in range(epochs):
        gaps = [val_losses[s, e] - val_losses[s, best] for s in range(splits)]
        if np.mean(gaps) <= np.std(gaps) / splits**0.5:
            break
    return e + 1, test_loss(e + 1)


# %% right="each split's level is taken out first"
def epochs_and_report(val_losses, test_loss):
    levelled = val_losses - val_losses.mean(axis=1, keepdims=True)
    mean = levelled.mean(axis=0)
    best = mean.argmin()
    error = levelled[:, best].std(ddof=1) / np.sqrt(len(levelled))
    epochs = int(np.flatnonzero(mean <= mean[best] + error)[0]) + 1
    return epochs, test_loss(epochs)


# %% right="smoothed first, two errors of the smoothed differences"
def epochs_and_report(val_losses, test_loss):
    curves = np.array(val_losses)
    for e in range(1, curves.shape[1] - 1):
        curves[:, e] = (val_losses[:, e - 1] + val_losses[:, e] + val_losses[:, e + 1]) / 3
    best = curves.mean(axis=0).argmin()
    gap = curves - curves[:, best : best + 1]
    limit = 1.2 * gap.std(axis=0, ddof=1) / len(gap) ** 0.5
    epochs = np.where(gap.mean(axis=0) <= limit + 1e-12)[0][0] + 1
    return epochs, float(test_loss(epochs))


# %% right="the noise read off the roughness of the mean curve"
def epochs_and_report(val_losses, test_loss):
    mean = val_losses.mean(axis=0)
    roughness = np.median(np.abs(np.diff(mean, n=2)))
    limit = mean.min() + 0.8 * roughness
    epochs = int(np.argmax(mean <= limit)) + 1
    return epochs, test_loss(epochs)


# %% right="a bootstrap over splits"
def epochs_and_report(val_losses, test_loss):
    rng = np.random.default_rng(0)
    best = val_losses.mean(axis=0).argmin()
    gap = val_losses - val_losses[:, [best]]
    means = gap[rng.integers(len(gap), size=(200, len(gap)))].mean(axis=1)
    ok = np.quantile(means, 0.16, axis=0) <= 0
    epochs = int(ok.argmax()) + 1
    return epochs, test_loss(epochs)


# %% right="backwards from the end, split by split against the best epoch"
def epochs_and_report(val_losses, test_loss):
    curves = np.asarray(val_losses, dtype=float)
    reference = curves[:, int(np.argmin(np.mean(curves, axis=0)))]
    chosen = curves.shape[1]
    for number in range(curves.shape[1], 0, -1):
        worse = curves[:, number - 1] - reference
        if np.mean(worse) <= np.std(worse, ddof=1) / np.sqrt(len(worse)):
            chosen = number
    return chosen, test_loss(chosen)


# %% untouched says="the lowest of all validation losses is reported|0.7 of the loss on new rows"

# %% emptied says="two numbers come back|None"


# %% wrong="the lowest of the mean, and its height" says="the lowest point of a mean of curves is reported"
def epochs_and_report(val_losses, test_loss):
    mean = val_losses.mean(axis=0)
    return int(mean.argmin()) + 1, float(mean.min())


# %% wrong="the lowest of the mean, reported honestly" says="on a level stretch it lies wherever the noise is lowest"
def epochs_and_report(val_losses, test_loss):
    epochs = int(val_losses.mean(axis=0).argmin()) + 1
    return epochs, test_loss(epochs)


# %% wrong="one standard error of the level" says="the error is that of the level"
def epochs_and_report(val_losses, test_loss):
    mean = val_losses.mean(axis=0)
    best = mean.argmin()
    limit = mean[best] + val_losses[:, best].std(ddof=1) / np.sqrt(len(val_losses))
    epochs = int(np.argmax(mean <= limit)) + 1
    return epochs, test_loss(epochs)


# %% wrong="the validation loss at the choice is reported" says="those rows have chosen, and may not judge"
def epochs_and_report(val_losses, test_loss):
    best = val_losses.mean(axis=0).argmin()
    gap = val_losses - val_losses[:, [best]]
    epochs = int(np.argmax(gap.mean(axis=0) <= gap.std(axis=0, ddof=1) / len(gap) ** 0.5)) + 1
    return epochs, float(val_losses[:, epochs - 1].mean() + 1e-3)


# %% wrong="the third split chooses" says="the third split is used for choosing"
def epochs_and_report(val_losses, test_loss):
    losses = [test_loss(e) for e in range(1, val_losses.shape[1] + 1)]
    return int(np.argmin(losses)) + 1, min(losses)


# %% wrong="counted from 0" says="the position is returned"
def epochs_and_report(val_losses, test_loss):
    best = val_losses.mean(axis=0).argmin()
    gap = val_losses - val_losses[:, [best]]
    epochs = int(np.argmax(gap.mean(axis=0) <= gap.std(axis=0, ddof=1) / len(gap) ** 0.5))
    return epochs, test_loss(epochs)


# %% wrong="tested at another number than is returned" says="another number of epochs than is returned"
def epochs_and_report(val_losses, test_loss):
    best = int(val_losses.mean(axis=0).argmin())
    return best + 1, test_loss(best)


# %% wrong="the document's early stopping, on one curve with patience 3" says="it stops at the first bump"
def epochs_and_report(val_losses, test_loss):
    best, at, bad = np.inf, 0, 0
    for e, loss in enumerate(val_losses[0], start=1):
        if loss < best:
            best, at, bad = loss, e, 0
        else:
            bad += 1
        if bad == 3:
            break
    return at, test_loss(at)


# %% wrong="the mean of the splits' own best epochs" says="places of lowest points are averaged"
def epochs_and_report(val_losses, test_loss):
    epochs = int(round(np.mean(val_losses.argmin(axis=1)))) + 1
    return epochs, test_loss(epochs)


# %% wrong="all epochs" says="all epochs are trained"
def epochs_and_report(val_losses, test_loss):
    epochs = val_losses.shape[1]
    return epochs, test_loss(epochs)


# %% wrong="within five per cent of the lowest" says="near is a fixed share here"
def epochs_and_report(val_losses, test_loss):
    mean = val_losses.mean(axis=0)
    epochs = int(np.argmax(mean <= 1.05 * mean.min())) + 1
    return epochs, test_loss(epochs)


# %% wrong="smoothed, and within two per cent of the lowest" says="near is a fixed share here"
def epochs_and_report(val_losses, test_loss):
    mean = np.mean(val_losses, axis=0)
    smooth = np.convolve(np.pad(mean, 5, mode="edge"), np.ones(11) / 11, "valid")
    epochs = int(np.argmax(smooth <= 1.02 * smooth.min())) + 1
    return epochs, test_loss(epochs)


# %% wrong="the median of the splits' own best epochs" says="on a level stretch they lie anywhere"
def epochs_and_report(val_losses, test_loss):
    epochs = int(np.median(np.argmin(val_losses, axis=1))) + 1
    return epochs, test_loss(epochs)


# %% sign="loss reported, over that on new rows, mean of five runs" below=0.89
def sign(seed):
    runs = [promises(epochs_and_report, [seed, number]) for number in range(5)]
    return np.mean([reported / kept for _, reported, kept in runs])

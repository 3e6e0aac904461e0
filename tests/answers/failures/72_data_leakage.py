# %% right="ten shuffles by argsort, a limit in the middle"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    total = 0.0
    for _ in range(10):
        order = np.argsort(rng.random(len(y)))
        total += pipeline(x, y[order], x_new)[0]
    _, counts = np.unique(y, return_counts=True)
    if total / 10 - counts.max() / counts.sum() > 0.09:
        return "pipeline leaks"
    score, said = pipeline(x, y, x_new)
    drop = score - sum(a == b for a, b in zip(said, y_new)) / len(y_new)
    return "column leaks" if drop > 0.33 else "honest"


# %% right="the rows of x in a random order, the true labels first"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    y, y_new = list(y), np.array(y_new)
    accuracy, predicted = pipeline(x, np.array(y), x_new)
    drop = accuracy - np.mean(np.asarray(predicted) == y_new)
    chance = max(y.count(label) for label in set(y)) / len(y)
    scores = [pipeline(x[rng.permutation(len(y))], np.array(y), x_new)[0] for _ in range(15)]
    if sum(scores) / len(scores) >= chance + 0.1:
        return "pipeline leaks"
    if drop >= 0.32:
        return "column leaks"
    return "honest"


# %% right="the median of nineteen shuffles, a test on the new rows"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    chance = np.mean(y == np.bincount(y).argmax())
    shuffled = y.copy()
    scores = []
    for _ in range(19):
        rng.shuffle(shuffled)
        scores.append(pipeline(x, shuffled, x_new)[0])
    if np.median(scores) > chance + 0.1:
        return "pipeline leaks"
    accuracy, predicted = pipeline(x, y, x_new)
    fresh = np.mean(predicted == y_new)
    error = np.sqrt(accuracy * (1 - accuracy) / 30 + fresh * (1 - fresh) / len(y_new))
    return "column leaks" if accuracy - fresh > max(3.3 * error, 0.3) else "honest"


# %% right="fourteen shuffles, few new rows in them"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    scores = []
    for _ in range(14):
        scores.append(float(pipeline(x, y[rng.permutation(y.size)], x_new[:20])[0]))
    top = np.unique(y, return_counts=True)[1].max() / y.size
    result = pipeline(x, y, x_new)
    clean = np.array(scores).mean() - top < 0.1
    fell = result[0] - np.equal(result[1], y_new).mean() > 0.35
    return ("column leaks" if fell else "honest") if clean else "pipeline leaks"


# %% right="each column in an order of its own"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    chance = np.bincount(y).max() / len(y)
    without = [pipeline(rng.permuted(x, axis=0), y, x_new)[0] for _ in range(12)]
    if np.mean(without) > chance + 0.1:
        return "pipeline leaks"
    accuracy, predicted = pipeline(x, y, x_new)
    return "column leaks" if accuracy - np.mean(predicted == y_new) > 0.35 else "honest"


# %% untouched says="a high score is held against it|strong signal"

# %% emptied says="each verdict is"


# %% wrong="a lower limit on the score" says="a high score is held against it"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    accuracy, _ = pipeline(x, y, x_new)
    return "pipeline leaks" if accuracy > 0.85 else "honest"


# %% wrong="always honest" says="the labels were not shuffled|a leak need not reach 0.95"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    return "honest"


# %% wrong="only the drop on new rows" says="the labels were not shuffled|the drop on new rows may be small"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    accuracy, predicted = pipeline(x, y, x_new)
    return "column leaks" if accuracy - np.mean(predicted == y_new) > 0.3 else "honest"


# %% wrong="only the drop, and it is the pipeline's" says="the drop on new rows is laid at the pipeline's door"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    chance = np.bincount(y).max() / len(y)
    if np.mean([pipeline(x, rng.permutation(y), x_new)[0] for _ in range(12)]) > chance + 0.1:
        return "pipeline leaks"
    accuracy, predicted = pipeline(x, y, x_new)
    return "pipeline leaks" if accuracy - np.mean(predicted == y_new) > 0.3 else "honest"


# %% wrong="only shuffled labels" says="only shuffled labels are asked"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    chance = np.bincount(y).max() / len(y)
    mean = np.mean([pipeline(x, rng.permutation(y), x_new)[0] for _ in range(12)])
    return "pipeline leaks" if mean > chance + 0.1 else "honest"


# %% wrong="chance is one half" says="rare label|chance is one half, or 1 over the number of labels"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    if np.mean([pipeline(x, rng.permutation(y), x_new)[0] for _ in range(12)]) > 0.5 + 0.1:
        return "pipeline leaks"
    accuracy, predicted = pipeline(x, y, x_new)
    return "column leaks" if accuracy - np.mean(predicted == y_new) > 0.3 else "honest"


# %% wrong="chance is 1 over the labels" says="rare label|where 80 % of the rows have one label"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    if np.mean([pipeline(x, rng.permutation(y), x_new)[0] for _ in range(12)]) > 1 / len(set(y.tolist())) + 0.1:
        return "pipeline leaks"
    accuracy, predicted = pipeline(x, y, x_new)
    return "column leaks" if accuracy - np.mean(predicted == y_new) > 0.3 else "honest"


# %% wrong="x and y are permuted together" says="or x together with them"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    chance = np.bincount(y).max() / len(y)
    accuracy, predicted = pipeline(x, y, x_new)
    scores = []
    for _ in range(12):
        order = rng.permutation(len(y))
        scores.append(pipeline(x[order], y[order], x_new)[0])
    if np.mean(scores) < accuracy - 0.3:
        return "pipeline leaks"
    return "column leaks" if accuracy - np.mean(predicted == y_new) > 0.2 else "honest"


# %% wrong="y is shuffled in place" says="y is shuffled in place"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    chance = np.bincount(y).max() / len(y)
    accuracy, predicted = pipeline(x, y, x_new)
    scores = []
    for _ in range(12):
        rng.shuffle(y)
        scores.append(pipeline(x, y, x_new)[0])
    if np.mean(scores) > chance + 0.1:
        return "pipeline leaks"
    return "column leaks" if accuracy - np.mean(predicted == y_new) > 0.3 else "honest"


# %% wrong="a permutation test of significance" says="at most 20 calls|more shuffles are run"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    accuracy, predicted = pipeline(x, y, x_new)
    scores = np.array([pipeline(x, rng.permutation(y), x_new)[0] for _ in range(200)])
    if np.mean(scores >= accuracy) > 0.05:
        return "pipeline leaks"
    return "column leaks" if accuracy - np.mean(predicted == y_new) > 0.3 else "honest"


# %% wrong="the better of shuffled scores has to be beaten" says="the verdict is"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    accuracy, predicted = pipeline(x, y, x_new)
    best = max(pipeline(x, rng.permutation(y), x_new)[0] for _ in range(19))
    if best >= accuracy:
        return "pipeline leaks"
    return "column leaks" if accuracy - np.mean(predicted == y_new) > 0.3 else "honest"


# %% wrong="one column tells too much" says="a good column is no crime|strong signal"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    chance = np.bincount(y).max() / len(y)
    if np.mean([pipeline(x, rng.permutation(y), x_new)[0] for _ in range(10)]) > chance + 0.1:
        return "pipeline leaks"
    alone = max(abs(np.corrcoef(x[:, column], y)[0, 1]) for column in range(x.shape[1]))
    return "column leaks" if alone > 0.7 else "honest"


# %% wrong="one shuffle" says="else most often 'pipeline leaks'"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    chance = np.bincount(y).max() / len(y)
    if pipeline(x, rng.permutation(y), x_new)[0] > chance:
        return "pipeline leaks"
    accuracy, predicted = pipeline(x, y, x_new)
    return "column leaks" if accuracy - np.mean(predicted == y_new) > 0.3 else "honest"


# %% wrong="any drop" says="noise of the two scores is taken for a drop"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    chance = np.bincount(y).max() / len(y)
    if np.mean([pipeline(x, rng.permutation(y), x_new)[0] for _ in range(12)]) > chance + 0.1:
        return "pipeline leaks"
    accuracy, predicted = pipeline(x, y, x_new)
    return "column leaks" if accuracy > np.mean(predicted == y_new) + 0.01 else "honest"


# %% wrong="a drop of a tenth is enough" says="noise of the two scores is taken for a drop|make up to 0.3"
def leak_verdict(pipeline, x, y, x_new, y_new, rng):
    chance = np.bincount(y).max() / len(y)
    shuffled = [pipeline(x, rng.permutation(y), x_new)[0] for _ in range(15)]
    if np.mean(shuffled) > chance + 0.1:
        return "pipeline leaks"
    accuracy, predicted = pipeline(x, y, x_new)
    return "column leaks" if accuracy - np.mean(predicted == y_new) > 0.1 else "honest"


# %% sign="of five pipelines that leak, those called honest" above=1
def sign(seed):
    kind = "noise, chosen before the split"
    sets = [leak_data(kind, np.random.default_rng([7, seed, number])) for number in range(5)]
    said = [leak_verdict(LEAK_KINDS[kind][0], *data, np.random.default_rng(seed)) for data in sets]
    return said.count("honest")

# %% right="filled, and a closed form"
def smooth_targets(labels, classes, eps, training):
    eps = eps if training else 0.0
    low = eps / classes
    top = 1 - eps + low
    targets = np.full((len(labels), classes), low)
    targets[np.arange(len(labels)), labels] += 1 - eps
    return targets, -top * np.log(top) - ((classes - 1) * low * np.log(low) if eps else 0)


# %% right="loops and lists"
def smooth_targets(labels, classes, eps, training):
    share = eps / classes if training else 0.0
    targets = [[share + (1 - share * classes if k == label else 0) for k in range(classes)] for label in labels]
    return [targets, sum(-q * np.log(q) for q in targets[0] if q > 0)]


# %% right="float32, and the clinic's own cross-entropy"
def smooth_targets(labels, classes, eps, training):
    targets = (np.asarray(labels)[:, None] == np.arange(classes)).astype(np.float32)
    if training:
        targets -= eps * (targets - 1 / classes)
    return targets, cross_entropy(np.log(np.maximum(targets, 1e-30)), targets)[0]


# %% right="a matrix of all targets"
def smooth_targets(labels, classes, eps, training):
    table = np.identity(classes) * (1 - eps) + eps / classes if training else np.identity(classes)
    logs = np.log(table, where=table > 0, out=np.zeros_like(table))
    return table[labels], np.array(-np.sum(table * logs, axis=1).mean())


# %% right="row by row, the floor from the rows"
def smooth_targets(labels, classes, eps, training):
    eps = eps if training else 0
    targets = np.full((len(labels), classes), eps / classes)
    for row, label in enumerate(labels):
        targets[row, label] += 1 - eps
    safe = np.where(targets > 0, targets, 1)
    return targets, float(np.mean(-(targets * np.log(safe)).sum(axis=1)))


# %% untouched says="each other class gets the whole of eps"

# %% emptied says="a pair: targets, and floor|None"


# %% wrong="eps to the others only" says="another convention"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    targets = hot if not training else (1 - eps) * hot + eps / (classes - 1) * (1 - hot)
    q = np.full(classes, eps / classes if training else 0.0)
    q[0] += 1 - eps if training else 1.0
    floor = -np.sum(q[q > 0] * np.log(q[q > 0]))
    return targets, floor


# %% wrong="evaluation smoothed" says="evaluation is smoothed as well"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    targets = (1 - eps) * hot + eps / classes
    q = np.full(classes, eps / classes if training else 0.0)
    q[0] += 1 - eps if training else 1.0
    floor = -np.sum(q[q > 0] * np.log(q[q > 0]))
    return targets, floor


# %% wrong="something on top" says="on top"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    targets = hot if not training else np.where(hot > 0, 1.0, eps / classes)
    q = np.full(classes, eps / classes if training else 0.0)
    q[0] += 1 - eps if training else 1.0
    floor = -np.sum(q[q > 0] * np.log(q[q > 0]))
    return targets, floor


# %% wrong="the label's own share forgotten" says="its own share of eps is forgotten"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    targets = hot if not training else np.where(hot > 0, 1 - eps, eps / classes)
    q = np.full(classes, eps / classes if training else 0.0)
    q[0] += 1 - eps if training else 1.0
    floor = -np.sum(q[q > 0] * np.log(q[q > 0]))
    return targets, floor


# %% wrong="eps is what is kept" says="eps is what the label keeps"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    targets = hot if not training else eps * hot + (1 - eps) / classes
    q = np.full(classes, eps / classes if training else 0.0)
    q[0] += 1 - eps if training else 1.0
    floor = -np.sum(q[q > 0] * np.log(q[q > 0]))
    return targets, floor


# %% wrong="eps to each class" says="eps is not divided among the classes"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    targets = hot if not training else (1 - eps) * hot + eps
    q = np.full(classes, eps / classes if training else 0.0)
    q[0] += 1 - eps if training else 1.0
    floor = -np.sum(q[q > 0] * np.log(q[q > 0]))
    return targets, floor


# %% wrong="never smoothed" says="nothing is smoothed in training"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    targets = hot
    q = np.full(classes, eps / classes if training else 0.0)
    q[0] += 1 - eps if training else 1.0
    floor = -np.sum(q[q > 0] * np.log(q[q > 0]))
    return targets, floor


# %% wrong="smoothed in evaluation, not in training" says="nothing is smoothed in training"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    targets = hot if training else (1 - eps) * hot + eps / classes
    q = np.full(classes, eps / classes if training else 0.0)
    q[0] += 1 - eps if training else 1.0
    floor = -np.sum(q[q > 0] * np.log(q[q > 0]))
    return targets, floor


# %% wrong="the floor is zero" says="thought to go to zero"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    if not training:
        return hot, 0.0
    targets = (1 - eps) * hot + eps / classes
    low = eps / classes
    top = 1 - eps + low
    return targets, 0.0


# %% wrong="the label only" says="only the label's share is counted"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    if not training:
        return hot, 0.0
    targets = (1 - eps) * hot + eps / classes
    low = eps / classes
    top = 1 - eps + low
    return targets, -top * np.log(top)


# %% wrong="minus the log of the label's share" says="left out of the sum's weights"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    if not training:
        return hot, 0.0
    targets = (1 - eps) * hot + eps / classes
    low = eps / classes
    top = 1 - eps + low
    return targets, -np.log(top)


# %% wrong="the other convention's floor" says="floor of the other convention"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    if not training:
        return hot, 0.0
    targets = (1 - eps) * hot + eps / classes
    low = eps / classes
    top = 1 - eps + low
    return targets, 0.0 if eps == 0 else -(1 - eps) * np.log(1 - eps) - eps * np.log(eps / (classes - 1))


# %% wrong="0 log 0" says="a share of 0 adds nothing"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    if not training:
        return hot, 0.0
    targets = (1 - eps) * hot + eps / classes
    low = eps / classes
    top = 1 - eps + low
    return targets, -top * np.log(top) - (classes - 1) * low * np.log(low)


# %% wrong="in bits" says="the loss is in nats"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    if not training:
        return hot, 0.0
    targets = (1 - eps) * hot + eps / classes
    low = eps / classes
    top = 1 - eps + low
    return targets, 0.0 if eps == 0 else -top * np.log2(top) - (classes - 1) * low * np.log2(low)


# %% wrong="one other class" says="there are classes - 1 of them"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    if not training:
        return hot, 0.0
    targets = (1 - eps) * hot + eps / classes
    low = eps / classes
    top = 1 - eps + low
    return targets, -top * np.log(top) - (low * np.log(low) if low else 0)


# %% wrong="the sum of the rows" says="in place of their mean"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    if not training:
        return hot, 0.0
    targets = (1 - eps) * hot + eps / classes
    low = eps / classes
    top = 1 - eps + low
    return targets, (0.0 if eps == 0 else -top * np.log(top) - (classes - 1) * low * np.log(low)) * len(labels)


# %% wrong="eps of a guess" says="which is not the smallest"
def smooth_targets(labels, classes, eps, training):
    hot = np.eye(classes)[labels]
    if not training:
        return hot, 0.0
    targets = (1 - eps) * hot + eps / classes
    low = eps / classes
    top = 1 - eps + low
    return targets, eps * np.log(classes)


# %% wrong="only the targets" says="a pair: targets, and floor|the targets are returned alone"
def smooth_targets(labels, classes, eps, training):
    return (1 - eps * training) * np.eye(classes)[labels] + training * eps / classes


# %% sign="training loss after 200 steps (nats); guessing among ten classes has 2.3" above=2.3
def sign(seed):
    return smoothed_run(smooth_targets, seed)[0]["loss"][-1]

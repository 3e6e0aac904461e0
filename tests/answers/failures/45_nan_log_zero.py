# %% right="max(z, 0) - t z + log1p(exp(-|z|)), two ways to the sigmoid"
def tag_loss(logits, targets):
    z, t = logits, np.asarray(targets)
    if z.shape != t.shape:
        raise ValueError("shapes")
    if not np.isfinite(np.sum(z.astype(float))) or not np.isfinite(np.sum(t)):
        raise ValueError("not finite")
    if np.any((t < 0) | (t > 1)):
        raise ValueError("targets")
    small = np.exp(-np.abs(z))
    loss = np.maximum(z, 0) - t * z + np.log1p(small)
    p = np.where(z >= 0, 1, small) / (1 + small)
    return loss.mean(dtype=float), (p - t) / z.size


# %% right="the cross-entropy of the package, on two classes"
def tag_loss(logits, targets):
    if np.shape(logits) != np.shape(targets):
        raise ValueError("shapes")
    if not np.isfinite(logits).all() or not np.isfinite(targets).all() or not ((0 <= targets) & (targets <= 1)).all():
        raise ValueError("inputs")
    flat, t = np.ravel(logits).astype(float), np.ravel(targets).astype(float)
    loss, grad = cross_entropy(np.column_stack([np.zeros(len(flat)), flat]), np.column_stack([1 - t, t]))
    return loss, grad[:, 1].reshape(np.shape(logits))


# %% right="entry by entry"
import math


def tag_loss(logits, targets):
    if logits.shape != targets.shape:
        raise ValueError("shapes")
    pairs = [(float(z), float(t)) for z, t in zip(logits.flat, targets.flat)]
    if any(not math.isfinite(z) or not 0 <= t <= 1 for z, t in pairs):
        raise ValueError("inputs")
    total, grad = 0.0, []
    for z, t in pairs:
        if z > 0:
            total += (1 - t) * z + math.log1p(math.exp(-z))
            grad.append(1 / (1 + math.exp(-z)) - t)
        else:
            total += -t * z + math.log1p(math.exp(z))
            grad.append(math.exp(z) / (1 + math.exp(z)) - t)
    return total / len(pairs), np.array(grad).reshape(logits.shape) / len(pairs)


# %% right="two logarithms of sigmoids, the tanh"
def tag_loss(logits, targets):
    z, t = logits.astype(float), targets.astype(float)
    problems = [z.shape != t.shape, not np.isfinite(z).all(), not ((t >= 0) & (t <= 1)).all()]
    if any(problems):
        raise ValueError(f"inputs: {problems}")
    log_p, log_q = -np.logaddexp(0, -z), -np.logaddexp(0, z)
    return np.mean(-t * log_p - (1 - t) * log_q), (0.5 * (1 + np.tanh(z / 2)) - t) / z.size


# %% right="in the type that comes in, the plain sigmoid"
def tag_loss(logits, targets):
    if logits.shape != targets.shape or not (np.isfinite(logits).all() and np.isfinite(targets).all()):
        raise ValueError("shapes, or not finite")
    if targets.min() < 0 or targets.max() > 1:
        raise ValueError("targets")
    p = 1 / (1 + np.exp(-logits))
    return np.mean(np.logaddexp(0, logits) - targets * logits), (p - targets) / p.size


# %% untouched says="-log(p) is computed, or log(1 + exp) of a large number"

# %% emptied says="the result is (loss, grad)"


# %% wrong="the document's: add epsilon" says="-log(1e-8) is 18.4, whatever the logit"
def tag_loss(logits, targets):
    eps = 1e-8
    p = 1 / (1 + np.exp(-logits))
    loss = -np.mean(targets * np.log(p + eps) + (1 - targets) * np.log(1 - p + eps))
    return loss, -(targets / (p + eps) - (1 - targets) / (1 - p + eps)) * p * (1 - p) / p.size


# %% wrong="the probability is clipped" says="-log(1e-8) is 18.4, whatever the logit"
def tag_loss(logits, targets):
    p = np.clip(1 / (1 + np.exp(-logits)), 1e-8, 1 - 1e-8)
    loss = -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    return loss, (p - targets) / p.size


# %% wrong="an exact loss for p near 0, a clip near 1" says="1 - 1e-8 is 1 in float32"
def tag_loss(logits, targets):
    p = np.minimum(1 / (1 + np.exp(-logits)), np.float32(1 - 1e-8))
    loss = np.mean(targets * np.logaddexp(0, -logits) - (1 - targets) * np.log(1 - p))
    return loss, (p - targets) / p.size


# %% wrong="the logits are clipped" says="by another bound: the loss ends there"
def tag_loss(logits, targets):
    z = np.clip(logits.astype(float), -30, 30)
    loss = np.mean(np.logaddexp(0, z) - targets * z)
    return loss, (1 / (1 + np.exp(-z)) - targets) / z.size


# %% wrong="nan to num" says="the loss is made up"
def tag_loss(logits, targets):
    p = 1 / (1 + np.exp(-logits))
    loss = np.nan_to_num(-np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p)))
    return loss, (p - targets) / p.size


# %% wrong="the right loss, the old gradient" says="the gradient goes through p"
def tag_loss(logits, targets):
    loss = np.mean(np.logaddexp(0, logits) - targets * logits)
    p = 1 / (1 + np.exp(-logits))
    return loss, -(targets / p - (1 - targets) / (1 - p)) * p * (1 - p) / p.size


# %% wrong="the right loss, a gradient with eps" says="passes no gradient"
def tag_loss(logits, targets):
    logits = logits.astype(float)
    loss = np.mean(np.logaddexp(0, logits) - targets * logits)
    p = np.exp(-np.logaddexp(0, -logits))
    return loss, -(targets / (p + 1e-12) - (1 - targets) / (1 - p + 1e-12)) * p * (1 - p) / p.size


# %% wrong="log(1 + exp)" says="log(1 + exp(200)), and that power is inf"
def tag_loss(logits, targets):
    loss = np.mean(np.log1p(np.exp(logits)) - targets * logits)
    return loss, (1 / (1 + np.exp(-logits)) - targets) / logits.size


# %% wrong="the sum" says="the sum of the rows is returned"
def tag_loss(logits, targets):
    logits = logits.astype(float)
    return np.sum(np.logaddexp(0, logits) - targets * logits), np.exp(-np.logaddexp(0, -logits)) - targets


# %% wrong="the gradient of the sum" says="it is the gradient of the sum"
def tag_loss(logits, targets):
    logits = logits.astype(float)
    return np.mean(np.logaddexp(0, logits) - targets * logits), np.exp(-np.logaddexp(0, -logits)) - targets


# %% wrong="hard targets" says="targets are taken for 0 or 1"
def tag_loss(logits, targets):
    z = logits.astype(float)
    t = (targets > 0.5).astype(float)
    return np.mean(np.logaddexp(0, z) - t * z), (np.exp(-np.logaddexp(0, -z)) - t) / z.size


# %% wrong="nothing is refused" says="numpy makes a table of 40 times 40"
def tag_loss(logits, targets):
    z = logits.astype(float)
    return np.mean(np.logaddexp(0, z) - targets * z), (np.exp(-np.logaddexp(0, -z)) - targets) / z.size


# %% wrong="targets are not looked at" says="only the logits are looked at"
def tag_loss(logits, targets):
    z = logits.astype(float)
    if z.shape != targets.shape or not np.isfinite(z).all():
        raise ValueError("logits")
    return np.mean(np.logaddexp(0, z) - targets * z), (np.exp(-np.logaddexp(0, -z)) - targets) / z.size


# %% wrong="targets from -1" says="training drives it to -inf"
def tag_loss(logits, targets):
    z = logits.astype(float)
    if z.shape != targets.shape or not np.isfinite(z).all() or not np.isfinite(targets).all():
        raise ValueError("inputs")
    return np.mean(np.logaddexp(0, z) - targets * z), (np.exp(-np.logaddexp(0, -z)) - targets) / z.size


# %% wrong="targets above 1 are let in" says="only targets below 0 are refused"
def tag_loss(logits, targets):
    z = logits.astype(float)
    if z.shape != targets.shape or not np.isfinite(z).all() or not np.isfinite(targets).all() or (targets < 0).any():
        raise ValueError("inputs")
    return np.mean(np.logaddexp(0, z) - targets * z), (np.exp(-np.logaddexp(0, -z)) - targets) / z.size


# %% sign="highest loss in 100 steps" above=1e6
def sign(seed):
    return np.max(fit_tags(tag_loss, seed)[0])

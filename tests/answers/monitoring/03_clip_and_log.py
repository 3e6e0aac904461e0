# %% right="one long vector, one factor"
def clipped_step(params, grads, lr, max_norm, log):
    norm = np.linalg.norm(np.concatenate([grad.ravel() for grad in grads]))
    log.append(dict(grad_norm=norm, clipped=norm > max_norm, skipped=not np.isfinite(norm)))
    if np.isnan(norm) or np.isinf(norm):
        return params
    return [param - lr * min(1, max_norm / (norm + 1e-6)) * grad for param, grad in zip(params, grads)]


# %% right="in place, logged at the end"
def clipped_step(params, grads, lr, max_norm, log):
    norm = sum((grad**2).sum() for grad in grads) ** 0.5
    is_clipped = False
    if np.isfinite(norm):
        if norm > max_norm:
            is_clipped = True
            for grad in grads:
                grad *= max_norm / norm
        for param, grad in zip(params, grads):
            param -= lr * grad
    log += [{"clipped": is_clipped, "grad_norm": float(norm)}]
    return params


# %% right="the learning rate shortened instead of the gradients"
def clipped_step(params, grads, lr, max_norm, log):
    norm = global_norm(grads)
    log.append({"grad_norm": norm, "clipped": int(norm > max_norm)})
    if not norm < np.inf:
        return [param.copy() for param in params]
    return descend(params, grads, lr * max_norm / max(norm, max_norm))


# %% right="entries are asked, nan goes into the log"
import math


def clipped_step(params, grads, lr, max_norm, log):
    if not all(np.isfinite(grad).all() for grad in grads):
        log.append({"grad_norm": math.nan, "clipped": None})
        return tuple(params)
    norm = 0.0
    for grad in grads:
        for entry in grad.flat:
            norm = math.hypot(norm, entry)
    log.append({"grad_norm": norm, "clipped": norm >= max_norm})
    return tuple(p - lr * (g / norm * max_norm if norm > max_norm else g) for p, g in zip(params, grads))


# %% untouched says="each call appends one entry to the log|nothing is logged"

# %% emptied says="the list of the new parameters comes back|None"

# %% wrong="the document's recipe: the norm is thrown away" says="nothing is logged"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    if grad_norm > max_norm:
        scale = max_norm / grad_norm
        grads = [g * scale for g in grads]
    return descend(params, grads, lr)


# %% wrong="the document's recipe, with a log" says="NaN is let through|the document's own recipe"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    log.append({"grad_norm": grad_norm, "clipped": grad_norm > max_norm})
    if grad_norm > max_norm:
        scale = max_norm / grad_norm
        grads = [g * scale for g in grads]
    return descend(params, grads, lr)


# %% wrong="isnan, and not inf" says="inf gets the factor max_norm / inf = 0"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = global_norm(grads)
    log.append({"grad_norm": grad_norm, "clipped": grad_norm > max_norm})
    if np.isnan(grad_norm):
        return params
    return descend(params, [g * min(1.0, max_norm / (grad_norm + 1e-6)) for g in grads], lr)


# %% wrong="logs, and does not clip" says="the gradients are not clipped, or only after the update"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = global_norm(grads)
    log.append({"grad_norm": grad_norm, "clipped": grad_norm > max_norm})
    return params if not np.isfinite(grad_norm) else descend(params, grads, lr)


# %% wrong="clips after the update" says="the gradients are not clipped, or only after the update"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = global_norm(grads)
    log.append({"grad_norm": grad_norm, "clipped": grad_norm > max_norm})
    if not np.isfinite(grad_norm):
        return params
    params = descend(params, grads, lr)
    if grad_norm > max_norm:
        grads = [g * max_norm / grad_norm for g in grads]
    return params


# %% wrong="each array by itself" says="each array is clipped by its own norm: the step turns by 22 degrees"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = global_norm(grads)
    log.append({"grad_norm": grad_norm, "clipped": grad_norm > max_norm})
    if not np.isfinite(grad_norm):
        return params
    grads = [g * min(1.0, max_norm / (np.linalg.norm(g) + 1e-12)) for g in grads]
    return descend(params, grads, lr)


# %% wrong="by value" says="each entry is clipped by its own size: the step turns by 32 degrees"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = global_norm(grads)
    log.append({"grad_norm": grad_norm, "clipped": grad_norm > max_norm})
    if not np.isfinite(grad_norm):
        return params
    return descend(params, [np.clip(g, -max_norm, max_norm) for g in grads], lr)


# %% wrong="the norm after clipping" says="the norm after clipping is logged"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = global_norm(grads)
    if not np.isfinite(grad_norm):
        log.append({"grad_norm": grad_norm, "clipped": False})
        return params
    is_clipped = grad_norm > max_norm
    if is_clipped:
        grads = [g * max_norm / grad_norm for g in grads]
    log.append({"grad_norm": global_norm(grads), "clipped": is_clipped})
    return descend(params, grads, lr)


# %% wrong="a bad step is skipped, and not logged" says="each call appends one entry|only clipped steps are logged, or only steps that were made"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = global_norm(grads)
    if not np.isfinite(grad_norm):
        return params
    log.append({"grad_norm": grad_norm, "clipped": grad_norm > max_norm})
    return descend(params, [g * min(1.0, max_norm / (grad_norm + 1e-6)) for g in grads], lr)


# %% wrong="only clipped steps are logged" says="only clipped steps are logged, or only steps that were made"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = global_norm(grads)
    if not np.isfinite(grad_norm):
        log.append({"grad_norm": grad_norm, "clipped": False})
        return params
    if grad_norm > max_norm:
        log.append({"grad_norm": grad_norm, "clipped": True})
        grads = [g * max_norm / grad_norm for g in grads]
    return descend(params, grads, lr)


# %% wrong="nan becomes zero, and the rest is applied" says="what is not finite is replaced"
def clipped_step(params, grads, lr, max_norm, log):
    grads = [np.nan_to_num(g, nan=0.0, posinf=0.0, neginf=0.0) for g in grads]
    grad_norm = global_norm(grads)
    log.append({"grad_norm": grad_norm, "clipped": grad_norm > max_norm})
    return descend(params, [g * min(1.0, max_norm / (grad_norm + 1e-6)) for g in grads], lr)


# %% wrong="the norm with the bad entries left out" says="so that nobody learns of them"
def clipped_step(params, grads, lr, max_norm, log):
    is_bad = not all(np.isfinite(g).all() for g in grads)
    grad_norm = global_norm([g[np.isfinite(g)] for g in grads])
    log.append({"grad_norm": grad_norm, "clipped": grad_norm > max_norm})
    if is_bad:
        return params
    return descend(params, [g * min(1.0, max_norm / (grad_norm + 1e-6)) for g in grads], lr)


# %% wrong="raises" says="a bad step is logged and skipped|an exception ends the run"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = global_norm(grads)
    log.append({"grad_norm": grad_norm, "clipped": grad_norm > max_norm})
    if not np.isfinite(grad_norm):
        raise ValueError("gradient is not finite")
    return descend(params, [g * min(1.0, max_norm / (grad_norm + 1e-6)) for g in grads], lr)


# %% wrong="a skipped step returns nothing" says="nothing comes back for a step that is skipped"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = global_norm(grads)
    log.append({"grad_norm": grad_norm, "clipped": grad_norm > max_norm})
    if np.isfinite(grad_norm):
        return descend(params, [g * min(1.0, max_norm / (grad_norm + 1e-6)) for g in grads], lr)


# %% wrong="always to the limit" says="small gradients are scaled up to the limit"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = global_norm(grads)
    log.append({"grad_norm": grad_norm, "clipped": grad_norm > max_norm})
    if not np.isfinite(grad_norm):
        return params
    return descend(params, [g * max_norm / (grad_norm + 1e-12) for g in grads], lr)


# %% wrong="every step is called clipped" says="clipped says whether the gradients were clipped|every step is called clipped"
def clipped_step(params, grads, lr, max_norm, log):
    grad_norm = global_norm(grads)
    log.append({"grad_norm": grad_norm, "clipped": True})
    if not np.isfinite(grad_norm):
        return params
    return descend(params, [g * min(1.0, max_norm / (grad_norm + 1e-6)) for g in grads], lr)


# %% sign="distance from the true weights at the end" above=1
def sign(seed):
    return count_events(clipped_step, seed)[0]["distance"][-1]

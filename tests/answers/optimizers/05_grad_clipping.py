# %% right="squared in float64, the factor never above 1"
def clip_by_global_norm(grads, max_norm):
    norm = global_norm([grad.astype(np.float64) for grad in grads])
    return [grad * min(1.0, max_norm / (norm + 1e-6)) for grad in grads], norm


# %% right="in place"
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum((grad.astype(float) ** 2).sum() for grad in grads))
    if norm > max_norm:
        for grad in grads:
            grad *= max_norm / norm
    return grads, norm


# %% right="scaled by the largest entry, in float32"
def clip_by_global_norm(grads, max_norm):
    largest = np.max([np.abs(grad).max() for grad in grads])
    if largest == 0:
        return [grad.copy() for grad in grads], 0.0
    norm = largest * np.sqrt(sum(np.sum((grad / largest) ** 2) for grad in grads))
    if norm <= max_norm:
        return [grad.copy() for grad in grads], norm
    return [grad / norm * max_norm for grad in grads], norm


# %% right="one long vector; zeros in place of what is not finite"
def clip_by_global_norm(grads, max_norm):
    norm = np.linalg.norm(np.concatenate([np.ravel(grad) for grad in grads]).astype(np.float64))
    if not np.isfinite(norm):
        return [np.zeros_like(grad) for grad in grads], norm
    return tuple(grad * max_norm / max(norm, max_norm) for grad in grads), np.float32(norm)


# %% right="a loop over the entries"
import math


def clip_by_global_norm(grads, max_norm):
    norm = 0.0
    for grad in grads:
        for entry in grad.flat:
            norm = math.hypot(norm, entry)
    factor = max_norm / norm if norm > max_norm else 1
    return [factor * grad for grad in grads], norm


# %% untouched says="the norm is computed, and nothing is clipped"

# %% emptied says="two things come back|None"

# %% wrong="the document's recipe" says="The document's own recipe does this|the squares are taken in float32"
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
    if norm > max_norm:
        scale = max_norm / norm
        grads = [grad * scale for grad in grads]
    return grads, norm


# %% wrong="the norm of the setup cell" says="the squares are taken in float32"
def clip_by_global_norm(grads, max_norm):
    norm = global_norm(grads)
    return [grad * min(1.0, max_norm / (norm + 1e-6)) for grad in grads], norm


# %% wrong="each array by itself" says="each array is clipped by its own norm, which turns the direction"
def clip_by_global_norm(grads, max_norm):
    norms = [np.linalg.norm(grad.astype(float)) for grad in grads]
    clipped = [grad * (max_norm / norm) if norm > max_norm else grad for grad, norm in zip(grads, norms)]
    return clipped, np.linalg.norm(norms)


# %% wrong="by value" says="each entry is clipped by its own size, which turns the direction"
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(grad.astype(float) ** 2) for grad in grads))
    return [np.clip(grad, -max_norm, max_norm) for grad in grads], norm


# %% wrong="the norm after clipping" says="the norm after clipping is returned"
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(grad.astype(float) ** 2) for grad in grads))
    if norm > max_norm:
        grads = [grad * (max_norm / norm) for grad in grads]
    return grads, np.sqrt(sum(np.sum(grad.astype(float) ** 2) for grad in grads))


# %% wrong="always to the limit" says="small gradients are scaled up to the limit"
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(grad.astype(float) ** 2) for grad in grads))
    return [grad * (max_norm / norm) for grad in grads], norm


# %% wrong="zero over zero" says="zero is divided by zero"
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(grad.astype(float) ** 2) for grad in grads))
    return [grad / norm * min(norm, max_norm) for grad in grads], norm


# %% wrong="the norms are added" says="the norms of the arrays are added"
def clip_by_global_norm(grads, max_norm):
    norm = sum(np.linalg.norm(grad.astype(float)) for grad in grads)
    if norm > max_norm:
        grads = [grad * (max_norm / norm) for grad in grads]
    return grads, norm


# %% wrong="no root" says="the sum of squares stands where its root is meant"
def clip_by_global_norm(grads, max_norm):
    norm = sum(np.sum(grad.astype(float) ** 2) for grad in grads)
    if norm > max_norm:
        grads = [grad * (max_norm / norm) for grad in grads]
    return grads, norm


# %% wrong="no root, but only in what is returned" says="the sum of squares is returned, without its root"
def clip_by_global_norm(grads, max_norm):
    squares = sum(np.sum(grad.astype(float) ** 2) for grad in grads)
    if squares > max_norm**2:
        grads = [grad * (max_norm / np.sqrt(squares)) for grad in grads]
    return grads, squares


# %% wrong="upside down" says="the factor is upside down"
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(grad.astype(float) ** 2) for grad in grads))
    if norm > max_norm:
        grads = [grad * (norm / max_norm) for grad in grads]
    return grads, norm


# %% wrong="NaN is cleaned away" says="an entry that is not finite is left out or replaced"
def clip_by_global_norm(grads, max_norm):
    grads = [np.where(np.isfinite(grad), grad, 0) for grad in grads]
    norm = np.sqrt(sum(np.sum(grad.astype(float) ** 2) for grad in grads))
    if norm > max_norm:
        grads = [grad * (max_norm / norm) for grad in grads]
    return grads, norm


# %% wrong="an infinite norm is let through" says="let through unclipped"
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
    if max_norm < norm < np.inf:
        grads = [grad * (max_norm / norm) for grad in grads]
    return grads, norm


# %% wrong="raises where the norm is not finite" says="stopped with FloatingPointError"
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(grad.astype(float) ** 2) for grad in grads))
    if not np.isfinite(norm):
        raise FloatingPointError(f"the gradient norm is {norm}")
    return [grad * min(1.0, max_norm / (norm + 1e-6)) for grad in grads], norm


# %% wrong="Python's max passes over NaN" says="an entry that is not finite is left out or replaced"
def clip_by_global_norm(grads, max_norm):
    largest = max(np.abs(grad).max() for grad in grads)
    if largest == 0:
        return grads, 0.0
    norm = largest * np.sqrt(sum(np.sum((grad / largest) ** 2) for grad in grads))
    return [grad * min(1.0, max_norm / norm) for grad in grads], norm


# %% wrong="the gradients alone" says="a list of arrays, of the same shapes as grads|without their norm"
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(grad.astype(float) ** 2) for grad in grads))
    return [grad * min(1.0, max_norm / (norm + 1e-6)) for grad in grads]


# %% wrong="the norm first" says="a list of arrays, of the same shapes as grads|the norm is returned first"
def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(grad.astype(float) ** 2) for grad in grads))
    return norm, [grad * min(1.0, max_norm / (norm + 1e-6)) for grad in grads]


# %% sign="distance from the true weights at the end" above=0.5
def sign(seed):
    return fit_counts(clip_by_global_norm, seed)[1]

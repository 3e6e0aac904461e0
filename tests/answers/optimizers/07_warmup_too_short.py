# %% right="a tenth, rounded up, and the rule rounded up"
def warmup_length(total_steps, beta2=None):
    length = 0.1 * total_steps if beta2 is None else min(2 / (1 - beta2), total_steps / 2)
    return max(1, int(np.ceil(length)))


# %% right="whole-number division, an eighth of the run"
def warmup_length(total_steps, beta2=None):
    if beta2 is not None:
        return int(max(1, min(round(2 / (1 - beta2)), total_steps // 2)))
    return total_steps // 8 or 1


# %% right="twenty steps as measured, kept inside the band of shares"
def warmup_length(total_steps, beta2=None):
    if beta2 is None:
        return int(np.clip(20, max(1, 0.01 * total_steps), max(1, 0.15 * total_steps)))
    return int(np.clip(1.5 / (1 - beta2), 1, max(1, total_steps / 3)))


# %% right="the memory of the mean itself, 1 / (1 - beta2), and floats that are whole"
def warmup_length(total_steps, beta2=None):
    if beta2 is None:
        return max(1.0, np.floor(0.15 * total_steps))
    return max(1.0, np.round(min(1 / (1 - beta2), 0.4 * total_steps)))


# %% untouched says="at most 1 is lost|20 are lost|the length is the same for every run"

# %% emptied says="one number of steps|None"

# %% wrong="the document's: 5 % of the run" says="10 steps, with which 20 are lost|5 % of the run are taken, as the document"
def warmup_length(total_steps, beta2=None):
    return int(0.05 * total_steps)


# %% wrong="1 % of the run" says="read as a promise"
def warmup_length(total_steps, beta2=None):
    if beta2 is not None:
        return max(1, int(min(2 / (1 - beta2), total_steps / 2)))
    return max(1, int(0.01 * total_steps))


# %% wrong="the number that is right for the calls, for every run" says="the length is the same for every run|1000 to 15000 steps"
def warmup_length(total_steps, beta2=None):
    return 20


# %% wrong="a hundred steps, to be safe" says="the length fits the run, with SGD|the length is the same for every run"
def warmup_length(total_steps, beta2=None):
    return 100


# %% wrong="at least sixteen steps, however short the run" says="warmup_length(15)|half of the run and more goes by"
def warmup_length(total_steps, beta2=None):
    if beta2 is not None:
        return max(1, int(min(2 / (1 - beta2), total_steps / 2)))
    return max(16, int(0.05 * total_steps))


# %% wrong="half the run" says="half of the run and more goes by"
def warmup_length(total_steps, beta2=None):
    return max(1, total_steps // 2)


# %% wrong="no warmup in short runs" says="warmup_length(15)|rounded down to nothing"
def warmup_length(total_steps, beta2=None):
    if total_steps < 100:
        return 0
    return round(0.1 * total_steps)


# %% wrong="a share that is not rounded" says="a share of the run is not rounded"
def warmup_length(total_steps, beta2=None):
    if beta2 is not None:
        return max(1, min(round(2 / (1 - beta2)), total_steps // 2))
    return max(1, 0.1 * total_steps)


# %% wrong="the share itself" says="the share is returned, not the steps"
def warmup_length(total_steps, beta2=None):
    return 0.1


# %% wrong="a share for Adam too" says="beta2 is not looked at"
def warmup_length(total_steps, beta2=None):
    return max(1, round(0.1 * total_steps))


# %% wrong="the smaller of the rule and the share" says="warmup_length(6000, beta2=0.999)|a share of the run decides"
def warmup_length(total_steps, beta2=None):
    share = 0.1 * total_steps
    return max(1, round(share if beta2 is None else min(0.8 * share, 2 / (1 - beta2))))


# %% wrong="the larger of the rule and the share" says="warmup_length(6000, beta2=0.99)|a share of the run decides"
def warmup_length(total_steps, beta2=None):
    share = 0.1 * total_steps
    return max(1, round(share if beta2 is None else min(max(0.9 * share, 2 / (1 - beta2)), total_steps / 2)))


# %% wrong="2000 steps for every beta2" says="the length is the same for every beta2"
def warmup_length(total_steps, beta2=None):
    if beta2 is None:
        return max(1, round(0.1 * total_steps))
    return max(1, min(2000, total_steps // 2))


# %% wrong="beta1 for beta2" says="beta1 stands where beta2 is meant"
def warmup_length(total_steps, beta2=None):
    if beta2 is None:
        return max(1, round(0.1 * total_steps))
    return max(1, min(round(2 / (1 - 0.9)), total_steps // 2))


# %% wrong="the half-life of the mean" says="the half-life of the mean is taken"
def warmup_length(total_steps, beta2=None):
    if beta2 is None:
        return max(1, round(0.1 * total_steps))
    return max(1, min(round(np.log(0.5) / np.log(beta2)), total_steps // 2))


# %% wrong="the rule without its cap" says="warmup_length(100, beta2=0.999)|the cap at half the run is missing"
def warmup_length(total_steps, beta2=None):
    if beta2 is None:
        return max(1, round(0.1 * total_steps))
    return round(2 / (1 - beta2))


# %% sign="mean loss of the last ten steps (nats)" above=1
def sign(seed):
    calls = draw_calls(np.random.default_rng(seed), runs=1)
    return train_calls(*calls, warmup_length(200))[-10:].mean()

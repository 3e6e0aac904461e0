# %% right="the last step of the run is total_steps - 1"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    if step >= total_steps - 1:
        return min_lr
    return min_lr + 0.5 * (base_lr - min_lr) * (1 + np.cos(np.pi * step / (total_steps - 1)))


# %% right="the square of a cosine, in float32"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    if step == 0:
        return base_lr
    share = np.cos(np.pi / 2 * np.clip(step / total_steps, 0, 1)) ** 2
    return np.array(base_lr * share + min_lr * (1 - share))


# %% right="the mean of the two ends, and half their difference"
import math


def lr_at(step, total_steps, base_lr, min_lr=0.0):
    middle, half = (base_lr + min_lr) / 2, (base_lr - min_lr) / 2
    return middle + half * math.cos(math.radians(180 * min(step, total_steps) / total_steps))


# %% right="one step at a time, as a framework does it"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    if step >= total_steps:
        return min_lr
    rate = base_lr
    for t in range(1, step + 1):
        factor = (1 + np.cos(np.pi * t / total_steps)) / (1 + np.cos(np.pi * (t - 1) / total_steps))
        rate = min_lr + (rate - min_lr) * factor
    return rate


# %% untouched says="the learning rate has not moved from base_lr"

# %% emptied says="None"

# %% wrong="the common framework's: it climbs again past the end" says="goes on past the end of the run, and climbs again"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    return min_lr + 0.5 * (base_lr - min_lr) * (1 + np.cos(np.pi * step / total_steps))


# %% wrong="the same, with total_steps - 1" says="held from step total_steps on|climbs again"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    return min_lr + 0.5 * (base_lr - min_lr) * (1 + np.cos(np.pi * step / (total_steps - 1)))


# %% wrong="it starts again" says="the schedule starts again at the end of the run"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    return min_lr + 0.5 * (base_lr - min_lr) * (1 + np.cos(np.pi * (step % total_steps) / total_steps))


# %% wrong="a tenth of the rate, for the whole run" says="divided by ten for the whole run"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    return base_lr / 10


# %% wrong="a straight line" says="it falls along a straight line"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    return max(min_lr, base_lr - (base_lr - min_lr) * step / total_steps)


# %% wrong="exponential" says="it falls exponentially"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    return max(base_lr * (min_lr / base_lr) ** (step / total_steps), min_lr)


# %% wrong="two drops by ten" says="it falls in drops"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    return max(min_lr, base_lr * 0.1 ** (3 * step // total_steps))


# %% wrong="min_lr on top" says="min_lr is added on top"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    progress = min(step / total_steps, 1)
    return min_lr + 0.5 * base_lr * (1 + np.cos(np.pi * progress))


# %% wrong="min_lr is ignored" says="the cosine falls to 0, not to min_lr"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    progress = min(step / total_steps, 1)
    return 0.5 * base_lr * (1 + np.cos(np.pi * progress))


# %% wrong="min_lr cuts the curve off" says="the cosine falls to 0, not to min_lr"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    progress = min(step / total_steps, 1)
    return max(min_lr, 0.5 * base_lr * (1 + np.cos(np.pi * progress)))


# %% wrong="zero after the end" says="falls to 0, below min_lr"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    if step >= total_steps:
        return 0.0
    return min_lr + 0.5 * (base_lr - min_lr) * (1 + np.cos(np.pi * step / total_steps))


# %% wrong="a whole period" says="a whole period"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    progress = min(step / total_steps, 1)
    return min_lr + 0.5 * (base_lr - min_lr) * (1 + np.cos(2 * np.pi * progress))


# %% wrong="a quarter of a period" says="a quarter of a period"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    progress = min(step / total_steps, 1)
    return min_lr + (base_lr - min_lr) * np.cos(np.pi / 2 * progress)


# %% wrong="degrees" says="the angle is given in degrees"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    progress = min(step / total_steps, 1)
    return min_lr + 0.5 * (base_lr - min_lr) * (1 + np.cos(180 * progress))


# %% wrong="without pi" says="the factor pi is missing"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    progress = min(step / total_steps, 1)
    return min_lr + 0.5 * (base_lr - min_lr) * (1 + np.cos(progress))


# %% wrong="the cosine as it is" says="the cosine is not brought from -1 ... 1 to 0 ... 1"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    progress = min(step / total_steps, 1)
    return min_lr + (base_lr - min_lr) * (1 + np.cos(np.pi * progress))


# %% wrong="counted from 1" says="the steps are counted from 1"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    progress = min((step + 1) / total_steps, 1)
    return min_lr + 0.5 * (base_lr - min_lr) * (1 + np.cos(np.pi * progress))


# %% wrong="upside down" says="the curve is upside down"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    progress = min(step / total_steps, 1)
    return min_lr + 0.5 * (base_lr - min_lr) * (1 - np.cos(np.pi * progress))


# %% sign="mean squared distance over the last 100 steps" above=0.1
def sign(seed):
    return np.mean(follow_stream(lr_at, seed)["distance"][-100:])

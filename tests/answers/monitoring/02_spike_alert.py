# %% right="sorted, the distance between the quartiles"
import math


def spike_alert(history, loss):
    if not math.isfinite(loss):
        return True
    recent = sorted(value for value in history[-100:] if math.isfinite(value))
    n = len(recent)
    if n < 10:
        return False
    low, middle, high = recent[n // 4], recent[n // 2], recent[3 * n // 4]
    return loss > middle + 6 * (high - low)


# %% right="mean and standard deviation without the highest fifth"
def spike_alert(history, loss):
    if np.isnan(loss) or np.isinf(loss):
        return True
    recent = np.sort([value for value in history if np.isfinite(value)][-80:])
    if len(recent) < 30:
        return False
    kept = recent[: int(0.8 * len(recent))]
    return loss > kept.mean() + 15 * kept.std()


# %% right="the noise from the differences of neighbours, the level from the last twenty"
def spike_alert(history, loss):
    values = np.asarray(history[-100:] + [loss], dtype=float)
    if not np.isfinite(values[-1]):
        return 1
    values = values[np.isfinite(values)]
    if len(values) < 25:
        return 0
    noise = np.median(np.abs(np.diff(values[:-1])))
    return int(values[-1] - np.median(values[-21:-1]) > 10 * noise)


# %% right="only losses that were not flagged are admitted, replayed from the recent past"
import math


def spike_alert(history, loss):
    if not math.isfinite(loss):
        return True
    accepted = []
    recent = [value for value in history[-90:] if math.isfinite(value)]
    middle = sorted(recent)[len(recent) // 2] if recent else 0.0
    spread = sorted(abs(value - middle) for value in recent)[len(recent) // 2] if recent else 0.0
    for value in recent:
        if value <= middle + 12 * spread:
            accepted.append(value)
    if len(accepted) < 20:
        return False
    mean = sum(accepted) / len(accepted)
    sd = math.sqrt(sum((value - mean) ** 2 for value in accepted) / len(accepted))
    return loss > mean + 8 * sd


# %% right="nanmedian, a short window"
def spike_alert(history, loss):
    if len(history) < 40:
        return np.bool_(not np.isfinite(loss))
    recent = np.array(history[-40:], np.float32)
    recent[np.isinf(recent)] = np.nan
    if np.isnan(recent).all():
        return not np.isfinite(loss)
    level = np.nanmedian(recent)
    return ~np.isfinite(loss) | (loss - level > 12 * np.nanmedian(np.abs(recent - level)))


# %% untouched says="every spike is found: x3, alone|nothing is asked between the ten-thousandth steps"

# %% emptied says="the answer is True or False"

# %% wrong="the document's: ten times a mean that holds the loss itself" says="the loss is in its own mean, as in the document's cure|more than 11 times"
def spike_alert(history, loss):
    history.append(loss)
    return loss > 10 * np.mean(history[-100:]) if history else float("inf")


# %% wrong="the document's, with isfinite before" says="the loss is in its own mean"
def spike_alert(history, loss):
    history = history + [loss]
    return not np.isfinite(loss) or loss > 10 * np.mean(history[-100:])


# %% wrong="mean plus six standard deviations" says="x3, up to 60 steps after a x30|one spike hides the next"
def spike_alert(history, loss):
    if not np.isfinite(loss):
        return True
    recent = [value for value in history[-100:] if np.isfinite(value)]
    return len(recent) >= 20 and loss > np.mean(recent) + 6 * np.std(recent)


# %% wrong="one and a half times the largest of the window" says="x3, up to 5 steps after another|the spike before is what this one is compared with"
def spike_alert(history, loss):
    if not np.isfinite(loss):
        return True
    recent = [value for value in history[-100:] if np.isfinite(value)]
    return len(recent) >= 20 and loss > 1.5 * max(recent)


# %% wrong="a fixed number" says="a fixed number is the limit"
def spike_alert(history, loss):
    return not np.isfinite(loss) or loss > 5


# %% wrong="three times the median" says="the limit stands at three times the level itself"
def spike_alert(history, loss):
    if not np.isfinite(loss):
        return True
    recent = [value for value in history[-100:] if np.isfinite(value)]
    return len(recent) >= 20 and loss > 3 * np.median(recent)


# %% wrong="twice the median" says="a multiple of a negative number lies below it"
def spike_alert(history, loss):
    if not np.isfinite(loss):
        return True
    recent = [value for value in history[-20:] if np.isfinite(value)]
    return len(recent) >= 10 and loss > 2 * np.median(recent)


# %% wrong="twice the size of the median" says="a loss of -2 that jumps to +2|+2 is not above 2 times 2"
def spike_alert(history, loss):
    if not np.isfinite(loss):
        return True
    recent = [value for value in history[-20:] if np.isfinite(value)]
    return len(recent) >= 10 and loss > 2 * abs(np.median(recent))


# %% wrong="the median and the MAD of a window with nan in it" says="a nan or inf is let into the window"
def spike_alert(history, loss):
    if not np.isfinite(loss):
        return True
    recent = np.array(history[-100:])
    if len(recent) < 20:
        return False
    level = np.median(recent)
    return loss > level + 8 * 1.4826 * np.median(np.abs(recent - level))


# %% wrong="nan is never asked for" says="nan > limit is False"
def spike_alert(history, loss):
    recent = np.array([value for value in history[-100:] if np.isfinite(value)])
    if len(recent) < 20:
        return not np.isfinite(loss)
    level = np.median(recent)
    return loss > level + 8 * 1.4826 * np.median(np.abs(recent - level))


# %% wrong="nan waits for the history" says="nan or inf, from step 0 to 49|only after the alarm has waited"
def spike_alert(history, loss):
    if len(history) < 50:
        return False
    recent = np.array([value for value in history[-100:] if np.isfinite(value)])
    level = np.median(recent)
    return not np.isfinite(loss) or loss > level + 8 * 1.4826 * np.median(np.abs(recent - level))


# %% wrong="waits for a full window" says="x3, between steps 50 and 99|waits for a full window"
def spike_alert(history, loss):
    if not np.isfinite(loss):
        return True
    if len(history) < 100:
        return False
    recent = np.array([value for value in history[-100:] if np.isfinite(value)])
    level = np.median(recent)
    return loss > level + 8 * 1.4826 * np.median(np.abs(recent - level))


# %% wrong="three standard deviations" says="the limit stands inside the noise"
def spike_alert(history, loss):
    if not np.isfinite(loss):
        return True
    recent = np.array([value for value in history[-30:] if np.isfinite(value)])
    if len(recent) < 20:
        return False
    level = np.median(recent)
    return loss > level + 3 * np.median(np.abs(recent - level))


# %% wrong="every hundredth step" says="only some steps are looked at"
def spike_alert(history, loss):
    if len(history) % 100 != 0:
        return False
    recent = np.array([value for value in history[-100:] if np.isfinite(value)])
    if not np.isfinite(loss) or len(recent) < 20:
        return not np.isfinite(loss)
    level = np.median(recent)
    return loss > level + 8 * 1.4826 * np.median(np.abs(recent - level))


# %% wrong="silent for ten steps after a rise" says="x3, up to 5 steps after another|an alarm shuts out the next"
def spike_alert(history, loss):
    if not np.isfinite(loss):
        return True
    recent = np.array([value for value in history[-100:] if np.isfinite(value)])
    if len(recent) < 20:
        return False
    level = np.median(recent)
    limit = level + 8 * 1.4826 * np.median(np.abs(recent - level))
    return loss > limit and not any(value > limit for value in recent[-10:])


# %% wrong="not at most the limit, with nan in the window" says="a nan or inf in the window makes every step an alarm"
def spike_alert(history, loss):
    if len(history) < 20:
        return not np.isfinite(loss)
    recent = np.array(history[-100:])
    level = np.median(recent)
    return not -np.inf < loss <= level + 8 * 1.4826 * np.median(np.abs(recent - level))


# %% wrong="every step is an alarm" says="there are at most 2 false alarms|every step is an alarm"
def spike_alert(history, loss):
    return True


# %% wrong="equal losses fire" says="equal losses are no spike|on the limit counts as above it"
def spike_alert(history, loss):
    if not np.isfinite(loss):
        return True
    recent = np.array([value for value in history[-100:] if np.isfinite(value)])
    if len(recent) < 20:
        return False
    level = np.median(recent)
    return loss >= level + 8 * 1.4826 * np.median(np.abs(recent - level))


# %% wrong="the limit comes back" says="the answer is True or False|the limit is returned"
def spike_alert(history, loss):
    recent = np.array([value for value in history[-100:] if np.isfinite(value)] or [loss])
    level = np.median(recent)
    return level + 8 * 1.4826 * np.median(np.abs(recent - level))


# %% wrong="fifteen standard deviations" says="x3, between steps 50 and 99|the limit stands too high above the level"
def spike_alert(history, loss):
    if not np.isfinite(loss):
        return True
    recent = np.array([value for value in history[-100:] if np.isfinite(value)])
    if len(recent) < 20:
        return False
    level = np.median(recent)
    return loss > level + 15 * 1.4826 * np.median(np.abs(recent - level))


# %% wrong="three standard deviations over sixty losses" says="the limit stands inside the noise"
def spike_alert(history, loss):
    if not np.isfinite(loss):
        return True
    recent = np.array([value for value in history[-60:] if np.isfinite(value)])
    if len(recent) < 20:
        return False
    level = np.median(recent)
    return loss > level + 3 * 1.4826 * np.median(np.abs(recent - level))


# %% sign="of nine incidents, those found" below=5
def sign(seed):
    losses, incidents = planted_run(seed, "falling")
    return len(set(alarms_of(spike_alert, losses)) & set(incidents))

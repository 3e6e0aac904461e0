# %% right="the lower of two starts"
def why_it_wobbles(losses, probe):
    best = min(sum(probe(factor, 200, fresh=True)[-50:]) / 50 for factor in (0.3, 0.15))
    return "lr too high" if best < 0.6 * sum(losses) / len(losses) else "noise"


# %% right="the median of the last hundred of a longer run"
def why_it_wobbles(losses, probe):
    curve = np.array(probe(0.1, 400, True))
    return ("noise", "lr too high")[int(np.median(curve[-100:]) < 0.6 * np.median(losses))]


# %% right="a short warmup to a fifth"
def why_it_wobbles(losses, probe):
    curve = probe(lambda step: 0.2 * min(1, (step + 1) / 20), 250, fresh=True)
    ratio = np.mean(curve[-50:]) / np.mean(losses)
    if ratio < 0.65:
        return "lr too high"
    return "noise"


# %% right="three probes: where it stands, the same rate anew, and a lower one anew"
def why_it_wobbles(losses, probe):
    level = np.mean(losses)
    ends = [np.mean(probe(0.1, 150)[-50:]), np.mean(probe(1, 150, fresh=True)[-50:]), np.mean(probe(0.25, 300, fresh=True)[-60:])]
    return np.str_("lr too high") if ends[2] / level < 0.64 else np.str_("noise")


# %% right="a start that cools as it goes"
def why_it_wobbles(losses, probe):
    end = probe(lambda step: 0.3 * (1 + np.cos(np.pi * step / 300)) / 2, 300, fresh=True)[-50:]
    return "lr too high" if float(np.mean(end)) < 0.6 * float(np.mean(losses)) else "noise"


# %% right="the cooled run is the yardstick, a new start the measure"
def why_it_wobbles(losses, probe):
    anew, cooled = (np.mean(probe(0.2, 250, fresh=is_fresh)[-50:]) for is_fresh in (True, False))
    return "lr too high" if anew < 0.8 * cooled else "noise"


# %% untouched says="smaller steps wobble less over any floor"

# %% emptied says="the verdict is|None"


# %% wrong="the usual recipe: lower the rate and see" says="smaller steps wobble less over any floor"
def why_it_wobbles(losses, probe):
    cooled = probe(0.1, 300)
    return "lr too high" if np.mean(cooled[-50:]) < np.mean(losses) else "noise"


# %% wrong="lower the rate, and ask for much" says="cooled where it stands"
def why_it_wobbles(losses, probe):
    cooled = probe(0.1, 600)
    return "lr too high" if np.mean(cooled[-50:]) < 0.62 * np.mean(losses) else "noise"


# %% wrong="the usual recipe: add warmup" says="given the same rate again, with a warmup or without"
def why_it_wobbles(losses, probe):
    warmed = probe(lambda step: min(1, (step + 1) / 100), 300, fresh=True)
    return "lr too high" if np.mean(warmed[-50:]) < 0.3 * np.mean(losses) else "noise"


# %% wrong="another seed" says="given the same rate again"
def why_it_wobbles(losses, probe):
    again = probe(1, 300, fresh=True)
    return "lr too high" if np.mean(again[-50:]) < 0.3 * np.mean(losses) else "noise"


# %% wrong="a new start falls" says="any fall of a new start counts"
def why_it_wobbles(losses, probe):
    curve = probe(0.1, 200, fresh=True)
    return "lr too high" if np.mean(curve[-50:]) < 0.8 * curve[0] else "noise"


# %% wrong="any fall" says="any fall of a new start counts"
def why_it_wobbles(losses, probe):
    curve = probe(0.2, 250, fresh=True)
    return "lr too high" if np.mean(curve[-50:]) < 0.95 * np.mean(losses) else "noise"


# %% wrong="a thousandth of the rate, to be safe" says="so slow, or so short"
def why_it_wobbles(losses, probe):
    curve = probe(0.001, 300, fresh=True)
    return "lr too high" if np.mean(curve[-50:]) < 0.62 * np.mean(losses) else "noise"


# %% wrong="a hundredth of the rate, for as long as there is" says="so slow, or so short"
def why_it_wobbles(losses, probe):
    curve = probe(0.01, 500, fresh=True)
    return "lr too high" if np.mean(curve[-50:]) < 0.6 * np.mean(losses) else "noise"


# %% wrong="ten steps of a new start" says="so slow, or so short"
def why_it_wobbles(losses, probe):
    return "lr too high" if np.mean(probe(0.2, 10, fresh=True)) < 0.5 * np.mean(losses) else "noise"


# %% wrong="the size of the wobble" says="the curve alone is looked at"
def why_it_wobbles(losses, probe):
    return "lr too high" if np.std(losses) > 0.2 * np.mean(losses) else "noise"


# %% wrong="steps upwards are counted" says="the curve alone is looked at"
def why_it_wobbles(losses, probe):
    return "lr too high" if np.mean(np.diff(losses) > 0) > 0.3 else "noise"


# %% wrong="five whole starts" says="at most 600 steps"
def why_it_wobbles(losses, probe):
    best = min(np.mean(probe(0.2, 200, fresh=True)[-50:]) for _ in range(5))
    return "lr too high" if best < 0.62 * np.mean(losses) else "noise"


# %% wrong="True where the rate is to blame" says="the verdict is|True or False is returned"
def why_it_wobbles(losses, probe):
    return np.mean(probe(0.2, 200, fresh=True)[-50:]) < 0.62 * np.mean(losses)


# %% sign="of four runs on noisy data, those said to be too hot" above=1
def sign(seed):
    runs = [WobblyRun([seed, number], lr=1.5, spread=1.0) for number in range(4)]
    return [wobble_verdict(why_it_wobbles, run) for run in runs].count("lr too high")

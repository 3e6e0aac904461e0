# %% right="lambda"
def wire_normed(x, branch, norm):
    normed, norm_back = norm(x)
    out, out_back = branch(normed)
    return x + out, lambda d: d + norm_back(out_back(d))


# %% right="the roads in a list, in place on copies"
def wire_normed(x, branch, norm):
    backs = []
    h = x.copy()
    for layer in (norm, branch):
        h, layer_back = layer(h)
        backs.insert(0, layer_back)
    y = x.copy()
    y += h

    def back(d):
        through = d.copy()
        for layer_back in backs:
            through = layer_back(through)
        d += through
        return d

    return y, back


# %% right="a residual block around a composed branch"
def wire_normed(x, branch, norm):
    def both(given):
        normed, norm_back = norm(given)
        out, out_back = branch(normed)
        return out, lambda d: norm_back(out_back(d))

    out, back_of_both = both(x)
    return np.add(out, x), lambda d: np.add(back_of_both(d), d)


# %% right="a class, and a list returned"
class NormedRoad:
    def __init__(self, x, branch, norm):
        self.normed, self.norm_back = norm(x)
        self.out, self.out_back = branch(self.normed)
        self.y = np.sum([x, self.out], axis=0)

    def back(self, d):
        return 1.0 * d + self.norm_back(self.out_back(d))


def wire_normed(x, branch, norm):
    road = NormedRoad(x, branch, norm)
    return [road.y, road.back]


# %% untouched says="the norm stands behind the sum"

# %% emptied says="a pair: y, and the function back|None"


# %% wrong="no norm at all" says="the norm is left out"
def wire_normed(x, branch, norm):
    out, out_back = branch(x)
    return x + out, lambda d: d + out_back(d)


# %% wrong="the normalized x is added" says="goes through the norm"
def wire_normed(x, branch, norm):
    normed, norm_back = norm(x)
    out, out_back = branch(normed)
    return normed + out, lambda d: norm_back(d + out_back(d))


# %% wrong="behind the branch" says="the norm stands behind the branch"
def wire_normed(x, branch, norm):
    out, out_back = branch(x)
    normed, norm_back = norm(out)
    return x + normed, lambda d: d + out_back(norm_back(d))


# %% wrong="the norm instead of the road" says="without the road past it"
def wire_normed(x, branch, norm):
    normed, norm_back = norm(x)
    out, out_back = branch(normed)
    return out, lambda d: norm_back(out_back(d))


# %% wrong="a norm at both ends" says="the second is on the road"
def wire_normed(x, branch, norm):
    normed, norm_back = norm(x)
    out, out_back = branch(normed)
    y, end_back = norm(x + out)
    return y, lambda d: end_back(d) + norm_back(out_back(end_back(d)))


# %% wrong="the way back jumps over the norm" says="jumps over the norm"
def wire_normed(x, branch, norm):
    normed, norm_back = norm(x)
    out, out_back = branch(normed)
    return x + out, lambda d: d + out_back(d)


# %% wrong="the way back in forward order" says="in reverse order"
def wire_normed(x, branch, norm):
    normed, norm_back = norm(x)
    out, out_back = branch(normed)
    return x + out, lambda d: d + out_back(norm_back(d))


# %% wrong="d through the norm" says="sent through the norm as well"
def wire_normed(x, branch, norm):
    normed, norm_back = norm(x)
    out, out_back = branch(normed)
    return x + out, lambda d: norm_back(d + out_back(d))


# %% wrong="the road forgotten back" says="the road is forgotten on the way back"
def wire_normed(x, branch, norm):
    normed, norm_back = norm(x)
    out, out_back = branch(normed)
    return x + out, lambda d: norm_back(out_back(d))


# %% wrong="the road only" says="the block's own part is forgotten"
def wire_normed(x, branch, norm):
    normed, norm_back = norm(x)
    out, out_back = branch(normed)
    return x + out, lambda d: d


# %% wrong="the old back" says="the back of the old wiring is kept"
def wire_normed(x, branch, norm):
    normed, norm_back = norm(x)
    out, out_back = branch(normed)
    return x + out, lambda d: norm_back(d) + out_back(norm_back(d))


# %% wrong="x in place" says="an array is changed in place"
def wire_normed(x, branch, norm):
    normed, norm_back = norm(x)
    out, out_back = branch(normed)
    x += out
    return x, lambda d: d + norm_back(out_back(d))


# %% wrong="out in place" says="an array is changed in place"
def wire_normed(x, branch, norm):
    normed, norm_back = norm(x)
    out, out_back = branch(normed)
    out += x
    return out, lambda d: d + norm_back(out_back(d))


# %% sign
def sign(seed):
    """After 80 steps the loss is above 0.6 (20 seeds: 1.01 or more, and 0.014 at most when mended)."""
    return not normed_run(wire_normed, seed)["loss"][-1] < 0.6

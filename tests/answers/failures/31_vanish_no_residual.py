# %% right="lambda"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    return np.add(x, out), lambda d: np.add(d, out_back(d))


# %% right="in place on copies, and on d"
def wire_block(x, branch, norm):
    y = np.array(x, copy=True)
    out, out_back = branch(x)
    y += out

    def back(d):
        d += out_back(d)
        return d

    return y, back


# %% right="a list of roads, summed"
def wire_block(x, branch, norm):
    roads = [(x, lambda d: d), branch(x)]

    def back(d):
        return sum(road_back(d) for _, road_back in roads)

    return [sum(out for out, _ in roads), back][0], back


# %% right="a class"
class Road:
    def __init__(self, out_back):
        self.out_back = out_back

    def __call__(self, d):
        through = self.out_back(d)
        return through + d


def wire_block(x, branch, norm):
    out, out_back = branch(x)
    return out + x, Road(out_back)


# %% untouched says="hands on its branch alone"

# %% emptied says="pair: y, and the function back|None"


# %% wrong="forward only" says="its share is forgotten"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    return x + out, out_back


# %% wrong="the way back only" says="hands on its branch alone"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    return out, lambda d: d + out_back(d)


# %% wrong="x in place" says="x is changed in place|gradient of their weights"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    x += out
    return x, lambda d: d + out_back(d)


# %% wrong="out in place" says="out is changed in place|tanh keeps it"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    out += x
    return out, lambda d: d + out_back(d)


# %% wrong="the mean, so that nothing grows" says="still halves in every block"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    return (x + out) / 2, lambda d: (d + out_back(d)) / 2


# %% wrong="the root of two, so that the variance stays" says="shrinks x in every block"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    return (x + out) / np.sqrt(2), lambda d: (d + out_back(d)) / np.sqrt(2)


# %% wrong="x on the way back" says="x is added on the way back"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    return x + out, lambda d: x + out_back(d)


# %% wrong="the gradient made larger by hand, as 30 blocks halve it" says="hands on its branch alone"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    return out, lambda d: 2 * out_back(d)


# %% wrong="the sum forward, the gradient doubled" says="is no longer that of y"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    return x + out, lambda d: 2 * out_back(d)


# %% wrong="past the block, but never through it" says="leaves the branch out"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    return x + out, lambda d: d


# %% wrong="the branch sent through again" says="d is sent through the branch forward"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    return x + out, lambda d: d + branch(d)[0]


# %% wrong="a norm after the sum" says="norm stays unused"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    y, norm_back = norm(x + out)

    def back(d):
        d = norm_back(d)
        return d + out_back(d)

    return y, back


# %% wrong="a gate instead of a sum" says="multiplied with the branch"
def wire_block(x, branch, norm):
    out, out_back = branch(x)
    return x * out, lambda d: d * out + out_back(d * x)


# %% wrong="only y" says="a pair"
def wire_block(x, branch, norm):
    return x + branch(x)[0]


# %% sign
def sign(seed):
    """After 100 steps the loss is still above 1 (20 seeds: 1.0986 in all, 0.018 at most when mended)."""
    return not deep_run(wire_block, seed)["loss"][-1] < 1

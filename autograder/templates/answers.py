# %% right="TODO: at least four, of other shapes than the solution"
def value_of_THE_CASE(x):
    return x


# %% untouched says="TODO: words of the check's message"

# %% emptied says="None: does every way through your function return?"


# %% wrong="TODO: at least six, as learners write them" says="TODO: words of the check's message"
def value_of_THE_CASE(x):
    return -x


# %% sign
def sign(seed):
    """TODO: what is seen in every broken run, and in no mended one."""
    return history_of_THE_CASE(value_of_THE_CASE, seed)["loss"][-1] > 1e9

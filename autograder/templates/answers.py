# %% right="TODO: at least four, of other shapes than the solution"
def value_of_THE_CASE(x):
    return x


# %% untouched says="TODO: words of the check's message"

# %% emptied says="None: does every way through your function return?"


# %% wrong="TODO: at least six, as learners write them" says="TODO: words of the check's message"
def value_of_THE_CASE(x):
    return -x


# %% sign="TODO: what is measured, and above or below which number the complaint begins" above=1e9
def sign(seed):
    return history_of_THE_CASE(value_of_THE_CASE, seed)["loss"][-1]

# %% [markdown]
# ## Case THE-NUMBER · TODO: what somebody sees, without naming what is wrong
#
# About 10 minutes · difficulty 1 of 5 · 3 points
#
# **The complaint.** TODO: who did what, what came of it in numbers, and what they say.
#
# **After this case you can** TODO: one thing.
#
# ### The code

# %% fix="THE-CASE"
def value_of_THE_CASE(x):
    """TODO: what it works out, and from where that is.

    x: TODO: its shape, type and unit.
    Returns TODO.
    Graded: TODO: every demand that a check makes.
    Not graded: TODO.
    """
    ### BEGIN BROKEN
    # return x
    ### END BROKEN
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** TODO: a question that has a number for an answer, and that the figure's cell answers.


# %% scene="THE-CASE"
def history_of_THE_CASE(value_of_THE_CASE, seed, steps=20):
    """TODO: the experiment in which the complaint is seen: a History."""
    rng, history = np.random.default_rng(seed), History()
    for _ in range(steps):
        history.log(loss=value_of_THE_CASE(rng.exponential()))
    return history


# %% run="THE-CASE"
my_guess = 1.0  # TODO: of what

vitals(
    before=history_of_THE_CASE(broken.value_of_THE_CASE, seed=0),
    now=history_of_THE_CASE(value_of_THE_CASE, seed=0),
    signs={"loss": "loss (TODO: its unit)"},
    caption="TODO: what is drawn, over what.",
)
print(f"TODO: the answer. You said {my_guess:g}.")


# %% check="THE-CASE" points=3
def check_THE_CASE():
    check.close(value_of_THE_CASE(2.0), 2.0, what="TODO: the demand", call="value_of_THE_CASE(2.0)")


check.run(check_THE_CASE)


### BEGIN HIDDEN TESTS
def check_THE_CASE_elsewhere():
    x = float(check.hidden_rng(1).uniform(1, 9))
    check.close(value_of_THE_CASE(x), x, what="TODO: the same demand", call=f"value_of_THE_CASE({x})")


check.run(check_THE_CASE_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# TODO.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# TODO.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# TODO: without the code.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** TODO: its name, why the cure works, a formula, a paper.
#
# **When the advice misleads.** TODO.
#
# **In PyTorch** TODO.
#
# </details>

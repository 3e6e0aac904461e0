"""What was measured of these attacks on stock nbgrader 0.9.6, with the checks of the first stage: only those that were tried."""

# Points that it gave beyond those earned, of 63.
UNEARNED = {"patched-checks": 54, "ipython-hooks": 54, "callers-frames": 48, "patch-where-it-runs": 6}
NOTHING_UNEARNED = {"lying-objects", "mutated-arguments", "forged-outputs"}
# What it showed of what a learner must not see.
TOLD = {
    "printed-inputs": "60 hidden inputs",
    "inputs-in-globals": "60 hidden inputs",
    "inputs-in-logs": "60 hidden inputs",
    "inputs-in-exceptions": "a hidden input",
    "inputs-in-answers": "a hidden input",
    "expected-of-hidden": "a hidden expectation",
    "read-frames": "13 lines of hidden checks",
    "read-solutions": "the mended code of another case, and 30 lines of hidden checks",
    "read-gradebook": "the names of others, and all 111 lines of hidden checks",
    "read-seed": "the private seed",
}
# Honest submissions that lost points.
LOST = {"logs": "its lines went to stderr", "shadows-builtins": "the hidden check found the learner's `list`"}

"""The trusted side of grading: reads what was handed in, and runs the checks. It never runs a learner's code."""

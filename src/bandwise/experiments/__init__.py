"""Named experiments: a configuration in Python, run or resumed to results and a report."""

"""Named experiments: a configuration in Python, run to results and a report."""

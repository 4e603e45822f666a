"""Networks of images.

Built-in ones (`registry`) read pixels in [0, 1], or JPEG's coefficients; `SequenceCNN` is the
paper's and reads sequences of them.
"""

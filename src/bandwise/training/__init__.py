"""Training: one loop for the paper's network with its bands and for networks on images.

A run is a function of its settings and data, also where it was killed and resumed.
"""

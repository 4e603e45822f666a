"""Learn quantisation tables for a task.

    sensitivity   one pass of gradients, then an allocation: the whole curve at once
    joint         descent on the tables while the network learns too, from that start

Each gives a `Candidate` for each λ, the nats that a bit is worth. `frequency_importance` says the
same of whole frequencies, for networks that read only some.
"""

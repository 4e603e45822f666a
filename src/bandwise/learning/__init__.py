"""Learn quantisation tables for a task.

    sensitivity   one pass of gradients, then an allocation: the whole curve at once
    joint         descent on the tables while the network learns too, from that start

Each gives a `Candidate` for each λ, the nats that a bit is worth. `frequency_importance` says the
same of whole frequencies, for networks that read only some.
"""

from bandwise.learning.joint import joint_candidate
from bandwise.learning.sensitivity import (
    Candidate,
    SensitivityInput,
    fisher_information,
    frequency_importance,
    lagrangian_label,
    sensitivity_candidates,
)

__all__ = [
    "Candidate",
    "SensitivityInput",
    "fisher_information",
    "frequency_importance",
    "joint_candidate",
    "lagrangian_label",
    "sensitivity_candidates",
]

"""Learn quantisation tables for a task: three ways with one interface.

    sensitivity   one pass of gradients, then an allocation: the whole curve at once
    gradient      descent on the steps through quantisation and the network, from that start
    joint         the same while the network learns too

A :class:`Problem` holds the network and the images; each way gives a :class:`Candidate` for each
price of a bit.
"""

from bandwise.learning.codebook import (
    Kinds,
    PolicyConfig,
    codebook_candidates,
    fit_policy,
    kinds_alone,
    kinds_of,
)
from bandwise.learning.gradient import GradientConfig, gradient_candidates
from bandwise.learning.importance import frequency_importance
from bandwise.learning.joint import joint_candidate
from bandwise.learning.problem import Candidate, Listener, Problem, slope_label
from bandwise.learning.sensitivity import (
    fisher_by_image,
    fisher_information,
    sensitivity_candidates,
)

__all__ = [
    "Candidate",
    "GradientConfig",
    "Kinds",
    "Listener",
    "PolicyConfig",
    "Problem",
    "codebook_candidates",
    "fisher_by_image",
    "fisher_information",
    "fit_policy",
    "frequency_importance",
    "gradient_candidates",
    "joint_candidate",
    "kinds_alone",
    "kinds_of",
    "sensitivity_candidates",
    "slope_label",
]

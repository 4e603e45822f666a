"""Networks that tasks can use."""

from bandwise.tasks.networks.sequence_cnn import SequenceCNN

__all__ = ["SequenceCNN"]

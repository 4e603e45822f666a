"""Tasks: a network with its loss and metric. A task knows nothing of compressors."""

from bandwise.tasks.classification import Classification, Domain, per_class_accuracy

__all__ = ["Classification", "Domain", "per_class_accuracy"]

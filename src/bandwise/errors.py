"""Every exception that bandwise raises on purpose.

A message says what was asked, what arrived and what to do about it.
"""

from __future__ import annotations


class BandwiseError(Exception):
    """Base of all errors that bandwise raises on purpose."""


class ConfigurationError(BandwiseError, ValueError):
    """A setting is out of its range or contradicts another."""


class ShapeError(BandwiseError, ValueError):
    """A tensor does not have the shape that the operation needs."""


class OutputError(BandwiseError):
    """An output folder or file cannot be written."""


class CheckpointError(BandwiseError):
    """Saved state is damaged or was written by a run with another configuration."""


class DivergenceError(BandwiseError):
    """Training left the finite numbers."""


class EvaluationError(BandwiseError):
    """A codec fails at one of its settings, or decodes to another shape."""


class TargetError(BandwiseError):
    """No profile that was learned meets the target."""


class ResultsError(BandwiseError):
    """Result rows are missing, damaged or of a newer layout."""


class ModelError(BandwiseError):
    """A model fails on an image, or returns something else than it was asked for."""


class WorkerError(BandwiseError):
    """A process that did a part of the work died."""


class TableError(BandwiseError, ValueError):
    """A quantisation table has a step out of range, or another shape than 8×8."""


class CoefficientError(BandwiseError, ValueError):
    """Coefficients do not fit their image, or cannot be stored in a JPEG file."""


class ProfileError(BandwiseError, ValueError):
    """A profile is damaged, of a newer layout, or its parts do not fit together."""


class PlanError(BandwiseError, ValueError):
    """A plan is damaged, of a newer layout, or its parts do not fit together."""


class EncodingError(BandwiseError, ValueError):
    """An image has other components or another sampling than its profile is for."""


class JpegUnavailableError(BandwiseError):
    """The native JPEG extension was not built on this machine."""


class JpegError(BandwiseError):
    """JPEG data is damaged or of an unsupported kind."""


class JpegLimitError(JpegError):
    """JPEG data is larger than the limits allow."""


class DataError(BandwiseError):
    """A data set cannot be used as it is."""


class UnknownDatasetError(DataError):
    """The name is neither that of a known data set nor a folder."""


class DataNotFoundError(DataError):
    """A file or folder of a data set is missing and could not be downloaded."""


class CorruptDataError(DataError):
    """A file of a data set is damaged: wrong checksum, length or format."""


class EmptyClassError(DataError):
    """A class has no images, or too few, in one of the splits."""


class SourceChangedError(DataError):
    """A file of a data set is gone or another than when its encoding began."""


class ErrorRateError(DataError):
    """More images of a data set cannot be encoded than were allowed."""


class DamagedOutputError(DataError):
    """Files of an encoded data set are missing or not as they were written."""


class UnreadableImageError(DataError):
    """A file is not an image, is damaged, or is beyond the limits."""

"""The one hierarchy of errors. A message names the file, chain or residue and what to do next."""

__all__ = [
    "DynaProtError",
    "OutputError",
    "PredictionError",
    "StructureError",
    "TrainingDataError",
    "WeightsError",
]


class DynaProtError(Exception):
    """Anything DynaProt refuses to do. Hosts show its text to the user as it is."""


class StructureError(DynaProtError):
    """The input is no protein structure that can be predicted."""


class PredictionError(DynaProtError):
    """The prediction cannot be made: too large, unknown model, device that is not there."""


class WeightsError(DynaProtError):
    """The weights file is missing, damaged, or of another architecture."""


class OutputError(DynaProtError):
    """A result cannot be written or read back."""


class TrainingDataError(DynaProtError):
    """A source of labels, or a prepared file, cannot be used."""

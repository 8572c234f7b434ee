"""All errors of DynaProt. A message names the file, chain or residue and says what to do next."""

__all__ = [
    "DynaProtError",
    "OutputError",
    "PredictionError",
    "StructureError",
    "TrainingDataError",
    "WeightsError",
]


class DynaProtError(Exception):
    """Base of all errors of DynaProt. Hosts show its text to the user as it is."""


class StructureError(DynaProtError):
    """The input is not a protein structure that can be predicted."""


class PredictionError(DynaProtError):
    """The prediction cannot be made: the protein is too large, or the model or the device does not exist."""


class WeightsError(DynaProtError):
    """The weights file is missing, damaged, or of another architecture."""


class OutputError(DynaProtError):
    """A result cannot be written or read back."""


class TrainingDataError(DynaProtError):
    """A source of labels, or a prepared file, cannot be used."""

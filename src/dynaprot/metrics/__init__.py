"""Measures of a prediction against an ensemble: by residue, by pair, as a joint Gaussian, as conformations."""

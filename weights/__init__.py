"""Trained weights. A package, so that wheels carry it as `dynaprot.weights`; see README.md, the model card."""

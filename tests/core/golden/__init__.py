"""Predictions that every later version must repeat: what users get from each model, one file a model.

`make golden` writes the files anew. A commit that does so holds nothing else, and gives in its message the paired
evaluation of the model before and after.
"""

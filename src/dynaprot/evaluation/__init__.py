"""Evaluation: every table of the paper, beside the elastic networks and the agreement of halves of simulations."""

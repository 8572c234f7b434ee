"""How good predictions are: every table of the paper, beside the elastic networks and what the simulations allow."""

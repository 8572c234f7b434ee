"""Learning the network from simulations: labels, metrics, and the training script."""

"""What is computed from `Dynamics`: ellipsoids, couplings, modes, ensembles. No analysis imports another."""

"""What is worked out of `Dynamics`: ellipsoids, couplings, modes, chain geometry. No analysis imports another."""

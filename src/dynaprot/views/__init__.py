"""What is worked out of `Dynamics` for display. No view imports another."""

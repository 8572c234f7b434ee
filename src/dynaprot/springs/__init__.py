"""Elastic networks: those without learned parameters, and the prior whose force constants are learned."""

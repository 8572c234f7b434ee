"""The DynaProt tool, its jobs and its linked plots."""

"""The networks: learned ones in PyTorch, elastic ones in numpy."""

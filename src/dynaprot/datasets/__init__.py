"""Data sets: what simulations, conformers and crystals say about the motion of proteins, and how they are split."""

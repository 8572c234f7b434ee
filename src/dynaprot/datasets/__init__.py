"""Labels: what simulations, conformers and crystals say of a protein's motion, and how data sets are split."""

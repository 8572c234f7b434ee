"""What DynaProt reads from PyMOL's scene and draws into it; numpy comes with it, so commands load it when they run."""

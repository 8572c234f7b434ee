"""What DynaProt reads from PyMOL's scene and draws into it. It brings numpy, so commands import it when they run."""

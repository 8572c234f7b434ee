"""What the commands read from and draw into ChimeraX."""

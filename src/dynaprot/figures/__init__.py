"""Pictures of `Dynamics` with matplotlib: for print, and to point at in a host's window."""

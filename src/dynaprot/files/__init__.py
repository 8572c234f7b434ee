"""Writers: tables, structure files, trajectories, each put in place whole or not at all."""

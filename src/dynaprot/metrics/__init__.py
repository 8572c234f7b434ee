"""How near a prediction comes to what was seen: by residue, by pair, as a joint, as an ensemble."""

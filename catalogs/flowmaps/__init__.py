"""Flow maps: what flows between which places, in one shape whatever it was worked out from."""

"""Flow maps: arcs between places on a map, over years and timeslices."""

"""Flow maps: arcs between places on a map, over years and timeslices."""

#: Where browsers find a web map unless told another: OpenStreetMap's is free for modest use.
OPENSTREETMAP = "https://tile.openstreetmap.org/{Z}/{X}/{Y}.png"

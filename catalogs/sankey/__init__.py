"""Sankeys: from flows and trade to a graph that balances. Nothing here knows of Panel.

kinds.py    what flows: energy, and what else has a Sankey of its own
flows.py    what flows in a scenario and year
roles.py    the part that each process plays
graph.py    nodes and links of a picture: groups, drill-down, losses, and what was left out
services.py demands in units of their own, which energy ends in without a number
"""

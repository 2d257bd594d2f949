"""Sankeys: from flows and trade to a graph that balances. Nothing here knows of Panel.

flows.py    what flows in a scenario and year, and the part that each process and commodity plays
graph.py    nodes and links of a picture: groups, drill-down, losses, and what was left out
"""

"""Sankeys: a layout of our own and its drawing, of nodes and links whatever they stand for."""

"""One module per file format that scenarios can be exported to."""

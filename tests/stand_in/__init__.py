"""A small component in place of the real ones, to test shell, pages and server by themselves."""

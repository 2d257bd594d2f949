"""What `panel serve` is given beside the pages: command line, settings, health, static files."""

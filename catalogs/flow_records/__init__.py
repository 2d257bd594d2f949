"""Flow records: what flowed when from where to where, up to hundreds of millions of rows.

    (time, origin, destination, commodity, value)     between places
    (time, line, value)                               on the lines of a network

with a table of locations (id, name, longitude, latitude, and a hierarchy such as country > region
> bus) and, for networks, one of lines with their geometry. They come as Parquet, CSV or tables of
a DuckDB file, and are published as a dataset of their own kind:

    python -m catalogs import flows.parquet locations.csv --name NAME

An import keeps every record, and beside them a pyramid: sums by level of place and bucket of time,
so that whatever part of space and time a map shows, it asks for a few thousand sums.

recognition, tables     which files hold what, by the names of their columns
times, locations, lines what the dimensions are made of, and what was wrong with them
pairs_on_lines          records of pairs of places on the lines that join them
levels                  the hierarchy of places: the one given, else clusters in space
pyramid                 the sums
importing               all of it into one file, published
records, views          reading it: a map, a profile, totals of places
statements              the SQL behind a map, to be read and run again
"""

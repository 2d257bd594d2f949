"""The world on which flow maps are drawn: land, borders and countries, all offline.

``world_110m.json.gz``, ``world_50m.json.gz`` and ``world_10m.json.gz`` are Natural Earth's
countries and land (public domain, https://www.naturalearthdata.com) at 1:110, 1:50 and 1:10
million, as TopoJSON made by the npm package world-atlas 2.0.2 (ISC licence, Mike Bostock).
``countries.csv`` gives ISO 3166-1 codes, names and a point on land of each country;
``regions.csv`` the regions of well-known models. ``catalogs.flowmaps.geography.convert`` makes the
files again.
"""

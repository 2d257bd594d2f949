"""The demo model: a small energy system of ten Nordic and Baltic regions, and its results.

The application only ever reads ``files/``. The modules beside it make those files again
(``python -m catalogs.demo.generate``) and need scipy, a development dependency.
"""

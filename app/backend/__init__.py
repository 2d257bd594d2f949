"""The process beside the pages: the HTTP API, and the sandbox in which visitors' SQL runs.

    pages, API          ask through ``catalogs.sql.service.SqlService``; ``client`` speaks to
    the backend         one process of FastAPI: queue, limits, log, links of exports (``sandbox``),
    its warm parent     ``zygote``: has everything imported and nothing opened, forks
    workers             ``worker``: one dataset opened read-only, no rights, no network, no files;
                        the gate (``gate``) and the query run there and nowhere else

``python -m app.backend`` runs it alone; ``app.server`` starts one where none is named.
"""

"""SQL that visitors write: the interface through which it is asked, and what may stand in it.

The interface is ``catalogs.sql.service.SqlService``. Nothing here runs a visitor's SQL: that is
done in processes of their own, see ``app.backend``.
"""

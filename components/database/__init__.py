"""SQL in a page: schema, editor, results, charts, history. It runs no SQL itself."""

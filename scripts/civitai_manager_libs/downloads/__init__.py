"""Many files: which are to be fetched, fetched together, what became of them.

Stands on http_client (for its slots), store, civitai and errors. `plan` is pure.

plan    downloads as values: jobs, results, reports
batch   many downloads at once
"""

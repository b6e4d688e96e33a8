"""Many files: which are to be fetched, fetched together, what became of them.

Stands on http_client (for its slots and flights), setting, store, civitai, forks and errors.
`ahead` and `plan` are pure. From the top down:

batch      many downloads at once, each with its result
crew       threads that work on jobs
keeping    one file that a person keeps
originals  one original, by whichever of its addresses it can be had
ahead      which pictures to fetch before anybody asks for them
presence   whether a file is there, as far as can be told
plan       downloads as values: jobs, results, reports
"""

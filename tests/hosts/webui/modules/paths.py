"""Where a WebUI keeps its things; `run.py` fills this in before anything else is imported."""

data_path = ''
models_path = ''

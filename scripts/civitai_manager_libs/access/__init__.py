"""Who asks, and what that one may do. Stands on setting; knows no gradio and no web framework.

`door`, `signs` and `table` are pure. From the top down:

guard   the door as middleware of the standalone app
owner   whether a request is the owner's, found when it arrives and carried along with it
door    which requests the standalone app answers
table   whose a connection is, read from the text of the kernel's tables
signs   what a request's own headers say: which name was called, which page asked
"""

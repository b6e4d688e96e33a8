"""What an extension finds of a WebUI: just the part that the gallery uses."""

"""How fast we are, measured beside other programs on the same pictures from the same server."""

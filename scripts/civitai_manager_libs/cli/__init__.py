"""The command line. Stands on downloads and api, and never loads gradio.

main   `download`: keep the pictures of a link
"""

"""The command line. Stands on downloads and api, and never loads gradio.

main     `download`: keep the pictures of links
telling  what became of each, for people and for programs
"""

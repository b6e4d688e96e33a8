"""The command line. Stands on downloads, archive and api, and never loads gradio.

main        the words: arguments in, exit code out
tables      what `export` and `import-table` do
needs       what `models missing` does
shelf       what `models scan`, `list`, `updates` and `verify` do
fetching    what `model` does, and `resume` of such a job
gallery     what `download`, `resume` and `retry` do
overview    what `jobs` does, and which jobs `resume` goes on with
upkeep      what `verify`, `login`, `config` and `cache` do
reports     what came of a word of `models`, for people and for programs
running     several things done one after another, and how the program ends
bars        what is shown on a terminal while it runs
screens     the same in a pipe, and for a program
totals      what became of several things together, for programs
modelparts  what became of a model file, for people and for programs
telling     what became of each gallery, the same
manual      the help of each word
options     what may be said on the command line
saying      lines for a person to read, on a terminal that they cannot steer
"""

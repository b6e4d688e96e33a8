"""Bytes on this disk: what they are, what they are called, how they become files.

Stands on civitai, errors and forks; knows no network. `carriers`, `exif`, `templates`, `names`,
`walks`, `ends` and `media` are pure. From the top down:

embed      how a picture was made, into its file
sidecars   ... into files beside it
tables     tables that are written as their rows come
parquet    ... in Parquet, where pyarrow is installed
cache      the picture cache: whose folder it is, and how large it may get
partial    part files that outlive their process
claims     names for files that a person keeps: whoever comes first has one
private    small files of the owner's: one writer at a time
weights    model files: what is none, and what says that it is not whole
suffixes   picture files whatever their extension, and the one that their bytes call for
files      files that are whole or not there at all
reasons    why the system refuses a file, as a sentence of our own
opening    whether a picture can be opened
parts      names of files that are being written, and whose they are
carriers   where a text goes in a file of each kind that carries one
exif       a comment put into an Exif block
embedded   the texts that programs write into a picture
templates  names of files after a pattern that a person wrote
names      safe file and folder names out of text that strangers wrote
walks      whether a file is all there, told by a walk through it
ends       ... told from its first and last bytes
media      the type of a picture, video or sound, told from its bytes
"""

"""What was seen and what was kept, in one SQLite file of the data folder.

Stands on setting, store, civitai, notices, forks and errors; the only importer of sqlite3. From the
top down:

place      the archive of this process
rebuild    what can be known again after the file was lost, out of the folders
beside     files that we wrote beside pictures
places     the places that pictures have in a job; what of it is to be done again
shortlist  the best pictures of several listings, of which a job keeps so many
kept       what a job kept, page by page
models     model files that are fetched: which, how far, what became of each
jobs       galleries that are kept whole: what was asked, how far it is, what is missing
identity   whether the job of a number is still the same
holdings   the model files on this disk, and which each one is
marks      favourites, and pictures not to be seen again
saved      files that a person keeps, and which picture each one is
pictures   pictures as galleries listed them
causes     why something failed, as text
answers    what Civitai said of models and versions
database   the file: its schema, threads, programs, damage
folders    the one name of a folder; the plain list of those that files were saved to
schema     the tables, and how they came to be what they are
"""

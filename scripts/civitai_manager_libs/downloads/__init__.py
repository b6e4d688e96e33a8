"""Many files: which are to be fetched, fetched together, what became of them.

Stands on api, http_client, archive, setting, store, civitai, forks and
errors. `ahead`, `pieces` and `plan` are pure. From the top down:

queue          the whole galleries of this process, one after another in the background
modeljobs      the model files of this process, one after another in the background
getting        a model file as a job: where it goes, fetched, noted, with its companions
line           jobs one after another in the background: begun, stopped, gone on with
beginning      the job of a whole gallery begins, or the one that was left goes on
whole          whole galleries, as jobs that can be gone on with
checking       whether the files of a folder are what they were
exporting      pictures as rows of a table
importing      what img2dataset kept by such a table
offline        what a job kept, found again and shown without asking anybody
naming         what the pictures of a job are called, and which lie there
listing        the galleries of a job, listed into the archive
best           the best pictures of all versions, where a job keeps so many
batch          many downloads at once, each with its result
crew           threads that work on jobs
models         one model file, whole
segments       one large file over several connections, gone on with after a break
arrival        a file that arrives in pieces
leftover       what is left of a file that did not come whole
digest         the SHA256 of a file that is still coming
bringing       the pictures of a job, with what is to be written into them
keeping        one file that a person keeps
reuse          pictures that were saved before, used again instead of fetched
annotating     how pictures were made, written into them and beside them
originals      one original, by whichever of its addresses it can be had
elsewhere      where a picture is already, in another folder
positions      the places of pictures in their posts
version_names  what versions are called that pictures name by their ids
ahead          which pictures to fetch before anybody asks for them
presence       whether a file is there, as far as can be told
running        a job that runs here: how fast it is, what it waits for
standing       how far a job is, and what became of it, for a program and for a person
bothends       a gallery listed from both its ends, and where these meet
circles        whether a listing still tells anything new
rate           how fast all model files together may come
pieces         which bytes of a file are there, and who fetches the rest
queries        what a lane of a job asks for, as it is kept
wanted         which pictures of a gallery, and what they are called
plan           downloads as values: jobs, results, reports
"""

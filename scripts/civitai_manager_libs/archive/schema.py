"""The tables of the archive. Each step leads from one version of the schema to the next.

A step that was ever in use stays as it is; what changes is a further step. Times are seconds since
1970, sizes bytes, paths absolute. What Civitai said is kept as its JSON.
"""

from __future__ import annotations

_FIRST = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE pictures (
    id INTEGER PRIMARY KEY,
    stem TEXT NOT NULL,            -- what the address alone says the picture is: its UUID, mostly
    url TEXT NOT NULL,
    kind TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    level INTEGER NOT NULL,
    username TEXT NOT NULL,
    post_id INTEGER NOT NULL,
    base_model TEXT NOT NULL,
    created_at TEXT NOT NULL,
    reactions INTEGER NOT NULL,
    meta TEXT NOT NULL,
    seen_at REAL NOT NULL,
    is_gone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX pictures_by_stem ON pictures (stem);
CREATE INDEX pictures_by_post ON pictures (post_id);

CREATE TABLE saved (
    path BLOB PRIMARY KEY,         -- as the system has it; a name need not be text
    stem TEXT NOT NULL,
    picture_id INTEGER NOT NULL,   -- 0: saved by an address of which no id is known
    bytes INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,   -- when it was written: tells, with its size, that it is the same
    sha256 TEXT NOT NULL,
    saved_at REAL NOT NULL
);
CREATE INDEX saved_by_stem ON saved (stem);
CREATE INDEX saved_by_picture ON saved (picture_id);
CREATE INDEX saved_by_hash ON saved (sha256);

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- none comes again, whoever still works on it
    asked TEXT NOT NULL,
    folder TEXT NOT NULL,
    state TEXT NOT NULL,
    made_at REAL NOT NULL,
    changed_at REAL NOT NULL
);

CREATE TABLE lanes (               -- one listing of a job: a version of a model, say
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    query TEXT NOT NULL,
    cursor TEXT NOT NULL DEFAULT '',
    pages INTEGER NOT NULL DEFAULT 0,
    items INTEGER NOT NULL DEFAULT 0,
    hidden INTEGER NOT NULL DEFAULT 0,      -- these four count pictures that were left out,
    surplus INTEGER NOT NULL DEFAULT 0,     -- see civitai.gallery.ImagePage
    foreign_ INTEGER NOT NULL DEFAULT 0,
    unreadable INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'open',
    PRIMARY KEY (job_id, number)
) WITHOUT ROWID;

CREATE TABLE listed (              -- the pictures of a job, in the order they were first seen
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    picture_id INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    state TEXT NOT NULL,
    path BLOB NOT NULL DEFAULT x'',
    tries INTEGER NOT NULL DEFAULT 0,
    cause TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (job_id, place)
) WITHOUT ROWID;
CREATE UNIQUE INDEX listed_once ON listed (job_id, picture_id);
CREATE INDEX listed_by_state ON listed (job_id, state, place);

CREATE TABLE gaps (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    lane INTEGER NOT NULL,
    cause TEXT NOT NULL,
    UNIQUE (job_id, lane, cause)
);

CREATE TABLE answers (kind TEXT, id INTEGER, body TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (kind, id)) WITHOUT ROWID;
"""

# mark: random, as the successor of a lost archive numbers its jobs from 1 again. begins_anew: what
# is listed is of before, see `places`. undated: left out because a time was asked for. shortlist:
# the best so far of a job that keeps the best of several lanes.
_SECOND = """
ALTER TABLE jobs ADD COLUMN mark TEXT NOT NULL DEFAULT '';
UPDATE jobs SET mark = lower(hex(randomblob(8)));
ALTER TABLE jobs ADD COLUMN begins_anew INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lanes ADD COLUMN undated INTEGER NOT NULL DEFAULT 0;

CREATE TABLE shortlist (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    picture_id INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    worth REAL NOT NULL,
    turn INTEGER NOT NULL,
    PRIMARY KEY (job_id, picture_id)
) WITHOUT ROWID;
"""

# item: all that Civitai said of a picture and no other column has. came_sha256: of the bytes as
# they came, before a prompt was put into them; sha256 is of the file as it is. embedded: what
# became of the prompt, see store.carriers; '': none was to go in. beside: files that we wrote
# beside pictures, as we wrote them.
_THIRD = """
ALTER TABLE pictures ADD COLUMN item TEXT NOT NULL DEFAULT '{}';
ALTER TABLE saved ADD COLUMN came_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE saved ADD COLUMN embedded TEXT NOT NULL DEFAULT '';
UPDATE saved SET came_sha256 = sha256;
DROP INDEX saved_by_hash;
CREATE INDEX saved_by_hash ON saved (came_sha256);

CREATE TABLE beside (
    path BLOB PRIMARY KEY,
    sha256 TEXT NOT NULL
) WITHOUT ROWID;
"""

# The jobs whose file is a model's. done: bytes that are there so far.
_FOURTH = """
CREATE TABLE models (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    version_id INTEGER NOT NULL,
    file_id INTEGER NOT NULL,
    takes_suspect INTEGER NOT NULL,
    title TEXT NOT NULL,
    path BLOB NOT NULL,            -- as the system has it
    size INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    sha256 TEXT NOT NULL DEFAULT '',
    is_verified INTEGER NOT NULL DEFAULT 0,
    cause TEXT NOT NULL DEFAULT ''
);
"""

# holdings: the model files that a person has, see there. sha256 and tensors in lower case.
_FIFTH = """
CREATE TABLE holdings (
    path BLOB PRIMARY KEY,
    stem TEXT NOT NULL,
    kind TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    tensors TEXT NOT NULL,
    version_id INTEGER NOT NULL,
    model_id INTEGER NOT NULL,
    told_by TEXT NOT NULL,
    asked_at REAL NOT NULL,
    seen_at REAL NOT NULL
);
CREATE INDEX holdings_by_stem ON holdings (stem);
CREATE INDEX holdings_by_sha256 ON holdings (sha256);
CREATE INDEX holdings_by_tensors ON holdings (tensors);
CREATE INDEX holdings_by_version ON holdings (version_id);
"""

# marks: what a person thinks of pictures, see there. By each id, as a picture may be unknown.
_SIXTH = """
CREATE TABLE marks (
    picture_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (picture_id, kind)
) WITHOUT ROWID;
CREATE INDEX marks_by_kind ON marks (kind, at);
"""

STEPS: tuple[str, ...] = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH)

-- An archive of version 6 of the schema, as SQLite dumps it. It stays as it is for good.
BEGIN TRANSACTION;
CREATE TABLE answers (kind TEXT, id INTEGER, body TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (kind, id)) WITHOUT ROWID;
INSERT INTO "answers" VALUES('model',1,'{"id": 1, "name": "Wren"}',1.79564826121032071115e+09);
CREATE TABLE beside (
    path BLOB PRIMARY KEY,
    sha256 TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "beside" VALUES(X'2F6B6570742F7772656E2F312E747874','efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef');
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE gaps (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    lane INTEGER NOT NULL,
    cause TEXT NOT NULL,
    UNIQUE (job_id, lane, cause)
);
INSERT INTO "gaps" VALUES(1,1,'{"key": "error_not_found", "status": 404, "detail": "none", "values": {}, "kind": "NotFoundError"}');
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
INSERT INTO "holdings" VALUES(X'2F6D6F64656C732F4C6F72612F5772656E2E7361666574656E736F7273','wren','LORA',8,1795648261200000000,'abababababababababababababababababababababababababababababababab','cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd',20,10,'hash',0.0,1795648261.5);
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    asked TEXT NOT NULL,
    folder TEXT NOT NULL,
    state TEXT NOT NULL,
    made_at REAL NOT NULL,
    changed_at REAL NOT NULL
, mark TEXT NOT NULL DEFAULT '', begins_anew INTEGER NOT NULL DEFAULT 0);
INSERT INTO "jobs" VALUES(1,'{"source": "https://civitai.com/models/1", "levels": 1, "limit": 0}',X'2F6B6570742F7772656E','stopped',1.79564826120256924631e+09,1.79564826121019744872e+09,'9c1f8a03d2b47e65',0);
INSERT INTO "jobs" VALUES(2,'{"model_version": 7}',X'2F6B6570742F6D6F64656C73','waiting',1.79568148847144627572e+09,1.79568148847144627572e+09,'646df56956a4e379',0);
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
    state TEXT NOT NULL DEFAULT 'open', undated INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, number)
) WITHOUT ROWID;
INSERT INTO "lanes" VALUES(1,1,'{"model_id": 0, "version_id": 7, "username": "", "user_id": 0, "post_id": 0, "image_id": 0, "ids": [], "limit": 200, "levels": 1, "sort": "Newest", "period": "AllTime", "type": "", "tags": [], "base_models": [], "as_posted": false, "with_tags": false}','c1',1,4,2,0,0,0,'open',0);
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
INSERT INTO "listed" VALUES(1,1,1,1,'saved',X'2F6B6570742F7772656E2F312E6A706567',1,'');
INSERT INTO "listed" VALUES(1,2,2,1,'failed',X'',1,'{"key": "error_disk_full", "status": null, "detail": "", "values": {"folder": "/kept"}, "kind": "StorageError"}');
INSERT INTO "listed" VALUES(1,3,3,1,'gone',X'',1,'{"key": "error_not_found", "status": 404, "detail": "", "values": {}, "kind": "NotFoundError"}');
INSERT INTO "listed" VALUES(1,4,4,1,'to_do',X'',0,'');
CREATE TABLE marks (
    picture_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (picture_id, kind)
) WITHOUT ROWID;
INSERT INTO "marks" VALUES(1,'favourite',1795681488.5);
INSERT INTO "marks" VALUES(2,'hidden',1795681488.5);
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
INSERT INTO "models" VALUES(2,7,70,0,'Wren · v1',X'2F6B6570742F6D6F64656C732F7772656E2E7361666574656E736F7273',300,100,'',0,'');
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
, item TEXT NOT NULL DEFAULT '{}');
INSERT INTO "pictures" VALUES(1,'1-dded84af','https://image.civitai.com/k/1/original=true/1.jpeg','image',0,0,0,'wren',0,'','',0,'{"seed": 1}',1.79564826120832753183e+09,0,'{"hash": "UKO2"}');
INSERT INTO "pictures" VALUES(2,'2-523c0c7e','https://image.civitai.com/k/2/original=true/2.jpeg','image',0,0,0,'wren',0,'','',0,'{"seed": 2}',1.79564826120832753183e+09,0,'{}');
INSERT INTO "pictures" VALUES(3,'3-7e4fb5a6','https://image.civitai.com/k/3/original=true/3.jpeg','image',0,0,0,'wren',0,'','',0,'{"seed": 3}',1.79564826120832753183e+09,1,'{}');
INSERT INTO "pictures" VALUES(4,'4-b3f55d85','https://image.civitai.com/k/4/original=true/4.jpeg','image',0,0,0,'wren',0,'','',0,'{"seed": 4}',1.79564826120832753183e+09,0,'{}');
CREATE TABLE saved (
    path BLOB PRIMARY KEY,         -- as the system has it; a name need not be text
    stem TEXT NOT NULL,
    picture_id INTEGER NOT NULL,   -- 0: saved by an address of which no id is known
    bytes INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,   -- when it was written: tells, with its size, that it is the same
    sha256 TEXT NOT NULL,
    saved_at REAL NOT NULL
, came_sha256 TEXT NOT NULL DEFAULT '', embedded TEXT NOT NULL DEFAULT '');
INSERT INTO "saved" VALUES(X'2F6B6570742F7772656E2F312E6A706567','1',1,5,7,'abababababababababababababababababababababababababababababababab',1.79564826121023750305e+09,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','WRITTEN');
CREATE TABLE shortlist (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    picture_id INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    worth REAL NOT NULL,
    turn INTEGER NOT NULL,
    PRIMARY KEY (job_id, picture_id)
) WITHOUT ROWID;
INSERT INTO "shortlist" VALUES(1,1,1,3.0,0);
CREATE INDEX pictures_by_stem ON pictures (stem);
CREATE INDEX pictures_by_post ON pictures (post_id);
CREATE INDEX saved_by_stem ON saved (stem);
CREATE INDEX saved_by_picture ON saved (picture_id);
CREATE UNIQUE INDEX listed_once ON listed (job_id, picture_id);
CREATE INDEX listed_by_state ON listed (job_id, state, place);
CREATE INDEX saved_by_hash ON saved (came_sha256);
CREATE INDEX holdings_by_stem ON holdings (stem);
CREATE INDEX holdings_by_sha256 ON holdings (sha256);
CREATE INDEX holdings_by_tensors ON holdings (tensors);
CREATE INDEX holdings_by_version ON holdings (version_id);
CREATE INDEX marks_by_kind ON marks (kind, at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('jobs',2);
COMMIT;
PRAGMA user_version = 6;

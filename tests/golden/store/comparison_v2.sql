PRAGMA application_id = 1953853027;
PRAGMA user_version = 2;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE comparison (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL,
  document TEXT NOT NULL,
  document_text TEXT NOT NULL,
  folder TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  facts TEXT NOT NULL
) STRICT;
CREATE TABLE models (
  number INTEGER PRIMARY KEY CHECK (number >= 1),
  approach TEXT NOT NULL,
  role TEXT NOT NULL,
  study TEXT NOT NULL,
  trial INTEGER NOT NULL,
  validation REAL NOT NULL,
  folder TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  UNIQUE (study, trial)
) STRICT;
CREATE TABLE scorings (
  number INTEGER PRIMARY KEY CHECK (number >= 1),
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  result TEXT NOT NULL
) STRICT;
CREATE TABLE predictions (
  scoring INTEGER NOT NULL REFERENCES scorings (number),
  model INTEGER NOT NULL REFERENCES models (number),
  sha256 TEXT NOT NULL,
  seconds REAL NOT NULL,
  facts TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (scoring, model)
) STRICT, WITHOUT ROWID;
INSERT INTO comparison VALUES(1,'steel','{"comparison":"steel"}','{ "comparison": "steel" }','/data/studies',1700000000000,'{"weights":{"legacy":""}}');
INSERT INTO models VALUES(1,'legacy','defaults','steel.legacy.defaults',1,0.25,'steel.legacy.defaults/trials/1/attempts/1/output','aa');
INSERT INTO models VALUES(2,'legacy','defaults','steel.legacy.defaults',2,0.5,'steel.legacy.defaults/trials/2/attempts/1/output','bb');
INSERT INTO scorings VALUES(1,1700000001000,1700000002000,'{"images":120}');
INSERT INTO predictions VALUES(1,1,'cc',1.5,'{"parameters":28300000}');
INSERT INTO predictions VALUES(1,2,'dd',1.25,'{}');
CREATE TRIGGER frozen_models_never_change BEFORE UPDATE ON models
BEGIN SELECT RAISE(ABORT, 'a frozen model never changes'); END;
CREATE TRIGGER frozen_models_are_never_deleted BEFORE DELETE ON models
BEGIN SELECT RAISE(ABORT, 'a frozen model never changes'); END;
CREATE TRIGGER ended_scorings_never_change BEFORE UPDATE ON scorings WHEN OLD.ended_ms IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a scoring never changes'); END;
CREATE TRIGGER scorings_are_never_deleted BEFORE DELETE ON scorings
BEGIN SELECT RAISE(ABORT, 'scorings are counted'); END;
COMMIT;

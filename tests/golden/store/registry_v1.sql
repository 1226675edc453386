PRAGMA application_id = 1953853037;
PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE versions (
  model TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version >= 1),
  created_ms INTEGER NOT NULL,
  study TEXT NOT NULL,
  trial INTEGER NOT NULL,
  metric TEXT NOT NULL,
  goal TEXT NOT NULL CHECK (goal IN ('minimize', 'maximize')),
  reduce TEXT NOT NULL CHECK (reduce IN ('last', 'best', 'min', 'max')),
  value ANY NOT NULL CHECK (typeof(value) = 'real' OR value IN ('NaN', 'Infinity', '-Infinity')),
  lineage TEXT NOT NULL,
  PRIMARY KEY (model, version)
) STRICT, WITHOUT ROWID;
INSERT INTO versions VALUES('steel-detector',1,1700000070000,'steel-legacy',1,'validation:mAP','maximize','best',0.41249999999999997779,'{"parameters":{"batch_size":8,"learning_rate":0.001,"optimizer":"sgd"}}');
CREATE TABLE files (
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  path TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (model, version, path),
  FOREIGN KEY (model, version) REFERENCES versions (model, version)
) STRICT, WITHOUT ROWID;
INSERT INTO files VALUES('steel-detector',1,'labels.json',95,'9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08');
INSERT INTO files VALUES('steel-detector',1,'weights.safetensors',23500000,'60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752');
CREATE TABLE current (
  model TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  FOREIGN KEY (model, version) REFERENCES versions (model, version)
) STRICT, WITHOUT ROWID;
INSERT INTO "current" VALUES('steel-detector',1);
CREATE TABLE promotions (
  id INTEGER PRIMARY KEY,
  model TEXT NOT NULL,
  from_version INTEGER NOT NULL,
  to_version INTEGER NOT NULL,
  reason TEXT NOT NULL,
  evidence TEXT NOT NULL,
  time_ms INTEGER NOT NULL,
  FOREIGN KEY (model, to_version) REFERENCES versions (model, version)
) STRICT;
INSERT INTO promotions VALUES(1,'steel-detector',0,1,'the first version','{"candidate":0.4125}',1700000070001);
CREATE TRIGGER versions_never_change BEFORE UPDATE ON versions
BEGIN SELECT RAISE(ABORT, 'a version never changes'); END;
CREATE TRIGGER files_never_change BEFORE UPDATE ON files
BEGIN SELECT RAISE(ABORT, 'the files of a version never change'); END;
CREATE TRIGGER promotions_never_change BEFORE UPDATE ON promotions
BEGIN SELECT RAISE(ABORT, 'the log of promotions never changes'); END;
CREATE TRIGGER promotions_are_never_deleted BEFORE DELETE ON promotions
BEGIN SELECT RAISE(ABORT, 'the log of promotions never changes'); END;
COMMIT;

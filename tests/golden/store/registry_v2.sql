PRAGMA application_id = 1953853037;
PRAGMA user_version = 2;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE aliases (  model TEXT NOT NULL,  alias TEXT NOT NULL,  version INTEGER NOT NULL,  PRIMARY KEY (model, alias),  FOREIGN KEY (model, version) REFERENCES versions (model, version)) STRICT, WITHOUT ROWID;
INSERT INTO "aliases" VALUES('steel-detector','champion',2);
INSERT INTO "aliases" VALUES('steel-detector','current',1);
CREATE TABLE files (
  model TEXT NOT NULL,
  version INTEGER NOT NULL,
  path TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (model, version, path),
  FOREIGN KEY (model, version) REFERENCES versions (model, version)
) STRICT, WITHOUT ROWID;
INSERT INTO "files" VALUES('steel-detector',1,'labels.json',95,'9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08');
INSERT INTO "files" VALUES('steel-detector',1,'weights.safetensors',23500000,'60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752');
INSERT INTO "files" VALUES('steel-detector',2,'labels.json',95,'9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08');
INSERT INTO "files" VALUES('steel-detector',2,'weights.safetensors',23500000,'60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752');
CREATE TABLE promotions (  id INTEGER PRIMARY KEY,  model TEXT NOT NULL,  alias TEXT NOT NULL,  from_version INTEGER NOT NULL,  to_version INTEGER NOT NULL,  outcome TEXT NOT NULL CHECK (outcome IN ('moved', 'removed', 'refused')),  who TEXT NOT NULL,  reason TEXT NOT NULL,  evidence TEXT NOT NULL,  time_ms INTEGER NOT NULL) STRICT;
INSERT INTO "promotions" VALUES(1,'steel-detector','current',0,1,'moved','','the first version','{"candidate":0.4125}',1700000070001);
INSERT INTO "promotions" VALUES(2,'steel-detector','champion',0,2,'moved','ada@host','it passed the gate','{"gate":{"passes":true}}',1700000071001);
INSERT INTO "promotions" VALUES(3,'steel-detector','champion',2,3,'refused','ada@host','AP 0.2 is below 0.4','{"gate":{"passes":false}}',1700000072001);
INSERT INTO "promotions" VALUES(4,'steel-detector','staging',1,0,'removed','ada@host','nobody needs it','{}',1700000073001);
CREATE TABLE remarks (  id INTEGER PRIMARY KEY,  model TEXT NOT NULL,  version INTEGER NOT NULL,  kind TEXT NOT NULL CHECK (kind IN ('note', 'pending', 'approved', 'rejected', 'deleted')),  text TEXT NOT NULL,  who TEXT NOT NULL,  time_ms INTEGER NOT NULL,  FOREIGN KEY (model, version) REFERENCES versions (model, version)) STRICT;
INSERT INTO "remarks" VALUES(1,'steel-detector',2,'approved','','ada@host',1700000071000);
INSERT INTO "remarks" VALUES(2,'steel-detector',2,'note','trained on the new line','ada@host',1700000071100);
INSERT INTO "remarks" VALUES(3,'steel-detector',3,'deleted','','ada@host',1700000074000);
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
INSERT INTO "versions" VALUES('steel-detector',1,1700000070000,'steel-legacy',1,'validation:mAP','maximize','best',0.4125,'{"parameters":{"batch_size":8,"learning_rate":0.001,"optimizer":"sgd"}}');
INSERT INTO "versions" VALUES('steel-detector',2,1700000071000,'steel-legacy',5,'validation:mAP','maximize','best',0.45,'{"parameters":{"batch_size":8,"learning_rate":0.001,"optimizer":"sgd"}}');
INSERT INTO "versions" VALUES('steel-detector',3,1700000072000,'',0,'','maximize','best','NaN','{"imported":{"file":"model.tar.gz"}}');
CREATE TRIGGER promotions_never_change BEFORE UPDATE ON promotions BEGIN SELECT RAISE(ABORT, 'the log of promotions never changes'); END;
CREATE TRIGGER promotions_are_never_deleted BEFORE DELETE ON promotions BEGIN SELECT RAISE(ABORT, 'the log of promotions never changes'); END;
CREATE INDEX remarks_of_versions ON remarks (model, version);
CREATE TRIGGER remarks_never_change BEFORE UPDATE ON remarks BEGIN SELECT RAISE(ABORT, 'what was said of a version never changes'); END;
CREATE TRIGGER remarks_are_never_deleted BEFORE DELETE ON remarks BEGIN SELECT RAISE(ABORT, 'what was said of a version never changes'); END;
CREATE TRIGGER versions_never_change BEFORE UPDATE ON versions
BEGIN SELECT RAISE(ABORT, 'a version never changes'); END;
CREATE TRIGGER files_never_change BEFORE UPDATE ON files
BEGIN SELECT RAISE(ABORT, 'the files of a version never change'); END;
COMMIT;

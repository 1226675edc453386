PRAGMA application_id = 1953853043;
PRAGMA user_version = 4;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE study (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL,
  spec TEXT NOT NULL,
  spec_text TEXT NOT NULL,
  folder TEXT NOT NULL,
  seed INTEGER NOT NULL,
  metric TEXT NOT NULL,
  goal TEXT NOT NULL CHECK (goal IN ('minimize', 'maximize')),
  reduce TEXT NOT NULL CHECK (reduce IN ('last', 'best', 'min', 'max')),
  limits TEXT NOT NULL,
  state TEXT NOT NULL,
  finish_reason TEXT NOT NULL,
  elapsed_seconds REAL NOT NULL,
  facts TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
) STRICT;
INSERT INTO study VALUES(1,'steel-legacy','{"limits":{"trials":8},"study":"steel-legacy"}',replace('{ "study": "steel-legacy",\n  "limits": {"trials": 8} }\n','\n',char(10)),'/data/specs',-9,'validation:mAP','maximize','best','{"trials":8}','running','',0.0,'{"version":"0.1.0"}',1700000000000,1700000000001);
CREATE TABLE trials (
  number INTEGER PRIMARY KEY CHECK (number >= 1),
  parameters TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'paused', 'completed', 'stopped', 'failed')),
  budget REAL NOT NULL,
  note TEXT NOT NULL,
  reason TEXT NOT NULL,
  failure TEXT NOT NULL,
  objective_values TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  started_ms INTEGER,
  ended_ms INTEGER,
  cut TEXT NOT NULL DEFAULT '',
  facts TEXT NOT NULL DEFAULT '{}'
) STRICT;
INSERT INTO trials VALUES(1,'{"batch_size":8,"learning_rate":0.001,"optimizer":"sgd"}','completed',1.0,'Sobol point 1','','','[0.4125]',1,1700000000010,1700000000011,1700000000015,'trial_time','{}');
INSERT INTO trials VALUES(2,'{"batch_size":8,"learning_rate":0.002,"optimizer":"sgd"}','failed',1.0,'Sobol point 2','the loss is not finite','non_finite','[]',1,1700000000020,1700000000021,1700000000022,'','{"replicate_of":1}');
INSERT INTO trials VALUES(3,'{"batch_size":8,"learning_rate":0.003,"optimizer":"sgd"}','stopped',1.0,'Sobol point 3','worse than the median of 3 trials at step 2','','[0.125]',1,1700000000030,1700000000031,1700000000035,'','{}');
INSERT INTO trials VALUES(4,'{"batch_size":8,"learning_rate":0.004,"optimizer":"sgd"}','running',1.0,'Sobol point 4','','','[]',2,1700000000040,1700000000041,NULL,'','{}');
CREATE TABLE attempts (
  trial INTEGER NOT NULL REFERENCES trials (number),
  attempt INTEGER NOT NULL CHECK (attempt >= 1),
  token TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('starting', 'running', 'exited', 'lost')),
  supervisor_pid INTEGER NOT NULL,
  supervisor_start_time INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  devices TEXT NOT NULL,
  threads INTEGER NOT NULL,
  metrics_offset INTEGER NOT NULL,
  exit_code INTEGER,
  signal INTEGER,
  stop TEXT NOT NULL,
  reason TEXT NOT NULL,
  lease_seconds REAL NOT NULL,
  cpu_seconds REAL NOT NULL,
  max_rss_bytes INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  started_ms INTEGER,
  ended_ms INTEGER,
  facts TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (trial, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO attempts VALUES(1,1,'0123456789abcdef','exited',4711,1234567,'1b4e28ba-2fa1-11d2-883f-0016d3cca427','[]',2,210,0,NULL,'','',61.5,120.24999999999999999,734003200,1700000000011,1700000000012,1700000061512,'{"overrides":{"batch_size":4},"peak_device_memory":1073741824}');
INSERT INTO attempts VALUES(2,1,'0123456789abcdef','exited',0,0,'','[]',0,0,76,NULL,'','',3.0,0.0,0,1700000000021,NULL,NULL,'{}');
INSERT INTO attempts VALUES(3,1,'0123456789abcdef','exited',0,0,'','[]',0,0,NULL,15,'rule','worse than the median of 3 trials at step 2',20.0,0.0,0,1700000000031,NULL,NULL,'{}');
INSERT INTO attempts VALUES(4,1,'0123456789abcdef','lost',0,0,'','[]',0,0,NULL,NULL,'','the machine was restarted',0.0,0.0,0,1700000000041,NULL,NULL,'{}');
INSERT INTO attempts VALUES(4,2,'fedcba9876543210','running',0,0,'','["GPU-1"]',0,0,NULL,NULL,'','',0.0,0.0,0,1700000000042,NULL,NULL,'{}');
CREATE TABLE metric_names (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO metric_names VALUES(1,'validation:mAP');
INSERT INTO metric_names VALUES(2,'train:loss');
CREATE TABLE metrics (
  metric INTEGER NOT NULL REFERENCES metric_names (id),
  trial INTEGER NOT NULL REFERENCES trials (number),
  step INTEGER NOT NULL,
  value ANY NOT NULL CHECK (typeof(value) = 'real' OR value IN ('NaN', 'Infinity', '-Infinity')),
  attempt INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  PRIMARY KEY (metric, trial, step)
) STRICT, WITHOUT ROWID;
INSERT INTO metrics VALUES(1,1,1,0.29999999999999998889,1,1700000001001);
INSERT INTO metrics VALUES(1,1,2,0.41249999999999997779,1,1700000001002);
INSERT INTO metrics VALUES(1,1,3,0.4000000000000000222,1,1700000001003);
INSERT INTO metrics VALUES(1,2,1,'NaN',1,1700000002001);
INSERT INTO metrics VALUES(1,2,2,'-Infinity',1,1700000002002);
INSERT INTO metrics VALUES(2,1,1,2.5,1,1700000001001);
CREATE TABLE earlier_trials (
  id INTEGER PRIMARY KEY,
  study TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('identical', 'transfer')),
  number INTEGER NOT NULL,
  parameters TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('completed', 'stopped', 'failed')),
  budget REAL NOT NULL,
  failure TEXT NOT NULL,
  objective_values TEXT NOT NULL,
  UNIQUE (study, number)
) STRICT;
INSERT INTO earlier_trials VALUES(1,'steel-2023','identical',2,'{"batch_size":16,"learning_rate":0.01,"optimizer":"sgd"}','completed',1.0,'','[0.5]');
INSERT INTO earlier_trials VALUES(2,'steel-2023','identical',3,'{"batch_size":32,"learning_rate":0.1,"optimizer":"sgd"}','failed',1.0,'oom','[]');
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  time_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  trial INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT;
INSERT INTO events VALUES(1,1700000000000,'study_started',0,0,'{"message":"study_started"}');
INSERT INTO events VALUES(2,1700000000000,'trial_queued',1,0,'{"message":"trial_queued"}');
INSERT INTO events VALUES(3,1700000000000,'trial_finished',1,0,'{"message":"trial_finished"}');
INSERT INTO events VALUES(4,1700000000000,'trial_rescanned',2,1,'{"before":{"failure":"non_finite","reason":"it was not finite","state":"failed","values":[]},"message":"trial_rescanned"}');
CREATE TRIGGER finished_trials_never_change BEFORE UPDATE ON trials WHEN OLD.state IN ('completed', 'stopped', 'failed') AND NOT EXISTS (  SELECT 1 FROM events WHERE id = (SELECT max(id) FROM events) AND trial = OLD.number  AND kind IN ('trial_reopened', 'trial_rescanned', 'trial_deleted')  AND json_extract(data, '$.before.state') = OLD.state  AND json_extract(data, '$.before.values') = json(OLD.objective_values)) BEGIN SELECT RAISE(ABORT, 'a finished trial never changes'); END;
CREATE TRIGGER trials_are_never_deleted BEFORE DELETE ON trials
BEGIN SELECT RAISE(ABORT, 'trials are never deleted'); END;
CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events never change'); END;
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
COMMIT;

BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'every kind');
INSERT INTO "studies" VALUES(2,'two');
INSERT INTO "studies" VALUES(3,'conditional');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MAXIMIZE',1,0);
INSERT INTO "study_directions" VALUES(2,'MAXIMIZE',2,0);
INSERT INTO "study_directions" VALUES(3,'MINIMIZE',2,1);
INSERT INTO "study_directions" VALUES(4,'MINIMIZE',3,0);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_system_attributes" VALUES(1,1,'study:metric_names','["accuracy"]');
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_intermediate_values" VALUES(1,1,0,0.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,1,1,1.78264971513869487258e-03,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(3,1,2,3.56529943027738974517e-03,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,2,0,0.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,2,1,1.54989551913771428891e-03,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(6,2,2,3.09979103827542857782e-03,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,3,0,0.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(8,3,1,1.78613551976259700426e-03,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(9,3,2,3.57227103952519400853e-03,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(10,4,0,0.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(11,4,1,4.25762548601138213211e-02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(12,4,2,8.51525097202276426422e-02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(13,5,0,0.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(14,5,1,7.47598791129864825855e-02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(15,5,2,1.49519758225972965171e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(16,6,0,0.0,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(17,6,1,9.25940897554238806499e-02,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(18,6,2,1.85188179510847761299e-01,'FINITE');
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'lr',1.78264971513869487258e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(2,1,'k',7.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 2, "low": 1, "high": 9}}');
INSERT INTO "trial_params" VALUES(3,1,'c',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["a", null, 3, true, 1.5]}}');
INSERT INTO "trial_params" VALUES(4,1,'z',0.25,'{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(5,2,'lr',1.54989551913771428891e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(6,2,'k',5.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 2, "low": 1, "high": 9}}');
INSERT INTO "trial_params" VALUES(7,2,'c',3.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["a", null, 3, true, 1.5]}}');
INSERT INTO "trial_params" VALUES(8,2,'z',0.75,'{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(9,3,'lr',1.78613551976259700426e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(10,3,'k',5.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 2, "low": 1, "high": 9}}');
INSERT INTO "trial_params" VALUES(11,3,'c',3.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["a", null, 3, true, 1.5]}}');
INSERT INTO "trial_params" VALUES(12,3,'z',0.75,'{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(13,4,'lr',4.25762548601138213211e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(14,4,'k',9.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 2, "low": 1, "high": 9}}');
INSERT INTO "trial_params" VALUES(15,4,'c',3.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["a", null, 3, true, 1.5]}}');
INSERT INTO "trial_params" VALUES(16,4,'z',0.5,'{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(17,5,'lr',7.47598791129864825855e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(18,5,'k',5.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 2, "low": 1, "high": 9}}');
INSERT INTO "trial_params" VALUES(19,5,'c',3.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["a", null, 3, true, 1.5]}}');
INSERT INTO "trial_params" VALUES(20,5,'z',0.75,'{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(21,6,'lr',9.25940897554238806499e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(22,6,'k',7.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 2, "low": 1, "high": 9}}');
INSERT INTO "trial_params" VALUES(23,6,'c',4.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["a", null, 3, true, 1.5]}}');
INSERT INTO "trial_params" VALUES(24,6,'z',0.25,'{"name": "FloatDistribution", "attributes": {"step": 0.25, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(25,8,'x',0.417022004702574,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(26,9,'x',7.20324493442158098055e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(27,10,'optimizer',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["sgd", "adam"]}}');
INSERT INTO "trial_params" VALUES(28,10,'learning rate',1.1437481734488663676e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(29,11,'optimizer',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["sgd", "adam"]}}');
INSERT INTO "trial_params" VALUES(30,11,'momentum',0.545245911436711,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 0.99, "log": false}}');
INSERT INTO "trial_params" VALUES(31,11,'learning rate',3.72520422755341806819e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 2.0, "log": false}}');
INSERT INTO "trial_params" VALUES(32,12,'optimizer',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["sgd", "adam"]}}');
INSERT INTO "trial_params" VALUES(33,12,'learning rate',1.61645020201007083571e+00,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 3.0, "log": false}}');
INSERT INTO "trial_params" VALUES(34,13,'optimizer',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["sgd", "adam"]}}');
INSERT INTO "trial_params" VALUES(35,13,'learning rate',8.17808998926069730117e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 4.0, "log": false}}');
INSERT INTO "trial_params" VALUES(36,14,'optimizer',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["sgd", "adam"]}}');
INSERT INTO "trial_params" VALUES(37,14,'momentum',8.28529079987417094166e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 0.99, "log": false}}');
INSERT INTO "trial_params" VALUES(38,14,'learning rate',2.08652401183563496189e+00,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 5.0, "log": false}}');
INSERT INTO "trial_params" VALUES(39,15,'optimizer',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["sgd", "adam"]}}');
INSERT INTO "trial_params" VALUES(40,15,'momentum',5.97069729651590552776e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 0.99, "log": false}}');
INSERT INTO "trial_params" VALUES(41,15,'learning rate',4.80446741205322,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 6.0, "log": false}}');
INSERT INTO "trial_params" VALUES(42,16,'optimizer',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["sgd", "adam"]}}');
INSERT INTO "trial_params" VALUES(43,16,'momentum',8.39238081677963876359e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 0.99, "log": false}}');
INSERT INTO "trial_params" VALUES(44,16,'learning rate',6.13472406607226794506e+00,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 7.0, "log": false}}');
INSERT INTO "trial_params" VALUES(45,17,'optimizer',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["sgd", "adam"]}}');
INSERT INTO "trial_params" VALUES(46,17,'momentum',5.19136843784112400612e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.5, "high": 0.99, "log": false}}');
INSERT INTO "trial_params" VALUES(47,17,'learning rate',1.35864335651655121495e+00,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 8.0, "log": false}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_system_attributes" VALUES(1,7,'fixed_params','{"lr": 0.01}');
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'note','{"a": 1}');
INSERT INTO "trial_user_attributes" VALUES(2,2,'note','{"a": 1}');
INSERT INTO "trial_user_attributes" VALUES(3,6,'note','{"a": 1}');
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,1.78264971513869487258e-03,'FINITE');
INSERT INTO "trial_values" VALUES(2,2,0,1.54989551913771428891e-03,'FINITE');
INSERT INTO "trial_values" VALUES(3,3,0,3.57227103952519400853e-03,'FINITE');
INSERT INTO "trial_values" VALUES(4,5,0,NULL,'INF_POS');
INSERT INTO "trial_values" VALUES(5,6,0,9.25940897554238806499e-02,'FINITE');
INSERT INTO "trial_values" VALUES(6,8,0,0.417022004702574,'FINITE');
INSERT INTO "trial_values" VALUES(7,8,1,1.0,'FINITE');
INSERT INTO "trial_values" VALUES(8,9,0,7.20324493442158098055e-01,'FINITE');
INSERT INTO "trial_values" VALUES(9,9,1,1.0,'FINITE');
INSERT INTO "trial_values" VALUES(10,10,0,1.1437481734488663676e-04,'FINITE');
INSERT INTO "trial_values" VALUES(11,11,0,3.72520422755341806819e-01,'FINITE');
INSERT INTO "trial_values" VALUES(12,12,0,1.61645020201007083571e+00,'FINITE');
INSERT INTO "trial_values" VALUES(13,13,0,8.17808998926069730117e-01,'FINITE');
INSERT INTO "trial_values" VALUES(14,14,0,2.08652401183563496189e+00,'FINITE');
INSERT INTO "trial_values" VALUES(15,15,0,4.80446741205322,'FINITE');
INSERT INTO "trial_values" VALUES(16,16,0,6.13472406607226794506e+00,'FINITE');
INSERT INTO "trial_values" VALUES(17,17,0,1.35864335651655121495e+00,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-12-01 04:27:15.708098','2026-12-01 04:27:15.837581');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-12-01 04:27:15.865944','2026-12-01 04:27:15.944614');
INSERT INTO "trials" VALUES(3,2,1,'PRUNED','2026-12-01 04:27:15.959957','2026-12-01 04:27:16.004802');
INSERT INTO "trials" VALUES(4,3,1,'FAIL','2026-12-01 04:27:16.017213','2026-12-01 04:27:16.062256');
INSERT INTO "trials" VALUES(5,4,1,'COMPLETE','2026-12-01 04:27:16.072532','2026-12-01 04:27:16.122368');
INSERT INTO "trials" VALUES(6,5,1,'COMPLETE','2026-12-01 04:27:16.135216','2026-12-01 04:27:16.196018');
INSERT INTO "trials" VALUES(7,6,1,'WAITING',NULL,NULL);
INSERT INTO "trials" VALUES(8,0,2,'COMPLETE','2026-12-01 04:27:16.302212','2026-12-01 04:27:16.343008');
INSERT INTO "trials" VALUES(9,1,2,'COMPLETE','2026-12-01 04:27:16.366589','2026-12-01 04:27:16.414483');
INSERT INTO "trials" VALUES(10,0,3,'COMPLETE','2026-12-01 04:27:16.489717','2026-12-01 04:27:16.535273');
INSERT INTO "trials" VALUES(11,1,3,'COMPLETE','2026-12-01 04:27:16.556920','2026-12-01 04:27:16.585707');
INSERT INTO "trials" VALUES(12,2,3,'COMPLETE','2026-12-01 04:27:16.599679','2026-12-01 04:27:16.622553');
INSERT INTO "trials" VALUES(13,3,3,'COMPLETE','2026-12-01 04:27:16.700201','2026-12-01 04:27:16.722758');
INSERT INTO "trials" VALUES(14,4,3,'COMPLETE','2026-12-01 04:27:16.735004','2026-12-01 04:27:16.764104');
INSERT INTO "trials" VALUES(15,5,3,'COMPLETE','2026-12-01 04:27:16.775768','2026-12-01 04:27:16.802793');
INSERT INTO "trials" VALUES(16,6,3,'COMPLETE','2026-12-01 04:27:16.814955','2026-12-01 04:27:16.844155');
INSERT INTO "trials" VALUES(17,7,3,'COMPLETE','2026-12-01 04:27:16.855168','2026-12-01 04:27:16.889256');
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;

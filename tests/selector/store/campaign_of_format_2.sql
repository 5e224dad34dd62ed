-- A small campaign of format 2, dumped by sqlite3. Written by the program of commit e31960f, 2026-11-22: Work done
-- once: columns are split once a fit, uploads read once and looked up in a set, plots drawn only where shown; one
-- place says what a weight's unit is and what a column holds.
BEGIN TRANSACTION;
CREATE TABLE attempt (
	id INTEGER NOT NULL, 
	task_id VARCHAR NOT NULL, 
	generator VARCHAR NOT NULL, 
	build VARCHAR NOT NULL, 
	recipe_key VARCHAR NOT NULL, 
	try_number INTEGER NOT NULL, 
	ordinal INTEGER, 
	variant VARCHAR NOT NULL, 
	seed INTEGER NOT NULL, 
	params JSON NOT NULL, 
	outcome VARCHAR NOT NULL, 
	candidate_id VARCHAR, 
	reason VARCHAR, 
	notes JSON NOT NULL, 
	seconds FLOAT NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT attempt_once UNIQUE (task_id, generator, build, recipe_key, try_number)
);
INSERT INTO "attempt" VALUES(1,'3','toy','1-b1e33af7','cc000f2faa1cbb20',1,0,'tint0',892323662,'{"add": 10}','made','bd4dc47f7f7f5f1fb1fa0e9e17d7b92cdccf5464fce75a1963891c871a5fe499',NULL,'{"added": 10}',0.001,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(2,'3','toy','1-b1e33af7','3405d357381415db',1,1,'tint1',892323662,'{"add": 40}','made','19eee52ee3d341b3b80391327e81c18c8c320be5078e8bee5900492fdb340429',NULL,'{"added": 40}',0.0,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(3,'10','toy','1-b1e33af7','8813d8e2abde22c8',1,0,'tint0',1823615632,'{"add": 10}','failed',NULL,'the toy broke','{}',0.0,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(4,'10','toy','1-b1e33af7','e6415527d3b50dc5',1,1,'tint1',1823615632,'{"add": 40}','made','a838606a40927e26f8dc81b67cf7bcd9b9b93d78eb6f4569d9a0d4c447e3fe1c',NULL,'{"added": 40}',0.005,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(5,'24','toy','1-b1e33af7','4d65469d2663774c',1,0,'tint0',1854012203,'{"add": 10}','made','3883a014d0605cb696d983e16abee9b531f8bf94f62594095b3b5f51efa5278a',NULL,'{"added": 10}',0.001,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(6,'24','toy','1-b1e33af7','60bd0faadef1ffc2',1,1,'tint1',1854012203,'{"add": 40}','made','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',NULL,'{"added": 40}',0.001,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(7,'24','toy','1-b1e33af7','8d1851b2071cdb51',1,2,'tint2',1854012203,'{"add": 70}','declined',NULL,'too bright for this toy','{}',0.0,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(8,'24','source','1-b1e33af7','6d6ce220aed607ff',1,0,'unchanged',1854012203,'{}','made','72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee',NULL,'{"fallback": true}',0.001,'2025-07-01T12:05:00.000+00:00');
INSERT INTO "attempt" VALUES(9,'10','toy','1-b1e33af7','8813d8e2abde22c8',2,0,'tint0',1823615632,'{"add": 10}','made','2e9138a837f8be698726483091ad8777cfea3322f8ed719b6cce19114c9234b0',NULL,'{"added": 10}',0.001,'2025-07-01T12:10:00.000+00:00');
INSERT INTO "attempt" VALUES(10,'17','source','1-b1e33af7','49d70572a5e82002',1,0,'unchanged',1901040801,'{}','made','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',NULL,'{"fallback": true}',0.001,'2025-07-01T12:20:00.000+00:00');
INSERT INTO "attempt" VALUES(11,'3','folder:qwen','1-b1e33af7','5b6c26a14dfe5c45',1,NULL,'file',892323662,'{"file": "3.jpg", "sha256": "ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972"}','made','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',NULL,'{"file": "3.jpg"}',0.013,'2025-07-01T15:45:00.000+00:00');
INSERT INTO "attempt" VALUES(12,'10','folder:flux','1-b1e33af7','4fc464298fbab15d',1,NULL,'file',1823615632,'{"file": "10.jpg", "sha256": "0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1"}','made','0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1',NULL,'{"file": "10.jpg"}',0.001,'2025-07-01T16:10:00.000+00:00');
INSERT INTO "attempt" VALUES(13,'10','folder:flux-2','1-b1e33af7','b2d5431e41557110',1,NULL,'file',1823615632,'{"file": "10.jpg", "sha256": "d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b"}','made','d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b',NULL,'{"file": "10.jpg"}',0.009,'2025-07-02T12:30:00.000+00:00');
INSERT INTO "attempt" VALUES(14,'24','folder:flux-2','1-b1e33af7','795ce6318e0e93ab',1,NULL,'file',1854012203,'{"file": "24.jpg", "sha256": "72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee"}','made','72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee',NULL,'{"file": "24.jpg"}',0.001,'2025-07-02T12:30:00.000+00:00');
CREATE TABLE candidate (
	task_id VARCHAR NOT NULL, 
	id VARCHAR NOT NULL, 
	width_px INTEGER NOT NULL, 
	height_px INTEGER NOT NULL, 
	size_bytes INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (task_id, id)
);
INSERT INTO "candidate" VALUES('3','bd4dc47f7f7f5f1fb1fa0e9e17d7b92cdccf5464fce75a1963891c871a5fe499',32,24,694,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "candidate" VALUES('3','19eee52ee3d341b3b80391327e81c18c8c320be5078e8bee5900492fdb340429',32,24,695,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "candidate" VALUES('10','a838606a40927e26f8dc81b67cf7bcd9b9b93d78eb6f4569d9a0d4c447e3fe1c',32,24,698,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "candidate" VALUES('24','3883a014d0605cb696d983e16abee9b531f8bf94f62594095b3b5f51efa5278a',32,24,701,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "candidate" VALUES('24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',32,24,700,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "candidate" VALUES('24','72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee',32,24,701,'2025-07-01T12:05:00.000+00:00');
INSERT INTO "candidate" VALUES('10','2e9138a837f8be698726483091ad8777cfea3322f8ed719b6cce19114c9234b0',32,24,696,'2025-07-01T12:10:00.000+00:00');
INSERT INTO "candidate" VALUES('17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',32,24,699,'2025-07-01T12:20:00.000+00:00');
INSERT INTO "candidate" VALUES('3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',32,24,648,'2025-07-01T15:45:00.000+00:00');
INSERT INTO "candidate" VALUES('10','0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1',32,24,648,'2025-07-01T16:10:00.000+00:00');
INSERT INTO "candidate" VALUES('10','d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b',32,24,648,'2025-07-02T12:30:00.000+00:00');
CREATE TABLE fact (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "fact" VALUES('format','2');
INSERT INTO "fact" VALUES('profile','tianchi-532389');
INSERT INTO "fact" VALUES('table','c262214e91b8859e477326c4bcde3311a4da666d5b7ae68abb49f99854e1f41a');
INSERT INTO "fact" VALUES('input:a.jpg','726b3d125f055340d67334c9d5e7770b36dab545d7a4c2a6ba8867b5304db7f9');
INSERT INTO "fact" VALUES('input:b.jpg','d1f629699ef79521621bf135c74ee96133ba7811f9004b052eb9a6ae20f9b0f7');
INSERT INTO "fact" VALUES('input:c.jpg','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6');
INSERT INTO "fact" VALUES('input:d.jpg','72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee');
CREATE TABLE judgement (
	id INTEGER NOT NULL, 
	task_id VARCHAR NOT NULL, 
	candidate_id VARCHAR NOT NULL, 
	judge VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	sc FLOAT, 
	pq FLOAT, 
	parts JSON NOT NULL, 
	reason VARCHAR, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(task_id, candidate_id) REFERENCES candidate (task_id, id), 
	CONSTRAINT judged_at_all CHECK (sc IS NOT NULL OR pq IS NOT NULL)
);
INSERT INTO "judgement" VALUES(1,'10','0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1','gpt','judge',7.0,6.5,'{}',NULL,'2025-07-02T12:50:00.000+00:00');
INSERT INTO "judgement" VALUES(2,'10','2e9138a837f8be698726483091ad8777cfea3322f8ed719b6cce19114c9234b0','gpt','judge',3.5,NULL,'{}',NULL,'2025-07-02T12:50:00.000+00:00');
INSERT INTO "judgement" VALUES(3,'10','0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1','gpt','judge',5.0,6.5,'{}','read anew','2025-07-02T12:55:00.000+00:00');
CREATE TABLE observation (
	id INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	submission_id VARCHAR NOT NULL, 
	value FLOAT NOT NULL, 
	reason VARCHAR, 
	at VARCHAR NOT NULL, 
	scope VARCHAR, 
	PRIMARY KEY (id)
);
INSERT INTO "observation" VALUES(1,'total','fcdc6134',1.63,NULL,'2025-07-01T15:30:00.000+00:00',NULL);
INSERT INTO "observation" VALUES(2,'total','fcdc6134',1.71,NULL,'2025-07-01T15:30:00.000+00:00','tie');
INSERT INTO "observation" VALUES(3,'total','fcdc6134',1.36,'mistyped','2025-07-01T15:35:00.000+00:00',NULL);
INSERT INTO "observation" VALUES(4,'total','fcdc6134',1.17,'mistyped too','2025-07-01T15:40:00.000+00:00','tie');
CREATE TABLE pick (
	pick_set_id INTEGER NOT NULL, 
	task_id VARCHAR NOT NULL, 
	candidate_id VARCHAR, 
	overall FLOAT, 
	overall_sd FLOAT, 
	fallback BOOLEAN NOT NULL, 
	reason VARCHAR NOT NULL, 
	PRIMARY KEY (pick_set_id, task_id)
);
INSERT INTO "pick" VALUES(1,'3','19eee52ee3d341b3b80391327e81c18c8c320be5078e8bee5900492fdb340429',4.94353719516703904446e+00,2.94225621727989095077e+00,0,'highest estimated overall 4.94 (SC not measured, PQ 6.4); 1 of 2 were eligible');
INSERT INTO "pick" VALUES(1,'10','a838606a40927e26f8dc81b67cf7bcd9b9b93d78eb6f4569d9a0d4c447e3fe1c',4.9324557778048045975e+00,2.94224354259404341505e+00,0,'highest estimated overall 4.93 (SC not measured, PQ 6.4); 1 of 2 were eligible');
INSERT INTO "pick" VALUES(1,'17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',NULL,NULL,1,'fallback: the task has no candidate');
INSERT INTO "pick" VALUES(1,'24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',3.98158259992179486275e+00,2.94187091665958311281e+00,0,'highest estimated overall 3.98 (SC not measured, PQ 6.3); 1 of 2 were eligible');
INSERT INTO "pick" VALUES(2,'3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',2.58744558476759545229e+00,2.05397105168892624149e+00,0,'highest estimated overall 2.59 (SC not measured, PQ 3.6), runner-up 1.61; 2 of 3 were eligible');
INSERT INTO "pick" VALUES(2,'10','a838606a40927e26f8dc81b67cf7bcd9b9b93d78eb6f4569d9a0d4c447e3fe1c',1.59876328813176726839e+00,1.09517119106911509085e+00,0,'highest estimated overall 1.60 (SC not measured, PQ 2.1); 1 of 2 were eligible');
INSERT INTO "pick" VALUES(2,'17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',NULL,NULL,1,'fallback: the task has no candidate');
INSERT INTO "pick" VALUES(2,'24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',1.99945514619217612484e+00,0.725026961890411,0,'highest estimated overall 2.00 (SC not measured, PQ 3.2); 1 of 2 were eligible');
INSERT INTO "pick" VALUES(3,'3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',2.61082240061600812097e+00,2.05134160290915890101e+00,0,'highest estimated overall 2.61 (SC not measured, PQ 3.7), runner-up 1.61; 2 of 3 were eligible');
INSERT INTO "pick" VALUES(3,'10','0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1',2.6611330688399,2.05274996225965589147e+00,0,'highest estimated overall 2.66 (SC not measured, PQ 3.8), runner-up 1.60; 2 of 3 were eligible');
INSERT INTO "pick" VALUES(3,'17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',NULL,NULL,1,'fallback: the task has no candidate');
INSERT INTO "pick" VALUES(3,'24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',1.99948757837874824261e+00,7.25038649849635064015e-01,0,'highest estimated overall 2.00 (SC not measured, PQ 3.2); 1 of 2 were eligible');
INSERT INTO "pick" VALUES(4,'3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',2.63116629076872632353e+00,2.04816185419382046362e+00,0,'highest estimated overall 2.63 (SC not measured, PQ 3.7), runner-up 1.61; 2 of 3 were eligible');
INSERT INTO "pick" VALUES(4,'10','d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b',2.74036308145762053101e+00,2.04654382729676953545e+00,0,'highest estimated overall 2.74 (SC not measured, PQ 3.9), runner-up 2.68; 3 of 4 were eligible');
INSERT INTO "pick" VALUES(4,'17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',NULL,NULL,1,'fallback: the task has no candidate');
INSERT INTO "pick" VALUES(4,'24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',1.99807511749987276594e+00,7.25266492949425578551e-01,0,'highest estimated overall 2.00 (SC not measured, PQ 3.2); 1 of 3 were eligible');
CREATE TABLE pick_set (
	id INTEGER NOT NULL, 
	digest VARCHAR NOT NULL, 
	basis JSON NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "pick_set" VALUES(1,'d9f608f66d3a15b867385792c00b4ee9','{"calibration": "prior-1", "scorers": {"technical": "toy-1"}}','2025-07-01T12:20:00.000+00:00');
INSERT INTO "pick_set" VALUES(2,'c87fb5fd814602525481dc9cf6c836cd','{"calibration": "prior-1", "totals": 2, "told": "ffb858d33d68eb99", "scorers": {"technical": "toy-1"}}','2025-07-01T15:55:00.000+00:00');
INSERT INTO "pick_set" VALUES(3,'e010b60642aa7a817f25c95846696c1d','{"calibration": "prior-1", "totals": 2, "told": "ffb858d33d68eb99", "scorers": {"technical": "toy-1"}}','2025-07-01T16:20:00.000+00:00');
INSERT INTO "pick_set" VALUES(4,'4af6fda72099b1809e255ed43454f87f','{"calibration": "prior-1", "totals": 2, "told": "ffb858d33d68eb99", "scorers": {"technical": "toy-1"}}','2025-07-02T12:40:00.000+00:00');
CREATE TABLE planning (
	id INTEGER NOT NULL, 
	task_id VARCHAR NOT NULL, 
	generator VARCHAR NOT NULL, 
	build VARCHAR NOT NULL, 
	asked INTEGER NOT NULL, 
	recipes JSON NOT NULL, 
	outcome VARCHAR NOT NULL, 
	reason VARCHAR, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "planning" VALUES(1,'3','toy','1-b1e33af7',2,'[{"variant": "tint0", "seed": 892323662, "params": {"add": 10}}, {"variant": "tint1", "seed": 892323662, "params": {"add": 40}}]','planned',NULL,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "planning" VALUES(2,'10','toy','1-b1e33af7',2,'[{"variant": "tint0", "seed": 1823615632, "params": {"add": 10}}, {"variant": "tint1", "seed": 1823615632, "params": {"add": 40}}]','planned',NULL,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "planning" VALUES(3,'17','toy','1-b1e33af7',2,'[]','declined','this toy does not do that','2025-07-01T12:00:00.000+00:00');
INSERT INTO "planning" VALUES(4,'24','toy','1-b1e33af7',3,'[{"variant": "tint0", "seed": 1854012203, "params": {"add": 10}}, {"variant": "tint1", "seed": 1854012203, "params": {"add": 40}}, {"variant": "tint2", "seed": 1854012203, "params": {"add": 70}}]','planned',NULL,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "planning" VALUES(5,'24','source','1-b1e33af7',1,'[{"variant": "unchanged", "seed": 1854012203, "params": {}}]','planned',NULL,'2025-07-01T12:05:00.000+00:00');
INSERT INTO "planning" VALUES(6,'17','source','1-b1e33af7',1,'[{"variant": "unchanged", "seed": 1901040801, "params": {}}]','planned',NULL,'2025-07-01T12:20:00.000+00:00');
INSERT INTO "planning" VALUES(7,'3','folder:qwen','1-b1e33af7',10000,'[{"variant": "file", "seed": 892323662, "params": {"file": "3.jpg", "sha256": "ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972"}}]','planned',NULL,'2025-07-01T15:45:00.000+00:00');
INSERT INTO "planning" VALUES(8,'10','folder:qwen','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-01T15:45:00.000+00:00');
INSERT INTO "planning" VALUES(9,'17','folder:qwen','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-01T15:45:00.000+00:00');
INSERT INTO "planning" VALUES(10,'24','folder:qwen','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-01T15:45:00.000+00:00');
INSERT INTO "planning" VALUES(11,'3','folder:flux','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-01T16:10:00.000+00:00');
INSERT INTO "planning" VALUES(12,'10','folder:flux','1-b1e33af7',10000,'[{"variant": "file", "seed": 1823615632, "params": {"file": "10.jpg", "sha256": "0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1"}}]','planned',NULL,'2025-07-01T16:10:00.000+00:00');
INSERT INTO "planning" VALUES(13,'17','folder:flux','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-01T16:10:00.000+00:00');
INSERT INTO "planning" VALUES(14,'24','folder:flux','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-01T16:10:00.000+00:00');
INSERT INTO "planning" VALUES(15,'3','folder:flux-2','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-02T12:30:00.000+00:00');
INSERT INTO "planning" VALUES(16,'10','folder:flux-2','1-b1e33af7',10000,'[{"variant": "file", "seed": 1823615632, "params": {"file": "10.jpg", "sha256": "d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b"}}]','planned',NULL,'2025-07-02T12:30:00.000+00:00');
INSERT INTO "planning" VALUES(17,'17','folder:flux-2','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-02T12:30:00.000+00:00');
INSERT INTO "planning" VALUES(18,'24','folder:flux-2','1-b1e33af7',10000,'[{"variant": "file", "seed": 1854012203, "params": {"file": "24.jpg", "sha256": "72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee"}}]','planned',NULL,'2025-07-02T12:30:00.000+00:00');
CREATE TABLE score (
	task_id VARCHAR NOT NULL, 
	candidate_id VARCHAR NOT NULL, 
	scorer VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	"column" VARCHAR NOT NULL, 
	value FLOAT, 
	reason VARCHAR, 
	PRIMARY KEY (task_id, candidate_id, scorer, version, "column"), 
	FOREIGN KEY(task_id, candidate_id) REFERENCES candidate (task_id, id)
);
INSERT INTO "score" VALUES('3','19eee52ee3d341b3b80391327e81c18c8c320be5078e8bee5900492fdb340429','technical','toy-1','sharpness',0.592,NULL);
INSERT INTO "score" VALUES('3','bd4dc47f7f7f5f1fb1fa0e9e17d7b92cdccf5464fce75a1963891c871a5fe499','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('10','2e9138a837f8be698726483091ad8777cfea3322f8ed719b6cce19114c9234b0','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('10','a838606a40927e26f8dc81b67cf7bcd9b9b93d78eb6f4569d9a0d4c447e3fe1c','technical','toy-1','sharpness',0.584,NULL);
INSERT INTO "score" VALUES('24','3883a014d0605cb696d983e16abee9b531f8bf94f62594095b3b5f51efa5278a','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('24','72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3','technical','toy-1','sharpness',0.567,NULL);
INSERT INTO "score" VALUES('3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972','technical','toy-1','sharpness',0.902,NULL);
INSERT INTO "score" VALUES('17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('10','0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1','technical','toy-1','sharpness',0.941,NULL);
INSERT INTO "score" VALUES('10','d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b','technical','toy-1','sharpness',0.98,NULL);
CREATE TABLE submission (
	id VARCHAR NOT NULL, 
	pick_set_id INTEGER NOT NULL, 
	zip_name VARCHAR NOT NULL, 
	zip_sha256 VARCHAR NOT NULL, 
	fallbacks INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "submission" VALUES('fcdc6134',1,'team_图片生成_result.zip','af0abb848852f1d47c31951705177328754c84de1327ea672730da3cfd19d215',1,'2025-07-01T12:25:00.000+00:00');
INSERT INTO "submission" VALUES('bea99e70',2,'team_图片生成_result.zip','0764ffff2dc2b10fa2d01df7948208d69670fb52830c0c1da28835099f9e5736',1,'2025-07-01T16:00:00.000+00:00');
INSERT INTO "submission" VALUES('fd0e15ca',3,'team_图片生成_result.zip','3c95696fcbd7401d2e2c99a61ae8a378982f8097e6fb0b3d8feeafc1840a181f',1,'2025-07-01T16:25:00.000+00:00');
INSERT INTO "submission" VALUES('838623d4',4,'team_图片生成_result.zip','e79155c01934cd50f30f8b178def8087c586a46241a2cbf45008e55b14c33246',1,'2025-07-02T12:45:00.000+00:00');
CREATE TABLE submission_event (
	id INTEGER NOT NULL, 
	submission_id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	day VARCHAR, 
	slot INTEGER, 
	reason VARCHAR, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT one_submission_a_slot UNIQUE (day, slot)
);
INSERT INTO "submission_event" VALUES(1,'fcdc6134','exported',NULL,NULL,NULL,'2025-07-01T12:25:00.000+00:00');
INSERT INTO "submission_event" VALUES(2,'fcdc6134','submitted','2025-07-01',1,NULL,'2025-07-01T12:30:00.000+00:00');
INSERT INTO "submission_event" VALUES(3,'fcdc6134','scored',NULL,NULL,NULL,'2025-07-01T15:30:00.000+00:00');
INSERT INTO "submission_event" VALUES(4,'fcdc6134','scored',NULL,NULL,'mistyped','2025-07-01T15:35:00.000+00:00');
INSERT INTO "submission_event" VALUES(5,'bea99e70','exported',NULL,NULL,NULL,'2025-07-01T16:00:00.000+00:00');
INSERT INTO "submission_event" VALUES(6,'bea99e70','withdrawn',NULL,NULL,'too bright','2025-07-01T16:05:00.000+00:00');
INSERT INTO "submission_event" VALUES(7,'fd0e15ca','exported',NULL,NULL,NULL,'2025-07-01T16:25:00.000+00:00');
INSERT INTO "submission_event" VALUES(8,'fd0e15ca','submitted','2025-07-02',1,NULL,'2025-07-02T12:25:00.000+00:00');
INSERT INTO "submission_event" VALUES(9,'838623d4','exported',NULL,NULL,NULL,'2025-07-02T12:45:00.000+00:00');
CREATE TABLE submission_pick (
	submission_id VARCHAR NOT NULL, 
	task_id VARCHAR NOT NULL, 
	candidate_id VARCHAR NOT NULL, 
	fallback BOOLEAN NOT NULL, 
	PRIMARY KEY (submission_id, task_id)
);
INSERT INTO "submission_pick" VALUES('fcdc6134','3','19eee52ee3d341b3b80391327e81c18c8c320be5078e8bee5900492fdb340429',0);
INSERT INTO "submission_pick" VALUES('fcdc6134','10','a838606a40927e26f8dc81b67cf7bcd9b9b93d78eb6f4569d9a0d4c447e3fe1c',0);
INSERT INTO "submission_pick" VALUES('fcdc6134','17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',1);
INSERT INTO "submission_pick" VALUES('fcdc6134','24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',0);
INSERT INTO "submission_pick" VALUES('bea99e70','3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',0);
INSERT INTO "submission_pick" VALUES('bea99e70','10','a838606a40927e26f8dc81b67cf7bcd9b9b93d78eb6f4569d9a0d4c447e3fe1c',0);
INSERT INTO "submission_pick" VALUES('bea99e70','17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',1);
INSERT INTO "submission_pick" VALUES('bea99e70','24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',0);
INSERT INTO "submission_pick" VALUES('fd0e15ca','3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',0);
INSERT INTO "submission_pick" VALUES('fd0e15ca','10','0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1',0);
INSERT INTO "submission_pick" VALUES('fd0e15ca','17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',1);
INSERT INTO "submission_pick" VALUES('fd0e15ca','24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',0);
INSERT INTO "submission_pick" VALUES('838623d4','3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',0);
INSERT INTO "submission_pick" VALUES('838623d4','10','d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b',0);
INSERT INTO "submission_pick" VALUES('838623d4','17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',1);
INSERT INTO "submission_pick" VALUES('838623d4','24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',0);
CREATE TABLE task (
	id VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	type VARCHAR NOT NULL, 
	prompt VARCHAR NOT NULL, 
	source VARCHAR, 
	reference VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (position)
);
INSERT INTO "task" VALUES('3',0,'tie','brighter','a.jpg',NULL);
INSERT INTO "task" VALUES('10',1,'tie','may fail','b.jpg',NULL);
INSERT INTO "task" VALUES('17',2,'tie','please decline (not mine)','c.jpg',NULL);
INSERT INTO "task" VALUES('24',3,'vttie','把字改成“好”','d.jpg',NULL);
CREATE INDEX planning_task ON planning (task_id, generator, build);
CREATE INDEX attempt_candidate ON attempt (task_id, candidate_id);
CREATE INDEX judgement_candidate ON judgement (task_id, candidate_id, judge);
COMMIT;

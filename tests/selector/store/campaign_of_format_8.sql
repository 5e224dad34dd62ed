-- A small campaign of format 8, dumped by sqlite3. The campaign of format 7 as the program of commit 08d0339,
-- 2026-11-30, brought it up to date (the guard is asked in a thread of its own), with decisions, a newer file, a look
-- and a comparison.
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
	fallback BOOLEAN NOT NULL, 
	candidate_id VARCHAR, 
	reason VARCHAR, 
	notes JSON NOT NULL, 
	seconds FLOAT NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT attempt_once UNIQUE (task_id, generator, build, recipe_key, try_number)
);
INSERT INTO "attempt" VALUES(1,'3','toy','1-b1e33af7','cc000f2faa1cbb20',1,0,'tint0',892323662,'{"add": 10}','made',0,'bd4dc47f7f7f5f1fb1fa0e9e17d7b92cdccf5464fce75a1963891c871a5fe499',NULL,'{"added": 10}',0.002,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(2,'3','toy','1-b1e33af7','3405d357381415db',1,1,'tint1',892323662,'{"add": 40}','made',0,'19eee52ee3d341b3b80391327e81c18c8c320be5078e8bee5900492fdb340429',NULL,'{"added": 40}',0.013,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(3,'10','toy','1-b1e33af7','8813d8e2abde22c8',1,0,'tint0',1823615632,'{"add": 10}','failed',0,NULL,'the toy broke','{}',0.0,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(4,'10','toy','1-b1e33af7','e6415527d3b50dc5',1,1,'tint1',1823615632,'{"add": 40}','made',0,'a838606a40927e26f8dc81b67cf7bcd9b9b93d78eb6f4569d9a0d4c447e3fe1c',NULL,'{"added": 40}',0.017,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(5,'24','toy','1-b1e33af7','4d65469d2663774c',1,0,'tint0',1854012203,'{"add": 10}','made',0,'3883a014d0605cb696d983e16abee9b531f8bf94f62594095b3b5f51efa5278a',NULL,'{"added": 10}',0.016,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(6,'24','toy','1-b1e33af7','60bd0faadef1ffc2',1,1,'tint1',1854012203,'{"add": 40}','made',0,'ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',NULL,'{"added": 40}',0.01,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(7,'24','toy','1-b1e33af7','8d1851b2071cdb51',1,2,'tint2',1854012203,'{"add": 70}','declined',0,NULL,'too bright for this toy','{}',0.0,'2025-07-01T12:00:00.000+00:00');
INSERT INTO "attempt" VALUES(8,'24','source','1-cd3f2a97','52003ef98f451db0',1,NULL,'file',1854012203,'{"file": "24.jpg", "sha256": "0b841245cb616698aa05bc28aa755bd51c9f6229c01fb6646a25680db60675df"}','made',0,'0b841245cb616698aa05bc28aa755bd51c9f6229c01fb6646a25680db60675df',NULL,'{"file": "24.jpg"}',0.02,'2025-07-01T12:05:00.000+00:00');
INSERT INTO "attempt" VALUES(9,'10','toy','1-b1e33af7','8813d8e2abde22c8',2,0,'tint0',1823615632,'{"add": 10}','made',0,'2e9138a837f8be698726483091ad8777cfea3322f8ed719b6cce19114c9234b0',NULL,'{"added": 10}',0.002,'2025-07-01T12:10:00.000+00:00');
INSERT INTO "attempt" VALUES(10,'3','toy_remote','1-a64766a0','2c2066feff4d4a5c',1,NULL,'',892323662,'{"shade": 90}','made',0,'125f1757fef98333cca9d5c4725167ac4acc144cc19641b15b3935e1bb34a862',NULL,'{"task": "3", "seed": 892323662, "prompt": "brighter"}',0.024,'2025-07-01T12:15:00.000+00:00');
INSERT INTO "attempt" VALUES(11,'3','toy_remote','1-a64766a0','09db4203c9156358',1,NULL,'',892323663,'{"shade": 90}','failed',0,NULL,'the download broke','{}',0.02,'2025-07-01T12:15:00.000+00:00');
INSERT INTO "attempt" VALUES(12,'3','toy_remote','1-a64766a0','09db4203c9156358',2,NULL,'',892323663,'{"shade": 90}','failed',0,NULL,'the download broke','{}',0.002,'2025-07-01T12:20:00.000+00:00');
INSERT INTO "attempt" VALUES(13,'10','toy_remote','1-a64766a0','8f0c4f86bbaa41ca',1,NULL,'',1823615632,'{"shade": 90}','made',0,'e5b57e19aeb06ff2b02f5996373690c35ed154309f9df4293dbd7bd629ce4794',NULL,'{"task": "10", "seed": 1823615632, "prompt": "may fail"}',0.771,'2025-07-01T12:25:00.000+00:00');
INSERT INTO "attempt" VALUES(14,'10','toy_remote','1-a64766a0','3cdeaef0cf1b5d6c',1,NULL,'',1823615633,'{"shade": 90}','made',0,'1ad0c522bd87df4bbc8bc00bc233759d913d63deb69a30c40de9075dfeb37128',NULL,'{"task": "10", "seed": 1823615633, "prompt": "may fail"}',0.771,'2025-07-01T12:25:00.000+00:00');
INSERT INTO "attempt" VALUES(15,'24','toy_remote','1-a64766a0','fca96edb9f724c1b',1,NULL,'',1854012203,'{"shade": 90}','made',0,'c9b39d09c3374f3b6d066332b0d6b448a8f55de45da40e014c73fab2d28a61a8',NULL,'{"task": "24", "seed": 1854012203, "prompt": "\u628a\u5b57\u6539\u6210\u201c\u597d\u201d"}',0.018,'2025-07-01T12:30:00.000+00:00');
INSERT INTO "attempt" VALUES(16,'24','toy_remote','1-a64766a0','49e1630f5b5be85a',1,NULL,'',1854012204,'{"shade": 90}','failed',0,NULL,'the download broke','{}',0.012,'2025-07-01T12:30:00.000+00:00');
INSERT INTO "attempt" VALUES(17,'10','toy_remote','1-a64766a0','71052529cbf673e7',1,NULL,'',1823615634,'{"shade": 90}','declined',0,NULL,'the picture was refused','{}',0.006,'2025-07-01T12:40:02.000+00:00');
INSERT INTO "attempt" VALUES(18,'10','toy_remote','1-a64766a0','d7999f612d7f3ac8',1,NULL,'',1823615635,'{"shade": 90}','made',0,'fbc7140cb42e5ab45d516ab3ab80f80f851c457ef8a58b786d024a3a655648bd',NULL,'{"task": "10", "seed": 1823615635, "prompt": "may fail"}',0.015,'2025-07-01T12:40:02.000+00:00');
INSERT INTO "attempt" VALUES(19,'17','own-last-resort','1-b1e33af7','49d70572a5e82002',1,0,'unchanged',1901040801,'{}','made',1,'40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',NULL,'{"fallback": true}',0.003,'2025-07-01T12:50:02.000+00:00');
INSERT INTO "attempt" VALUES(20,'3','folder:qwen','1-b1e33af7','5b6c26a14dfe5c45',1,NULL,'file',892323662,'{"file": "3.jpg", "sha256": "ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972"}','made',0,'ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',NULL,'{"file": "3.jpg"}',0.014,'2025-07-01T16:15:02.000+00:00');
INSERT INTO "attempt" VALUES(21,'10','folder:flux','1-b1e33af7','4fc464298fbab15d',1,NULL,'file',1823615632,'{"file": "10.jpg", "sha256": "0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1"}','made',0,'0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1',NULL,'{"file": "10.jpg"}',0.011,'2025-07-01T16:40:02.000+00:00');
INSERT INTO "attempt" VALUES(22,'10','folder:flux-2','1-b1e33af7','b2d5431e41557110',1,NULL,'file',1823615632,'{"file": "10.jpg", "sha256": "d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b"}','made',0,'d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b',NULL,'{"file": "10.jpg"}',0.017,'2025-07-02T13:00:02.000+00:00');
INSERT INTO "attempt" VALUES(23,'24','folder:flux-2','1-b1e33af7','795ce6318e0e93ab',1,NULL,'file',1854012203,'{"file": "24.jpg", "sha256": "72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee"}','made',0,'72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee',NULL,'{"file": "24.jpg"}',0.019,'2025-07-02T13:00:02.000+00:00');
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
INSERT INTO "candidate" VALUES('24','0b841245cb616698aa05bc28aa755bd51c9f6229c01fb6646a25680db60675df',32,24,647,'2025-07-01T12:05:00.000+00:00');
INSERT INTO "candidate" VALUES('10','2e9138a837f8be698726483091ad8777cfea3322f8ed719b6cce19114c9234b0',32,24,696,'2025-07-01T12:10:00.000+00:00');
INSERT INTO "candidate" VALUES('3','125f1757fef98333cca9d5c4725167ac4acc144cc19641b15b3935e1bb34a862',32,24,681,'2025-07-01T12:15:00.000+00:00');
INSERT INTO "candidate" VALUES('10','e5b57e19aeb06ff2b02f5996373690c35ed154309f9df4293dbd7bd629ce4794',32,24,689,'2025-07-01T12:25:00.000+00:00');
INSERT INTO "candidate" VALUES('10','1ad0c522bd87df4bbc8bc00bc233759d913d63deb69a30c40de9075dfeb37128',32,24,688,'2025-07-01T12:25:00.000+00:00');
INSERT INTO "candidate" VALUES('24','c9b39d09c3374f3b6d066332b0d6b448a8f55de45da40e014c73fab2d28a61a8',32,24,684,'2025-07-01T12:30:00.000+00:00');
INSERT INTO "candidate" VALUES('10','fbc7140cb42e5ab45d516ab3ab80f80f851c457ef8a58b786d024a3a655648bd',32,24,685,'2025-07-01T12:40:02.000+00:00');
INSERT INTO "candidate" VALUES('17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',32,24,699,'2025-07-01T12:50:02.000+00:00');
INSERT INTO "candidate" VALUES('3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',32,24,648,'2025-07-01T16:15:02.000+00:00');
INSERT INTO "candidate" VALUES('10','0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1',32,24,648,'2025-07-01T16:40:02.000+00:00');
INSERT INTO "candidate" VALUES('10','d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b',32,24,648,'2025-07-02T13:00:02.000+00:00');
INSERT INTO "candidate" VALUES('24','72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee',32,24,701,'2025-07-02T13:00:02.000+00:00');
CREATE TABLE comparison (
	id INTEGER NOT NULL, 
	task_id VARCHAR NOT NULL, 
	a VARCHAR NOT NULL, 
	b VARCHAR NOT NULL, 
	better VARCHAR NOT NULL, 
	"by" VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(task_id, a) REFERENCES candidate (task_id, id), 
	FOREIGN KEY(task_id, b) REFERENCES candidate (task_id, id)
);
INSERT INTO "comparison" VALUES(1,'3','19eee52ee3d341b3b80391327e81c18c8c320be5078e8bee5900492fdb340429','bd4dc47f7f7f5f1fb1fa0e9e17d7b92cdccf5464fce75a1963891c871a5fe499','b','Li','2025-07-05T12:00:00.000+00:00');
CREATE TABLE decision (
	id INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	task_id VARCHAR, 
	candidate_id VARCHAR, 
	generator VARCHAR, 
	reason VARCHAR NOT NULL, 
	"by" VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	undoes INTEGER, 
	PRIMARY KEY (id)
);
INSERT INTO "decision" VALUES(1,'note','24',NULL,NULL,'the sky','Li','2025-07-05T12:00:00.000+00:00',NULL);
INSERT INTO "decision" VALUES(2,'exclude','24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',NULL,'a seam','Li','2025-07-05T12:00:00.000+00:00',NULL);
INSERT INTO "decision" VALUES(3,'include','24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',NULL,'','Wang','2025-07-05T12:00:00.000+00:00',NULL);
CREATE TABLE embedding (
	picture_id VARCHAR NOT NULL, 
	space VARCHAR NOT NULL, 
	"view" VARCHAR NOT NULL, 
	crops INTEGER NOT NULL, 
	vectors BLOB NOT NULL, 
	PRIMARY KEY (picture_id, space, "view")
);
INSERT INTO "embedding" VALUES('0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1','tiny-space','whole',1,X'003800B4003C0000');
INSERT INTO "embedding" VALUES('1ad0c522bd87df4bbc8bc00bc233759d913d63deb69a30c40de9075dfeb37128','tiny-space','whole',1,X'003C00B800400000');
CREATE TABLE fact (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "fact" VALUES('format','8');
INSERT INTO "fact" VALUES('profile','tianchi-532389');
INSERT INTO "fact" VALUES('table','c262214e91b8859e477326c4bcde3311a4da666d5b7ae68abb49f99854e1f41a');
INSERT INTO "fact" VALUES('input:a.jpg','726b3d125f055340d67334c9d5e7770b36dab545d7a4c2a6ba8867b5304db7f9');
INSERT INTO "fact" VALUES('input:b.jpg','d1f629699ef79521621bf135c74ee96133ba7811f9004b052eb9a6ae20f9b0f7');
INSERT INTO "fact" VALUES('input:c.jpg','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6');
INSERT INTO "fact" VALUES('input:d.jpg','72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee');
INSERT INTO "fact" VALUES('judge:vlm','{"model": "toy-judge", "provider": "127.0.0.1:40387", "rubrics": "38ded82722541c69"}');
INSERT INTO "fact" VALUES('campaign','5b9af3261517f12f');
CREATE TABLE file_version (
	id INTEGER NOT NULL, 
	task_id VARCHAR NOT NULL, 
	generator VARCHAR NOT NULL, 
	file VARCHAR NOT NULL, 
	candidate_id VARCHAR NOT NULL, 
	keep BOOLEAN NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "file_version" VALUES(1,'24','folder:source','24.jpg','0b841245cb616698aa05bc28aa755bd51c9f6229c01fb6646a25680db60675df',0,'2025-07-05T12:00:00.000+00:00');
CREATE TABLE job (
	id INTEGER NOT NULL, 
	task_id VARCHAR NOT NULL, 
	generator VARCHAR NOT NULL, 
	build VARCHAR NOT NULL, 
	service VARCHAR NOT NULL, 
	ticket VARCHAR NOT NULL, 
	facts JSON NOT NULL, 
	resumable BOOLEAN NOT NULL, 
	recipe_keys JSON NOT NULL, 
	price FLOAT, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "job" VALUES(1,'3','toy_remote','1-a64766a0','toyland','d60344b8e481d6db-955808404295','{"task_id": "3", "prompt": "brighter", "seeds": [892323662, 892323663], "shade": 90}',1,'["2c2066feff4d4a5c", "09db4203c9156358"]',0.5,'2025-07-01T12:15:00.000+00:00');
INSERT INTO "job" VALUES(2,'10','toy_remote','1-a64766a0','toyland','','{}',0,'["8f0c4f86bbaa41ca", "3cdeaef0cf1b5d6c"]',0.5,'2025-07-01T12:25:00.000+00:00');
INSERT INTO "job" VALUES(3,'10','toy_remote','1-a64766a0','toyland','9ccbe93c0e5fb68a-956783807367','{"task_id": "10", "prompt": "may fail", "seeds": [1823615632, 1823615633], "shade": 90}',1,'["8f0c4f86bbaa41ca", "3cdeaef0cf1b5d6c"]',0.5,'2025-07-01T12:25:00.000+00:00');
INSERT INTO "job" VALUES(4,'10','toy_remote','1-a64766a0','toyland','9ccbe93c0e5fb68a-956796526962','{"task_id": "10", "prompt": "may fail", "seeds": [1823615632, 1823615633], "shade": 90}',1,'["8f0c4f86bbaa41ca", "3cdeaef0cf1b5d6c"]',0.5,'2025-07-01T12:25:00.000+00:00');
INSERT INTO "job" VALUES(5,'24','toy_remote','1-a64766a0','toyland','33eb40392a6408eb-956895130507','{"task_id": "24", "prompt": "\u628a\u5b57\u6539\u6210\u201c\u597d\u201d", "seeds": [1854012203, 1854012204], "shade": 90}',1,'["fca96edb9f724c1b", "49e1630f5b5be85a"]',0.5,'2025-07-01T12:30:00.000+00:00');
INSERT INTO "job" VALUES(6,'10','toy_remote','1-a64766a0','toyland','420f35f095adbb72-957034856679','{"task_id": "10", "prompt": "may fail", "seeds": [1823615634], "shade": 90}',1,'["71052529cbf673e7"]',0.5,'2025-07-01T12:35:02.000+00:00');
INSERT INTO "job" VALUES(7,'10','toy_remote','1-a64766a0','toyland','b74f695ce630f386-957147326425','{"task_id": "10", "prompt": "may fail", "seeds": [1823615634, 1823615635], "shade": 90}',1,'["71052529cbf673e7", "d7999f612d7f3ac8"]',0.5,'2025-07-01T12:40:02.000+00:00');
INSERT INTO "job" VALUES(8,'24','toy_remote','1-a64766a0','toyland','6d3d2881ace72eb2-961209454031','{"task_id": "24", "prompt": "\u628a\u5b57\u6539\u6210\u201c\u597d\u201d", "seeds": [1854012205, 1854012206], "shade": 90}',1,'["f12e018d37189e92", "f86ce9b750e6dc4e"]',0.5,'2025-07-02T13:35:02.000+00:00');
CREATE TABLE job_end (
	id INTEGER NOT NULL, 
	job_id INTEGER NOT NULL, 
	recipe_key VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	try_number INTEGER NOT NULL, 
	reason VARCHAR, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT job_end_once UNIQUE (job_id, recipe_key, outcome, try_number)
);
INSERT INTO "job_end" VALUES(1,1,'2c2066feff4d4a5c','delivered',1,NULL,'2025-07-01T12:15:00.000+00:00');
INSERT INTO "job_end" VALUES(2,1,'09db4203c9156358','undelivered',1,'the download broke','2025-07-01T12:15:00.000+00:00');
INSERT INTO "job_end" VALUES(3,1,'09db4203c9156358','undelivered',2,'the download broke','2025-07-01T12:20:00.000+00:00');
INSERT INTO "job_end" VALUES(4,2,'8f0c4f86bbaa41ca','perhaps',1,'the connection failed','2025-07-01T12:25:00.000+00:00');
INSERT INTO "job_end" VALUES(5,2,'3cdeaef0cf1b5d6c','perhaps',1,'the connection failed','2025-07-01T12:25:00.000+00:00');
INSERT INTO "job_end" VALUES(6,3,'8f0c4f86bbaa41ca','lost',1,'the toy service knows no such job','2025-07-01T12:25:00.000+00:00');
INSERT INTO "job_end" VALUES(7,3,'3cdeaef0cf1b5d6c','lost',1,'the toy service knows no such job','2025-07-01T12:25:00.000+00:00');
INSERT INTO "job_end" VALUES(8,4,'8f0c4f86bbaa41ca','delivered',1,NULL,'2025-07-01T12:25:00.000+00:00');
INSERT INTO "job_end" VALUES(9,4,'3cdeaef0cf1b5d6c','delivered',1,NULL,'2025-07-01T12:25:00.000+00:00');
INSERT INTO "job_end" VALUES(10,5,'fca96edb9f724c1b','delivered',1,NULL,'2025-07-01T12:30:00.000+00:00');
INSERT INTO "job_end" VALUES(11,5,'49e1630f5b5be85a','undelivered',1,'the download broke','2025-07-01T12:30:00.000+00:00');
INSERT INTO "job_end" VALUES(14,6,'71052529cbf673e7','failed',0,'the image is gone','2025-07-01T12:35:02.000+00:00');
INSERT INTO "job_end" VALUES(15,7,'71052529cbf673e7','refused',1,'the picture was refused','2025-07-01T12:40:02.000+00:00');
INSERT INTO "job_end" VALUES(16,7,'d7999f612d7f3ac8','delivered',1,NULL,'2025-07-01T12:40:02.000+00:00');
CREATE TABLE judge_reply (
	id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	ask INTEGER NOT NULL, 
	judge VARCHAR NOT NULL, 
	provider VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	prompt_hash VARCHAR NOT NULL, 
	images JSON NOT NULL, 
	repeat INTEGER NOT NULL, 
	outcome VARCHAR NOT NULL, 
	scores JSON NOT NULL, 
	reason VARCHAR, 
	text VARCHAR NOT NULL, 
	tokens_in INTEGER, 
	tokens_out INTEGER, 
	cost FLOAT, 
	seconds FLOAT NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT reply_once UNIQUE ("key", ask, at)
);
INSERT INTO "judge_reply" VALUES(1,'f658da43d7f261c2d9af6464d529d35632550a23',0,'vlm','127.0.0.1:40387','toy-judge','b71e3e2742fe404e','["3883a014d0605cb696d983e16abee9b531f8bf94f62594095b3b5f51efa5278a"]',0,'scored','{"naturalness": 7.5, "freedom_from_artefacts": 10.0}',NULL,'{"naturalness": 7.5, "freedom_from_artefacts": 10.0}',1000,20,NULL,0.075,'2025-07-02T13:30:02.000+00:00');
INSERT INTO "judge_reply" VALUES(2,'b763f828bae560c726e368fed4ae8f8fd36f0ec9',0,'vlm','127.0.0.1:40387','toy-judge','97c1659529728288','["72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee", "72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee"]',0,'scored','{"edit_success": 1.5, "minimal_over_editing": 4.0}',NULL,'{"edit_success": 1.5, "minimal_over_editing": 4.0}',1000,20,NULL,0.084,'2025-07-02T13:30:02.000+00:00');
INSERT INTO "judge_reply" VALUES(3,'4e84ba11ddb80f44f1099aff4ef84d7abdda002c',0,'vlm','127.0.0.1:40387','toy-judge','97c1659529728288','["72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee", "3883a014d0605cb696d983e16abee9b531f8bf94f62594095b3b5f51efa5278a"]',0,'scored','{"edit_success": 7.5, "minimal_over_editing": 7.0}',NULL,'{"edit_success": 7.5, "minimal_over_editing": 7.0}',1000,20,NULL,0.193,'2025-07-02T13:30:02.000+00:00');
INSERT INTO "judge_reply" VALUES(4,'f4ff6989dc1b456e68bcb94d9204240e508991dd',0,'vlm','127.0.0.1:40387','toy-judge','b71e3e2742fe404e','["72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee"]',0,'scored','{"naturalness": 1.0, "freedom_from_artefacts": 2.5}',NULL,'{"naturalness": 1.0, "freedom_from_artefacts": 2.5}',1000,20,NULL,0.086,'2025-07-02T13:30:02.000+00:00');
CREATE TABLE judgement (
	id INTEGER NOT NULL, 
	task_id VARCHAR NOT NULL, 
	candidate_id VARCHAR NOT NULL, 
	judge VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	sc FLOAT, 
	pq FLOAT, 
	parts JSON NOT NULL, 
	spread JSON, 
	reason VARCHAR, 
	at VARCHAR NOT NULL, passes JSON, 
	PRIMARY KEY (id), 
	FOREIGN KEY(task_id, candidate_id) REFERENCES candidate (task_id, id), 
	CONSTRAINT judged_at_all CHECK (sc IS NOT NULL OR pq IS NOT NULL)
);
INSERT INTO "judgement" VALUES(1,'10','0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1','gpt','judge',7.0,6.5,'{}',NULL,NULL,'2025-07-02T13:20:02.000+00:00',NULL);
INSERT INTO "judgement" VALUES(2,'10','1ad0c522bd87df4bbc8bc00bc233759d913d63deb69a30c40de9075dfeb37128','gpt','judge',3.5,NULL,'{}',NULL,NULL,'2025-07-02T13:20:02.000+00:00',NULL);
INSERT INTO "judgement" VALUES(3,'10','0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1','gpt','judge',5.0,6.5,'{}',NULL,'read anew','2025-07-02T13:25:02.000+00:00',NULL);
INSERT INTO "judgement" VALUES(4,'24','3883a014d0605cb696d983e16abee9b531f8bf94f62594095b3b5f51efa5278a','vlm','judge',7.0,7.5,'{"edit_success": 7.5, "minimal_over_editing": 7.0, "naturalness": 7.5, "freedom_from_artefacts": 10.0}','{}',NULL,'2025-07-02T13:30:02.000+00:00',NULL);
INSERT INTO "judgement" VALUES(5,'24','72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee','vlm','judge',1.5,1.0,'{"edit_success": 1.5, "minimal_over_editing": 4.0, "naturalness": 1.0, "freedom_from_artefacts": 2.5}','{}',NULL,'2025-07-02T13:30:02.000+00:00',NULL);
CREATE TABLE lease (
	name VARCHAR NOT NULL, 
	token VARCHAR NOT NULL, 
	machine VARCHAR NOT NULL, 
	host VARCHAR NOT NULL, 
	pid INTEGER NOT NULL, 
	began VARCHAR NOT NULL, 
	since VARCHAR NOT NULL, 
	beat FLOAT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "lease" VALUES('services','0000','0123456789abcdef','elsewhere',1,'','2026-11-29T12:00:00+00:00',1700000000.0);
CREATE TABLE look (
	id INTEGER NOT NULL, 
	task_id VARCHAR NOT NULL, 
	seen VARCHAR NOT NULL, 
	"by" VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "look" VALUES(1,'24','5d0c','Li','2025-07-05T12:00:00.000+00:00');
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
INSERT INTO "observation" VALUES(1,'total','fcdc6134',1.63,NULL,'2025-07-01T16:00:02.000+00:00',NULL);
INSERT INTO "observation" VALUES(2,'total','fcdc6134',1.71,NULL,'2025-07-01T16:00:02.000+00:00','tie');
INSERT INTO "observation" VALUES(3,'total','fcdc6134',1.36,'mistyped','2025-07-01T16:05:02.000+00:00',NULL);
INSERT INTO "observation" VALUES(4,'total','fcdc6134',1.17,'mistyped too','2025-07-01T16:10:02.000+00:00','tie');
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
INSERT INTO "pick" VALUES(1,'3','19eee52ee3d341b3b80391327e81c18c8c320be5078e8bee5900492fdb340429',4.94353719516703904446e+00,2.98154796087863793729e+00,0,'highest estimated overall 4.94 (SC not measured, PQ 6.4); 1 of 3 were eligible');
INSERT INTO "pick" VALUES(1,'10','a838606a40927e26f8dc81b67cf7bcd9b9b93d78eb6f4569d9a0d4c447e3fe1c',4.9324557778048045975e+00,2.98179859460717500141e+00,0,'highest estimated overall 4.93 (SC not measured, PQ 6.4); 1 of 5 were eligible');
INSERT INTO "pick" VALUES(1,'17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',NULL,NULL,1,'fallback: the task has no candidate');
INSERT INTO "pick" VALUES(1,'24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',3.98158259992179486275e+00,2.96511520051149579657e+00,0,'highest estimated overall 3.98 (SC not measured, PQ 6.3); 1 of 3 were eligible');
INSERT INTO "pick" VALUES(2,'3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',2.63552461150268912959e+00,2.04166982813876396463e+00,0,'highest estimated overall 2.64 (SC not measured, PQ 3.7), runner-up 1.61; 2 of 4 were eligible');
INSERT INTO "pick" VALUES(2,'10','a838606a40927e26f8dc81b67cf7bcd9b9b93d78eb6f4569d9a0d4c447e3fe1c',1.59826212285123725465e+00,1.09254796473247473009e+00,0,'highest estimated overall 1.60 (SC not measured, PQ 2.1); 1 of 5 were eligible');
INSERT INTO "pick" VALUES(2,'17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',NULL,NULL,1,'fallback: the task has no candidate');
INSERT INTO "pick" VALUES(2,'24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',1.99792193982188970302e+00,7.25306338353520763106e-01,0,'highest estimated overall 2.00 (SC not measured, PQ 3.2); 1 of 3 were eligible');
INSERT INTO "pick" VALUES(3,'3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',2.64387188298052766555e+00,2.04072379738441656016e+00,0,'highest estimated overall 2.64 (SC not measured, PQ 3.7), runner-up 1.61; 2 of 4 were eligible');
INSERT INTO "pick" VALUES(3,'10','0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1',2.6939051418732220533e+00,2.04438952672754,0,'highest estimated overall 2.69 (SC not measured, PQ 3.8), runner-up 1.60; 2 of 6 were eligible');
INSERT INTO "pick" VALUES(3,'17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',NULL,NULL,1,'fallback: the task has no candidate');
INSERT INTO "pick" VALUES(3,'24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',1.99790304932488105293e+00,7.25310358496877083389e-01,0,'highest estimated overall 2.00 (SC not measured, PQ 3.2); 1 of 3 were eligible');
INSERT INTO "pick" VALUES(4,'3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972',2.65239254002424562628e+00,2.03956620690679235607e+00,0,'highest estimated overall 2.65 (SC not measured, PQ 3.7), runner-up 1.61; 2 of 4 were eligible');
INSERT INTO "pick" VALUES(4,'10','d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b',2.75851184852140196568e+00,2.04148459731833176178e+00,0,'highest estimated overall 2.76 (SC not measured, PQ 3.9), runner-up 2.70; 3 of 7 were eligible');
INSERT INTO "pick" VALUES(4,'17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6',NULL,NULL,1,'fallback: the task has no candidate');
INSERT INTO "pick" VALUES(4,'24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3',1.99704667607971386722e+00,0.725454050573998,0,'highest estimated overall 2.00 (SC not measured, PQ 3.2); 1 of 4 were eligible');
CREATE TABLE pick_set (
	id INTEGER NOT NULL, 
	digest VARCHAR NOT NULL, 
	basis JSON NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "pick_set" VALUES(1,'665e8696c77b725fa24eac76b606f811','{"calibration": "prior-2", "scorers": {"technical": "toy-1"}}','2025-07-01T12:50:02.000+00:00');
INSERT INTO "pick_set" VALUES(2,'169ab9614f203ac611f52afaf1ecae40','{"calibration": "prior-2", "totals": 2, "told": "ffb858d33d68eb99", "scorers": {"technical": "toy-1"}}','2025-07-01T16:25:02.000+00:00');
INSERT INTO "pick_set" VALUES(3,'508547d73b461e6c451974420a2622b8','{"calibration": "prior-2", "totals": 2, "told": "ffb858d33d68eb99", "scorers": {"technical": "toy-1"}}','2025-07-01T16:50:02.000+00:00');
INSERT INTO "pick_set" VALUES(4,'5b1c57b26abdda818e80739c3d7d1906','{"calibration": "prior-2", "totals": 2, "told": "ffb858d33d68eb99", "scorers": {"technical": "toy-1"}}','2025-07-02T13:10:02.000+00:00');
CREATE TABLE plan_decision (
	id INTEGER NOT NULL, 
	known VARCHAR NOT NULL, 
	hold BOOLEAN NOT NULL, 
	hold_below FLOAT NOT NULL, 
	remaining INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "plan_decision" VALUES(1,'5d41402abc4b2a76',1,0.02,9,'2026-11-29T12:00:00.000+00:00');
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
INSERT INTO "planning" VALUES(5,'24','source','1-cd3f2a97',1,'[{"variant": "file", "seed": 1854012203, "params": {"file": "24.jpg", "sha256": "0b841245cb616698aa05bc28aa755bd51c9f6229c01fb6646a25680db60675df"}}]','planned',NULL,'2025-07-01T12:05:00.000+00:00');
INSERT INTO "planning" VALUES(6,'3','toy_remote','1-a64766a0',2,'[{"variant": "", "seed": 892323662, "params": {"shade": 90}}, {"variant": "", "seed": 892323663, "params": {"shade": 90}}]','planned',NULL,'2025-07-01T12:15:00.000+00:00');
INSERT INTO "planning" VALUES(7,'10','toy_remote','1-a64766a0',2,'[{"variant": "", "seed": 1823615632, "params": {"shade": 90}}, {"variant": "", "seed": 1823615633, "params": {"shade": 90}}]','planned',NULL,'2025-07-01T12:25:00.000+00:00');
INSERT INTO "planning" VALUES(8,'24','toy_remote','1-a64766a0',2,'[{"variant": "", "seed": 1854012203, "params": {"shade": 90}}, {"variant": "", "seed": 1854012204, "params": {"shade": 90}}]','planned',NULL,'2025-07-01T12:30:00.000+00:00');
INSERT INTO "planning" VALUES(9,'10','toy_remote','1-a64766a0',3,'[{"variant": "", "seed": 1823615632, "params": {"shade": 90}}, {"variant": "", "seed": 1823615633, "params": {"shade": 90}}, {"variant": "", "seed": 1823615634, "params": {"shade": 90}}]','planned',NULL,'2025-07-01T12:35:02.000+00:00');
INSERT INTO "planning" VALUES(10,'10','toy_remote','1-a64766a0',4,'[{"variant": "", "seed": 1823615632, "params": {"shade": 90}}, {"variant": "", "seed": 1823615633, "params": {"shade": 90}}, {"variant": "", "seed": 1823615634, "params": {"shade": 90}}, {"variant": "", "seed": 1823615635, "params": {"shade": 90}}]','planned',NULL,'2025-07-01T12:40:02.000+00:00');
INSERT INTO "planning" VALUES(11,'17','source','1-b1e33af7',1,'[{"variant": "unchanged", "seed": 1901040801, "params": {}}]','planned',NULL,'2025-07-01T12:50:02.000+00:00');
INSERT INTO "planning" VALUES(12,'3','folder:qwen','1-b1e33af7',10000,'[{"variant": "file", "seed": 892323662, "params": {"file": "3.jpg", "sha256": "ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972"}}]','planned',NULL,'2025-07-01T16:15:02.000+00:00');
INSERT INTO "planning" VALUES(13,'10','folder:qwen','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-01T16:15:02.000+00:00');
INSERT INTO "planning" VALUES(14,'17','folder:qwen','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-01T16:15:02.000+00:00');
INSERT INTO "planning" VALUES(15,'24','folder:qwen','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-01T16:15:02.000+00:00');
INSERT INTO "planning" VALUES(16,'3','folder:flux','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-01T16:40:02.000+00:00');
INSERT INTO "planning" VALUES(17,'10','folder:flux','1-b1e33af7',10000,'[{"variant": "file", "seed": 1823615632, "params": {"file": "10.jpg", "sha256": "0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1"}}]','planned',NULL,'2025-07-01T16:40:02.000+00:00');
INSERT INTO "planning" VALUES(18,'17','folder:flux','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-01T16:40:02.000+00:00');
INSERT INTO "planning" VALUES(19,'24','folder:flux','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-01T16:40:02.000+00:00');
INSERT INTO "planning" VALUES(20,'3','folder:flux-2','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-02T13:00:02.000+00:00');
INSERT INTO "planning" VALUES(21,'10','folder:flux-2','1-b1e33af7',10000,'[{"variant": "file", "seed": 1823615632, "params": {"file": "10.jpg", "sha256": "d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b"}}]','planned',NULL,'2025-07-02T13:00:02.000+00:00');
INSERT INTO "planning" VALUES(22,'17','folder:flux-2','1-b1e33af7',10000,'[]','planned',NULL,'2025-07-02T13:00:02.000+00:00');
INSERT INTO "planning" VALUES(23,'24','folder:flux-2','1-b1e33af7',10000,'[{"variant": "file", "seed": 1854012203, "params": {"file": "24.jpg", "sha256": "72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee"}}]','planned',NULL,'2025-07-02T13:00:02.000+00:00');
INSERT INTO "planning" VALUES(24,'24','toy_remote','1-a64766a0',4,'[{"variant": "", "seed": 1854012203, "params": {"shade": 90}}, {"variant": "", "seed": 1854012204, "params": {"shade": 90}}, {"variant": "", "seed": 1854012205, "params": {"shade": 90}}, {"variant": "", "seed": 1854012206, "params": {"shade": 90}}]','planned',NULL,'2025-07-02T13:35:02.000+00:00');
CREATE TABLE prompt_text (
	id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	ask INTEGER NOT NULL, 
	style VARCHAR NOT NULL, 
	form VARCHAR NOT NULL, 
	original VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	writer VARCHAR NOT NULL, 
	provider VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	order_hash VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	reason VARCHAR, 
	tokens_in INTEGER, 
	tokens_out INTEGER, 
	cost FLOAT, 
	seconds FLOAT NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT prompt_text_once UNIQUE ("key", ask, at)
);
INSERT INTO "prompt_text" VALUES(1,'0000000000000000000000000000000000000001',0,'translated','instruction','把字改成“好”','Change the text to "好"','writer','127.0.0.1','toy-writer','5555555555555555','written',NULL,40,9,0.002,0.1,'2025-07-02T13:30:02.000+00:00');
INSERT INTO "prompt_text" VALUES(2,'0000000000000000000000000000000000000002',0,'rewritten','caption','brighter','','writer','127.0.0.1','toy-writer','6666666666666666','refused','refused',40,3,0.001,0.1,'2025-07-02T13:30:02.000+00:00');
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
INSERT INTO "score" VALUES('3','125f1757fef98333cca9d5c4725167ac4acc144cc19641b15b3935e1bb34a862','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('3','19eee52ee3d341b3b80391327e81c18c8c320be5078e8bee5900492fdb340429','technical','toy-1','sharpness',0.592,NULL);
INSERT INTO "score" VALUES('3','bd4dc47f7f7f5f1fb1fa0e9e17d7b92cdccf5464fce75a1963891c871a5fe499','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('10','1ad0c522bd87df4bbc8bc00bc233759d913d63deb69a30c40de9075dfeb37128','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('10','2e9138a837f8be698726483091ad8777cfea3322f8ed719b6cce19114c9234b0','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('10','a838606a40927e26f8dc81b67cf7bcd9b9b93d78eb6f4569d9a0d4c447e3fe1c','technical','toy-1','sharpness',0.584,NULL);
INSERT INTO "score" VALUES('10','e5b57e19aeb06ff2b02f5996373690c35ed154309f9df4293dbd7bd629ce4794','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('10','fbc7140cb42e5ab45d516ab3ab80f80f851c457ef8a58b786d024a3a655648bd','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('24','0b841245cb616698aa05bc28aa755bd51c9f6229c01fb6646a25680db60675df','technical','toy-1','sharpness',0.549,NULL);
INSERT INTO "score" VALUES('24','3883a014d0605cb696d983e16abee9b531f8bf94f62594095b3b5f51efa5278a','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('24','c9b39d09c3374f3b6d066332b0d6b448a8f55de45da40e014c73fab2d28a61a8','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('24','ee063193b608ba8513992be2bd1ae839b971a888e41e5043317922937d47d0a3','technical','toy-1','sharpness',0.567,NULL);
INSERT INTO "score" VALUES('3','ccd7bd2aa5f7c27a4cd9535cac202a54cfe1b0b45ecb0853f97f407b72f4f972','technical','toy-1','sharpness',0.902,NULL);
INSERT INTO "score" VALUES('17','40b0808e095a30e75a6cc64f075a78d51c469c6a8ac238c2b98eeac6c3cbe8c6','technical','toy-1','sharpness',NULL,'too dark to be measured');
INSERT INTO "score" VALUES('10','0556ae6d5987b48b10f4f0295496f1a844188b0f0cc70dc68a14814e2e5032e1','technical','toy-1','sharpness',0.941,NULL);
INSERT INTO "score" VALUES('10','d54f37b5497d960fa9c02794b67286e8b6f964d2cd0758c03bd0c910df2a645b','technical','toy-1','sharpness',0.98,NULL);
INSERT INTO "score" VALUES('24','72100856910f6a5481d9e004e362f4913a53ab4f2a94e7a9d744cb396496cdee','technical','toy-1','sharpness',NULL,'too dark to be measured');
CREATE TABLE submission (
	id VARCHAR NOT NULL, 
	pick_set_id INTEGER NOT NULL, 
	zip_name VARCHAR NOT NULL, 
	zip_sha256 VARCHAR NOT NULL, 
	fallbacks INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "submission" VALUES('fcdc6134',1,'team_图片生成_result.zip','af0abb848852f1d47c31951705177328754c84de1327ea672730da3cfd19d215',1,'2025-07-01T12:55:02.000+00:00');
INSERT INTO "submission" VALUES('bea99e70',2,'team_图片生成_result.zip','0764ffff2dc2b10fa2d01df7948208d69670fb52830c0c1da28835099f9e5736',1,'2025-07-01T16:30:02.000+00:00');
INSERT INTO "submission" VALUES('fd0e15ca',3,'team_图片生成_result.zip','3c95696fcbd7401d2e2c99a61ae8a378982f8097e6fb0b3d8feeafc1840a181f',1,'2025-07-01T16:55:02.000+00:00');
INSERT INTO "submission" VALUES('838623d4',4,'team_图片生成_result.zip','e79155c01934cd50f30f8b178def8087c586a46241a2cbf45008e55b14c33246',1,'2025-07-02T13:15:02.000+00:00');
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
INSERT INTO "submission_event" VALUES(1,'fcdc6134','exported',NULL,NULL,NULL,'2025-07-01T12:55:02.000+00:00');
INSERT INTO "submission_event" VALUES(2,'fcdc6134','submitted','2025-07-01',1,NULL,'2025-07-01T13:00:02.000+00:00');
INSERT INTO "submission_event" VALUES(3,'fcdc6134','scored',NULL,NULL,NULL,'2025-07-01T16:00:02.000+00:00');
INSERT INTO "submission_event" VALUES(4,'fcdc6134','scored',NULL,NULL,'mistyped','2025-07-01T16:05:02.000+00:00');
INSERT INTO "submission_event" VALUES(5,'bea99e70','exported',NULL,NULL,NULL,'2025-07-01T16:30:02.000+00:00');
INSERT INTO "submission_event" VALUES(6,'bea99e70','withdrawn',NULL,NULL,'too bright','2025-07-01T16:35:02.000+00:00');
INSERT INTO "submission_event" VALUES(7,'fd0e15ca','exported',NULL,NULL,NULL,'2025-07-01T16:55:02.000+00:00');
INSERT INTO "submission_event" VALUES(8,'fd0e15ca','submitted','2025-07-02',1,NULL,'2025-07-02T12:55:02.000+00:00');
INSERT INTO "submission_event" VALUES(9,'838623d4','exported',NULL,NULL,NULL,'2025-07-02T13:15:02.000+00:00');
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
CREATE TABLE task_reading (
	id INTEGER NOT NULL, 
	task_id VARCHAR NOT NULL, 
	"by" VARCHAR NOT NULL, 
	tag VARCHAR NOT NULL, 
	reading JSON NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "task_reading" VALUES(1,'24','table','ace4c3b0','{"by": "table", "scene": null, "texts": [], "edit": null, "text_edit": {"action": "replace", "old": "\u574f", "new": "\u597d", "place": null, "which": ""}, "unread": ""}','2025-07-04T12:00:00.000+00:00');
CREATE TABLE text_embedding (
	digest VARCHAR NOT NULL, 
	space VARCHAR NOT NULL, 
	vector BLOB NOT NULL, 
	PRIMARY KEY (digest, space)
);
INSERT INTO "text_embedding" VALUES('472d858d6693becf2e8d5f5e52bef27671d20cdd927b7d3d004679f63eff853a','tiny-space',X'0000003F0000803E000000000000803F');
CREATE INDEX planning_task ON planning (task_id, generator, build);
CREATE INDEX judge_reply_judge ON judge_reply (judge);
CREATE INDEX job_service ON job (service);
CREATE INDEX job_task ON job (task_id, generator, build);
CREATE INDEX prompt_text_key ON prompt_text ("key");
CREATE INDEX judgement_candidate ON judgement (task_id, candidate_id, judge);
CREATE INDEX attempt_candidate ON attempt (task_id, candidate_id);
CREATE INDEX task_reading_task ON task_reading (task_id, id);
CREATE INDEX decision_task ON decision (task_id);
CREATE INDEX comparison_task ON comparison (task_id);
CREATE INDEX score_reasons ON score (reason, scorer, version, "column");
COMMIT;

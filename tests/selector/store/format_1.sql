-- A campaign's database as the program wrote it at format 1 (schema and rows: a dump by sqlite3), to be opened by today's.
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
CREATE TABLE candidate (
    task_id VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    width_px INTEGER NOT NULL,
    height_px INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    at VARCHAR NOT NULL,
    PRIMARY KEY (task_id, id)
);
INSERT INTO "candidate" VALUES('1','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',8,8,9,'2025-07-01T12:00:00+00:00');
CREATE TABLE fact (
    "key" VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    PRIMARY KEY ("key")
);
INSERT INTO "fact" VALUES('format','1');
CREATE TABLE observation (
    id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    submission_id VARCHAR NOT NULL,
    value FLOAT NOT NULL,
    reason VARCHAR,
    at VARCHAR NOT NULL,
    PRIMARY KEY (id)
);
INSERT INTO "observation" VALUES(1,'total','s1',1.63,NULL,'2025-07-01T12:00:00+00:00');
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
CREATE TABLE pick_set (
    id INTEGER NOT NULL,
    digest VARCHAR NOT NULL,
    basis JSON NOT NULL,
    at VARCHAR NOT NULL,
    PRIMARY KEY (id)
);
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
CREATE TABLE submission (
    id VARCHAR NOT NULL,
    pick_set_id INTEGER NOT NULL,
    zip_name VARCHAR NOT NULL,
    zip_sha256 VARCHAR NOT NULL,
    fallbacks INTEGER NOT NULL,
    at VARCHAR NOT NULL,
    PRIMARY KEY (id)
);
INSERT INTO "submission" VALUES('s1',1,'a.zip','00',0,'2025-07-01T12:00:00+00:00');
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
INSERT INTO "submission_event" VALUES(1,'s1','exported',NULL,NULL,NULL,'2025-07-01T12:00:00+00:00');
INSERT INTO "submission_event" VALUES(2,'s1','submitted','2025-07-01',1,NULL,'2025-07-01T12:00:00+00:00');
INSERT INTO "submission_event" VALUES(3,'s1','scored',NULL,NULL,NULL,'2025-07-01T12:00:00+00:00');
CREATE TABLE submission_pick (
    submission_id VARCHAR NOT NULL,
    task_id VARCHAR NOT NULL,
    candidate_id VARCHAR NOT NULL,
    fallback BOOLEAN NOT NULL,
    PRIMARY KEY (submission_id, task_id)
);
INSERT INTO "submission_pick" VALUES('s1','1','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',0);
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
INSERT INTO "task" VALUES('1',0,'tie','brighter','a.jpg',NULL);
CREATE INDEX planning_task ON planning (task_id, generator, build);
CREATE INDEX attempt_candidate ON attempt (task_id, candidate_id);
COMMIT;

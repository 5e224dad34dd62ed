"""The tables. Rows are added and never changed: what is current is the newest row, or follows from all of them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from selector.store._types import Number, Text, Whole

FORMAT_VERSION = 9  # what opens an older one is in migration.py
SHARED = "shared"  # the schema of what concerns all campaigns of a database; SQLite has one of them, and no schemas
CAMPAIGN = "campaign"  # key of the fact that names the campaign whose rows these are
TOKEN = "store"  # key of the fact that tells this store from others of the campaign; no backup takes it along

metadata = MetaData()

# Facts of the database itself: format version, campaign, profile, and hashes of the inputs that it was made from.
fact = Table("fact", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

task = Table(
    "task",
    metadata,
    Column("id", Text, primary_key=True),
    Column("position", Whole, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("source", Text),
    Column("reference", Text),
)

# What a generator said it would make of a task. `build` is its version and, if it has any, a hash of its settings.
planning = Table(
    "planning",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("task_id", Text, nullable=False),
    Column("generator", Text, nullable=False),
    Column("build", Text, nullable=False),
    Column("asked", Whole, nullable=False),  # how many recipes were asked for
    Column("recipes", JSON, nullable=False),  # [{variant, seed, params}, …], best guess first
    Column("outcome", Text, nullable=False),  # planned | declined | failed | missing
    Column("reason", Text),
    Column("at", Text, nullable=False),
    Index("planning_task", "task_id", "generator", "build"),
)

# One try of one recipe and how it ended. A retry is a new row.
attempt = Table(
    "attempt",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("task_id", Text, nullable=False),
    Column("generator", Text, nullable=False),
    Column("build", Text, nullable=False),
    Column("recipe_key", Text, nullable=False),
    Column("try_number", Whole, nullable=False),
    Column("ordinal", Whole),  # place among its generator's guesses, 0 the best; NULL where order says nothing
    Column("variant", Text, nullable=False),
    Column("seed", Whole, nullable=False),
    Column("params", JSON, nullable=False),
    Column("outcome", Text, nullable=False),  # made | declined | failed | missing
    Column("fallback", Boolean, nullable=False),  # by a last resort: no answer to the task. Since format 5
    Column("candidate_id", Text),
    Column("reason", Text),
    Column("notes", JSON, nullable=False),
    Column("seconds", Number, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("task_id", "generator", "build", "recipe_key", "try_number", name="attempt_once"),
    Index("attempt_candidate", "task_id", "candidate_id"),
)

# One image for one task. The same bytes may be a candidate of two tasks; two recipes of a task may give the same one.
candidate = Table(
    "candidate",
    metadata,
    Column("task_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),  # SHA-256 of the final bytes
    Column("width_px", Whole, nullable=False),
    Column("height_px", Whole, nullable=False),
    Column("size_bytes", Whole, nullable=False),
    Column("at", Text, nullable=False),
)

score = Table(
    "score",
    metadata,
    # Of names that are checked where they come from, and so many that looking at each once more would tell.
    Column("task_id", String, primary_key=True),
    Column("candidate_id", String, primary_key=True),
    Column("scorer", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("column", String, primary_key=True),
    Column("value", Number),  # exactly one of value and reason is set
    Column("reason", Text),
    ForeignKeyConstraint(["task_id", "candidate_id"], ["candidate.task_id", "candidate.id"]),
)
# To count by reason without a look at the rows. The reason is first, so that no other query takes this index for a way
# to its rows; on PostgreSQL a long one would not fit. Since format 8.
score_reasons = Index("score_reasons", score.c.reason, score.c.scorer, score.c.version, score.c.column)
score_reasons.ddl_if(dialect="sqlite")

# A file of scores by column, and what is in it, so that counting reads no file. The file is there before its row; see
# score_files.py and moving_scores.py. Since format 9.
score_shard = Table(
    "score_shard",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("scorer", Text, nullable=False),
    Column("version", Text, nullable=False),  # without the tag of a reading
    Column("path", Text, nullable=False),  # below the folder or address of scores
    Column("rows", Whole, nullable=False),  # candidates
    Column("size_bytes", Whole, nullable=False),
    # Version, with the tag of a reading, to column to {reason: number of candidates}, "" for those with a value.
    Column("counts", JSON, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("path", name="score_shard_once"),
    Index("score_shard_scorer", "scorer", "version"),
)

# A picture whose bytes were deleted on purpose; its rows stay. One that is made again lies there again, with a row that
# takes this one back. Since format 9.
pruned = Table(
    "pruned",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("picture_id", Text, nullable=False),  # SHA-256 of the bytes: a candidate's or an input picture's
    Column("name", Text),  # of an input picture
    Column("gone", Boolean, nullable=False),  # False: it is there again
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),  # the person's name
    Column("at", Text, nullable=False),
    Index("pruned_picture", "picture_id"),
)

# One run of `pick`; stored only when it differs from the newest.
pick_set = Table(
    "pick_set",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("digest", Text, nullable=False),
    Column("basis", JSON, nullable=False),  # calibration name and scorer versions that it rests on
    Column("at", Text, nullable=False),
)

pick = Table(
    "pick",
    metadata,
    Column("pick_set_id", Whole, primary_key=True),
    Column("task_id", Text, primary_key=True),
    Column("candidate_id", Text),  # NULL: the task has no candidate and no fallback could be made
    Column("overall", Number),
    Column("overall_sd", Number),
    Column("fallback", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
)

submission = Table(
    "submission",
    metadata,
    Column("id", Text, primary_key=True),  # digest of its picks: the same picks are the same submission
    Column("pick_set_id", Whole, nullable=False),
    Column("zip_name", Text, nullable=False),
    Column("zip_sha256", Text, nullable=False),
    Column("fallbacks", Whole, nullable=False),
    Column("at", Text, nullable=False),
)

submission_pick = Table(
    "submission_pick",
    metadata,
    Column("submission_id", Text, primary_key=True),
    Column("task_id", Text, primary_key=True),
    Column("candidate_id", Text, nullable=False),
    Column("fallback", Boolean, nullable=False),
)

# The life of a submission: exported -> submitted -> scored, or withdrawn. The newest upload or withdrawal counts.
submission_event = Table(
    "submission_event",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("submission_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("day", Text),  # contest day, on `submitted`
    Column("slot", Whole),  # 1, 2, … of that day, on `submitted`; what was corrected keeps its own: none has two rows
    Column("reason", Text),
    Column("at", Text, nullable=False),
    UniqueConstraint("day", "slot", name="one_submission_a_slot"),
)

# What the leaderboard said. A correction is a newer row with its reason; the older one stays.
observation = Table(
    "observation",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # total
    Column("submission_id", Text, nullable=False),
    Column("value", Number, nullable=False),
    Column("reason", Text),
    Column("at", Text, nullable=False),
    Column("scope", Text),  # task type that the total is of; NULL: all tasks. Since format 2
)

# What a judge said of one candidate, 0 to 10. The newest row of (task, candidate, judge) counts. Since format 2.
judgement = Table(
    "judgement",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("task_id", Text, nullable=False),
    Column("candidate_id", Text, nullable=False),
    Column("judge", Text, nullable=False),  # a name, for example of a vision-language model
    Column("kind", Text, nullable=False),  # judge (a model) | rating (people, where the contest allows it)
    Column("sc", Number),
    Column("pq", Number),
    Column("parts", JSON, nullable=False),  # the sub-scores that SC and PQ are made of, by name; may be {}
    Column(
        "spread", JSON(none_as_null=True)
    ),  # largest - smallest of each sub-score over passes; NULL: of a table. Since format 3
    # [{number, sc, pq, parts}, …] where the row is the mean of several passes; NULL: of one. Since format 6
    Column("passes", JSON(none_as_null=True)),
    Column("reason", Text),  # why a correction
    Column("at", Text, nullable=False),
    ForeignKeyConstraint(["task_id", "candidate_id"], ["candidate.task_id", "candidate.id"]),
    CheckConstraint("sc IS NOT NULL OR pq IS NOT NULL", name="judged_at_all"),
    Index("judgement_candidate", "task_id", "candidate_id", "judge"),
)

# What a backbone saw of a picture (a candidate or an input picture): one vector a crop of the view. Since format 3.
# A cache: unlike all other rows, these follow from the bytes and may be deleted.
embedding = Table(
    "embedding",
    metadata,
    Column("picture_id", Text, primary_key=True),  # SHA-256 of the bytes
    Column("space", Text, primary_key=True),  # model, weights, preprocessing and precision
    Column("view", Text, primary_key=True),
    Column("crops", Whole, nullable=False),
    Column("vectors", LargeBinary, nullable=False),  # float16, little-endian, (crops, dimensions)
)

# The same of texts, one vector each.
text_embedding = Table(
    "text_embedding",
    metadata,
    Column("digest", Text, primary_key=True),  # SHA-256 of the text in UTF-8
    Column("space", Text, primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # float32, little-endian
)

# One answer of a judge that was asked over HTTP, or that none came. The replies to one question have one key. Since
# format 3.
judge_reply = Table(
    "judge_reply",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False),  # digest of provider, model, prompt hash, sampling, image ids and repeat
    Column("ask", Whole, nullable=False),  # 0, 1, …: what could not be read is asked again
    Column("judge", Text, nullable=False),
    Column("provider", Text, nullable=False),  # host name of the server
    Column("model", Text, nullable=False),
    Column("prompt_hash", Text, nullable=False),
    Column("images", JSON, nullable=False),  # ids in the order in which they were shown
    Column("repeat", Whole, nullable=False),
    Column("outcome", Text, nullable=False),  # scored | refused | unreadable | rejected | unanswered
    Column("scores", JSON, nullable=False),  # by sub-score; {} unless scored
    Column("reason", Text),
    Column("text", Text, nullable=False),  # what came, shortened
    Column("tokens_in", Whole),
    Column("tokens_out", Whole),
    Column("cost", Number),
    Column("seconds", Number, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("key", "ask", "at", name="reply_once"),
    Index("judge_reply_judge", "judge"),
)

# A job that a remote service has accepted, stored before it is asked about: a crash loses none. Since format 4.
job = Table(
    "job",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("task_id", Text, nullable=False),
    Column("generator", Text, nullable=False),
    Column("build", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("ticket", Text, nullable=False),  # the service's id of the job; "" where it has none
    Column("facts", JSON, nullable=False),  # what asking for it needs beside the id; never a key
    Column("resumable", Boolean, nullable=False),  # whether another process can ask for it
    Column("recipe_keys", JSON, nullable=False),  # in the order of its deliveries
    Column("price", Number),  # money for an image, NULL where it is not known
    Column("at", Text, nullable=False),
    Index("job_task", "task_id", "generator", "build"),
    Index("job_service", "service"),
)

# How a job ended for one of its recipes. A job is open for those that have no row here. Since format 4. The try that an
# end belongs to makes it one of a kind (since format 5): a row that is stored twice is there once.
job_end = Table(
    "job_end",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("job_id", Whole, nullable=False),
    Column("recipe_key", Text, nullable=False),
    # delivered | undelivered (paid, the download failed) | failed | refused | lost (the service forgot it)
    Column("outcome", Text, nullable=False),
    Column("try_number", Whole, nullable=False),  # of the attempt that was stored with it; 0: no attempt tells of it
    Column("reason", Text),
    Column("at", Text, nullable=False),
    UniqueConstraint("job_id", "recipe_key", "outcome", "try_number", name="job_end_once"),
)

# A prompt as a language model rewrote or translated it, or why there is none. The asks for one text have one key; the
# newest usable row counts. Since format 4.
prompt_text = Table(
    "prompt_text",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False),  # digest of style, form, order hash, provider, model and original
    Column("ask", Whole, nullable=False),  # 0, 1, …: what could not be used is asked again
    Column("style", Text, nullable=False),  # translated | rewritten
    Column("form", Text, nullable=False),  # caption | tags | instruction | kontext
    Column("original", Text, nullable=False),
    Column("text", Text, nullable=False),  # "" unless written
    Column("writer", Text, nullable=False),  # its name in campaign.toml
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("order_hash", Text, nullable=False),
    Column("outcome", Text, nullable=False),  # written | refused | unreadable | rejected | unanswered
    Column("reason", Text),
    Column("tokens_in", Whole),
    Column("tokens_out", Whole),
    Column("cost", Number),
    Column("seconds", Number, nullable=False),
    Column("at", Text, nullable=False),
    UniqueConstraint("key", "ask", "at", name="prompt_text_once"),
    Index("prompt_text_key", "key"),
)

# What was understood of a task's words by a model or by a person; the newest row of a task counts. Since format 7.
task_reading = Table(
    "task_reading",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("task_id", Text, nullable=False),
    Column("by", Text, nullable=False),  # the model's name | table (a person) | rules
    Column("tag", Text, nullable=False),  # what versions of scores that rest on it bear; "": rules are to read it
    Column("reading", JSON, nullable=False),  # {} of rules
    Column("at", Text, nullable=False),
    Index("task_reading_task", "task_id", "id"),
)

# What a person decided of a candidate, a generator or a task, and why; see domain/decisions.py. Since format 8.
decision = Table(
    "decision",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # exclude | include | pin | release | note
    Column("task_id", Text),
    Column("candidate_id", Text),
    Column("generator", Text),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),  # the person's name
    Column("at", Text, nullable=False),
    Column("undoes", Whole),  # the id of the decision that it takes back
    Index("decision_task", "task_id"),
)

# Which picture the name of an imported file stands for, where several came under it: file_versions.py. Since format 8.
file_version = Table(
    "file_version",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("task_id", Text, nullable=False),
    Column("generator", Text, nullable=False),  # folder:LABEL
    Column("file", Text, nullable=False),
    Column("candidate_id", Text, nullable=False),
    Column("keep", Boolean, nullable=False),  # those of older bytes stay eligible beside it
    Column("at", Text, nullable=False),
)

# That a person has looked at a task, and at what: the same candidates and pick need no second look. Since format 8.
look = Table(
    "look",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("task_id", Text, nullable=False),
    Column("seen", Text, nullable=False),  # digest of the candidates and the pick that were shown
    Column("by", Text, nullable=False),  # the person's name
    Column("at", Text, nullable=False),
)

# Which of two candidates a person found better, without knowing who made them; what their ratings by comparison follow
# from. The newest row of a pair and person counts. Since format 8.
comparison = Table(
    "comparison",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("task_id", Text, nullable=False),
    Column("a", Text, nullable=False),  # candidate ids, the lower one first
    Column("b", Text, nullable=False),
    Column("better", Text, nullable=False),  # a | b | same
    Column("by", Text, nullable=False),  # the person's name
    Column("at", Text, nullable=False),
    ForeignKeyConstraint(["task_id", "a"], ["candidate.task_id", "candidate.id"]),
    ForeignKeyConstraint(["task_id", "b"], ["candidate.task_id", "candidate.id"]),
    Index("comparison_task", "task_id"),
)

# Whether a plan held, and from what it decided that; stored where one of them is new. Since format 6.
plan_decision = Table(
    "plan_decision",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("known", Text, nullable=False),  # digest of all that the plan followed from
    Column("hold", Boolean, nullable=False),
    Column("hold_below", Number, nullable=False),  # points: the bar; the newest row of each counts
    Column("remaining", Whole, nullable=False),  # submissions that were left
    Column("at", Text, nullable=False),
)

# What one process at a time may do, on whatever machine: see leases.py. The only rows that are changed and removed.
# Since format 5.
lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", Text, nullable=False),  # of one holding: nobody gives back what another has taken over
    Column("machine", Text, nullable=False),
    Column("host", Text, nullable=False),  # for people
    Column("pid", Whole, nullable=False),
    Column("began", Text, nullable=False),  # the process, by its machine's count; "" where it cannot be told
    Column("since", Text, nullable=False),
    Column("beat", Number, nullable=False),  # when the holder last said that it lives, s since 1970, the store's clock
    schema=SHARED,
)

"""The tables of a PostgreSQL event store, documented in docs/event-stores.md, and how a database comes to have them.

What the store promises, the database itself sees to, whoever writes. `event_head` is one row, and whoever inserts
events takes it before the first row is written (a trigger before the statement) and moves it on after the last (a
trigger after the statement), from exactly the position before the first new one. So positions have no gap, none is
given twice, and no event becomes visible below one that is visible already. The same trigger enters the ids in
`event_ids`, whose unique index reaches across all partitions, moves each stream in `event_streams` on from exactly the
version before its first new one, and tells listeners, once for a statement.

Partitions are the months in which events were stored, not those in which they happened: `at` may be any instant
between the years 1 and 9999, and positions then lie in the partitions in their order, so that a reader who knows where
the months begin asks only those that can have an answer. It asks them by their names (see `months`); `events`, which
holds them all, is for other programs and for people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitty_status.eventstore.postgres.archive_tables import ARCHIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_AT_THE_HEAD = "KS001"
"""The SQLSTATE with which the database refuses events whose positions do not follow on its head."""

NEVER_CHANGED = "KS002"
"""The SQLSTATE with which it refuses to change or remove what is stored."""

_TABLES = """
CREATE TABLE {s}.event_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    head bigint NOT NULL CHECK (head >= 0),
    month date NOT NULL
) WITH (fillfactor = 10);
INSERT INTO {s}.event_head (head, month) VALUES (0, '0001-01-01');

CREATE TABLE {s}.event_months (
    month date PRIMARY KEY,
    after_position bigint NOT NULL
);

CREATE TABLE {s}.event_ids (
    id text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL
);

CREATE TABLE {s}.event_streams (
    stream text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version > 0)
) WITH (fillfactor = 50);

CREATE TABLE {s}.events (
    position bigint NOT NULL CHECK (position > 0),
    month date NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    at timestamptz NOT NULL,
    id text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    data jsonb NOT NULL,
    tags jsonb NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    exact text,
    PRIMARY KEY (position, month)
) PARTITION BY RANGE (month);
CREATE INDEX events_by_stream ON {s}.events (stream, position);
CREATE INDEX events_by_type ON {s}.events (type, position);
-- Without the position: events of a batch happen at one instant, and are few to sort.
CREATE INDEX events_by_time ON {s}.events (at);
CREATE INDEX events_by_tag ON {s}.events USING gin (tags jsonb_path_ops)
    -- What waits to be put into the index is searched from end to end by each query: 4 MB, as usual, are too much.
    WITH (gin_pending_list_limit = 256);
COMMENT ON COLUMN {s}.events.exact IS 'data and metadata as they were given, where jsonb writes a number otherwise';

CREATE TABLE {s}.state_snapshots (
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    state jsonb NOT NULL,
    exact text,
    at timestamptz NOT NULL,
    PRIMARY KEY (stream, version)
);
"""

_TRIGGERS = """
CREATE FUNCTION {s}.take_the_head() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM 1 FROM {s}.event_head FOR UPDATE;
    RETURN NULL;
END $body$;

CREATE FUNCTION {s}.move_the_head() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    first_position bigint;
    last_position bigint;
    how_many bigint;
    first_month date;
    last_month date;
    first_id text;
    first_stream text;
    first_version bigint;
    follows boolean;
BEGIN
    SELECT min(position), max(position), count(*), min(month), max(month), min(id), min(stream), min(version)
        INTO first_position, last_position, how_many, first_month, last_month, first_id, first_stream, first_version
        FROM added;
    IF how_many = 0 THEN
        RETURN NULL;
    END IF;
    -- All in one month, so in one partition, whose primary key sees to it that no position comes twice.
    IF first_month = last_month AND last_position - first_position + 1 = how_many THEN
        UPDATE {s}.event_head SET head = last_position, month = last_month
            WHERE head = first_position - 1 AND month <= first_month;
        follows := FOUND;
    ELSE
        follows := false;
    END IF;
    IF NOT follows THEN
        RAISE EXCEPTION 'these events do not follow on the head of the store' USING ERRCODE = 'KS001';
    END IF;
    IF last_position = first_position THEN
        -- What most statements bring has the plainest plans.
        INSERT INTO {s}.event_ids (id, position) VALUES (first_id, last_position);
        IF first_version = 1 THEN
            INSERT INTO {s}.event_streams (stream, version) VALUES (first_stream, 1);
            follows := true;
        ELSE
            UPDATE {s}.event_streams SET version = first_version
                WHERE stream = first_stream AND version = first_version - 1;
            follows := FOUND;
        END IF;
    ELSE
        INSERT INTO {s}.event_ids (id, position) SELECT id, position FROM added;
        -- The versions of a stream follow on each other in the order of positions: all are as far from their rank.
        WITH adds AS MATERIALIZED (
            SELECT stream, stands_at, stands_at + count(*) AS version
            FROM (SELECT stream, version - row_number() OVER (PARTITION BY stream ORDER BY position) AS stands_at
                FROM added) AS ranked
            GROUP BY stream, stands_at
        ), moved AS (
            UPDATE {s}.event_streams AS known SET version = adds.version FROM adds
                WHERE known.stream = adds.stream AND known.version = adds.stands_at RETURNING 1
        ), begun AS (
            INSERT INTO {s}.event_streams (stream, version)
                SELECT stream, version FROM adds WHERE stands_at = 0 RETURNING 1
        )
        SELECT (SELECT count(*) FROM adds) = (SELECT count(*) FROM moved) + (SELECT count(*) FROM begun) INTO follows;
    END IF;
    IF NOT follows THEN
        RAISE EXCEPTION 'these versions do not follow on those of their streams' USING ERRCODE = 'unique_violation';
    END IF;
    PERFORM pg_notify('{s}.events', last_position::text);
    RETURN NULL;
END $body$;

CREATE FUNCTION {s}.keep_what_is_stored() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'stored events are never changed or removed (% on %)', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'KS002';
END $body$;

CREATE FUNCTION {s}.guard(guarded regclass) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format('CREATE TRIGGER takes_the_head BEFORE INSERT ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION {s}.take_the_head()', guarded);
    EXECUTE format('CREATE TRIGGER moves_the_head AFTER INSERT ON %s REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION {s}.move_the_head()', guarded);
    EXECUTE format('CREATE TRIGGER is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION {s}.keep_what_is_stored()', guarded);
END $body$;

SELECT {s}.guard('{s}.events');
CREATE TRIGGER is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.event_ids
    FOR EACH STATEMENT EXECUTE FUNCTION {s}.keep_what_is_stored();
CREATE TRIGGER is_never_filled BEFORE INSERT ON {s}.event_ids
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION {s}.keep_what_is_stored();
CREATE TRIGGER is_never_removed BEFORE DELETE OR TRUNCATE ON {s}.event_streams
    FOR EACH STATEMENT EXECUTE FUNCTION {s}.keep_what_is_stored();
CREATE TRIGGER is_moved_by_events BEFORE INSERT OR UPDATE ON {s}.event_streams
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION {s}.keep_what_is_stored();
CREATE TRIGGER is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.event_months
    FOR EACH STATEMENT EXECUTE FUNCTION {s}.keep_what_is_stored();
CREATE TRIGGER is_moved_by_events BEFORE UPDATE ON {s}.event_head FOR EACH ROW
    WHEN (new.month < old.month OR new.head < old.head OR new.head > old.head AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION {s}.keep_what_is_stored();
CREATE TRIGGER is_never_removed BEFORE DELETE OR TRUNCATE ON {s}.event_head
    FOR EACH STATEMENT EXECUTE FUNCTION {s}.keep_what_is_stored();
"""

_MONTHS = """
CREATE FUNCTION {s}.month_to_write_to() RETURNS date LANGUAGE sql STABLE AS $body$
    SELECT greatest(month, date_trunc('month', now() AT TIME ZONE 'UTC')::date) FROM {s}.event_head
$body$;

CREATE FUNCTION {s}.make_month(new_month date) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    partition text := to_char(new_month, '"events_"YYYY_MM');
    next_month date := new_month + interval '1 month';
BEGIN
    IF EXISTS (SELECT FROM pg_tables WHERE schemaname = '{s}' AND tablename = partition) THEN
        RETURN;
    END IF;
    -- Made apart and then attached: this keeps out no reader, as a partition of the table from the start would.
    EXECUTE format('CREATE TABLE {s}.%I (LIKE {s}.events INCLUDING ALL,
        CHECK (month >= %L AND month < %L))', partition, new_month, next_month);
    EXECUTE format('ALTER TABLE {s}.%I ALTER month SET DEFAULT %L', partition, new_month);
    EXECUTE format('ALTER TABLE {s}.events ATTACH PARTITION {s}.%I FOR VALUES FROM (%L) TO (%L)',
        partition, new_month, next_month);
    PERFORM {s}.guard(format('{s}.%I', partition)::regclass);
END $body$;

CREATE FUNCTION {s}.begin_month(new_month date, after_position bigint) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM {s}.make_month(new_month);
    -- And the one after it: for a moment after a partition was attached, other connections plan without it.
    PERFORM {s}.make_month((new_month + interval '1 month')::date);
    INSERT INTO {s}.event_months VALUES (new_month, after_position);
    UPDATE {s}.event_head SET month = new_month;
END $body$;
"""

_VIEWS = """
CREATE VIEW {s}.streams AS
    SELECT stream, count(*) AS events, max(version) AS newest_version, min(at) AS first_at, max(at) AS last_at
    FROM {s}.events GROUP BY stream;
CREATE VIEW {s}.event_types AS
    SELECT type, count(*) AS events, min(at) AS first_at, max(at) AS last_at FROM {s}.events GROUP BY type;
CREATE VIEW {s}.tag_values AS
    SELECT tag.key COLLATE "C" AS key, word.value COLLATE "C" AS value, count(*) AS events
    FROM {s}.events
    CROSS JOIN jsonb_each(tags) AS tag
    CROSS JOIN jsonb_array_elements_text(
        CASE jsonb_typeof(tag.value) WHEN 'array' THEN tag.value ELSE jsonb_build_array(tag.value) END) AS word
    GROUP BY 1, 2;
CREATE VIEW {s}.days AS
    SELECT (at AT TIME ZONE 'UTC')::date AS day, count(*) AS events FROM {s}.events GROUP BY 1;
"""

MIGRATIONS: Sequence[tuple[str, str]] = (("events", _TABLES + _TRIGGERS + _MONTHS + _VIEWS), ("archive", ARCHIVE))
"""What was done to the tables, in this order; one that was published is never altered."""

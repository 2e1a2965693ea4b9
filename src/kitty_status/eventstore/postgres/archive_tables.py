"""The tables of the archive of a PostgreSQL event store, documented in docs/event-stores.md.

A month that is over goes to the archive as a whole. Its chunks are written first, and are nothing until the month is
marked as archived, in the transaction that drops its table. What may be marked is seen to by the database, whoever
asks: chunks that hold every position of the month one after the other, or a table that does. `moves` in `event_head`
counts what was marked, so that every statement can tell whether what its asker knows of the months is still true.
"""

ARCHIVE = """
ALTER TABLE {s}.event_head ADD COLUMN moves bigint NOT NULL DEFAULT 0;
ALTER TABLE {s}.event_months ADD COLUMN archived boolean NOT NULL DEFAULT false;

CREATE TABLE {s}.event_archives (
    from_position bigint NOT NULL CHECK (from_position > 0),
    to_position bigint PRIMARY KEY CHECK (to_position >= from_position),
    month date NOT NULL,
    size bigint NOT NULL,
    sha256 text NOT NULL,
    codec text NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now(),
    types text[] COLLATE "C" NOT NULL,
    days text[] COLLATE "C" NOT NULL,
    words bytea NOT NULL,
    lines bytea NOT NULL
);
-- It is compressed already.
ALTER TABLE {s}.event_archives ALTER lines SET STORAGE EXTERNAL;

CREATE FUNCTION {s}.keep_the_archive() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    its_month date;
BEGIN
    IF TG_OP = 'INSERT' THEN
        its_month := NEW.month;
    ELSIF TG_OP = 'DELETE' THEN
        its_month := OLD.month;
    END IF;
    -- Shared, so that the month is not marked before this is committed.
    PERFORM 1 FROM {s}.event_months WHERE month = its_month AND NOT archived FOR SHARE;
    IF FOUND AND TG_OP = 'INSERT' THEN
        RETURN NEW;
    ELSIF FOUND THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'stored events are never changed or removed (% on %)', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'KS002';
END $body$;
CREATE TRIGGER is_never_changed BEFORE INSERT OR UPDATE OR DELETE ON {s}.event_archives
    FOR EACH ROW EXECUTE FUNCTION {s}.keep_the_archive();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON {s}.event_archives
    FOR EACH STATEMENT EXECUTE FUNCTION {s}.keep_what_is_stored();

CREATE FUNCTION {s}.move_a_month() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    head_now bigint;
    last_position bigint;
    is_whole boolean;
BEGIN
    IF NEW.month <> OLD.month OR NEW.after_position <> OLD.after_position OR NEW.archived = OLD.archived THEN
        RAISE EXCEPTION 'stored events are never changed or removed (% on %)', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'KS002';
    END IF;
    -- From here on nobody writes until the commit.
    UPDATE {s}.event_head SET moves = moves + 1 RETURNING head INTO head_now;
    SELECT min(after_position) INTO last_position FROM {s}.event_months WHERE month > OLD.month;
    IF NEW.archived THEN
        SELECT coalesce(max(to_position) = last_position AND bool_and(from_position = behind + 1), false)
            INTO is_whole
            FROM (SELECT from_position, to_position,
                    lag(to_position, 1, OLD.after_position) OVER (ORDER BY to_position) AS behind
                FROM {s}.event_archives WHERE month = OLD.month) AS chunks;
    ELSE
        SELECT count(*) = last_position - OLD.after_position INTO is_whole FROM {s}.events
            WHERE month = OLD.month AND position > OLD.after_position AND position <= last_position;
    END IF;
    -- The newest event stays, so that its month does.
    IF NOT is_whole OR last_position IS NULL OR last_position >= head_now THEN
        RAISE EXCEPTION 'stored events are never changed or removed (% is not over, or not all there)', OLD.month
            USING ERRCODE = 'KS002';
    END IF;
    RETURN NEW;
END $body$;
DROP TRIGGER is_never_changed ON {s}.event_months;
CREATE TRIGGER is_never_removed BEFORE DELETE OR TRUNCATE ON {s}.event_months
    FOR EACH STATEMENT EXECUTE FUNCTION {s}.keep_what_is_stored();
CREATE TRIGGER is_never_changed BEFORE UPDATE ON {s}.event_months
    FOR EACH ROW EXECUTE FUNCTION {s}.move_a_month();
CREATE TRIGGER counts_every_move BEFORE UPDATE ON {s}.event_head FOR EACH ROW
    WHEN (new.moves < old.moves) EXECUTE FUNCTION {s}.keep_what_is_stored();

-- What was `make_month` before: a table is filled between being made and being attached.
CREATE FUNCTION {s}.make_table(new_month date) RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
    partition text := to_char(new_month, '"events_"YYYY_MM');
    next_month date := new_month + interval '1 month';
BEGIN
    EXECUTE format('CREATE TABLE {s}.%I (LIKE {s}.events INCLUDING ALL,
        CHECK (month >= %L AND month < %L))', partition, new_month, next_month);
    EXECUTE format('ALTER TABLE {s}.%I ALTER month SET DEFAULT %L', partition, new_month);
    RETURN partition;
END $body$;

CREATE FUNCTION {s}.attach_table(new_month date) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    partition text := to_char(new_month, '"events_"YYYY_MM');
    next_month date := new_month + interval '1 month';
BEGIN
    EXECUTE format('ALTER TABLE {s}.events ATTACH PARTITION {s}.%I FOR VALUES FROM (%L) TO (%L)',
        partition, new_month, next_month);
    PERFORM {s}.guard(format('{s}.%I', partition)::regclass);
END $body$;

CREATE OR REPLACE FUNCTION {s}.make_month(new_month date) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    IF EXISTS (SELECT FROM pg_tables WHERE schemaname = '{s}' AND tablename = to_char(new_month, '"events_"YYYY_MM'))
    THEN
        RETURN;
    END IF;
    -- Made apart and then attached: this keeps out no reader, as a partition of the table from the start would.
    PERFORM {s}.make_table(new_month);
    PERFORM {s}.attach_table(new_month);
END $body$;

CREATE FUNCTION {s}.archive_month(old_month date) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    UPDATE {s}.event_months SET archived = true WHERE month = old_month;
    EXECUTE format('DROP TABLE {s}.%I', to_char(old_month, '"events_"YYYY_MM'));
END $body$;

CREATE FUNCTION {s}.restore_month(old_month date) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM {s}.attach_table(old_month);
    UPDATE {s}.event_months SET archived = false WHERE month = old_month;
    DELETE FROM {s}.event_archives WHERE month = old_month;
END $body$;
"""

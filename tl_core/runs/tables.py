"""The tables of the store, and the statements by which its database counts."""

import sqlalchemy as sa

metadata = sa.MetaData()
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("state", sa.String, nullable=False, index=True),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("changed", sa.Float, nullable=False),
    sa.Column("waited", sa.Float, nullable=False, server_default="0"),
    sa.Column("ran", sa.Float, nullable=False, server_default="0"),
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
    sa.Column("place", sa.Float, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("environment", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("device", sa.String),
    sa.Column("handle", sa.String),
    sa.Column("collected", sa.Integer, nullable=False, server_default="0"),
    sa.Column("stage", sa.String, nullable=False, server_default=""),
    sa.Column("done", sa.Float, nullable=False, server_default="0"),
    sa.Column("images_per_second", sa.Float),
    sa.Column("error", sa.String),
    sa.Column("error_kind", sa.String),
    sa.Column("correct", sa.Integer),
    sa.Column("test_images", sa.Integer),
    sa.Column("test_digest", sa.String),
    sa.Column("seconds", sa.Float),
    sa.Column("trainable_parameters", sa.Integer),
    sa.Column("total_parameters", sa.Integer),
    sa.Column("number", sa.Integer, nullable=False, server_default="0"),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0", index=True),
    sa.Column("state_revision", sa.Integer, nullable=False, server_default="0"),
    sa.Column("name", sa.String, nullable=False, server_default=""),
    sa.Column("tags", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("starred", sa.Boolean, nullable=False, server_default="0"),
    sa.Column("archived", sa.Boolean, nullable=False, server_default="0"),
    sa.Column("note", sa.String, nullable=False, server_default=""),
    sa.Column("disk_bytes", sa.Integer),
    sa.Column("metrics", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("repeats", sa.String),
    sa.Column("rung", sa.Integer),
    sa.Column("left_at", sa.JSON(none_as_null=True)),
    sa.Index("runs_by_disk_bytes", "state", "disk_bytes"),
)
deletions = sa.Table(
    "deletions",
    metadata,
    sa.Column("run_id", sa.String, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False, index=True),
)
"""The runs that were deleted. They hold the count of revisions up, say which folders are to be removed, and what became of the
run that an old address names."""
COUNTING = (
    *(f"DROP TRIGGER IF EXISTS {trigger}" for trigger in ("runs_made", "runs_changed", "runs_deleted", "member_lost")),
    "UPDATE runs SET number = rowid, revision = rowid WHERE number = 0",
    "UPDATE runs SET state_revision = revision WHERE state_revision = 0",
    """CREATE VIEW IF NOT EXISTS next_revision AS SELECT 1 + max(
           coalesce((SELECT max(revision) FROM runs), 0), coalesce((SELECT max(revision) FROM deletions), 0)
       ) AS next""",
    """CREATE TRIGGER runs_made AFTER INSERT ON runs BEGIN
           UPDATE runs SET (number, revision, state_revision) = (SELECT next, next, next FROM next_revision) WHERE id = NEW.id;
       END""",
    """CREATE TRIGGER runs_changed AFTER UPDATE ON runs WHEN NEW.revision = OLD.revision BEGIN
           UPDATE runs SET (revision, state_revision) = (
               SELECT next, CASE NEW.state WHEN OLD.state THEN NEW.state_revision ELSE next END FROM next_revision
           ) WHERE id = NEW.id;
       END""",
    """CREATE TRIGGER runs_deleted AFTER DELETE ON runs BEGIN
           INSERT INTO deletions (run_id, revision) SELECT OLD.id, max(OLD.revision + 1, next) FROM next_revision;
       END""",
    """CREATE TRIGGER member_lost AFTER DELETE ON memberships WHEN EXISTS (SELECT 1 FROM groups WHERE id = OLD.group_id) BEGIN
           INSERT OR REPLACE INTO lost_members (group_id, run_id, settings) VALUES (OLD.group_id, OLD.run_id, OLD.settings);
       END""",
)
"""Statements that have the database count every change of `runs`, and keep what groups lose, whoever makes it, also a process of
an earlier version that is still at work. Triggers of an earlier version give way to these. Runs of a store from before are
counted in the order in which they were put into it."""
events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.String, sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Index("events_of_run", "run_id", "kind", "id"),
)
groups = sa.Table(
    "groups",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("definition", sa.JSON, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("not_started", sa.JSON, nullable=False, server_default="[]"),
)
memberships = sa.Table(
    "memberships",
    metadata,
    sa.Column("group_id", sa.String, sa.ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("run_id", sa.String, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, index=True),
    sa.Column("settings", sa.JSON, nullable=False),
)
"""Which runs belong to which groups, each with its values of the axes. A run that is deleted leaves its groups, whichever version
deletes it."""
lost_members = sa.Table(
    "lost_members",
    metadata,
    sa.Column("group_id", sa.String, sa.ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("run_id", sa.String, primary_key=True),
    sa.Column("settings", sa.JSON, nullable=False),
)
"""What groups had of runs that were deleted, kept by the database itself, whichever version deletes them."""

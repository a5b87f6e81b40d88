"""Pages for leaders: the wall of the operations centre, the replay of an hour, the report of a day."""

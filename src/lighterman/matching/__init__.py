"""The exchange's own rules, pure: events in, events out, time given."""

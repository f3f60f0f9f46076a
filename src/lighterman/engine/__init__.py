"""One event in, decisions out; the only mutable trading state."""

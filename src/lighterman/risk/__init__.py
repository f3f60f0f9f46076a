"""From intention to permission."""

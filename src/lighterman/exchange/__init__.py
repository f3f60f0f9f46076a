"""The port to a venue and its one client."""

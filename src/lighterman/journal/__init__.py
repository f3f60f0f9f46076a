"""What happened, on disk, checksummed."""

"""The exchange's own rules, pure: requests in, outputs out, time given."""

"""What exists in this trade: integers and frozen nouns."""

"""From market and inventory to the quotes we wish; plain functions."""

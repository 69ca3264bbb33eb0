"""The figures that the server is held against: each measured beside an in-run limit, under load from one core."""

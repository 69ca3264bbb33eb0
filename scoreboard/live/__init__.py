"""Live boards: who follows what, and how changes reach them. Knows a `Sink`, never aiohttp."""

"""How many sockets an address or a player has open, over all replicas."""

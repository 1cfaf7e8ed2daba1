"""The page of the live player and its server, on this computer only."""

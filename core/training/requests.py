"""How other programs ask something of a run while it trains: a file in the model folder. Needs no framework."""

FILE = "REQUEST.json"
# Numbers that may change while it trains, by the names of the options.
NUMBERS = ("target_iter", "preview_every", "save_minutes", "held_out_every", "learning_rate")
# What is done at once.
ACTS = ("save", "preview")

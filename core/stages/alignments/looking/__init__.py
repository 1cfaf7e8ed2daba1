"""Jobs that look and change nothing, but where somebody asks for a choice."""

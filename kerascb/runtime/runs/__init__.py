"""What a run of training consists of beside its data: variables, chance."""

"""Words, numbers and markup for people: below everything, so it imports nothing of ours."""

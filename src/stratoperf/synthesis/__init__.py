"""Pattern matching, template expansion and rewriting over syntax trees as tables."""

"""Moving work packages: what is asked for, whether the rules allow it, the event that answers, and who hears of it."""

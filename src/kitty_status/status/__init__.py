"""What the program is about, and pure: lanes, events, transitions, the reducer, histories and rules."""

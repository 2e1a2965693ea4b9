"""What is written from a log for people and programs: `status.json`, lanes in work packages' files, `tasks.md`."""

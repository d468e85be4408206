"""The queue of jobs, worked off by pgqueuer."""

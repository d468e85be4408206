"""The parts that run beside the service on a developer's Linux machine: PostgreSQL and the Firebase Auth emulator."""


class LocalError(Exception):
    """A part cannot run here; the message is a sentence or two that says which, why, and what to do."""

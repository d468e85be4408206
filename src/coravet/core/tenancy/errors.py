"""What tenancy refuses."""

from coravet.core.kernel.errors import Conflict, Forbidden


class LastOwner(Conflict):
    """A clinic keeps at least one active owner."""

    code = "last_owner"
    title = "The last owner cannot leave"

    def __init__(self) -> None:
        super().__init__("This member is the clinic's last active owner. Make somebody else an owner first.")


class InvitationClosed(Conflict):
    """Accepted before, withdrawn, or past its time."""

    code = "invitation_closed"
    title = "The invitation is no longer open"


class NotPermitted(Forbidden):
    """The actor's roles do not allow it."""

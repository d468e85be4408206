"""What clients and patients refuse."""

from uuid import UUID

from coravet.core.kernel.errors import Conflict


class ClientMerged(Conflict):
    """The client turned out to be another one, who has all that was theirs; `merged_into_id` is that one's."""

    code = "client_merged"
    title = "The client is another one now"

    def __init__(self, merged_into_id: UUID) -> None:
        super().__init__("This client was merged with another one. Go on with that one.", merged_into_id=merged_into_id)


class ClientDeceased(Conflict):
    """The client has died: no patient becomes theirs."""

    code = "client_deceased"
    title = "The client has died"

    def __init__(self) -> None:
        super().__init__("This client is registered as deceased. Choose another one, or correct that first.")


class MergeNotUndoable(Conflict):
    """The merge stays as it is: its time is over, it was undone, or a later one stands upon it."""

    code = "merge_not_undoable"
    title = "The merge cannot be undone"

    def __init__(self, detail: str, why: str) -> None:
        super().__init__(detail, why=why)

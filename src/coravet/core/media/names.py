"""What files are called where they come from."""

from coravet.core.kernel.text import clean

LONGEST_NAME = 200


def shown_name(given: str | None) -> str | None:
    """A file's name as it is kept and shown: without the folders before it, in one line, of bounded length.

    None where nothing is left that can be read. It names nothing in any store: objects are called by what is in them.
    """
    last = (given or "").replace("\\", "/").rpartition("/")[2]
    try:
        name = clean(last)
    except ValueError:
        return None
    stem, dot, ending = name.rpartition(".")
    if len(name) <= LONGEST_NAME:
        return name or None
    return f"{stem[: LONGEST_NAME - 6]}.{ending}" if dot and len(ending) <= 5 else name[:LONGEST_NAME]


def name_as(name: str | None, media_type: str) -> str:
    """What a file is called by who saves it, with the ending of what it is now."""
    stem, dot, _ = (name or "").rpartition(".")
    return f"{(stem if dot else name) or 'archivo'}.{'webp' if media_type == 'image/webp' else 'pdf'}"

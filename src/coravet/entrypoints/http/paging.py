"""The parameters that every list takes."""

from typing import Annotated

from litestar.params import Parameter

Limit = Annotated[int, Parameter(ge=1, le=200, description="Items a page, 1 to 200.")]
Cursor = Annotated[str | None, Parameter(max_length=512, description="`next_cursor` of the page before.")]

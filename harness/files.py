"""The operations of a distributed file system, as workloads ask for them, clients answer them and the checker ``files`` reads them.

An operation's key is a path: a string such as "f3" or "d1/f3", the whole name of one file (a slash means nothing more; there are no
directories to make). A file holds records; a record is a whole number that is used once in a run. Offsets and lengths are bytes from 0 on.

``create``    value null → null | fails "exists"
``delete``    value null → null | fails "absent"
``rename``    key the old path, value another, the new one → null | fails "absent" (the old), "exists" (the new)
``list``      key and value null → all paths, sorted
``stat``      value null → {"records": so many or null, "replicas": so many live ones} | fails "absent"
``append``    value a record → the offset at which it stands (record append; Ghemawat, Gobioff, Leung, "The Google File System",
              SOSP 2003, section 3.3) | fails "absent"
``write``     value [offset, record, length] → null: ``length`` bytes that are all this record's | fails "absent"
``read``      value null → content | fails "absent"; fails "corrupt": no replica could serve it whose checksums are right
``replicas``  value null → {node: content}: what every live replica of the file holds, of whatever state | fails "absent"

Content is [[offset, record], ...] in the order of offsets, without padding. Of appended records each is an entry, where it begins. Of
written ones an entry means that the bytes from this offset on, up to the next entry or else to the end of what was written of this record,
are this record's; so one whose middle was overwritten has two entries. What is no record that can be decoded comes as an entry whose
second part is a string (of any kind), and not as a failure: only so can a checker see that damage was served.

Such a failure is an answer, and its error is this word, alone or followed by a colon and more. All other failures say nothing but that the
operation did not happen. An answer to ``create``, ``delete``, ``rename``, ``list`` or ``stat`` must be true of the whole namespace at one
moment of the call. ``append``, ``write`` and ``read`` may go by what a client remembers of a file (whom to ask), so their
"absent" is believed of nobody. Standard library only.
"""

from __future__ import annotations

from typing import Any, Final

CREATE, DELETE, RENAME, LIST, STAT = "create", "delete", "rename", "list", "stat"
APPEND, WRITE, READ, REPLICAS = "append", "write", "read", "replicas"
NAMESPACE: Final = frozenset({CREATE, DELETE, RENAME, LIST, STAT})
CONTENT: Final = frozenset({APPEND, WRITE, READ, REPLICAS})

EXISTS, ABSENT, CORRUPT = "exists", "absent", "corrupt"
ANSWERS: Final = frozenset({EXISTS, ABSENT, CORRUPT})


def answer_of(error: Any) -> str | None:
    """The answer that the error of a failed operation is; None for any other error."""
    word = error.partition(":")[0].strip() if isinstance(error, str) else None
    return word if word in ANSWERS else None

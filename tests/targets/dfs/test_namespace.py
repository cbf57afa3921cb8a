"""The namespace against a dumb one, over checkpoints; and the rules of versions."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from targets.dfs.gfs.namespace import Namespace

PATHS = st.sampled_from(("a", "b", "d/a"))
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), PATHS),
        st.tuples(st.just("delete"), PATHS),
        st.tuples(st.just("rename"), PATHS, PATHS),
    ),
    max_size=25,
)


@given(EDITS)
def test_names_are_given_and_taken_as_in_a_dictionary(edits: list[tuple[str, ...]]) -> None:
    namespace, dumb, made = Namespace(), dict[str, int](), 0
    for f, path, *to in edits:
        error = None
        if f == "create":
            error = "exists" if path in dumb else None
            made += 1
            dumb.setdefault(path, made)
        elif path not in dumb:
            error = "absent"
        elif f == "delete":
            del dumb[path]
        elif to[0] in dumb:
            error = "exists"
        else:
            dumb[to[0]] = dumb.pop(path)
        assert namespace.apply([f, path, *to]).get("error") == error
        assert set(namespace.paths) == set(dumb)
        saved = Namespace()
        saved.load(json.loads(json.dumps(namespace.dump())))
        assert saved.dump() == namespace.dump()


def test_a_renamed_file_keeps_its_chunks_and_a_deleted_one_takes_them_along() -> None:
    namespace = Namespace()
    file = namespace.apply(["create", "a"])["ok"]
    chunk = namespace.apply(["allocate", file, 0])["ok"]
    assert namespace.apply(["allocate", file, 0]) == {"ok": chunk}, "it is there already"
    assert namespace.apply(["allocate", file, 2]) == {"error": "absent"}, "one is missing before it"
    namespace.apply(["rename", "a", "b"])
    assert namespace.chunks_of("b") == [chunk]
    assert namespace.chunks_of("a") is None
    namespace.apply(["delete", "b"])
    assert namespace.chunks == {}
    assert namespace.apply(["version", chunk, 1, 1]) == {"error": "absent"}


def test_versions_of_a_chunk_only_grow() -> None:
    namespace = Namespace()
    chunk = namespace.apply(["allocate", namespace.apply(["create", "a"])["ok"], 0])["ok"]
    assert namespace.apply(["version", chunk, 5, 5]) == {"ok": True}
    assert namespace.apply(["version", chunk, 5, 5]) == {"error": "absent"}
    assert namespace.apply(["version", chunk, 7, 5]) == {"ok": True}
    assert (namespace.chunks[chunk].version, namespace.chunks[chunk].safe) == (7, 5)

"""The packet filter's requests: batches, sets, rules; and the way from one content of its sets to another against a plain twin."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.fabric import nft
from harness.clusters.fabric.netlink import Request, attribute, attributes, nested

A, B = bytes([10, 0, 0, 1, 10, 0, 0, 2]), bytes([10, 0, 0, 2, 10, 0, 0, 1])
SIX = bytes(range(32))


def kinds(requests: list[Request]) -> list[int]:
    return [request.kind & 0xFF if request.kind >> 8 else request.kind for request in requests]


def expressions(rule: Request) -> list[str]:
    fields = dict(attributes(rule.payload[4:]))
    return [dict(attributes(one))[1].rstrip(b"\0").decode() for _, one in attributes(fields[4])]


def test_a_batch_begins_and_ends() -> None:
    inner = Request(kind=1, flags=0, payload=b"")
    packed = nft.batch([inner])
    assert [request.kind for request in packed] == [0x10, 1, 0x11]
    assert packed[0].payload == packed[2].payload == bytes([0, 0, 0, 10])


def test_both_families_get_the_same_tables_and_differ_in_where_addresses_stand() -> None:
    requests = nft.setup(compat=False)
    four = [request for request in requests if request.payload[0] == 2]
    six = [request for request in requests if request.payload[0] == 10]
    assert len(four) + len(six) == len(requests)
    assert kinds(four) == kinds(six)
    sets = [dict(attributes(r.payload[4:])) for r in requests if r.kind & 0xFF == nft.NEW_SET]
    assert {struct.unpack(">I", fields[5])[0] for fields in sets} == {8, 32}
    assert {fields[2].rstrip(b"\0").decode() for fields in sets} == {"cut", "slow", "copied", "lost"}
    assert all(dict(attributes(fields[17]))[1] == b"counter\0" for fields in sets)


def test_a_cut_comes_first_and_again_behind_the_queue() -> None:
    order = sorted((priority, name) for name, (hook, priority) in nft.CHAINS.items() if hook == nft.FORWARD)
    assert [name for _, name in order] == ["cut", "loss", "queue", "held"]


def test_rules_read_the_key_look_it_up_and_decide() -> None:
    rules = [r for r in nft.setup(compat=False) if r.kind & 0xFF == nft.NEW_RULE and r.payload[0] == 2]
    assert [expressions(rule) for rule in rules] == [
        ["payload", "lookup", "immediate"],
        ["payload", "lookup", "immediate"],
        ["payload", "lookup", "immediate"],
        ["payload", "lookup", "queue"],
        ["payload", "lookup", "queue"],
    ]
    compat = [r for r in nft.setup(compat=True) if r.kind & 0xFF == nft.NEW_RULE]
    assert [expressions(rule)[-1] for rule in compat].count("target") == 4
    lossy = [r for r in nft.lossy(2000) if r.kind & 0xFF == nft.NEW_RULE]
    assert expressions(lossy[0]) == [
        "payload",
        "lookup",
        "numgen",
        "byteorder",
        "cmp",
        "payload",
        "lookup",
        "immediate",
    ]


def keys_of(request: Request) -> frozenset[bytes]:
    fields = dict(attributes(request.payload[4:]))
    return frozenset(dict(attributes(dict(attributes(one))[1]))[1] for _, one in attributes(fields[3]))


def carried_out(contents: Mapping[str, frozenset[bytes]], requests: list[Request]) -> dict[str, frozenset[bytes]]:
    """What the sets hold after these requests, by hand."""
    after = {name: set(keys) for name, keys in contents.items()}
    for request in requests:
        name = dict(attributes(request.payload[4:]))[2].rstrip(b"\0").decode()
        if request.kind & 0xFF == nft.NEW_ELEMENTS:
            assert not after.get(name, set()) & keys_of(request)
            after.setdefault(name, set()).update(keys_of(request))
        else:
            assert keys_of(request) <= after[name]
            after[name] -= keys_of(request)
    return {name: frozenset(keys) for name, keys in after.items() if keys}


contents = st.dictionaries(st.sampled_from(["cut", "slow", "copied"]), st.frozensets(st.sampled_from([A, B, SIX])))


@given(contents, contents)
def test_changes_lead_from_one_content_to_the_other(
    old: dict[str, frozenset[bytes]], new: dict[str, frozenset[bytes]]
) -> None:
    requests = nft.changes(old, new)
    assert carried_out(old, requests) == {name: keys for name, keys in new.items() if keys}
    assert all(len({len(key) for key in keys_of(request)}) == 1 for request in requests)
    if old == new:
        assert requests == []


def test_many_links_are_several_messages_of_one_batch() -> None:
    many = frozenset(number.to_bytes(32, "big") for number in range(2500))
    requests = nft.changes({}, {"cut": many})
    assert len(requests) == 3
    assert carried_out({}, requests) == {"cut": many}
    assert max(len(request.payload) for request in requests) < 2**16


class Recorder:
    """A kernel that takes everything but rules with its own queue expression, where told so."""

    def __init__(self, *, old: bool) -> None:
        self.batches: list[list[Request]] = []
        self._old = old

    def transact(self, requests: list[Request]) -> None:
        rules = [request for request in requests if request.kind == nft.SUBSYSTEM | nft.NEW_RULE]
        if self._old and any("queue" in expressions(rule) for rule in rules):
            raise OSError(errno.ENOENT, "no such expression")
        self.batches.append(requests)


def filter_over(recorder: Recorder, *, six: bool = True) -> nft.Filter:
    ours, theirs = socket.socketpair()
    ours.close()
    packet_filter = nft.Filter(theirs, six=six)
    packet_filter.close()
    packet_filter._netlink = recorder  # type: ignore[assignment]
    return packet_filter


def test_an_older_kernel_gets_the_target_of_iptables() -> None:
    recorder = Recorder(old=True)
    filter_over(recorder).setup()
    (only,) = recorder.batches
    assert "target" in {word for r in only if r.kind == nft.SUBSYSTEM | nft.NEW_RULE for word in expressions(r)}


def test_a_probability_gets_its_set_and_rule_once_and_each_change_is_one_batch() -> None:
    recorder = Recorder(old=False)
    packet_filter = filter_over(recorder)
    packet_filter.hold({"loss2000": frozenset({A, SIX}), "cut": frozenset({B})}, [2000])
    packet_filter.hold({"loss2000": frozenset({B})}, [2000])
    packet_filter.hold({"loss2000": frozenset({B})}, [2000])
    first, second = recorder.batches
    assert kinds(first).count(nft.NEW_SET) == 2
    assert kinds(second).count(nft.NEW_SET) == 0
    assert carried_out({"loss2000": frozenset({A, SIX}), "cut": frozenset({B})}, second[1:-1]) == {
        "loss2000": frozenset({B})
    }


def test_a_kernel_without_ipv6_gets_one_table_and_keys_of_its_own() -> None:
    recorder = Recorder(old=False)
    packet_filter = filter_over(recorder, six=False)
    packet_filter.setup()
    packet_filter.hold({"cut": frozenset({A, SIX}), "loss5": frozenset({B, SIX})}, [5])
    sent = [request for requests in recorder.batches for request in requests if request.kind >> 8 == 10]
    assert {request.payload[0] for request in sent} == {2}
    elements = [request for request in sent if request.kind & 0xFF == nft.NEW_ELEMENTS]
    assert [keys_of(request) for request in elements] == [{A}, {B}]


def test_counts_are_read_with_their_keys() -> None:
    def element(key: bytes, packets: int | None) -> bytes:
        parts = [nested(1, attribute(1, key))]
        if packets is not None:
            figures = attribute(1, struct.pack(">Q", 999)) + attribute(2, struct.pack(">Q", packets))
            parts.append(nested(7, attribute(1, "counter"), nested(2, figures)))
        return nested(1, *parts)

    listed = nested(3, element(A, 7), element(B, None), element(SIX, 2**40))
    payload = bytes(4) + attribute(1, "splitbrain") + attribute(2, "cut") + listed
    assert nft.element_counts(payload) == {A: 7, SIX: 2**40}

"""The launcher and the supervisor of a run's namespaces: ``python -m harness.clusters.namespaces.supervisor DESCRIPTOR``.

The launcher moves into new namespaces (an ordinary user: into a user namespace first, where that user is root) and forks the
supervisor, the first process there. The supervisor's network namespace is the router: it makes places, lays a cable to each, starts
the shaper, and hands everything to the controller over the socket ``DESCRIPTOR``. Then it waits for that socket to close.

Standard library alone. It must leave the machine as it is: nothing here is seen outside these namespaces.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from harness.clusters.fabric import netlink_route as route
from harness.clusters.fabric import nfqueue_shaper
from harness.clusters.fabric.netlink import NETFILTER, ROUTE, Netlink, Request, open_socket
from harness.clusters.fabric.packet_log import open_tap
from harness.clusters.namespaces import kernel, layout, place, wire

ALL_BUT_USER = kernel.NEW_NET | kernel.NEW_MOUNT | kernel.NEW_UTS | kernel.NEW_IPC | kernel.NEW_PID
FORWARDING = ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding")


def enter() -> None:
    """New namespaces for the next child of this process. Raises OSError."""
    if os.geteuid() == 0:
        with suppress(
            PermissionError
        ):  # root in a container, say, without the capability: it may still be as others are
            kernel.unshare(ALL_BUT_USER)
            return
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(kernel.NEW_USER)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    kernel.unshare(ALL_BUT_USER)


def launch(control: socket.socket) -> int:
    """Fork the supervisor and see it to its end; returns its exit status."""
    controller = os.getppid()
    try:
        enter()
        kernel.die_with_parent()  # after the change of user, which would undo it
    except OSError as error:
        wire.send(control, {"error": place.words(error), "errno": error.errno})
        return 1
    if os.getppid() != controller:
        return 1  # it died before we asked
    supervisor = os.fork()
    if supervisor == 0:
        with place.fatal(control):
            _supervise(control)
    control.close()
    return os.waitstatus_to_exitcode(os.waitpid(supervisor, 0)[1])


def _supervise(control: socket.socket) -> NoReturn:
    kernel.die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as init it inherits orphans, and has no use for their status
    kernel.mount("none", "/", flags=kernel.PRIVATE | kernel.RECURSIVE)
    kernel.mount("proc", "/proc", "proc")
    place.settle()
    for path in FORWARDING:
        with suppress(FileNotFoundError):  # a kernel without IPv6
            Path(path).write_text("1", encoding="ascii")
    lent: dict[str, int] = {}  # networks of somebody else's, by the name of the place that they are to be
    while True:
        request, descriptors = wire.receive(control)
        if request is None:
            break
        if request["do"] == "lend":
            lent |= zip(request["names"], descriptors, strict=True)
        else:
            _build(control, request, lent)
            for descriptor in lent.values():
                os.close(descriptor)
            lent = {}
        wire.send(control, {"id": request["id"]})
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    os._exit(0)


def _build(control: socket.socket, request: Mapping[str, Any], lent: Mapping[str, int]) -> None:
    """Make all places and their cables, and the router's tools; hand over each with its descriptors."""
    plans = [_plan(fields, request["hosts"]) for fields in request["places"]]
    founded = []
    for plan in plans:
        conversation, descriptors = _found(plan, lent.get(plan.name))
        founded.append((plan, conversation, descriptors[0]))
        if plan.disk:
            _give(control, {"disk": plan.name}, socket.socket(fileno=descriptors[1]))
    _lay_cables([(plan, namespace) for plan, _, namespace in founded])
    for _, conversation, namespace in founded:
        os.close(namespace)
        wire.send(conversation, {"id": 0, "do": "network"})
    for plan, conversation, _ in founded:
        answer, _ = wire.receive(conversation)
        if answer is None or "error" in answer:
            raise OSError(f"the place {plan.name} has no network: {answer}")
        _give(control, {"place": plan.name}, conversation)
    shaping, error = shaper(request["seed"])
    _give(control, {"tool": "filter"}, open_socket(NETFILTER))
    _give(control, {"tool": "route"}, open_socket(ROUTE))
    if request["tap"]:
        _give(control, {"tool": "tap"}, open_tap())
    _give(control, {"tool": "shaper", "refused": error}, shaping)


def _plan(fields: Mapping[str, Any], hosts: str) -> place.Plan:
    address = layout.Address(**fields["address"]) if fields["address"] is not None else None
    return place.Plan(
        name=fields["name"], address=address, directory=fields["directory"], hosts=hosts, disk=fields["disk"]
    )


def _give(control: socket.socket, message: Mapping[str, Any], sock: socket.socket) -> None:
    wire.send(control, message, [sock.fileno()])
    sock.close()


def _found(plan: place.Plan, lent: int | None) -> tuple[socket.socket, list[int]]:
    """The conversation with a new place, and descriptors: of its network namespace, and of what serves its disk, if it has one."""
    ours, theirs = wire.pair()
    place.found(plan, theirs, lent)
    theirs.close()
    answer, descriptors = wire.receive(ours)
    if answer is None or not descriptors:
        raise OSError(f"the place {plan.name} was not made: {(answer or {}).get('error', 'its init ended')}")
    return ours, descriptors


def _lay_cables(ends: Sequence[tuple[place.Plan, int]]) -> None:
    netlink = Netlink(open_socket(ROUTE))
    netlink.carry_out(
        [route.cable(f"to{number}", place.CABLE, namespace) for number, (_, namespace) in enumerate(ends)]
    )
    loopback = socket.if_nametoindex("lo")
    requests: list[Request] = [route.up(loopback)]
    for number, (plan, _) in enumerate(ends):
        index = socket.if_nametoindex(f"to{number}")
        if plan.address is None:
            ways = [route.route(f"{layout.CLIENTS_GATE4}/32", index)]
            ways += [route.route(layout.CLIENTS4, index, via=layout.CLIENTS_GATE4)]
            ways += [route.route(layout.CLIENTS6, index, via=layout.CLIENTS_GATE6)]
        else:
            ways = [route.route(f"{plan.address.v4}/32", index), route.route(f"{plan.address.v6}/128", index)]
        requests += [route.address(index, layout.GATE4), route.address(index, layout.GATE6), route.up(index), *ways]
    requests += [route.unreachable(layout.ALL4), route.unreachable(layout.ALL6)]
    netlink.carry_out(route.possible(requests, six=route.has_six()))
    netlink.close()


def shaper(seed: int, first_queue: int = 0) -> tuple[socket.socket, str | None]:
    """The conversation with the process that shapes packets, and why it cannot if it cannot."""
    ours, theirs = wire.pair()
    if os.fork() == 0:
        with place.fatal(theirs):
            place.keep_only(theirs)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            kernel.exact_timers()
            nfqueue_shaper.serve(theirs, seed, first_queue)
    theirs.close()
    answer, _ = wire.receive(ours)
    return ours, "it ended" if answer is None else answer.get("error")


if __name__ == "__main__":
    sys.exit(launch(socket.socket(fileno=int(sys.argv[1]))))

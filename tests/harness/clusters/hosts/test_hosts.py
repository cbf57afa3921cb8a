"""Real SSH servers: keys that are pinned or refused, agents that run on the standard library, leases that end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import mark
from harness.cli.main import run_command
from harness.clusters import ssh
from harness.clusters.hosts import inventory, pins
from harness.clusters.hosts.connection import Connection
from harness.clusters.ssh import SshCluster
from harness.effects import ClockSkew, DiskFault
from harness.errors import EXIT_BROKEN, EXIT_USAGE, ClusterError
from tests.conformance.worlds import NODES, spec
from tests.harness.clusters.hosts import servers
from tests.harness.clusters.hosts.servers import needs_servers
from tests.harness.clusters.local.running import until

pytestmark = needs_servers
ROOT = Path(__file__).parents[4]
LEASE_S = 6


def connected() -> Connection:
    shared = servers.shared()
    return Connection(inventory.read(shared.hosts)[0], pins.load(inventory.pins_of(shared.hosts)))


def copied(tmp_path: Path) -> Path:
    """The file of the hosts, its pins apart from those of other tests."""
    shared = servers.shared()
    hosts = tmp_path / "hosts.toml"
    hosts.write_text(shared.hosts.read_text())
    inventory.pins_of(hosts).write_text(inventory.pins_of(shared.hosts).read_text())
    return hosts


def test_the_agent_needs_the_standard_library_alone() -> None:
    argv = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import harness.clusters.hosts.agent",
    ]
    subprocess.run(argv, check=True)


def test_a_program_gets_its_words_and_its_input_and_answers_in_full() -> None:
    connection = connected()
    try:
        script = "import sys; data = sys.stdin.buffer.read(); sys.stderr.write(sys.argv[1]); sys.stdout.buffer.write(data); sys.exit(7)"
        data = bytes(range(256)) * 4096
        done = connection.run([sys.executable, "-S", "-c", script, 'a "b" $(c)\n'], data)
        assert (done.status, done.output, done.errors) == (7, data, b'a "b" $(c)\n')
    finally:
        connection.close()


def test_a_host_whose_key_is_not_pinned_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hosts = copied(tmp_path)
    inventory.pins_of(hosts).unlink()
    assert _run(hosts) == EXIT_BROKEN
    error = capsys.readouterr().err
    assert "its key is not pinned: splitbrain hosts pin FILE shows it and pins it" in error
    assert "Traceback" not in error


def test_a_changed_key_is_refused_in_one_sentence_and_can_be_pinned_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = copied(tmp_path)
    path = inventory.pins_of(hosts)
    first, second, *rest = path.read_text().splitlines()
    taken = " ".join([first.split()[0], *second.split()[1:]])  # the first host's entry, with the second one's key
    path.write_text("\n".join([taken, second, *rest]) + "\n")
    assert _run(hosts) == EXIT_BROKEN
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("splitbrain: ")]
    assert "its key has changed: it shows SHA256:" in line
    assert run_command(["hosts", "pin", str(hosts), "--yes", "--json"]) == 0
    said = capsys.readouterr()
    assert "CHANGED: pinned is SHA256:" in said.err
    assert [row["key"] != row["was"] for row in json.loads(said.out)["pinned"]] == [True, False, False, False, False]
    assert sorted(path.read_text().splitlines()) == sorted([first, second, *rest])


def _run(hosts: Path) -> int:
    argv = [
        "run",
        "kv/raft",
        "--cluster",
        "ssh",
        "--hosts",
        str(hosts),
        "--nodes",
        "3",
        "--time-limit",
        "2",
        "--nemesis",
        "none",
    ]
    return run_command([*argv, "--store", str(hosts.parent / "store")])


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ([], "the ssh cluster runs on hosts that a file names: --hosts FILE"),
        (["--hosts", "/nowhere"], "--hosts /nowhere: No such file"),
        (["--nodes", "6", "--hosts", "SHARED"], "names 5 hosts, too few for 6 nodes: --nodes 5"),
        (
            ["--option", "lease_s=0", "--hosts", "SHARED"],
            "the option lease_s of the ssh cluster is 1 to 3600 seconds, not 0",
        ),
    ],
)
def test_a_run_that_cannot_be_is_refused_before_anything_starts(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [str(servers.shared().hosts) if word == "SHARED" else word for word in argv]
    assert run_command(["run", "kv/raft", "--cluster", "ssh", *argv]) == EXIT_USAGE
    assert sentence in capsys.readouterr().err


def test_a_server_that_does_not_let_us_in_says_so(tmp_path: Path) -> None:
    import paramiko

    stranger = tmp_path / "stranger"
    paramiko.RSAKey.generate(2048).write_private_key_file(str(stranger))
    hosts = copied(tmp_path)
    hosts.write_text(hosts.read_text().replace(f"{servers.shared().directory}/key", str(stranger)))
    with pytest.raises(ClusterError, match=r"does not let root in with the key .*stranger"):
        Connection(inventory.read(hosts)[0], pins.load(inventory.pins_of(hosts)))


def tables(shared: servers.Servers, number: int) -> int:
    """How many tables the packet filter of a host has."""
    script = "from harness import heal_machine; print(len(list(heal_machine.tables())))"
    argv = ["ip", "netns", "exec", shared.namespace(number), sys.executable, "-c", script]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=ROOT)
    return int(done.stdout)


def all_tables(shared: servers.Servers) -> list[bool]:
    """Whether each of the first three hosts has one."""
    return [tables(shared, number) > 0 for number in (1, 2, 3)]


def test_when_we_are_cut_off_in_the_middle_of_faults_all_is_healed_within_the_lease(tmp_path: Path) -> None:
    shared = servers.shared()

    def left(number: int) -> list[Path]:
        return list((shared.directory / f"data{number - 1}").glob("run-*"))

    async def scenario() -> None:
        cluster = SshCluster(spec(tmp_path, disks=True, hosts=str(shared.hosts), lease_s=LEASE_S))
        await cluster.start()
        time_s = asyncio.get_running_loop().time
        try:
            await cluster.cut([("n1", "n2"), ("n2", "n1"), ("n3", "n1")])
            await cluster.skew("n1", ClockSkew(offset_s=-60))
            await cluster.pause("n3")
            await cluster.break_disk("n2", [DiskFault(action="slow", operations=("fsync",), delay_s=60.0)])
            assert await asyncio.to_thread(all_tables, shared) == [True] * 3  # we go on being heard of meanwhile
            assert all(left(number) for number in (1, 2, 3))
            began_s = time_s()
            shared.cable(up=False)
            await until(lambda: not any(left(number) for number in (1, 2, 3)))
            took_s = time_s() - began_s
        finally:
            shared.cable(up=True)
            with pytest.raises(ClusterError, match="is lost|did not answer|the agent ended"):
                await cluster.stop()
        assert LEASE_S / 2 < took_s < ssh.LEASE_S  # its own, not the usual one
        assert all_tables(shared) == [False] * 3
        assert not any(disk_servers(shared, number) for number in (1, 2, 3))

    asyncio.run(scenario())


def test_an_agent_that_is_killed_leaves_no_rule_and_no_process_and_the_next_one_its_directory_and_its_disk(
    tmp_path: Path,
) -> None:
    shared = servers.shared()

    def processes() -> set[int]:
        return {int(word) for word in _inside(shared, 1) if "sshd" not in Path(f"/proc/{word}/comm").read_text()}

    async def scenario(number: int) -> None:
        cluster = SshCluster(spec(tmp_path / str(number), disks=True, hosts=str(shared.hosts)))
        await cluster.start()
        (home,) = (shared.directory / "data0").glob("run-*")
        owner = mark.parse(home.name.removeprefix("run-"))
        assert owner is not None
        if number == 1:  # the directory that the first one left is gone
            await cluster.stop()
            return
        await cluster.cut([("n2", "n1")])
        assert await asyncio.to_thread(tables, shared, 1) > 0  # meanwhile the agent goes on hearing of us
        (server,) = disk_servers(shared, 1)
        os.kill(server, signal.SIGKILL)  # it would unmount its disk
        os.kill(owner.pid, signal.SIGKILL)
        await until(lambda: not processes())
        assert tables(shared, 1) == 0
        assert home.exists()
        with pytest.raises(ClusterError, match="n1 on .*(is lost|the agent ended|connection is lost)"):
            await cluster.stop()

    for number in range(2):
        asyncio.run(scenario(number))
    assert not list(shared.directory.glob("data0/run-*"))


def disk_servers(shared: servers.Servers, number: int) -> list[int]:
    """The processes on a host that serve a disk which fails."""
    pids = map(int, _inside(shared, number))
    return [pid for pid in pids if b"harness.clusters.disks.server" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _inside(shared: servers.Servers, number: int) -> list[str]:
    """The processes in a host's network."""
    argv = ["ip", "netns", "pids", shared.namespace(number)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()


def test_nothing_is_left_on_a_host_after_a_run(tmp_path: Path) -> None:
    shared = servers.shared()

    async def scenario() -> None:
        cluster = SshCluster(spec(tmp_path, hosts=str(shared.hosts)))
        await cluster.start()
        try:
            await cluster.cut([("n1", "n2")])
            assert await asyncio.to_thread(tables, shared, 2)
        finally:
            await cluster.stop()

    asyncio.run(scenario())
    assert tables(shared, 2) == 0
    assert not list(shared.directory.glob("data*/run-*"))
    for node in NODES:
        assert (tmp_path / "nodes" / node / "agent.log").read_text() == ""

"""A node program that shows what its world does to it: the demonstration, and what the conformance suite of clusters measures with.

Messages (replies have the type with "_ok" behind it):

    echo {echo}                          the same back
    relay {to, patience_s, note}         sends "note" to the node ``to`` and waits: {"reached": bool, "round_trip_s": float}
    shout {to, notes}                    sends notes 0 .. notes-1 to the node ``to`` and waits for nothing: see "heard"
    heard {by}                           the numbers that came from the node ``by`` by "shout", in order of arrival
    save {name, text, sync}              appends to a file
    load {name}                          {"text": ...} the file as it is
    time                                 {"wall": s, "mono": s}
    ticks                                {"count": ..., "gap_s": the longest time between two ticks of a 10 ms timer}
    fail                                 raises, so that the node crashes
"""

from __future__ import annotations

from typing import Any

from targets.node.env import Body, Env, Message

TICK_S = 0.01
TIMEOUT_S = 0.1  # for faults that look at how long nodes wait for each other


class Echo:
    """See the module."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._heard: dict[str, list[int]] = {}
        self._ticks = 0
        self._gap_s = 0.0
        self._ticked_s = env.monotonic()
        for name in ("echo", "relay", "note", "shout", "murmur", "heard", "save", "load", "time", "ticks", "fail"):
            env.on(name, getattr(self, f"_on_{name}"))

    def start(self) -> None:
        self._ticked_s = self._env.monotonic()
        self._env.call_later(TICK_S, self._tick)

    def status(self) -> dict[str, Any]:
        first = self._env.node_id == self._env.node_ids[0]
        return {"role": "leader" if first else "follower", "timeout_s": TIMEOUT_S, "ticks": self._ticks}

    def _tick(self) -> None:
        now_s = self._env.monotonic()
        self._ticks += 1
        self._gap_s = max(self._gap_s, now_s - self._ticked_s)
        self._ticked_s = now_s
        self._env.call_later(TICK_S, self._tick)

    def _on_echo(self, message: Message) -> Body:
        return {"type": "echo_ok", "echo": message["body"].get("echo")}

    async def _on_relay(self, message: Message) -> Body:
        body = message["body"]
        began_s = self._env.monotonic()
        try:
            await self._env.rpc(body["to"], {"type": "note", "note": body.get("note")}, timeout_s=body["patience_s"])
        except TimeoutError:
            return {"type": "relay_ok", "reached": False}
        return {"type": "relay_ok", "reached": True, "round_trip_s": self._env.monotonic() - began_s}

    def _on_note(self, message: Message) -> Body:
        return {"type": "note_ok", "note": message["body"].get("note")}

    def _on_shout(self, message: Message) -> Body:
        body = message["body"]
        for number in range(body["notes"]):
            self._env.send(body["to"], {"type": "murmur", "number": number})
        return {"type": "shout_ok"}

    def _on_murmur(self, message: Message) -> None:
        self._heard.setdefault(message["src"], []).append(message["body"]["number"])

    def _on_heard(self, message: Message) -> Body:
        return {"type": "heard_ok", "numbers": self._heard.get(message["body"]["by"], [])}

    def _on_save(self, message: Message) -> Body:
        body = message["body"]
        self._env.storage.append(body["name"], body["text"].encode())
        if body.get("sync"):
            self._env.storage.sync(body["name"])
        return {"type": "save_ok"}

    def _on_load(self, message: Message) -> Body:
        data = self._env.storage.read(message["body"]["name"])
        return {"type": "load_ok", "text": data.decode("latin-1")}  # whatever its bytes are

    def _on_time(self, _message: Message) -> Body:
        return {"type": "time_ok", "wall": self._env.wall_time(), "mono": self._env.monotonic()}

    def _on_ticks(self, _message: Message) -> Body:
        return {"type": "ticks_ok", "count": self._ticks, "gap_s": self._gap_s}

    def _on_fail(self, _message: Message) -> Body:
        raise RuntimeError("asked to fail")

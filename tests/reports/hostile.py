"""A run whose every text tries to break out of the report: for tests that it cannot."""

from __future__ import annotations

from typing import Any

from harness.history import History
from harness.messages import Message
from harness.op import NEMESIS, Op, OpType
from reports.report import Report

MARKUP = "</script></style></svg><script>alert(1)</script><img src=x onerror=alert(1)><!--<![CDATA["
ATTRIBUTE = '"\' onmouseover=alert(1) x="{{7*7}}{% raw %}&lt;&#60;'
CONTROL = "\x00\x07\x08\x1b[31m\x1b]0;title\x07\x7f\x9b\r\n\t"
UNSEEN = "\u202e\u2066abc\u2069\u200f\u2028\u2029\ufeff\u00ad\U000e0041\ud800"
RICH = "[bold red]not markup[/bold red] [link=https://example.org]x[/link] :smile: [/]"
HUGE = "<b>" + "A" * 1_000_000

TEXTS = (MARKUP, ATTRIBUTE, CONTROL, UNSEEN, RICH, HUGE, "javascript:alert(1)")
ALL = " ".join(TEXTS)
SHORT = " ".join(text for text in TEXTS if text != HUGE)


def hostile_run(text: str) -> Report:
    """``text`` in every place of history, results and logs that others fill. The same shape for every ``text``."""
    said = {"id": 0, "kind": text, "args": {text: text}, "targets": [text], "evidence": text}
    lines = [
        Op(process=0, f=text, key=text, value=text, node=text),
        Op(type=OpType.INFO, process=NEMESIS, f="start-" + text, value=said),
        Op(type=OpType.INFO, process=NEMESIS, f="start-" + text, value={**said, "bit": True}),
        Op(type=OpType.OK, process=0, f=text, key=text, value=[text], node=text),
        Op(process=1, f=text, key=text, node=text),
        Op(type=OpType.FAIL, process=1, f=text, key=text, error=text, node=text),
        Op(process=2, f=text, key=text, value={text: text}, node=text),
        Op(type=OpType.INFO, process=2, f=text, key=text, value={text: text}, error={text: text}, node=text),
        Op(type=OpType.INFO, process=NEMESIS, f="stop-" + text, value={"id": 0}),
        Op(type=OpType.INFO, process=NEMESIS, f="stop-" + text, value={"id": 0, "healed": False, "evidence": text}),
    ]
    stamped = [
        Op(
            index=index,
            time_ns=index * 1_000_000,
            type=op.type,
            process=op.process,
            f=op.f,
            key=op.key,
            value=op.value,
            node=op.node,
            error=op.error,
        )
        for index, op in enumerate(lines)
    ]
    anomaly = {"checker": text, "name": text, "ops": [0], "reason": text + ".", "witness": [0, 3, 4, 5, 6, 7]}
    circle = [{"src": src, "dst": dst, "kind": text, "why": text} for src, dst in ((0, 4), (4, 6), (6, 0))]
    results = {
        "version": 1,
        "verdict": "invalid",
        "reason": text,
        "run": text,
        "target": text,
        "cluster": text,
        "seed": text,
        "plan": {"workload": text, "bug": text, "nodes": [text], text: [text]},
        "stats": {text: text},
        "faults": [],
        "anomalies": [anomaly, {**anomaly, "witness": []}, {**anomaly, "ops": []}, {**anomaly, "circle": circle}],
        "checkers": [
            {
                "checker": text,
                "validity": text,
                "reason": text,
                "stats": {text: text, "records": [{"a": 1, text: text}]},
            },
            {
                "checker": "strength",
                "validity": text,
                "reason": text,
                "stats": {"mutants": {text: {"made": 2, "caught": 1}}},
            },
        ],
        "repeat": text,
    }
    logs: dict[str, list[dict[str, Any]]] = {
        text: [
            {"t": 0.001, "event": text, text: text},
            {"t": None, "line": text},
            {"t": text, "event": "leader", "term": text},
            {"t": 0.002, "event": "leader", "term": text},
        ]
    }
    messages = [
        Message(src="c0", dest=text, kind=text, size=9, sent_s=0.0, arrived_s=(0.001,), text=text),
        Message(src=text, dest=text, kind="", size=9, sent_s=0.002, text=text),
    ]
    return Report(results=results, history=History.of(stamped), node_logs=logs, messages=messages)

"""The runner reads each corpus as it is laid out, and notices a verdict that disagrees. The histories are our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracles.__main__ import main

ETCD = "INFO  jepsen.util - 0 :invoke :write 1\nINFO  jepsen.util - 0 :ok :write 1\nINFO  jepsen.util - 0 :invoke :read nil\n"
KV = (
    '{:process 0, :type :invoke, :f :put, :key "0", :value "a"}\n{:process 0, :type :ok, :f :put, :key "0", :value "a"}\n'
    '{:process 0, :type :invoke, :f :append, :key "0", :value "b"}\n{:process 0, :type :ok, :f :append, :key "0", :value "b"}\n'
    '{:process 0, :type :invoke, :f :get, :key "0", :value nil}\n'
)
HINTED = (
    "INFO  jepsen.util - 0 \t:invoke :write \t34 \t:hint 0\nINFO  jepsen.util - 0 \t:ok :write \t34 \t:hint 4909\n"
    "INFO  jepsen.util - 2 \t:invoke :read \tnil \t:hint 0\nINFO  jepsen.util - 2 \t:ok :read \t34 \t:hint 4909\n"
)
BEGUN = (
    "; x=0 and y=0\n[{:type :invoke, :f :txn, :value [[:read :x nil] [:write :y 2]], :process 3}\n"
    "{:type :ok,\n :f :txn,\n :value [[:read :x 0] [:write :y 2]],\n :process 3}]\n"
)
LOCK = (
    "{:process 0, :type :invoke, :f :acquire}\n{:process 0, :type :ok, :f :acquire}\n"
    "{:process 1, :type :invoke, :f :acquire}\n{:process 1, :type :ok, :f :acquire}\n"
)


def corpora(root: Path, *, right: bool) -> None:
    files = {
        "porcupine/porcupine_test.go": f"checkJepsen(t, 0, true)\ncheckJepsen(t, 1, {str(not right).lower()})\n",
        "porcupine/test_data/jepsen/etcd_000.log": ETCD + "INFO  jepsen.util - 0 :ok :read 1\n",
        "porcupine/test_data/jepsen/etcd_001.log": ETCD + "INFO  jepsen.util - 0 :ok :read 2\n",
        "porcupine/test_data/kv/c01-ok.txt": KV + '{:process 0, :type :ok, :f :get, :key "0", :value "ab"}\n',
        "porcupine/test_data/kv/c01-bad.txt": KV + '{:process 0, :type :ok, :f :get, :key "0", :value "ba"}\n',
        "porcupine/test_data/etcd/etcd_RR0.5_CLI8_OPS20000.log": HINTED,
        "knossos/data/mutex/bad/two.edn": LOCK,
        "knossos/data/multi-register/good/two.edn": BEGUN,
        "elle-cli/histories/mutex/two.edn": LOCK,
        "elle-cli/histories/knossos/mutex/bad/two.edn": LOCK,
        "elle-cli/test.sh": "check -m knossos-mutex histories/mutex/two.edn  # false\n"
        "$CLI $OPTION mutex histories/knossos/mutex/bad/two.edn\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize("right", [True, False])
def test_every_corpus_is_found_and_compared(tmp_path: Path, right: bool, capsys: pytest.CaptureFixture[str]) -> None:
    corpora(tmp_path, right=right)
    code = main([str(tmp_path / "porcupine"), str(tmp_path / "knossos"), str(tmp_path / "elle-cli")])
    out = capsys.readouterr().out
    assert "mutex: 4 agrees" in out  # the last one is found by either rule
    assert "string-kv: 2 agrees" in out
    assert "multi-register: 1 agrees" in out
    assert "1 no-oracle" in out
    assert code == (0 if right else 1)
    assert ("etcd_001.log" in out) != right


def test_without_a_directory_it_says_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 254
    assert "python -m tests.oracles DIR" in capsys.readouterr().err

"""Nodes in languages of their own: each answers every question of the harness with its own reading of the wall clock."""

from __future__ import annotations

from pathlib import Path

from tests.harness.clusters.clocks.programs import go, jvm

GO = """\
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

type message struct {
	Src  string         `json:"src"`
	Dest string         `json:"dest"`
	Body map[string]any `json:"body"`
}

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var heard message
		if json.Unmarshal(lines.Bytes(), &heard) != nil {
			os.Exit(1)
		}
		wall := float64(time.Now().UnixNano()) / 1e9
		kind := fmt.Sprint(heard.Body["type"], "_ok")
		body := map[string]any{"type": kind, "in_reply_to": heard.Body["msg_id"], "wall": wall}
		said, _ := json.Marshal(message{heard.Dest, heard.Src, body})
		fmt.Println(string(said))
	}
}
"""

JAVA = """\
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

public class Node {
    public static void main(String[] arguments) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String body = "{\\"type\\":\\"" + after("\\"type\\":\\"", line) + "_ok\\",\\"in_reply_to\\":" + after("\\"msg_id\\":", line)
                + ",\\"wall\\":" + System.currentTimeMillis() + "e-3}";
            System.out.println("{\\"src\\":\\"" + after("\\"dest\\":\\"", line) + "\\",\\"dest\\":\\"" + after("\\"src\\":\\"", line)
                + "\\",\\"body\\":" + body + "}");
        }
    }

    static String after(String name, String line) {
        return line.substring(line.indexOf(name) + name.length()).split("[\\",}]")[0];
    }
}
"""
# The class of it, made as that of ``programs.JAVA``.
NODE_CLASS = """\
yv66vgAAADcAbwoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvT2JqZWN0AQAGPGluaXQ+AQADKClWBwAIAQAWamF2YS9pby9CdWZmZXJlZFJlYWRlcgcACgEA
GWphdmEvaW8vSW5wdXRTdHJlYW1SZWFkZXIJAAwADQcADgwADwAQAQAQamF2YS9sYW5nL1N5c3RlbQEAAmluAQAVTGphdmEvaW8vSW5wdXRTdHJlYW07CgAJ
ABIMAAUAEwEAGChMamF2YS9pby9JbnB1dFN0cmVhbTspVgoABwAVDAAFABYBABMoTGphdmEvaW8vUmVhZGVyOylWCgAHABgMABkAGgEACHJlYWRMaW5lAQAU
KClMamF2YS9sYW5nL1N0cmluZzsHABwBABdqYXZhL2xhbmcvU3RyaW5nQnVpbGRlcgoAGwADCAAfAQAJeyJ0eXBlIjoiCgAbACEMACIAIwEABmFwcGVuZAEA
LShMamF2YS9sYW5nL1N0cmluZzspTGphdmEvbGFuZy9TdHJpbmdCdWlsZGVyOwgAJQEACCJ0eXBlIjoiCgAnACgHACkMACoAKwEABE5vZGUBAAVhZnRlcgEA
OChMamF2YS9sYW5nL1N0cmluZztMamF2YS9sYW5nL1N0cmluZzspTGphdmEvbGFuZy9TdHJpbmc7CAAtAQATX29rIiwiaW5fcmVwbHlfdG8iOggALwEACSJt
c2dfaWQiOggAMQEACCwid2FsbCI6CgAMADMMADQANQEAEWN1cnJlbnRUaW1lTWlsbGlzAQADKClKCgAbADcMACIAOAEAHChKKUxqYXZhL2xhbmcvU3RyaW5n
QnVpbGRlcjsIADoBAARlLTN9CgAbADwMAD0AGgEACHRvU3RyaW5nCQAMAD8MAEAAQQEAA291dAEAFUxqYXZhL2lvL1ByaW50U3RyZWFtOwgAQwEACHsic3Jj
IjoiCABFAQAIImRlc3QiOiIIAEcBAAoiLCJkZXN0IjoiCABJAQAHInNyYyI6IggASwEACSIsImJvZHkiOggATQEAAX0KAE8AUAcAUQwAUgBTAQATamF2YS9p
by9QcmludFN0cmVhbQEAB3ByaW50bG4BABUoTGphdmEvbGFuZy9TdHJpbmc7KVYKAFUAVgcAVwwAWABZAQAQamF2YS9sYW5nL1N0cmluZwEAB2luZGV4T2YB
ABUoTGphdmEvbGFuZy9TdHJpbmc7KUkKAFUAWwwAXABdAQAGbGVuZ3RoAQADKClJCgBVAF8MAGAAYQEACXN1YnN0cmluZwEAFShJKUxqYXZhL2xhbmcvU3Ry
aW5nOwgAYwEABVsiLH1dCgBVAGUMAGYAZwEABXNwbGl0AQAnKExqYXZhL2xhbmcvU3RyaW5nOylbTGphdmEvbGFuZy9TdHJpbmc7AQAEQ29kZQEABG1haW4B
ABYoW0xqYXZhL2xhbmcvU3RyaW5nOylWAQANU3RhY2tNYXBUYWJsZQEACkV4Y2VwdGlvbnMHAG4BABNqYXZhL2lvL0lPRXhjZXB0aW9uACEAJwACAAAAAAAD
AAEABQAGAAEAaAAAABEAAQABAAAABSq3AAGxAAAAAAAJAGkAagACAGgAAAC1AAUABAAAAJW7AAdZuwAJWbIAC7cAEbcAFEwrtgAXTSzGAHy7ABtZtwAdEh62
ACASJCy4ACa2ACASLLYAIBIuLLgAJrYAIBIwtgAguAAytgA2Ejm2ACC2ADtOsgA+uwAbWbcAHRJCtgAgEkQsuAAmtgAgEka2ACASSCy4ACa2ACASSrYAIC22
ACASTLYAILYAO7YATiu2ABdNp/+GsQAAAAEAawAAAA4AAv0AFwcABwcAVfoAfABsAAAABAABAG0ACAAqACsAAQBoAAAAIgADAAIAAAAWKysqtgBUKrYAWmC2
AF4SYrYAZAMysAAAAAAAAA==
"""


def node(kind: str, directory: Path) -> list[str]:
    """The command line of such a node; what it is made of is put into this directory."""
    return [str(go(GO, directory))] if kind == "go" else jvm("Node", NODE_CLASS, directory)

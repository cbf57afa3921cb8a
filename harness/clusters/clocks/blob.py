"""Our clock functions as machine code. ``blob.S`` beside this file is their source, and says how to make these bytes of it."""

from __future__ import annotations

import struct

ENTRIES = 4  # so many changes must come within one reading of the clock before a reader sees a mixture
ENTRY = struct.Struct("<qqqq")  # offset (ns), since (ns since the epoch), rate (times 2^32), strobe period (ns)
LIVE, FIRST_ENTRY = 0, 8  # where the distance of the entry in use stands, and the first entry
CLOCKS = 1 << 0 | 1 << 5 | 1 << 11  # CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI: clock_gettime(2)

_DATA = struct.pack("<Q", FIRST_ENTRY) + bytes(ENTRIES * ENTRY.size) + struct.pack("<Q", CLOCKS)
_CODE = bytes.fromhex(
    "b8e40000000f0585c0751783ff1f77128b0de2ffffff0fa3f97307e8"
    "0300000031c0c3488b064869c000ca9a3b480346084989c14c8d0535"
    "ffffff4d0300492b4008498b48184885c9740f4989c2489948f7f9a8"
    "01752e4c89d049f76810480facd0204903004c01c84899b900ca9a3b"
    "48f7f94885d279064801ca48ffc848890648895608c34885f6740748"
    "c706000000004885ff7429574883ec10e83e000000488b44240831d2"
    "b9e803000048f7f1488b14244883c4105f4889174889470831c0c357"
    "4883ec10e812000000488b04244883c4105f4885ff7403488907c331"
    "ff488d742408b8e40000000f05e931ffffff"
)
BLOB = _DATA + _CODE

# Where the functions begin in it, by the names of those of the vDSO that they stand in for.
FUNCTIONS = {"__vdso_clock_gettime": 0x90, "__vdso_gettimeofday": 0x116, "__vdso_time": 0x153}

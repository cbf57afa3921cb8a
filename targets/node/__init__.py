"""The node runtime, standard library only: it travels into the process or container of a node. Modules in reading order:

env codes                    what a node program sees; the error codes of the protocol
runtime wallclock            dispatch, rpc, the harness's own questions; clocks that can be wrong
storage records              files that know what is durable; records that survive a torn tail
stdio programs __main__      a real node on standard input and output
echo                         a program for tests and demonstrations
"""

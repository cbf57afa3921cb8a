"""The node runtime, standard library only: it travels into the process or container of a node. Modules in reading order:

env codes                    what a node program sees; the error codes of the protocol
runtime wallclock            dispatch, rpc, the harness's own questions; clocks that can be wrong
storage records              files that know what is durable; records that survive a torn tail
codecs                       messages in JSON, XML or Protocol Buffers
tokens guard tls             who may ask a node for what, if its cluster has security
stdio programs __main__      a real node on standard input and output; tcp: on the network
echo                         a program for tests and demonstrations
"""

"""The catalogue of StratoSwarm: its workloads, their benchmarks, and the claims about them.

It is a client of the instrument as any other package could be: the entry point names
`stratoperf.stratoswarm.catalogue`, and nothing outside this folder imports it but the modules
`stratoperf.consensus`, `stratoperf.containers`, `stratoperf.kernel_modules`, `stratoperf.memory`
and `stratoperf.synthesis`, the names of its workloads.
"""

"""What `benchmarks.what_ifs` measures.

`bars_*` are the parts: each has its contenders run in processes of their own and gives a `Part`. `child` is such a process, and
`job_*` are what it does; those import Keras or torch, and nothing else does.
"""

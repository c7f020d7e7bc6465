"""How often to back up a run, so that it costs little and loses little.

Counting only: no clock, no Keras. A `Pace` is told of each step and of each
backup, and answers whether the next backup is due.

The aim is CheckFreq's (Mohan, Phanishayee and Chidambaram: "CheckFreq:
Frequent, Fine-Grained DNN Checkpointing", FAST '21): an interval that keeps
the cost of backups within a budget, found by measuring the run itself and
found anew as the run changes. The way is another one. There is no profiling
phase; the budget is an account into which every second of the run pays
`overhead` seconds, and a backup is due only when the account holds what one
is expected to cost. A backup that was dearer than expected overdraws it, and
the next one waits until that is paid, too. What was not spent buys one backup
and no more: a cheap day allows no dear hour.

A backup costs

- the time it holds the training thread,
- what the steps lose beside which it is written. They are compared with the
  steps alone before it, by their medians, for steps are irregular: tracing,
  validation, other processes. The loss is taken as a share of the writing
  time, 0 to 1, averaged over the latest backups without the extreme ones.
"""

from kerascb.pacing.pace import Pace, validate_overhead

__all__ = ["Pace", "validate_overhead"]

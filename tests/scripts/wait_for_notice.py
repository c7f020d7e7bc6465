"""Does what a run does about preemption, one line of stdin after the other.

`wait_for_notice.py FORMER`: the handler that was there before, `default`,
`ignore`, `flag` or `exit`. Answers every line with one of its own:

- `wait`: until a notice is given; answers with its reason.
- `later`: the clock goes on by ten seconds.
- `fork`: a child process sends itself SIGTERM; answers with its status.
- `close`: what `fit` does at its end.
- `leave`: what `fit` does once the state is saved. No answer.
"""

import os
import signal
import sys

from kerascb.callbacks._preemption import PreemptionNotice

now = 0.0


def forked():
    """What has become of a child that SIGTERM was sent to."""
    child = os.fork()
    if child == 0:
        signal.raise_signal(signal.SIGTERM)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    """Obeys until stdin ends."""
    global now  # noqa: PLW0603 - a clock that goes when it is told
    former = {
        "default": signal.SIG_DFL,
        "ignore": signal.SIG_IGN,
        "flag": lambda number, frame: print("flag", flush=True),
        "exit": lambda number, frame: sys.exit(3),
    }[sys.argv[1]]
    signal.signal(signal.SIGTERM, former)
    notice = PreemptionNotice(clock=lambda: now)
    notice.install()
    print("ready", flush=True)
    for line in sys.stdin:
        answer = "done"
        match line.strip():
            case "wait":
                while not notice.is_given:
                    pass
                answer = notice.reason
            case "later":
                now += 10
            case "fork":
                answer = forked()
            case "close":
                notice.close()
            case "leave":
                raise notice.error("backup", is_saved=True)
        print(answer, flush=True)


if __name__ == "__main__":
    main()

"""Programs that are run to their end, and that end when who runs them does. What must not live here: servers, and what is measured."""
import os
import signal
import subprocess
import sys


def end_on_signals():
    """What ends us ends us as an exception does: `finally` runs, and what was started is stopped."""
    ends = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(number, _):
        # Once: a second one must not end the stopping.
        for each in ends:
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    for each in ends:
        signal.signal(each, end)


def run(command, **more):
    """What a program printed. It has a process group of its own, so that what it starts in turn is ended with it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **more) as process:
        try:
            output, errors = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{errors}")
    return output

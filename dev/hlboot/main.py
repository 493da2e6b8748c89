# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlboot's course: link, boot, wait, report."""
import json
import os
import shlex
import signal
import sys
import time

import errors
import launch
import media
import options
import paths
import report
import summary
import terminal
from errors import BootError
from machine import XEN_ARGS, Machine

# dev/images/control/console-shell puts a shell on the console, which says this first.
CONSOLE_SHELL = "/usr/lib/hyperlaunch/console-shell"
CONSOLE_READY = b"hl-console: ready"
LAST_WORDS = 10


def say(text):
    """For people, not part of any output that programs read."""
    print(f"hlboot: {text}", file=sys.stderr, flush=True)


def _answer(machine, linked, number=0):
    """What a control domain without a serial port has told under this number, as (exit code, output); or None."""
    name = linked.reporter()
    domids = [domain["domid"] for domain in machine.log.domains() if domain["name"] == name]
    return machine.log.answer(domids[0], number) if domids else None


def _answers(machine, linked):
    """Whether the domain that runs commands for us has been heard of."""
    if machine.log.stopped() or not linked.runner():
        return False
    return bool(_answer(machine, linked)) if linked.runner() == linked.reporter() else machine.agent.ready


def _awaited(linked, args):
    """The name of the domain that is to be heard before the launch counts as over; or None."""
    return linked.runner() if linked.dynamic or args.run or args.interactive else None


def _crashed_alone(machine, linked):
    """Whether the launch has failed and the crash domain that runs now is none that answers us."""
    if machine.log.state() != "recovery":
        return False
    runs = [domain["name"] for domain in machine.log.domains() if domain["state"] in ("started", "ready")]
    return bool(runs) and linked.runner() not in runs


def _decided(machine, linked, args):
    """Whether Xen is done with the launch, well or badly, and no other is to be heard."""
    log = machine.log
    if log.stopped() or _crashed_alone(machine, linked):
        return True
    if _awaited(linked, args):
        return _answers(machine, linked)
    return log.state() in ("complete", "recovery", "failed")


def _tell(machine, linked, deadline):
    """The report of hlctl, where a control domain answers; or None."""
    if not (linked.dynamic and _answers(machine, linked)):
        return None
    if linked.reporter():
        told = report.from_answer(*_answer(machine, linked))
    else:
        told = report.from_control_domain(machine, max(deadline - time.monotonic(), 1))
    say(f"{machine.elapsed():5.1f} s: hlctl has answered in {linked.runner()}")
    return told


def _await_launch(machine, linked, args, deadline):
    """Waits for the launch's end; gives the report."""
    machine.wait(lambda: machine.log.hyperlaunch_lines(), deadline, "Xen to find the LCM")
    say(f"{machine.elapsed():5.1f} s: Xen has the LCM")
    awaited = _awaited(linked, args)
    machine.wait(lambda: _decided(machine, linked, args), deadline,
                 f"{awaited} to answer" if awaited else "the launch to complete")
    up = awaited and _answers(machine, linked)
    say(f"{machine.elapsed():5.1f} s: {f'{awaited} is up' if up else machine.log.state()}")
    told = _tell(machine, linked, deadline)
    if args.until:
        machine.wait(lambda: args.until.search(machine.log.text), deadline, f"'{args.until.pattern}' in the serial log")
    return told or report.from_serial_log(machine.log, linked.domains)


def _run(machine, linked, number, command, deadline):
    """(exit code, output) of the command, which has that number."""
    patience = max(deadline - time.monotonic(), 1)
    if linked.runner() != linked.reporter():
        return machine.run(command, patience)
    machine.wait(lambda: _answer(machine, linked, number), time.monotonic() + patience,
                 f"{linked.runner()}'s answer to: {command}")
    return _answer(machine, linked, number)


def _run_commands(machine, linked, args, deadline):
    if args.run and not _answers(machine, linked):
        say(f"not run, as {linked.runner()} does not run: {'; '.join(args.run)}")
        return
    for number, command in enumerate(args.run, 1):
        print(f"# {command}", flush=True)
        code, output = _run(machine, linked, number, command, deadline)
        print(output, end="" if output.endswith("\n") else "\n", flush=True)
        if code:
            raise BootError(f"exit code {code} in {linked.runner()}: {command}")


def _start_shell(machine, linked):
    """Whether a shell comes to the console: of the domain that has it, or of a control domain, which takes it."""
    name = linked.runner()
    if not _answers(machine, linked) or not (linked.dynamic or name == linked.console_owner()):
        return False
    if name != linked.reporter():
        machine.agent.send(f"{CONSOLE_SHELL} {shlex.quote(name)}")
    return True


def _interact(machine, linked, args, deadline):
    """A shell on the console, and the terminal is the machine's."""
    shown = b""
    if _start_shell(machine, linked):
        machine.wait(lambda: CONSOLE_READY in machine.terminal.seen, deadline, f"a shell in {linked.runner()}")
        shown = machine.terminal.seen.rpartition(CONSOLE_READY)[2].lstrip(b"\r\n")
    else:
        say(f"the console of {linked.console_owner()} follows, which may want Enter first; Ctrl-A X ends the machine")
    machine.terminal.relay(shown, machine.running)
    print(flush=True)
    say(f"the machine has ended; serial log {machine.log.path}")


def _conclude(told, log):
    """Exit code, and a word for people."""
    state = told["launch"].get("state")
    if state == "complete":
        say(f"launch complete, {len(told['domains'])} domains; serial log {log.path}")
        return errors.COMPLETE
    found = log.errors()
    for error in found:
        place = error["node"] + (f": {error['property']}" if error["property"] else "")
        say(f"error in the launch: {place}: {error['text']} [{error['name']}]")
    for line in log.boot_domain_said()[-LAST_WORDS:]:
        say(f"the boot domain said: {line}")
    say(f"launch ended as {state}; serial log {log.path}")
    return errors.LAUNCH_FAILED if found or state in ("recovery", "failed") else errors.FAILED


def _write_report(told, machine, path):
    told["boot_domain_said"] = machine.log.boot_domain_said()
    told["serial_log"] = machine.log.path
    if path:
        with open(path, "w", encoding="utf-8") as out:
            json.dump(told, out, indent=2)
            out.write("\n")


def _await_guests(machine, linked, deadline):
    """Until each guest that runs, and that tells when it is up, has told."""
    runs = {domain["domid"] for domain in machine.log.domains()
            if domain["state"] in ("started", "ready") and domain["name"] in linked.telling()}
    machine.wait(lambda: runs <= {domid for domid, text in machine.log.guests_said() if text == "READY"}, deadline,
                 "each guest to say that it is up")


def _course(args, machine, linked, deadline):
    told = _await_launch(machine, linked, args, deadline)
    _write_report(told, machine, args.report)
    code = _conclude(told, machine.log)
    _run_commands(machine, linked, args, deadline)
    if args.show:
        _await_guests(machine, linked, deadline)
        summary.show(told, machine.log)
    if args.interactive:
        _interact(machine, linked, args, deadline)
    return code


def _boot(args, machine, linked, xen):
    words = [*XEN_ARGS, *args.xen_arg]
    machine.start(media.LOADERS[args.loader](machine.folder, xen, words, linked.chain()),
                  os.path.abspath(args.launch), args.timeout)
    if args.interactive:
        say("the machine boots; its output goes to the serial log.  Ctrl-C ends it")
    try:
        return _course(args, machine, linked, machine.started + args.timeout)
    except BootError as error:
        if machine.log.errors() and error.code == errors.FAILED:
            error.code = errors.LAUNCH_FAILED
        say(f"serial log {machine.log.path}")
        raise


def _prepare(args, linked):
    """What is asked of a domain that can't be asked later; BootError where it is asked of none."""
    if args.run and not linked.runner():
        raise BootError(f"--run: {'no control' if linked.dynamic else 'no'} domain of this launch boots "
                        f"{launch.CONTROL_RAMDISK} or {launch.RAM_CONTROL_RAMDISK}, which runs it", errors.USAGE)
    if linked.dynamic and linked.reporter() and (args.run or args.interactive):
        shell = [f"{CONSOLE_SHELL} {shlex.quote(linked.reporter())}"] if args.interactive else []
        linked.ask([*args.run, *shell])


def boot(args):
    """Does what the command line asks for; gives the exit code."""
    if args.interactive:
        terminal.check()
    if args.report and not os.path.isdir(os.path.dirname(os.path.abspath(args.report))):
        raise BootError(f"--report {args.report}: no such directory", errors.USAGE)
    for place in args.modules:
        if not os.path.isdir(place):
            raise BootError(f"--modules {place}: no such directory", errors.USAGE)
    if not os.path.isfile(args.launch):
        raise BootError(f"{args.launch}: no such file", errors.USAGE)
    xen = args.xen or paths.xen()
    if not os.path.isfile(xen):
        raise BootError(f"--xen {xen}: no such file", errors.USAGE)
    images = paths.images()
    folder = os.path.dirname(os.path.abspath(args.launch))
    log = os.path.abspath(args.log) if args.log else paths.new_log(os.path.basename(folder))
    with Machine(log, disk=os.path.join(images, "control.img"), cpus=args.cpus, icount=args.icount,
                 extra=args.qemu_arg, interactive=args.interactive) as machine:
        linked = launch.link(args.launch, launch.folders(args.launch, [*args.modules, images]),
                             os.path.join(machine.folder, "link"))
        _prepare(args, linked)
        machine.ram = args.ram or linked.ram()
        return _boot(args, machine, linked, xen)


def _terminated(signum, _frame):
    raise BootError(f"ended by signal {signum}")


def main(argv):
    """hlboot."""
    parser = options.parser()
    args = parser.parse_args(argv)
    if args.cpus < 1:
        parser.error("--cpus: at least 1")
    signal.signal(signal.SIGTERM, _terminated)
    signal.signal(signal.SIGHUP, _terminated)
    try:
        return boot(args)
    except BootError as error:
        say(str(error))
        return error.code
    except OSError as error:
        say(str(error))
        return errors.FAILED
    except KeyboardInterrupt:
        return errors.FAILED

# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlboot's course: link, boot, wait, report."""
import json
import os
import signal
import sys
import time

import errors
import launch
import media
import options
import paths
import report
from errors import BootError
from machine import XEN_ARGS, Machine

CONSOLE_SHELL = ("systemd-run --quiet --unit=hl-login -p StandardInput=tty -p StandardOutput=tty "
                 "-p StandardError=tty -p TTYPath=/dev/hvc0 -p TTYReset=yes -p WorkingDirectory=/root "
                 "-E HOME=/root -E TERM=linux -E 'PS1=control# ' bash --norc -i")


def say(text):
    """For people, not part of any output that programs read."""
    print(f"hlboot: {text}", file=sys.stderr, flush=True)


def _answer(machine, linked):
    """What a control domain without a serial port has reported, as (exit code, output); or None."""
    name = linked.reporter()
    domids = [domain["domid"] for domain in machine.log.domains() if domain["name"] == name]
    return machine.log.answer(domids[0], 0) if domids else None


def _crashed_alone(machine, linked):
    """Whether the launch has failed and the crash domain that runs now is nobody who answers us."""
    if machine.log.state() != "recovery":
        return False
    runs = [domain["name"] for domain in machine.log.domains() if domain["state"] in ("started", "ready")]
    return bool(runs) and linked.toolstack() not in runs


def _decided(machine, linked, args):
    """Whether Xen is done with the launch, well or badly, and nobody else is to be heard."""
    log = machine.log
    if log.stopped() or _crashed_alone(machine, linked):
        return True
    if args.run and linked.has_agent() and not machine.agent.ready:
        return False
    if linked.toolstack():
        return machine.agent.ready
    if linked.reporter():
        return _answer(machine, linked) is not None
    return log.state() in ("complete", "recovery", "failed")


def _tell(machine, linked, deadline):
    """The report, of the best source there is."""
    told = None
    if not machine.log.stopped() and linked.toolstack() and machine.agent.ready:
        told = report.from_control_domain(machine, max(deadline - time.monotonic(), 1))
    elif not machine.log.stopped() and linked.reporter() and _answer(machine, linked):
        told = report.from_answer(*_answer(machine, linked))
    if told:
        say(f"{machine.elapsed():5.1f} s: hlctl has answered")
    return told


def _await_launch(machine, linked, args, deadline):
    """Waits for the launch's end; gives the report."""
    machine.wait(lambda: machine.log.hyperlaunch_lines(), deadline, "Xen to find the LCM")
    say(f"{machine.elapsed():5.1f} s: Xen has the LCM")
    machine.wait(lambda: _decided(machine, linked, args), deadline,
                 f"{linked.reporter() or 'the launch'} to " + ("report" if linked.reporter() else "complete"))
    say(f"{machine.elapsed():5.1f} s: {'the control domain is up' if machine.agent.ready else machine.log.state()}")
    told = _tell(machine, linked, deadline)
    if args.until:
        machine.wait(lambda: args.until.search(machine.log.text), deadline, f"'{args.until.pattern}' in the serial log")
    return told or report.from_serial_log(machine.log, linked.domains)


def _run_commands(machine, args, deadline):
    for command in args.run:
        if not machine.agent.ready:
            raise BootError(f"no control domain to run this in: {command}")
        print(f"# {command}", flush=True)
        code, output = machine.run(command, max(deadline - time.monotonic(), 1))
        print(output, end="" if output.endswith("\n") else "\n", flush=True)
        if code:
            raise BootError(f"exit code {code} in the control domain: {command}")


def _interact(machine, linked):
    """The terminal is the machine's; a shell is put on the control domain's console."""
    while machine.running():
        machine.poll()
        if linked.has_agent() and machine.agent.ready:
            machine.agent.send(CONSOLE_SHELL)
            break
        time.sleep(0.1)
    machine.wait_end()
    return errors.COMPLETE


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
    say(f"launch ended as {state}; serial log {log.path}")
    return errors.LAUNCH_FAILED if found or state in ("recovery", "failed") else errors.FAILED


def _boot(args, machine, linked, xen):
    words = [*XEN_ARGS, *args.xen_arg]
    machine.start(media.LOADERS[args.loader](machine.folder, xen, words, linked.chain()),
                  os.path.abspath(args.launch), args.timeout)
    deadline = machine.started + args.timeout
    if args.interactive:
        return _interact(machine, linked)
    try:
        told = _await_launch(machine, linked, args, deadline)
        told["serial_log"] = machine.log.path
        if args.report:
            with open(args.report, "w", encoding="utf-8") as out:
                json.dump(told, out, indent=2)
                out.write("\n")
        code = _conclude(told, machine.log)
        if code == errors.COMPLETE:
            _run_commands(machine, args, deadline)
        return code
    except BootError as error:
        if machine.log.errors() and error.code == errors.FAILED:
            error.code = errors.LAUNCH_FAILED
        say(f"serial log {machine.log.path}")
        raise


def boot(args):
    """Does what the command line asks for; gives the exit code."""
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
    own = os.path.dirname(os.path.abspath(args.launch))
    log = os.path.abspath(args.log) if args.log else paths.new_log(os.path.basename(own))
    with Machine(log, disk=os.path.join(images, "control.img"), cpus=args.cpus, icount=args.icount,
                 extra=args.qemu_arg, interactive=args.interactive) as machine:
        linked = launch.link(args.launch, [own, *args.modules, images], os.path.join(machine.folder, "link"))
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

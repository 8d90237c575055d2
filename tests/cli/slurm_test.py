#!/usr/bin/env python3
"""reticle sweep --engine slurm on a Slurm of our own: one node on the loopback address, begun and ended here.

    slurm_test.py RETICLE SOURCE_DIR

Exit: 0 right, 1 wrong, 77 skipped: no Slurm, or not root, whom munge and slurmd need here.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SWEEP = """sweep: on-slurm
run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode, fidelity: roofline}
set: [workload.steps=1]
axes:
  - {key: workload.batch, range: {from: 1, to: 40, steps: 40, whole: true}}
  - {key: workload.context, values: [100, 1000, 2000, 300000]}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    """munged, slurmctld and slurmd with all their files in one directory."""

    def __init__(self, home):
        self.home, self.daemons = home, []
        host = socket.gethostname().split(".")[0]
        key, socket_file = home / "munge.key", home / "munge.socket"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        (home / "spool").mkdir()
        (home / "state").mkdir()
        conf = home / "slurm.conf"
        conf.write_text(f"""ClusterName=reticle
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={socket_file}
CredType=cred/munge
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd.pid
SlurmctldLogFile={home}/slurmctld.log
SlurmdLogFile={home}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=requeue_setup_env_fail
SchedulerTimeSlice=5
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
""")
        os.environ["SLURM_CONF"] = str(conf)
        home.chmod(0o755)
        self.begin(["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={socket_file}",
                    f"--pid-file={home}/munged.pid", f"--log-file={home}/munged.log", f"--seed-file={home}/munged.seed"])
        self.wait(lambda: socket_file.exists(), "munged")
        self.begin(["slurmctld", "-D", "-f", str(conf)])
        self.begin(["slurmd", "-D", "-f", str(conf), "-N", host])
        self.wait(lambda: "idle" in subprocess.run(["sinfo", "--noheader", "--format=%T"], capture_output=True,
                                                   text=True).stdout, "the node")

    def begin(self, command):
        self.daemons.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def wait(self, ready, what):
        for _ in range(300):
            if ready():
                return
            time.sleep(0.1)
        logs = "".join(f.read_text(errors="replace")[-1500:] for f in self.home.glob("*.log"))
        raise RuntimeError(f"{what} did not come up:\n{logs}")

    def end(self):
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def run(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=240)


def points(program, store):
    """Every point but for times, as text."""
    found = json.loads(run(program, "sweep", "export", store, "--format", "json").stdout)
    for p in found:
        del p["wall_s"], p["peak_rss_bytes"]
    return json.dumps(found)


def check(ok, what):
    if not ok:
        sys.exit(f"wrong: {what}")
    print(f"right: {what}", flush=True)


def until(ready, what):
    for _ in range(2400):
        if ready():
            return
        time.sleep(0.1)
    sys.exit(f"wrong: {what}: not in four minutes")


def kill_of(process):
    """Whether it was still there."""
    try:
        os.kill(process, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def worker(program, store):
    """The process id of some task's program that works on `store`."""
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if len(line) > 3 and line[0] == str(program).encode() and line[1:3] == [b"sweep", b"task"] \
                and str(store).encode() in line[3]:
            return int(entry.name)
    return None


def test(program, home):
    file = home / "s.yaml"
    file.write_text(SWEEP)
    check(run(program, "sweep", file, "--out", home / "local", "--quiet").returncode == 0, "a sweep here")
    local = points(program, home / "local")

    cluster = [program, "sweep", file, "--engine", "slurm", "--tasks", "4", "--jobs", "1", "--quiet", "--out"]
    answer = run(*cluster, home / "whole")
    check(answer.returncode == 0, f"arrays run: {answer.stdout}{answer.stderr}")
    check(points(program, home / "whole") == local, "the results are those of the sweep here, byte for byte")

    under_way = subprocess.Popen([str(c) for c in [*cluster, home / "killed"]], stdout=subprocess.DEVNULL)
    job_file = home / "killed/slurm/job"
    until(job_file.exists, "an array was submitted")
    job = job_file.read_text().strip()
    # One that ends between being found and being killed was not killed in the middle: take another.
    killed = False
    for _ in range(600):
        victim = worker(program, home / "killed")
        if victim is not None and (killed := kill_of(victim)):
            break
        time.sleep(0.05)
    check(killed, "the program of a task was killed")
    until(lambda: "Restarts=1" in run("scontrol", "show", "job", job).stdout or not job_file.exists(), "the task began again")
    state = run("scontrol", "show", "job", job).stdout
    check("Restarts=1" in state, "Slurm began the task of the killed program again")
    check(not job_file.exists() or job_file.read_text().strip() == job, "and nothing was submitted in its place")
    check(under_way.wait(240) == 0, "a task killed in the middle does not end the sweep")
    check(points(program, home / "killed") == local, "nor does it change what comes out")

    # Held, so that it has certainly not ended when others come.
    held = [*cluster, home / "resumed", "--sbatch=--hold"]
    under_way = subprocess.Popen([str(c) for c in held], stdout=subprocess.DEVNULL)
    job_file = home / "resumed/slurm/job"
    until(job_file.exists, "an array was submitted")
    under_way.kill()
    under_way.wait()
    here = run(program, "sweep", file, "--quiet", "--out", home / "resumed")
    check(here.returncode == 3 and "a job array works on points of this sweep" in here.stderr,
          f"while the array runs nobody else works on its points: {here.stderr}")
    status = run(program, "sweep", "status", home / "resumed")
    check(status.returncode == 0 and "160 points" in status.stdout, f"status without the program: {status.stdout}")
    run("scontrol", "release", job_file.read_text().strip())
    again = run(*cluster, home / "resumed")
    check(again.returncode == 0 and "160 were there before" in again.stdout, f"another start finds the array again: {again.stdout}")
    check(points(program, home / "resumed") == local, "and ends with the same results")


def main():
    program, source = pathlib.Path(sys.argv[1]), sys.argv[2]
    os.environ["RETICLE_HOME"] = source
    missing = [p for p in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin") is None]
    if missing or os.geteuid() != 0:
        print("SKIPPED: " + (f"{', '.join(missing)} not installed" if missing else "munge and slurmd need root"))
        sys.exit(77)
    os.environ["PATH"] += ":/usr/sbin"
    with tempfile.TemporaryDirectory(prefix="slurm.", ignore_cleanup_errors=True) as name:
        cluster = Cluster.__new__(Cluster)
        cluster.daemons = []
        try:
            cluster.__init__(pathlib.Path(name))
            test(program, pathlib.Path(name))
        finally:
            cluster.end()


if __name__ == "__main__":
    main()

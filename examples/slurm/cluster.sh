#!/usr/bin/env bash
# A Slurm cluster of two nodes on this one machine, for whoever has none: each node has two cores and two GPUs that do not
# exist. Its daemons run as the user who starts it, listen on 127.0.0.1 alone, and keep everything in one folder.
#
#   ./cluster.sh start DIR     starts it, and waits until both nodes are idle
#   source DIR/environment     has sbatch, squeue and tune find it
#   ./cluster.sh stop DIR      ends its jobs and its daemons
#
# It takes Debian's packages slurmctld, slurmd, slurm-client and munge; $CLUSTER_PORT is the first of three ports that it
# listens on (26817).
set -euo pipefail

say() { printf 'cluster: %s\n' "$*" >&2; }
fail() { say "$1"; exit "${2:-1}"; }

needed() {
  local missing=() program
  PATH=$PATH:/usr/sbin:/sbin
  for program in munged slurmctld slurmd sbatch squeue; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  [ ${#missing[@]} -eq 0 ] ||
    fail "not found: ${missing[*]}; apt-get install --no-install-recommends slurmctld slurmd slurm-client munge" 77
}

# The Gres of a node are devices that Slurm must be able to open: terminals exist on every machine.
gpu_file() { # NODE FIRST LAST
  [ -c "/dev/tty$3" ] && echo "NodeName=$1 Name=gpu File=/dev/tty[$2-$3]" || echo "NodeName=$1 Name=gpu Count=2"
}

configure() {
  local dir=$1 port=${CLUSTER_PORT:-26817} host me
  host=$(hostname -s) me=$(id -un)
  mkdir -p "$dir"/{state,bin,spool-n1,spool-n2}
  chmod 700 "$dir"
  (umask 077; head -c 1024 /dev/urandom >"$dir/munge.key"; chmod 400 "$dir/munge.key")
  # Debian's programs have the ending -wlm, and under that name nodes have no GPUs.
  local name
  for name in slurmctld slurmd slurmstepd; do ln -sf "$(readlink -f "$(command -v $name)")" "$dir/bin/$name"; done
  cat >"$dir/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
AuthInfo=socket=$dir/munge.sock
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool-%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout=10
KillWait=5
MinJobAge=${CLUSTER_MIN_JOB_AGE:-60}
MpiDefault=none
GresTypes=gpu
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=2 RealMemory=2000 Gres=gpu:2
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=2 RealMemory=2000 Gres=gpu:2
PartitionName=gpu Nodes=n1,n2 Default=YES PriorityTier=1 MaxTime=1:00:00 DefMemPerCPU=100
PartitionName=urgent Nodes=n1,n2 PriorityTier=10 PreemptMode=OFF DefMemPerCPU=100
PartitionName=closed Nodes=n1,n2 State=DOWN
CONF
  { gpu_file n1 0 1; gpu_file n2 2 3; } >"$dir/gres.conf"
  printf 'export SLURM_CONF=%q\n' "$dir/slurm.conf" >"$dir/environment"
}

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start() {
  local dir port=${CLUSTER_PORT:-26817} each
  needed
  mkdir -p "$1" && dir=$(cd "$1" && pwd -P)
  [ ! -e "$dir/slurm.conf" ] || fail "there is a cluster in $dir already: stop it, and remove the folder"
  # A daemon whose port is taken says so in its log alone.
  for each in 0 1 2; do is_free $((port + each)) || fail "port $((port + each)) is taken: set CLUSTER_PORT to another"; done
  configure "$dir"
  munged --force --key-file="$dir/munge.key" --socket="$dir/munge.sock" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" 2>/dev/null
  export SLURM_CONF=$dir/slurm.conf
  "$dir/bin/slurmctld" -c
  node "$dir" n1
  node "$dir" n2
  for each in $(seq 150); do
    [ "$(timeout 5 sinfo --noheader --partition=gpu --states=idle --Node --format=%N 2>/dev/null | wc -l)" = 2 ] && return
    sleep 0.2
  done
  tail -n 5 "$dir"/*.log >&2
  fail "its nodes did not become idle within 30 s"
}

# The daemon of one node, also where it was killed.
node() { SLURM_CONF=$1/slurm.conf "$1/bin/slurmd" -N "$2" -d "$1/bin/slurmstepd"; }
controller() { SLURM_CONF=$1/slurm.conf "$1/bin/slurmctld"; }

end() { # of the process that a pid file names
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 0
  kill "${2:--TERM}" "$pid" 2>/dev/null || return 0
  for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  kill -KILL "$pid" 2>/dev/null || true
}

stop() {
  local dir
  dir=$(cd "$1" && pwd -P)
  export SLURM_CONF=$dir/slurm.conf
  timeout 10 scancel --user="$(id -un)" 2>/dev/null || true
  for _ in $(seq 100); do
    [ -z "$(timeout 5 squeue --noheader 2>/dev/null)" ] && break
    sleep 0.1
  done
  local each
  for each in slurmd-n1 slurmd-n2 slurmctld munged; do end "$dir/$each.pid"; done
}

[ $# -ge 2 ] || fail "usage: $0 start|stop|node|controller DIR [NODE]" 2
case $1 in
  start) start "$2" ;;
  stop) stop "$2" ;;
  node) node "$(cd "$2" && pwd -P)" "$3" ;;
  controller) controller "$(cd "$2" && pwd -P)" ;;
  *) fail "usage: $0 start|stop|node|controller DIR [NODE]" 2 ;;
esac

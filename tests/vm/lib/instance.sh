# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Instances: each has a directory below the cache's run/ with its disks, its
# serial log, its ports and a kept ssh connection. A supervisor of its own
# session owns qemu and ends it at the time limit, when the owner that the
# caller named is gone, or at `vm stop`; qemu dies with the supervisor.

vm_start() {
	need_args 1 'start SUITE [NAME]' "$@"
	local suite=$1 name dir
	check_suite "$suite"
	vm_image "$suite"
	sweep_dead
	name=$(claim_name "$suite" "${2:-}")
	dir=$RUN_DIR/$name
	if ! start_instance "$suite" "$dir"; then
		tail -n 20 "$dir"/{qemu.log,console.log} >&2 2>/dev/null || true
		vm_stop "$name"
		die "instance $name did not start"
	fi
	printf '%s\n' "$dir"
}

# Those that ended by themselves keep their logs for an hour.
sweep_dead() {
	local dir
	mkdir -p "$RUN_DIR"
	find "$RUN_DIR" -mindepth 1 -maxdepth 1 -type d -mmin +60 -print0 |
		while IFS= read -r -d '' dir; do
			instance_lives "$dir" || rm -rf "$dir"
		done
}

# mkdir decides between callers; what a dead supervisor left is removed.
claim_name() { # SUITE NAME
	local wanted=$2 name=${2:-$1} count=1
	mkdir -p "$RUN_DIR"
	chmod 700 "$RUN_DIR"
	check_name "$name"
	until mkdir "$RUN_DIR/$name" 2>/dev/null; do
		if ! instance_lives "$RUN_DIR/$name" && instance_is_old "$RUN_DIR/$name"; then
			rm -rf "${RUN_DIR:?}/$name"
			continue
		fi
		[ -z "$wanted" ] || die "instance $name is there already"
		count=$((count + 1))
		name=$1-$count
	done
	printf '%s\n' "$name"
}

instance_lives() { # DIR
	local pid
	pid=$(cat "$1/supervisor" 2>/dev/null) || return 1
	[ "$(process_start "$pid")" = "$(cat "$1/supervisor-start" 2>/dev/null)" ]
}

# A directory without a supervisor may be one that is only just being started.
instance_is_old() { # DIR
	[ -e "$1/supervisor" ] || [ -n "$(find "$1" -maxdepth 0 -mmin +5)" ]
}

# When a process began, to tell it from a later one with its id.
process_start() { # PID
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	cut -d' ' -f20 <<<"$stat"
}

start_instance() { # SUITE DIR
	local suite=$1 dir=$2 image accel tries
	image=$(image_dir "$suite")
	accel=$(accelerator "$image")
	install -m 600 "$image/id_ed25519" "$image/known_hosts" "$dir/" || return 1
	for tries in 1 2 3 4 5; do
		with_lock -s "$CACHE/$suite/image.lock" launch "$image" "$accel" "$dir" && break
		[ "$tries" -lt 5 ] || return 1
	done
	connect_first "$dir" || return 1
	instance_ssh "$dir" "date -s @$(date +%s.%N) >/dev/null && cat >/dev/urandom" \
		< <(head -c 512 /dev/urandom)
}

# The image must not be rebuilt before qemu has its files open.
launch() { # IMAGE ACCEL DIR
	local image=$1 accel=$2 dir=$3 snap port
	port=$(pick_port)
	printf '%s\n' "$port" >"$dir/port"
	printf '%s\n' "$((port + 1))" >"$dir/port22"
	rm -f "$dir"/{root.qcow2,ram,monitor,wire,supervisor}
	snap=$(snapshot_dir "$image")
	if [ "${CLOISTER_VM_COLD:-0}" = 1 ]; then
		make_disks "$dir" "$image/root.img" raw || return 1
	else
		make_disks "$dir" "$snap/root.qcow2" qcow2 || return 1
	fi
	CLOISTER_VM_ACCEL=$accel setsid "$VM_DIR/vm" _supervise "$dir" "$image" "$snap" \
		</dev/null >"$dir/qemu.log" 2>&1 &
	wait_for_monitor "$dir" $! || return 1
	[ "${CLOISTER_VM_COLD:-0}" = 1 ] || restore "$dir" "$snap"
}

wait_for_monitor() { # DIR PID
	local tries
	for ((tries = 0; tries < 400; tries++)); do
		if [ -S "$1/monitor" ] && monitor "$1/monitor" 2>/dev/null </dev/null | grep -a QEMU >/dev/null; then
			return 0
		fi
		kill -0 "$2" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}

# The saved machine was running, so it runs as soon as it is loaded.
restore() { # DIR SNAP
	monitor "$1/monitor" 'migrate_set_capability x-ignore-shared on' \
		"migrate_incoming \"exec:cat $2/state\"" >>"$1/qemu.log" 2>&1
}

vm__supervise() { # DIR IMAGE SNAP
	local dir=$1 image=$2 snap=$3 port deadline
	close_descriptors
	port=$(cat "$dir/port")
	deadline=$((SECONDS + ${CLOISTER_VM_LIMIT:-4800}))
	if [ "${CLOISTER_VM_COLD:-0}" = 1 ]; then
		qemu_command "$CLOISTER_VM_ACCEL" "$image" "$dir" "$dir/ram" off "$port" "$((port + 1))"
	else
		qemu_command "$CLOISTER_VM_ACCEL" "$image" "$dir" "$snap/ram" off "$port" "$((port + 1))"
		QEMU+=(-incoming defer)
	fi
	supervised_pid=
	trap 'end_supervised' EXIT
	trap 'exit 0' TERM INT HUP
	setpriv --pdeathsig KILL "${QEMU[@]}" &
	supervised_pid=$!
	process_start $$ >"$dir/supervisor-start"
	printf '%s\n' $$ >"$dir/supervisor"
	watch_over "$deadline"
}

end_supervised() {
	[ -z "$supervised_pid" ] || kill -KILL "$supervised_pid" 2>/dev/null || true
	wait "$supervised_pid" 2>/dev/null || true
}

watch_over() { # DEADLINE
	local owner=${CLOISTER_VM_OWNER:-} owner_start=
	[ -z "$owner" ] || owner_start=$(process_start "$owner") || return 0
	while kill -0 "$supervised_pid" 2>/dev/null; do
		[ "$SECONDS" -lt "$1" ] || return 0
		[ -z "$owner" ] || [ "$(process_start "$owner")" = "$owner_start" ] || return 0
		sleep 0.5 &
		wait -n || true
	done
}

# A pipe or lock of the caller must not stay open for as long as qemu runs.
close_descriptors() {
	local fd
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		[ "$fd" -le 2 ] || [ "$fd" -ge 250 ] || eval "exec $fd>&-"
	done
}

instance_of() { # NAME
	check_name "$1"
	[ -e "$RUN_DIR/$1/supervisor" ] || die "no instance $1"
	printf '%s\n' "$RUN_DIR/$1"
}

ssh_options() { # DIR
	printf '%s\n' -F none -o BatchMode=yes -o ConnectTimeout=30 -o LogLevel=ERROR \
		-o HostKeyAlias=guest -o "UserKnownHostsFile=$1/known_hosts" \
		-o IdentitiesOnly=yes -i "$1/id_ed25519" -p "$(cat "$1/port")" \
		-o "ControlPath=$1/ctl"
}

# Starts the kept connection; it ends with qemu or by `vm stop`.
connect() { # DIR
	local options
	mapfile -t options < <(ssh_options "$1")
	ssh "${options[@]}" -o ControlMaster=yes -o ControlPersist=yes -f -N root@127.0.0.1 \
		</dev/null >"$1/ssh.log" 2>&1 9>&-
}

connect_first() { # DIR
	local deadline=$((SECONDS + 180))
	until connect "$1"; do
		instance_lives "$1" || return 1
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.2
	done
}

instance_ssh() { # DIR ARGS...
	local dir=$1 options
	shift
	[ -S "$dir/ctl" ] || connect "$dir" || true
	mapfile -t options < <(ssh_options "$dir")
	ssh "${options[@]}" -o ControlMaster=no "${SSH_TTY_OPTION[@]}" root@127.0.0.1 "$@"
}

SSH_TTY_OPTION=()

vm_ssh() {
	local dir
	if [ "${1:-}" = -t ]; then
		SSH_TTY_OPTION=(-tt)
		shift
	fi
	need_args 1 'ssh [-t] NAME [CMD...]' "$@"
	dir=$(instance_of "$1")
	shift
	instance_ssh "$dir" "$@"
}

# The tar goes onto the second disk: many times faster than through sshd.
vm_push() {
	need_args 3 'push NAME TAR DIR' "$@"
	local dir
	dir=$(instance_of "$1")
	[ -f "$2" ] || die "no such file: $2"
	[ "$(stat -c %s "$2")" -le $((512 * 1024 * 1024)) ] || die "$2 is larger than the push disk"
	with_lock "$dir/push.lock" push_tar "$dir" "$2" "$3"
}

push_tar() { # DIR TAR GUESTDIR
	dd if="$2" of="$1/push.img" bs=1M conv=notrunc,fsync status=none
	instance_ssh "$1" "d=$(printf %q "$3") && mkdir -p \"\$d\" && blockdev --flushbufs /dev/vdb &&
		tar -xpf /dev/vdb -b 512 --numeric-owner --keep-directory-symlink -C \"\$d\"" </dev/null
}

# The way back is the same disk.
vm_pull() {
	need_args 3 'pull NAME GUESTPATH LOCAL' "$@"
	local dir target=$3
	dir=$(instance_of "$1")
	[ ! -d "$target" ] || target=$target/$(basename "$2")
	with_lock "$dir/push.lock" pull_path "$dir" "$2" "$target" || die "can't pull $2"
}

pull_path() { # DIR GUESTPATH TARGET
	local dir=$1 parent base target=$3 work
	parent=$(dirname "$2")
	base=$(basename "$2")
	instance_ssh "$dir" "tar -cf /dev/vdb -b 512 -C $(printf %q "$parent") -- $(printf %q "$base")" \
		</dev/null || return 1
	work=$(mktemp -d "$(dirname "$target")/.pull.XXXXXX") || return 1
	tar -xpf "$dir/push.img" --numeric-owner -C "$work" && mv -T "$work/$base" "$target"
	rm -rf "$work"
	[ -e "$target" ]
}

vm_console() {
	need_args 1 'console NAME [LINES]' "$@"
	local dir
	dir=$(instance_of "$1")
	tail -n "${2:-50}" "$dir/console.log"
}

vm_list() {
	local dir
	for dir in "$RUN_DIR"/*/; do
		[ -d "$dir" ] || continue
		! instance_lives "${dir%/}" || basename "$dir"
	done
}

# Says nothing about an instance that has already ended by itself.
vm_stop() {
	need_args 1 'stop NAME' "$@"
	local dir=$RUN_DIR/$1 options tries
	check_name "$1"
	[ -d "$dir" ] || return 0
	if [ -S "$dir/ctl" ]; then
		mapfile -t options < <(ssh_options "$dir")
		ssh "${options[@]}" -O exit root@127.0.0.1 >/dev/null 2>&1 || true
	fi
	if instance_lives "$dir"; then
		kill -TERM "$(cat "$dir/supervisor")" 2>/dev/null || true
		for ((tries = 0; tries < 100; tries++)); do
			instance_lives "$dir" || break
			sleep 0.1
		done
	fi
	rm -rf "$dir"
}

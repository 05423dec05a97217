#!/usr/bin/env bash
# Starts and stops a domain controller that provision.sh has made in DIR:
#
#     testdata/ad/controller.sh DIR 1|2 start|stop|pause|resume
#
# start returns when it answers, stop when it has ended. A paused one keeps its
# connections and accepts new ones, but says nothing. DIR/samba.pid and
# DIR/dc2.pid hold the process groups.
#
# From the environment:
#   ROLLCALL_AD_LIFELINE  a FIFO: the server ends when its last writer does
set -euo pipefail
umask 077

die() { printf 'controller.sh: %s\n' "$*" >&2; exit 1; }

[[ $# -eq 3 ]] || die 'usage: controller.sh DIR 1|2 start|stop|pause|resume'
case $2 in
1) dir=$1 pidfile=$1/samba.pid ;;
2) dir=$1/dc2 pidfile=$1/dc2.pid ;;
*) die "$2: it is 1 or 2" ;;
esac
[[ -s $dir/etc/smb.conf ]] || die "no controller in $dir"
pid=
[[ ! -s $pidfile ]] || pid=$(<"$pidfile")
runs() { [[ -n $pid ]] && kill -0 -- -"$pid" 2>/dev/null; }
signal() { kill "-$1" -- -"$pid" 2>/dev/null || true; }

case $3 in
start)
	! runs || die "it runs: $(tr '\n' ' ' <"$pidfile")"
	# A session of its own, so that one kill reaches all of Samba's processes; -i
	# rather than -F, since only then does it end with its standard input.
	setsid samba -i --no-process-group -s "$dir/etc/smb.conf" \
		<"${ROLLCALL_AD_LIFELINE:-/dev/null}" >"$dir/log/samba.out" 2>&1 &
	pid=$!
	echo "$pid" >"$pidfile"
	disown
	trap 'signal TERM' EXIT # until it answers
	url=ldaps://$(sed -n 's|^\tinterfaces = \(.*\)/8$|\1|p' "$dir/etc/smb.conf"):636
	for ((i = 0; ; i++)); do
		LDAPTLS_CACERT=$1/tls/ca.pem LDAPTLS_REQCERT=demand ldapsearch -x -H "$url" -s base -b '' \
			-l 5 -o nettimeout=5 defaultNamingContext >"$dir/log/ready.log" 2>&1 && break
		kill -0 "$pid" 2>/dev/null || { tail -n 20 "$dir/log/samba.out" >&2; die "samba ended: see $dir/log"; }
		((i < 300)) || die "no answer from $url in 30 s: see $dir/log"
		sleep 0.1
	done
	trap - EXIT
	;;
stop)
	runs || exit 0
	signal TERM
	signal CONT # a paused one too
	for _ in {1..50}; do
		runs || exit 0
		sleep 0.1
	done
	signal KILL
	;;
pause | resume)
	runs || die 'it does not run'
	if [[ $3 == pause ]]; then signal STOP; else signal CONT; fi
	;;
*) die "$3: what should that be?" ;;
esac

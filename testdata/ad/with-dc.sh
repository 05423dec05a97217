#!/usr/bin/env bash
# Runs CMD beside a domain controller made for it, and ends with CMD's status:
#
#     testdata/ad/with-dc.sh DIR CMD…
#     testdata/ad/with-dc.sh /tmp/dc go test -tags 'duckdb_arrow ad' -count=1 -run TestSambaAD ./cmd/rollcall
#
# DIR is made, and removed at the end (ROLLCALL_AD_KEEP=1 keeps it). CMD finds
# in its environment: ROLLCALL_AD_URL, _CA, _BASE, _BIND, _PASSWORD, _ADMIN,
# _ADMIN_PASSWORD, _CONTACTS and _DIR.
#
# Where a network namespace can be had, server and CMD have one of their own:
# no port is taken, and no other network is there. Elsewhere (a container
# without CAP_SYS_ADMIN) the server listens on a loopback address of its own.
# ROLLCALL_AD_NETNS=0 asks for the latter.
set -euo pipefail
umask 077

die() { printf 'with-dc.sh: %s\n' "$*" >&2; exit 1; }

[[ $# -ge 2 ]] || die 'usage: with-dc.sh DIR CMD…'
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

case ${ROLLCALL_AD_NETNS:-} in
inside)
	ip link set lo up
	# There is no network to ask for modules: say so at once, not after a timeout.
	export GOPROXY=off GOFLAGS="${GOFLAGS:-} -mod=readonly" GOTOOLCHAIN=local
	export ROLLCALL_AD_ADDRESS=127.0.0.1
	;;
'')
	if unshare -n ip link set lo up 2>/dev/null; then
		# What CMD may compile has to be fetched while there is a network. A
		# failure is for CMD to report.
		(cd "$here/../.." && go list -deps -test -tags 'duckdb_arrow ad' ./... >/dev/null 2>&1) || true
		ROLLCALL_AD_NETNS=inside exec unshare -n -- "$BASH" "${BASH_SOURCE[0]}" "$@"
	fi
	;;&
'' | 0)
	# Two runs at a time have two addresses.
	: "${ROLLCALL_AD_ADDRESS:=127.77.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1))}"
	export ROLLCALL_AD_ADDRESS
	;;
*) die "ROLLCALL_AD_NETNS=$ROLLCALL_AD_NETNS: only 0 can be asked for" ;;
esac

dir=$1
shift
[[ ! -e $dir ]] || [[ -d $dir && -z $(ls -A "$dir") ]] || die "$dir is there already"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd -P)

child=
lifeline=
cleanup() {
	local status=$? pid
	trap - EXIT
	trap '' INT TERM HUP # an impatient second one must not leave a server behind
	if [[ -n $child ]]; then
		kill -TERM -- -"$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
	fi
	if [[ -s $dir/samba.pid ]]; then
		pid=$(<"$dir/samba.pid")
		kill -TERM -- -"$pid" 2>/dev/null || true
		for _ in {1..50}; do
			kill -0 -- -"$pid" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL -- -"$pid" 2>/dev/null || true
	fi
	[[ -z $lifeline ]] || rm -f -- "$lifeline"
	if [[ ${ROLLCALL_AD_KEEP:-} == 1 ]]; then
		printf 'with-dc.sh: kept %s\n' "$dir" >&2
	else
		rm -rf -- "$dir"
	fi
	exit "$status"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Samba ends when its standard input does. This shell is the only writer, so
# not even a kill -9 of it leaves the server running.
lifeline=$(mktemp -u "${TMPDIR:-/tmp}/rollcall-ad.XXXXXX")
mkfifo "$lifeline"
exec {life}<>"$lifeline"

# run CMD…: in a process group of its own, so that an interrupt reaches this
# shell first; but at a terminal in the foreground, where CMD may be a shell.
run() {
	if [[ -t 0 ]]; then
		"$@" {life}>&-
		return
	fi
	set -m
	"$@" {life}>&- <&0 &
	child=$!
	set +m
	local status=0
	wait "$child" || status=$?
	child=
	return "$status"
}

ROLLCALL_AD_LIFELINE=$lifeline run "$here/provision.sh" "$dir"
set -a
# shellcheck source=/dev/null
. "$dir/env"
set +a
run "$@"

#!/usr/bin/env bash
# Runs CMD beside a domain made for it, and ends with CMD's status:
#
#     testdata/ad/with-dc.sh DIR CMD…
#     testdata/ad/with-dc.sh /tmp/dc go test -tags 'duckdb_arrow ad' -count=1 -run TestSambaAD ./cmd/rollcall
#
# DIR is made, and removed at the end (ROLLCALL_AD_KEEP=1 keeps it). CMD finds
# in its environment:
#
#   ROLLCALL_AD_URL, _CA, _BASE              the first domain controller
#   ROLLCALL_AD_BIND, _PASSWORD              the service account
#   ROLLCALL_AD_ADMIN, _ADMIN_PASSWORD       the administrator
#   ROLLCALL_AD_KEYTAB, _KRB5CONF, _SPN      Kerberos as the service account: its
#                                            keytab, the client's settings, and
#                                            the first controller's principal
#   ROLLCALL_AD_SAM                          database of the first controller, for samba-tool -H
#   ROLLCALL_AD_URL2, _SAM2                  the second controller
#   ROLLCALL_AD_DOMAIN                       the domain's name, where DNS serves it
#   ROLLCALL_AD_CONTACTS, _DIR               the contacts that go with the users, and DIR
#   ROLLCALL_AD_LIFELINE                     for controller.sh, which stops and
#                                            starts a controller meanwhile
#
# ROLLCALL_AD_CONTROLLERS=1 does without the second controller.
#
# Where a network and a mount namespace can be had, servers and CMD have one of
# their own: no port is taken, no other network is there, and the first
# controller is the nameserver. Elsewhere (a container without CAP_SYS_ADMIN)
# the servers listen on loopback addresses of their own, and there is no DNS.
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
	export ROLLCALL_AD_ADDRESS=127.0.0.1 ROLLCALL_AD_ADDRESS2=127.0.0.2
	# instead FILE: what comes on standard input takes its place in this namespace.
	instead() {
		local file
		file=$(mktemp "${TMPDIR:-/tmp}/rollcall-ad.XXXXXX")
		chmod 644 "$file"
		cat >"$file"
		mount --bind "$file" "$1" || { rm -f -- "$file"; return 1; }
		rm -f -- "$file"
	}
	if instead /etc/resolv.conf <<<'nameserver 127.0.0.1'; then
		export ROLLCALL_AD_RESOLVED=1
		# systemd's resolver would ask the network outside.
		if [[ -e /etc/nsswitch.conf ]]; then
			sed 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf | instead /etc/nsswitch.conf || true
		fi
	fi
	;;
'')
	if unshare -n -m ip link set lo up 2>/dev/null; then
		# What CMD may compile has to be fetched while there is a network. A
		# failure is for CMD to report.
		(cd "$here/../.." && go list -deps -test -tags 'duckdb_arrow ad' ./... >/dev/null 2>&1) || true
		ROLLCALL_AD_NETNS=inside exec unshare -n -m -- "$BASH" "${BASH_SOURCE[0]}" "$@"
	fi
	;;&
'' | 0)
	# Two runs at a time have addresses of their own.
	: "${ROLLCALL_AD_ADDRESS:=127.77.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1))}"
	: "${ROLLCALL_AD_ADDRESS2:=127.78.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1))}"
	export ROLLCALL_AD_ADDRESS ROLLCALL_AD_ADDRESS2
	unset ROLLCALL_AD_RESOLVED
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
	local status=$? i
	trap - EXIT
	trap '' INT TERM HUP # an impatient second one must not leave a server behind
	if [[ -n $child ]]; then
		kill -TERM -- -"$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
	fi
	for i in 2 1; do
		[[ ! -s $dir/etc/smb.conf ]] || "$here/controller.sh" "$dir" "$i" stop 2>/dev/null || true
	done
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

export ROLLCALL_AD_LIFELINE=$lifeline
run "$here/provision.sh" "$dir"
set -a
# shellcheck source=/dev/null
. "$dir/env"
set +a
run "$@"

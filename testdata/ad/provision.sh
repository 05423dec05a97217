#!/usr/bin/env bash
# Makes a Samba domain controller in DIR, fills it with the users of genusers
# and leaves it running:
#
#     testdata/ad/provision.sh DIR
#
# Nothing outside DIR is touched, and no systemd, no /etc/samba and no
# CAP_SYS_ADMIN is needed; root is. with-dc.sh is the usual way in: it gives
# the server a network of its own and stops it again. By hand, stop it with
#
#     kill -- -"$(cat DIR/samba.pid)"
#
# DIR/env tells how to reach it, in ROLLCALL_AD_* variables. Passwords are new
# in every DIR and are nowhere else.
#
# From the environment:
#   ROLLCALL_AD_ADDRESS   loopback address to listen on (127.0.0.1)
#   ROLLCALL_AD_LIFELINE  a FIFO: the server ends when its last writer does
set -euo pipefail
umask 077

die() { printf 'provision.sh: %s\n' "$*" >&2; exit 1; }
say() { printf 'provision.sh: %4ss  %s\n' "$SECONDS" "$*" >&2; }

[[ $# -eq 1 ]] || die 'usage: provision.sh DIR'
[[ $(id -u) -eq 0 ]] || die 'needs to be root: a domain controller listens on port 636 and changes owners in its sysvol'

# ---- is everything there ----

missing=()
for tool in samba samba-tool ldbadd ldbmodify ldapsearch ldapmodify openssl go setsid; do
	command -v "$tool" >/dev/null || missing+=("$tool")
done
# Parts that come in packages of their own and have no program to look for.
have() { compgen -G "$1" >/dev/null || missing+=("$1"); }
have '/usr/share/samba/setup/provision.ldif'
have '/usr/lib/*/samba/ldb/password_hash.so'
have '/usr/lib/*/samba/vfs/acl_xattr.so'
have '/usr/lib/*/samba/vfs/xattr_tdb.so'
if [[ ${#missing[@]} -gt 0 ]]; then
	die "missing: ${missing[*]}
On Debian or Ubuntu (go aside):
    apt-get install --no-install-recommends samba samba-ad-dc samba-ad-provision \\
        samba-dsdb-modules samba-vfs-modules winbind ldb-tools krb5-user ldap-utils openssl iproute2"
fi

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd -P)
[[ -z $(ls -A "$dir") ]] || die "$dir is not empty"
# Samba's own sockets lie in DIR, and the path of a socket has room for 107 bytes.
[[ ${#dir} -le 70 ]] || die "$dir: a path of at most 70 characters is needed"

address=${ROLLCALL_AD_ADDRESS:-127.0.0.1}
realm=CORP.EXAMPLE.COM
domain=corp.example.com
base=DC=corp,DC=example,DC=com
host=dc1
url=ldaps://$address:636

# Something else on the port would answer in the server's place.
if (exec 3<>"/dev/tcp/$address/636") 2>/dev/null; then
	die "$address:636 is taken; set ROLLCALL_AD_ADDRESS to another 127.x.y.z"
fi

mkdir "$dir"/{etc,private,state,cache,lock,run,log,tls,sysvol,ldif}

# ---- passwords ----

# A password needs three kinds of characters; the suffix sees to it.
password() { printf '%s-aA1' "$(openssl rand -base64 24 | tr -d '+/=\n')"; }
admin_password=$(password)
bind_password=$(password)
user_password=$(password)
# In files for -y, without a newline: arguments are for everyone to read.
printf %s "$bind_password" >"$dir/private/bind.password"
printf %s "$user_password" >"$dir/private/user.password"
printf 'wrong' >"$dir/private/wrong.password"

# ---- certificate ----

# The certificate that Samba makes for itself has no subjectAltName, and no
# client of today takes it.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
	-subj '/CN=rollcall test CA' -keyout "$dir/tls/ca.key" -out "$dir/tls/ca.pem" \
	-addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>"$dir/log/openssl.log"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-subj "/CN=$host.$domain" -keyout "$dir/tls/dc.key" -out "$dir/tls/dc.csr" 2>>"$dir/log/openssl.log"
openssl x509 -req -in "$dir/tls/dc.csr" -CA "$dir/tls/ca.pem" -CAkey "$dir/tls/ca.key" -CAcreateserial \
	-days 30 -out "$dir/tls/dc.pem" -extfile <(
		printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n'
		printf 'subjectAltName=IP:127.0.0.1,IP:%s,DNS:localhost,DNS:%s.%s,DNS:%s\n' "$address" "$host" "$domain" "$(hostname)"
	) 2>>"$dir/log/openssl.log" || die "openssl: see $dir/log/openssl.log"

# ---- domain ----

# Every path that Samba would have elsewhere is in DIR. xattr_tdb keeps the
# sysvol's access lists in a file: as attributes they would need CAP_SYS_ADMIN.
# Of the services only LDAP is run, so that no other port can be taken.
cat >"$dir/etc/smb.conf" <<CONF
[global]
	netbios name = ${host^^}
	workgroup = CORP
	realm = $realm
	server role = active directory domain controller
	server services = ldap
	interfaces = $address/8
	bind interfaces only = yes
	private dir = $dir/private
	state directory = $dir/state
	cache directory = $dir/cache
	lock directory = $dir/lock
	pid directory = $dir/run
	ncalrpc dir = $dir/run/ncalrpc
	ntp signd socket directory = $dir/run
	winbindd socket directory = $dir/run
	binddns dir = $dir/private
	log file = $dir/log/samba.log
	tls cafile = $dir/tls/ca.pem
	tls certfile = $dir/tls/dc.pem
	tls keyfile = $dir/tls/dc.key
	vfs objects = dfs_samba4 acl_xattr xattr_tdb
	xattr_tdb:file = $dir/private/xattr.tdb
[sysvol]
	path = $dir/sysvol
	read only = no
[netlogon]
	path = $dir/sysvol/$domain/scripts
	read only = no
CONF
# The ldb tools have no option for it, and would read /etc/samba/smb.conf.
export SMB_CONF_PATH=$dir/etc/smb.conf
sam=$dir/private/sam.ldb

# quiet LOG CMD…: the output is of interest when CMD fails.
quiet() {
	local log=$dir/log/$1
	shift
	"$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; die "$1 failed: see $log"; }
}

quiet provision.log samba-tool domain provision --realm="$realm" --domain=CORP --server-role=dc \
	--dns-backend=NONE --host-name="$host" --host-ip="$address"
quiet provision.log samba-tool domain passwordsettings set --account-lockout-threshold=3 \
	--account-lockout-duration=1440 --reset-account-lockout-after=1440 --min-pwd-age=0 --max-pwd-age=42
quiet provision.log ldbmodify -H "$sam" <<LDIF
dn: CN=Administrator,CN=Users,$base
changetype: modify
replace: clearTextPassword
clearTextPassword:: $(printf %s "$admin_password" | iconv -t UTF-16LE | base64 -w0)
LDIF
say 'domain provisioned'

# ---- users ----

(cd "$here/../.." && ROLLCALL_AD_USER_PASSWORD=$user_password ROLLCALL_AD_PASSWORD=$bind_password \
	go run ./testdata/ad/genusers -out "$dir/ldif" -base "$base" -now "$(date -u +%Y-%m-%dT%H:%M:%SZ)") >&2

# The control under which pwdLastSet may be anything (see genusers).
#
# The tools go on after a record that is refused, and may still end with 0.
load() {
	quiet load.log "$@"
	if grep -m 5 '^ERR' "$dir/log/load.log" >&2; then die "refused: see $dir/log/load.log"; fi
}
bypass=--controls=local_oid:1.3.6.1.4.1.7165.4.3.20:0
load ldbadd -H "$sam" "$dir/ldif/10-containers.ldif"
for part in "$dir"/ldif/20-users-*.ldif; do
	load ldbadd -H "$sam" "$bypass" "$part"
done
load ldbadd -H "$sam" "$dir/ldif/30-passwords.ldif"
load ldbadd -H "$sam" "$dir/ldif/40-others.ldif"
load ldbmodify -H "$sam" "$bypass" "$dir/ldif/50-changes.ldif"
say 'users loaded'

# ---- server ----

# A session of its own, so that one kill reaches all of Samba's processes; -i
# rather than -F, since only then does it end with its standard input.
setsid samba -i --no-process-group -s "$SMB_CONF_PATH" \
	<"${ROLLCALL_AD_LIFELINE:-/dev/null}" >"$dir/log/samba.out" 2>&1 &
pid=$!
echo "$pid" >"$dir/samba.pid"
disown
stop() { kill -- -"$pid" 2>/dev/null || true; }
trap stop EXIT # until everything is well

export LDAPTLS_CACERT=$dir/tls/ca.pem LDAPTLS_REQCERT=demand
for ((i = 0; ; i++)); do
	ldapsearch -x -H "$url" -s base -b '' defaultNamingContext >"$dir/log/ready.log" 2>&1 && break
	kill -0 "$pid" 2>/dev/null || { tail -n 20 "$dir/log/samba.out" >&2; die "samba ended: see $dir/log"; }
	((i < 300)) || die "no answer from $url in 30 s: see $dir/log"
	sleep 0.1
done
say "$url answers"

# ---- what only a running server does ----

# A logon by simple bind sets lastLogonTimestamp (lastLogon is for interactive
# ones; genusers wrote some); three wrong passwords lock out.
# Four at a time, since most of a bind is waiting.
# (ldapwhoami would do, but Samba does not know that operation.)
simple_bind() { ldapsearch -x -H "$url" -D "$1" -y "$dir/private/$2.password" -s base -b '' 1.1; }
logon() { simple_bind "$1" user; }
lockout() {
	local _ rc
	for _ in 1 2 3; do
		rc=0
		simple_bind "$1" wrong || rc=$?
		[[ $rc -eq 49 ]] || return 1 # invalid credentials, or it is another fault
	done
}
export -f simple_bind logon lockout
export url dir
# shellcheck disable=SC2016 # $1 is the inner shell's
quiet logon.log xargs -P4 -n1 -a "$dir/ldif/logon.txt" bash -c 'logon "$1"' _
# shellcheck disable=SC2016
quiet lockout.log xargs -P4 -n1 -a "$dir/ldif/lockout.txt" bash -c 'lockout "$1"' _
say 'logged on and locked out'

cat >"$dir/env" <<ENV
ROLLCALL_AD_DIR='$dir'
ROLLCALL_AD_URL='$url'
ROLLCALL_AD_CA='$dir/tls/ca.pem'
ROLLCALL_AD_BASE='$base'
ROLLCALL_AD_BIND='svc-rollcall@$domain'
ROLLCALL_AD_PASSWORD='$bind_password'
ROLLCALL_AD_ADMIN='administrator@$domain'
ROLLCALL_AD_ADMIN_PASSWORD='$admin_password'
ROLLCALL_AD_CONTACTS='$dir/ldif/contacts.jsonl'
ENV
trap - EXIT

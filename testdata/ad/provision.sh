#!/usr/bin/env bash
# Makes a domain of two Samba domain controllers in DIR, fills it with the
# users of genusers and leaves them running:
#
#     testdata/ad/provision.sh DIR
#
# Nothing outside DIR is touched, and no systemd, no /etc/samba and no
# CAP_SYS_ADMIN is needed; root is. with-dc.sh is the usual way in: it gives
# the servers a network of their own and stops them again. By hand, stop them
# with
#
#     testdata/ad/controller.sh DIR 1 stop
#     testdata/ad/controller.sh DIR 2 stop
#
# DIR/env tells how to reach it, in ROLLCALL_AD_* variables. Passwords are new
# in every DIR and are nowhere else.
#
# From the environment:
#   ROLLCALL_AD_CONTROLLERS  1 or 2 (2)
#   ROLLCALL_AD_ADDRESS      loopback address to listen on (127.0.0.1)
#   ROLLCALL_AD_ADDRESS2     the second one's (127.0.0.2)
#   ROLLCALL_AD_LIFELINE     a FIFO: the servers end when its last writer does
#   ROLLCALL_AD_RESOLVED     1 where /etc/resolv.conf names the address as the
#                            nameserver: then the domain can be found by its
#                            name, and the controllers replicate
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
[[ ${#dir} -le 60 ]] || die "$dir: a path of at most 60 characters is needed"

controllers=${ROLLCALL_AD_CONTROLLERS:-2}
[[ $controllers == [12] ]] || die "ROLLCALL_AD_CONTROLLERS=$controllers: 1 or 2 can be asked for"
address=${ROLLCALL_AD_ADDRESS:-127.0.0.1}
address2=${ROLLCALL_AD_ADDRESS2:-127.0.0.2}
realm=CORP.EXAMPLE.COM
domain=corp.example.com
base=DC=corp,DC=example,DC=com
url=ldaps://$address:636
url2=ldaps://$address2:636

# Something else on the port would answer in the server's place.
free() {
	if (exec 3<>"/dev/tcp/$1/636") 2>/dev/null; then
		die "$1:636 is taken; set $2 to another 127.x.y.z"
	fi
}
free "$address" ROLLCALL_AD_ADDRESS
[[ $controllers -eq 1 ]] || free "$address2" ROLLCALL_AD_ADDRESS2

mkdir "$dir"/{etc,tls,ldif}
dir2=$dir/dc2
for d in "$dir" "$dir2"; do
	mkdir -p "$d"/{etc,private,state,cache,lock,run,log,sysvol}
done

# ---- passwords ----

# A password needs three kinds of characters; the suffix sees to it.
password() { printf '%s-aA1' "$(openssl rand -base64 24 | tr -d '+/=\n')"; }
admin_password=$(password)
bind_password=$(password)
user_password=$(password)
# In files for -y, without a newline: arguments are for everyone to read.
printf %s "$admin_password" >"$dir/private/admin.password"
printf %s "$bind_password" >"$dir/private/bind.password"
printf %s "$user_password" >"$dir/private/user.password"
printf 'wrong' >"$dir/private/wrong.password"

# ---- certificates ----

# The certificate that Samba makes for itself has no subjectAltName, and no
# client of today takes it.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \
	-subj '/CN=rollcall test CA' -keyout "$dir/tls/ca.key" -out "$dir/tls/ca.pem" \
	-addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>"$dir/log/openssl.log"

# certificate FILE HOST SUBJECTALTNAME
certificate() {
	local file=$dir/tls/$1
	{
		openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
			-subj "/CN=$2.$domain" -keyout "$file.key" -out "$file.csr" &&
			openssl x509 -req -in "$file.csr" -CA "$dir/tls/ca.pem" -CAkey "$dir/tls/ca.key" -CAcreateserial \
				-days 90 -out "$file.pem" -extfile <(
					printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n'
					printf 'subjectAltName=DNS:%s.%s,%s\n' "$2" "$domain" "$3"
				)
	} 2>>"$dir/log/openssl.log" || die "openssl: see $dir/log/openssl.log"
}
certificate dc dc1 "IP:127.0.0.1,IP:$address,DNS:localhost,DNS:$(hostname)"
[[ $controllers -eq 1 ]] || certificate dc2 dc2 "IP:$address2"

# ---- domain ----

# Every path that Samba would have elsewhere is in DIR. xattr_tdb keeps the
# sysvol's access lists in a file: as attributes they would need CAP_SYS_ADMIN.
# File sharing and NetBIOS are not run. rpc and cldap are there for a second
# controller to join; it finds the first by name later on, so only where names
# are resolved is there replication after that.
# allow_sasl_over_tls: inside TLS a Kerberos bind need not sign once more,
# which go-ldap does not know how to.
#
services='ldap kdc cldap rpc'
[[ ${ROLLCALL_AD_RESOLVED:-} != 1 ]] || services+=' dns drepl kcc'

# settings DIR HOST ADDRESS CERTIFICATE
settings() {
	cat >"$1/etc/smb.conf" <<CONF
[global]
	netbios name = ${2^^}
	workgroup = CORP
	realm = $realm
	server role = active directory domain controller
	server services = $services
	interfaces = $3/8
	bind interfaces only = yes
	ldap server require strong auth = allow_sasl_over_tls
	private dir = $1/private
	state directory = $1/state
	cache directory = $1/cache
	lock directory = $1/lock
	pid directory = $1/run
	ncalrpc dir = $1/run/ncalrpc
	ntp signd socket directory = $1/run
	winbindd socket directory = $1/run
	binddns dir = $1/private
	log file = $1/log/samba.log
	tls cafile = $dir/tls/ca.pem
	tls certfile = $dir/tls/$4.pem
	tls keyfile = $dir/tls/$4.key
	vfs objects = dfs_samba4 acl_xattr xattr_tdb
	xattr_tdb:file = $1/private/xattr.tdb
[sysvol]
	path = $1/sysvol
	read only = no
[netlogon]
	path = $1/sysvol/$domain/scripts
	read only = no
CONF
}
settings "$dir" dc1 "$address" dc
# The ldb tools have no option for it, and would read /etc/samba/smb.conf.
export SMB_CONF_PATH=$dir/etc/smb.conf
sam=$dir/private/sam.ldb
sam2=$dir2/private/sam.ldb

# For Kerberos clients, and for the servers themselves. TCP only: gokrb5 would
# try UDP first.
cat >"$dir/etc/krb5.conf" <<CONF
[libdefaults]
	default_realm = $realm
	dns_lookup_realm = false
	dns_lookup_kdc = false
	rdns = false
	udp_preference_limit = 1
[realms]
	$realm = {
		kdc = $address:88
	}
[domain_realm]
	.$domain = $realm
	$domain = $realm
CONF
export KRB5_CONFIG=$dir/etc/krb5.conf

# quiet LOG CMD…: the output is of interest when CMD fails.
quiet() {
	local log=$dir/log/$1
	shift
	"$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; die "$1 failed: see $log"; }
}

quiet provision.log samba-tool domain provision --realm="$realm" --domain=CORP --server-role=dc \
	--dns-backend=SAMBA_INTERNAL --host-name=dc1 --host-ip="$address"
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

addresses() { quiet addresses.log "$(sed -n '1s/^#! *//p' "$(command -v samba-tool)")" "$here/addresses.py" "$sam" "$@"; }
addresses dc1="$address"
quiet keytab.log samba-tool domain exportkeytab "$dir/private/svc-rollcall.keytab" --principal=svc-rollcall

# ---- server ----

stop() { for i in 1 2; do "$here/controller.sh" "$dir" "$i" stop 2>/dev/null || true; done; }
trap stop EXIT # until everything is well
"$here/controller.sh" "$dir" 1 start
say "$url answers"
export LDAPTLS_CACERT=$dir/tls/ca.pem LDAPTLS_REQCERT=demand

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

# ---- second controller ----

# It joins only now, so that what happened on the first is in its replica from
# the start, whether or not there is replication.
if [[ $controllers -eq 2 ]]; then
	settings "$dir2" dc2 "$address2" dc2
	export SMB_CONF_PATH=$dir2/etc/smb.conf
	USER=Administrator PASSWD_FILE=$dir/private/admin.password quiet join.log \
		samba-tool domain join "$domain" DC --server="$address" --dns-backend=SAMBA_INTERNAL
	# lastLogon is every controller's own.
	load ldbmodify -H "$sam2" "$bypass" "$dir/ldif/60-dc2.ldif"
	export SMB_CONF_PATH=$dir/etc/smb.conf
	addresses dc2="$address2"
	"$here/controller.sh" "$dir" 2 start
	say "$url2 answers"
	# Once in either direction: from then on they tell each other of changes.
	if [[ ${ROLLCALL_AD_RESOLVED:-} == 1 ]]; then
		for pair in "dc2.$domain dc1.$domain" "dc1.$domain dc2.$domain"; do
			# shellcheck disable=SC2086 # two words
			USER=Administrator PASSWD_FILE=$dir/private/admin.password quiet replicate.log \
				samba-tool drs replicate $pair "$base"
		done
		say 'replicated'
	fi
fi

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
ROLLCALL_AD_SAM='$sam'
ROLLCALL_AD_KEYTAB='$dir/private/svc-rollcall.keytab'
ROLLCALL_AD_KRB5CONF='$dir/etc/krb5.conf'
ROLLCALL_AD_SPN='ldap/dc1.$domain'
ENV
[[ $controllers -eq 1 ]] || cat >>"$dir/env" <<ENV
ROLLCALL_AD_URL2='$url2'
ROLLCALL_AD_SAM2='$sam2'
ENV
[[ ${ROLLCALL_AD_RESOLVED:-} != 1 ]] || echo "ROLLCALL_AD_DOMAIN='$domain'" >>"$dir/env"
trap - EXIT

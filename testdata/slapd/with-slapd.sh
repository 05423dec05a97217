#!/usr/bin/env bash
# Runs CMD beside an LDAP server that looks like a large domain controller to
# a reader, and ends with CMD's status:
#
#     testdata/slapd/with-slapd.sh DIR USERS CMD…
#     testdata/slapd/with-slapd.sh /tmp/load 200000 sh -c 'go run ./cmd/rollcall …'
#
# DIR is made, and removed at the end (ROLLCALL_SLAPD_KEEP=1 keeps it). USERS
# accounts of genpeople are in it, always the same ones; ROLLCALL_SLAPD_SEED
# gives others. Nobody can write to the server. CMD finds in its environment:
#
#   ROLLCALL_SLAPD_URL          ldaps://127.0.0.1:PORT
#   ROLLCALL_SLAPD_PLAIN_URL    ldap://127.0.0.1:PORT, for StartTLS
#   ROLLCALL_SLAPD_CA           the CA's certificate
#   ROLLCALL_SLAPD_BASE         DC=load,DC=example,DC=com
#   ROLLCALL_SLAPD_BIND         the service account, which may read everything
#   ROLLCALL_SLAPD_PASSWORD     its password, new in every run
#   ROLLCALL_SLAPD_CLIENT_CERT  certificate and key for SASL EXTERNAL: they
#   ROLLCALL_SLAPD_CLIENT_KEY   stand for another account, which reads as much
#   ROLLCALL_SLAPD_EXPECTED     JSON: how many accounts of each kind there are
#   ROLLCALL_SLAPD_DIR          DIR
#
# As on a domain controller, a search without paging ends after 1,000 entries
# with error 4, and a password in clear text is refused (here with error 13).
# Unlike one, a page size above 1,000 is refused, with error 11. Neither root
# nor a system's own slapd is needed, and no file outside DIR is touched.
set -euo pipefail
umask 077
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # where slapd is, for an ordinary user too

die() { printf 'with-slapd.sh: %s\n' "$*" >&2; exit 1; }
say() { printf 'with-slapd.sh: %4ss  %s\n' "$SECONDS" "$*" >&2; }

[[ $# -ge 3 ]] || die 'usage: with-slapd.sh DIR USERS CMD…'
[[ $2 =~ ^[1-9][0-9]{0,7}$ ]] || die "USERS is a number from 1 to 99999999, not $2"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

missing=()
for tool in slapd slapadd ldapsearch openssl setpriv go; do
	command -v "$tool" >/dev/null || missing+=("$tool")
done
schemas=/etc/ldap/schema
[[ -r $schemas/msuser.schema ]] || missing+=("$schemas/msuser.schema")
modules=
for modules in /usr/lib/ldap /usr/lib/*/ldap ''; do
	[[ ! -e $modules/back_mdb.so ]] || break
done
[[ -n $modules ]] || missing+=(back_mdb.so)
if [[ ${#missing[@]} -gt 0 ]]; then
	die "missing: ${missing[*]}
On Debian or Ubuntu (go aside):
    apt-get install --no-install-recommends slapd ldap-utils openssl util-linux
That may start a server of the system's own, which is not needed here:
    systemctl disable --now slapd"
fi

dir=$1 users=$2
shift 2
[[ ! -e $dir ]] || [[ -d $dir && -z $(ls -A "$dir") ]] || die "$dir is there already"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd -P)
# The path stands in slapd.conf, and in env.
[[ $dir =~ ^[A-Za-z0-9/._+@-]+$ ]] || die "$dir: only letters, digits and / . _ + @ - are good in it"

child=
server=
cleanup() {
	local status=$?
	trap - EXIT
	trap '' INT TERM HUP # an impatient second one must not leave a server behind
	if [[ -n $child ]]; then
		kill -TERM -- -"$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
	fi
	stop
	if [[ ${ROLLCALL_SLAPD_KEEP:-} == 1 ]]; then
		printf 'with-slapd.sh: kept %s\n' "$dir" >&2
	else
		rm -rf -- "$dir"
	fi
	exit "$status"
}
stop() {
	[[ -n $server ]] || return 0
	kill -TERM "$server" 2>/dev/null || true
	for _ in {1..50}; do
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# job CMD…: in a process group of its own, so that an interrupt reaches this
# shell first, and can be handed on to all of it.
job() {
	set -m
	"$@" <&0 &
	child=$!
	set +m
	local status=0
	wait "$child" || status=$?
	child=
	return "$status"
}

# ---- password and certificates ----

mkdir "$dir"/{db,log,tls,schema}
base=DC=load,DC=example,DC=com
account="CN=svc-rollcall,OU=Service Accounts,$base"
certified="CN=svc-rollcall-certificate,OU=Service Accounts,$base"
password=$(openssl rand -hex 24)
printf %s "$password" >"$dir/password" # for -y, without a newline: arguments are for everyone to read

key() { openssl req "$@" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes 2>>"$dir/log/openssl.log"; }
sign() { # sign NAME EXTENSION…
	printf '%s\n' 'basicConstraints=CA:FALSE' "${@:2}" >"$dir/tls/$1.ext"
	openssl x509 -req -in "$dir/tls/$1.csr" -CA "$dir/tls/ca.pem" -CAkey "$dir/tls/ca.key" -CAcreateserial \
		-days 30 -out "$dir/tls/$1.pem" -extfile "$dir/tls/$1.ext" 2>>"$dir/log/openssl.log"
}
certificates() {
	key -x509 -days 30 -subj '/CN=rollcall test CA' -keyout "$dir/tls/ca.key" -out "$dir/tls/ca.pem" \
		-addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' &&
		key -new -subj '/CN=localhost' -keyout "$dir/tls/server.key" -out "$dir/tls/server.csr" &&
		sign server 'subjectAltName=IP:127.0.0.1,DNS:localhost' 'extendedKeyUsage=serverAuth' &&
		key -new -subj '/O=rollcall test/CN=svc-rollcall' -keyout "$dir/tls/client.key" -out "$dir/tls/client.csr" &&
		sign client 'extendedKeyUsage=clientAuth'
}
certificates || { tail -n 20 "$dir/log/openssl.log" >&2; die 'openssl failed'; }

# ---- configuration ----

# msuser.schema gives no attribute an equality rule. Without one there is no
# index, and a filter on the attribute matches nothing. Its syntaxes are in
# the order of the rules.
sed -E "/^#/b
	s/SYNTAX '(1\.3\.6\.1\.4\.1\.1466\.115\.121\.1\.27|MSADlargeInteger)'/EQUALITY integerMatch ORDERING integerOrderingMatch &/
	s/SYNTAX '(1\.3\.6\.1\.4\.1\.1466\.115\.121\.1\.(15|44)|MSADtelex|MSADcis)'/EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch &/
	s/SYNTAX '1\.3\.6\.1\.4\.1\.1466\.115\.121\.1\.26'/EQUALITY caseIgnoreIA5Match SUBSTR caseIgnoreIA5SubstringsMatch &/
	s/SYNTAX '1\.3\.6\.1\.4\.1\.1466\.115\.121\.1\.12'/EQUALITY distinguishedNameMatch &/
	s/SYNTAX '1\.3\.6\.1\.4\.1\.1466\.115\.121\.1\.24'/EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch &/
	s/SYNTAX '1\.3\.6\.1\.4\.1\.1466\.115\.121\.1\.38'/EQUALITY objectIdentifierMatch &/
	s/SYNTAX '1\.3\.6\.1\.4\.1\.1466\.115\.121\.1\.7'/EQUALITY booleanMatch &/
	s/SYNTAX '(1\.3\.6\.1\.4\.1\.1466\.115\.121\.1\.40|MSADsecDesc|MSADdnWith[A-Za-z]*)'/EQUALITY octetStringMatch &/
	" "$schemas/msuser.schema" >"$dir/schema/msuser.schema"

cat >"$dir/rootdse.ldif" <<LDIF
dn:
defaultNamingContext: $base
rootDomainNamingContext: $base
dNSHostName: dc1.load.example.com
supportedCapabilities: 1.2.840.113556.1.4.800
supportedCapabilities: 1.2.840.113556.1.4.1670
LDIF

# maxsize is only reserved: 16 KB an account and 1 GiB.
cat >"$dir/slapd.conf" <<CONF
include $schemas/core.schema
include $schemas/cosine.schema
include $schemas/inetorgperson.schema
include $schemas/nis.schema
include $dir/schema/msuser.schema
include $here/ad.schema
tool-threads 2
modulepath $modules
moduleload back_mdb
pidfile $dir/slapd.pid
argsfile $dir/slapd.args
rootDSE $dir/rootdse.ldif

TLSCACertificateFile $dir/tls/ca.pem
TLSCertificateFile $dir/tls/server.pem
TLSCertificateKeyFile $dir/tls/server.key
TLSVerifyClient try
authz-regexp "^cn=svc-rollcall,o=rollcall test\$" "$certified"
security simple_bind=128

# MaxPageSize and MaxQueryDuration of a domain controller.
sizelimit size.soft=1000 size.hard=1000 size.pr=1000 size.prtotal=unlimited
timelimit 120

access to dn.base="" by * read
access to dn.base="cn=Subschema" by * read
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="$account" read by dn.exact="$certified" read by * none

database mdb
suffix "$base"
directory $dir/db
maxsize $((users * 16384 + 1073741824))
dbnosync
index objectClass,sAMAccountType,sAMAccountName,userPrincipalName eq
CONF

# ---- accounts ----

# The two that read are no accounts of the domain, so that USERS is what is found.
cat >"$dir/domain.ldif" <<LDIF
dn: $base
objectClass: top
objectClass: domain
objectClass: domainDNS
dc: load
maxPwdAge: -36288000000000
minPwdAge: 0
minPwdLength: 12
lockoutThreshold: 5
lockoutDuration: -18000000000

dn: CN=Users,$base
objectClass: top
objectClass: container
cn: Users

dn: OU=Service Accounts,$base
objectClass: top
objectClass: organizationalUnit
ou: Service Accounts

dn: $account
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: svc-rollcall
userPassword: $password

dn: $certified
objectClass: applicationProcess
cn: svc-rollcall-certificate

LDIF

fill() {
	(cd "$here/../.." && go build -buildvcs=false -o "$dir/genpeople" ./testdata/slapd/genpeople) || return
	{
		cat "$dir/domain.ldif" &&
			"$dir/genpeople" -n "$users" -base "$base" -seed "${ROLLCALL_SLAPD_SEED:-1}" -expected "$dir/expected.json"
	} | slapadd -q -s -f "$dir/slapd.conf" 2>"$dir/log/slapadd.log"
}
job fill || { tail -n 20 "$dir/log/slapadd.log" >&2 || true; die "$users accounts could not be loaded"; }
say 'accounts loaded'

# ---- server ----

# serve PORT TLSPORT: the server, with this shell as its parent, whose end it
# does not survive, not even that by kill -9. Tables are made for as many
# connections as there may be files, and that may be a thousand million.
serve() {
	set -m # an interrupt at the terminal is not for the server
	(
		ulimit -n 1024
		exec setpriv --pdeathsig KILL -- slapd -d 0 -f "$dir/slapd.conf" -h "ldap://127.0.0.1:$1 ldaps://127.0.0.1:$2"
	) </dev/null >"$dir/log/slapd.log" 2>&1 &
	server=$!
	set +m
}

# ready: a bind with the password that only this server knows.
ready() {
	LDAPTLS_CACERT=$dir/tls/ca.pem LDAPTLS_REQCERT=demand ldapsearch -x -H "$1" -D "$account" -y "$dir/password" \
		-o nettimeout=5 -s base -b "$base" 1.1 >"$dir/log/ready.log" 2>&1
}

# A port can be taken between a look and the server's start, so the start is
# the look: a server that cannot have its ports ends at once. Below 32768 no
# port is given to an outgoing connection.
url=
for ((try = 0; try < 20 && ${#url} == 0; try++)); do
	port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
	serve "$port" "$((port + 1))"
	for ((i = 0; i < 300; i++)); do
		kill -0 "$server" 2>/dev/null || break
		if ready "ldaps://127.0.0.1:$((port + 1))"; then
			url=ldaps://127.0.0.1:$((port + 1))
			break
		fi
		sleep 0.1
	done
	[[ -n $url ]] || stop
done
[[ -n $url ]] || { tail -n 20 "$dir/log/slapd.log" "$dir/log/ready.log" >&2; die 'slapd does not answer'; }
say "$url answers"

cat >"$dir/env" <<ENV
ROLLCALL_SLAPD_DIR='$dir'
ROLLCALL_SLAPD_URL='$url'
ROLLCALL_SLAPD_PLAIN_URL='ldap://127.0.0.1:$port'
ROLLCALL_SLAPD_CA='$dir/tls/ca.pem'
ROLLCALL_SLAPD_BASE='$base'
ROLLCALL_SLAPD_BIND='$account'
ROLLCALL_SLAPD_PASSWORD='$password'
ROLLCALL_SLAPD_CLIENT_CERT='$dir/tls/client.pem'
ROLLCALL_SLAPD_CLIENT_KEY='$dir/tls/client.key'
ROLLCALL_SLAPD_EXPECTED='$dir/expected.json'
ENV
set -a
# shellcheck source=/dev/null
. "$dir/env"
set +a

# At a terminal in the foreground, where CMD may be a shell.
if [[ -t 0 ]]; then
	"$@"
else
	job "$@"
fi

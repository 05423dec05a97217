# Completes, in the sam.ldb of the first domain controller, what Samba leaves
# out for controllers on loopback addresses, or does while they run: their A
# records and service principal names (replication has one of its own); and for
# one that has joined, the alias that replication asks for and an SRV record
# beside every one that names dc1 (but that of the PDC emulator).
#
#     addresses.py SAM dc1=127.0.0.1
#     addresses.py SAM dc2=127.0.0.2
#
# It is run by the Python that runs samba-tool, where Samba's modules are.
import sys

import ldb
from samba.auth import system_session
from samba.dcerpc import dnsp
from samba.param import LoadParm
from samba.provision.sambadns import ARecord, CNAMERecord, SRVRecord
from samba.samdb import SamDB

lp = LoadParm()
lp.load_default()  # SMB_CONF_PATH
db = SamDB(url=sys.argv[1], session_info=system_session(), lp=lp)
base, domain = db.domain_dn(), db.domain_dns_name()
host, address = sys.argv[2].split("=")
fqdn = f"{host}.{domain}"


def add(zone, name, record):
    part = "ForestDnsZones" if zone.startswith("_msdcs.") else "DomainDnsZones"
    zone_dn = f"DC={zone},CN=MicrosoftDNS,DC={part},{base}"
    dn = ldb.Dn(db, f"DC={name},{zone_dn}")
    found = db.search(base=zone_dn, scope=ldb.SCOPE_ONELEVEL, expression=f"(name={name})", attrs=["dnsRecord"])
    records = db.dns_extract(found[0]["dnsRecord"]) if len(found) else []
    if not len(found):
        db.add({"dn": dn, "objectClass": ["top", "dnsNode"]})
    if not any(r.wType == record.wType and r.data == record.data for r in records):
        db.dns_replace_by_dn(dn, records + [record])


for name in host, "@":
    add(domain, name, ARecord(address))

for entry in db.search(base=db.get_config_basedn(), expression="(objectClass=nTDSDSA)", attrs=["objectGUID"]):
    if entry.dn.parent().get_rdn_value().lower() == host:
        guid = db.schema_format_value("objectGUID", entry["objectGUID"][0]).decode()

account = db.search(expression=f"(sAMAccountName={host}$)", attrs=["servicePrincipalName"])[0]
have = {str(spn).lower() for spn in account["servicePrincipalName"]}
want = [f"ldap/{fqdn}", f"ldap/{host.upper()}", f"ldap/{fqdn}/{domain}", f"ldap/{guid}._msdcs.{domain}",
        f"GC/{fqdn}/{domain}", f"E3514235-4B06-11D1-AB04-00C04FC2DCD2/{guid}/{domain}"]
message = ldb.Message(account.dn)
message["spn"] = ldb.MessageElement([spn for spn in want if spn.lower() not in have],
                                    ldb.FLAG_MOD_ADD, "servicePrincipalName")
db.modify(message)

if host != "dc1":
    add(f"_msdcs.{domain}", guid, CNAMERecord(fqdn))
    for part in "DomainDnsZones", "ForestDnsZones":
        for node in db.search(base=f"DC={part},{base}", expression="(objectClass=dnsNode)", attrs=["dnsRecord"]):
            if "dnsRecord" not in node or ".pdc," in str(node.dn) or ".pdc." in str(node.dn):
                continue
            records = db.dns_extract(node["dnsRecord"])
            more = [SRVRecord(fqdn, r.data.wPort) for r in records if r.wType == dnsp.DNS_TYPE_SRV]
            if more:
                db.dns_replace_by_dn(node.dn, records + more)

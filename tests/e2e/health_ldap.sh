#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Directory locations against slapd: base and multi-valued delta, no entry, no attribute, placeholder, referral, silence.
. "$(dirname "$0")/health_lib.sh"
make_ca
day=86400
make_crl "$work/base.crl" 17 -3600 $((6 * day))
make_crl "$work/delta16.crl" 16 -7200 $day '2.5.29.27=critical,DER:02:01:0F'
make_crl "$work/delta17.crl" 17 -3600 $day '2.5.29.27=critical,DER:02:01:0F'
mkdir "$work/db"
cat > "$work/slapd.conf" <<CONF
pidfile $work/slapd.pid
attributetype ( 2.5.4.39 NAME 'certificateRevocationList' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 2.5.4.53 NAME 'deltaRevocationList' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 2.5.6.19 NAME 'cRLDistributionPoint' SUP top STRUCTURAL MUST cn MAY ( certificateRevocationList \$ deltaRevocationList ) )
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "cn=lab"
directory $work/db
maxsize 16777216
CONF
point() { printf 'dn: cn=%s,cn=lab\nobjectClass: cRLDistributionPoint\ncn: %s\n' "$1" "$1"; }
{
    printf 'dn: cn=lab\nobjectClass: cRLDistributionPoint\ncn: lab\n\n'
    point "Lab CA"
    printf 'certificateRevocationList:: %s\ndeltaRevocationList:: %s\ndeltaRevocationList:: %s\n\n' \
        "$(base64 -w0 "$work/base.crl")" "$(base64 -w0 "$work/delta17.crl")" "$(base64 -w0 "$work/delta16.crl")"
    point bare
    echo
    point holder
    printf 'certificateRevocationList:: AA==\n\n'
    point junk
    printf 'certificateRevocationList:: %s\n\n' "$(echo no crl | base64 -w0)"
    printf 'dn: cn=away,cn=lab\nobjectClass: referral\nobjectClass: extensibleObject\ncn: away\nref: ldap://127.0.0.1:3890/cn=away,cn=lab\n'
} > "$work/entries.ldif"
/usr/sbin/slapadd -f "$work/slapd.conf" -l "$work/entries.ldif" > "$work/slapadd.log" 2>&1 || { cat "$work/slapadd.log"; exit 1; }
/usr/sbin/slapd -d 0 -f "$work/slapd.conf" -h ldap://127.0.0.1:3890 > "$work/slapd.log" 2>&1 &
web_pid=$!
socat TCP-LISTEN:3891,bind=127.0.0.1,fork,reuseaddr EXEC:'sleep 30' 2> /dev/null &
quiet=$!
trap 'kill "$web_pid" "$quiet" 2>/dev/null; rm -rf "$work"' EXIT
for i in $(seq 100); do (exec 3<> /dev/tcp/127.0.0.1/3890) 2> /dev/null && break; sleep 0.05; done

# expect_ldap URL-REST STATUS FINDING [--delta]
expect_ldap() {
    local option=--url
    [ "${4:-}" != delta ] || option=--delta-url
    run_check $option "ldap://127.0.0.1:${5:-3890}/$1" --issuer "$work/ca.pem" --timeout 2s
    [ "$(json "r['locations'][0]['status']")" = "$2" ] && pass || fail "$1: $(json "r['locations'][0]['status'], r['locations'][0]['detail']")"
    # 4033: this is the only location there is
    local ids
    ids=$(json "' '.join(sorted({str(f['id']) for f in r['findings']} - {'4033'}))")
    [ "${ids:-none}" = "$3" ] && pass || fail "$1: findings '$ids', expected $3 alone"
    [ "$ms" -lt 4000 ] && pass || fail "$1: $ms ms"
}
expect_ldap 'cn=Lab%20CA,cn=lab?certificateRevocationList?base?objectClass=cRLDistributionPoint' ok none
expect_ldap 'cn=Lab%20CA,cn=lab' ok none
expect_ldap 'cn=Lab%20CA,cn=lab?deltaRevocationList' ok none delta
[ "$(json "r['locations'][0]['crl']['number']")" = 17 ] && pass || fail "of two deltas the newest counts: $(json "r['locations'][0]['crl']['number']")"
expect_ldap 'cn=nobody,cn=lab' not-found 4048
expect_ldap 'cn=bare,cn=lab' no-attribute 4049
expect_ldap 'cn=holder,cn=lab' placeholder 4050
expect_ldap 'cn=junk,cn=lab' not-a-crl 4052
expect_ldap 'cn=away,cn=lab' redirect 4045
expect_ldap 'cn=Lab%20CA,cn=lab?certificateRevocationList?base?(objectClass=person)' not-found 4048
expect_ldap 'cn=x' timeout 4043 '' 3891
expect_ldap 'cn=x' connect 4041 '' 3892

# A silent TLS handshake and a file whose opening never ends: two time-outs, and the directory beside them is judged.
mkfifo "$work/fifo"
run_check --url 'ldaps://127.0.0.1:3891/cn=x?certificateRevocationList' --url "$work/fifo" --url ldap://127.0.0.1:3890/cn=Lab%20CA,cn=lab \
    --issuer "$work/ca.pem" --timeout 2s
statuses=$(json "' '.join(sorted(l['status'] for l in r['locations']))")
[ "$statuses" = 'ok timeout timeout' ] && pass || fail "held up: '$statuses', $(cat "$work/err.txt")"
[ "$(json "len({f['url'] for f in r['findings'] if f['id'] == 4043})")" = 2 ] && pass || fail "held up: findings"
[ "$ms" -lt 20000 ] && [ "$rc" = 2 ] && pass || fail "held up: $ms ms, rc $rc"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/i.key" -out "$work/i.csr" -subj /CN=Below 2>/dev/null
openssl x509 -req -in "$work/i.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 9 -out "$work/i.pem" \
    -extfile <(echo "authorityInfoAccess=caIssuers;URI:ldaps://127.0.0.1:3891/cn=x?cACertificate") 2>/dev/null
run_check --url ldap://127.0.0.1:3890/cn=Lab%20CA,cn=lab --issuer "$work/i.pem" --parents --timeout 2s
[ "$(json "r['locations'][0]['status']")" = ok ] && [ "$ms" -lt 20000 ] && pass || fail "parent at a silent directory: $ms ms, $(cat "$work/err.txt")"
finish

# SPDX-License-Identifier: Apache-2.0
# Shared by health_*.sh: a lab of its own in a network and mount namespace: loopback only, own hosts file, a CA made by
# openssl, the misbehaving web server. Source it first; it re-runs the script inside the namespace.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ -z "${HEALTH_NS:-}" ]; then
    exec env HEALTH_NS=1 unshare $([ "$(id -u)" = 0 ] || echo -r) -n -m --propagation private bash "$0" "$@"
fi
crlagent=${CRLAGENT_BUILD:?}/bin/crlagent
work=$(mktemp -d)
mkdir "$work/all"
web_pid=
trap '[ -z "$web_pid" ] || kill "$web_pid" 2>/dev/null; rm -rf "$work"' EXIT
ip link set lo up
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY

fails=0 checks=0
pass() { checks=$((checks + 1)); }
fail() { checks=$((checks + 1)); fails=$((fails + 1)); printf 'FAIL: %s\n' "$*"; }
finish() {
    local all=("$work"/all/*.json)
    if [ -e "${all[0]}" ]; then
        find "$work/all" -size 0 -delete # a refused command line leaves nothing
        /usr/bin/python3 "$here/../tools/check_reports.py" "$here/../.." "$work"/all/* && pass || fail "reports and their schema"
    fi
    printf '%d checks, %d failed\n' "$checks" "$fails"
    [ "$fails" = 0 ]
}

# make_ca: ca.pem, ca.key in $work
make_ca() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" \
        -days 3650 -subj "/CN=Lab Issuing CA" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,cRLSign,keyCertSign \
        2>"$work/openssl.log"
    : > "$work/index.txt"
}

# make_crl FILE NUMBER FROM-SECONDS TO-SECONDS [EXTENSION LINE...]: times relative to now
make_crl() {
    local file=$1 number=$2 from=$3 to=$4 line
    shift 4
    printf '%02X\n' "$number" > "$work/crlnumber"
    [ $(($(wc -c < "$work/crlnumber") % 2)) = 1 ] || sed -i 's/^/0/' "$work/crlnumber"
    {
        printf '[ca]\ndefault_ca=x\n[x]\ndatabase=%s/index.txt\ncrlnumber=%s/crlnumber\ndefault_md=sha256\n' "$work" "$work"
        printf 'crl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n'
        for line in "$@"; do printf '%s\n' "$line"; done
    } > "$work/crl.cnf"
    openssl ca -config "$work/crl.cnf" -gencrl -cert "$work/ca.pem" -keyfile "$work/ca.key" -out "$work/crl.pem" \
        -crl_lastupdate "$(date -u -d "@$(($(date +%s) + from))" +%Y%m%d%H%M%SZ)" \
        -crl_nextupdate "$(date -u -d "@$(($(date +%s) + to))" +%Y%m%d%H%M%SZ)" 2>>"$work/openssl.log"
    openssl crl -in "$work/crl.pem" -outform DER -out "$file"
}

# start_web ARGS...: the server on port 8080, folder $work/web
start_web() {
    python3 "$here/../lab/web/hostile.py" "$work/web" 8080 "$@" --seconds 200 > "$work/web.log" 2>&1 &
    web_pid=$!
    local i
    for i in $(seq 100); do
        grep -qs ready "$work/web.log" && return
        sleep 0.05
    done
    cat "$work/web.log"
    exit 1
}

# run_check ARGS...: leaves rc, $work/out.json, seconds in ms
run_check() {
    local t0
    t0=$(date +%s%3N)
    rc=0
    "$crlagent" check --format json "$@" > "$work/out.json" 2> "$work/err.txt" || rc=$?
    ms=$(($(date +%s%3N) - t0))
    cp "$work/out.json" "$work/all/$checks.json" # held against the schema at the end
}

# json EXPRESSION: python over the report r
json() { python3 -c "import json,sys; r=json.load(open('$work/out.json')); print($1)"; }

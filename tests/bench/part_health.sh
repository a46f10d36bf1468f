#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many locations against curl --parallel at the same concurrency, and one after another, on a loopback server that answers
# after 50 ms; growth; the HTML report of the same run.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ -z "${HEALTH_NS:-}" ]; then
    exec env HEALTH_NS=1 unshare $([ "$(id -u)" = 0 ] || echo -r) -n bash "$0" "$@"
fi
ip link set lo up
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY no_proxy NO_PROXY
crlagent=$BENCH_NATIVE/crlagent
work=$(mktemp -d)
web=
trap '[ -z "$web" ] || kill "$web" 2>/dev/null; rm -rf "$work"' EXIT

chmod 755 "$work"
mkdir "$work/www"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" -days 30 \
    -subj "/CN=Bench CA" 2>/dev/null
: > "$work/index.txt"
echo 01 > "$work/number"
printf '[ca]\ndefault_ca=x\n[x]\ndatabase=%s/index.txt\ncrlnumber=%s/number\ndefault_md=sha256\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n' \
    "$work" "$work" > "$work/cnf"
openssl ca -config "$work/cnf" -gencrl -cert "$work/ca.pem" -keyfile "$work/ca.key" -crldays 7 -out "$work/crl.pem" 2>/dev/null
openssl crl -in "$work/crl.pem" -outform DER -out "$work/www/x.crl"
# nginx answers each request 50 ms late (echo module) or at once.
cat > "$work/nginx.conf" <<CONF
load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
worker_processes 1; pid $work/nginx.pid; error_log $work/error.log; daemon off;
events { worker_connections 4096; }
http { access_log off; log_format sent '\$bytes_sent'; types { application/pkix-crl crl; } keepalive_requests 1000000; client_body_temp_path $work/t; proxy_temp_path $work/t;
  fastcgi_temp_path $work/t; uwsgi_temp_path $work/t; scgi_temp_path $work/t;
  server { listen 8080 backlog=4096; root $work/www;
    location /loop/ { rewrite ^/loop/(small|large)/ /\$1.crl break; access_log $work/sent.log sent; }
    location /late/ { echo_sleep 0.05; echo_exec /x.crl; } } }
CONF
cp "$work/www/x.crl" "$work/www/small.crl"
nginx -c "$work/nginx.conf" -e "$work/error.log" 2>"$work/nginx.txt" &
web=$!
for i in $(seq 100); do curl -sf -o /dev/null http://127.0.0.1:8080/x.crl && break; sleep 0.05; done
curl -sf -o /dev/null http://127.0.0.1:8080/late/1.crl || { tail -3 "$work/error.log" "$work/nginx.txt"; exit 1; }

urls() { seq -f 'http://127.0.0.1:8080/late/%.0f.crl' "$1"; }
# Where it may, the server, this program and its rivals run before what else the machine does (real-time priority, all of
# them alike): the figures are of 50 ms answers, and a processor that is elsewhere for 20 ms is most of what is measured.
first=()
if chrt -f 5 true 2> /dev/null; then
    first=(chrt -f 5)
    chrt -a -f -p 10 "$web" > /dev/null
    for child in $(cat "/proc/$web/task/$web/children"); do chrt -a -f -p 10 "$child" > /dev/null; done
    echo 'server, crlagent and curl run before other work (chrt -f)'
else
    echo 'real-time priority is not to be had: other work of the machine is in these figures'
fi
# timed COMMAND...: sets wall, cpu (seconds) and mem (KiB of the largest process)
timed() {
    "${first[@]}" /usr/bin/env time -f '%e %M %U %S' -o "$work/time" "$@" > "$work/out" 2> "$work/err" || [ $? = 1 ] || true
    read -r wall mem user sys < <(tail -1 "$work/time")
    cpu=$(awk "BEGIN { print $user + $sys }")
}
check() { timed "$crlagent" check --url-file "$work/urls" --issuer "$work/ca.pem" --parallel "$1" --parallel-host "$1" --format json; }

n=2000 p=64
urls $n > "$work/urls"
sed 's/.*/url="&"\noutput="\/dev\/null"/' "$work/urls" > "$work/curl.conf"
best_a= best_c=
for i in 1 2 3; do
    check $p
    best_a=$(printf '%s\n' "$wall" $best_a | sort -n | head -1)
    mem_a=$mem
    timed curl -s --parallel --parallel-immediate --parallel-max $p -K "$work/curl.conf"
    best_c=$(printf '%s\n' "$wall" $best_c | sort -n | head -1)
    mem_c=$mem
done
check $p
ok=$(python3 -c "import json; print(sum(l['state']=='OK' for l in json.load(open('$work/out'))['locations']))")
printf '%d locations, 50 ms each, %d at once (best of 3)\n' $n $p
printf '  %-52s %7s s  %7s MiB\n' "crlagent check: fetch, parse, verify, judge, report" "$best_a" $((mem_a / 1024))
printf '  %-52s %7s s  %7s MiB\n' "curl --parallel: fetch only" "$best_c" $((mem_c / 1024))
printf '  ratio %s (goal 1.2 or less); %s of %d locations judged OK\n' "$(python3 -c "print(round($best_a/$best_c,2))")" "$ok" $n
urls 100 > "$work/urls"
timed xargs -n1 curl -s -o /dev/null < "$work/urls"
printf '  one after another (100 measured, times 20): %s s\n' "$(python3 -c "print(round($wall*20,1))")"

echo 'growth (same concurrency)'
for k in 20 200 2000 20000; do
    urls $k > "$work/urls"
    check $p
    printf '  %6d locations  %7s s  %7s MiB  %7s ms and %7s KiB each\n' $k "$wall" $((mem / 1024)) \
        "$(awk "BEGIN { printf \"%.2f\", $wall * 1000 / $k }")" "$(awk "BEGIN { printf \"%.1f\", ($mem - 15000) / $k }")"
done
urls 2000 > "$work/urls"
report() { timed "$crlagent" check --url-file "$work/urls" --issuer "$work/ca.pem" --parallel $p --parallel-host $p --format "$1" --output "$work/r.$1"; }
least() { # FORMAT: the least CPU seconds of five runs
    local i all=()
    for i in 1 2 3 4 5; do report "$1"; all+=("$cpu"); done
    printf '%s\n' "${all[@]}" | sort -n | head -1
}
line=$(least nagios) page=$(least html)
printf 'HTML report of 2000 locations: %s KiB, %s ms of CPU more than the one line for Nagios (least of 5)\n' \
    $(($(stat -c %s "$work/r.html") / 1024)) "$(awk "BEGIN { printf \"%.0f\", ($page - $line) * 1000 }")"

echo 'periodic loop, CRLs unchanged: one round of whole requests / one of conditional requests (304)'
"$BENCH_NATIVE/crlgen" --key "$work/l.key" --ca "$work/l.pem" --out "$work/www/large.crl" --entries 20000 > /dev/null
# loop SIZE LOCATIONS ROUNDS ISSUER
loop() {
    local how sent=() cpu=() ms body n304 good
    seq -f "http://127.0.0.1:8080/loop/$1/%.0f" "$2" > "$work/urls"
    for how in whole conditional; do
        sleep 0.2; : > "$work/sent.log"
        read -r ms body n304 good < <("$BENCH_NATIVE/loop_probe" $how "$work/urls" "$4" "$3")
        sleep 0.2
        [ "$good" = "$2" ] || { echo "only $good of $2 CRLs were good" >&2; exit 1; }
        [ $how = whole ] || [ "$n304" = "$2" ] || { echo "only $n304 of $2 answers were 304" >&2; exit 1; }
        # The first round is whole either way and does not count.
        sent+=("$(tail -n +$(($2 + 1)) "$work/sent.log" | awk -v r="$3" '{ s += $1 } END { printf "%d", s / r }')")
        cpu+=("$ms")
    done
    awk -v l="$2 locations, CRL of $(stat -c %s "$work/www/$1.crl") bytes" -v a="${sent[0]}" -v b="${sent[1]}" -v c="${cpu[0]}" -v d="${cpu[1]}" \
        'BEGIN { printf "  %-40s sent %.2f / %.2f MB: %.4f x   CPU %.0f / %.0f ms: %.2f x\n", l, a / 1e6, b / 1e6, b / a, c, d, d / c }'
}
loop small 2000 5 "$work/ca.pem"
loop large 200 3 "$work/l.pem"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hsmupgrade beside OpenSSH's scp on the same sshd: a 500 MB package, three times each in turn; the cost of a command
# against the shell's own; memory and size.
set -euo pipefail
if [ -z "${BENCH_NS:-}" ]; then
    BENCH_NS=1 exec unshare -n bash -c 'ip link set lo up; exec bash "$@"' - "$0" "$@"
fi
# Whoever gets less of the processor looks slow: on a machine with other work, all of this runs before it.
if [ -z "${BENCH_FIRST:-}" ] && chrt -f 5 true 2> /dev/null; then
    echo '  all of it runs before other work (chrt -f)'
    BENCH_FIRST=1 exec chrt -f 5 bash "$0" "$@"
fi
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
W=$(mktemp -d)
trap '"$TOP/tests/lab/luna/luna" down "$W/hsm1" > /dev/null 2>&1 || true; kill $SSHD 2> /dev/null || true; rm -rf "$W"' EXIT
PROBE=$BENCH_NATIVE/driver_probe

# A plain sshd, not the lab's: its SCP sink is written in Python and would be what is measured.
ssh-keygen -q -t ed25519 -N '' -f "$W/host"
ssh-keygen -q -t ed25519 -N '' -f "$W/id"
cp "$W/id.pub" "$W/authorized_keys"
mkdir -p /run/sshd
cat > "$W/sshd_config" << EOF
Port 2222
ListenAddress 127.0.0.1
HostKey $W/host
PidFile $W/sshd.pid
AuthorizedKeysFile $W/authorized_keys
StrictModes no
PermitRootLogin yes
UsePAM no
Subsystem sftp internal-sftp
EOF
/usr/sbin/sshd -D -e -f "$W/sshd_config" 2> "$W/sshd.log" &
SSHD=$!
for _ in $(seq 50); do (exec 3<> /dev/tcp/127.0.0.1/2222) 2> /dev/null && break || sleep 0.1; done
head -c 500000000 /dev/urandom > "$W/package.spkg"
FP=$(ssh-keygen -lf "$W/host.pub" | awk '{print $2}')

# timed NAME COMMAND...: its wall time in ms goes to $W/NAME, its CPU time (with what it starts) to $W/NAME.cpu
timed() {
    local name=$1 s times_before
    shift
    s=$(date +%s%N)
    times_before=$(cpu_of_children)
    "$@" > "$W/log" 2>&1 || { cat "$W/log" >&2; exit 1; }
    echo $((($(date +%s%N) - s) / 1000000)) >> "$W/$name"
    awk -v a="$times_before" -v b="$(cpu_of_children)" 'BEGIN {print int((b - a) * 1000)}' >> "$W/$name.cpu"
}
# Seconds of CPU of all children so far; only a process of our own can say it, so no subshell may start them.
cpu_of_children() { awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); print ($14 + $15) / hz}' "/proc/$$/stat"; }
scp_once() { # CIPHER-OPTION... TARGET
    scp -q -P 2222 -i "$W/id" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$@" \
        "$W/package.spkg" "$(id -un)@127.0.0.1:$W/copy"
}
best() { sort -n | head -1; }
for _ in 1 2 3; do
    timed a scp_once -O
    timed b scp_once -O -c aes128-ctr -o MACs=hmac-sha2-256-etm@openssh.com,hmac-sha2-256
    timed c "$PROBE" put scp 127.0.0.1 2222 "$(id -un)" "$W/id" "$FP" "$W/package.spkg" "$W/copy"
    cmp "$W/package.spkg" "$W/copy"
    timed d "$PROBE" put sftp 127.0.0.1 2222 "$(id -un)" "$W/id" "$FP" "$W/package.spkg" "$W/copy"
    cmp "$W/package.spkg" "$W/copy"
    timed e "$PROBE" bare 127.0.0.1 2222 "$(id -un)" "$W/id" "$FP" 500000000 "$W/copy"
done
a=$(best < "$W/a") b=$(best < "$W/b") c=$(best < "$W/c") d=$(best < "$W/d") e=$(best < "$W/e")
ratio() { awk -v a="$1" -v b="$2" -v of="$3" 'BEGIN {printf "%.2f of %s", a / b, of}'; }
rate() { awk -v ms="$1" 'BEGIN {printf "%8.1f MB/s", 500000 / ms}'; }
cpu() { awk -v ms="$(best < "$W/$1.cpu")" 'BEGIN {printf "CPU %4.2f s", ms / 1000}'; }
echo "  500 MB, best of three, login included"
echo "  scp (its own choice of cipher)        $(rate "$a")   $(cpu a)"
echo "  scp, aes128-ctr and hmac-sha2-256     $(rate "$b")   $(cpu b)"
echo "  hsmupgrade by SCP                     $(rate "$c")   $(cpu c)   $(ratio "$a" "$c" scp), $(ratio "$b" "$c" "scp with the same cipher and MAC")"
echo "  hsmupgrade by SFTP                    $(rate "$d")   $(cpu d)   $(ratio "$a" "$d" scp), $(ratio "$b" "$d" "scp with the same cipher and MAC")"
echo "  libssh2 alone, from memory, SCP       $(rate "$e")   $(cpu e)   hsmupgrade by SCP is $(ratio "$e" "$c" it)"
echo "  (libssh2 1.10 hands the cipher 16 bytes at a time and asks the socket for input before each packet of 32 kB)"
for with in "$a its own cipher" "$b the same cipher and MAC"; do
    awk -v a="${with%% *}" -v c="$c" -v with="${with#* }" \
        'BEGIN {print (a / c >= 0.95 ? "  met   " : "  MISSED") " goal: at least 0.95 of the rate of scp with " with}'
done

"$TOP/tests/lab/luna/luna" up "$W/hsm1" --scale 0.002 > "$W/up"
port=$(awk '$1 == "port" {print $2}' "$W/up") fp=$(awk '$1 == "fingerprint" {print $2}' "$W/up")
cat "$W/id.pub" >> "$W/hsm1/authorized_keys"
"$PROBE" loop 127.0.0.1 "$port" admin "$W/id" "$fp" 200
printf '  peak memory of an upload              %8.1f MiB\n' \
    "$("$BENCH_NATIVE/measure" 1 "$PROBE" put scp 127.0.0.1 2222 "$(id -un)" "$W/id" "$FP" "$W/package.spkg" "$W/copy" | awk '{print $3 / 1024}')"
for f in "$BENCH_NATIVE/hsmupgrade" "$BENCH_MINGW/hsmupgrade.exe"; do
    [ ! -e "$f" ] || printf '  %-37s %8.1f MB, stripped %.1f MB\n' "$(basename "$f")" "$(stat -c %s "$f" | awk '{print $1 / 1e6}')" \
        "$(cp "$f" "$W/s" && strip "$W/s" 2> /dev/null; stat -c %s "$W/s" | awk '{print $1 / 1e6}')"
done

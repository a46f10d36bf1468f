#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The produced .exe files as a defender looks at them: ASLR with high entropy, DEP, relocations really there, no section
# that is writable and executable, imports of Windows' own DLLs only, stack protector linked in, no time stamp, no path of
# the build machine.
set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CRLAGENT_BUILD:-$top/build/mingw}
dump() { x86_64-w64-mingw32-objdump "$@"; }
passed=0 failed=0

# DLLs that every Windows Server 2016 has in System32 and that the programs may name at load time.
allowed='^(advapi32|bcrypt|cfgmgr32|credui|crypt32|dnsapi|gdi32|iphlpapi|kernel32|msvcrt|ncrypt|netapi32|normaliz|ntdll|ole32|oleaut32|psapi|rpcrt4|secur32|shell32|user32|userenv|wevtapi|winmm|wldap32|ws2_32|wtsapi32|api-ms-win-[a-z0-9-]+)\.dll$'

check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" > /tmp/hardening.$$ 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n' "$name"
        head -20 /tmp/hardening.$$ | sed 's/^/    /'
    fi
    rm -f /tmp/hardening.$$
}

has_flag() { dump -p "$1" | sed -n '/^DllCharacteristics/,/^$/p' | grep -q "$2"; }

# Without relocations the ASLR flag is a promise that Windows cannot keep.
relocatable() { dump -p "$1" | grep -q 'Base Relocation Directory \[.reloc\]' && dump -h "$1" | grep -q ' \.reloc ' && ! dump -p "$1" | grep -q 'relocations stripped'; }

# objdump prints no characteristics of PE sections, so the section table is read here: 40 bytes each, the last four are it.
no_writable_code() {
    python3 - "$1" <<'EOF2'
import struct, sys
data = open(sys.argv[1], "rb").read()
pe = struct.unpack_from("<I", data, 0x3C)[0]
count, optional = struct.unpack_from("<H", data, pe + 6)[0], struct.unpack_from("<H", data, pe + 20)[0]
assert count > 3
bad = []
for i in range(count):
    at = pe + 24 + optional + 40 * i
    flags = struct.unpack_from("<I", data, at + 36)[0]
    if flags & 0x20000000 and flags & 0x80000000:
        bad.append(data[at:at + 8])
sys.exit(f"writable and executable: {bad}" if bad else 0)
EOF2
}

system_dlls_only() {
    local names
    names=$(dump -p "$1" | sed -n 's/.*DLL Name: //p' | tr 'A-Z' 'a-z')
    [ -n "$names" ] || { echo "no imports found"; return 1; }
    ! grep -Ev "$allowed" <<< "$names"
}

no_time_stamp() { dump -p "$1" | grep -q '^Time/Date[[:space:]]*Thu Jan  1 00:00:00 1970'; }
# the tree's own folder at the start of a name: a library's path may end in the same word ("…/src/openssl.c")
no_build_path() { ! strings -a "$1" | grep -E "(^|[^A-Za-z0-9_.-])$top/"; }
stack_protected() { x86_64-w64-mingw32-nm "$1" | grep -q '__stack_chk_fail'; }

for exe in "$build"/bin/crlagent.exe "$build"/bin/hsmupgrade.exe; do
    n=$(basename "$exe")
    [ -e "$exe" ] || { echo "FAILED $n is missing"; failed=$((failed + 1)); continue; }
    check "$n: high-entropy ASLR" has_flag "$exe" HIGH_ENTROPY_VA
    check "$n: ASLR" has_flag "$exe" DYNAMIC_BASE
    check "$n: relocations" relocatable "$exe"
    check "$n: DEP" has_flag "$exe" NX_COMPAT
    check "$n: no writable code" no_writable_code "$exe"
    check "$n: system DLLs only" system_dlls_only "$exe"
    check "$n: stack protector" stack_protected "$exe"
    check "$n: no time stamp" no_time_stamp "$exe"
    check "$n: no path of the build machine" no_build_path "$exe"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

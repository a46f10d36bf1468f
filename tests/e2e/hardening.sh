#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The produced .exe files as a defender looks at them: ASLR with high entropy, DEP, relocations really there, no section
# that is writable and executable, imports of Windows' own DLLs only, stack protector and fortified functions linked in,
# no time stamp, no path of the build machine. Then what can be looked at here of the build on Windows with clang-cl: its
# compile line is accepted, has a control-flow guard, and its preprocessor gives the same message catalogue.
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
# Calls of our own objects alone bring this in: the libraries are built without. In hsmupgrade.exe the compiler has proven
# every such copy, so none is left to be checked while it runs; that it was asked to is seen in the compile lines.
fortified() { x86_64-w64-mingw32-nm "$1" | grep -q ' T __memcpy_chk$'; }
fortify_asked() {
    python3 - "$build/compile_commands.json" "$top" <<'EOF2'
import json, sys
lines = [e for e in json.load(open(sys.argv[1])) if e["file"].endswith(".c") and not e["file"].startswith(sys.argv[2] + "/tests/")]
bad = [e["file"] for e in lines if " -D_FORTIFY_SOURCE=2 " not in e["command"] or " -O2 " not in e["command"]]
assert len(lines) > 150 and not bad, (len(lines), bad)
EOF2
}

# clang_cl DIR: the flags of cmake/Flags.cmake as CMake hands them to clang-cl, for a program that calls through a pointer
clang_cl() {
    cat > "$1/CMakeLists.txt" <<EOF2
cmake_minimum_required(VERSION 3.23)
project(flags VERSION 1.0.0 LANGUAGES C)
set(CRLAGENT_WERROR ON)
include("$top/cmake/Flags.cmake")
add_library(flags OBJECT flags.c)
target_link_libraries(flags PRIVATE crla_flags)
EOF2
    printf 'int call(int (*f)(int), int n);\nint call(int (*f)(int), int n)\n{\n    return f(n);\n}\n' > "$1/flags.c"
    ln -s "$(command -v clang)" "$1/clang-cl" # it goes by its name
    cmake -G Ninja -S "$1" -B "$1/build" -DCMAKE_SYSTEM_NAME=Windows "-DCMAKE_C_COMPILER=$1/clang-cl" -DCMAKE_C_COMPILER_WORKS=1 \
        -DCMAKE_C_FLAGS=--target=x86_64-pc-windows-msvc -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY \
        -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_MT=/bin/true -DCMAKE_AR=/bin/true && cmake --build "$1/build"
}
guarded() { x86_64-w64-mingw32-nm "$1" | grep -q ' __guard_dispatch_icall_fptr$'; }
catalogue() {
    cmake "-DCC=clang;--driver-mode=cl;--target=x86_64-pc-windows-msvc" -DCL=ON "-DINCLUDE=$top/common" \
        "-DTEMPLATE=$top/win32/messages.mc.in" "-DOUT=$1" -P "$top/win32/messages.cmake" && cmp "$1" "$build/win32/messages.mc"
}

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
check "crlagent.exe: fortified functions" fortified "$build/bin/crlagent.exe"
check "fortified functions are asked for everywhere" fortify_asked
cl=$(mktemp -d "${TMPDIR:-/tmp}/clang-cl.XXXXXX")
trap 'rm -rf "$cl"' EXIT
check "clang-cl: every option is known to it" clang_cl "$cl"
check "clang-cl: control-flow guard" guarded "$cl/build/CMakeFiles/flags.dir/flags.c.obj"
check "clang-cl: the same message catalogue" catalogue "$cl/messages.mc"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

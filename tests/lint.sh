#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Style rules that a grep can hold (each one a review remark that came twice), and the list of sizes, printed only.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bad=0
product=(common agent driver win32)

# forbid "WHY" REGEX PATHS...: no line of those may match
forbid() {
    local why=$1 regex=$2 hits
    shift 2
    hits=$(grep -rnE --include='*.c' --include='*.h' "$regex" "$@" 2>/dev/null)
    if [ -n "$hits" ]; then
        printf 'lint: %s\n%s\n' "$why" "$hits" >&2
        bad=1
    fi
}

forbid "common/ knows no Windows" '\bwindows\.h|\b_WIN32\b|\bwchar_t\b' common
forbid "unbounded or shell-starting calls" '\b(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|system|popen|alloca)\(' \
    "${product[@]}"
forbid "threads are ended by asking, pointers are checked by type" '\b(TerminateThread|IsBad(Read|Write|Code)Ptr)\b' "${product[@]}"
forbid "the -W functions only" '\b(CreateFile|RegOpenKeyEx|RegQueryValueEx|OpenService|CreateService|OpenSCManager|CreateProcess|LoadLibrary|GetModuleFileName|CreateNamedPipe|FormatMessage|MoveFileEx|DeleteFile)A\(' "${product[@]}"
forbid "no shell" 'cmd\.exe|/bin/sh|ShellExecute' "${product[@]}"
forbid "unfinished words" '\b(TODO|FIXME|XXX|HACK)\b' "${product[@]}" tests/unit

missing=$(git ls-files '*.c' '*.h' '*.sh' '*.py' dev '*CMakeLists.txt' | xargs -r grep -L 'SPDX-License-Identifier' | grep -v '^tests/corpus/')
if [ -n "$missing" ]; then
    printf 'lint: files without an SPDX line:\n%s\n' "$missing" >&2
    bad=1
fi

badly=$(git ls-files '*.c' '*.h' | xargs -r clang-format-14 --style=file -n 2>&1 | grep -E 'warning:' | cut -d: -f1 | sort | uniq -c)
if [ -n "$badly" ]; then
    printf 'lint: not formatted (run clang-format-14 -i on them):\n%s\n' "$badly" >&2
    bad=1
fi

printf '%s\n' 'sizes (lines): the ten longest files and functions of the product'
git ls-files 'common/*.[ch]' 'agent/*.[ch]' 'driver/*.[ch]' 'win32/*.[ch]' | xargs -r wc -l | sort -rn | awk '$2 != "total"' | head -10
git ls-files 'common/*.c' 'agent/*.c' 'driver/*.c' 'win32/*.c' | ctags -L - -f - --languages=C --kinds-C=f --fields=+ne 2>/dev/null |
    awk -F'\t' '{l = 0; e = 0; for (i = 4; i <= NF; i++) {if ($i ~ /^line:/) l = substr($i, 6); if ($i ~ /^end:/) e = substr($i, 5)}
        if (e > l) {print e - l + 1 "\t" $2 ":" l " " $1; n++; s[n] = e - l + 1}}' | sort -rn | head -10
exit $bad

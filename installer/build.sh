#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The package: MSI, portable zip, list of libraries (CycloneDX) and SHA256SUMS, from the programs in build/mingw/bin.
#
#   build.sh [--out DIR] [--version X.Y.Z] [--bin DIR]      default: build/package, the version of CMakeLists.txt
#
# Two runs over the same programs give the same bytes: all times are that of the last commit (or SOURCE_DATE_EPOCH), all
# identifiers are derived from content. Signing is a step of its own, see docs/operators-guide.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/.." && pwd)

die() { printf 'package: %s\n' "$*" >&2; exit 1; }

out=$top/build/package
bin=$top/build/mingw/bin
version=$(sed -n 's/^project(crlagent VERSION \([0-9.]*\).*/\1/p' "$top/CMakeLists.txt")
while [ $# -gt 0 ]; do
    case $1 in
        --out) out=$2 ;;
        --version) version=$2 ;;
        --bin) bin=$2 ;;
        *) die "unknown argument '$1'" ;;
    esac
    shift 2
done
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "the version must be X.Y.Z, found '$version'"
[ -n "${CRLAGENT_THIRDPARTY:-}" ] || die "CRLAGENT_THIRDPARTY is not set; run './dev package'"
for f in crlagent.exe hsmupgrade.exe; do
    [ -e "$bin/$f" ] || die "'$bin/$f' is missing; run './dev build' first"
done

export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct)} TZ=UTC LC_ALL=C
stage=$(mktemp -d "${TMPDIR:-/tmp}/crlagent-package.XXXXXX")
trap 'rm -rf "$stage"' EXIT

# uuid NAME: the same name gives the same UUID
uuid() { python3 -c 'import sys, uuid; print(uuid.uuid5(uuid.UUID("8d0b6b0e-5a0f-4c86-9a5e-6d5ed2e0c1a7"), sys.argv[1]))' "$1"; }

collect() {
    local d=$stage/files f
    mkdir -p "$d/schema" "$d/powershell" "$d/monitoring"
    for f in crlagent.exe hsmupgrade.exe; do
        x86_64-w64-mingw32-strip -o "$d/$f" "$bin/$f"
    done
    cp "$top/LICENSE" "$d/LICENSE.txt"
    cp "$here"/schema/* "$d/schema/"
    cp "$here"/monitoring/* "$d/monitoring/"
    cp "$here"/powershell/CrlAgent.ps* "$d/powershell/"
    dpkg-query -W -f '${source:Package} ${source:Version}\n' mingw-w64-x86-64-dev gcc-mingw-w64-x86-64-win32-runtime 2> /dev/null |
        sort -u | python3 "$here/sbom.py" "$version" "$SOURCE_DATE_EPOCH" "$CRLAGENT_THIRDPARTY/sources.txt" > "$d/crlagent.cdx.json"
    cp "$here/crlagent.wxs" "$stage/files/"
    find "$stage/files" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    find "$stage/files" -type d -exec chmod 755 {} +
    find "$stage/files" -type f -exec chmod 644 {} +
}

# version_of PROGRAM: the file version in its version resource (VS_FIXEDFILEINFO)
version_of() {
    python3 - "$1" <<'EOF2'
import struct, sys
data = open(sys.argv[1], "rb").read()
at = data.find(struct.pack("<II", 0xFEEF04BD, 0x10000))
if at < 0:
    sys.exit(f"{sys.argv[1]} has no version resource")
high, low = struct.unpack_from("<II", data, at + 8)
print(f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}")
EOF2
}

build_msi() {
    local msi=$1 line table
    # wixl takes paths relative to the source only.
    (cd "$stage/files" && wixl -a x64 -o "$msi" -D "Version=$version" -D "ProductCode=$(uuid "product $version")" crlagent.wxs)
    for table in "$here"/tables/*.idt; do
        msibuild "$msi" -i "$table"
    done
    while IFS= read -r line; do
        case $line in
            -- | --\ * | '') continue ;;
        esac
        msibuild "$msi" -q "$line" || die "this statement failed: $line"
    done < "$here/tables/changes.sql"
    # Windows Installer compares these when it repairs and upgrades; wixl leaves them empty.
    local f v
    for f in crlagent.exe hsmupgrade.exe; do
        v=$(version_of "$stage/files/$f")
        msibuild "$msi" -q "UPDATE \`File\` SET \`Version\` = '$v', \`Language\` = '1033' WHERE \`File\` = '$f'"
    done
    "$here/normalise_msi.py" "$msi" "$SOURCE_DATE_EPOCH"
}

# Manifests for winget and Chocolatey: complete but for the address the package is published at.
build_manifests() {
    local d=$out/manifests msi=crlagent-$version-x64.msi hash f
    hash=$(sha256sum "$out/$msi" | cut -d' ' -f1)
    mkdir -p "$d/winget" "$d/chocolatey/tools"
    for f in $(cd "$here/manifests" && find . -type f); do
        sed -e "s/@VERSION@/$version/g" -e "s/@MSI@/$msi/g" -e "s/@SHA256@/${hash^^}/g" \
            -e "s/@PRODUCT_CODE@/{$(uuid "product $version" | tr a-f A-F)}/g" "$here/manifests/$f" > "$d/$f"
    done
}

build_zip() {
    local zip=$1
    rm "$stage/files/crlagent.wxs"
    mv "$stage/files" "$stage/crlagent-$version"
    (cd "$stage" && find "crlagent-$version" -type f | sort | zip -q -X -9 "$zip" -@)
}

mkdir -p "$out"
rm -rf "$out"/crlagent-* "$out/SHA256SUMS" "$out/manifests"
out=$(cd "$out" && pwd)
collect
build_msi "$out/crlagent-$version-x64.msi"
cp -p "$stage/files/crlagent.cdx.json" "$out/crlagent-$version.cdx.json"
build_zip "$out/crlagent-$version-x64.zip"
build_manifests
(cd "$out" && sha256sum crlagent-* > SHA256SUMS)
printf '%s\n' "$out"
cat "$out/SHA256SUMS"

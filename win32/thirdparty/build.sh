#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the static Windows (mingw-w64) third-party libraries from Debian's patched source packages.
#
#   build.sh PREFIX WORKDIR      builds into PREFIX (made whole or not at all), using WORKDIR for sources
#   build.sh --key               prints the cache key: a hash of this recipe
#
# Sources come through apt with Debian's signatures checked, so that Debian's security fixes are in. The preferred
# suite is tried first, then the other one; single files of a suite may be missing on a mirror, which is why each
# package has a fallback. The list of what was used (name, version, source file hashes) is left in PREFIX/sources.txt.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TRIPLE=x86_64-w64-mingw32
JOBS=${JOBS:-$(nproc)}

if [ "${1:-}" = --key ]; then
    { cat "$here/build.sh"; $TRIPLE-gcc -dumpfullversion 2>/dev/null || true; } | sha256sum | cut -c1-16
    exit 0
fi

PREFIX=${1:?prefix}
WORK=${2:?work directory}
STAGE=$PREFIX.partial
APT=$WORK/apt
LOG=$WORK/log
mkdir -p "$WORK" "$LOG" "$APT/lists/partial" "$APT/cache/archives/partial"
rm -rf "$STAGE"
mkdir -p "$STAGE"

say() { printf '  third-party: %s\n' "$*"; }
die() { printf 'third-party: %s\n' "$*" >&2; exit 1; }

# Deterministic output: no build path and no time of day in the archives.
export SOURCE_DATE_EPOCH=1735689600
CFLAGS_ALL="-O2 -g0 -ffile-prefix-map=$WORK=/thirdparty -fstack-protector-strong -D_WIN32_WINNT=0x0A00"

apt_opts=(-o "Dir::Etc::sourcelist=$APT/sources.list" -o "Dir::Etc::sourceparts=-"
          -o "Dir::State::lists=$APT/lists" -o "Dir::Cache=$APT/cache" -o "APT::Get::List-Cleanup=0")

write_source_list() {
    local main sec key=/usr/share/keyrings/debian-archive-keyring.gpg s
    main=$(apt-get indextargets --format '$(SITE)' | grep -E '/debian/?$' | head -1 || true)
    sec=$(apt-get indextargets --format '$(SITE)' | grep -E '/debian-security/?$' | head -1 || true)
    [ -n "$main" ] || die "no Debian package source is configured for apt on this machine (expected at least one 'deb' line)"
    : > "$APT/sources.list"
    for s in trixie bookworm; do
        echo "deb-src [signed-by=$key] $main $s main" >> "$APT/sources.list"
        [ -z "$sec" ] || echo "deb-src [signed-by=$key] $sec $s-security main" >> "$APT/sources.list"
    done
}

# versions_of PACKAGE: its versions in the suites above, newest first
versions_of() {
    apt-cache "${apt_opts[@]}" showsrc "$1" 2>/dev/null | sed -n 's/^Version: //p' | sort -u -V -r
}

# get_source PACKAGE: unpacks the newest version that can be had whole into $WORK/PACKAGE
get_source() {
    local pkg=$1 v try
    rm -rf "${WORK:?}/$pkg" "$WORK/dl-$pkg"
    mkdir -p "$WORK/dl-$pkg"
    for v in $(versions_of "$pkg"); do
        for try in 1 2; do
            if (cd "$WORK/dl-$pkg" && apt-get "${apt_opts[@]}" source -qq --only-source "$pkg=$v") \
                    > "$LOG/get-$pkg.log" 2>&1; then
                mv "$WORK/dl-$pkg"/*/ "$WORK/$pkg"
                echo "$pkg $v $(cd "$WORK/dl-$pkg" && sha256sum ./*.dsc | cut -d' ' -f1)" >> "$STAGE/sources.txt"
                say "$pkg $v"
                return 0
            fi
            rm -rf "$WORK/dl-$pkg"/*
        done
        say "$pkg $v cannot be had whole here, trying the next version"
    done
    die "no version of the source package '$pkg' could be downloaded (tried: $(versions_of "$pkg" | tr '\n' ' ')); see $LOG/get-$pkg.log"
}

# step NAME COMMAND...: runs it with its output in a log; on failure shows the end of the log. In the background, because
# inside a condition the shell would go on after a failed line of the command.
step() {
    local name=$1 t0=$SECONDS
    shift
    (set -e; "$@") > "$LOG/$name.log" 2>&1 &
    if ! wait $!; then
        tail -30 "$LOG/$name.log" >&2
        die "$name failed; the whole log is $LOG/$name.log"
    fi
    say "$name done in $((SECONDS - t0)) s"
}

cmake_cross() { # SOURCE BUILD ARGS...
    local src=$1 bld=$2
    shift 2
    cmake -G Ninja -S "$src" -B "$bld" -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_C_COMPILER=$TRIPLE-gcc \
        -DCMAKE_RC_COMPILER=$TRIPLE-windres -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$STAGE" \
        -DCMAKE_FIND_ROOT_PATH="$STAGE" -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER \
        -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY \
        -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY -DCMAKE_C_FLAGS="$CFLAGS_ALL" -DBUILD_SHARED_LIBS=OFF \
        -DCMAKE_POLICY_VERSION_MINIMUM=3.5 "$@"
    cmake --build "$bld" -j "$JOBS"
    cmake --install "$bld"
}

# Debian ships this one for mingw-w64 (libz-mingw-w64-dev).
take_zlib() {
    local from=/usr/$TRIPLE
    install -D -m 644 "$from/lib/libz.a" "$STAGE/lib/libz.a"
    install -D -m 644 -t "$STAGE/include" "$from/include/zlib.h" "$from/include/zconf.h"
    dpkg-query -W -f 'zlib ${Version} package:libz-mingw-w64-dev\n' libz-mingw-w64-dev >> "$STAGE/sources.txt"
}
build_openssl() {
    cd "$WORK/openssl"
    # DSO, engines and configuration from disk are off: nothing on the host may load code into a privileged service.
    ./Configure mingw64 --cross-compile-prefix=$TRIPLE- no-shared no-tests no-apps no-docs no-dso no-engine no-module \
        no-legacy no-autoload-config --prefix="$STAGE" --libdir=lib --openssldir=/nonexistent $CFLAGS_ALL
    make -j "$JOBS" build_libs
    make install_dev
}
build_libssh2() {
    cmake_cross "$WORK/libssh2" "$WORK/build-libssh2" -DCRYPTO_BACKEND=OpenSSL -DBUILD_EXAMPLES=OFF -DBUILD_TESTING=OFF \
        -DENABLE_ZLIB_COMPRESSION=OFF -DOPENSSL_ROOT_DIR="$STAGE" -DOPENSSL_USE_STATIC_LIBS=ON \
        -DBUILD_STATIC_LIBS=ON
}
build_curl() {
    cmake_cross "$WORK/curl" "$WORK/build-curl" -DCURL_USE_OPENSSL=ON -DOPENSSL_ROOT_DIR="$STAGE" \
        -DOPENSSL_USE_STATIC_LIBS=ON -DCURL_USE_LIBSSH2=ON -DBUILD_CURL_EXE=OFF -DBUILD_STATIC_LIBS=ON \
        -DBUILD_TESTING=OFF -DCURL_DISABLE_LDAP=ON -DCURL_DISABLE_LDAPS=ON -DCURL_USE_LIBPSL=OFF -DCURL_BROTLI=OFF \
        -DCURL_ZSTD=OFF -DCURL_ZLIB=ON -DZLIB_INCLUDE_DIR="$STAGE/include" -DZLIB_LIBRARY="$STAGE/lib/libz.a" \
        -DUSE_NGHTTP2=OFF -DUSE_LIBIDN2=OFF -DENABLE_UNICODE=ON -DENABLE_CURL_MANUAL=OFF -DBUILD_LIBCURL_DOCS=OFF \
        -DBUILD_MISC_DOCS=OFF -DCURL_DISABLE_FTP=ON -DCURL_DISABLE_TELNET=ON -DCURL_DISABLE_TFTP=ON \
        -DCURL_DISABLE_DICT=ON -DCURL_DISABLE_GOPHER=ON -DCURL_DISABLE_IMAP=ON -DCURL_DISABLE_POP3=ON \
        -DCURL_DISABLE_RTSP=ON -DCURL_DISABLE_MQTT=ON -DENABLE_WEBSOCKETS=OFF
}
build_libxml2() {
    cmake_cross "$WORK/libxml2" "$WORK/build-libxml2" -DLIBXML2_WITH_PYTHON=OFF -DLIBXML2_WITH_PROGRAMS=OFF \
        -DLIBXML2_WITH_TESTS=OFF -DLIBXML2_WITH_LZMA=OFF -DLIBXML2_WITH_ZLIB=OFF -DLIBXML2_WITH_ICONV=OFF \
        -DLIBXML2_WITH_HTTP=OFF -DLIBXML2_WITH_FTP=OFF -DLIBXML2_WITH_MODULES=OFF -DLIBXML2_WITH_HTML=OFF \
        -DLIBXML2_WITH_CATALOG=OFF -DLIBXML2_WITH_DOCB=OFF -DLIBXML2_WITH_XPTR=OFF -DLIBXML2_WITH_XINCLUDE=OFF
}
build_sqlite() {
    cd "$WORK/sqlite3"
    # The amalgamation is made with native tools (and tclsh), then compiled for Windows.
    ./configure --disable-tcl --disable-shared --disable-readline
    make sqlite3.c
    local defs="-DSQLITE_DQS=0 -DSQLITE_THREADSAFE=1 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_DEPRECATED
        -DSQLITE_DEFAULT_FOREIGN_KEYS=1 -DSQLITE_TRUSTED_SCHEMA=0"
    # shellcheck disable=SC2086
    $TRIPLE-gcc $CFLAGS_ALL $defs -c sqlite3.c -o sqlite3.o
    rm -f libsqlite3.a
    $TRIPLE-gcc-ar rcsD libsqlite3.a sqlite3.o
    install -D -m 644 libsqlite3.a "$STAGE/lib/libsqlite3.a"
    install -D -m 644 sqlite3.h "$STAGE/include/sqlite3.h"
}
build_jansson() {
    cmake_cross "$WORK/jansson" "$WORK/build-jansson" -DJANSSON_BUILD_DOCS=OFF -DJANSSON_EXAMPLES=OFF \
        -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_BUILD_SHARED_LIBS=OFF
}
build_cmocka() {
    cmake_cross "$WORK/cmocka" "$WORK/build-cmocka" -DUNIT_TESTING=OFF -DWITH_EXAMPLES=OFF -DWITH_STATIC_LIB=ON
}

write_source_list
say "reading Debian's source package lists"
apt-get "${apt_opts[@]}" update -qq > "$LOG/update.log" 2>&1 || die "apt could not read the source lists; see $LOG/update.log"
for p in openssl libssh2 curl libxml2 sqlite3 jansson cmocka; do get_source $p; done
step zlib take_zlib
step openssl build_openssl
step libssh2 build_libssh2
step curl build_curl
step libxml2 build_libxml2
step sqlite build_sqlite
step jansson build_jansson
step cmocka build_cmocka
rm -rf "$PREFIX"
mv "$STAGE" "$PREFIX"
# CMake packages carry absolute paths of the staging folder.
grep -rlF "$STAGE" "$PREFIX" --include='*.cmake' --include='*.pc' | xargs -r sed -i "s#$STAGE#$PREFIX#g"
say "ready in $PREFIX"

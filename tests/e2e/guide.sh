#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the documents tell an administrator to type, typed into the lab: the operator's guide in its own order, then every other
# page. Which lines these are and how each must end is said by doclines.py; what a line needs before it (a service, an open
# maintenance, an HSM that is away) is made here, as the person would have it who reads it at that place.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

CHANGE=CHG0012345
RESERVE_SCENE="The HSM does not come back before the runway ends"
SERVICE=none # none yet, removed, stopped, running
PAUSED=      # the change that holds the CA
declare -A SEEN

# The agent under test answers in the lab; two things of the lab are not in the guide: its CA's key is tested by certutil,
# and its servers are quick.
lab_settings() {
    agent_config "$@"
    agent stop > /dev/null
    agent start > /dev/null
}

pki_files() {
    local pki="$L/prefix/drive_c/pki"
    mkdir -p "$pki" "$L/prefix/drive_c/Temp" "$L/prefix/drive_c/metrics" "$L/prefix/drive_c/Program Files/windows_exporter/textfile_inputs"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/leaf.key" -out "$T/leaf.pem" -subj "/CN=web" -days 30 \
        -addext "crlDistributionPoints=URI:http://pki.lab.test/pki/Lab%20Issuing%20CA.crl" 2> /dev/null
    openssl x509 -in "$T/leaf.pem" -outform DER -out "$pki/webserver.cer"
    cp "$pki/webserver.cer" "$pki/web.cer"
    cp "$L/prefix/drive_c/lab/cert0.cer" "$pki/issuing-ca.cer"
    cp "$pki/issuing-ca.cer" "$pki/ca.cer"
    cp "$L/prefix/drive_c/lab/root.cer" "$pki/root-ca.cer"
    cp "$L/www/pki/Lab Issuing CA.crl" "$pki/current.crl"
    cp "$pki/current.crl" "$pki/issuing.crl"
}

# What a line stands for in the lab: placeholders in capitals, relative names and the host's own name.
in_lab() {
    local line=$1 bundle crl='C:\\pki\\current.crl' url='http://pki.lab.test/pki/Lab%20Issuing%20CA.crl'
    bundle=$(find "$DATA/reports" -name "$CHANGE-*.json" 2> /dev/null | sort | tail -1)
    sed -E -e "s# OLD NEW# $crl $crl#; s# SERIAL FILE# 01 $crl#; s#FILE\|URL\|-#$crl#; s#\|-\$##" \
        -e "s#--cert FILE#--cert C:\\\\pki\\\\webserver.cer#; s#evidence (verify|show) (FILE|C:[^ ]*)#evidence \1 C:\\\\ProgramData\\\\crlagent\\\\reports\\\\$(basename "$bundle")#" \
        -e "s# FILE\b# $crl#; s# CA\.pem# C:\\\\pki\\\\issuing-ca.cer#; s#(^| )((issuing|root)-ca\.cer|(current|new)\.crl)#\1C:\\\\pki\\\\\2#g" \
        -e "s# HASH# $([ ! -e "$bundle" ] || jq -r .head "$bundle")#; s#--format FORMAT#--format json#; s#\{url\}| URL\b# $url#" \
        -e "s#--certificate-life T#--certificate-life 400d#; s#--list N#--list 5#; s# DURATION# 6h#; s#--change ID#--change $CHANGE#" \
        -e "s#--until TIME#--until $(date -u -d '+3 days' +%FT%TZ)#; s#ca01\.corp\.example\\\\Corp#ca01.lab.test\\\\Lab#" <<< "$line"
}

# Has this line been run? A way back is gone again for each maintenance, and the doctor is asked before and after the installation.
done_before() {
    case $1 in
        *"hook post-upgrade"* | "crlagent resume "*) [ -z "$PAUSED" ] || return 1 ;;
        "crlagent doctor") [ "$SERVICE" != running ] || [ -n "${SEEN["$1 after"]:-}" ] || { SEEN["$1 after"]=1 && return 1; } ;;
    esac
    [ -n "${SEEN["$1"]:-}" ]
}

open_maintenance() { # ARGUMENTS...
    [ -z "$PAUSED" ] || return 0
    expect_rc 0 agent hook pre-upgrade --change "$CHANGE" --window 4h "$@"
    PAUSED=$CHANGE
}

# before LINE HEADING: what the reader of that place has before him
before() {
    case $1 in
        "crlagent install"* | "crlagent uninstall" | "crlagent start" | "crlagent config "* | "crlagent crl "* | "crlagent secret "* | "net "*) return 0 ;;
    esac
    [ "$SERVICE" != removed ] || { agent install > /dev/null && SERVICE=stopped; }
    [ "$SERVICE" != stopped ] || { agent start > /dev/null && SERVICE=running; }
    case "$2: $1" in
        "$RESERVE_SCENE: crlagent reserve list")
            lab_settings '' '<reserve-crl>required</reserve-crl>'
            open_maintenance
            lab hsm away > /dev/null
            ;;
        "$RESERVE_SCENE: crlagent hook post-upgrade "*) lab hsm present > /dev/null ;;
        *": crlagent reserve recall") expect_rc 0 agent reserve make ;;
        *": crlagent secret remove mail") echo password | win "$PROGRAM" secret set mail > /dev/null ;;
        *": crlagent extend "* | *": crlagent resume "*) open_maintenance ;;
        *": crlagent abort "*) open_maintenance --prepare-only ;;
    esac
}

# after LINE: what became of it
after() {
    local file
    case $1 in
        "crlagent install"*) SERVICE=stopped ;;
        "crlagent uninstall") SERVICE=removed ;;
        "crlagent start") SERVICE=running ;;
        "crlagent stop") SERVICE=stopped ;;
        "crlagent config test") lab_settings && SERVICE=running ;;
        "crlagent reserve make") expect_rc 0 agent reserve recall ;;
        *"hook pre-upgrade"*--dry-run*) ;;
        *"hook pre-upgrade"*)
            PAUSED=$(sed -E 's/.*--change "?([^ "]+).*/\1/' <<< "$1")
            expect "the CA is paused" "$(service_state CertSvc | cut -c1)" 1
            ;;
        *"hook post-upgrade"* | "crlagent resume "* | "crlagent abort "*)
            PAUSED=
            expect "the CA runs" "$(service_state CertSvc | cut -c1)" 4
            ;;
        *" --output "*)
            file=$(sed -E 's/.* --output "?C:([^"]*[^" ])"?.*/\1/; s#\\#/#g' <<< "$1")
            [ -s "$L/prefix/drive_c$file" ] || fail "'$1' wrote no $file"
            ;;
    esac
}

step "a lab, the files that the pages name"
lab_up --no-ad
mkdir -p "$PROGRAM_DIR"
cp "$CRLAGENT_BUILD/bin/crlagent.exe" "$PROGRAM_DIR/"
pki_files
# The access list that a CA has: Administrators, and Authenticated Users who may enroll.
win reg.exe add 'HKLM\SYSTEM\CurrentControlSet\Services\CertSvc\Configuration\Lab Issuing CA' /v Security /t REG_BINARY /f \
    /d 010004801400000024000000000000003400000001020000000000052000000020020000010200000000000520000000200200000200340002000000000018000301000001020000000000052000000020020000000014000002000001010000000000050B000000 > /dev/null
ran=0 scene=
"$E2E/doclines.py" lab > "$T/lines" || fail "a line of the pages has no world"
while IFS=$'\t' read -r want place heading line <&3; do
    ! done_before "$line" || continue
    [ "$scene" != "$RESERVE_SCENE" ] || [ "$heading" = "$scene" ] || lab_settings
    scene=$heading
    before "$line" "$heading"
    SEEN["$line"]=1
    step "$place  $line"
    eval "set -- $(in_lab "$line" | sed 's/\\/\\\\/g')"
    program=$1.exe rc=0
    [ "$1" != crlagent ] || program=$PROGRAM
    shift
    OUT=$(win "$program" "$@" 2>&1 <<< "the password, where one is asked for") || rc=$?
    [[ " $want " == *" $rc "* ]] || fail "$place: '$line' ended with $rc, expected one of '$want': $OUT"
    [ -n "$OUT" ] || [[ $line == *--quiet* || $line == *--output* ]] || fail "$place: '$line' said nothing"
    CHECKS=$((CHECKS + 1)) ran=$((ran + 1))
    after "$line"
done 3< "$T/lines"
[ $ran -ge 70 ] || fail "only $ran lines were found in the pages"
passed

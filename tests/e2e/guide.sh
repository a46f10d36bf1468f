#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The operator's guide, typed into the lab in its own order: every command line of crlagent in docs/operators-guide.md that can
# be run there is run, and ends as the page says; of hsmupgrade those that talk to no appliance (the others: driver.sh). A line
# that this script does not know fails it: the page and the lab go together.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

# The agent under test answers in the lab; two things of the lab are not in the guide: its CA's key is tested by certutil,
# and its servers are quick.
lab_settings() {
    agent_config
    agent stop > /dev/null
    agent start > /dev/null
}

pki_files() {
    local pki="$L/prefix/drive_c/pki"
    mkdir -p "$pki" "$L/prefix/drive_c/Temp"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/leaf.key" -out "$T/leaf.pem" -subj "/CN=web" -days 30 \
        -addext "crlDistributionPoints=URI:http://pki.lab.test/pki/Lab%20Issuing%20CA.crl" 2> /dev/null
    openssl x509 -in "$T/leaf.pem" -outform DER -out "$pki/webserver.cer"
    cp "$L/prefix/drive_c/lab/cert0.cer" "$pki/issuing-ca.cer"
    cp "$L/prefix/drive_c/lab/root.cer" "$pki/root-ca.cer"
    cp "$L/www/pki/Lab Issuing CA.crl" "$pki/current.crl"
}

# The lines of the page, in order, each once (hooks, start and stop as often as they are there): indented blocks and `inline code`.
lines_of_guide() {
    python3 - "$TOP/docs/operators-guide.md" <<'EOF2'
import re, sys
seen = set()
for line in open(sys.argv[1], encoding="utf-8"):
    spans = [line.strip()] if line.startswith("    ") else re.findall(r"`([^`]+)`", line)
    for s in spans:
        if s.startswith(("crlagent ", "hsmupgrade plan init", "hsmupgrade path")) and (s not in seen or "hook" in s or s.endswith(("start", "stop"))):
            seen.add(s)
            print(s)
EOF2
}

# What a line stands for in the lab. Placeholders in capitals are files of the lab.
in_lab() {
    local line=$1
    line=${line// FILE --issuer CA.pem/ 'C:\pki\current.crl' --issuer 'C:\pki\issuing-ca.cer'}
    line=${line// SERIAL FILE/ 01 'C:\pki\current.crl'}
    line=${line// OLD NEW/ 'C:\pki\current.crl' 'C:\pki\current.crl'}
    line=${line// FILE/ 'C:\pki\current.crl'}
    line=$(sed -E 's/(^| )(issuing-ca|root-ca)\.cer/\1C:\\pki\\\2.cer/g' <<< "$line")
    printf '%s\n' "$line"
}

# expected LINE: exit codes that are right for it here; nothing = the line is not known
expected() {
    case $1 in
        "crlagent grant --ca --services") echo 23 ;; # Wine's SCM keeps no access lists, and grant says so
        *LocalSystem* | *svc-crlagent*) echo skip ;;  # another account than the one of this walk
        "crlagent uninstall" | "crlagent grant") echo skip ;;
        "crlagent reserve list") echo 0 ;; # none is kept in this walk; the rest of that emergency is the story of reserve.sh
        "crlagent reserve "* | *"--window 3d") echo skip ;;
        "crlagent doctor"*) echo 0 1 2 ;;
        "crlagent check"* | "crlagent simulate"* | "crlagent crl "*) echo 0 1 2 ;;
        "crlagent config init") echo 0 ;;
        "crlagent notify --test") echo 2 ;; # no mail server and no webhook are configured
        "crlagent maintenance") echo 0 ;;
        "hsmupgrade plan init"* | "hsmupgrade path"*) echo 0 ;;
        "crlagent install"* | "crlagent start" | "crlagent stop" | "crlagent status" | "crlagent config test" | "crlagent history"* | \
            "crlagent grant --ca --services --dry-run" | "crlagent revoke"* | "crlagent explain"* | "crlagent hook "* | "crlagent extend "* | \
            "crlagent publish "*) echo 0 ;;
    esac
}

step "a lab, the files that the guide names"
cd "$T" # 'plan init' writes where it is called
lab_up --no-ad
mkdir -p "$PROGRAM_DIR"
cp "$CRLAGENT_BUILD/bin/crlagent.exe" "$CRLAGENT_BUILD/bin/hsmupgrade.exe" "$PROGRAM_DIR/"
pki_files
# The access list that a CA has: Administrators, and Authenticated Users who may enroll.
win reg.exe add 'HKLM\SYSTEM\CurrentControlSet\Services\CertSvc\Configuration\Lab Issuing CA' /v Security /t REG_BINARY /f \
    /d 010004801400000024000000000000003400000001020000000000052000000020020000010200000000000520000000200200000200340002000000000018000301000001020000000000052000000020020000000014000002000001010000000000050B000000 > /dev/null
ran=0 section=
while IFS= read -r line <&3; do
    want=$(expected "$line")
    [ -n "$want" ] || fail "the guide says '$line', and this walk does not know it"
    [ "$want" != skip ] || continue
    step "$line"
    eval "set -- $(in_lab "$line" | sed 's/\\/\\\\/g')"
    program=$1 rc=0
    shift
    OUT=$(win "C:\\Program Files\\crlagent\\$program.exe" "$@" 2>&1 < /dev/null) || rc=$?
    [[ " $want " == *" $rc "* ]] || fail "'$line' ended with $rc, expected one of '$want': $OUT"
    [ -n "$OUT" ] || fail "'$line' said nothing"
    CHECKS=$((CHECKS + 2)) ran=$((ran + 1))
    case $line in
        "crlagent config test") lab_settings ;;
        "crlagent hook pre-upgrade"*--reason*) expect "the CA is paused" "$(service_state CertSvc | cut -c1)" 1 ;;
        "crlagent hook post-upgrade"*) expect "the CA runs" "$(service_state CertSvc | cut -c1)" 4 ;;
    esac
done 3< <(lines_of_guide)
[ $ran -ge 25 ] || fail "only $ran lines were found in the guide"
passed

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev demo [--ca-only | --serial | --manual]: the main job, end to end, in a lab of its own. First by hand: a CA whose CRLs
# are too short for the asked window is taken safely out of use while its HSM is away, and brought back, with the evidence on
# screen. Then the whole change, from a plan file: hsmupgrade pauses the CA, upgrades two HA members (over SSH, over the
# serial console, or by a person at it), and resumes the CA.
PART=change CONSOLE=ssh
for option in "$@"; do
    case $option in
        --ca-only) PART=ca ;;
        --serial) CONSOLE=serial ;;
        --manual) CONSOLE=manual ;;
        *) echo "demo: unknown option '$option' (there are --ca-only, --serial, --manual)" >&2; exit 2 ;;
    esac
done
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/e2e/change_lib.sh

CHANGE=CHG0012345
KEEP=
T0=$SECONDS

bold() { printf '\n\033[1m%s\033[0m\n' "$*"; }
say() { printf '%s\n' "$*" | indent; }
typed() { # what has blanks in it is typed in quotes
    local arg line=
    for arg in "$@"; do case $arg in *' '*) line+=" \"$arg\"" ;; *) line+=" $arg" ;; esac; done
    printf '\n   \033[36mC:\\>%s\033[0m\n' "$line"
}

# Line by line as it comes, three blanks in front; what is longer than the terminal goes on below its own beginning.
COLUMNS=${COLUMNS:-$(tput cols 2> /dev/null || echo 100)}
indent() {
    local line blanks before part room
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line//$'\r'/}
        blanks=${line%%[! ]*}
        before=$blanks
        line=${line:${#blanks}}
        room=$((COLUMNS - 3 - ${#before}))
        while [ ${#line} -gt $room ]; do
            part=${line:0:room+1}
            case $part in *' '*) part=${part% *} ;; *) part=${line%% *} ;; esac
            printf '   %s%s\n' "$before" "$part"
            before="$blanks    " room=$((COLUMNS - 7 - ${#blanks}))
            line=${line:${#part}}
            line=${line#"${line%%[! ]*}"}
            [ -n "$line" ] || continue 2
        done
        printf '   %s%s\n' "$before" "$line"
    done
}

finish() {
    local rc=$?
    if [ -n "$KEEP" ]; then
        echo "demo: the lab is kept for a look: $DIR (take it down with: $LAB down $DIR)" >&2
    else
        LAB_QUIET=1 "$LAB" down "$DIR" || true
        rm -rf "$W"
    fi
    exit $rc
}
trap finish EXIT

# agent CODE ARGUMENTS...: types the command, shows what it prints, insists on its exit code
agent() {
    local want=$1 rc
    shift
    typed crlagent "$@"
    set +e
    $LAB wine "$DIR" "$PROGRAM" "$@" 2>&1 | indent
    rc=${PIPESTATUS[0]}
    set -e
    if [ "$rc" != "$want" ]; then
        echo "demo: 'crlagent $*' ended with exit code $rc, expected $want" >&2
        KEEP=1
        exit 1
    fi
    say "(exit code $rc)"
}
crl_dates() { # FILE
    openssl crl -inform DER -in "$1" -noout -crlnumber -lastupdate -nextupdate | sed 's/^/      /'
}
ca_state() { say "CertSvc: $($LAB ca "$DIR" status)"; }

bold "1. The lab: a Microsoft issuing CA whose key is in an HSM, two web servers, Active Directory"
say "CertSvc is a service under Wine's service control manager; it signs with keys that only the lab HSM has."
say "Base CRLs last four hours, deltas one: too short for what is going to be asked."
$LAB up "$DIR" --keys 2 --dependant --set CRLPeriod=Hours --set CRLPeriodUnits=4 --set CRLDeltaPeriod=Hours \
    --set CRLDeltaPeriodUnits=1 2>&1 | indent
$LAB status "$DIR" | indent

bold "2. crlagent is installed through the service control manager"
mkdir -p "$PROGRAM_DIR"
cp "$CRLAGENT_BUILD/bin/crlagent.exe" "$PROGRAM_DIR/"
agent 0 install
agent 0 config init
agent_settings # the lab has no key provider, and waits less
agent 0 config test
agent 0 start

bold "3. How healthy are the CRLs now? Every location, every address, base and delta, both CA keys"
agent 0 check

bold "4. May the HSM be taken away? For three weeks no, and why; for four hours yes, if a cover CRL is published first"
agent 10 hook pre-upgrade --change $CHANGE --window 21d --dry-run
agent 0 hook pre-upgrade --change $CHANGE --window 4h --dry-run

bold "5. Then for real: a cover CRL is published and proven, and the CA is paused at once"
say "The CRL on the web server before:"
crl_dates "$DIR/www/pki/Lab Issuing CA.crl"
agent 0 hook pre-upgrade --change $CHANGE --window 4h --reserve 1h --reason "HSM firmware 7.8.4"
say "The same file now:"
crl_dates "$DIR/www/pki/Lab Issuing CA.crl"
ca_state

bold "6. The HSM is away. The runway burns; an early resume is refused and nothing is broken by asking"
$LAB hsm "$DIR" away | indent
agent 0 status
agent 14 hook post-upgrade --change $CHANGE

bold "7. The HSM is back: accept it, restore exactly what was, publish, prove, compare"
$LAB hsm "$DIR" present | indent
agent 0 hook post-upgrade --change $CHANGE
ca_state
crl_dates "$DIR/www/pki/Lab Issuing CA.crl"

bold "8. What is on record"
agent 0 history
typed eventvwr
say "(Application log, source crlagent; here as the agent's own log tells it)"
tail -12 "$DATA/logs/crlagent.log" | indent

if [ $PART = change ]; then
    . tests/e2e/demo_change.sh
fi

bold "Gone without a trace"
agent 0 stop
agent 0 uninstall

bold "Done in $((SECONDS - T0)) s."

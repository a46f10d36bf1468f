# SPDX-License-Identifier: Apache-2.0
# The agent in a lab: helpers for the tests that drive crlagent.exe. Source it instead of lib.sh.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PROGRAM='C:\Program Files\crlagent\crlagent.exe'
PROGRAM_DIR="$L/prefix/drive_c/Program Files/crlagent"
DATA="$L/prefix/drive_c/ProgramData/crlagent"

agent() { win "$PROGRAM" "$@"; }
# Only standard output, for JSON of calls that also say something on standard error.
agent_out() { "$LAB" wine "$L" "$PROGRAM" "$@" 2>"$T/stderr" | tr -d '\r'; return "${PIPESTATUS[0]}"; }
# expect_out CODE ARGUMENTS...: exit code of the agent; standard output alone is in $OUT
expect_out() {
    local want=$1 rc=0
    shift
    OUT=$(agent_out "$@") || rc=$?
    CHECKS=$((CHECKS + 1))
    [ $rc = "$want" ] || fail "'crlagent $*': expected exit code $want, found $rc; $(cat "$T/stderr") $OUT"
}

# agent_config [CA-ELEMENTS [MAINTENANCE-ELEMENTS [OTHER-SECTIONS [PROBE-ELEMENTS [OUTPUT-ELEMENTS]]]]]
agent_config() {
    mkdir -p "$DATA/config"
    cat > "$DATA/config/crlagent.xml" <<E
<?xml version="1.0" encoding="UTF-8"?>
<crlagent version="1">
  <ca>
    <key-probe>certutil</key-probe>
    <minimum-stop-time>0s</minimum-stop-time>
    <stop-timeout>${STOP:-20s}</stop-timeout>
    <start-timeout>20s</start-timeout>
    ${1:-}
  </ca>
  <maintenance>
    <propagation>${PROPAGATION:-1m}</propagation>
    <proof-timeout>${PROOF:-10s}</proof-timeout>
    ${2:-}
  </maintenance>
  <probe><timeout>3s</timeout>${4:-}</probe>
  <output><log-level>debug</log-level>${LOG_FILE:+<log-file>$LOG_FILE</log-file>}${5:-}</output>
  ${3:-}
</crlagent>
E
}

# agent_install [as agent_config]: program, configuration, service, started
agent_install() {
    mkdir -p "$PROGRAM_DIR"
    cp "$CRLAGENT_BUILD/bin/crlagent.exe" "$PROGRAM_DIR/"
    expect_rc 0 agent install
    agent_config "$@"
    expect_rc 0 agent config test
    expect_rc 0 agent start
}

certsvc() { lab ca status | jq -r "$1"; }
# state and start type of a service as the SCM has them: "4 2"
service_state() {
    win labadm.exe query "$1" | jq -r '"\(.state) \(.start)"'
}
agent_log() { cat "$DATA/logs/crlagent.log"; }

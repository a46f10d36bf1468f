#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hsmupgrade against the lab appliance. driver.sh CASE runs one case; each is a ctest of its own.
. "$(dirname "${BASH_SOURCE[0]}")/driver_lib.sh"

standard() {
    appliance hsm1 "${1:-7.2}" "${@:2}"
    package lunasa_update-7.7.0-317
    plan hsm1
}

case_whole_change() {
    fake_agent ca1
    PLAN_AGENTS=ca1 standard
    hu 0 check
    said 'reboot patch was not found'
    said "not listed, and the plan brings none; attested by A. Tester on 2020-01-01"
    hu 0 run
    versions hsm1 7.7.0-317 7.7.0
    said 'change CHG1 is done'
    grep -q 'hook pre-upgrade --change CHG1 --window .* --dry-run' "$W/agent-ca1.log" || fail "no dry run"
    [ "$(grep -c dry-run "$W/agent-ca1.log")" = 2 ] || fail "check and run ask for the dry run"
    [ "$(grep -vc dry-run "$W/agent-ca1.log")" = 2 ] || fail "the agent was not called twice"
    typed hsm1 1 'package update'
    typed hsm1 1 'hsm firmware upgrade'
    typed hsm1 2 'hsm login'
    no_secrets
    grep -q 'SOFTWARE UPDATE COMPLETED' "$W/state/CHG1.transcript" || fail "no transcript"
    hu 0 run
    said 'is done already'
    "$HSMUPGRADE" status --state "$W/state" --json "$W/plan.xml" > "$W/out"
    said '"step": "firmware"'
}

case_two_members() {
    appliance hsma
    appliance hsmb
    package lunasa_update-7.7.0-317
    plan hsma hsmb
    hu 0 run
    versions hsma 7.7.0-317 7.7.0
    versions hsmb 7.7.0-317 7.7.0
}

case_reboot_patch() {
    appliance hsm1 7.2 needs_reboot_patch yes
    package lunasa_update-7.7.0-317
    package lunasa-reboot-patch-3 --kind patch --version 7.0.0 --firmware ""
    PLAN_PATCH=lunasa-reboot-patch-3 plan hsm1
    PLAN_PATCH=lunasa-reboot-patch-3 hu 0 run
    versions hsm1 7.7.0-317 7.7.0
    typed hsm1 2 'sysconf appliance reboot'
    no_secrets
}

case_patch_missing() {
    appliance hsm1 7.2 needs_reboot_patch yes
    package lunasa_update-7.7.0-317
    plan hsm1
    PLAN_ATTESTS='stc-admin-off audit-log' plan hsm1
    hu 2 check --no-agents
    said "nobody has attested 'reboot-patch'"
    hu 10 run
    typed hsm1 0 'package update'
    plan hsm1 # somebody attests it, wrongly
    hu 15 run
    said 'STOPPED'
    versions hsm1 7.2.0-220 7.0.3
    # resume alone does not repeat it
    hu 15 resume
    typed hsm1 1 'package update'
}

case_wrong_authcode() {
    standard
    CODE=AAAABBBBCCCCDDDD hu 15 run
    said 'decrypt package'
    typed hsm1 0 'package update'
    versions hsm1 7.2.0-220 7.0.3
    hu 0 resume
    versions hsm1 7.7.0-317 7.7.0
    no_secrets
}

case_already_installed() {
    # the script of the package says so itself: a one-way command that was typed and failed
    standard 7.2 installed '["lunasa_update-7.7.0-317"]'
    hu 15 run
    said 'Command failed: RPM update for original filename'
    said 'stands at: update \(failed\)'
    hu 15 resume
    said 'it failed before: .*Command failed: RPM update'
    tried 1 'package update'
    versions hsm1 7.2.0-220 7.0.3
    lab hsm1 installed '[]'
    hu 0 resume --repeat hsm1:update
    PLAN_CHANGE=CHG2 plan hsm1
    hu 0 run
    tried 2 'package update'
    said 'change CHG2 is done'
}

case_disk_full() {
    appliance hsm1 7.2 disk.size 2000100000
    package lunasa_update-7.7.0-317 --size 1M
    plan hsm1
    hu 15 run
    said 'No space left|refused the file'
    versions hsm1 7.2.0-220 7.0.3
}

case_transport_mode() {
    standard 7.2 hsm.stm yes
    hu 2 check --no-agents
    said 'Secure Transport Mode'
    hu 10 run
    said 'nothing was touched'
    typed hsm1 0 'hsm login'
}

case_stm_after_check() {
    # switched on after the gates: the appliance refuses with 10A0B
    fake_agent ca1
    echo "$LUNA set $W/hsm1 hsm.stm yes" >> "$W/agent-ca1"
    sed -i '2i "'"$LUNA"'" set "'"$W"'/hsm1" hsm.stm yes' "$W/agent-ca1"
    PLAN_AGENTS=ca1 standard
    hu 15 run
    said '10A0B'
    versions hsm1 7.7.0-317 7.0.3
}

case_two_default_routes() {
    standard 7.2 routes '[["0.0.0.0","192.168.101.1","0.0.0.0","UG","eth0"],["0.0.0.0","10.0.0.1","0.0.0.0","UG","eth1"]]'
    hu 10 run
    said '2 default routes'
    typed hsm1 0 'hsm login'
}

case_wrong_ped_key() {
    standard
    "$LUNA" ped "$W/hsm1" auto wrong
    hu 17 run
    said 'A00000'
    said 'attempts left now: 2 before'
    typed hsm1 1 'hsm login'
    "$LUNA" ped "$W/hsm1" auto blue
    hu 17 resume
    said 'retry-so-login'
    hu 17 resume --retry-so-login
    said "expected '3 before HSM zeroization!', found '2 before"
    typed hsm1 1 'hsm login'
    [ "$(lab_get hsm1 hsm.attempts)" = 2 ] || fail "an attempt was used"
}

case_last_attempt() {
    standard 7.2 hsm.attempts 1
    hu 10 run
    said '1 before HSM zeroization'
    typed hsm1 0 'hsm login'
}

case_ped_timeout() {
    standard 7.2 times.pedk 1.5 times.pedo 2
    "$LUNA" ped "$W/hsm1" auto none
    hu 17 run
    said 'PRESENT THE blue KEY'
    said '300134'
    said 'attempts left now: 3 before'
    "$LUNA" ped "$W/hsm1" auto blue
    hu 0 resume --retry-so-login
    versions hsm1 7.7.0-317 7.7.0
}

case_ped_firmware() {
    PLAN_TARGET='software="7.7.0-317" firmware="7.7.0" ped="2.7.1"' standard
    hu 10 run
    said 'PED 2.7.4'
}

case_lost_in_update() {
    standard 7.2 fault.drop 'package update@8'
    hu 0 run
    said 'asking the appliance for the truth'
    versions hsm1 7.7.0-317 7.7.0
    typed hsm1 1 'hsm firmware upgrade'
    no_secrets
}

case_lost_in_update_and_dead() {
    PLAN_TIMEOUTS=$(timeouts update=8s) standard 7.2 fault.drop 'package update@8' update.survives_loss no
    hu 12 run
    said 'never repeated by itself'
    versions hsm1 7.2.0-220 7.0.3
    lab hsm1 busy ''
    hu 0 resume --repeat hsm1:update
    versions hsm1 7.7.0-317 7.7.0
}

case_lost_in_firmware() {
    standard 7.2 fault.drop 'hsm firmware upgrade@0'
    hu 0 run
    said 'proven by a fresh login after a lost connection'
    versions hsm1 7.7.0-317 7.7.0
}

# The line goes before the appliance does anything: the old software stays, and a resume reboots it.
case_lost_in_reboot() {
    PLAN_TIMEOUTS=$(timeouts settle=3s) standard 7.2 fault.drop 'sysconf appliance reboot@1'
    hu 12 run
    said 'still shows software 7.2.0-220|not proven after'
    hu 0 resume
    versions hsm1 7.7.0-317 7.7.0
    typed hsm1 1 'hsm firmware upgrade'
}

case_lost_in_transfer() {
    package lunasa_update-7.7.0-317 --size 4M
    appliance hsm1 7.2 fault.drop 'transfer@1000000'
    plan hsm1
    hu 15 run
    said 'transfer: STOPPED'
    hu 0 resume
    versions hsm1 7.7.0-317 7.7.0
}

case_reboots_by_itself() {
    standard 7.2 update.self_reboot before times.boot 3 # long enough to be seen away
    hu 0 run
    versions hsm1 7.7.0-317 7.7.0
    typed hsm1 0 'sysconf appliance reboot'
}

case_reboots_by_itself_after() {
    standard 7.2 update.self_reboot after
    hu 0 run
    versions hsm1 7.7.0-317 7.7.0
}

# breaking NAME cut|stall BYTES...: from now on its plan goes through a line that breaks while $W/break is there
breaking() {
    local port=PORT_$1
    coproc LINE { exec python3 "$TOP/tests/e2e/driver_cut.py" "${!port}" "$W/break" "${@:2}"; }
    read -r "PORT_$1" <&"${LINE[0]}"
    plan "$1"
}

# Cut in the key exchange and in the middle of the login: that is no refusal, it is waited on.
case_lost_in_login_after_reboot() {
    standard 7.2 times.boot 2
    breaking hsm1 cut 1200 1800 1900 1960 2050 99999999
    background run
    wait_said 'waiting: .* with 127.0.0.1'
    touch "$W/break"
    ended 0
    versions hsm1 7.7.0-317 7.7.0
    not_said 'login to'
    no_secrets
}

case_never_comes_back() {
    PLAN_TIMEOUTS=$(timeouts boot=4s) standard 7.2 boot.never yes
    hu 12 run
    said 'not proven after 4 s'
    "$LUNA" power "$W/hsm1" power-on
    until_up hsm1
    hu 0 resume
    versions hsm1 7.7.0-317 7.7.0
}

case_another_host_key() {
    standard 7.2 boot.new_host_key yes
    hu 22 run
    said 'shows the host key SHA256:'
    fp=$(ssh-keygen -lf "$W/hsm1/hostkey.pub" | awk '{print $2}')
    hu 22 resume
    lab hsm1 boot.new_host_key no
    hu 0 resume --accept-host-key "hsm1=$fp"
    versions hsm1 7.7.0-317 7.7.0
}

case_old_software_after_reboot() {
    PLAN_TIMEOUTS=$(timeouts settle=3s) standard 7.2 boot.old_firmware yes
    hu 12 run
    said 'still shows software 7.2.0-220'
}

case_old_firmware_and_success() {
    PLAN_TIMEOUTS=$(timeouts settle=3s) standard 7.2 firmware.no_effect yes
    hu 12 run
    said 'still shows software 7.7.0-317 and firmware 7.0.3'
    typed hsm1 1 'hsm firmware upgrade'
}

case_failed_in_body() {
    standard 7.2 update.failed_line yes
    hu 15 run
    said "holds '\[FAILED\]'"
    typed hsm1 0 'sysconf appliance reboot'
    hu 15 resume
    typed hsm1 1 'package update'
}

case_unknown_question() {
    standard 7.2 fault.question 'package update'
    hu 15 run
    said "answered 'quit'"
    versions hsm1 7.2.0-220 7.0.3
    lab hsm1 fault.question ''
    hu 0 resume
    versions hsm1 7.7.0-317 7.7.0
}

case_password_change() {
    standard 7.2 shell.must_change_password yes
    hu 2 check --no-agents
    said 'demands a new password'
}

case_prompt_in_motd() {
    standard 7.2 shell.motd 'Welcome\nyour prompt is [hsm1] lunash:>\nplease behave, [x] lunash:>'
    hu 0 run
    versions hsm1 7.7.0-317 7.7.0
}

case_forty_columns() {
    # echo and body wrapped: either it is read rightly or it refuses; it never guesses
    standard 7.2 shell.columns 40 shell.wrap_output yes
    hu 10 run
    said 'before HSM zeroization'
    typed hsm1 0 'hsm login'
    lab hsm1 shell.wrap_output no
    hu 0 run
    versions hsm1 7.7.0-317 7.7.0
    no_secrets
}

case_blank_lines_and_bare_prompt() {
    standard 7.2 shell.extra_blank_lines 3 shell.prompt_host no
    hu 0 run
    versions hsm1 7.7.0-317 7.7.0
}

case_agent_refuses() {
    fake_agent ca1
    echo 10 > "$W/agent-ca1.pre"
    PLAN_AGENTS=ca1 standard
    hu 13 run
    typed hsm1 0 'hsm login'
    echo 0 > "$W/agent-ca1.pre"
    hu 0 run
    versions hsm1 7.7.0-317 7.7.0
}

# What the agent says is shown while it works; its verdict, deadline and runway come out of its JSON document.
case_agent_tells() {
    fake_agent ca1
    cat > "$W/agent-ca1.says" << 'EOF'
case "$*" in *post-upgrade*) echo '{"outcome": "done", "state": "closed", "comparison": {"down-seconds": 65}}'; exit 0 ;; esac
echo "20:15:01Z  preparing  probing four locations" >&2
case "$*" in *dry-run*) ;; *) until [ -e "$SEEN" ]; do sleep 0.1; done ;; esac
echo "{\"outcome\": \"done\", \"state\": \"paused\", \"maintenance\": {\"resume-by\": \"$BY\"}, \"gate\": {\"weakest\": 15600, \"need\": 7200}}"
exit 0
EOF
    export SEEN=$W/seen BY
    BY=$(date -u -d '+9 hours' +%Y-%m-%dT%H:%M:%SZ)
    PLAN_AGENTS=ca1 standard
    "$LUNA" ped "$W/hsm1" auto none
    background run
    # it does not go on before its progress line was seen here
    wait_said '\[agent:ca1\] preparing  probing four locations'
    touch "$SEEN"
    wait_said "\\[agent:ca1\\] pre-upgrade: done: paused; resume by $BY \\(in (9h|8h 59m).*runway 4h 20m, needed 2h 00m"
    wait_said "\\[agent:ca1\\] the CA must be back by $BY"
    wait_said 'PRESENT THE'
    "$HSMUPGRADE" status --state "$W/state" "$W/plan.xml" > "$W/status"
    grep -q "agent:ca1: the CA must be back by $BY" "$W/status" || fail "status does not know until when"
    "$HSMUPGRADE" status --state "$W/state" --json "$W/plan.xml" |
        jq -e --arg by "$BY" '.paused == [{"owner": "agent:ca1", "resume-by": $by}]' > /dev/null || fail "nor does its JSON"
    kill_driver
    "$LUNA" ped "$W/hsm1" auto blue
    hu 0 resume --retry-so-login
    said 'post-upgrade: done: closed; the CA was away for 1m 05s'
    "$HSMUPGRADE" status --state "$W/state" "$W/plan.xml" > "$W/status"
    ! grep -q 'must be back' "$W/status" || fail "status has a deadline of a CA that is back"
    # what is left does not fit into what the CRLs allow
    BY=$(date -u -d '+10 minutes' +%Y-%m-%dT%H:%M:%SZ)
    lab hsm1 hsm.fw 7.0.3
    PLAN_AGENTS=ca1 PLAN_CHANGE=CHG2 plan hsm1
    background run
    wait_said 'WARNING: the CA must be back by .*: it does not fit'
    kill_driver
}

# No answer in time: it may have paused its CA, so that one is resumed, too.
case_agent_hangs() {
    fake_agent ca1
    echo 'case "$*" in *post-upgrade*) ;; *dry-run*) ;; *) echo "waiting for the CA" >&2; sleep 60 ;; esac' > "$W/agent-ca1.says"
    PLAN_AGENTS=ca1 PLAN_TIMEOUTS=$(timeouts agent=3s) standard
    hu 13 run
    said '\[agent:ca1\] waiting for the CA'
    said 'did not end within'
    grep -q post-upgrade "$W/agent-ca1.log" || fail "a CA that may be paused was not resumed"
    typed hsm1 0 'hsm login'
}

case_second_agent_fails() {
    fake_agent ca1
    fake_agent ca2
    echo 10 > "$W/agent-ca2.pre"
    PLAN_AGENTS="ca1 ca2" standard
    hu 13 run
    grep -q post-upgrade "$W/agent-ca1.log" || fail "the first agent was not resumed"
    ! grep -q post-upgrade "$W/agent-ca2.log" || fail "the second agent was resumed though it had refused"
    versions hsm1 7.2.0-220 7.0.3
}

case_hsm_not_accepted() {
    fake_agent ca1
    fake_agent ca2
    echo 14 > "$W/agent-ca2.post"
    PLAN_AGENTS='ca1 ca2' standard
    hu 14 run
    echo 0 > "$W/agent-ca2.post"
    hu 0 resume
    said 'change CHG1 is done'
    # a CA that is back stays back when only the others are left
    paused_times ca1 1
    [ "$(grep -c post-upgrade "$W/agent-ca1.log")" = 1 ] || fail "ca1 was called again"
    [ "$(grep -c post-upgrade "$W/agent-ca2.log")" = 2 ] || fail "ca2 was not asked again"
}

case_window_over() {
    standard
    PLAN_START=$(utc -3days) PLAN_END=$(utc -1day) plan hsm1
    hu 10 run
    PLAN_START=$(utc +1day) PLAN_END=$(utc +2days) plan hsm1
    hu 16 run
    hu 0 check # days ahead is what it is for
    said 'INFO +plan'
    typed hsm1 0 'hsm login'
    # the clock of a safety tool is the machine's
    hu 20 run --now 2020-01-10T00:00:00Z
    said "unknown option '--now'"
}

case_window_over_in_the_middle() {
    # stopped at the SO login, and then the window is over
    standard 7.2 times.pedk 1.5 times.pedo 2
    "$LUNA" ped "$W/hsm1" auto none
    hu 17 run
    "$LUNA" ped "$W/hsm1" auto blue
    PLAN_END=$(utc -1hour) plan hsm1
    hu 16 resume --retry-so-login --accept-changed-plan 'the change manager closes it early'
    said 'the window is over'
    typed hsm1 0 'package update'
    hu 0 resume --retry-so-login --extend-window 2h
    versions hsm1 7.7.0-317 7.7.0
}

case_two_drivers() {
    standard
    "$LUNA" ped "$W/hsm1" auto none
    background run
    wait_said 'PRESENT THE'
    hu 11 resume
    PLAN_CHANGE=CHG2 plan hsm1
    hu 11 run
    kill_driver
}

case_plan_changed() {
    standard 7.2 times.pedk 1.5 times.pedo 2
    "$LUNA" ped "$W/hsm1" auto none
    hu 17 run
    "$LUNA" ped "$W/hsm1" auto blue
    sed -i 's/A. Tester/B. Tester/' "$W/plan.xml"
    hu 18 resume --retry-so-login
    said 'accept-changed-plan'
    hu 0 resume --retry-so-login --accept-changed-plan 'name corrected'
}

case_abort() {
    fake_agent ca1
    PLAN_AGENTS=ca1 standard 7.2 times.pedk 1.5 times.pedo 2
    "$LUNA" ped "$W/hsm1" auto none
    hu 17 run
    lab hsm1 hsm.dead yes
    hu 14 abort
    said 'CAs stay paused'
    ! grep -q post-upgrade "$W/agent-ca1.log" || fail "a CA was resumed without its HSM"
    lab hsm1 hsm.dead no
    hu 0 abort
    grep -q post-upgrade "$W/agent-ca1.log" || fail "the CA was not resumed"
    # Days later the appliance is another one: everything is looked at and done anew, but for the SO login that failed.
    said 'stands at: verify \(stopped\)'
    rm "$W"/hsm1/files/*
    lab hsm1 clients '[{"name": "ca01", "partitions": ["caPar1"]}, {"name": "web07", "partitions": []}]'
    "$LUNA" ped "$W/hsm1" auto blue
    sed -i 's/A. Tester/B. Tester/' "$W/plan.xml" # a new run, a new plan
    hu 17 run
    said 'transfer: done'
    # a file that is gone is sent again on a person's word
    rm "$W"/hsm1/files/*
    hu 0 resume --retry-so-login --repeat hsm1:transfer
    versions hsm1 7.7.0-317 7.7.0
}

case_activation_lost() {
    PLAN_ACTIVATION=black-key
    PLAN_CHECK="<check timeout=\"5s\"><arg>$W/active</arg></check>"
    printf '#!/bin/bash\n! "%s" get "%s" partitions | grep -q "\\"active\\": false"\n' "$LUNA" "$W/hsm1" > "$W/active"
    chmod 755 "$W/active"
    PLAN_TIMEOUTS=$(timeouts activation=2s) standard
    hu 15 run
    said 'BLACK key'
    said 'not active'
    "$LUNA" ped "$W/hsm1" present black
    hu 0 resume
}

case_partition_gone() {
    fake_agent ca1
    standard
    hu 0 check --no-agents
    # the second SO login, for the firmware, waits for its key until the client is gone
    "$LUNA" ped "$W/hsm1" auto none
    background run
    "$LUNA" ped "$W/hsm1" present blue --wait 60
    wait_said 'firmware: begun'
    lab hsm1 clients '[]'
    "$LUNA" ped "$W/hsm1" present blue --wait 60
    wait "$DRIVER_PID" && fail "a lost client was not noticed"
    said 'not as before: clients before: ca01'
}

# kill -9 in every step, then resume: nothing is lost and nothing one-way is done twice
case_kill_at_every_step() {
    standard
    : > "$W/out"
    local verb=run where
    for where in 'before: begun' 'transfer: begun' PED 'TEXT BEGINNING UPDATE' 'reboot: begun' \
        'TEXT typing: hsm firmware upgrade' 'compare: begun'; do
        # a machine that was too busy to kill in time has this step behind it
        ! finished "${where%: begun}" || continue
        # at the PED: while the SO login waits for its key
        "$LUNA" ped "$W/hsm1" auto "$([ "$where" = PED ] && echo none || echo blue)"
        background $verb --retry-so-login
        verb=resume
        if [ "$where" = PED ]; then
            wait_said 'PRESENT THE'
        elif [ "${where#TEXT }" = "$where" ]; then
            wait_said "\\] $where"
        else
            wait_typed "${where#TEXT }"
        fi
        kill_driver
    done
    hu 0 resume --retry-so-login
    versions hsm1 7.7.0-317 7.7.0
    typed hsm1 1 'sysconf appliance reboot'
    [ "$(grep -c 'typing: package update' "$W/state/CHG1.transcript")" = 1 ] || fail "the update was typed twice"
    [ "$(grep -c 'typing: hsm firmware upgrade' "$W/state/CHG1.transcript")" = 1 ] || fail "the firmware was typed twice"
    no_secrets
}

# An interrupt at every step: it leaves at a safe point with 24, says how to go on, and nothing one-way is done twice.
case_interrupt_at_every_step() {
    fake_agent ca1
    PLAN_AGENTS=ca1 standard 7.2 times.boot 3
    : > "$W/out"
    local verb=run where signal
    for where in 'transfer: begun' PED 'TEXT BEGINNING UPDATE' 'reboot: begun' 'TEXT typing: hsm firmware upgrade'; do
        ! finished "${where%: begun}" || continue
        "$LUNA" ped "$W/hsm1" auto "$([ "$where" = PED ] && echo none || echo blue)"
        background $verb --retry-so-login
        verb=resume signal=INT
        case $where in
            PED) wait_said 'PRESENT THE' ;;
            TEXT*) wait_typed "${where#TEXT }" ;;
            *) signal=TERM; wait_said "\\] $where" ;;
        esac
        kill -$signal "$DRIVER_PID"
        # the command that waits for its key is finished, not broken off
        [ "$where" != PED ] || { wait_said 'stopping at the next safe point'; "$LUNA" ped "$W/hsm1" present blue --wait 60; }
        ended 24
        said 'stopping at the next safe point'
        said "'hsmupgrade resume' goes on"
        finished "$(case $where in PED) echo verify ;; *UPDATE) echo update ;; TEXT*) echo firmware ;; *) echo before ;; esac)" || fail "not left where it was safe: $where"
    done
    "$LUNA" ped "$W/hsm1" auto blue
    hu 0 resume --retry-so-login
    versions hsm1 7.7.0-317 7.7.0
    typed hsm1 1 'package update'
    typed hsm1 1 'hsm firmware upgrade'
    ! grep -q interrupted "$W/hsm1/lunalogs" || fail "a Ctrl-C reached the appliance"
    [ "$(grep pre-upgrade "$W/agent-ca1.log" | grep -vc dry-run)" = 1 ] || fail "the agent was asked to pause more than once"
}

# Twice means at once; the journal is as after a kill.
case_interrupt_twice() {
    standard
    "$LUNA" ped "$W/hsm1" auto none
    background run
    wait_said 'PRESENT THE'
    kill -INT "$DRIVER_PID"
    wait_said 'stopping at the next safe point'
    kill -INT "$DRIVER_PID"
    ended 24
    "$LUNA" ped "$W/hsm1" auto blue
    hu 17 resume
    said 'was not finished'
    hu 0 resume --retry-so-login
    versions hsm1 7.7.0-317 7.7.0
    ! grep -q interrupted "$W/hsm1/lunalogs" || fail "a Ctrl-C reached the appliance"
}

# The steps that the cases above do not reach: patch and its reboot, the verification itself, the activation, both hooks.
case_kill_at_every_other_step() {
    appliance hsm1 7.2 needs_reboot_patch yes times.boot 2
    package lunasa_update-7.7.0-317
    package lunasa-reboot-patch-3 --kind patch --version 7.0.0 --firmware ""
    PLAN_PATCH=lunasa-reboot-patch-3
    fake_agent ca1
    echo "case \"\$*\" in *dry-run*) ;; *) [ -e \"$W/go\" ] || sleep 60 ;; esac" > "$W/agent-ca1.says"
    printf '#!/bin/bash\n[ -e "%s/active" ]\n' "$W" > "$W/check"
    chmod 755 "$W/check"
    PLAN_ACTIVATION=black-key
    PLAN_CHECK="<check timeout=\"5s\"><arg>$W/check</arg></check>"
    PLAN_AGENTS=ca1 plan hsm1
    local verb=run where
    for where in 'pre-upgrade \.\.\.' 'transfer-patch: begun' 'TEXT BEGINNING UPDATE' 'reboot-patch: begun' \
        'verify: begun' 'TEXT typing: package verify' 'activate: begun' 'post-upgrade \.\.\.'; do
        case $where in
            pre*) rm -f "$W/go" ;;
            post*) rm -f "$W/go"; touch "$W/active" ;;
            *) touch "$W/go" ;;
        esac
        # long enough to be met in it
        lab hsm1 times.step "$(case $where in *'package verify') echo 30 ;; *) echo 0.02 ;; esac)"
        ! finished "${where%: begun}" || continue
        : > "$W/out"
        background $verb --retry-so-login
        verb=resume
        case $where in
            TEXT*) wait_typed "${where#TEXT }" ;;
            *) wait_said "\\] $where" ;;
        esac
        case $where in pre-* | post-*) wait_asked ca1 "${where%% *}" ;; esac
        kill_driver
    done
    touch "$W/go"
    hu 0 resume --retry-so-login
    versions hsm1 7.7.0-317 7.7.0
    [ "$(grep -c 'typing: package update lunasa-reboot' "$W/state/CHG1.transcript")" = 1 ] || fail "the patch was typed twice"
    [ "$(grep -c 'typing: package update lunasa_update' "$W/state/CHG1.transcript")" = 1 ] || fail "the update was typed twice"
    tried 1 'hsm firmware upgrade'
    # once when it was killed, once by the resume; not again when everything else was done
    paused_times ca1 2
    [ "$(grep -c post-upgrade "$W/agent-ca1.log")" = 2 ] || fail "post-upgrade: $(cat "$W/agent-ca1.log")"
}

# ---- what a resume, an abort or a second run must not do ----

# Typed, and nobody knows what became of it: it waits for unknown input in the middle of the update; the load of the firmware
# ends with 'Unable to communicate with HSM'. Neither is typed again without a person's word.
case_nobody_knows() {
    PLAN_TIMEOUTS=$(timeouts update=8s settle=3s) standard 7.2 update.asks yes firmware.unanswered yes
    hu 15 run
    said 'waits for input that this program does not know'
    said 'stands at: update \(typed, not proven\)'
    lab hsm1 update.asks no
    hu 12 resume
    said 'never repeated by itself'
    tried 1 'package update'
    lab hsm1 busy ''
    hu 12 resume --repeat hsm1:update
    tried 2 'package update'
    said 'the HSM card does not answer its appliance.*asking the appliance for the truth'
    hu 12 resume
    # the load went on in spite of its words
    lab hsm1 hsm.fw 7.7.0
    hu 0 resume
    tried 1 'hsm firmware upgrade'
}

# It reboots by itself and comes back with another host key: the update was typed, and is never typed again.
case_other_key_after_self_reboot() {
    standard 7.2 update.self_reboot before boot.new_host_key yes
    hu 22 run
    fp=$(ssh-keygen -lf "$W/hsm1/hostkey.pub" | awk '{print $2}')
    lab hsm1 boot.new_host_key no
    hu 0 resume --accept-host-key "hsm1=$fp"
    said 'update: done: found done'
    tried 1 'package update'
    versions hsm1 7.7.0-317 7.7.0
}

# Off before the firmware was typed: nothing to wait for, and nothing to be repeated on a person's word.
case_off_or_taken_before_it_is_typed() {
    PLAN_TIMEOUTS=$(timeouts connect=3s) standard
    "$LUNA" ped "$W/hsm1" auto none
    background run
    "$LUNA" ped "$W/hsm1" present blue --wait 60
    wait_said 'firmware: begun'
    wait_said 'PRESENT THE'
    kill_driver
    "$LUNA" power "$W/hsm1" poweroff
    until_down hsm1
    hu 22 resume --retry-so-login
    said 'firmware: STOPPED'
    not_said 'never repeated by itself|for the truth'
    "$LUNA" power "$W/hsm1" power-on
    until_up hsm1
    "$LUNA" ped "$W/hsm1" auto blue
    # somebody else is at this HSM, which no lock of ours can know
    lab hsm1 fault.so_elsewhere yes
    hu 17 resume --retry-so-login
    said 'firmware: STOPPED: no SO login on hsm1: the SO is logged in already, in another session'
    PLAN_CHANGE=CHG2 plan hsm1
    hu 10 run
    said 'Logged In, in another session'
    PLAN_CHANGE=CHG1 plan hsm1
    lab hsm1 fault.so_elsewhere no
    hu 0 resume --retry-so-login --accept-changed-plan 'written again, with other times'
    tried 1 'hsm firmware upgrade'
}

# Nobody has confirmed when 'hsm show' changes: a new version that shows before the reboot is no reboot.
case_version_shows_before_the_reboot() {
    standard 7.2 update.shows_early yes
    hu 0 run
    said 'nothing proves that the appliance has rebooted'
    typed hsm1 1 'sysconf appliance reboot'
    versions hsm1 7.7.0-317 7.7.0
}

# While the firmware is being loaded the lists are as before, and the CA must not come back.
case_abort_in_the_firmware() {
    fake_agent ca1
    PLAN_AGENTS=ca1 standard 7.2 times.firmware 20
    background run
    wait_typed 'typing: hsm firmware upgrade'
    kill_driver
    hu 14 abort
    said 'stands at: firmware \(typed, not proven\)'
    said "'firmware' was typed and is not proven"
    said 'CAs stay paused'
    ! grep -q post-upgrade "$W/agent-ca1.log" || fail "the CA came back while the firmware was being loaded"
    [ "$(lab_get hsm1 busy)" = 'firmware upgrade' ] || fail "the machine was too slow for this test"
    hu 0 abort --accept-unproven hsm1:firmware
    said "accepted on a person's word"
    grep -q post-upgrade "$W/agent-ca1.log" || fail "the CA was not resumed"
}

case_card_late_and_abort_before_the_reboot() {
    fake_agent ca1
    PLAN_AGENTS=ca1 standard 7.2 fault.question 'sysconf appliance reboot'
    hu 15 run
    said 'stands at: reboot \(stopped\)'
    hu 14 abort
    said 'updated, not rebooted'
    ! grep -q post-upgrade "$W/agent-ca1.log" || fail "the CA came back to an appliance that waits for its reboot"
    # the shell is up, its card is not: it is booting, and that is waited for
    lab hsm1 fault.question '' hsm.dead yes
    background resume
    wait_said 'HSM card'
    lab hsm1 hsm.dead no
    ended 0
    typed hsm1 2 'sysconf appliance reboot' # the first one was answered 'quit'
    versions hsm1 7.7.0-317 7.7.0
    hu 0 abort
    said 'is done: there is nothing to end'
}

# Killed before any appliance was begun: a resume looks at the window and at the gates before it takes a CA out of use.
case_resume_looks_before_it_pauses() {
    fake_agent ca1
    echo "case \"\$*\" in *dry-run*|*post*) ;; *) [ -e \"$W/go\" ] || sleep 60 ;; esac" > "$W/agent-ca1.says"
    PLAN_AGENTS=ca1 standard
    cp "$W/plan.xml" "$W/plan.first"
    background run
    wait_said 'pre-upgrade \.\.\.'
    wait_asked ca1 pre-upgrade
    kill_driver
    touch "$W/go"
    PLAN_AGENTS=ca1 PLAN_END=$(utc -1hour) plan hsm1
    hu 16 resume --accept-changed-plan 'closed early'
    paused_times ca1 1
    cp "$W/plan.first" "$W/plan.xml"
    lab hsm1 hsm.stm yes
    hu 10 resume --accept-changed-plan 'open again'
    said 'Secure Transport Mode'
    said 'no appliance was touched'
    paused_times ca1 1
    lab hsm1 hsm.stm no
    hu 0 resume
    paused_times ca1 2
    versions hsm1 7.7.0-317 7.7.0
}

# What the plan has lost is never reported as done.
case_plan_lost_a_part() {
    fake_agent ca1
    fake_agent ca2
    appliance hsma 7.2 times.pedk 1.5 times.pedo 2
    appliance hsmb
    package lunasa_update-7.7.0-317
    PLAN_AGENTS='ca1 ca2' plan hsma hsmb
    cp "$W/plan.xml" "$W/plan.first"
    "$LUNA" ped "$W/hsma" auto none
    hu 17 run
    PLAN_AGENTS=ca1 plan hsma hsmb
    hu 18 abort
    hu 18 abort --accept-changed-plan 'ca2 is not ours'
    said '\[agent:ca2\] its CA was put out of use for this change and is not resumed'
    hu 18 resume --accept-changed-plan 'ca2 is not ours'
    PLAN_AGENTS='ca1 ca2' plan hsmb
    hu 18 resume --accept-changed-plan 'hsma is not ours'
    said '\[hsma\] this change has begun with it'
    ! grep -q post-upgrade "$W"/agent-ca?.log || fail "a CA was resumed"
    cp "$W/plan.first" "$W/plan.xml"
    hu 0 abort
    grep -q post-upgrade "$W/agent-ca2.log" || fail "ca2 was not resumed"
}

case_unlisted_path() {
    PLAN_TARGET='software="7.9.0-300" firmware="7.8.4"'
    PLAN_PACKAGE=lunasa_update-7.9.0-300
    appliance hsm1
    package lunasa_update-7.9.0-300 --version 7.9.0-300 --firmware 7.8.4
    plan hsm1
    hu 10 run
    said 'accept-unlisted-path'
    hu 0 run --accept-unlisted-path 'vendor case 123'
    versions hsm1 7.9.0-300 7.8.4
}

# Two updates one after the other in one plan; killed at the boundary and inside of the second hop.
two_hops() {
    package lunasa_update-7.4.0-226 --version 7.4.0-226 --firmware 7.4.0
    package lunasa_update-7.7.0-317
    PLAN_VIA="<via software=\"7.4.0-226\" firmware=\"7.4.0\"><package file=\"$W/lunasa_update-7.4.0-226.spkg\"
        sha256=\"$(sha256sum "$W/lunasa_update-7.4.0-226.spkg" | cut -d' ' -f1)\" authcode=\"prompt\"/></via>"
    appliance hsm1
    plan hsm1
}

case_two_hops() {
    two_hops
    hu 10 run
    said 'no way for appliance software from 7.2.0-220 to 7.4.0-226'
    hu 0 run --accept-unlisted-path 'rehearsal'
    said 'hop 1 of 2: software 7.4.0-226, firmware 7.4.0'
    said 'compare@1: done'
    said 'hop 2 of 2: software 7.7.0-317, firmware 7.7.0'
    versions hsm1 7.7.0-317 7.7.0
    typed hsm1 2 'package update'
    typed hsm1 2 'hsm firmware upgrade'
    typed hsm1 4 'hsm login'
    no_secrets
    hu 0 run
    said 'is done already'
}

case_two_hops_killed_between() {
    local end
    two_hops
    background run --accept-unlisted-path 'rehearsal'
    wait_said 'compare@1: done|hop 2 of 2'
    kill_driver
    [ "$(lab_get hsm1 hsm.fw)" = 7.4.0 ] || fail "the first hop was not finished"
    background resume
    wait_said 'hop 2 of 2'
    wait_said 'transfer@2: begun'
    ! grep -q 'hop 1 of 2.*begun\|@1: begun' "$W/out" || fail "a step of the first hop was begun again"
    kill_driver
    background resume
    end=$((SECONDS + 60))
    until [ "$(grep -c 'BEGINNING UPDATE' "$W/state/CHG1.transcript")" = 2 ]; do
        [ $SECONDS -lt $end ] || fail "the second update was not begun"
        sleep 0.05
    done
    kill_driver
    hu 0 resume
    versions hsm1 7.7.0-317 7.7.0
    [ "$(grep -c 'typing: package update lunasa_update-7.4' "$W/state/CHG1.transcript")" = 1 ] || fail "hop 1 was typed twice"
    [ "$(grep -c 'typing: package update lunasa_update-7.7' "$W/state/CHG1.transcript")" = 1 ] || fail "hop 2 was typed twice"
    typed hsm1 2 'hsm firmware upgrade'
    no_secrets
}

# An appliance that is at the first hop already begins with the second.
case_two_hops_one_is_done() {
    two_hops
    lab hsm1 sw 7.4.0-226 hsm.fw 7.4.0
    hu 0 run
    said 'update@1|hop 1 of 2'
    typed hsm1 1 'package update'
    versions hsm1 7.7.0-317 7.7.0
    "$HSMUPGRADE" status --state "$W/state" --json "$W/plan.xml" | jq -e \
        '[.steps[] | select(.step == "update@1" or .step == "firmware@1") | .state] == ["skipped", "skipped"]' > /dev/null ||
        fail "the first hop was not skipped"
}

case_old_hardware() {
    standard 6.x
    hu 10 run
    said 'no update in place from 5.x or 6.x'
}

case_legacy_5x() {
    standard 5.x
    hu 2 check --no-agents
    said 'software 5.3.0-11, firmware 6.10.1, Luna K6'
    PLAN_ALGORITHMS=modern plan hsm1
    hu 2 check --no-agents
    said 'no common algorithm|cannot be reached'
}

case_sftp_79() {
    PLAN_TARGET='software="7.9.1-400" firmware="7.8.5"'
    PLAN_PACKAGE=lunasa_update-7.9.1-400
    appliance hsm1 7.9
    package lunasa_update-7.9.1-400 --version 7.9.1-400 --firmware 7.8.5 --size 3M
    plan hsm1
    hu 0 run --accept-unlisted-path 'rehearsal'
    said 'by SFTP'
    versions hsm1 7.9.1-400 7.8.5
}

case_keyboard_interactive() {
    standard 7.2 ssh.auth keyboard-interactive
    hu 0 check --no-agents
    said 'software 7.2.0-220'
}

case_publickey() {
    standard
    ssh-keygen -q -t ed25519 -N '' -f "$W/id"
    cat "$W/id.pub" >> "$W/hsm1/authorized_keys"
    PLAN_SSH_EXTRA="login=\"publickey\" keyfile=\"$W/id\"" plan hsm1
    hu 0 check --no-agents
    said 'software 7.2.0-220'
}

# The key is in the agent only; an agent without it, and no agent at all, are refusals that say so.
case_ssh_agent() {
    standard
    ssh-keygen -q -t ed25519 -N '' -f "$W/id"
    ssh-keygen -q -t ed25519 -N '' -f "$W/other"
    cat "$W/id.pub" >> "$W/hsm1/authorized_keys"
    PLAN_SSH_EXTRA='login="agent"' plan hsm1
    unset SSH_AUTH_SOCK
    hu 2 check --no-agents
    said 'no key agent answers'
    eval "$(ssh-agent -s -a "$W/agent.sock")" > /dev/null
    trap 'ssh-agent -k > /dev/null 2>&1; cleanup' EXIT
    hu 2 check --no-agents
    said 'the key agent holds no key'
    ssh-add -q "$W/other"
    hu 2 check --no-agents
    said "none of the 1 keys of the key agent is accepted"
    ssh-add -q "$W/id"
    rm "$W/id" "$W/other"
    hu 0 check --no-agents
    said 'software 7.2.0-220'
    # the transfer logs in by itself, too
    hu 0 run
    versions hsm1 7.7.0-317 7.7.0
    grep -q 'Accepted publickey' "$W/hsm1/sshd.log" || fail "sshd saw no key"
    ! grep -q 'Accepted password' "$W/hsm1/sshd.log" || fail "a password was used"
}

# An appliance that falls silent in the middle of the login ends within its time, whatever the way to log in.
case_silent_in_login() {
    PLAN_TIMEOUTS=$(timeouts connect=3s)
    standard
    ssh-keygen -q -t ed25519 -N '' -f "$W/id"
    cat "$W/id.pub" >> "$W/hsm1/authorized_keys"
    eval "$(ssh-agent -s -a "$W/agent.sock")" > /dev/null
    trap 'ssh-agent -k > /dev/null 2>&1; cleanup' EXIT
    ssh-add -q "$W/id"
    touch "$W/break"
    PLAN_SSH_EXTRA='login="agent"' breaking hsm1 stall 1900 1960 2050
    for _ in 1 2 3; do
        local start=$SECONDS
        hu 2 watch
        said 'found: .*(in time|connection was lost)'
        [ $((SECONDS - start)) -lt 20 ] || fail "connect=3s took $((SECONDS - start)) s"
    done
}

case_wrong_publickey() {
    standard
    ssh-keygen -q -t ed25519 -N '' -f "$W/id"
    PLAN_SSH_EXTRA="login=\"publickey\" keyfile=\"$W/id\"" plan hsm1
    hu 2 check --no-agents
    said 'cannot be reached or does not let us in'
    PLAN_SSH_EXTRA="login=\"publickey\" keyfile=\"$W/absent\"" plan hsm1
    hu 2 check --no-agents
    said 'cannot be reached or does not let us in'
}

# Another key than the pinned one: nothing is sent, not even the account's name, and both fingerprints are shown.
case_wrong_host_key() {
    standard
    cp "$W/plan.xml" "$W/plan.good"
    FP_hsm1=SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA plan hsm1
    hu 2 check --no-agents
    said 'shows the host key SHA256:'
    said 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    hu 10 run
    said 'nothing was touched'
    ! grep -q 'Accepted\|Failed' "$W/hsm1/sshd.log" || fail "a login was tried"
}

case_wrong_password() {
    standard
    echo wrong-password > "$W/other"
    code=0
    printf 'password=not-this-one\n\n' | "$HSMUPGRADE" check --no-agents --state "$W/state" --secrets-stdin \
        "$W/plan.xml" > "$W/out" 2>&1 || code=$?
    [ $code = 2 ] || fail "exit $code"
    said 'cannot be reached or does not let us in'
    ! grep -q not-this-one "$W/out" || fail "the password was printed"
    # in the middle of a run it is no failed SO login
    background run
    wait_said '\] before: begun'
    kill_driver
    code=0
    printf 'password=not-this-one\n\n' | "$HSMUPGRADE" resume --state "$W/state" --secrets-stdin \
        "$W/plan.xml" > "$W/out" 2>&1 || code=$?
    [ $code = 22 ] || fail "resume with a wrong password: exit $code"
}

case_serial() {
    PLAN_CONSOLE=serial standard
    hu 0 run
    versions hsm1 7.7.0-317 7.7.0
    no_secrets
}

# Two programs on one line would take each other's answers away. A password question that somebody left open meets one blind
# Return, told as what it is; never a second one.
case_serial_not_ours() {
    PLAN_CONSOLE=serial standard 7.2 hsm.auth Password serial.open yes
    exec 8<> "$W/hsm1/serial"
    flock 8
    hu 2 watch
    said "used by another hsmupgrade"
    stty -F "$W/hsm1/serial" raw -echo
    printf 'hsm login\r' >&8
    timeout 20 sed '/password:/q' <&8 > /dev/null || fail "no question for the password"
    flock -u 8
    hu 2 watch
    said 'found: +2 before HSM zeroization'
    [ "$(lab_get hsm1 hsm.attempts)" = 2 ] || fail "attempts left: $(lab_get hsm1 hsm.attempts)"
    exec 8>&-
}

case_serial_garbage_and_open_shell() {
    PLAN_CONSOLE=serial standard 7.2 serial.garbage yes serial.open yes
    hu 0 run
    versions hsm1 7.7.0-317 7.7.0
}

# No connection at all: a person types what is shown and pastes what the console says.
case_manual() {
    PLAN_CONSOLE=manual PLAN_NO_SSH=1 standard
    local code=0
    timeout 140 python3 "$TOP/tests/e2e/driver_operator.py" "$W/hsm1" "$W/lunasa_update-7.7.0-317.spkg" \
        "$W/lunasa_update-7.7.0-317.auth" "$HSMUPGRADE" run --state "$W/state" \
        "$W/plan.xml" > "$W/out" 2>&1 || code=$?
    cat "$W/out" >> "$W/all"
    [ $code = 0 ] || fail "exit $code"
    versions hsm1 7.7.0-317 7.7.0
    said 'package update lunasa_update-7.7.0-317.spkg -authcode \*\*\*\*'
    said 'Expect: Software Version, Firmware, attempts left'
    said 'bring the package, 1 of 3. The file on this computer'
    said 'bring the package, 2 of 3. A way to the appliance'
    not_said 'given up in 23h'
    no_secrets
}

# finding ID-SYMBOL SEVERITY: exactly this one, besides the remarks
only_finding() {
    local got
    got=$(sed -n '/^{/,$p' "$W/out" | jq -r '[.findings[] | select(.severity != "info") | "\(.symbol) \(.severity)"] | unique | join(", ")')
    [ "$got" = "$1" ] || fail "expected the finding '$1', found '$got'"
}

# the metrics file is what a textfile collector takes
good_metrics() {
    [ "$(cut -d' ' -f1 "$W/hsm.prom" | grep -v '^#' | sort | uniq -d)" = "" ] || fail "a series stands twice"
    [ "$(tail -c1 "$W/hsm.prom" | od -An -tx1 | tr -d ' ')" = 0a ] || fail "no line end at the end"
    ! grep -vE '^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)*\})? -?[0-9.e+]+)$' "$W/hsm.prom" || fail "not OpenMetrics"
    ! command -v promtool > /dev/null || promtool check metrics < "$W/hsm.prom" > "$W/promtool" 2>&1 || fail "promtool: $(cat "$W/promtool")"
}

listgroups() { # STATUS-OF-SECOND NEEDS-SYNC: what lunacm would print on a client
    sed "s/  down$/  $1/; s/Needs sync:  no/Needs sync:  $2/" "$TOP/tests/corpus/luna/hagroup-listgroups.txt" > "$W/groups"
    printf '#!/bin/bash\ncat "%s"\n' "$W/groups" > "$W/listgroups"
    chmod 755 "$W/listgroups"
}

# Each thing made bad once, and put right again: its finding, no other, its severity, its exit code.
case_watch() {
    local key bad good want code
    listgroups alive no
    PLAN_HA_CHECK=$W/listgroups standard
    hu 0 watch --json --metrics "$W/hsm.prom"
    only_finding ''
    good_metrics
    grep -q 'crlagent_hsm_so_attempts_left{hsm="hsm1"} 3' "$W/hsm.prom" || fail "no metric"
    while IFS='|' read -r key bad good want code; do
        lab hsm1 "$key" "$bad"
        hu "$code" watch --json --metrics "$W/hsm.prom"
        only_finding "$want"
        good_metrics
        [ -z "$want" ] || grep -q "symbol=\"${want%% *}\"" "$W/hsm.prom" || fail "no metric of $want"
        lab hsm1 "$key" "$good"
    done << 'TABLE'
services.ntls|no|yes|HSM_NTLS critical, HSM_SERVICE_STATE warning|2
disk.used|7600000000|2000000000|HSM_DISK warning|1
hsm.temp|80|35|HSM_ENVIRONMENT warning|1
hsm.battery|2.500|3.093|HSM_ENVIRONMENT warning|1
clock_off|-600|0|HSM_CLOCK warning|1
hsm.tamper|Chassis open||HSM_SERVICE_STATE warning, HSM_TAMPER critical|2
hsm.attempts|2|3|HSM_ATTEMPTS critical|2
hsm.stm|yes|no|HSM_TRANSPORT_MODE critical|2
hsm.dead|yes|no|HSM_NOT_ANSWERING critical|2
sw|7.8.0-100|7.2.0-220|HSM_WITHDRAWN warning|1
fault.odd|status disk|||0
TABLE
    said '"symbol": "HSM_NOT_TOLD"'
    listgroups down no
    hu 2 watch --json --metrics "$W/hsm.prom"
    only_finding 'HSM_HA_MEMBER critical'
    said '1238700701509 down'
    listgroups alive yes
    hu 1 watch --json
    only_finding 'HSM_HA_MEMBER warning'
    printf '#!/bin/bash\nexit 3\n' > "$W/listgroups"
    hu 1 watch --json
    said 'the command ended with 3'
}

# What the appliance does not tell in a known form: never a guess, never silence.
case_not_told() {
    local key bad good what
    PLAN_ACTIVATION=auto PLAN_ATTESTS=reboot-patch standard
    hu 2 check --no-agents --json
    for what in stc-admin-off audit-log auto-activation; do said "attest what=.\"$what"; done
    hu 10 run
    typed hsm1 0 'hsm login'
    local every='stc-admin-off audit-log reboot-patch auto-activation'
    PLAN_ACTIVATION=auto PLAN_ATTESTS=$every plan hsm1
    hu 0 check --no-agents
    said "'audit-log' attested by A. Tester on 2020-01-01"
    while IFS='|' read -r key bad what; do
        lab hsm1 "$key" "$bad"
        PLAN_ACTIVATION=auto PLAN_ATTESTS=$every plan hsm1
        hu 2 check --no-agents
        said "attest what=\"$what\""
        said 'could not tell: '
        PLAN_ACTIVATION=auto PLAN_ATTESTS="$every $what" plan hsm1
        hu 0 check --no-agents
        said "'$what' attested by A. Tester"
        lab hsm1 "$key" ''
    done << 'TABLE'
fault.odd|status disk|free-space
fault.odd|status date|clock
fault.hide|HSM Tamper State|no-tamper
fault.hide|Secure Transport Mode|transport-mode-off
TABLE
}

# What check writes down, what it says about it, and what becomes of it.
case_inventory() {
    standard 7.2 times.pedk 1.5 times.pedo 2
    hu 0 check --no-agents --json
    sed -n '/^{/,$p' "$W/out" > "$W/doc"
    jq -e '.schema == 1 and .kind == "check" and .exit == 0 and .worst == "info" and (.appliances[0].inventory |
        .partitions == ["1238700701509 caPar1 (2 objects)", "1238700701510 caPar2 (0 objects)"] and .clients == ["ca01"] and
        .assigned == ["ca01: \"caPar1\", \"caPar2\""] and .services == ["ntp running", "snmp running", "syslog running"])' \
        "$W/doc" > /dev/null || fail "inventory: $(jq -c '.appliances' "$W/doc")"
    hu 0 check --no-agents
    said 'NOTED +hsm1'
    said 'a difference stops it'
    lab hsm1 clients '[{"name": "ca01", "partitions": ["caPar1"]}, {"name": "ca 02", "partitions": []}]'
    hu 1 check --no-agents
    said 'as at the check of'
    said 'clients now: ca 02; assigned before: ca01: "caPar1", "caPar2"; assigned now: ca01: "caPar1"; assigned now: ca 02: <none>'
    hu 0 check --no-agents # written down anew
    lab hsm1 services.snmp no
    "$LUNA" ped "$W/hsm1" auto none
    hu 17 run
    said 'changed since the check of .*services before: snmp running; services now: snmp not running'
    lab hsm1 services.syslog no
    hu 1 check --no-agents
    said 'as before the change began'
    said 'services before: syslog running'
    "$LUNA" ped "$W/hsm1" auto blue
    hu 15 resume --retry-so-login
    said 'not as before: services before: syslog running; services now: syslog not running'
    lab hsm1 services.syslog yes
    hu 0 resume
    # a folder that cannot be written is no reason not to look
    "$HSMUPGRADE" check --no-agents --state /proc/none --secrets-stdin "$W/plan.xml" < <(secrets) > "$W/out" 2>&1 || true
    said 'not written down for the comparison'
    said 'SEEN +hsm1'
}

# Every verb that takes --json gives a document of its own, also for errors.
case_documents() {
    standard
    json() { # EXIT JQ-CONDITION ARGS...
        local want=$1 condition=$2 code=0
        shift 2
        "$HSMUPGRADE" "$@" < <(secrets) > "$W/doc" 2> "$W/out" || code=$? # no pipe: some verbs read nothing
        [ $code = "$want" ] || fail "$*: expected exit $want, got $code"
        jq -e ".schema == 1 and ($condition)" "$W/doc" > /dev/null || fail "$*: $(cat "$W/doc")"
    }
    json 0 '.kind == "plan" and .outcome == "done" and .hops[0].package.good and .appliances[0].name == "hsm1"' plan check --json "$W/plan.xml"
    sed 's/A. Tester/NAME/' "$W/plan.xml" > "$W/bad.xml"
    json 20 '.kind == "plan" and (.["not-attested"] | contains("placeholder NAME"))' plan check --json "$W/bad.xml"
    sed 's/role="single"/role="sole"/; s/<activation by/<activation bye/' "$W/plan.xml" > "$W/bad.xml"
    json 20 '.kind == "error" and .exit == 20 and .error.code == "parse" and (.error.places | length >= 2) and
        (.error.places[0].line > 1) and (.error.do | length > 0)' plan check --json "$W/bad.xml"
    json 20 '.kind == "error" and .error.file != null' check --json --state "$W/state" --secrets-stdin "$W/bad.xml"
    json 20 '.kind == "error" and .error.code == "not-found"' plan check --json "$W/none.xml"
    json 20 '.kind == "error" and (.error.text | contains("--repeat"))' plan check --json --repeat x:y "$W/plan.xml"
    json 0 '.kind == "path" and .verdict == "found" and (.hops | length) == 1 and .hops[0]["minutes-source"] == "estimate" and
        ([.texts[] | select(.kind == "one-way")] | length) == 1' path --json software 7.2.0-220 7.7.0-317
    json 10 '.verdict == "impossible" and ([.texts[] | select(.kind == "instead")] | length) == 3' path --json software 6.0.0 7.7.0
    json 10 '.verdict == "unprovable"' path --json firmware 7.7.1 7.7.1-20
    json 20 '.kind == "error" and .error.code == "parse"' path --json firmware 7.7 newest
    json 20 '.kind == "error"' path --json chassis 7.7.0 7.8.4
    json 20 '.kind == "error"' status --json --state "$W/state" "$W/plan.xml"
    json 0 '.kind == "check" and .exit == 0' check --json --no-agents --state "$W/state" --secrets-stdin "$W/plan.xml"
    json 0 '.kind == "status" and .run == "none" and .steps == [] and (has("exit") | not)' status --json --state "$W/state" "$W/plan.xml"
    lab hsm1 hsm.stm yes
    json 10 '.kind == "status" and .exit == 10 and .outcome == "gate-refused"' run --json --state "$W/state" --secrets-stdin "$W/plan.xml"
}

# A CA whose CRLs are too short for the window, and whose agent publishes a cover CRL: check warns, run goes on.
case_cover_needed() {
    fake_agent ca1
    cat > "$W/agent-ca1.dry.json" << 'EOF'
{"schema": 1, "kind": "answer", "verb": "pre-upgrade", "outcome": "done", "exit": 0, "gate": {"verdict": "short", "need": 14400,
 "weakest": 3600, "decides": "key 0 delta at http://pki/x.crl", "cover-needed": true, "cover-until": "2026-01-01T00:00:00Z"}}
EOF
    sed -i "s#^echo .{.*#case \"\$*\" in *dry-run*) echo 'looking at the locations'; cat '$W/agent-ca1.dry.json' ;; esac#" "$W/agent-ca1"
    PLAN_AGENTS=ca1 standard
    hu 1 check
    said 'WARNING  ca1 .*6227'
    said 'needs a cover CRL, which pre-upgrade publishes'
    said '1h 00m .key 0 delta at http://pki/x.crl.'
    hu 0 run
    said 'would publish a cover CRL, then pause'
    versions hsm1 7.7.0-317 7.7.0
    # a refusal in the dry run: nothing is touched, the first agent is not paused
    fake_agent ca2
    echo 10 > "$W/agent-ca2.dry"
    : > "$W/agent-ca1.log"
    PLAN_CHANGE=CHG2 PLAN_AGENTS='ca1 ca2' plan hsm1
    hu 13 run
    said 'nothing was touched'
    ! grep -v dry-run "$W/agent-ca1.log" || fail "an agent was paused though another one refuses"
}

if [ $# != 1 ] || ! declare -F "case_$1" > /dev/null; then
    echo "usage: driver.sh CASE; cases:" >&2
    declare -F | sed -n 's/^declare -f case_/  /p' >&2
    exit 2
fi
"case_$1"
no_secrets
echo "passed: $1"

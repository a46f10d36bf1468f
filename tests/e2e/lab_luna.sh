#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The lab appliance against the transcripts of real ones (tests/corpus/luna), and each of its faults: what the driver's
# own tests rely on. Needs root and the packages of PKG_LAB.
set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
luna=$top/tests/lab/luna/luna
corpus=$top/tests/corpus/luna
work=$(mktemp -d "${TMPDIR:-/tmp}/lab-luna.XXXXXX")
passed=0 failed=0

finish() {
    for d in "$work"/*/; do
        [ ! -e "$d/pid" ] || "$luna" down "$d" > /dev/null 2>&1
    done
    rm -rf "$work"
}
trap finish EXIT

# check NAME COMMAND...: the command must succeed
check() {
    local name=$1
    shift
    if "$@" > "$work/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n' "$name"
        sed 's/^/    /' "$work/out"
    fi
}

# says DIR REGEX LINE...: the lunash command prints that
says() {
    local dir=$1 regex=$2
    shift 2
    "$luna" talk "$dir" "$@" > "$work/text" 2>&1
    grep -Eq -- "$regex" "$work/text" || { printf 'expected: %s\n' "$regex"; cat "$work/text"; return 1; }
}

# same FILE DIR LINE: body and result line are those of the transcript, byte for byte
same() {
    "$luna" talk "$2" "$3" | sed '1d' | sed '/^Command Result : /q' > "$work/text"
    diff "$corpus/$1" "$work/text"
}

# Algorithms of the 5.x family, that today's OpenSSH offers only when told.
legacy="-o KexAlgorithms=+diffie-hellman-group14-sha1 -o HostKeyAlgorithms=+ssh-rsa -o Ciphers=+aes128-cbc -o MACs=+hmac-sha1"

no() { ! "$@"; }
is() { [ "$("$luna" get "$1" "$2")" = "$3" ] || { echo "$2 is $("$luna" get "$1" "$2"), expected $3"; return 1; }; }

# until SECONDS COMMAND...: repeats the command until it succeeds
until_() {
    local end=$((SECONDS + $1))
    shift
    until "$@" > /dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}

up() { # NAME PROFILE [KEY VALUE]...
    local name=$1 profile=$2
    shift 2
    "$luna" up "$work/$name" --profile "$profile" --set "$@" > "$work/up.out" || exit 1
}

copy() { # DIR FILE: SCP, as a client of these releases must do it
    # shellcheck disable=SC2086
    sshpass -f "$1/password" scp -O -q $legacy -P "$("$luna" get "$1" ssh.port)" -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$2" admin@127.0.0.1:
}

code() { cat "${1%.spkg}.auth"; }

literal_transcripts() {
    local seven=$work/seven five=$work/five
    up seven 7.2 hostname local_host hsm.label "" hsm.auth Password hsm.attempts 0 partitions '[]' hsm.used 0
    up five 5.x hostname hsm-2-1-2-6 hsm.label patchLuna hsm.auth Password hsm.audit_role no hsm.used 104857 \
        partitions '[{"name":"patchPart","serial":"157541008","objects":0,"total":1,"used":0,"activation":false,"auto":false,"active":true}]'
    check "hsm show 7.2" same hsm-show-7.2.txt "$seven" "hsm show"
    check "hsm show 5.3" same hsm-show-5.3.txt "$five" "hsm show"
    check "banner 7.2" banner_is_literal "$seven"
    check "hsm information show" same hsm-information-7.txt "$seven" "hsm information show"
    check "sysconf ssh show" same ssh-show-7.txt "$seven" "sysconf ssh show"
    check "ntls ipcheck show" same ipcheck.txt "$seven" "ntls ipcheck show"
    "$luna" set "$five" routes '[["192.168.101.0","0.0.0.0","255.255.255.0","U","eth0"],["10.0.106.0","172.16.106.1","255.255.255.0","UG","eth1"],["172.16.106.0","0.0.0.0","255.255.255.0","U","eth1"],["0.0.0.0","192.168.101.1","0.0.0.0","UG","eth0"]]' \
        manual_routes '["10.0.106.0/24 via 172.16.106.1 metric 0 dev eth1"]' \
        rpms '["libcryptoki-5.1.0-25","vkd-5.1.0-25","release-SA-5.1.5-2","fwupK6-bare-5.1.0-8","sa_cmd_processor-5.1.3-1"]' \
        clients '[{"name":"client_name","partitions":[]},{"name":"client name with spaces","partitions":[]},{"name":"client1","partitions":["clientPar1","clientPar2","clientPar3"]}]'
    check "network route show" same route-show-5.txt "$five" "network route show"
    check "package list" same package-list-5.1.txt "$five" "package list"
    check "client show" same client-show-5.txt "$five" "client show -c client1"
    check "client show, missing" same client-show-missing.txt "$five" "client show -c nobody"
    "$luna" set "$five" clients '[{"name":"client_name","partitions":[]},{"name":"client name with spaces","partitions":[]}]' \
        partitions '[{"name":"testPar1","serial":"157826004","objects":0,"total":102701,"used":0,"activation":false,"auto":false,"active":true},{"name":"testPar2","serial":"157826011","objects":2,"total":102701,"used":0,"activation":false,"auto":false,"active":true}]'
    check "client list" same client-list.txt "$five" "client list"
    check "partition list" same partition-list-5.txt "$five" "partition list"
    check "user list" same user-list-5.txt "$five" "user list"
    check "service status" same service-status.txt "$five" "service status syslog"
    check "status interface" same status-interface-5.txt "$five" "status interface"
    "$luna" package "$work/lunasa_update-5.1.3-1.spkg" --version 5.4.0-1 --firmware 6.20.2
    copy "$five" "$work/lunasa_update-5.1.3-1.spkg"
    check "package update 5.1" package_update_is_literal "$five"
    check "0 (Success) with [FAILED]" says "$five" '\[FAILED\]' "service stop snmp" "service stop snmp"
    "$luna" down "$seven" > /dev/null
}

banner_is_literal() {
    "$luna" talk "$1" --banner exit | sed '$d' | sed '/lunash:>/q' | sed 's/^Last login: .*/Last login: Sun Feb 10 23:17:02 2019/;s/lunash:>.*/lunash:>/' |
        diff "$corpus/banner-7.2.txt" -
}

package_update_is_literal() {
    "$luna" talk "$1" "hsm login -p $(cat "$1/so.password")" \
        "package update lunasa_update-5.1.3-1.spkg -a $(code "$work/lunasa_update-5.1.3-1.spkg") -f" |
        sed '1,/lunash:>package/d' | sed '/^Command Result : /q' | diff "$corpus/package-update-5.1.txt" -
}

logins() {
    local d=$work/login
    up login 7.2 times.pedk 0.6 times.pedo 1.5
    local before=$passed
    check "PED message" says "$d" 'use Security Officer \(blue\) PED key' "hsm login"
    check "time-out does not count" is "$d" hsm.attempts 3
    "$luna" set "$d" ped.auto black
    check "wrong colour waits on" says "$d" '300134 : LUNA_RET_SP_TIMEOUT' "hsm login"
    check "wrong colour does not count" is "$d" hsm.attempts 3
    "$luna" ped "$d" auto none
    "$luna" set "$d" times.pedk 20 times.pedo 30
    "$luna" ped "$d" present wrong > /dev/null &
    check "wrong key" says "$d" 'A00000 : LUNA_RET_UM_PIN_INCORRECT' "hsm login"
    wait $!
    check "wrong key counts" is "$d" hsm.attempts 2
    check "counter shown" says "$d" 'attempts left:      2 before HSM zeroization!' "hsm show"
    "$luna" set "$d" ped.auto wrong
    check "second" says "$d" 'A00000' "hsm login"
    check "last attempt: Caution first" says "$d" 'Caution:  This is your LAST available HSM Admin login attempt' "hsm login"
    check "quit keeps the attempt" is "$d" hsm.attempts 1
    check "third zeroizes" says "$d" '30000F : LUNA_RET_SO_LOGIN_FAILURE_THRESHOLD' --proceed "hsm login"
    check "zeroized" says "$d" 'HSM IS ZEROIZED !!!!' "hsm show"
    "$luna" set "$d" hsm.attempts 3 ped.auto blue ped.attached no
    check "PED unplugged" says "$d" '300142' "hsm login"
    "$luna" set "$d" ped.attached yes ped.firmware 2.7.1 hsm.fw 7.7.0
    check "PED too old for 7.7.0" says "$d" '300141' "hsm login"
    "$luna" set "$d" ped.firmware 2.7.4 ped.keys_needed 2
    check "M of N" says "$d" "'hsm login' successful" "hsm login"
    "$luna" set "$d" shell.motd 'Maintenance tonight.\n[x] lunash:>'
    check "message of the day" says "$d" 'lunash:>' --banner "status date"
    "$luna" set "$d" shell.motd "" shell.must_change_password yes
    check "password-change block" no timeout 3 "$luna" talk "$d" "status date"
    "$luna" set "$d" shell.must_change_password no ssh.auth keyboard-interactive
    check "keyboard-interactive" until_ 5 says "$d" 'UTC' "status date"
    check "admin password refused" no sh -c "sshpass -p wrong ssh -p $("$luna" get "$d" ssh.port) -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null admin@127.0.0.1 true"
    check "exec channel refused" no sh -c "sshpass -f '$d/password' ssh -p $("$luna" get "$d" ssh.port) -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null admin@127.0.0.1 'hsm show'"
    check "serial" says "$d" 'Software Version:                7.2.0-220' --serial "hsm show"
    "$luna" set "$d" serial.garbage yes
    check "serial with garbage" says "$d" 'Software Version' --serial "hsm show"
    "$luna" set "$d" shell.columns 40 shell.wrap_output yes
    check "40 columns" no grep -Eq '.{60}' <("$luna" talk "$d" "hsm show")
    "$luna" set "$d" shell.columns 0 hsm.dead yes
    check "HSM does not answer" says "$d" 'Unable to communicate with HSM' "hsm show"
    [ $passed -gt "$before" ]
    "$luna" down "$d" > /dev/null
}

upgrade() {
    local d=$work/upgrade p=$work/lunasa_update-7.7.0-317.spkg patch=$work/lunasa-reboot-patch-3.spkg c
    up upgrade 7.2 ped.auto blue
    "$luna" package "$p"
    "$luna" package "$patch" --kind patch --version 7.2.0 --firmware ""
    c=$(code "$p")
    printf 'echo "$1" >> %s/words\n' "$work" > "$work/signer.sh"
    "$luna" set "$d" signer.command "sh $work/signer.sh"
    check "SFTP refused before 7.9" no sftp_put "$d" "$p"
    check "SCP" copy "$d" "$p"
    check "listed" says "$d" 'lunasa_update-7.7.0-317.spkg' "package listfile"
    check "same bytes" cmp "$p" "$d/files/lunasa_update-7.7.0-317.spkg"
    check "name refused" no copy "$d" "$work/.hidden"
    check "needs SO login" says "$d" '65535 \(Luna Shell execution\)' "package verify lunasa_update-7.7.0-317.spkg -a $c"
    check "wrong code" says "$d" 'Command failed:  decrypt package' "hsm login" "package verify lunasa_update-7.7.0-317.spkg -a 5/Rd79MAGd/G9EY5"
    check "patch missing" says "$d" 'requires the reboot fix' "hsm login" "package update lunasa_update-7.7.0-317.spkg -a $c -f"
    copy "$d" "$patch"
    check "patch" says "$d" 'UPDATE COMPLETED' "hsm login" "package update lunasa-reboot-patch-3.spkg -a $(code "$patch") -f"
    check "patch listed" says "$d" '^lunasa-reboot-patch-3' "package list"
    check "already installed" says "$d" 'Command failed: RPM update for original filename' "hsm login" \
        "package update lunasa-reboot-patch-3.spkg -a $(code "$patch") -f"
    check "quit leaves all" says "$d" 'one-way operation' "hsm login" "package update lunasa_update-7.7.0-317.spkg -a $c"
    check "nothing pending" is "$d" sw_pending ""
    "$luna" set "$d" fault.drop "package update@5" times.silence 8
    check "connection lost in the update" no "$luna" talk "$d" "hsm login" "package update lunasa_update-7.7.0-317.spkg -a $c -f"
    check "which carries on" is "$d" busy "package update lunasa_update-7.7.0-317.spkg"
    check "nobody else may" says "$d" 'Another operation is in progress' "hsm login" "package update lunasa_update-7.7.0-317.spkg -a $c -f"
    check "to its end" until_ 30 is "$d" sw_pending 7.7.0-317
    until_ 5 is "$d" busy ""
    check "reboot" says "$d" 'Reboot commencing' "sysconf appliance reboot -force"
    check "port closes" until_ 5 no says "$d" lunash "status date"
    check "and opens" until_ 15 says "$d" UTC "status date"
    check "new software" says "$d" '7.7.0-317' "package list"
    until_ 5 says "$d" 'Firmware: ' "hsm show"
    check "activation lost" says "$d" 'Activated:                     No' "partition show"
    check "keys told" until_ 3 words_are "away deactivated "
    "$luna" ped "$d" present black > /dev/null
    check "keys back" [ "$(tail -1 "$work/words")" = ready ]
    "$luna" set "$d" hsm.stm yes
    check "STM" says "$d" "'hsm update firmware' failed. \(10A0B : LUNA_RET_OPERATION_RESTRICTED\)" "hsm login" "hsm firmware upgrade -f"
    "$luna" set "$d" hsm.stm no times.firmware 1 fault.drop "hsm firmware upgrade@0"
    check "connection lost in the firmware" no "$luna" talk "$d" "hsm login" "hsm firmware upgrade -f"
    check "new firmware" until_ 10 says "$d" 'Firmware:                           7.7.0' "hsm show"
    check "one step back only" says "$d" 'Rollback Firmware:   7.0.3' "hsm firmware show"
    "$luna" set "$d" times.boot 0.3 boot.new_host_key yes
    local key
    key=$(cat "$d/hostkey.pub")
    check "reboots over the serial line" says "$d" 'commencing' --serial "sysconf appliance reboot -force"
    check "comes back" until_ 15 is "$d" boots 3
    check "another host key" until_ 5 host_key_is_not "$d" "$key"
    "$luna" set "$d" routes '[["0.0.0.0","192.168.101.1","0.0.0.0","UG","eth0"],["0.0.0.0","10.0.0.1","0.0.0.0","UG","eth1"]]'
    "$luna" power "$d" reboot-now
    check "boots" until_ 15 is "$d" boots 4
    check "two default routes: no network" no says "$d" lunash "status date"
    check "serial still there" says "$d" '10.0.0.1' --serial "network route show"
    check "route deleted" says "$d" 'Restarting network' --serial "network route delete 0.0.0.0 -device eth1"
    check "network back" until_ 10 says "$d" UTC "status date"
    "$luna" down "$d" > /dev/null
}

words_are() { [ "$(tr '\n' ' ' < "$work/words")" = "$1" ]; }

host_key_is_not() {
    local now
    now=$(ssh-keyscan -t rsa -p "$("$luna" get "$1" ssh.port)" 127.0.0.1 2> /dev/null | cut -d' ' -f3)
    [ -n "$now" ] && [ "$now" != "$(cut -d' ' -f2 <<< "$2")" ]
}

sftp_put() {
    sshpass -f "$1/password" scp -s -q -P "$("$luna" get "$1" ssh.port)" -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$2" admin@127.0.0.1:
}

newer() {
    local d=$work/newer p=$work/lunasa_update-7.9.1-1.spkg
    up newer 7.9 ped.auto blue times.idle 1.5 disk.size 2000000500
    "$luna" package "$p" --version 7.9.1-1 --firmware 7.8.4 --size 400
    check "SFTP from 7.9" sftp_put "$d" "$p"
    check "same bytes by SFTP" cmp "$p" "$d/files/$(basename "$p")"
    "$luna" package "$work/big.spkg" --size 100k
    check "disk full" no copy "$d" "$work/big.spkg"
    "$luna" set "$d" disk.size 8000000000 fault.drop transfer@50000
    check "lost in the transfer" no copy "$d" "$work/big.spkg"
    check "half a file" [ "$(stat -c %s "$d/files/big.spkg")" = 50000 ]
    check "idle shell is closed" no timeout 5 sh -c "sleep 4 | sshpass -f '$d/password' ssh -tt -p $("$luna" get "$d" ssh.port) -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null admin@127.0.0.1 | grep -q 'never printed'"
    check "idle logged" grep -q 'logout (idle)' "$d/lunalogs"
    "$luna" set "$d" times.idle 60 update.self_reboot before needs_reboot_patch no
    check "reboots by itself" no "$luna" talk "$d" "hsm login" "package update lunasa_update-7.9.1-1.spkg -a $(code "$p") -f"
    check "and comes back" until_ 15 says "$d" '7.9.1-1' "package list"
    "$luna" set "$d" fault.question "status disk"
    check "unknown question" says "$d" 'entries of an unknown format' "status disk"
    "$luna" set "$d" boot.never yes
    "$luna" power "$d" reboot-now
    check "never comes back" no until_ 3 says "$d" UTC "status date"
    "$luna" power "$d" power-on
    check "until somebody presses the button" until_ 15 says "$d" UTC "status date"
    check "no code in the log" no grep -q "$(code "$p")" "$d/lunalogs"
}

literal_transcripts
logins
upgrade
newer
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A CA that is a resource of a failover cluster, whole: refused on the passive node, taken offline and online through the
# cluster (never through the SCM), a fail-over in the middle, a resource that does not come online, the service killed while
# it goes offline; and the other services that go down with it, in their order. The cluster is the lab's clusapi.dll in System32.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"
ini="$L/prefix/drive_c/lab/cluster.ini"

# The lab's cluster writes its file in place, at any moment: whole is a file that ends with [end] and stays the same for a while.
cluster() { # SECTION KEY [VALUE]: prints or sets
    python3 - "$ini" "$@" <<'P'
import configparser, os, sys, time
path, section, key = sys.argv[1:4]
before, text = None, ""
for _ in range(200):
    before, text = text, open(path, newline="").read()
    if text == before and text.rstrip().endswith("[end]"):
        break
    time.sleep(0.02)
else:
    sys.exit("cluster.ini is never whole")
c = configparser.RawConfigParser()
c.optionxform = str
c.read_string(text)
if len(sys.argv) > 4:
    c.set(section, key, sys.argv[4])
    with open(path + '.new', 'w', newline='\r\n') as f:
        c.write(f, space_around_delimiters=False)
    os.replace(path + '.new', path)
else:
    print(c.get(section, key, fallback=''))
P
}

make_cluster() {
    local f
    for f in clusapi resutils; do
        rm -f "$L/prefix/drive_c/windows/system32/$f.dll"
        cp "$CRLAGENT_BUILD/bin/lab/cluster/$f.dll" "$L/prefix/drive_c/windows/system32/"
    done
    {
        printf '[cluster]\r\nnode_state=19\r\n[moods]\r\n[calls]\r\n'
        printf '[Lab Disk]\r\ntype=Physical Disk\r\nowner=CA01\r\nstate=2\r\n'
        printf '[Lab CA]\r\ntype=Generic Service\r\nservice=CertSvc\r\nneeds=Lab Disk\r\nowner=CA01\r\nstate=2\r\npersistent=1\r\n'
        printf '[Lab Web]\r\ntype=Generic Application\r\nneeds=Lab CA\r\nowner=CA01\r\nstate=2\r\npersistent=1\r\n'
        printf '[end]\r\n'
    } > "$ini"
    win sc.exe create ClusSvc binPath= 'C:\windows\system32\none.exe' > /dev/null
    win reg.exe add 'HKLM\Cluster\Resources\r1\Parameters' /v ServiceName /d CertSvc /f > /dev/null
}

pre() { expect_out "$1" hook pre-upgrade --change "$2" --window 30m --reserve 10m --json; }
post() { expect_out "$1" hook post-upgrade --change "$2" --json; }
online() { [ "$(cluster 'Lab CA' state)" = 2 ]; }
as_before() {
    expect "CA online" "$(cluster 'Lab CA' state) $(cluster 'Lab CA' persistent)" "2 1"
    expect "what depends on it online" "$(cluster 'Lab Web' state)" 2
    expect "CertSvc as before" "$(service_state CertSvc)" "$ca_before"
    expect "services of the configuration as before" "$(service_state Spooler), $(service_state LabUser)" "$others_before"
    expect "never stopped through the SCM" "$(cluster 'Lab CA' restarts)" ""
}
stopping() { agent_out status --json 2>/dev/null | jq -e '.maintenance.state == "pausing"'; }
newest_is() { [ "$(agent_out history --json 2>/dev/null | jq -r '.maintenances[0].state')" = "$1" ]; }

step "a lab CA as a cluster resource; two services go down with it, in the order of the configuration"
lab_up --no-ad
make_cluster
# Wine lists no dependants of a service (EnumDependentServices gives none), so both are named.
win sc.exe create LabUser binPath= 'C:\windows\system32\certsrv.exe dependant' depend= Spooler > /dev/null
win labadm.exe start Spooler > /dev/null
win labadm.exe start LabUser > /dev/null
PROOF=4s agent_install '<stop-with><service>LabUser</service><service>Spooler</service></stop-with>'
ca_before=$(service_state CertSvc) others_before="$(service_state Spooler), $(service_state LabUser)"
expect "all run" "${ca_before% *}, $others_before" "4, 4 3, 4 3"
expect_out 0 status --json
expect_match "status names the resource" "$(json '."ca-service"')" "running: cluster resource 'Lab CA' on CA01"
expect_out 2 doctor --json
expect_match "doctor names it too" "$(json '.lines[] | select(.id == "cluster") | .state + " " + .text')" "ok .*'Lab CA' on CA01"

step "on the passive node: refused, the owner is named, nothing is touched"
cluster 'Lab CA' owner CA02
pre 10 K-PASSIVE
expect_match "says where" "$(json .error.text)" 'node CA02'
expect "not touched" "$(cluster calls OfflineClusterResource)" ""
cluster 'Lab CA' owner CA01

step "a cluster that cannot be asked: nothing is done"
cluster moods OpenCluster.error 5
expect_out 23 hook pre-upgrade --change K-BLIND --window 30m --json
expect_match "says why" "$(json .error.text)" 'is not known, so nothing is done to it'
cluster moods OpenCluster.error 0

step "pre-upgrade on the owner: offline through the cluster, in the order of the configuration"
pre 0 K-ONE
expect "CA offline, and to stay so" "$(cluster 'Lab CA' state) $(cluster 'Lab CA' persistent)" "3 0"
expect "what depends on it" "$(cluster 'Lab Web' state)" 3
expect "what it needs stays" "$(cluster 'Lab Disk' state)" 2
expect "CertSvc stopped, its start type not touched" "$(service_state CertSvc)" "1 ${ca_before#* }"
expect_out 0 maintenance --json
expect "order" "$(json '[.steps[] | select(.name == "stop") | .subject] | join(" ")')" "LabUser Spooler cluster:Lab Web CertSvc"

step "a fail-over while paused: told, held offline, and not started over there"
cluster 'Lab CA' owner CA02
cluster 'Lab Web' owner CA02
expect_rc 0 agent stop
expect_rc 0 agent start
told() { agent_log | grep -q ' 5030 '; }
eventually 10 "the log says that the role has moved" told
post 15 K-ONE
expect_match "says where it is" "$(json .error.text)" 'node CA02'
expect "still offline" "$(cluster 'Lab CA' state) $(cluster calls OnlineClusterResource)" "3 "
cluster 'Lab CA' owner CA01
cluster 'Lab Web' owner CA01

step "back on its node, but the CA does not come online: held with the state of the resource"
lab ca set start_refused 0x80090030
post 15 K-ONE
expect_match "says what state" "$(json .error.text)" "cluster resource 'Lab CA' on CA01, failed"
lab ca unset start_refused

step "then it does: proven, everything as before"
post 0 K-ONE
expect "state" "$(json .state)" closed
expect "comparison" "$(json .comparison.good)" true
as_before

step "killed while the resource goes offline: undone at the next start"
cluster 'Lab CA' pending_ms 3000
( agent_out hook pre-upgrade --change K-KILL --window 30m --reserve 10m --json > "$T/kill" 2>&1 || true ) &
call=$!
eventually 20 "state pausing" stopping
eventually 10 "offline pending" bash -c "grep -q 'state=130' '$ini'"
win taskkill.exe /f /im crlagent.exe > /dev/null
wait $call || true
win labadm.exe start crlagent > /dev/null || true
eventually 20 "service answers" agent status --json
eventually 30 "the pause is undone" newest_is aborted
as_before
passed

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The directory's entry is missing, empty, or holds the placeholder: check tells them apart, the gate refuses by name.
. "$(dirname "${BASH_SOURCE[0]}")/agent.sh"

step "a lab CA that publishes to a directory, with the agent"
lab_up
lab ca set no_schedule 1
lab ca set retry_seconds 3600
PROOF=4s agent_install
before=$(service_state CertSvc)

# sees ID WORDS: check is CRITICAL, says so at the ldap location, and nothing else
sees() {
    expect_out 2 check --format json
    expect "the findings" "$(json '[.findings[] | select(.severity == "critical") | .id] | unique | join(" ")')" "$1"
    expect_match "the location" "$(json ".findings[] | select(.id == $1) | .url")" '^ldap:'
}

step "check: all is well; then no entry, an entry without the attribute, the placeholder of a new installation"
expect_out 0 check --format json
lab ad remove-object; sees 4048
lab ad restore; sees 4050
expect_rc 0 win labadm.exe publish 0x13
expect_out 0 check --format json
lab ad remove-attribute; sees 4049

step "the gate refuses, names the location, and touches nothing"
expect_out 10 hook pre-upgrade --change L-ATTRIBUTE --window 30m --reserve 10m --json
expect_match "names the location" "$(json .error.text)" '^the gate refuses: ldap:.*no-attribute'
expect "CA" "$(service_state CertSvc)" "$before"

step "a directory that refuses the CA: the publication is made and not delivered"
lab ad restore
lab ad deny
expect_out 12 publish --json
expect "verdict" "$(json .proof.verdict)" created-not-delivered
expect_match "names the directory" "$(json .error.text)" 'ldap:'
lab ad restore
expect_out 0 publish --json
expect_out 0 check --format json
passed

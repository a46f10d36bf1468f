# SPDX-License-Identifier: Apache-2.0
# Part of 'lab': a Samba Active Directory domain controller, dc1.ad.lab.test on 127.0.2.1 (and on 127.0.0.1, where Wine
# looks for the server of a host-less LDAP URL). It is provisioned once per machine
# into the cache and copied per lab; inside a lab its folder stands at /mnt, so that no path in it changes. The CA writes as
# the account 'labca', a member of Cert Publishers, whose password is random and lives in the cache (mode 600).

AD_BASE="DC=ad,DC=lab,DC=test"
AD_CONFIG="CN=Configuration,$AD_BASE"
AD_CDP="CN=CDP,CN=Public Key Services,CN=Services,$AD_CONFIG"
AD_HOST=dc1.ad.lab.test

# Changes with everything that decides what the template is
ad_key() { { cat "$LAB_HOME/lab_ad.sh"; dpkg-query -W -f '${Version}' samba 2>/dev/null || true; } | sha256sum | cut -c1-16; }

ad_settings() {
    echo "config_dn=$AD_CONFIG"
    echo "domain_dn=$AD_BASE"
    echo 'cdp.3=79:ldap:///CN=%7%8,CN=%2,CN=CDP,CN=Public Key Services,CN=Services,%6%10'
    echo "ldap_host=$AD_HOST"
    echo "ldap_user=labca@ad.lab.test"
    echo "ldap_password=$(< "$DIR/ad/labca.password")"
}

# set_password DN FILE: in the new database; a password never stands on a command line
set_password() {
    printf 'dn: %s\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: %s\n' "$1" \
        "$(printf '"%s"' "$(< "$2")" | iconv -t UTF-16LE | base64 -w0)" | ldbmodify -H /mnt/private/sam.ldb
}

# Runs in a space of its own, where /mnt is the new folder and the host is called dc1.
cmd__provision() { # FOLDER
    local dir=$1
    umask 077
    printf 'Aa1-%s' "$(openssl rand -hex 16)" > "$dir/labca.password"
    printf 'Aa1-%s' "$(openssl rand -hex 16)" > "$dir/admin.password"
    mount --bind "$dir" /mnt
    hostname dc1
    ip link set lo up
    echo "127.0.2.1 dc1.ad.lab.test dc1" > "$dir/hosts"
    mount --bind "$dir/hosts" /etc/hosts
    samba-tool domain provision --realm=AD.LAB.TEST --domain=ADLAB --server-role=dc --dns-backend=SAMBA_INTERNAL \
        --host-name=dc1 --host-ip=127.0.2.1 --targetdir=/mnt
    sed -i -e '/^\tlog file =/d' -e '/^\tdns forwarder =/d' -e '/^\[global\]/a\
\tbind interfaces only = yes\
\tinterfaces = 127.0.0.1/8 127.0.2.1/8\
\tldap server require strong auth = no\
\tserver services = ldap, cldap, kdc, dns\
\tdns forwarder =\
\tpid directory = /mnt/run\
\tlog file = /mnt/samba.log\
\tpassword hash userPassword schemes =\
\tdsdb event notification = no' /mnt/etc/smb.conf
    mkdir -p /mnt/run
    local conf="--configfile=/mnt/etc/smb.conf" sam=/mnt/private/sam.ldb
    samba-tool user create $conf labca --random-password
    samba-tool group addmembers $conf "Cert Publishers" labca
    printf 'dn: CN=Directory Service,CN=Windows NT,CN=Services,%s\nchangetype: modify\nreplace: dSHeuristics\ndSHeuristics: 0000002\n' \
        "$AD_CONFIG" | ldbmodify -H $sam
    # Cert Publishers may write below CN=CDP; everybody, without a logon too, may read: relying parties of a lab have no account.
    samba-tool dsacl set $conf -H $sam --objectdn="$AD_CDP" --sddl="(A;CI;GA;;;CA)"
    samba-tool dsacl set $conf -H $sam --objectdn="$AD_CDP" --sddl="(A;CI;RPLCLORC;;;AN)"
    set_password "CN=labca,CN=Users,$AD_BASE" "$dir/labca.password"
    set_password "CN=Administrator,CN=Users,$AD_BASE" "$dir/admin.password"
    : > "$dir/complete"
}

ad_make_template() { # FOLDER
    [ ! -e "$1/complete" ] || return 0 # another lab made it while this one waited
    note "provisioning an Active Directory once, in $1"
    rm -rf "$1.partial"
    mkdir -p "$1.partial"
    unshare --net --mount --uts "$0" _provision "$1.partial" > "$DIR/log/provision.log" 2>&1 8>&- ||
        die "provisioning the Active Directory failed; see $DIR/log/provision.log"
    mv "$1.partial" "$1"
}

ad_template() {
    local dir
    dir=$CACHE/lab-ad-$(ad_key)
    [ -e "$dir/complete" ] || once ad_make_template "$dir"
    echo "$dir"
}

ad_daemon() {
    inside samba -D -M single --configfile=/mnt/etc/smb.conf >> "$DIR/log/samba.log" 2>&1
}

ad_start() {
    for p in samba samba-tool ldbmodify ldapadd; do
        command -v $p > /dev/null || die "'$p' is not installed ('./dev test' installs it; or use: up --no-ad)"
    done
    local template
    template=$(ad_template)
    cp -a "$template" "$DIR/ad"
    inside mount --bind "$DIR/ad" /mnt
    ad_daemon
}

# ldap TOOL ARGUMENTS...: as the domain's administrator, over the lab's own loopback
ldap() {
    local tool=$1
    shift
    inside "$tool" -x -H "ldap://$AD_HOST" -D administrator@ad.lab.test -y "$DIR/ad/admin.password" "$@"
}

ad_object() { # KEY INDEX
    local suffix=
    [ "$1" = 0 ] || suffix="($1)"
    echo "CN=$CA_NAME$suffix,CN=CA01,$AD_CDP"
}

ad_add_object() { # KEY INDEX: as the CA's installation leaves it, with the placeholder of one zero byte
    printf 'dn: %s\nobjectClass: cRLDistributionPoint\ncertificateRevocationList:: AA==\ndeltaRevocationList:: AA==\n' \
        "$(ad_object "$1")" | ldap ldapadd > /dev/null
}

ad_answers() { ldap ldapsearch -o nettimeout=2 -s base -b "" dnsHostName; }

ad_ready() {
    local i
    wait_for 20 "the domain controller" ad_answers
    printf 'dn: CN=CA01,%s\nobjectClass: container\n' "$AD_CDP" | ldap ldapadd > /dev/null
    for ((i = 0; i < KEYS; i++)); do ad_add_object $i; done
    printf '%s\n' "$CA_NAME" > "$DIR/ad/ca-name"
    echo "$KEYS" > "$DIR/ad/keys"
}

ad_status() {
    if [ ! -d "$DIR/ad" ]; then echo "ad: none"
    elif ad_answers > /dev/null 2>&1; then echo "ad: $AD_HOST answers"
    else echo "ad: $AD_HOST does not answer"; fi
}

ad_modify() { ldap ldapmodify > /dev/null; }

ad_off() {
    inside bash -c 'kill "$(< /mnt/run/samba.pid)"'
    ad_gone() { ! inside test -d "/proc/$(cat "$DIR/ad/run/samba.pid" 2>/dev/null || echo x)"; }
    wait_for 10 "samba to stop" ad_gone
}

# A second domain controller that lags behind: a copy of the first as it is now, on 127.0.2.2, never replicated to.
ad_second() { # on | off
    local dir=$DIR/ad/second
    if [ "$1" = off ]; then
        [ ! -e "$dir/run/samba.pid" ] || inside kill "$(< "$dir/run/samba.pid")"
        rm -rf "$dir"
        return
    fi
    [ ! -e "$dir" ] || die "there is a second domain controller already (end it with: $0 ad $DIR dc2 off)"
    mkdir "$dir"
    cp -a "$DIR/ad"/{etc,private,state,cache} "$dir/" 2>/dev/null || true
    mkdir -p "$dir/run" "$dir/cache"
    sed -i -e 's#/mnt#/mnt/second#g' -e 's#interfaces = 127.*#interfaces = 127.0.2.2/8#' "$dir/etc/smb.conf"
    inside samba -D -M single --configfile=/mnt/second/etc/smb.conf >> "$DIR/log/samba2.log" 2>&1
    wait_for 20 "the second domain controller" inside ldapsearch -x -H ldap://dc2.ad.lab.test -s base -b "" dnsHostName
}

cmd_ad() { # VERB [KEY]
    local verb=${1:-show} key=${2:-0} dn
    [ -d "$DIR/ad" ] || die "this lab has no Active Directory (it was made with --no-ad)"
    CA_NAME=$(< "$DIR/ad/ca-name")
    dn=$(ad_object "$key")
    case $verb in
        remove-object) ldap ldapdelete "$dn" ;;
        remove-attribute) printf 'dn: %s\nchangetype: modify\ndelete: certificateRevocationList\n-\ndelete: deltaRevocationList\n' "$dn" | ad_modify ;;
        placeholder) printf 'dn: %s\nchangetype: modify\nreplace: certificateRevocationList\ncertificateRevocationList:: AA==\n-\nreplace: deltaRevocationList\ndeltaRevocationList:: AA==\n' "$dn" | ad_modify ;;
        deny) inside samba-tool dsacl set --configfile=/mnt/etc/smb.conf -H /mnt/private/sam.ldb --objectdn="$dn" --sddl="(D;;WPSD;;;CA)" > /dev/null ;;
        restore) ldap ldapdelete "$dn" > /dev/null 2>&1 || true; ad_add_object "$key" ;;
        off) ad_off ;;
        dc2) ad_second "${2:-on}" ;;
        on) ad_daemon; wait_for 20 "the domain controller" ad_answers ;;
        show) inside ldapsearch -x -LLL -o ldif-wrap=no -H "ldap://$AD_HOST" -s base -b "$dn" certificateRevocationList deltaRevocationList ;;
        *) die "unknown 'ad' command '$verb' (see: $0 help)" ;;
    esac
}

# SPDX-License-Identifier: Apache-2.0
# Part of 'lab': nginx with two nodes behind one name (pki.lab.test: 127.0.1.1, 127.0.1.2) and the parent's site
# (root.lab.test: 127.0.1.3). A node misbehaves by another small configuration file and a reload.

node_address() { case $1 in 1) echo 127.0.1.1 ;; 2) echo 127.0.1.2 ;; root) echo 127.0.1.3 ;; esac; }

node_content() { # NODE FOLDER
    if [ "$1" = root ]; then echo "location / { root $2; types { } default_type application/pkix-crl; }"
    else echo "location /pki/ { alias $2/; types { } default_type application/pkix-crl; }"; fi
}

# The part of the configuration for one node in one mode
node_conf() { # NODE MODE
    local dir=$DIR/www/pki node=$1 copy=$DIR/www/copy$1
    [ "$node" != root ] || dir=$DIR/www/root
    echo "server { listen $(node_address "$node"):80; server_name _; access_log $DIR/log/web$node.log lab;"
    case $2 in
        fresh) node_content "$node" "$dir" ;;
        stale | truncate) node_content "$node" "$copy" ;;
        html) echo 'location / { default_type text/html; return 200 "<html><body><h1>Sign in</h1></body></html>"; }' ;;
        notmodified) echo 'location / { return 304; }' ;;
        error) echo 'location / { return 503; }' ;;
        missing) echo 'location / { return 404; }' ;;
        cut | endless | slow)
            echo "location / { proxy_pass http://127.0.1.9:8009/; proxy_buffering off; proxy_set_header X-Mode $2;"
            echo "proxy_read_timeout 600s; proxy_set_header X-Path \$request_uri; proxy_set_header X-Folder $dir; }" ;;
    esac
    echo "}"
}

# What yesterday's mirror or a broken copy looks like: a snapshot taken now
node_snapshot() { # NODE MODE
    local dir=$DIR/www/pki copy=$DIR/www/copy$1 f
    [ "$1" != root ] || dir=$DIR/www/root
    [ "$2" = stale ] || [ "$2" = truncate ] || return 0
    rm -rf "$copy"
    cp -a "$dir" "$copy"
    [ "$2" = truncate ] || return 0
    for f in "$copy"/*; do truncate -s $(($(stat -c %s "$f") / 2)) "$f"; done
}

node_write() { # NODE MODE
    node_snapshot "$1" "$2"
    if [ "$2" = off ]; then : > "$DIR/nginx/node$1.conf"; else node_conf "$1" "$2" > "$DIR/nginx/node$1.conf"; fi
    echo "$2" > "$DIR/nginx/node$1.mode"
}

node_settled() { # NODE MODE: does the node answer, or not, as it now should?
    local up=no
    inside bash -c "exec 3<>/dev/tcp/$(node_address "$1")/80" 2>/dev/null && up=yes
    if [ "$2" = off ]; then [ $up = no ]; else [ $up = yes ]; fi
}

web_mode() { # NODE MODE
    # An nginx worker that already listens keeps old connections; wait until a new answer shows the new mode.
    node_write "$1" "$2"
    inside nginx -e "$DIR/log/nginx.log" -c "$DIR/nginx/nginx.conf" -s reload
    wait_for 5 "web node $1 to be $2" node_settled "$1" "$2"
    sleep 0.15
}

web_start() {
    local n
    cat > "$DIR/nginx/nginx.conf" <<E
user root;
worker_processes 1;
pid $DIR/nginx/nginx.pid;
error_log $DIR/log/nginx.log;
events { worker_connections 256; }
http {
    log_format lab '\$time_iso8601 "\$request" \$status \$body_bytes_sent "\$http_if_none_match" "\$http_if_modified_since"';
    client_body_temp_path $DIR/nginx/tmp; proxy_temp_path $DIR/nginx/tmp; fastcgi_temp_path $DIR/nginx/tmp;
    uwsgi_temp_path $DIR/nginx/tmp; scgi_temp_path $DIR/nginx/tmp;
    include $DIR/nginx/node*.conf;
    server { listen 127.0.1.8:80; location / { return 204; } }
}
E
    for n in 1 2 root; do node_write $n fresh; done
    inside setsid nginx -e "$DIR/log/nginx.log" -c "$DIR/nginx/nginx.conf" < /dev/null
    inside setsid python3 "$LAB_HOME/badweb.py" 127.0.1.9 8009 > "$DIR/log/badweb.log" 2>&1 < /dev/null &
    for n in 1 2 root; do wait_for 5 "web node $n" node_settled $n fresh; done
}

web_status() {
    local n
    for n in 1 2 root; do echo "web $n ($(node_address $n)): $(cat "$DIR/nginx/node$n.mode")"; done
}

cmd_web() { # MODE [NODE]
    local n
    case ${1:-status} in
        status) web_status ;;
        fresh | on) for n in ${2:-1 2}; do web_mode "$n" fresh; done ;;
        stale | html | truncate | cut | endless | slow | error | missing | notmodified | off) for n in ${2:-1 2}; do web_mode "$n" "$1"; done ;;
        *) die "unknown 'web' mode '$1' (see: $0 help)" ;;
    esac
}

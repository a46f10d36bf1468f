#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The HTML report in a real browser: axe-core finds no accessibility fault, nothing is wider than the window, at 1280 and
# 400 pixels, light and dark; and it prints. With a folder as argument the pictures are kept there.
set -euo pipefail
keep=${1:-}
cache=${CRLAGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/crlagent}
axe=$cache/npm/node_modules/axe-core/axe.min.js
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -s "$axe" ] || { echo "axe-core is missing: ./dev test puts it into $cache/npm"; exit 1; }
fails=0
fail() { fails=$((fails + 1)); printf 'FAIL: %s\n' "$*"; }

CRLAGENT_TEST_PAGE=$work/report.html "${CRLAGENT_BUILD:?}/bin/test_report" > /dev/null 2>&1 || fail "test_report"
[ -s "$work/report.html" ] || { echo "no page was written"; exit 1; }
# The page itself allows no script: the copy for the check is without that rule, and with axe-core in it.
{
    grep -v 'Content-Security-Policy\|unsafe-inline' "$work/report.html" | sed '/<\/body>/,$d'
    printf '<script>'
    cat "$axe"
    cat <<'HTML'
</script><script>
const d = document.documentElement;
if (window.innerWidth < 640) d.style.width = '400px'; // the browser's narrowest window is 500
axe.run(document).then(r => {
  const said = r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target));
  const room = d.style.width ? parseInt(d.style.width) : window.innerWidth;
  for (const e of document.querySelectorAll('body *:not(thead *):not(thead)'))
    if (e.getBoundingClientRect().right > room + 1) said.push('wider than ' + room + ': ' + e.tagName + ' ' + e.className);
  document.title = 'checked ' + r.passes.length + ' rules, ' + (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light') +
    ' ' + room + ', faults: ' + said.length + ' ' + said.join('; ');
});
</script></body></html>
HTML
} > "$work/check.html"

browser() {
    timeout 20 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$work/profile-$RANDOM" "$@" 2>> "$work/browser.txt"
}
for scheme in 1:light 0:dark; do
    for size in 1280 400; do
        args=(--blink-settings="preferredColorScheme=${scheme%%:*}" --virtual-time-budget=8000 --window-size=$size,2400)
        said=$(browser "${args[@]}" --dump-dom "file://$work/check.html" | grep -o '<title>checked [^<]*' | head -1 || true)
        case $said in
            *"rules, ${scheme##*:} $size, faults: 0 "*) echo "$said" ;;
            *) fail "$size ${scheme##*:}: ${said:-no answer: $(tail -3 "$work/browser.txt")}" ;;
        esac
        [ -n "$keep" ] || continue
        printf '<body style="margin:0"><iframe src="report.html" style="border:0;width:%spx;height:2400px">' "$size" > "$work/frame.html"
        browser "${args[@]}" --screenshot="$keep/page-$size-${scheme##*:}.png" "file://$work/frame.html" > /dev/null || fail "picture"
    done
done
browser --print-to-pdf="$work/report.pdf" --no-pdf-header-footer "file://$work/report.html" > /dev/null || fail "printing"
[ "$(head -c 5 "$work/report.pdf")" = '%PDF-' ] || fail "no PDF"
[ -z "$keep" ] || cp "$work/report.pdf" "$keep/page.pdf"
echo "$fails failed"
[ "$fails" = 0 ]

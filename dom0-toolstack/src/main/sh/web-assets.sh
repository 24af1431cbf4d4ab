# Fetches noVNC and xterm.js by npm, as the lock file says, and lays them out for the jar. Run by the build:
#   sh web-assets.sh DIRECTORY-OF-LOCK-FILE WORK-DIRECTORY ASSETS-DIRECTORY
# The build goes on without them: then it prints one line, and the web page says what it lacks. POSIX sh.

lock=$1
work=$2
assets=$3

without() {
    printf 'The web viewer will be without noVNC and xterm.js: %s.\n' "$1"
    rm -rf "$assets"
    mkdir -p "$assets"
    exit 0
}

if cmp -s "$lock/package-lock.json" "$assets/made-of" 2>/dev/null; then
    exit 0
fi
command -v npm >/dev/null 2>&1 || without 'there is no Node.js with npm'
mkdir -p "$work" || exit 1
cp "$lock/package.json" "$lock/package-lock.json" "$work/" || exit 1
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-timeout=60000) \
    >"$work/npm.log" 2>&1 ||
    without "npm has failed, see $work/npm.log"

rm -rf "$assets"
to=$assets/dev/xenolith/dom0/display/web/assets
modules=$work/node_modules
mkdir -p "$to/novnc" "$to/xterm" &&
    cp -R "$modules/@novnc/novnc/core" "$modules/@novnc/novnc/vendor" "$modules/@novnc/novnc/LICENSE.txt" "$to/novnc/" &&
    cp "$modules/@xterm/xterm/lib/xterm.mjs" "$modules/@xterm/xterm/css/xterm.css" "$modules/@xterm/xterm/LICENSE" \
        "$modules/@xterm/addon-fit/lib/addon-fit.mjs" "$to/xterm/" &&
    cp "$modules/@xterm/addon-fit/LICENSE" "$to/xterm/LICENSE.addon-fit" &&
    cp "$lock/package-lock.json" "$assets/made-of"

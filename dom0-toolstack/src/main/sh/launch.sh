# Sourced by the launchers xl and xenolith with $home, the root of the checkout, and $program set. POSIX sh; an ordinary
# command forks nothing but what the launcher itself needed, for it has 100 ms in all.

fail() {
    printf '%s: %s\n' "$program" "$1" >&2
    exit 1
}

# Sets $version to that of the JDK in a directory, or to nothing.
jdk_version() {
    version=
    [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 0
    while IFS= read -r line; do
        case $line in
            JAVA_VERSION=*)
                version=${line#JAVA_VERSION=\"}
                version=${version%\"*}
                return 0
                ;;
        esac
    done <"$1/release"
}

is_jdk_25() {
    jdk_version "$1"
    case $version in
        25 | 25.* | 25+* | 25-*) return 0 ;;
        *) return 1 ;;
    esac
}

# Sets $jdk.
find_jdk() {
    for jdk in "${JAVA_HOME:-/nonexistent}" /usr/lib/jvm/* /opt/* "${HOME:-/nonexistent}"/.sdkman/candidates/java/* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home; do
        is_jdk_25 "$jdk" && return 0
    done
    jdk=$(command -v java) || return 1
    while [ -L "$jdk" ]; do
        target=$(readlink "$jdk")
        case $target in
            /*) jdk=$target ;;
            *) jdk=${jdk%/*}/$target ;;
        esac
    done
    jdk=${jdk%/bin/java}
    is_jdk_25 "$jdk"
}

# Takes a lock file for this process; one whose owner has died is taken over. Fails if another has it.
take_lock() {
    if (set -C && echo $$ >"$1") 2>/dev/null; then
        return 0
    fi
    owner=
    read -r owner <"$1" 2>/dev/null
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
        # Moved away first, so that of several who see the dead owner only one removes it.
        mv "$1" "$1.$$" 2>/dev/null && rm -f "$1.$$"
        (set -C && echo $$ >"$1") 2>/dev/null
        return
    fi
    return 1
}

# The ahead-of-time cache is the last that a build makes, and it makes it each time; a jar stays as old as it was when its content
# is the same.
is_built() {
    [ -f "$client" ] && { is_newest "$client" || is_newest "$machine_cache"; }
}

is_newest() {
    [ -f "$1" ] && ! [ "$home/pom.xml" -nt "$1" ] && ! [ "$home/dom0-toolstack/pom.xml" -nt "$1" ]
}

build() {
    command -v mvn >/dev/null || fail "nothing is built yet, and to build it Maven (mvn) is needed: install it or put it on PATH"
    lock=$home/.build.lock
    until take_lock "$lock"; do
        sleep 1
        # Whoever held the lock may have done it.
        is_built && return 0
    done
    trap 'rm -f "$lock"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    if ! is_built; then
        if [ -t 2 ]; then
            printf '%s: building Xenolith, once; this takes a minute or two ...\n' "$program" >&2
        fi
        log=$home/.build.log
        if ! (cd "$home" && JAVA_HOME=$jdk mvn -q -B -DskipTests -Dquick -pl dom0-toolstack -am package) \
            >"$log" 2>&1 </dev/null; then
            sed -n '/ERROR/{p;q;}' "$log" >&2
            fail "the build failed; $log has the rest"
        fi
        [ -f "$client" ] || fail "the build made no $client; $log has what it said"
        # A build that had nothing to do leaves the jar as old as it was.
        touch "$client"
        rm -f "$log"
    fi
    rm -f "$lock"
    trap - EXIT INT TERM
}

# Sets $cache to the name of the ahead-of-time cache for this jar and JDK.
name_cache() {
    rest=$client
    name=
    while :; do
        case $rest in
            */*) name=$name${rest%%/*}_ rest=${rest#*/} ;;
            *) break ;;
        esac
    done
    cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/xenolith/client-$version$name.aot
}

# Makes the cache in the background, from what "xl list" loads.
make_cache() {
    mkdir -p "${cache%/*}" 2>/dev/null || return 0
    (
        trap '' HUP
        take_lock "$cache.lock" || exit 0
        rm -f "$cache.new"
        # shellcheck disable=SC2086
        "$jdk/bin/java" -XX:AOTCacheOutput="$cache.new" $client_flags -cp "$client" $client_class xl list
        # An empty or missing file if the JVM could not; the next command tries again.
        [ -s "$cache.new" ] && mv -f "$cache.new" "$cache"
        rm -f "$cache.lock" "$cache.new"
    ) </dev/null >/dev/null 2>&1 &
}

find_jdk || fail "no JDK 25 found: install one, or set JAVA_HOME to it (looked there, in /usr/lib/jvm, /opt, ~/.sdkman and on PATH)"
jar=$home/dom0-toolstack/target/lib/xenolith.jar
client=$home/dom0-toolstack/target/lib/xenolith-client.jar
machine_cache=$home/dom0-toolstack/target/lib/machine.aot
client_class=dev.xenolith.dom0.client.Main
is_built || build

# What is closed must not become one of the files that the JVM opens. Nothing can be written to the second and third.
true 2>/dev/null 3<&0 || exec </dev/null
true 2>/dev/null 3>&1 || exec 1</dev/null
true 3>&2 || exec 2</dev/null

tty=0
[ -t 0 ] && tty=1
if [ -t 1 ]; then tty=${tty}1; else tty=${tty}0; fi
if [ -t 2 ]; then tty=${tty}1; else tty=${tty}0; fi

case $program-${1-} in
    xl-* | xenolith-host | xenolith-xenstore | xenolith-trace | xenolith- | xenolith--*)
        socket=${XENOLITH_SOCKET:-${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/xenolith/host.sock}}
        socket=${socket:-${XDG_STATE_HOME:-${HOME:-}/.local/state}/xenolith/host.sock}
        if [ -S "$socket" ] && [ "$program-${1-}" != xenolith-host ]; then
            # The thin client. It lives too briefly for any compiler, and not a word of the JVM may get into its output; the
            # archive is mapped where it was made for, and reflection goes without method handles, which saves 40 ms.
            client_flags='-XX:+UseSerialGC -Xint -Xmx64m -Djdk.reflect.useNativeAccessorOnly=true'
            name_cache
            [ "$cache" -nt "$client" ] || make_cache
            # shellcheck disable=SC2086
            exec "$jdk/bin/java" $client_flags -XX:-UsePerfData -XX:+UnlockDiagnosticVMOptions \
                -XX:ArchiveRelocationMode=0 -Xlog:disable -XX:AOTCache="$cache" -Dxenolith.tty=$tty \
                -Dxenolith.home="$home" -cp "$client" $client_class "$program" "$@"
        fi
        exec "$jdk/bin/java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx64m -XX:-UsePerfData -Xlog:disable \
            -Dxenolith.tty=$tty -Dxenolith.home="$home" -cp "$jar" $client_class "$program" "$@"
        ;;
    *)
        # A machine in this process. Of an archive that does not fit this JDK nothing is to be heard.
        exec "$jdk/bin/java" "@$home/cpu-emulator/jvm.options" -Xms512m -Xmx512m -Xlog:disable \
            -XX:AOTCache="$machine_cache" -Dxenolith.tty=$tty \
            -Dxenolith.home="$home" -cp "$jar" $client_class "$program" "$@"
        ;;
esac

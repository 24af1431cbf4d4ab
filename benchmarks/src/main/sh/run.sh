# Sourced by what stands in benchmarks with $here set to that directory: finds a JDK 25, builds once, sets $home and $java.
home=$(dirname "$here")
java=
for jdk in "${JAVA_HOME:-/nonexistent}" /usr/lib/jvm/* /opt/*; do
    if "$jdk/bin/java" -version 2>&1 | grep -q '"25'; then
        java=$jdk/bin/java
        break
    fi
done
if [ -z "$java" ]; then
    echo "benchmarks: no JDK 25 found; set JAVA_HOME" >&2
    exit 1
fi
if [ ! -d "$here/target/lib" ]; then
    echo "benchmarks: building once" >&2
    (cd "$home" && mvn -q -B -DskipTests package)
fi
class_path="$here/target/lib/*:$here/target/classes"
